"""What we own: profit, cash and exposure against their limits; positions with their marks."""

from collections.abc import Sequence
from typing import Final

from polybawt.core.machines.position import Position
from polybawt.core.state import State
from polybawt.core.units import MILLION, Usdc
from polybawt_tui.names import market_of
from polybawt_tui.panels.books import fresh
from polybawt_tui.picture import Picture, Sheet, where
from polybawt_tui.text import (
    Column,
    Row,
    Span,
    age,
    bar,
    braille,
    fit,
    fit_row,
    money,
    price,
    shares,
    table,
)

POSITIONS: Final = (
    Column("market", 13),
    Column("", 2),
    Column("shares", 6, ">"),
    Column("entry", 5, ">"),
    Column("mark", 5, ">"),
    Column("open", 5, ">"),
    Column("booked", 6, ">", rank=1),
    Column("fees", 5, ">", rank=3),
    Column("cost", 6, ">", rank=2),
    Column("state", 8, rank=4, grows=True),
)
NEAR: Final = 90  # percent of a limit


def profit(picture: Picture, width: int, height: int) -> Sheet:
    state = picture.state
    if not state.ledger.deposited:
        return Sheet(rows=[(("  the cash was not read yet", "muted"),)])
    limits = state.config.limits
    gain = state.pnl()
    token, most = _fullest(state)
    live = sum(1 for _ in state.open_orders())
    reserved = state.ledger.cash - state.cash_free()
    rows: list[Row] = [
        _pair(("equity", money(state.equity())), ("free", money(state.cash_free())), width),
        _pair(("cash", money(state.ledger.cash)), ("reserved", money(Usdc(reserved))), width),
        _gauge("exposure", state.total_exposure(), limits.total_exposure_max, width),
        _gauge(" ".join(where(state, token)) if token else "one token", most,
               limits.token_exposure_max, width),
        _gauge("open orders", live * MILLION, limits.open_orders_max * MILLION, width, places=0),
    ]  # fmt: skip
    if (room := height - len(rows)) > 0:
        rows += _chart(picture.profits, width, min(room, 8))
    sign: Span = (f"profit {money(gain, sign=True)}", "down" if gain < 0 else "up")
    return Sheet(note=(sign,), rows=rows)


def _fullest(state: State) -> tuple[str, Usdc]:
    """The token that has most of its limit used."""
    tokens = dict.fromkeys([*state.positions, *(o.token_id for o in state.open_orders())])
    used = [(state.exposure(token), token) for token in tokens]
    most, token = max(used, default=(Usdc(0), ""))
    return (token, most) if most else ("", Usdc(0))


def _pair(left: tuple[str, str], right: tuple[str, str], width: int) -> Row:
    half = width // 2
    return (
        (fit(left[0], 9), "muted"),
        (fit(left[1], half - 10, ">"), "strong"),
        (" " * 3, ""),
        (fit(right[0], 9), "muted"),
        (fit(right[1], width - half - 11, ">"), ""),
    )


def _gauge(name: str, used: int, limit: int, width: int, places: int = 2) -> Row:
    percent = used * 100 // limit if limit else 0
    role = "bad text" if percent >= 100 else "warn" if percent >= NEAR else "ok"
    figures = f"{money(used, places=places)}/{money(limit, places=places)}"
    if places == 0:
        figures = f"{used // MILLION}/{limit // MILLION}"
    label = 17
    room = max(width - label - 12 - 6, 1)
    filled, empty = bar(used, limit, room)
    ink = "" if role == "ok" else role
    return (
        (fit(name, label), "muted"),
        (fit(figures, 12, ">"), ink),
        (" ", ""),
        (filled, role),
        (empty, "rule"),
        (fit(f"{percent}%", 5, ">"), ink or "muted"),
    )


def _chart(profits: Sequence[int], width: int, height: int) -> list[Row]:
    """Profit of each second since this terminal listens; highest and lowest at the right."""
    values = list(profits)
    if len(values) < 2:
        return [((fit("profit line: waiting for seconds", width), "faint"),)]
    edge = 9
    lines = braille(values, width - edge, height)
    high, low = money(max(values), sign=True), money(min(values), sign=True)
    marks = [high, *[""] * (height - 2), low] if height > 1 else [high]
    if height > 2:
        marks[height // 2] = age(len(values) * 10**9)
    role = "down" if values[-1] < 0 else "up"
    return [
        ((line, role), (fit(mark, edge, ">"), "faint"))
        for line, mark in zip(lines, marks, strict=True)
    ]


def purse(picture: Picture, width: int) -> Row:
    """One line of money, where there is no room for the panel."""
    state = picture.state
    limit = state.config.limits.total_exposure_max
    used = state.total_exposure()
    percent = used * 100 // limit if limit else 0
    profit = state.pnl()
    return fit_row(
        (
            (" equity ", "muted"), (money(state.equity()), "strong"),
            ("  profit ", "muted"), (money(profit, sign=True), "down" if profit < 0 else "up"),
            ("  cash ", "muted"), (money(state.ledger.cash), ""),
            ("  exposure ", "muted"), (f"{money(used)}/{money(limit)}", ""),
            (f" {percent}%", "warn" if percent >= 90 else "muted"),
        ),
        width,
    )  # fmt: skip


def positions(picture: Picture, width: int, height: int) -> Sheet:
    state = picture.state
    held = sorted(
        state.positions.values(), key=lambda p: (p.shares == 0, -p.cost, p.condition_id, p.token_id)
    )
    booked = sum(position.realised for position in held)
    note = ((f"booked {money(booked, sign=True)}", "muted"),)
    if not held:
        return Sheet(rows=[(("  nothing is held", "muted"),)])
    return Sheet(note=note, rows=table(POSITIONS, [_line(state, p) for p in held], width))


def _line(state: State, position: Position) -> Sequence[Span]:
    market, side = where(state, position.token_id)
    holds = position.shares != 0
    body = "" if holds else "faint"
    mark, gain = _marked(state, position)
    odd = position.state == "oversold"
    return (
        (market, "bad text" if odd else body),
        (side, body or ("up" if side == "Up" else "down")),
        (shares(position.shares), body or "strong"),
        (price(position.entry)[:5], body),
        mark if holds else ("-", "faint"),
        gain if holds else ("-", "faint"),
        (money(position.realised, sign=True), body or "muted"),
        (money(position.fees), body or "muted"),
        (money(position.cost), body or "muted"),
        (position.state, "bad text" if odd else "faint"),
    )


def _marked(state: State, position: Position) -> tuple[Span, Span]:
    """Mark and open profit; a question mark without a book, a wave when it is not fresh."""
    book = state.books.get(position.condition_id)
    if book is None or book.mid(position.token_id) is None:
        return ("?", "warn"), ("?", "warn")
    mark = state.mark(position)
    market = market_of(state, position.token_id)
    sure = market is not None and fresh(state, market)
    gain = position.shares * mark // MILLION - position.cost
    role = "down" if gain < 0 else "up"
    words = money(gain, sign=True)
    if sure:
        return (price(mark)[:5], ""), (words, role)
    return (f"~{price(mark)[:4]}", "warn"), (f"~{words}", "warn")

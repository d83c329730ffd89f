"""Every order that the engine knows: what it lost sight of first, what has ended last."""

from collections.abc import Sequence
from typing import Final

from polybawt.core.machines.order import ENDED, Order
from polybawt.core.units import SECOND_NS
from polybawt_tui.picture import Picture, Sheet, ranked_orders, since_ns, where
from polybawt_tui.text import Column, Row, Span, age, price, printable, shares, table
from polybawt_tui.theme import ORDERS

COLUMNS: Final = (
    Column("id", 5),
    Column("state", 12),
    Column("market", 13),
    Column("", 2),
    Column("side", 4),
    Column("price", 5, ">"),
    Column("size", 7, ">"),
    Column("filled", 7, ">"),
    Column("age", 6, ">"),
    Column("since", 6, ">", rank=1),
    Column("ends in", 7, ">", rank=2),
    Column("strategy", 9, rank=3),
    Column("order id", 12, rank=4),
    Column("reason", 12, rank=5, grows=True),
)
SETTLES_NS: Final = 5 * SECOND_NS  # until then a cancel on its way is nothing out of order


def orders(picture: Picture, width: int, height: int) -> Sheet:
    state = picture.state
    ranked = ranked_orders(state)
    if not ranked:
        return Sheet(rows=[(("  no orders", "muted"),)])
    rows = table(COLUMNS, [_line(picture, order) for order in ranked], width)
    return Sheet(note=_note(picture, ranked), rows=rows)


def _note(picture: Picture, ranked: list[Order]) -> Row:
    limit = picture.state.config.limits.open_orders_max
    live = sum(1 for order in ranked if order.state not in ENDED)
    unknown = sum(1 for order in ranked if order.state == "unknown")
    open_: Span = (f"{live} open of {limit}", "muted")
    if not unknown:
        return (open_, ("  UNKNOWN 0", "muted"))
    return (open_, ("  ", ""), (f"? UNKNOWN {unknown}", "unknown"))


def _line(picture: Picture, order: Order) -> Sequence[Span]:
    state, now = picture.state, picture.now_ns
    market, side = where(state, order.token_id)
    glyph, word, role = ORDERS[order.state]
    in_state = now - since_ns(state, order)
    if role == "warn" and in_state < SETTLES_NS:
        role = ""
    ended = order.state in ENDED
    body = "faint" if ended else ""
    filled = shares(order.filled) if order.filled else "-"
    return (
        (printable(order.intent_id), body or "muted"),
        (f"{glyph} {word}", role),
        (market, body),
        (side, body or ("up" if side == "Up" else "down")),
        (order.side.value, body),
        (price(order.price), body or "strong"),
        (shares(order.size), body),
        (filled, body or ("strong" if order.filled else "muted")),
        (age(now - order.created_ns), body or "muted"),
        (age(in_state), body or "muted"),
        ("-" if ended else age(order.ends_ns - now), body or "muted"),
        (printable(order.strategy), body or "muted"),
        (printable(order.order_id[:12]), "faint"),
        (printable(order.reason), "faint"),
    )

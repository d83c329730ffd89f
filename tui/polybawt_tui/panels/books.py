"""The books of the markets we follow: one line each, and the ladder of one of them.

Prices are of an "Up" share: a bid for "Down" is drawn as the ask for "Up" that it is.  Best
prices stand in the middle and the two sides grow away from them, so that the eye has one place
to look at; our own orders are marked where they act.
"""

from collections.abc import Sequence
from typing import Final

from polybawt.core.book import Book
from polybawt.core.machines.order import ENDED
from polybawt.core.market import Market, Side
from polybawt.core.state import State
from polybawt.core.units import SECOND_NS, complement
from polybawt_tui.names import market_text
from polybawt_tui.picture import Picture, Sheet, active_markets
from polybawt_tui.text import (
    Column,
    Row,
    Span,
    age,
    bar,
    bar_left,
    fit,
    price,
    printable,
    reference,
    shares,
    table,
)
from polybawt_tui.theme import FEEDS

COLUMNS: Final = (
    Column("", 1),
    Column("market", 13),
    Column("left", 6, ">"),
    Column("size", 6, ">", rank=2),
    Column("bid", 5, ">"),
    Column("ask", 5),
    Column("size", 6, rank=2),
    Column("strike", 9, ">", rank=1),
    Column("oracle", 11, rank=1),
    Column("question", 20, rank=3, grows=True),
)
LAST_NS: Final = 60 * SECOND_NS  # the last minute of a market stands out
LEVELS_MIN: Final = 3
LEVELS_MAX: Final = 24


def books(picture: Picture, width: int, height: int, chosen: str) -> Sheet:
    """The markets, and the ladder of the ``chosen`` one (the first when it is not there)."""
    state = picture.state
    markets = active_markets(state)
    if not markets:
        return Sheet(rows=[(("  no market is followed", "muted"),)])
    selected = next((m for m in markets if m.condition_id == chosen), markets[0])
    listed = _window(markets, selected, max(1, height - LEVELS_MIN - 2))
    lines = [_line(picture, market, market is selected) for market in listed]
    rows = table(COLUMNS, lines, width)
    room = min(height - len(rows) - 1, LEVELS_MAX)
    if room > 0:
        rows += _ladder(picture, selected, width, room)
    note = f"{len(markets)} followed, {len(state.markets)} known"
    return Sheet(note=((note, "muted"),), rows=rows[:height])


def _window(markets: list[Market], selected: Market, room: int) -> list[Market]:
    """As many as there is room for, the selected one among them."""
    at = markets.index(selected)
    first = max(0, min(at - room + 1, len(markets) - room))
    return markets[first : first + room]


def _line(picture: Picture, market: Market, selected: bool) -> Sequence[Span]:
    state, token = picture.state, market.yes_token
    book = state.books.get(market.condition_id)
    bids, asks = book.levels(token) if book else ((), ())
    best_bid, best_ask = (bids or [None])[-1], (asks or [None])[-1]
    role = "strong" if selected else ""
    if not fresh(state, market):
        role = "warn"
    return (
        ("▸" if selected else " ", "strong"),
        (market_text(market), role),
        _left(picture, market),
        (shares(best_bid[1]) if best_bid else "", "muted"),
        (price(best_bid[0] if best_bid else None), "up"),
        (price(best_ask[0] if best_ask else None), "down"),
        (shares(best_ask[1]) if best_ask else "", "muted"),
        (reference(state.settlements[market.condition_id].strike_e18), "muted"),
        _oracle(state, market),
        (printable(market.question), "faint"),
    )


def fresh(state: State, market: Market) -> bool:
    feeds = [state.feeds.get(token) for token in market.tokens]
    return all(feed is not None and feed.state == "fresh" for feed in feeds)


def _left(picture: Picture, market: Market) -> Span:
    if picture.now_ns < market.start_ns:
        ahead_s = (market.start_ns - picture.now_ns) // SECOND_NS
        return f"in {ahead_s // 60}m" if ahead_s >= 60 else f"in {ahead_s}s", "faint"
    left = market.end_ns - picture.now_ns
    return (age(left), "strong" if left < LAST_NS else "") if left > 0 else ("ended", "muted")


def _oracle(state: State, market: Market) -> Span:
    """How far the settlement price is above (▲ Up wins) or below (▼ Down wins) the strike."""
    oracle = state.oracles.get(market.symbol)
    strike = state.settlements[market.condition_id].strike_e18
    if oracle is None or not oracle.value:
        return "?", "muted"
    if not strike:
        return reference(oracle.value), "muted"
    gap = oracle.value - strike
    places = reference(abs(oracle.value)).partition(".")[2]
    scale = 10 ** (18 - len(places))
    whole, part = divmod(abs(gap) // scale, 10 ** len(places))
    words = f"{whole:,}.{part:0{len(places)}d}"
    return (f"▲ +{words}", "up") if gap >= 0 else (f"▼ -{words}", "down")


# The ladder.


def own_levels(state: State, market: Market) -> tuple[dict[int, int], dict[int, int]]:
    """What we may have resting, by "Up" price: as bids and as asks. Unknown orders included."""
    bids: dict[int, int] = {}
    asks: dict[int, int] = {}
    for order in state.orders.values():
        if order.condition_id != market.condition_id or order.state in ENDED:
            continue
        up = order.token_id == market.yes_token
        at = order.price if up else complement(order.price)
        side = bids if (order.side is Side.BUY) == up else asks
        side[at] = side.get(at, 0) + order.open_size
    return bids, asks


def _ladder(picture: Picture, market: Market, width: int, room: int) -> list[Row]:
    state = picture.state
    book = state.books.get(market.condition_id)
    if book is None:
        return [_rule(picture, market, None, width), (("  no whole book yet", "muted"),)]
    own_bids, own_asks = own_levels(state, market)
    bids, asks = book.levels(market.yes_token)
    left = _side(dict(bids), own_bids, room, best_first=-1)
    right = _side(dict(asks), own_asks, room, best_first=1)
    most = max([size for _, size, _ in (*left, *right)] or [1])
    half = (width - 3) // 2
    rows: list[Row] = []
    for i in range(max(len(left), len(right))):
        bid = _bid(left[i], most, half) if i < len(left) else ((" " * half, ""),)
        ask = _ask(right[i], most, half) if i < len(right) else ()
        rows.append((*bid, (" │ ", "rule"), *ask))
    return [_rule(picture, market, book, width), *rows]


Depth = tuple[int, int, int]
"""Price, size, and how much of it is ours."""


def _side(levels: dict[int, int], own: dict[int, int], room: int, best_first: int) -> list[Depth]:
    """The best ``room`` levels; a level of ours that is further away takes the last place."""
    prices = sorted({*levels, *own}, key=lambda at: at * best_first)
    shown = prices[:room]
    hidden = [at for at in prices[room:] if at in own]
    if hidden and room:
        shown[-1] = hidden[0]
    return [(at, levels.get(at, 0), own.get(at, 0)) for at in shown]


def _bid(depth: Depth, most: int, half: int) -> Row:
    at, size, own = depth
    room = half - 6 - 9 - 9
    return (
        (fit(f"◆{shares(own)}" if own else "", 9), "own"),
        (fit(shares(size), 8, ">"), ""),
        (" ", ""),
        (bar_left(size, most, room), "up bar"),
        (fit(price(at), 6, ">"), "own" if own else "up"),
    )


def _ask(depth: Depth, most: int, half: int) -> Row:
    at, size, own = depth
    room = half - 6 - 9 - 9
    filled, _ = bar(size, most, room)
    return (
        (fit(price(at), 6), "own" if own else "down"),
        (fit(filled, room), "down bar"),
        (" ", ""),
        (fit(shares(size), 8), ""),
        (fit(f"◆{shares(own)}" if own else "", 9, ">"), "own"),
    )


def _rule(picture: Picture, market: Market, book: Book | None, width: int) -> Row:
    """A line above the ladder: which market, its two feeds, the spread."""
    state = picture.state
    feeds: list[Span] = []
    for token, name in zip(market.tokens, ("Up", "Dn"), strict=True):
        feed = state.feeds[token]
        glyph, word, role = FEEDS[feed.state]
        if not picture.present:
            glyph, word, role = "?", f"was {word}", "muted"
        heard = age(picture.now_ns - feed.heard_ns) if feed.heard_ns else "never"
        feeds.append((f" {name} {glyph} {word} {heard}", role))
    spread = ""
    if book is not None:
        bid, ask = book.best_bid(market.yes_token), book.best_ask(market.yes_token)
        if bid is not None and ask is not None:
            spread = f" spread {price(ask - bid)}"
    head = f"╌╌ {market_text(market)} "
    used = len(head) + sum(len(text) for text, _ in feeds) + len(spread) + 2
    return (
        (head, "rule"),
        *feeds,
        (" " + "╌" * max(0, width - used), "rule"),
        (f"{spread} ", "faint"),
    )

"""What one repaint may look at, and the panels' shared questions to it.

A picture lends the replica's state for the length of one drawing; a frozen one owns a copy, so
that the view stands still while the engine runs on.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from attrs import evolve, field, frozen

from polybawt.core.codec import decode_state, encode_state
from polybawt.core.machines.order import ENDED, Order
from polybawt.core.market import Market
from polybawt.core.state import LINKS, State
from polybawt.core.units import SECOND_NS
from polybawt.engine.replica import Replica
from polybawt_tui.command import SHOWN_NS, Pending
from polybawt_tui.history import Entry, History
from polybawt_tui.names import market_of, market_text, side_text, token_text
from polybawt_tui.text import Row
from polybawt_tui.theme import FEEDS, ORDERS

SILENT_NS: Final = 2 * SECOND_NS  # the engine ticks ten times a second


@frozen(kw_only=True)
class Picture:
    """``now_ns`` is the venue's time, ``silent_ns`` system time since the stream last spoke."""

    state: State
    seq: int = -1
    mode: str = ""
    engine: str = ""
    now_ns: int = 0
    connected: bool = False
    silent_ns: int = 0
    rate: float = 1.0
    entries: Sequence[Entry] = ()
    profits: Sequence[int] = ()
    flow: str = ""
    pending: Pending | None = None
    frozen_ns: int = 0  # since when the view stands still, 0 when it does not
    socket: Path = field(factory=Path)

    @property
    def synced(self) -> bool:
        return self.seq >= 0

    @property
    def present(self) -> bool:
        """Whether what is shown is the present: linked, and the engine speaks."""
        return self.connected and self.silent_ns <= SILENT_NS

    @property
    def command_over(self) -> bool:
        """Whether the pending command was verified so long ago that nobody need see it."""
        verified_ns = self.pending.verified_ns if self.pending else 0
        return bool(verified_ns) and self.now_ns - verified_ns > SHOWN_NS

    def with_frozen(self, since_ns: int) -> "Picture":
        return evolve(self, frozen_ns=since_ns)


@frozen(kw_only=True)
class Sheet:
    """One panel as drawn: ``note`` stands at the right of its heading."""

    note: Row = ()
    rows: Sequence[Row] = ()


def picture_of(replica: Replica, history: History, pending: Pending | None, at: Path) -> Picture:
    total = sum(history.rates.values())
    most = [f"{name} {count:,}" for name, count in history.rates.most_common(3)]
    return Picture(
        state=replica.state,
        seq=replica.seq,
        mode=replica.mode,
        engine=replica.engine,
        now_ns=replica.venue_ns(),
        connected=replica.connected,
        silent_ns=replica.heard_age_ns(),
        rate=replica.clock.rate,
        entries=history.entries,
        profits=history.profits,
        flow=f"{total:,} facts/s: {', '.join(most)}" if total else "",
        pending=pending,
        socket=at,
    )


def still(picture: Picture) -> Picture:
    """The same picture, owning all it shows."""
    return evolve(
        picture,
        state=decode_state(encode_state(picture.state)),
        entries=tuple(evolve(entry, flow=dict(entry.flow)) for entry in picture.entries),
        profits=tuple(picture.profits),
        frozen_ns=picture.now_ns,
    )


# Questions that several panels ask.


def active_markets(state: State) -> list[Market]:
    """The markets whose books we follow, the one that ends first on top."""
    ids = dict.fromkeys(state.market_of[t] for t in state.subscribed if t in state.market_of)
    return sorted((state.markets[i] for i in ids), key=lambda m: (m.end_ns, m.slug))


def ranked_orders(state: State) -> list[Order]:
    """What deserves attention first: unknown, then in doubt, then at rest, then what has ended."""
    rank = {name: place for place, name in enumerate(ORDERS)}
    return sorted(
        state.orders.values(),
        key=lambda o: (
            o.state in ENDED,
            0 if o.state in ENDED else rank.get(o.state, 0),
            -o.created_ns,
            o.intent_id,
        ),
    )


def unknown_orders(state: State) -> list[Order]:
    return [order for order in state.orders.values() if order.state == "unknown"]


def since_ns(state: State, order: Order) -> int:
    """When the order entered its present state."""
    return state.timers.get(f"order:{order.intent_id}", order.created_ns)


def feed_names(state: State) -> list[str]:
    """The links, and the tokens whose books we follow."""
    return [*LINKS, *state.subscribed]


def worst_feed(state: State) -> tuple[int, int, str]:
    """How many feeds are fresh, how many there should be, and the worst that is not ("")."""
    names = feed_names(state)
    ranks = list(FEEDS)
    worst, fresh = "", 0
    for name in names:
        now = _feed_state(state, name)
        fresh += now == "fresh"
        if now != "fresh" and (
            not worst or ranks.index(now) < ranks.index(_feed_state(state, worst))
        ):
            worst = name
    return fresh, len(names), worst


def _feed_state(state: State, name: str) -> str:
    feed = state.feeds.get(name)
    return feed.state if feed else "silent"


def feed_text(state: State, name: str) -> str:
    return name if name in LINKS else token_text(state, name)


def where(state: State, token_id: str) -> tuple[str, str]:
    """Market and side of a token."""
    market = market_of(state, token_id)
    return market_text(market, token_id), side_text(market, token_id)

"""All that the world can tell the kernel: a closed union.

Facts come from the venue's streams and answers, from the clock, and from operators.  A fact
says what was *said*, not what is true: that is the machines' business.  Only these are
journaled; everything else follows from them.  ``at_ns`` is when we learned it; the venue's
own times stand beside it.
"""

from attrs import field, frozen

from polybawt.core.machine import Fact
from polybawt.core.machines import conversion, order, venue_mode
from polybawt.core.market import Market, Side
from polybawt.core.state import Config
from polybawt.core.units import Price, Shares, Usdc

Level = tuple[Price, Shares]


@frozen(kw_only=True)
class Tick(Fact):
    """Time has passed."""


@frozen(kw_only=True)
class Started(Fact):
    """An engine process took over this journal; ``epoch`` counts them from 1.

    Its configuration is part of the fact: a replay must decide as the original did.
    """

    epoch: int
    config: Config = field(factory=Config)


@frozen(kw_only=True)
class StopRequested(Fact):
    actor: str = "signal"


@frozen(kw_only=True)
class KillRequested(Fact):
    """No new order leaves any more; ``source``: file, signal, terminal, api."""

    actor: str
    reason: str
    source: str


@frozen(kw_only=True)
class ResetRequested(Fact):
    """An operator closes a breaker again, or, by the name ``kill``, arms the kill switch."""

    breaker: str
    actor: str
    reason: str


@frozen(kw_only=True)
class FlattenRequested(Fact):
    """An operator wants everything withdrawn and sold, and nothing entered, until a reset."""

    actor: str
    reason: str


@frozen(kw_only=True)
class DecideRequested(Fact):
    """An operator accepts the payouts of a market although something speaks against them.

    They are those that the operator was shown: should they have changed, nothing is decided.
    """

    condition_id: str
    yes_payout: Usdc
    no_payout: Usdc
    actor: str
    reason: str


@frozen(kw_only=True)
class ApproveRequested(Fact):
    """An operator approves one proposed trade, on the terms that they were shown."""

    approval_id: str
    actor: str
    terms: str
    reason: str = ""


@frozen(kw_only=True)
class DeclineRequested(Fact):
    """An operator says no to it, or takes a yes back."""

    approval_id: str
    actor: str
    reason: str = ""


@frozen(kw_only=True)
class MarketListed(Fact):
    market: Market


@frozen(kw_only=True)
class LinkUp(Fact):
    """A stream connected: ``market``, ``user`` or ``oracle``."""

    link: str


@frozen(kw_only=True)
class LinkHeard(Fact):
    """The stream answered our PING: the link lives, which says nothing about its data."""

    link: str


@frozen(kw_only=True)
class LinkDown(Fact):
    link: str
    reason: str


@frozen(kw_only=True)
class LinkRefused(Fact):
    """A stream was cut several times in a row right after our credentials: they are refused."""

    link: str
    reason: str


@frozen(kw_only=True)
class LinkGap(Fact):
    """Numbered frames of one channel of a stream are missing: ``missed`` of them."""

    link: str
    channel: str
    missed: int


@frozen(kw_only=True)
class BookSnapshot(Fact):
    """A whole book as served, worst level first. ``last_trade`` keeps the venue's own text.

    ``min_size``, ``tick`` and ``neg_risk`` are "" or None where the message has none (WS).
    ``source`` is ``ws`` or ``rest``; ``asked_ns`` is when the read was sent, None for a push.
    """

    condition_id: str
    token_id: str
    timestamp_ms: int
    hash: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    last_trade: str | None
    source: str
    min_size: str = ""
    tick: str = ""
    neg_risk: bool | None = None
    version: str = ""
    asked_ns: int | None = None


@frozen(kw_only=True)
class LevelChange:
    """``size`` is the new absolute size of the level, 0 removes it; best prices may be None."""

    token_id: str
    side: Side
    price: Price
    size: Shares
    hash: str
    best_bid: Price | None = None
    best_ask: Price | None = None


@frozen(kw_only=True)
class PriceChanged(Fact):
    condition_id: str
    timestamp_ms: int
    changes: tuple[LevelChange, ...]


@frozen(kw_only=True)
class LastTrade(Fact):
    """A public print; ``side`` is the taker's, ``price_text`` the venue's own text.

    ``source``: ``ws``, or ``rest`` for the answer to ``FetchPrint``: it names the print asked for.
    """

    condition_id: str
    token_id: str
    price: Price
    price_text: str
    shares: Shares | None
    side: Side
    timestamp_ms: int
    source: str = "ws"


@frozen(kw_only=True)
class TickSizeChanged(Fact):
    condition_id: str
    token_id: str
    tick: Price


@frozen(kw_only=True)
class OracleReported(Fact):
    """One report of the settlement price, in 10^-18 dollars, for its own second.

    Not ``exact``: it came as a double, as in a history dump; good for returns, and for an
    outcome that is not close.
    """

    symbol: str
    value_e18: int
    report_ms: int
    exact: bool = True


@frozen(kw_only=True)
class SpotReported(Fact):
    """A spot exchange's price, in 10^-18 dollars, at its own time; it settles nothing.

    ``symbol`` is the oracle's that it runs ahead of: ``btc/usd`` for btcusdt.
    """

    symbol: str
    value_e18: int
    spot_ms: int


@frozen(kw_only=True)
class OrderPushed(Fact):
    """The user channel about one order; ``kind``: PLACEMENT, UPDATE or CANCELLATION."""

    order_id: str
    kind: str
    status: str
    matched: Shares | None


@frozen(kw_only=True)
class MakerFill:
    order_id: str
    token_id: str
    side: Side
    price: Price
    shares: Shares


@frozen(kw_only=True)
class TradeReported(Fact):
    """One trade at one step of its settlement; top-level terms are the taker's.

    ``status``: MATCHED, MINED, CONFIRMED, RETRYING, FAILED, or the venue's text if unknown.
    ``source``: ``push`` or ``read``.
    """

    trade_id: str
    status: str
    condition_id: str
    taker_order_id: str
    token_id: str
    side: Side
    price: Price
    shares: Shares
    makers: tuple[MakerFill, ...]
    match_s: int
    source: str


@frozen(kw_only=True)
class OpenOrdersRead(Fact):
    """The ids of all our orders that rest at the venue now; ``sent_ns``: when it was asked."""

    order_ids: tuple[str, ...]
    sent_ns: int = 0


@frozen(kw_only=True)
class TradesRead(Fact):
    """A read of our trades is complete; its trades came before as ``TradeReported``."""

    condition_id: str
    count: int
    sent_ns: int = 0


@frozen(kw_only=True)
class BalanceRead(Fact):
    """What the venue says we hold: millionths of a dollar (``token_id`` "") or of a share.

    ``sent_ns``: when it was asked.
    """

    token_id: str
    amount: int
    sent_ns: int = 0


@frozen(kw_only=True)
class ReadFailed(Fact):
    """A read came to nothing after its retries: ``what`` names the command."""

    what: str
    reason: str


@frozen(kw_only=True)
class MarketResolved(Fact):
    """The venue published what each share pays, in millionths of a dollar."""

    condition_id: str
    yes_payout: Usdc
    no_payout: Usdc
    source: str


@frozen(kw_only=True)
class ResolutionReported(Fact):
    """How far the oracle is with a market, in the words of the source; it pays nothing yet."""

    condition_id: str
    status: str
    source: str


@frozen(kw_only=True)
class Heartbeat(Fact):
    """A beat was sent, and accepted or not; silence is not accepted (reference 1.13)."""

    sent_ns: int
    accepted: bool
    reason: str = ""


@frozen(kw_only=True)
class ClockRead(Fact):
    """The venue's clock is ahead of ours by something between the two, ns."""

    low_ns: int
    high_ns: int


@frozen(kw_only=True)
class VersionRead(Fact):
    """Which protocol the CLOB says it speaks."""

    version: int


@frozen(kw_only=True)
class BadInput(Fact):
    """Something that came in could not be understood: counted, logged, never guessed at.

    ``excerpt`` holds at most 200 characters of it, printable only.
    """

    source: str
    reason: str
    excerpt: str


WORLD: tuple[type[Fact], ...] = (
    Tick, Started, StopRequested, KillRequested, ResetRequested, DecideRequested,
    FlattenRequested,
    ApproveRequested, DeclineRequested, MarketListed, LinkUp, LinkHeard, LinkDown, LinkRefused,
    LinkGap, BookSnapshot, PriceChanged,
    LastTrade, TickSizeChanged, OracleReported, SpotReported, OrderPushed, TradeReported,
    OpenOrdersRead, TradesRead, BalanceRead, ReadFailed, MarketResolved, BadInput,
    ResolutionReported,
    order.Sign, order.Timeout, order.AckLive, order.AckDelayed, order.Reject, order.Duplicate,
    order.CancelDone, order.CancelRefused, order.CancelTimeout, order.ReadOpen,
    order.ReadClosed, order.ReadMissing, order.Abort,
    Heartbeat, ClockRead, VersionRead,
    venue_mode.Answered, venue_mode.Refused, venue_mode.Silence,
    conversion.AckTaken, conversion.AckDeclined, conversion.AckLost, conversion.SeenMoving,
    conversion.SeenMined, conversion.SeenConfirmed, conversion.SeenFailed,
)  # fmt: skip
"""What may be journaled; anything else is derived inside the kernel."""

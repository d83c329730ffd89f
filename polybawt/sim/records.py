"""What goes into the simulated venue and what comes out of it: requests, answers, events.

Frozen records, amounts in millionths, times in ns UTC.  They say what the venue *knows*; how
that is spelt on the wire (strings, statuses with prefixes, seconds) is the exchange's business.

Source: exchange reference, sections 1.6 to 1.11, 3.6 and 4.
"""

from attrs import frozen

from polybawt.core.market import Market, Side
from polybawt.core.units import Price, Shares, Usdc
from polybawt.sim.oracle import Question
from polybawt.sim.transactions import ChainTransaction

RESTING_TYPES = ("GTC", "GTD")
IMMEDIATE_TYPES = ("FOK", "FAK")


@frozen
class Terms:
    """On which token, which way, at which price."""

    token_id: str
    side: Side
    price: Price


@frozen(kw_only=True)
class Placement:
    """One order as asked for. ``budget`` is the collateral target of a FOK or FAK buy.

    ``expiration_s`` is unix seconds, 0 for none; ``price`` is the worst acceptable price.
    """

    owner: str
    order_id: str
    token_id: str
    side: Side
    price: Price
    size: Shares
    order_type: str = "GTC"
    post_only: bool = False
    expiration_s: int = 0
    budget: Usdc | None = None

    @property
    def rests(self) -> bool:
        return self.order_type in RESTING_TYPES

    @property
    def terms(self) -> Terms:
        return Terms(self.token_id, self.side, self.price)


@frozen(kw_only=True)
class VenueOrder:
    """One accepted order and how far it got.

    ``status``: LIVE, DELAYED, MATCHED (also: partly matched, then ended), CANCELED,
    CANCELED_MARKET_RESOLVED, CANCELED_EXPIRED_ORDER, CANCELED_NOT_ENOUGH_BALANCE, or
    INVALID for a FOK or FAK that was killed and only left its id behind.
    """

    placement: Placement
    status: str
    matched: Shares
    created_ns: int
    trade_ids: tuple[str, ...]
    condition_id: str

    @property
    def open(self) -> bool:
        return self.status in ("LIVE", "DELAYED")

    @property
    def open_size(self) -> Shares:
        """What may still match."""
        return Shares(self.placement.size - self.matched) if self.open else Shares(0)


@frozen(kw_only=True)
class MakerMatch:
    """The maker's own side of a match: its token, its side, its limit price."""

    order_id: str
    owner: str
    token_id: str
    side: Side
    price: Price
    shares: Shares
    outcome: str  # "Yes" or "No"; what the token is called on screen is the exchange's affair


@frozen(kw_only=True)
class VenueTrade:
    """One taker order's matches at one price; top-level terms are the taker's.

    ``status``: MATCHED_NOT_BROADCASTED, MATCHED, MINED, CONFIRMED, RETRYING, FAILED.  ``fee``
    is the taker's, on top of a buy and out of a sale.
    """

    trade_id: str
    status: str
    condition_id: str
    taker_order_id: str
    taker_owner: str
    token_id: str
    side: Side
    price: Price
    shares: Shares
    fee: Usdc
    makers: tuple[MakerMatch, ...]
    match_ns: int
    updated_ns: int
    tx_hash: str
    bucket_index: int = 0

    @property
    def final(self) -> bool:
        return self.status in ("CONFIRMED", "FAILED")

    @property
    def owners(self) -> frozenset[str]:
        return frozenset({self.taker_owner, *(maker.owner for maker in self.makers)})


@frozen
class Accepted:
    """``spent`` and ``got`` at once: a buy spends collateral (without fee) and gets shares."""

    order: VenueOrder
    spent: int
    got: int
    trades: tuple[VenueTrade, ...]


@frozen
class Refused:
    """A refusal in the venue's own words (reference 1.14)."""

    text: str
    http_status: int = 400


LevelSet = tuple[str, Side, Price, Shares]
"""Token, side, price, and the level's new absolute size; 0 removes the level."""


@frozen
class LevelsMoved:
    """Levels of one market changed; told for both tokens, since one book is the other's mirror.

    ``recorded`` marks a change that a recorded session made: its own bytes already told it.
    """

    condition_id: str
    now_ns: int
    changes: tuple[LevelSet, ...]
    recorded: bool = False


@frozen
class Printed:
    """A public trade print; ``token_id`` and ``side`` are the taker's."""

    condition_id: str
    now_ns: int
    token_id: str
    side: Side
    price: Price
    shares: Shares
    tx_hash: str


@frozen
class OrderChanged:
    """An order of an outside account changed; ``kind``: PLACEMENT, UPDATE, CANCELLATION."""

    order: VenueOrder
    kind: str
    now_ns: int


@frozen
class TradeChanged:
    """A trade with an outside account in it took one step of its settlement."""

    trade: VenueTrade
    now_ns: int


@frozen
class Listed:
    market: Market
    now_ns: int


@frozen
class Resolved:
    """All trades are final, holders are paid; payouts in millionths of a dollar per share."""

    market: Market
    yes_payout: Usdc
    no_payout: Usdc
    now_ns: int


@frozen
class TickChanged:
    """The tick of a market is another one now; ``market`` has the new one."""

    market: Market
    old_tick: Price
    now_ns: int


@frozen
class QuestionMoved:
    """The oracle took a step on how a market ended."""

    question: Question
    now_ns: int


@frozen
class TransactionChanged:
    """A transaction of an outside owner took one step."""

    transaction: ChainTransaction
    now_ns: int


Event = (
    LevelsMoved
    | Printed
    | OrderChanged
    | TradeChanged
    | Listed
    | Resolved
    | TickChanged
    | QuestionMoved
    | TransactionChanged
)


@frozen
class Report:
    """One oracle report reaches the public; ``value_e18`` is 10^-18 dollars."""

    symbol: str
    value_e18: int
    report_ms: int


@frozen
class Quoted:
    """A price beside the settlement report. ``feed``: ``binance`` spot, or ``twap`` of the
    ``window_s`` seconds that end at ``at_ms``, as Chainlink averages them."""

    feed: str
    symbol: str
    value_e18: int
    at_ms: int
    window_s: int = 0


@frozen
class RawFrame:
    """A recorded frame, to be sent as it is. ``channel``: ``market`` or ``rtds``.

    ``tokens`` are the tokens it speaks of (an oracle frame: its symbol), () when it goes to
    every subscriber.
    """

    channel: str
    text: str
    tokens: tuple[str, ...]


Told = Report | Quoted | RawFrame
"""What a world publishes besides the venue's own events."""

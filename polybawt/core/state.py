"""All that the engine knows, and the questions that are asked of it.

One ``State`` has one owner, the kernel, which changes its maps in place; the records in them
are frozen.  Exposure, reservations, profit and freshness are derived here from the records and
stored nowhere.  Everything is bounded by a constant ending in ``_MAX``.
"""

from collections.abc import Iterator
from typing import Final

from attrs import define, field, frozen

from polybawt.core.book import Book
from polybawt.core.commands import Notify
from polybawt.core.evidence import Drift
from polybawt.core.ledger import DRIFT, Ledger
from polybawt.core.machines import venue_mode
from polybawt.core.machines.approval import Approval
from polybawt.core.machines.breaker import Breaker
from polybawt.core.machines.conversion import Conversion
from polybawt.core.machines.feed import Feed
from polybawt.core.machines.hedge import Hedge
from polybawt.core.machines.kill_switch import KillSwitch
from polybawt.core.machines.order import ENDED, Order
from polybawt.core.machines.position import Position
from polybawt.core.machines.recovery import Recovery
from polybawt.core.machines.settlement import Settlement
from polybawt.core.machines.trade import SETTLED, Trade
from polybawt.core.machines.trigger import Trigger
from polybawt.core.machines.venue_mode import VenueMode
from polybawt.core.market import Market, Side
from polybawt.core.plans import Part, Plan
from polybawt.core.risk import Limits
from polybawt.core.scores import Score
from polybawt.core.signals.fair_value import Oracle
from polybawt.core.signals.flow import Flow
from polybawt.core.signals.lead import LeadModel, Spot
from polybawt.core.signals.markouts import Markout, Watched
from polybawt.core.strategies import Intent, Strategy
from polybawt.core.strategies.value import Value
from polybawt.core.tiers import Tiers
from polybawt.core.units import MILLION, MS_NS, SECOND_NS, Price, Shares, Usdc, cost_up

FORGOTTEN_MAX: Final = 20_000  # ids of closed orders and settled trades, so that repeats are known
NOTICES_MAX: Final = 200
SETTLEMENTS_MAX: Final = 4_096  # of markets that have left memory
MARKETS_MAX: Final = 50_000  # that have not
ORACLES_MAX: Final = 64
RULES: Final = 1  # of the kernel as it is: see ``Config.rules``
LINKS: Final = ("market", "user", "oracle")


@frozen(kw_only=True)
class Config:
    """What an operator sets. Times are ns of the venue's clock; see the README for each."""

    strategies: tuple[Strategy, ...] = (Value(),)
    limits: Limits = Limits()
    tiers: Tiers = Tiers()
    lead: LeadModel = LeadModel()
    gtd_margin_s: int = 60  # the venue ends a GTD order this long before its expiration
    end_grace_ns: int = 2 * SECOND_NS  # clocks differ: an order's end is proven this much later
    submit_ns_max: int = 15 * SECOND_NS  # an answer that late was lost with the process
    poll_ns: int = SECOND_NS
    group_ns: int = 150 * MS_NS  # a group of book changes is whole when this long nothing came
    decide_ns: int = 200 * MS_NS  # a strategy looks at a market at most this often
    subscribe_ns: int = 30 * SECOND_NS  # ahead of a market's start
    discover_ns: int = 5 * SECOND_NS
    resolve_poll_ns: int = 5 * SECOND_NS
    close_report_ns_max: int = 30 * SECOND_NS  # then the closing report is given up
    auto_redeem: bool = True  # the venue pays a resolved market by itself (reference 5.3)
    market_keep_ns: int = 120 * SECOND_NS  # how long a paid market stays in memory
    reconcile_ns: int = 30 * SECOND_NS  # between two comparisons with the venue (P2.4)
    stale_ns_max: int = 600 * SECOND_NS  # a balance that we once had is believed after so long
    payout_grace_ns: int = 30 * SECOND_NS  # the venue's balance may show a payout that much later
    drift_max_micro: int = 500_000  # part of the equity; what drifts by more fires the kill
    sources_min: int = 2  # that agree on an outcome before it is paid, ours among them
    sources_ns_max: int = 30 * SECOND_NS  # then the venue's own word is enough
    stop_ns_max: int = 12 * SECOND_NS
    breaker_failures_max: int = 5
    breaker_cool_ns: int = 5 * SECOND_NS
    probe_ns: int = 10 * SECOND_NS  # a book of which the stream says nothing for so long is read
    silent_markets_max: int = 2  # so many that moved without a word condemn their connection
    link_tokens_max: int = 200  # on one connection of the market channel (reference 4.1)
    refused_clear_ns: int = 2 * SECOND_NS  # a user channel that lasts so long was let in
    rules: int = 0  # by which it is decided: a journal that names none is of before ``RULES``
    approval_ns: int = 300 * SECOND_NS  # how long a human has to approve a trade
    ask_ns: int = 30 * SECOND_NS  # the same trade is put to them at most this often
    declined_ns: int = 600 * SECOND_NS  # and for so long not again after a no
    heartbeat_ns_max: int = 8 * SECOND_NS  # the venue withdraws all after 10 s (1.13)
    clock_off_ns_max: int = 2 * SECOND_NS  # as ``end_grace_ns``: then no order's end is proven


@frozen(kw_only=True)
class Contact:
    """How we stand with the venue in this process; times are ns, 0 for never.

    The newest acknowledged heartbeat and the first one missed since; when the newest whole reads
    of our orders and trades were sent; how far the venue's clock is ahead, between two bounds.
    """

    beat_ns: int = 0
    missed_ns: int = 0
    pulse_told: bool = False
    orders_ns: int = 0
    trades_ns: int = 0
    low_ns: int = 0
    high_ns: int = 0


def _links() -> dict[str, Feed]:
    return {name: Feed(name=name) for name in LINKS}


@frozen(kw_only=True)
class Marks:
    """The highest profit there was, and the profit at the last midnight UTC (``day`` of 1970)."""

    peak: Usdc = Usdc(0)
    day: int = -1
    opened: Usdc = Usdc(0)


@define
class State:
    """Keys: condition, token, intent and trade id; by name: breaker, feed, symbol, strategy."""

    config: Config = field(factory=Config)
    now_ns: int = 0
    recovery: Recovery = field(factory=Recovery)
    kill: KillSwitch = field(factory=KillSwitch)
    mode: VenueMode = field(factory=lambda: VenueMode(name=venue_mode.NAME))
    contact: Contact = field(factory=Contact)
    intents_made: int = 0
    last_match_s: int = 0
    markets: dict[str, Market] = field(factory=dict)
    market_of: dict[str, str] = field(factory=dict)
    events: dict[str, dict[str, bool]] = field(factory=dict)  # neg-risk id to its markets
    books: dict[str, Book] = field(factory=dict)
    orders: dict[str, Order] = field(factory=dict)
    intent_of: dict[str, str] = field(factory=dict)
    trades: dict[str, Trade] = field(factory=dict)
    positions: dict[str, Position] = field(factory=dict)
    conversions_made: int = 0
    conversions: dict[str, Conversion] = field(factory=dict)  # that have not ended
    settlements: dict[str, Settlement] = field(factory=dict)
    verdicts: dict[str, dict[str, str]] = field(factory=dict)  # by condition and source: payouts
    standings: dict[str, str] = field(factory=dict)  # how far the oracle is with a condition
    hedges: dict[str, Hedge] = field(factory=dict)
    plans: dict[str, Plan] = field(factory=dict)  # of hedges
    parts: dict[str, Part] = field(factory=dict)  # orders of hedges, by intent
    breakers: dict[str, Breaker] = field(factory=dict)
    triggers: dict[str, Trigger] = field(factory=dict)  # by "scope:subject:threshold"; not armed
    approvals: dict[str, Approval] = field(factory=dict)
    proposals: dict[str, Intent] = field(factory=dict)  # what each approval is of
    claims: dict[str, Price] = field(factory=dict)  # of intents, until their orders are closed
    feeds: dict[str, Feed] = field(factory=_links)
    oracles: dict[str, Oracle] = field(factory=dict)
    spots: dict[str, Spot] = field(factory=dict)
    flows: dict[str, Flow] = field(factory=dict)
    moments: dict[str, dict[str, bool]] = field(factory=dict)  # "symbol:ms" to markets it decides
    ledger: Ledger = field(factory=Ledger)
    scores: dict[str, Score] = field(factory=dict)
    watched: list[Watched] = field(factory=list)
    markouts: dict[str, Markout] = field(factory=dict)  # "strategy:maker:seconds"
    marks: Marks = Marks()
    answers: dict[str, list[int]] = field(factory=dict)  # by second: good ones, bad ones
    subscribed: dict[str, str] = field(factory=dict)  # to the link that carries it
    rereads: dict[str, bool] = field(factory=dict)  # what the user channel may have hidden
    balances: dict[str, bool] = field(factory=dict)  # tokens whose balance will be read
    drifts: dict[str, Drift] = field(factory=dict)  # by token: the venue shows something else
    timers: dict[str, int] = field(factory=dict)  # when something was last done, by its name
    forgotten: dict[str, bool] = field(factory=dict)
    counters: dict[str, int] = field(factory=dict)
    notices: list[Notify] = field(factory=list)

    def count(self, name: str, by: int = 1) -> None:
        self.counters[name] = self.counters.get(name, 0) + by

    def notify(self, severity: str, name: str, text: str) -> Notify:
        """A notice for the operators: remembered, counted, and returned to be sent."""
        notice = Notify(severity=severity, name=name, text=text)
        self.notices.append(notice)
        del self.notices[:-NOTICES_MAX]
        self.count(f"notice:{name}")
        return notice

    def forget(self, key: str) -> None:
        """Remember only that it existed."""
        self.forgotten[key] = True
        while len(self.forgotten) > FORGOTTEN_MAX:
            del self.forgotten[next(iter(self.forgotten))]

    def due(self, timer: str, every_ns: int) -> bool:
        """Whether ``every_ns`` have passed since this last said yes; it then says yes."""
        if self.now_ns - self.timers.get(timer, -every_ns) < every_ns:
            return False
        self.timers[timer] = self.now_ns
        return True

    # Questions.

    def open_orders(self) -> Iterator[Order]:
        return (order for order in self.orders.values() if order.state not in ENDED)

    def unsettled(self, condition_id: str = "") -> Iterator[Trade]:
        return (
            trade
            for trade in self.trades.values()
            if trade.state not in SETTLED and condition_id in ("", trade.condition_id)
        )

    def reserved(self, order: Order) -> Usdc:
        """The most that the rest of a buy order may still take, its fee included."""
        if order.side is Side.SELL or not order.open_size:
            return Usdc(0)
        market = self.markets[order.condition_id]
        fee = 0 if order.post_only else market.fees.fee_up(order.price, order.open_size)
        return Usdc(cost_up(order.price, order.open_size) + fee)

    def exposure(self, token_id: str) -> Usdc:
        """The most that can be lost on one token: its outlay, and what open orders may take."""
        position = self.positions.get(token_id)
        held = position.outlay if position else 0
        open_ = sum(self.reserved(o) for o in self.open_orders() if o.token_id == token_id)
        bought = sum(c.buying(token_id) for c in self.conversions.values())
        return Usdc(held + open_ + bought)

    def total_exposure(self) -> Usdc:
        held = sum(position.outlay for position in self.positions.values())
        bought = sum(c.buying() for c in self.conversions.values())
        return Usdc(held + bought + sum(self.reserved(order) for order in self.open_orders()))

    def cash_free(self) -> Usdc:
        held_back = sum(self.reserved(order) for order in self.open_orders())
        return Usdc(self.ledger.cash - held_back - sum(c.takes for c in self.conversions.values()))

    def shares_free(self, token_id: str) -> Shares:
        position = self.positions.get(token_id)
        asked = sum(
            o.open_size
            for o in self.open_orders()
            if o.token_id == token_id and o.side is Side.SELL
        )
        given = sum(c.giving(token_id) for c in self.conversions.values())
        return Shares((position.shares if position else 0) - asked - given)

    def mark(self, position: Position) -> Price:
        """The mid of a live book; else what the shares cost."""
        book = self.books.get(position.condition_id)
        mid = book.mid(position.token_id) if book else None
        return position.entry if mid is None else mid

    def equity(self) -> Usdc:
        """Cash and shares at their marks."""
        held = sum(p.shares * self.mark(p) // MILLION for p in self.positions.values())
        return Usdc(self.ledger.cash + held)

    def pnl(self) -> Usdc:
        """Profit since the first deposit, open positions at their marks."""
        return Usdc(self.equity() - self.ledger.deposited - self.drifted())

    def mark_of(self, token_id: str) -> Price:
        """The mark of what we hold of a token; 0 where we hold none."""
        held = self.positions.get(token_id)
        return self.mark(held) if held else Price(0)

    def drifted(self) -> Usdc:
        """What differences with the venue have brought: nobody's profit."""
        return self.ledger.profit(DRIFT, self.mark_of)

    def trading(self, condition_id: str) -> bool:
        """Whether a market is known and has not ended, by the clock or by its settlement."""
        market = self.markets.get(condition_id)
        if market is None or market.over(self.now_ns):
            return False
        return self.settlements[condition_id].state == "trading"

    @property
    def epoch(self) -> int:
        """Which process of this journal it is, from 1."""
        return self.recovery.epoch

    @property
    def phase(self) -> str:
        """starting, reconciling, trading, stopping or stopped."""
        return self.recovery.state

    @property
    def awaited(self) -> tuple[str, ...]:
        """The reads that trading waits for, by their names."""
        return tuple(awaited.read for awaited in self.recovery.awaited)

    def killed(self) -> str:
        """What fired the kill switch, "" while it is armed."""
        return self.kill.why

    def barred(self) -> str:
        """Why no order may leave now, "" when it may.

        Asked when an order is wanted, when it is signed, and once more at the socket.
        """
        return self.killed() or ("" if self.phase == "trading" else self.phase)

    def book_age_ns(self, token_id: str) -> int:
        """Since the token's book or its link last gave a sign of life."""
        names = token_id, self.subscribed.get(token_id, "market")
        return self.now_ns - max(self.feeds[name].heard_ns for name in names)

    def book_fresh(self, token_id: str) -> bool:
        """Whether a token's book may be believed: proven, and heard of not long ago."""
        feed, limit_ns = self.feeds.get(token_id), self.config.limits.book_age_ns_max
        fresh = feed is not None and feed.state == "fresh"
        return fresh and self.book_age_ns(token_id) <= limit_ns

    def user_link(self) -> str:
        """How far the user channel can be trusted: ``rereading`` until what it hid is known."""
        return "rereading" if self.rereads else self.feeds["user"].state

"""The venue: places, matches, cancels, settles and resolves, over time that is handed in.

This is the front of the house, and the clock: orders go to the ``counter``, markets stand on the
``shelf``, matches are carried out by the ``desk``, endings are ``closing``, what owners ask of the
chain is ``contracts``.  Every method takes ``now_ns``, and what has become due by then happens
first, so no answer depends on how often ``advance`` is called.  What happened is told as events,
drained in order.  It knows no wire format, no API key, no signature: that is the exchange.

Source: exchange reference, sections 1.6 to 1.14, 3.4 to 3.6 and 8.
"""

from collections.abc import Callable, Iterable

from polybawt.core.facts import Level
from polybawt.core.market import Market
from polybawt.core.units import SECOND_NS, Price, Shares, Usdc
from polybawt.sim import oracle
from polybawt.sim.accounts import COLLATERAL, Accounts
from polybawt.sim.chain import Fate, Fates, settles
from polybawt.sim.closing import Closing
from polybawt.sim.contracts import Contracts
from polybawt.sim.counter import Counter
from polybawt.sim.desk import Desk
from polybawt.sim.oracle import Payouts, Question
from polybawt.sim.records import (
    Accepted,
    Event,
    LevelSet,
    LevelsMoved,
    Listed,
    MakerMatch,
    OrderChanged,
    Placement,
    Printed,
    Refused,
    Resolved,
    TradeChanged,
    VenueOrder,
    VenueTrade,
)
from polybawt.sim.shelf import Shelf
from polybawt.sim.transactions import ChainTransaction, Course, Courses, SetRequest, goes_through

__all__ = [
    "Accepted", "Event", "LevelSet", "LevelsMoved", "Listed", "MakerMatch", "OrderChanged",
    "Placement", "Printed", "Refused", "Resolved", "TradeChanged", "Venue", "VenueOrder",
    "VenueTrade",
]  # fmt: skip

KEEP_NS = 600 * SECOND_NS  # how long a resolved market can still be asked about


class Venue:
    """One simulated exchange: all its markets, accounts, orders and trades.

    ``fates`` chooses what becomes of each trade on chain; without it every trade is sent
    ``send_ns`` and mined ``mine_ns`` after its match, and confirmed ``confirm_ns`` later.
    ``courses`` does the same for what owners ask of the contracts.  ``fine_ticks``: ticks become
    finer by themselves near either end of the scale.
    """

    def __init__(
        self,
        *,
        mine_ns: int,
        confirm_ns: int,
        send_ns: int = 0,
        gtd_margin_s: int = 60,
        taker_delay_ns: int = 0,
        auto_redeem: bool = True,
        fine_ticks: bool = False,
        fates: Fates | None = None,
        courses: Courses | None = None,
        keep_ns: int = KEEP_NS,
    ) -> None:
        desk = self._desk = Desk(fates or settles(mine_ns, confirm_ns, send_ns))
        self._shelf = Shelf(desk, taker_delay_ns=taker_delay_ns, fine_ticks=fine_ticks)
        self._closing = Closing(desk, self._shelf, auto_redeem=auto_redeem, keep_ns=keep_ns)
        self._contracts = Contracts(
            desk, self._shelf, self._closing, courses or goes_through(mine_ns, confirm_ns)
        )
        self._counter = Counter(desk, self._shelf, gtd_margin_s)
        self._now_ns = 0

    def doom(
        self,
        doom: Callable[[VenueTrade], Fate | None],
        transactions: Callable[[ChainTransaction], Course | None] = lambda _: None,
    ) -> None:
        """Let somebody choose what becomes of some trades and some transactions."""
        self._desk.chain.doom(doom)
        self._contracts.doom(transactions)

    @property
    def accounts(self) -> Accounts:
        return self._desk.accounts

    # --- accounts -------------------------------------------------------------------------

    def deposit(self, owner: str, amount: Usdc) -> None:
        self.accounts.deposit(owner, amount)

    def grant(self, owner: str, token_id: str, shares: Shares) -> None:
        """Endow an account with tokens of a listed market."""
        self.accounts.grant(owner, self._shelf.book_of(token_id).market, token_id, shares)

    def adopt(self, owner: str, *, unlimited: bool = False) -> None:
        """Make this an account of the simulation: nobody listens to it, its ids are counted.

        ``unlimited``: it may owe without end, as the account behind a recorded book must.
        """
        self._desk.orders.adopt(owner)
        if unlimited:
            self.accounts.lift_limit(owner)

    def balance(self, owner: str, token_id: str = COLLATERAL) -> int:
        """What the venue's balance call shows: it moves when a trade is mined."""
        return self.accounts.settled(owner, token_id)

    def total(self, owner: str, token_id: str = COLLATERAL) -> int:
        """What a client holds that books its fills at the match."""
        return self.accounts.total(owner, token_id)

    def spendable(self, owner: str, token_id: str = COLLATERAL) -> int:
        """Total less what open orders hold back."""
        return self.total(owner, token_id) - self._desk.orders.held(owner, token_id)

    def holdings(self, owner: str) -> dict[str, int]:
        """All totals of one owner by token id; "" is collateral."""
        return self.accounts.totals(owner)

    # --- markets --------------------------------------------------------------------------

    @property
    def markets(self) -> dict[str, Market]:
        """Every market that is not forgotten, by condition id."""
        return self._shelf.markets

    def list_market(self, market: Market, now_ns: int, taker_delay_ns: int = 0) -> None:
        """Open a market; ``taker_delay_ns`` 0 takes the venue's own."""
        self._shelf.add(market, self.advance(now_ns), taker_delay_ns)
        self._closing.pose(market)

    def amend(self, market: Market) -> None:
        """Replace a listed market's record, for instance when its strike is published."""
        self._shelf.amend(market)

    def market_of(self, token_id: str) -> Market | None:
        return self._shelf.market_of(token_id)

    def questions_with(self, market: Market) -> list[Market]:
        """All questions of a market's neg-risk event, in listed order; () for any other."""
        return self._shelf.questions_with(market)

    def taker_delay_ns(self, condition_id: str) -> int:
        """How long marketable orders of this market are held."""
        return self._shelf.delay_ns(condition_id)

    def levels(self, token_id: str) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """Bids and asks of one token, worst first; nothing for a token without a book."""
        if not self._shelf.has_book(token_id):
            return (), ()
        return self._shelf.book_of(token_id).levels(token_id)

    def set_tick(self, condition_id: str, tick: Price, now_ns: int) -> None:
        """Change a market's tick; what rests on its book stays."""
        self.advance(now_ns)
        self._shelf.set_tick(condition_id, tick, self._now_ns)

    def close(self, condition_id: str, now_ns: int, status: str = "CANCELED") -> None:
        """Stop trading in a market and cancel what is open in it."""
        self._closing.close(condition_id, self.advance(now_ns), status)

    # --- resolution -----------------------------------------------------------------------

    def question(self, condition_id: str) -> Question | None:
        """How far the oracle is with a market."""
        return self._closing.question(condition_id)

    def unasked(self, condition_id: str) -> bool:
        """Whether a market is known and nobody has moved its question yet."""
        question = self._closing.question(condition_id)
        return question is not None and question.state == "posed"

    def ask_oracle(
        self,
        condition_id: str,
        action: str,
        now_ns: int,
        *,
        payouts: Payouts | None = None,
        window_ns: int = oracle.CHALLENGE_NS,
    ) -> Question:
        """Report, propose, dispute or vote; raises ``oracle.NotNow`` for what cannot be.

        A verdict closes the market; holders are paid once its last trade is final.
        """
        return self._closing.move(
            condition_id, action, self.advance(now_ns), payouts=payouts, window_ns=window_ns
        )

    def resolve(self, condition_id: str, yes_payout: Usdc, no_payout: Usdc, now_ns: int) -> None:
        """Say what each share pays, as a price report does: at once and for good."""
        self.ask_oracle(condition_id, "report", now_ns, payouts=(yes_payout, no_payout))

    def redeem(self, owner: str, condition_id: str) -> Usdc:
        """Turn one holder's tokens of a resolved market into what they pay."""
        return self._closing.redeem(owner, condition_id)

    # --- contracts ------------------------------------------------------------------------

    def transact(self, request: SetRequest, now_ns: int) -> ChainTransaction | Refused:
        """Split, merge, redeem or convert, on the chain's own time."""
        return self._contracts.send(request, self.advance(now_ns))

    def transaction(self, transaction_id: str) -> ChainTransaction | None:
        return self._contracts.get(transaction_id)

    # --- orders ---------------------------------------------------------------------------

    def place(self, placement: Placement, now_ns: int) -> Accepted | Refused:
        """Check in the venue's order; then match or hold, and rest what may rest."""
        return self._counter.place(placement, self.advance(now_ns))

    def cancel(self, owner: str, order_id: str, now_ns: int) -> str:
        """Cancel one order; "" when done, else the venue's reason."""
        return self._counter.cancel(owner, order_id, self.advance(now_ns))

    def cancel_all(
        self, owner: str, now_ns: int, condition_id: str = "", token_id: str = ""
    ) -> tuple[tuple[str, ...], dict[str, str]]:
        """Cancel every open order of an owner, or of one market or token of it."""
        return self._counter.cancel_all(owner, self.advance(now_ns), condition_id, token_id)

    def set_levels(self, owner: str, levels: Iterable[LevelSet], now_ns: int) -> None:
        """Let an adopted account rest exactly these sizes, as a recorded book says.

        Orders of others that a level crosses are matched first, as by any order.
        """
        self._counter.set_levels(owner, levels, self.advance(now_ns))

    def order(self, order_id: str) -> VenueOrder | None:
        return self._desk.orders.get(order_id)

    def order_ids(self, owner: str) -> tuple[str, ...]:
        """Every order id ever accepted from an owner, oldest first."""
        return self._desk.orders.ids(owner)

    def open_orders(self, owner: str) -> list[VenueOrder]:
        return self._desk.orders.open(owner)

    def trade(self, trade_id: str) -> VenueTrade | None:
        return self._desk.chain.get(trade_id)

    def trades(self, owner: str) -> list[VenueTrade]:
        """An outside owner's trades, as taker or maker, oldest first."""
        return self._desk.trades_of(owner)

    def trades_in(self, condition_id: str) -> list[VenueTrade]:
        """Everybody's trades of one market, oldest first; none of a forgotten one."""
        return self._desk.trades_in(condition_id)

    # --- time -----------------------------------------------------------------------------

    def advance(self, now_ns: int) -> int:
        """Do what is due by now, each thing at its own time. Returns the venue's time.

        Between two calls nothing else can happen, so this is the same as calling it always.
        The venue's clock never runs backwards.
        """
        while (due_ns := self._next_due_ns()) <= now_ns:
            self._now_ns = max(self._now_ns, due_ns)
            if self._counter.due_ns == due_ns:
                self._counter.wake_next(self._now_ns)
            elif self._closing.leaving_due_ns == due_ns:
                self._closing.forget_next()
            elif self._closing.window_due_ns == due_ns:
                self._closing.settle_next(self._now_ns)
            elif self._contracts.due_ns == due_ns:
                self._contracts.next_step(self._now_ns)
            else:
                self._desk.settle_step(self._now_ns)
                self._closing.pay_out(self._now_ns)
        self._now_ns = max(self._now_ns, now_ns)
        return self._now_ns

    def drain(self) -> list[Event]:
        """What happened since the last call, in order."""
        events, self._desk.events = self._desk.events, []
        return events

    def _next_due_ns(self) -> int:
        closing = self._closing
        return min(
            self._counter.due_ns, closing.leaving_due_ns, closing.window_due_ns,
            self._contracts.due_ns, self._desk.chain.due_ns,
        )  # fmt: skip

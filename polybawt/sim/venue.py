"""The venue: places, matches, cancels, settles and resolves, over time that is handed in.

Here are the requests, the markets and the timers; what a request sets in motion is carried out
by the ``desk``.  Every method takes ``now_ns``, and what has become due by then happens first, so
no answer depends on how often ``advance`` is called.  What happened is told as events, drained
in order.  It knows no wire format, no API key, no signature: that is the exchange in front of it.

Source: exchange reference, sections 1.6 to 1.14, 3.4 to 3.6 and 8.
"""

from collections import deque
from collections.abc import Callable, Iterable
from heapq import heappop, heappush

from attrs import evolve

from polybawt.core.facts import Level
from polybawt.core.market import Market
from polybawt.core.units import MILLION, SECOND_NS, Shares, Usdc
from polybawt.sim import rules
from polybawt.sim.accounts import COLLATERAL, Accounts
from polybawt.sim.chain import NEVER_NS, Fate, Fates, settles
from polybawt.sim.desk import Desk
from polybawt.sim.matching import Book
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

__all__ = [
    "Accepted",
    "Event",
    "LevelSet",
    "LevelsMoved",
    "Listed",
    "MakerMatch",
    "OrderChanged",
    "Placement",
    "Printed",
    "Refused",
    "Resolved",
    "TradeChanged",
    "Venue",
    "VenueOrder",
    "VenueTrade",
]

KEEP_NS = 600 * SECOND_NS  # how long a resolved market can still be asked about
PAYOUT_STEP = 100  # payouts of whole lots are exact in steps of a hundredth of a cent


class Venue:
    """One simulated exchange: all its markets, accounts, orders and trades.

    ``fates`` chooses what becomes of each trade on chain; without it every trade is mined
    ``mine_ns`` after its match and confirmed ``confirm_ns`` later.
    """

    def __init__(
        self,
        *,
        mine_ns: int,
        confirm_ns: int,
        gtd_margin_s: int = 60,
        taker_delay_ns: int = 0,
        auto_redeem: bool = True,
        fates: Fates | None = None,
        keep_ns: int = KEEP_NS,
    ) -> None:
        self.markets: dict[str, Market] = {}
        self._desk = Desk(fates or settles(mine_ns, confirm_ns))
        self._gtd_margin_s = gtd_margin_s
        self._taker_delay_ns = taker_delay_ns
        self._auto_redeem = auto_redeem
        self._keep_ns = keep_ns
        self._now_ns = 0
        self._delays: dict[str, int] = {}
        self._market_of: dict[str, str] = {}
        self._verdicts: dict[str, tuple[Usdc, Usdc]] = {}
        self._paid: dict[str, tuple[Usdc, Usdc]] = {}
        self._leaving: deque[tuple[int, str]] = deque()
        self._timers: list[tuple[int, str]] = []

    def doom(self, doom: Callable[[VenueTrade], Fate | None]) -> None:
        """Let somebody choose the fates of some trades; see ``Chain.doom``."""
        self._desk.chain.doom(doom)

    @property
    def accounts(self) -> Accounts:
        return self._desk.accounts

    # --- accounts -------------------------------------------------------------------------

    def deposit(self, owner: str, amount: Usdc) -> None:
        self.accounts.deposit(owner, amount)

    def grant(self, owner: str, token_id: str, shares: Shares) -> None:
        """Endow an account with tokens of a listed market."""
        self.accounts.grant(owner, self._book_of(token_id).market, token_id, shares)

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

    def list_market(self, market: Market, now_ns: int, taker_delay_ns: int = 0) -> None:
        """Open a market; ``taker_delay_ns`` 0 takes the venue's own."""
        now_ns = self.advance(now_ns)
        assert market.condition_id not in self.markets, market.slug
        assert not any(token in self._market_of for token in market.tokens), market.slug
        self.markets[market.condition_id] = market
        self._desk.books[market.condition_id] = Book(market)
        self._delays[market.condition_id] = taker_delay_ns or self._taker_delay_ns
        for token_id in market.tokens:
            self._market_of[token_id] = market.condition_id
        self._desk.events.append(Listed(market, now_ns))

    def amend(self, market: Market) -> None:
        """Replace a listed market's record, for instance when its strike is published."""
        assert self.markets[market.condition_id].tokens == market.tokens, market.slug
        self.markets[market.condition_id] = market
        self._desk.books[market.condition_id].market = market

    def market_of(self, token_id: str) -> Market | None:
        condition_id = self._market_of.get(token_id)
        return None if condition_id is None else self.markets[condition_id]

    def levels(self, token_id: str) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """Bids and asks of one token, worst first; nothing for a token without a book."""
        return self._book_of(token_id).levels(token_id) if token_id in self._market_of else ((), ())

    def close(self, condition_id: str, now_ns: int, status: str = "CANCELED") -> None:
        """Stop trading in a market and cancel what is open in it."""
        now_ns = self.advance(now_ns)
        self.amend(evolve(self.markets[condition_id], accepting_orders=False))
        for order in self._desk.orders.of_market(condition_id):
            if order.open:
                self._desk.end(order, status, now_ns)
        for resting in self._desk.books[condition_id].resting():  # recorded levels
            self._desk.take(condition_id, resting, resting.left)
        self._desk.publish(condition_id, now_ns)

    def resolve(self, condition_id: str, yes_payout: Usdc, no_payout: Usdc, now_ns: int) -> None:
        """Say what each share pays; holders are paid once the last trade is final."""
        assert yes_payout + no_payout == MILLION, (yes_payout, no_payout)
        assert yes_payout % PAYOUT_STEP == 0, yes_payout
        assert condition_id not in self._verdicts, condition_id
        assert condition_id not in self._paid, condition_id
        self.close(condition_id, now_ns, "CANCELED_MARKET_RESOLVED")
        self._verdicts[condition_id] = yes_payout, no_payout
        self._pay_out()

    def redeem(self, owner: str, condition_id: str) -> Usdc:
        """Turn one holder's tokens of a resolved market into what they pay."""
        return self.accounts.redeem(owner, self.markets[condition_id], *self._paid[condition_id])

    # --- orders ---------------------------------------------------------------------------

    def place(self, placement: Placement, now_ns: int) -> Accepted | Refused:
        """Check in the venue's order; then match or hold, and rest what may rest."""
        now_ns = self.advance(now_ns)
        market, desk = self.market_of(placement.token_id), self._desk
        if market is None:
            return Refused(rules.NO_BOOK, 404)
        book = self._book_of(placement.token_id)
        crosses = book.crosses(placement.terms)
        text = rules.terms_refused(placement, market, crosses, now_ns, self._gtd_margin_s)
        if text:
            return Refused(text)
        if desk.orders.known(placement.order_id):
            return Refused(rules.duplicated(placement.order_id))
        order = VenueOrder(
            placement=placement, status="LIVE", matched=Shares(0), created_ns=now_ns,
            trade_ids=(), condition_id=market.condition_id,
        )  # fmt: skip
        plan = desk.plan(order)
        hold = desk.hold_for(order, plan)
        if not desk.affords(order, hold):
            return Refused(rules.uncovered(*desk.funds(order), hold))
        text = rules.meeting_refused(placement, plan, crosses)
        if text in rules.KILLS:  # it is gone, but its id is spent
            desk.orders.put(evolve(order, status="INVALID"), 0)
        if text:
            return Refused(text)
        if placement.order_type == "GTD":
            self._set_timer(self._ends_ns(placement), placement.order_id)
        delay_ns = self._delays[market.condition_id] if crosses else 0
        if delay_ns:
            order = evolve(order, status="DELAYED")
            self._set_timer(now_ns + delay_ns, placement.order_id)
        desk.orders.put(order, hold)
        desk.tell(order, "PLACEMENT", now_ns)
        if delay_ns:
            return Accepted(order, 0, 0, ())
        answer = desk.execute(order, plan, now_ns)
        desk.publish(order.condition_id, now_ns)
        return answer

    def cancel(self, owner: str, order_id: str, now_ns: int) -> str:
        """Cancel one order; "" when done, else the venue's reason."""
        now_ns = self.advance(now_ns)
        order = self._desk.orders.get(order_id)
        if order is None or order.placement.owner != owner:
            return rules.CANCEL_UNKNOWN
        if order.status == "DELAYED":
            return rules.CANCEL_DELAYED
        if not order.open:
            return rules.CANCEL_MATCHED if order.status == "MATCHED" else rules.CANCEL_ENDED
        self._desk.end(order, "CANCELED", now_ns)
        self._desk.publish(order.condition_id, now_ns)
        return ""

    def cancel_all(
        self, owner: str, now_ns: int, condition_id: str = "", token_id: str = ""
    ) -> tuple[tuple[str, ...], dict[str, str]]:
        """Cancel every open order of an owner, or of one market or token of it."""
        self.advance(now_ns)
        answers = {
            order.placement.order_id: self.cancel(owner, order.placement.order_id, now_ns)
            for order in self._desk.orders.open(owner)
            if condition_id in ("", order.condition_id)
            and token_id in ("", order.placement.token_id)
        }
        done = tuple(order_id for order_id, reason in answers.items() if not reason)
        return done, {order_id: reason for order_id, reason in answers.items() if reason}

    def set_levels(self, owner: str, levels: Iterable[LevelSet], now_ns: int) -> None:
        """Let an adopted account rest exactly these sizes, as a recorded book says.

        Orders of others that a level crosses are matched first, as by any order.
        """
        assert not self._desk.orders.outside(owner), owner
        now_ns = self.advance(now_ns)
        for level in levels:
            book = self._book_of(level[0])
            self._desk.set_level(owner, book, level, now_ns)
            self._desk.publish(book.market.condition_id, now_ns, recorded=True)

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

    # --- time -----------------------------------------------------------------------------

    def advance(self, now_ns: int) -> int:
        """Do what is due by now, each thing at its own time. Returns the venue's time.

        Between two calls nothing else can happen, so this is the same as calling it always.
        The venue's clock never runs backwards.
        """
        while (due_ns := self._next_due_ns()) <= now_ns:
            self._now_ns = max(self._now_ns, due_ns)
            if self._timers and self._timers[0][0] == due_ns:
                self._wake(heappop(self._timers)[1], self._now_ns)
            elif self._leaving and self._leaving[0][0] == due_ns:
                self._forget(self._leaving.popleft()[1])
            else:
                self._desk.settle_step(self._now_ns)
                self._pay_out()
        self._now_ns = max(self._now_ns, now_ns)
        return self._now_ns

    def drain(self) -> list[Event]:
        """What happened since the last call, in order."""
        events, self._desk.events = self._desk.events, []
        return events

    def _next_due_ns(self) -> int:
        timer_ns = self._timers[0][0] if self._timers else NEVER_NS
        leaving_ns = self._leaving[0][0] if self._leaving else NEVER_NS
        return min(timer_ns, leaving_ns, self._desk.chain.due_ns)

    def _wake(self, order_id: str, now_ns: int) -> None:
        """An order's time has come: its expiration, or the end of its taker delay."""
        order, desk = self._desk.orders.get(order_id), self._desk
        if order is None or not order.open:
            return
        if order.placement.order_type == "GTD" and now_ns >= self._ends_ns(order.placement):
            desk.end(order, "CANCELED_EXPIRED_ORDER", now_ns)
        elif order.status == "DELAYED":
            self._release(order, now_ns)
        desk.publish(order.condition_id, now_ns)

    def _release(self, order: VenueOrder, now_ns: int) -> None:
        """Match a held order against the book as it is now."""
        plan, desk = self._desk.plan(order), self._desk
        hold = desk.hold_for(order, plan)
        order = evolve(order, status="LIVE")
        if not desk.affords(order, hold):
            desk.end(order, "CANCELED_NOT_ENOUGH_BALANCE", now_ns)
        elif rules.meeting_refused(order.placement, plan, crosses=False):
            desk.end(order, "CANCELED", now_ns)
        elif not desk.execute(order, plan, now_ns).trades:
            desk.tell(order, "UPDATE", now_ns)  # it rests after all: say so

    def _pay_out(self) -> None:
        for condition_id in list(self._verdicts):
            if self._desk.chain.unfinal(condition_id):
                continue
            payouts = self._paid[condition_id] = self._verdicts.pop(condition_id)
            market = self.markets[condition_id]
            for owner in self.accounts.holders(market) if self._auto_redeem else ():
                self.redeem(owner, condition_id)
            self._desk.events.append(Resolved(market, *payouts, self._now_ns))
            self._leaving.append((self._now_ns + self._keep_ns, condition_id))

    def _forget(self, condition_id: str) -> None:
        """Drop an ended market, unless somebody still holds tokens of it."""
        market = self.markets[condition_id]
        if self.accounts.holders(market):
            self._leaving.append((self._now_ns + self._keep_ns, condition_id))
            return
        self._desk.forget(market)
        del self.markets[condition_id], self._delays[condition_id], self._paid[condition_id]
        for token_id in market.tokens:
            del self._market_of[token_id]

    def _book_of(self, token_id: str) -> Book:
        return self._desk.books[self._market_of[token_id]]

    def _ends_ns(self, placement: Placement) -> int:
        return (placement.expiration_s - self._gtd_margin_s) * SECOND_NS

    def _set_timer(self, due_ns: int, order_id: str) -> None:
        heappush(self._timers, (due_ns, order_id))

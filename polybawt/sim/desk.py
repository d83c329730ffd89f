"""The desk: carries out what the venue decided, and tells it as events.

It joins the books, the money, the order records and the settlement pipeline, and keeps them
consistent with each other: an order that matches moves its record, its hold, both parties'
totals, the book and the public levels in one step.  It admits nothing and refuses nothing; that
is decided before (``rules``) by the venue, which owns the markets and the clock.

Source: exchange reference, sections 1.7 to 1.11 and 3.6.
"""

from collections.abc import Iterable
from itertools import groupby
from uuid import UUID

from attrs import evolve

from polybawt.core.market import Market, Side
from polybawt.core.units import Price, Shares, complement
from polybawt.sim import rules
from polybawt.sim.accounts import COLLATERAL, Accounts, moves_of, reversed_moves
from polybawt.sim.chain import Chain, Fates, digest
from polybawt.sim.matching import COMPLEMENTARY, Book, Match, Plan, Resting, cost, kind_of, yes_view
from polybawt.sim.orders import Orders, spends
from polybawt.sim.records import (
    Accepted,
    Event,
    LevelSet,
    LevelsMoved,
    MakerMatch,
    OrderChanged,
    Printed,
    Terms,
    TradeChanged,
    VenueOrder,
    VenueTrade,
)

Taker = tuple[str, str, Terms]
"""Owner, order id, terms."""


class Desk:
    """Everything that moves when orders meet."""

    def __init__(self, fates: Fates) -> None:
        self.accounts = Accounts()
        self.orders = Orders()
        self.chain = Chain(fates)
        self.books: dict[str, Book] = {}
        self.events: list[Event] = []
        self._trades_of: dict[str, dict[str, None]] = {}
        self._trades_in: dict[str, list[str]] = {}
        self._touched: dict[tuple[Side, Price], None] = {}
        self._count = 0

    # --- orders ---------------------------------------------------------------------------

    def plan(self, order: VenueOrder) -> Plan:
        """Whom the order would meet on the book as it is."""
        placement, book = order.placement, self.books[order.condition_id]
        return book.plan(placement.terms, placement.size, placement.budget)

    def hold_for(self, order: VenueOrder, plan: Plan) -> int:
        """What the order must hold back before it meets ``plan``: collateral or shares."""
        placement, market = order.placement, self.books[order.condition_id].market
        if placement.side is Side.SELL:
            return placement.size
        return rules.collateral_needed(placement, market, plan)

    def funds(self, order: VenueOrder) -> tuple[int, int]:
        """What the owner has of what this order spends, and what other open orders hold."""
        placement, token_id = order.placement, spends(order.placement)
        held = self.orders.held(placement.owner, token_id) - self.orders.hold(placement.order_id)
        return self.accounts.total(placement.owner, token_id), held

    def affords(self, order: VenueOrder, hold: int) -> bool:
        balance, held = self.funds(order)
        return not self.accounts.limited(order.placement.owner) or balance - held >= hold

    def execute(self, order: VenueOrder, plan: Plan, now_ns: int) -> Accepted:
        """Match an order as planned; rest what may rest, end what may not."""
        placement, book = order.placement, self.books[order.condition_id]
        taker = placement.owner, placement.order_id, placement.terms
        trades = self._trade(book, taker, plan, now_ns)
        matched = Shares(sum(trade.shares for trade in trades))
        left = Shares(max(placement.size - matched, 0))
        rests = placement.rests and left > 0
        order = evolve(
            order, status="LIVE" if rests else "MATCHED", matched=matched,
            trade_ids=tuple(trade.trade_id for trade in trades),
        )  # fmt: skip
        if rests:
            resting = book.add(placement.order_id, placement.owner, placement.terms, left)
            self._touched[resting.yes_side, resting.yes_price] = None
        self.orders.put(order, _resting_hold(order))
        if trades:
            self.tell(order, "UPDATE", now_ns)
        paid = sum(cost(trade.price, trade.shares) for trade in trades)
        spent, got = (paid, matched) if placement.side is Side.BUY else (matched, paid)
        return Accepted(order, int(spent), int(got), tuple(trades))

    def end(self, order: VenueOrder, status: str, now_ns: int) -> None:
        """Take an open order off the book."""
        resting = self.books[order.condition_id].get(order.placement.order_id)
        if resting is not None:
            self.take(order.condition_id, resting, resting.left)
        order = evolve(order, status=status)
        self.orders.put(order, 0)
        self.tell(order, "CANCELLATION", now_ns)

    def tell(self, order: VenueOrder, kind: str, now_ns: int) -> None:
        if self.orders.outside(order.placement.owner):
            self.events.append(OrderChanged(order, kind, now_ns))

    # --- the book -------------------------------------------------------------------------

    def take(self, condition_id: str, resting: Resting, shares: int) -> None:
        self._touched[resting.yes_side, resting.yes_price] = None
        self.books[condition_id].take(resting, shares)

    def set_level(self, owner: str, book: Book, level: LevelSet, now_ns: int) -> None:
        """Let ``owner`` rest exactly ``size`` at a price, as a recorded book says.

        What is new joins the back of the queue, after it met whom it crosses (never itself);
        what goes is taken from the back, so that nobody gains a place by it.
        """
        condition_id = book.market.condition_id
        token_id, side, price, size = level
        terms = Terms(token_id, side, price)
        yes_side, yes_price = yes_view(book.market, terms)
        own = [r for r in book.side(yes_side).at(yes_price) if r.owner == owner]
        missing = size - sum(resting.left for resting in own)
        for resting in reversed(own):
            surplus = min(max(-missing, 0), resting.left)
            missing += surplus
            if surplus:
                self.take(condition_id, resting, surplus)
        if missing <= 0:
            return
        self._count += 1
        order_id = f"{owner}:{self._count}"
        plan = book.plan(terms, Shares(missing), barred=owner)
        taker = owner, order_id, terms
        missing -= sum(trade.shares for trade in self._trade(book, taker, plan, now_ns))
        if missing > 0:
            resting = book.add(order_id, owner, terms, Shares(missing))
            self._touched[resting.yes_side, resting.yes_price] = None

    def publish(self, condition_id: str, now_ns: int, *, recorded: bool = False) -> None:
        """Tell the levels that moved since the last call, for both tokens."""
        touched, self._touched = self._touched, {}
        if not touched:
            return
        book = self.books[condition_id]
        yes, no = book.market.tokens
        changes = []
        for side, price in touched:
            size = book.side(side).size(price)
            changes.append((yes, side, price, size))
            changes.append((no, side.other, complement(price), size))
        self.events.append(LevelsMoved(condition_id, now_ns, tuple(changes), recorded))

    # --- trades ---------------------------------------------------------------------------

    def trades_of(self, owner: str) -> list[VenueTrade]:
        found = (self.chain.get(trade_id) for trade_id in self._trades_of.get(owner, ()))
        return [trade for trade in found if trade is not None]

    def trades_in(self, condition_id: str) -> list[VenueTrade]:
        found = (self.chain.get(trade_id) for trade_id in self._trades_in.get(condition_id, ()))
        return [trade for trade in found if trade is not None]

    def settle_step(self, now_ns: int) -> None:
        """Take the next settlement step of any trade."""
        trade = self.chain.next_step(now_ns)
        market, settled = self.books[trade.condition_id].market, self.chain.settled(trade.trade_id)
        if trade.status in ("MINED", "CONFIRMED") and not settled:
            self.accounts.settle(moves_of(trade))
            self.chain.mark_settled(trade.trade_id, True)
        elif trade.status == "FAILED":
            undo = reversed_moves(moves_of(trade))
            self.accounts.book(market, undo)
            if settled:
                self.accounts.settle(undo)
                self.chain.mark_settled(trade.trade_id, False)
            for owner in sorted(trade.owners):
                self.end_uncovered(owner, (COLLATERAL, *market.tokens), now_ns)
        self._tell_trade(trade, now_ns)

    def forget(self, market: Market) -> None:
        """Drop all records of a market that is over; order ids stay known."""
        self.accounts.forget(market)
        gone = self._trades_in.pop(market.condition_id, [])
        for trade_id in gone:
            trade = self.chain.get(trade_id)
            for owner in trade.owners if trade else ():
                self._trades_of.get(owner, {}).pop(trade_id, None)
        self.chain.forget(gone, market.condition_id)
        self.orders.forget(market.condition_id)
        del self.books[market.condition_id]

    def _trade(self, book: Book, taker: Taker, plan: Plan, now_ns: int) -> tuple[VenueTrade, ...]:
        """All matches of one taker order at one price are one trade."""
        by_price = groupby(plan.matches, key=lambda match: match.price)
        return tuple(self._match(book, taker, tuple(group), now_ns) for _, group in by_price)

    def _match(
        self, book: Book, taker: Taker, matches: tuple[Match, ...], now_ns: int
    ) -> VenueTrade:
        owner, order_id, terms = taker
        market, price = book.market, matches[0].price
        shares = Shares(sum(match.shares for match in matches))
        name = f"{order_id} at {price}"  # an order meets a price at most once
        tx_hash = digest(f"transaction of {name}")
        trade = VenueTrade(
            trade_id=str(UUID(digest(name)[2:34])), status="MATCHED",
            condition_id=market.condition_id, taker_order_id=order_id, taker_owner=owner,
            token_id=terms.token_id, side=terms.side, price=price, shares=shares,
            fee=market.fees.charged(price, shares),
            makers=tuple(_maker(match, terms, market) for match in matches),
            match_ns=now_ns, updated_ns=now_ns, tx_hash=tx_hash,
        )  # fmt: skip
        self.accounts.book(market, moves_of(trade))
        trade = self.chain.add(trade)
        self._trades_in.setdefault(market.condition_id, []).append(trade.trade_id)
        for party in filter(self.orders.outside, trade.owners):
            self._trades_of.setdefault(party, {})[trade.trade_id] = None
        self.events.append(
            Printed(trade.condition_id, now_ns, terms.token_id, terms.side, price, shares, tx_hash)
        )
        self._tell_trade(trade, now_ns)
        for match in matches:
            self._fill_maker(match, trade, now_ns)
        return trade

    def _fill_maker(self, match: Match, trade: VenueTrade, now_ns: int) -> None:
        self.take(trade.condition_id, match.resting, match.shares)
        order = self.orders.get(match.resting.order_id)
        if order is None:
            return  # a recorded level: there is no order behind it
        matched = Shares(order.matched + match.shares)
        assert matched <= order.placement.size, order
        order = evolve(
            order, matched=matched, trade_ids=(*order.trade_ids, trade.trade_id),
            status="MATCHED" if matched == order.placement.size else "LIVE",
        )  # fmt: skip
        self.orders.put(order, _resting_hold(order))
        self.tell(order, "UPDATE", now_ns)

    def _tell_trade(self, trade: VenueTrade, now_ns: int) -> None:
        if any(map(self.orders.outside, trade.owners)):
            self.events.append(TradeChanged(trade, now_ns))

    def end_uncovered(self, owner: str, token_ids: Iterable[str], now_ns: int) -> None:
        """End the youngest orders that nothing stands behind any more: after a reversal, or
        after their owner spent the money elsewhere."""
        if not self.accounts.limited(owner):
            return
        for token_id in token_ids:
            for order in reversed(self.orders.open(owner)):
                if self.accounts.total(owner, token_id) >= self.orders.held(owner, token_id):
                    break
                if token_id == spends(order.placement):
                    self.end(order, "CANCELED_NOT_ENOUGH_BALANCE", now_ns)
                    self.publish(order.condition_id, now_ns)


def _resting_hold(order: VenueOrder) -> int:
    if not order.open:
        return 0
    placement = order.placement
    if placement.side is Side.SELL:
        return order.open_size
    return cost(placement.price, order.open_size)


def _maker(match: Match, taker: Terms, market: Market) -> MakerMatch:
    resting, terms = match.resting, match.resting.terms
    one_token = kind_of(taker, terms) == COMPLEMENTARY
    assert terms.price == (match.price if one_token else complement(match.price)), match
    return MakerMatch(
        order_id=resting.order_id, owner=resting.owner, token_id=terms.token_id,
        side=terms.side, price=terms.price, shares=match.shares,
        outcome="Yes" if terms.token_id == market.yes_token else "No",
    )  # fmt: skip

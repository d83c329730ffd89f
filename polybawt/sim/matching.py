"""Price-time matching on the one book of a market.

A market has two tokens but one book: a bid of 0.40 on YES *is* an ask of 0.60 on NO.  So the
book is kept in YES prices only, and every order is turned to that view on its way in.  What a
meeting of two orders means follows from their tokens: one token changes hands (COMPLEMENTARY),
two buyers mint a set (MINT), two sellers merge one (MERGE).  Here is no money, no rule of
admission and no identity beyond what priority needs; ``plan`` only reads.

Source: exchange reference, section 3.6.
"""

from bisect import insort
from collections.abc import Iterator
from typing import Final, cast

from attrs import define, field, frozen

from polybawt.core.facts import Level
from polybawt.core.market import LOT, Market, Side
from polybawt.core.units import MILLION, Price, Shares, Usdc, complement
from polybawt.sim.records import Terms

COMPLEMENTARY: Final = "COMPLEMENTARY"
MINT: Final = "MINT"
MERGE: Final = "MERGE"


@define(eq=False)
class Resting:
    """One order on the book, in its owner's terms and in the book's."""

    order_id: str
    owner: str
    terms: Terms
    left: Shares
    yes_side: Side
    yes_price: Price


@frozen
class Match:
    """``shares`` of one resting order, at ``price`` of the *taker's* token."""

    resting: Resting
    shares: Shares
    price: Price


@frozen
class Plan:
    """What an order would meet. ``full``: its target (shares, or budget) would be reached."""

    matches: tuple[Match, ...]
    full: bool


def kind_of(taker: Terms, maker: Terms) -> str:
    """How collateral and tokens move between the two."""
    if taker.token_id == maker.token_id:
        assert maker.side is taker.side.other, (taker, maker)
        return COMPLEMENTARY
    assert maker.side is taker.side, (taker, maker)
    return MINT if taker.side is Side.BUY else MERGE


def yes_view(market: Market, terms: Terms) -> tuple[Side, Price]:
    """The same order in YES terms: buying NO at 0.60 is selling YES at 0.40."""
    if terms.token_id == market.yes_token:
        return terms.side, terms.price
    assert terms.token_id == market.no_token, (terms, market.slug)
    return terms.side.other, complement(terms.price)


@define(eq=False)
class Queue:
    """One price level, oldest order first."""

    orders: dict[str, Resting] = field(factory=dict)
    size: Shares = Shares(0)


class Ladder:
    """One side of the book in YES prices; ``prices`` runs from worst to best."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self._sign = 1 if side is Side.BUY else -1
        self._ranks: list[int] = []  # price times sign: the best is always the last
        self._queues: dict[Price, Queue] = {}

    def prices(self) -> list[Price]:
        return [Price(rank * self._sign) for rank in self._ranks]

    def best(self) -> Price | None:
        return Price(self._ranks[-1] * self._sign) if self._ranks else None

    def size(self, price: Price) -> Shares:
        queue = self._queues.get(price)
        return queue.size if queue else Shares(0)

    def levels(self) -> tuple[Level, ...]:
        """Every price with its size, worst first."""
        queues, sign = self._queues, self._sign
        prices = cast(list[Price], [rank * sign for rank in self._ranks])  # often, so no calls
        return tuple([(price, queues[price].size) for price in prices])

    def at(self, price: Price) -> list[Resting]:
        """The orders at one price, oldest first."""
        queue = self._queues.get(price)
        return list(queue.orders.values()) if queue else []

    def best_first(self) -> Iterator[Resting]:
        """Every order by price, then time."""
        for rank in reversed(self._ranks):
            yield from self._queues[Price(rank * self._sign)].orders.values()

    def add(self, resting: Resting) -> None:
        assert resting.yes_side is self.side, resting
        assert resting.left > 0, resting
        queue = self._queues.get(resting.yes_price)
        if queue is None:
            queue = self._queues[resting.yes_price] = Queue()
            insort(self._ranks, resting.yes_price * self._sign)
        assert resting.order_id not in queue.orders, resting
        queue.orders[resting.order_id] = resting
        queue.size = Shares(queue.size + resting.left)

    def take(self, resting: Resting, shares: int) -> None:
        """Lower an order, by a match or a cancel; at nothing left it is gone."""
        assert 0 < shares <= resting.left, (resting, shares)
        queue = self._queues[resting.yes_price]
        resting.left = Shares(resting.left - shares)
        queue.size = Shares(queue.size - shares)
        if resting.left == 0:
            del queue.orders[resting.order_id]
        if not queue.orders:
            assert queue.size == 0, resting
            del self._queues[resting.yes_price]
            self._ranks.remove(resting.yes_price * self._sign)


class Book:
    """The one book of a market."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.bids = Ladder(Side.BUY)
        self.asks = Ladder(Side.SELL)
        self._resting: dict[str, Resting] = {}

    def side(self, yes_side: Side) -> Ladder:
        return self.bids if yes_side is Side.BUY else self.asks

    def get(self, order_id: str) -> Resting | None:
        return self._resting.get(order_id)

    def resting(self) -> list[Resting]:
        return list(self._resting.values())

    def add(self, order_id: str, owner: str, terms: Terms, left: Shares) -> Resting:
        """Rest an order behind all others of its price."""
        yes_side, yes_price = yes_view(self.market, terms)
        resting = Resting(order_id, owner, terms, left, yes_side, yes_price)
        self.side(yes_side).add(resting)
        self._resting[order_id] = resting
        return resting

    def take(self, resting: Resting, shares: int) -> None:
        self.side(resting.yes_side).take(resting, shares)
        if resting.left == 0:
            del self._resting[resting.order_id]

    def crosses(self, terms: Terms) -> bool:
        """Whether an order at this limit would match at once."""
        yes_side, yes_price = yes_view(self.market, terms)
        best = self.side(yes_side.other).best()
        return best is not None and _meets(yes_side, yes_price, best)

    def plan(
        self, terms: Terms, size: Shares, budget: Usdc | None = None, barred: str = ""
    ) -> Plan:
        """Whom an order would meet, in whole lots; ``budget`` replaces ``size`` as its target.

        Orders of ``barred`` are passed over: a recorded book does not trade with itself.
        """
        yes_side, yes_price = yes_view(self.market, terms)
        matches: list[Match] = []
        left, purse, at = size, budget, terms.price
        for resting in self.side(yes_side.other).best_first():
            if not _meets(yes_side, yes_price, resting.yes_price):
                break
            if resting.owner == barred:
                continue
            at = _own(self.market, terms.token_id, resting.yes_price)
            wanted = left if purse is None else _affordable(purse, at)
            if wanted == 0:
                break
            shares = Shares(min(wanted, resting.left))
            matches.append(Match(resting, shares, at))
            left = Shares(max(left - shares, 0))
            purse = None if purse is None else Usdc(purse - cost(at, shares))
        return Plan(tuple(matches), left == 0 if purse is None else _affordable(purse, at) == 0)

    def levels(self, token_id: str) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """Bids and asks as this token's holder sees them, worst first."""
        bids, asks = self.bids.levels(), self.asks.levels()
        if token_id == self.market.yes_token:
            return bids, asks
        return _mirrored(asks), _mirrored(bids)


def cost(price: Price, shares: Shares) -> Usdc:
    """What a match moves. Exact: a tick is at least 0.0001 and a lot 0.01, so none is lost."""
    exact, rest = divmod(price * shares, MILLION)
    assert rest == 0, (price, shares)
    return Usdc(exact)


def _own(market: Market, token_id: str, yes_price: Price) -> Price:
    return yes_price if token_id == market.yes_token else complement(yes_price)


def _meets(yes_side: Side, limit: Price, opposite: Price) -> bool:
    return opposite <= limit if yes_side is Side.BUY else opposite >= limit


def _affordable(purse: Usdc, price: Price) -> Shares:
    return Shares(purse * MILLION // price // LOT * LOT)


def _mirrored(levels: tuple[Level, ...]) -> tuple[Level, ...]:
    return cast(tuple[Level, ...], tuple([(MILLION - price, size) for price, size in levels]))

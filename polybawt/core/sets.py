"""How many sets of tokens several books would sell or buy at once, and what that brings.

A set is one share of each leg; together they are worth a fixed amount whatever comes true.  All
legs are walked down level by level at the same time, the shallowest first exhausted, for as long
as one more set still brings the edge after the taker's fee at those prices.  So the size is what
the legs' depths allow, the price of each leg is that of its deepest level in use, and the gain is
by volume: every level at its own price and its own fee.

Pure functions of books.  Nothing here knows what is held, or whether the books are true.

Source: quantitative reference 5.1 and 5.2.
"""

from collections.abc import Sequence

from attrs import frozen

from polybawt.core.book import Book
from polybawt.core.market import LOT, MARKETABLE_BUY_MIN, Side
from polybawt.core.pricing import deepest
from polybawt.core.units import MILLION, Price, Shares, Usdc, cost_up, proceeds_down

Levels = Sequence[tuple[Price, Shares]]


@frozen
class Leg:
    """One token of a set, with what its book offers: the best level first."""

    token_id: str
    book: Book
    side: Side
    levels: Levels

    @property
    def depth(self) -> int:
        return sum(size for _, size in self.levels)

    def per_share(self, price: Price) -> int:
        """What a share costs, or brings, at a price, its fee included; millionths."""
        fee = self.book.market.fees.fee_up(price, Shares(MILLION))
        return price + fee if self.side is Side.BUY else price - fee

    def total(self, size: Shares) -> Usdc:
        """What ``size`` of it cost, or bring, level by level; all of it must be there."""
        fees, amount, left = self.book.market.fees, 0, int(size)
        exact = cost_up if self.side is Side.BUY else proceeds_down
        sign = 1 if self.side is Side.BUY else -1
        for price, offered in self.levels:
            part = Shares(min(left, offered))
            if part > 0:
                amount += exact(price, part) + sign * fees.fee_up(price, part)
            left -= part
        assert left <= 0, (self.token_id, size)
        return Usdc(amount)


@frozen
class Basket:
    """``limits``: the price of each leg's order; ``gain``: what all of it brings."""

    size: Shares
    limits: tuple[Price, ...]
    gain: Usdc

    def takes(self, legs: Sequence[Leg]) -> Usdc:
        """The most that buying it can cost: every share at the limit, and the fee of that."""
        spent = (
            cost_up(limit, self.size) + leg.book.market.fees.fee_up(limit, self.size)
            for leg, limit in zip(legs, self.limits, strict=True)
        )
        return Usdc(sum(spent))


def leg(book: Book, token_id: str, side: Side, *, reach_ticks: int) -> Leg:
    """What a taker could have of one token, no further than that beyond the best price."""
    bids, asks = book.levels(token_id)
    found = list(reversed(asks if side is Side.BUY else bids))
    reach = reach_ticks * book.market.tick
    near = [level for level in found if abs(level[0] - found[0][0]) <= reach]
    return Leg(token_id, book, side, near)


def basket(legs: Sequence[Leg], *, worth: int, edge: int, most: Shares) -> Basket | None:
    """The largest set of orders of which each set still brings the edge; None when there is none.

    ``worth``: what a set pays, or costs to make; ``edge``: of a set; both in millionths.
    """
    size = Shares(min(_profitable(legs, worth, edge), most) // LOT * LOT)
    if size <= 0 or any(size < one.book.market.min_size for one in legs):
        return None
    limits = tuple(deepest(one.levels, size) for one in legs)
    buying = legs[0].side is Side.BUY
    if buying and any(cost_up(limit, size) < MARKETABLE_BUY_MIN for limit in limits):
        return None
    total = sum(one.total(size) for one in legs)
    paid = worth * size // MILLION
    gain = paid - total if buying else total - paid
    return Basket(size, limits, Usdc(gain)) if gain * MILLION >= edge * size else None


def _profitable(legs: Sequence[Leg], worth: int, edge: int) -> int:
    """How many sets bring the edge, one after the other."""
    left = [[list(level) for level in one.levels] for one in legs]
    size = 0
    while all(left):
        total = sum(one.per_share(Price(at[0][0])) for one, at in zip(legs, left, strict=True))
        brings = worth - total if legs[0].side is Side.BUY else total - worth
        if brings < edge:
            break
        step = min(at[0][1] for at in left)
        size += step
        for at in left:
            at[0][1] -= step
            if not at[0][1]:
                at.pop(0)
    return size

"""What is on offer: the listed markets, their books' ticks, and which of them belong together.

A market's tick is the venue's to change while it trades: it becomes finer by itself where prices
come close to either end, when ``fine_ticks`` says so, and may be set to anything by the operator
of the simulation.  What rests on the book stays where it is, even between the new steps; only new
orders must fit.

Which price of the book the venue looks at is UNCONFIRMED: the midpoint here, and where one side
is empty the best of the other.

Source: exchange reference 3.4 and 4.1.
"""

from typing import Final

from attrs import evolve

from polybawt.core.market import Market
from polybawt.core.units import Price
from polybawt.sim.desk import Desk
from polybawt.sim.matching import Book
from polybawt.sim.records import Listed, TickChanged

TICKS: Final = tuple(Price(tick) for tick in (100_000, 10_000, 5_000, 2_500, 1_000, 100))
FINE_ABOVE: Final = Price(960_000)
FINE_BELOW: Final = Price(40_000)
FINER: Final = {Price(100_000): Price(10_000), Price(10_000): Price(1_000)}


class Shelf:
    """The markets of one venue, with what each of them is traded by."""

    def __init__(self, desk: Desk, *, taker_delay_ns: int, fine_ticks: bool) -> None:
        self.markets: dict[str, Market] = {}
        self._desk = desk
        self._taker_delay_ns, self._fine_ticks = taker_delay_ns, fine_ticks
        self._delays: dict[str, int] = {}
        self._market_of: dict[str, str] = {}
        self._neg_risk: dict[str, list[str]] = {}

    def add(self, market: Market, now_ns: int, taker_delay_ns: int) -> None:
        assert market.condition_id not in self.markets, market.slug
        assert not any(token in self._market_of for token in market.tokens), market.slug
        self.markets[market.condition_id] = market
        self._desk.books[market.condition_id] = Book(market)
        self._delays[market.condition_id] = taker_delay_ns or self._taker_delay_ns
        for token_id in market.tokens:
            self._market_of[token_id] = market.condition_id
        if market.neg_risk_id:
            self._neg_risk.setdefault(market.neg_risk_id, []).append(market.condition_id)
        self._desk.events.append(Listed(market, now_ns))

    def amend(self, market: Market) -> None:
        assert self.markets[market.condition_id].tokens == market.tokens, market.slug
        self.markets[market.condition_id] = market
        self._desk.books[market.condition_id].market = market

    def drop(self, market: Market) -> None:
        """Forget a market that nobody holds any more."""
        self._desk.forget(market)
        del self.markets[market.condition_id], self._delays[market.condition_id]
        for token_id in market.tokens:
            del self._market_of[token_id]
        siblings = self._neg_risk.get(market.neg_risk_id, [])
        if market.condition_id in siblings and not any(id_ in self.markets for id_ in siblings):
            del self._neg_risk[market.neg_risk_id]  # the last one of its event

    def market_of(self, token_id: str) -> Market | None:
        condition_id = self._market_of.get(token_id)
        return None if condition_id is None else self.markets[condition_id]

    def book_of(self, token_id: str) -> Book:
        return self._desk.books[self._market_of[token_id]]

    def has_book(self, token_id: str) -> bool:
        return token_id in self._market_of

    def delay_ns(self, condition_id: str) -> int:
        """How long a marketable order is held before it matches."""
        return self._delays.get(condition_id, 0)

    def questions_with(self, market: Market) -> list[Market]:
        """All questions of a market's neg-risk event that are still known, in listed order."""
        ids = self._neg_risk.get(market.neg_risk_id, [])
        return [self.markets[id_] for id_ in ids if id_ in self.markets]

    # --- ticks ------------------------------------------------------------------------------

    def set_tick(self, condition_id: str, tick: Price, now_ns: int) -> None:
        """Change a market's tick; nothing is told when it has this one already."""
        assert tick in TICKS, tick
        before = self.markets[condition_id]
        if before.tick == tick:
            return
        market = evolve(before, tick=tick)
        self.amend(market)
        self._desk.events.append(TickChanged(market, before.tick, now_ns))

    def refine(self, condition_id: str, now_ns: int) -> None:
        """Make a tick finer if the book has come close to an end; it stays finer."""
        finer = FINER.get(self.markets[condition_id].tick)
        if not self._fine_ticks or finer is None:
            return
        book = self._desk.books[condition_id]
        if _near_an_end(book.bids.best(), book.asks.best()):
            self.set_tick(condition_id, finer, now_ns)


def _near_an_end(bid: Price | None, ask: Price | None) -> bool:
    if bid is not None and ask is not None:
        return not FINE_BELOW * 2 <= bid + ask <= FINE_ABOVE * 2
    return (bid is not None and bid > FINE_ABOVE) or (ask is not None and ask < FINE_BELOW)

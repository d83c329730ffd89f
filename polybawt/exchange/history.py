"""What was: prices minute by minute, the last trade of each market, and its latest trades.

A market's price is what the venue shows: the middle of the book, or the last trade where the
spread is wide.  It is looked at once a minute, kept when it has changed, and carried forward when
somebody reads; a resolved market ends at its payout.  Only the first token's prices are kept,
since the second's are their complement.  All memory is bounded: by changes per market, by trades
per market and by markets, of which the oldest is forgotten first.

Source: exchange reference 1.2 (prices-history, last-trade-price, live-activity).
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from attrs import define, evolve, field, frozen

from polybawt.core.market import Market
from polybawt.core.units import MILLION, SECOND_NS, Price
from polybawt.sim.records import Event, LevelsMoved, Listed, Printed, Resolved, TradeChanged

MINUTE_S: Final = 60
CHANGES_MAX: Final = 10_080  # a week of minutes
POINTS_MAX: Final = 10_080  # in one answer
TRADES_MAX: Final = 100  # latest trades of one market
MARKETS_MAX: Final = 4_096
WIDE: Final = Price(100_000)  # above this spread the last trade is shown, not the middle

Point = tuple[int, Price]
"""Unix seconds and the first token's price."""


@frozen
class Activity:
    """A public trade, and whose order took; "" for an account of the simulation."""

    printed: Printed
    taker: str = ""


@define
class Past:
    """One market's own."""

    market: Market
    changes: deque[Point] = field(factory=lambda: deque(maxlen=CHANGES_MAX))
    trades: deque[Activity] = field(factory=lambda: deque(maxlen=TRADES_MAX))
    ended_s: int = 0

    def note(self, at_s: int, price: Price) -> None:
        if not self.changes or self.changes[-1][1] != price:
            self.changes.append((at_s, price))

    @property
    def last(self) -> Printed | None:
        return self.trades[-1].printed if self.trades else None


class History:
    """``best`` gives the best bid and ask of a market's first token, as they are now."""

    def __init__(self, best: Callable[[Market], tuple[Price | None, Price | None]]) -> None:
        self._best = best
        self._pasts: dict[str, Past] = {}
        self._moved: dict[str, None] = {}
        self._minute = 0

    def hear(self, event: Event) -> None:
        match event:
            case Listed():
                self._pasts[event.market.condition_id] = Past(event.market)
                if len(self._pasts) > MARKETS_MAX:
                    del self._pasts[next(iter(self._pasts))]
            case LevelsMoved():
                self._moved[event.condition_id] = None
            case Printed() if event.condition_id in self._pasts:
                self._pasts[event.condition_id].trades.append(Activity(event))
                self._moved[event.condition_id] = None
            case TradeChanged():
                self._name_taker(event)
            case Resolved() if event.market.condition_id in self._pasts:
                past = self._pasts[event.market.condition_id]
                past.ended_s = event.now_ns // SECOND_NS
                past.note(past.ended_s, Price(event.yes_payout))

    def _name_taker(self, event: TradeChanged) -> None:
        """A trade is told right after its print."""
        past = self._pasts.get(event.trade.condition_id)
        if past and past.trades and past.trades[-1].printed.tx_hash == event.trade.tx_hash:
            past.trades[-1] = evolve(past.trades[-1], taker=event.trade.taker_owner)

    def sample(self, now_ns: int) -> None:
        """Look at what has moved, once a minute."""
        minute = now_ns // SECOND_NS // MINUTE_S
        began, before, self._minute = self._minute > 0, self._minute, minute
        if not began or minute == before:
            return
        moved, self._moved = self._moved, {}
        for condition_id in moved:
            past = self._pasts.get(condition_id)
            price = self._shown(past) if past and not past.ended_s else None
            if past and price is not None:
                past.note(minute * MINUTE_S, price)

    def _shown(self, past: Past) -> Price | None:
        bid, ask = self._best(past.market)
        if bid is not None and ask is not None and ask - bid <= WIDE:
            return Price((bid + ask) // 2)
        if past.last is not None:
            last, market = past.last, past.market
            first = last.token_id == market.yes_token
            return last.price if first else Price(MILLION - last.price)
        return None if bid is None or ask is None else Price((bid + ask) // 2)

    def trades(self, condition_id: str) -> list[Activity]:
        """A market's latest trades, newest first."""
        past = self._pasts.get(condition_id)
        return list(reversed(past.trades)) if past else []

    def last_trade(self, condition_id: str) -> Printed | None:
        past = self._pasts.get(condition_id)
        return past.last if past else None

    def points(
        self, condition_id: str, start_s: int, end_s: int, step_s: int, now_s: int
    ) -> list[Point]:
        """First-token prices from ``start_s`` to ``end_s``, and the one of right now if in it.

        Points are whole steps apart; of more than ``POINTS_MAX`` the latest are given.
        """
        past = self._pasts.get(condition_id)
        if past is None:
            return []
        end_s = min(end_s, past.ended_s or now_s)
        found = [*_carried(list(past.changes), start_s, end_s, step_s)][-(POINTS_MAX - 1) :]
        current = past.changes[-1][1] if past.ended_s else self._shown(past)
        if current is not None and (past.ended_s or now_s) == end_s >= start_s:
            found.append((end_s, current))
        return found


def _carried(changes: list[Point], start_s: int, end_s: int, step_s: int) -> Iterator[Point]:
    """The price of every whole step from the first that is known."""
    if not changes:
        return
    times = [at_s for at_s, _ in changes]
    first_s = -(-max(start_s, times[0], end_s - POINTS_MAX * step_s) // step_s) * step_s
    for at_s in range(first_s, end_s + 1, step_s):
        yield at_s, changes[bisect_right(times, at_s) - 1][1]

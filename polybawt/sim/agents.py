"""The crowd of the paper world: those who quote, those who trade blindly, those who know.

Each agent has its own lots, its own money and its own pace.  Together they make a book that is
worth reading: quotes around a fair value that is a little wrong, some of them stale; takers who
hit whatever stands; and a few who see the price two seconds ahead, so that a resting order is
adversely selected as it is in life.  They trade through the venue's front door like anybody
else, with collateral they really have.

Fair value: quantitative reference, section 5.6.
"""

import math
import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Final

from polybawt.core.market import LOT, Market, Side
from polybawt.core.units import MILLION, MS_NS, SECOND_NS, Price, Shares, Usdc
from polybawt.sim.prices import Path, twap
from polybawt.sim.venue import Accepted, Placement, Venue

FUNDS: Final = Usdc(10**15)  # a billion dollars: agents must not run dry in a long soak
SIGMA: Final = 1e-4  # what agents believe about a square root of a second
FEED_BLUR: Final = 1e-4  # nobody knows the final price better than this
AHEAD_NS: Final = 2 * SECOND_NS  # how far the informed see
SIZE_MIN, SIZE_MAX = 5, 60  # shares


def fair_value(market: Market, value_e18: int, now_ns: int) -> float:
    """The chance of Up: Phi(ln(S/K) / sqrt(sigma^2 tau + blur^2)); even before the start.

    Where an average settles, ``value_e18`` is what it is expected to be, and less of the time
    that is left counts.
    """
    if not market.strike_e18:
        return 0.5
    tau_s = max(market.end_ns - now_ns, 0) / SECOND_NS
    spread = math.sqrt(SIGMA**2 * _uncertain_s(tau_s, market.twap_lookback_s) + FEED_BLUR**2)
    return 0.5 * (1 + math.erf(math.log(value_e18 / market.strike_e18) / spread / math.sqrt(2)))


def _uncertain_s(tau_s: float, window_s: int) -> float:
    """How many seconds of walking the settling price still has before it."""
    if tau_s >= window_s:
        return tau_s - 2 * window_s / 3
    return tau_s**3 / (3 * window_s**2)


def expected_e18(market: Market, path: Path, now_ns: int) -> int:
    """The best guess of the settling price: what is averaged so far, and the price for the rest."""
    now_ns, window_s = min(now_ns, market.end_ns), market.twap_lookback_s
    left_s = (market.end_ns - now_ns) // SECOND_NS
    if not window_s or left_s >= window_s:
        return path.at(now_ns)
    known_s = window_s - left_s
    return (known_s * twap(path, now_ns, known_s) + left_s * path.at(now_ns)) // window_s


class Agent(ABC):
    """Somebody with a name, money, lots and a pace."""

    pace_ns: tuple[int, int]

    def __init__(self, name: str, venue: Venue, path: Path) -> None:
        self.lots = random.Random(name)
        self.owner = "0x" + self.lots.randbytes(20).hex()
        self.venue, self.path = venue, path
        self._due_ns = 0
        self._placed = 0
        venue.adopt(self.owner)
        venue.deposit(self.owner, FUNDS)

    def wake(self, markets: Sequence[Market], now_ns: int) -> None:
        """Act when it is time."""
        if now_ns < self._due_ns:
            return
        self._due_ns = now_ns + self.lots.randint(*self.pace_ns)
        if markets:
            self.act(markets, now_ns)

    @abstractmethod
    def act(self, markets: Sequence[Market], now_ns: int) -> None:
        """Trade as its kind trades."""

    def size(self) -> Shares:
        return Shares(self.lots.randint(SIZE_MIN * 100, SIZE_MAX * 100) * LOT)

    def acquire(
        self, market: Market, up: bool, micro: int, size: Shares, now_ns: int, *, quote: bool
    ) -> str:
        """Get long Up or Down at a price for it; the order id, "" when refused.

        Whoever holds enough of the other outcome sells that instead of buying this one.
        """
        price = market.price_down(min(micro, MILLION - market.tick))
        if price <= 0:
            return ""
        wanted, other = market.tokens if up else market.tokens[::-1]
        token_id, side = wanted, Side.BUY
        if self.venue.spendable(self.owner, other) >= size:
            token_id, side, price = other, Side.SELL, Price(MILLION - price)
        self._placed += 1
        placement = Placement(
            owner=self.owner, order_id=f"{self.owner}-{now_ns}-{self._placed}", token_id=token_id,
            side=side, price=price, size=size, order_type="GTC" if quote else "FAK",
            post_only=quote,
        )  # fmt: skip
        answer = self.venue.place(placement, now_ns)
        return placement.order_id if isinstance(answer, Accepted) else ""


class Maker(Agent):
    """Quotes both outcomes around its own idea of the fair value, and is sometimes slow."""

    pace_ns = (300 * MS_NS, 1_000 * MS_NS)
    LOOKS: Final = 0.7  # chance to look at a running market when awake; else its quotes go stale
    LOOKS_AHEAD: Final = 0.15  # the same before the start, when nothing happens yet

    def __init__(self, name: str, venue: Venue, path: Path) -> None:
        super().__init__(name, venue, path)
        self._quotes: dict[tuple[str, bool], tuple[str, int]] = {}

    def act(self, markets: Sequence[Market], now_ns: int) -> None:
        listed = {market.condition_id for market in markets}
        self._quotes = {key: quote for key, quote in self._quotes.items() if key[0] in listed}
        for market in markets:
            if self.looks(market):
                self._quote(market, now_ns)

    def looks(self, market: Market) -> bool:
        running = market.strike_e18 != 0
        return self.lots.random() < (self.LOOKS if running else self.LOOKS_AHEAD)

    def belief(self, market: Market, now_ns: int) -> float:
        """The chance of the first outcome, as this maker sees it."""
        expected = expected_e18(market, self.path, now_ns)
        return fair_value(market, expected, now_ns) + self.lots.gauss(0.0, 0.008)

    def half_spread(self) -> float:
        return self.lots.uniform(0.015, 0.04)

    def _quote(self, market: Market, now_ns: int) -> None:
        fair = self.belief(market, now_ns)
        half = self.half_spread()
        for up, chance in ((True, fair), (False, 1.0 - fair)):
            price = market.price_down(max(round((chance - half) * MILLION), 0))
            order_id, quoted = self._quotes.pop((market.condition_id, up), ("", 0))
            if order_id and quoted == price and self.venue.order(order_id) is not None:
                self._quotes[market.condition_id, up] = order_id, price
                continue
            if order_id:
                self.venue.cancel(self.owner, order_id, now_ns)
            placed = self.acquire(market, up, price, self.size(), now_ns, quote=True)
            if placed:
                self._quotes[market.condition_id, up] = placed, price


class NoiseTaker(Agent):
    """Takes a side for no reason, at whatever is offered."""

    pace_ns = (600 * MS_NS, 2_400 * MS_NS)

    def act(self, markets: Sequence[Market], now_ns: int) -> None:
        running = [market for market in markets if market.strike_e18] or list(markets)
        market, up = self.lots.choice(running), self.lots.random() < 0.5
        _, asks = self.venue.levels(market.tokens[0 if up else 1])
        if asks:
            limit = asks[-1][0] + self.lots.randint(0, 2) * market.tick
            self.acquire(market, up, limit, self.size(), now_ns, quote=False)


class InformedTaker(Agent):
    """Knows the price two seconds ahead, and takes what is wrong by more than its fee."""

    pace_ns = (700 * MS_NS, 2_000 * MS_NS)
    EDGE: Final = 0.03

    def act(self, markets: Sequence[Market], now_ns: int) -> None:
        for market in markets:
            if not market.strike_e18:
                continue
            later_ns = min(now_ns + AHEAD_NS, market.end_ns)
            fair = fair_value(market, expected_e18(market, self.path, later_ns), later_ns)
            for up, chance in ((True, fair), (False, 1.0 - fair)):
                _, asks = self.venue.levels(market.tokens[0 if up else 1])
                worth = round((chance - self.EDGE) * MILLION)
                if asks and asks[-1][0] <= worth:
                    self.acquire(market, up, worth, self.size(), now_ns, quote=False)

"""What a market is, and the only place that makes valid prices and sizes for it.

A market is one yes/no question: two tokens (``yes`` first, called "Up" in the crypto series),
one mirrored book, a tick, a minimum, a fee schedule and an end.  Nothing here is remembered
between calls, and nothing is assumed about a market that the venue did not say.

Source: exchange reference, sections 1.4, 3.4, 3.6 and 5.4.
"""

from enum import StrEnum
from typing import Final

from attrs import frozen

from polybawt.core.units import MILLION, Price, Shares, Usdc, ceil_div, complement

LOT: Final = Shares(10_000)  # sizes have two decimals on every tick (reference 3.4)
FEE_STEP: Final = Usdc(10)  # fees have five decimals (reference 3.6)
MARKETABLE_BUY_MIN: Final = Usdc(1_000_000)  # a marketable buy is at least one dollar


TICK_GRID: Final = 100  # of which every tick is a multiple: the finest, 0.0001


def valid_tick(tick: int) -> bool:
    """Whether prices can be multiples of it, from it to one dollar less it."""
    return 0 < tick < MILLION and tick % TICK_GRID == 0 and MILLION % tick == 0


class Side(StrEnum):
    BUY = "BUY"
    SELL = "SELL"

    @property
    def other(self) -> "Side":
        return Side.SELL if self is Side.BUY else Side.BUY


class InvalidOrder(ValueError):
    """A price or size that this market would refuse; says which rule it breaks."""


@frozen(kw_only=True)
class FeeSchedule:
    """Taker fee: ``shares * rate * (p * (1 - p)) ** exponent`` dollars; rate in millionths."""

    rate_micro: int = 0
    exponent: int = 1

    def _exact(self, price: Price, shares: Shares) -> tuple[int, int]:
        odds = price * complement(price)
        return shares * self.rate_micro * odds**self.exponent, MILLION ** (1 + 2 * self.exponent)

    def charged(self, price: Price, shares: Shares) -> Usdc:
        """The venue's own fee for one match: five decimals, half up; below that, nothing."""
        numerator, denominator = self._exact(price, shares)
        step = denominator * FEE_STEP
        return Usdc((2 * numerator + step) // (2 * step) * FEE_STEP)

    def fee_up(self, price: Price, shares: Shares) -> Usdc:
        """An upper bound of all that is ``charged`` for ``shares``, in however many matches.

        Each match rounds by itself: by half a step at most, and to no more than twice its exact
        fee.  Matches are whole lots, so there are at most as many half steps as lots.
        """
        numerator, denominator = self._exact(price, shares)
        half_steps = ceil_div(shares, LOT) * FEE_STEP // 2
        return Usdc(
            min(ceil_div(2 * numerator, denominator), ceil_div(numerator, denominator) + half_steps)
        )


@frozen(kw_only=True)
class Market:
    """One question at the venue. Times are ns UTC; ``strike_e18`` is 0 when not published.

    ``event_id`` names what it is a question of, ``neg_risk_id`` the questions of which exactly
    one comes true; both are "" when there is none.  ``category`` and ``tags`` are slugs.
    """

    condition_id: str
    slug: str
    question: str
    yes_token: str
    no_token: str
    tick: Price
    min_size: Shares
    fees: FeeSchedule = FeeSchedule()
    neg_risk: bool = False
    version: str = "v1"
    symbol: str = ""  # "btc/usd" for a crypto series, "" for all else
    start_ns: int = 0
    end_ns: int = 0
    twap_lookback_s: int = 0
    strike_e18: int = 0
    accepting_orders: bool = True
    event_id: str = ""
    neg_risk_id: str = ""
    category: str = ""
    tags: tuple[str, ...] = ()
    resolution_source: str = ""
    created_ns: int = 0

    @property
    def twap_window_s(self) -> int:
        """Over how many seconds the settling price is averaged; 0: it is a single report."""
        return self.twap_lookback_s

    def over(self, now_ns: int) -> bool:
        """Whether its end has passed; a market that names no end is not over by the clock."""
        return 0 < self.end_ns <= now_ns

    @property
    def tokens(self) -> tuple[str, str]:
        return self.yes_token, self.no_token

    def other(self, token_id: str) -> str:
        assert token_id in self.tokens, (token_id, self.condition_id)
        return self.no_token if token_id == self.yes_token else self.yes_token

    def price_down(self, micro: int) -> Price:
        """The highest valid price that is not above ``micro``; 0 when there is none."""
        price = min(micro, MILLION - self.tick) // self.tick * self.tick
        return Price(max(price, 0))

    def price_up(self, micro: int) -> Price:
        """The lowest valid price that is not below ``micro``; one dollar when there is none."""
        price = -(-max(micro, self.tick) // self.tick) * self.tick
        return Price(min(price, MILLION))

    def size_down(self, micro: int) -> Shares:
        """The largest valid size that is not above ``micro``; 0 below the venue's minimum."""
        size = Shares(max(micro, 0) // LOT * LOT)
        return size if size >= self.min_size else Shares(0)

    def check(self, price: int, size: int) -> None:
        """Raise ``InvalidOrder`` for a price or size that the venue would refuse."""
        if not self.tick <= price <= MILLION - self.tick or price % self.tick:
            raise InvalidOrder(f"price {price} breaks the tick {self.tick} of {self.slug}")
        if size < self.min_size or size % LOT:
            raise InvalidOrder(f"size {size} is below {self.min_size} or no lot of {self.slug}")

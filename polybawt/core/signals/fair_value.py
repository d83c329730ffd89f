"""What an up/down share is worth: a digital option on the oracle's price.

``Oracle`` keeps one symbol's reports, exact and bounded; ``volatility`` estimates from returns
over an interval (never from one-second steps: the relayed report is smoothed); ``up_value``
is the probability that the close is at or above the strike.  These are the only floats that
bear on a decision, and ``as_price`` is their one way out.

Source: data-and-quant 5.6 (with the measured reference table) and 0.3.
"""

from math import erf, log, sqrt
from typing import Final

from attrs import define, field, frozen

from polybawt.core.market import Market
from polybawt.core.units import MILLION, MS_NS, Price

REPORTS_MAX: Final = 4_000  # a little over an hour at one a second
PROBABILITY_MIN: Final = 0.001


@define
class Oracle:
    """Reports by their own millisecond, in the order in which they came; ``rough`` are doubles."""

    symbol: str
    values: dict[int, int] = field(factory=dict, repr=False)
    rough: dict[int, int] = field(factory=dict, repr=False)
    latest_ms: int = 0

    def report(self, report_ms: int, value_e18: int, exact: bool = True) -> bool:
        """Keep one report; False when it was known as well or better."""
        if report_ms in self.values or (not exact and report_ms in self.rough):
            return False
        kept = self.values if exact else self.rough
        kept[report_ms] = value_e18
        self.latest_ms = max(self.latest_ms, report_ms)
        if len(kept) > REPORTS_MAX:
            del kept[next(iter(kept))]
        return True

    def near(self, second_ms: int) -> int:
        """As ``at``, or as a double when that is all there is."""
        return self.values.get(second_ms) or self.rough.get(second_ms, 0)

    def at(self, second_ms: int) -> int:
        """The value reported for exactly this time, in 10^-18 dollars; 0 when there is none."""
        return self.values.get(second_ms, 0)

    @property
    def value(self) -> int:
        """The latest report of either kind."""
        return self.near(self.latest_ms)


@frozen(kw_only=True)
class VolatilityModel:
    """``prior`` is a standard deviation per square root of a second, worth ``prior_weight`` returns."""  # noqa: E501

    interval_s: int = 60
    step_s: int = 5
    window_s: int = 3_600
    prior: float = 0.0001
    prior_weight: int = 10


def volatility(oracle: Oracle, model: VolatilityModel) -> float:
    """Standard deviation of log returns per square root of a second.

    Root mean square of overlapping returns over ``interval_s``, every ``step_s``, shrunk toward
    the prior while there are few.
    """
    total, count = model.prior_weight * model.prior**2, model.prior_weight
    end = oracle.latest_ms
    for newer in range(end, end - model.window_s * 1_000, -model.step_s * 1_000):
        now, then = oracle.near(newer), oracle.near(newer - model.interval_s * 1_000)
        if now and then:
            total += log(now / then) ** 2 / model.interval_s
            count += 1
    return sqrt(total / count) if count else model.prior


def settling_value(oracle: Oracle, end_ms: int, twap_s: int, at_ms: int, value: int) -> int:
    """What is expected to settle: ``value``, or the mean of what is averaged already and of it.

    The average is of the reports of the last ``twap_s`` seconds, the end's own among them; a
    second without a report counts as the one before it.  0 while fewer than half are known.
    Where the provider samples is not published (UNCONFIRMED): one report a second is what it sends.
    """
    first_ms = end_ms - (twap_s - 1) * 1_000
    if not twap_s or at_ms < first_ms:
        return value
    total, known, last = 0, 0, oracle.near(first_ms - 1_000)
    seconds = range(first_ms, min(at_ms, end_ms) + 1, 1_000)
    for second_ms in seconds:
        reported = oracle.near(second_ms)
        last, known = reported or last or value, known + bool(reported)
        total += last
    if 2 * known < len(seconds):
        return 0
    return (total + (twap_s - len(seconds)) * value) // twap_s


def up_value(
    *, value: int, strike: int, sigma: float, seconds_left: float, twap_s: int = 0, noise: float = 0
) -> float:
    """Probability that the closing value is at or above the strike.

    ``noise`` is the standard deviation of the log of what we see against what settles, caused by
    the report's delay; before an averaging window of ``twap_s`` the variance is that of its mean.
    """
    left = max(seconds_left, 0.0)
    if twap_s and left > twap_s:
        variance = sigma**2 * (left - 2 * twap_s / 3)
    elif twap_s:
        variance = sigma**2 * left**3 / (3 * twap_s**2)
    else:
        variance = sigma**2 * left
    deviation = sqrt(variance + noise**2)
    if deviation == 0:
        return 1.0 if value >= strike else 0.0
    chance = 0.5 * (1 + erf(log(value / strike) / deviation / sqrt(2)))
    return min(max(chance, PROBABILITY_MIN), 1 - PROBABILITY_MIN)


def chance_of_up(
    oracle: Oracle,
    market: Market,
    *,
    value: int,
    strike: int,
    sigma: float,
    seconds_left: float,
    noise: float,
) -> Price | None:
    """What an "up" share is worth when ``value`` is the price from now on.

    Of an average, what is settled already counts; None while too little of it is known.
    """
    twap_s, end_ms = market.twap_lookback_s, market.end_ns // MS_NS
    settles = settling_value(oracle, end_ms, twap_s, oracle.latest_ms, value)
    if not settles:
        return None
    return as_price(
        up_value(
            value=settles,
            strike=strike,
            sigma=sigma,
            seconds_left=seconds_left,
            twap_s=twap_s,
            noise=noise,
        )
    )


def as_price(probability: float) -> Price:
    """A probability as the price of a share, rounded down: against a buyer."""
    return Price(int(probability * MILLION))

"""The markets that move before the oracle says so, and how far the two are apart.

The oracle's report is smoothed and comes late; spot markets lead it by about two seconds.  The two
differ by a basis (another currency, another set of venues) that wanders, so only a spot price
moved by the mean basis of the last while means anything to a market that settles by the oracle.
A signal from it decays with its age and is worth nothing once the report has caught up.

Source: data-and-quant 5.7 and section 3 (lead 2.0 s, basis 0.09 % in February, 0.004 % in April).
"""

from math import exp, log
from typing import Final

from attrs import define, field, frozen

from polybawt.core.signals.fair_value import Oracle
from polybawt.core.units import MILLION

GRID_MS: Final = 100
TICKS_MAX: Final = 3_000  # five minutes of tenths of a second


@define
class Spot:
    """One symbol's spot price, the latest of every tenth of a second, in 10^-18 dollars."""

    symbol: str
    values: dict[int, int] = field(factory=dict, repr=False)
    latest_ms: int = 0

    def tick(self, at_ms: int, value_e18: int) -> None:
        """Keep one price by its own time; an older one than the latest of its tenth is nothing."""
        if at_ms < self.latest_ms:
            return
        self.values[at_ms - at_ms % GRID_MS] = value_e18
        self.latest_ms = at_ms
        while len(self.values) > TICKS_MAX:
            del self.values[next(iter(self.values))]

    def at(self, at_ms: int, back_ms: int = 1_000) -> int:
        """The price as of this time, if there was one within ``back_ms`` before; else 0."""
        last = at_ms - at_ms % GRID_MS
        for grid in range(last, last - back_ms - 1, -GRID_MS):
            if value := self.values.get(grid):
                return value
        return 0

    @property
    def value(self) -> int:
        return self.at(self.latest_ms)


@frozen(kw_only=True)
class LeadModel:
    """``lag_ms``: how long the report's own time is behind the spot that it shows."""

    lag_ms: int = 700
    window_s: int = 60
    samples_min: int = 10
    half_life_ms: int = 1_500


def basis(oracle: Oracle, spot: Spot, model: LeadModel) -> float | None:
    """The mean log difference of report and spot over the window; None with too few of both."""
    total, count = 0.0, 0
    newest = oracle.latest_ms
    for report_ms in range(newest, newest - model.window_s * 1_000, -1_000):
        reported, then = oracle.near(report_ms), spot.at(report_ms - model.lag_ms)
        if reported and then:
            total += log(reported / then)
            count += 1
    return total / count if count >= model.samples_min else None


def mapped(oracle: Oracle, spot: Spot, model: LeadModel) -> int:
    """What the oracle will soon report, by spot, in 10^-18 dollars; 0 when that is not known."""
    mean = basis(oracle, spot, model)
    return 0 if mean is None else int(spot.value * exp(mean))


def divergence(oracle: Oracle, spot: Spot, model: LeadModel) -> int:
    """How far the report is from what spot says, basis taken off, in millionths; 0 if unknown."""
    expected, reported = mapped(oracle, spot, model), oracle.value
    if not expected or not reported:
        return 0
    return int(abs(log(expected / reported)) * MILLION)


def weight(age_ms: int, model: LeadModel) -> float:
    """What is left of a signal of this age: 1 when new, a half after the half-life."""
    return float(0.5 ** (max(age_ms, 0) / model.half_life_ms))

"""The price that the oracle reports: a seeded walk, or a recorded day.

A path is a function of time alone.  It knows nothing of markets or participants, so whatever
they do, the same seed gives the same prices.  Values are whole 10^-18 dollars; the walk itself
is a float, because it is an invention and not an amount.

Three feeds come of one path: the settlement report of each second, its time-weighted averages,
and a spot exchange that is ahead of both and a little beside them.

Source: exchange reference 4.4 and 5.4; quantitative reference 3 (rates, lead and basis).
"""

import math
import random
from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from typing import Final, Protocol

from polybawt.core.units import MILLION, MS_NS, SECOND_NS
from polybawt.sim.records import Quoted, Report

STEP_NS = 100 * MS_NS
KEPT_STEPS = 6_000  # ten minutes
E18_PER_CENT_MILLIONTH = 10**10  # the feed has eight decimals
E18_PER_CENT: Final = 10**16  # spot exchanges quote two decimals
TWAP_WINDOWS_S: Final = (30, 60)
SPOT_DELAY_NS: Final = 100 * MS_NS  # a spot tick is out long before the report of its second
SPOT_BASIS_MICRO: Final = 40  # by how many millionths spot is above; as in April 2026


class Path(Protocol):
    """A price at every time of a session; asking ahead is allowed, that is what insiders do."""

    def at(self, now_ns: int) -> int:
        """Value at a time, 10^-18 dollars."""
        ...


class RandomPath:
    """A geometric walk with normal steps of ``sigma`` per square root of a second."""

    def __init__(
        self,
        seed: str,
        start_ns: int,
        *,
        dollars: float = 64_000.0,
        sigma: float = 1e-4,
        kept_ns: int = 0,
    ) -> None:
        self._lots = random.Random(f"path of {seed}")
        self._first_step = start_ns // STEP_NS
        self._kept_steps = max(KEPT_STEPS, kept_ns // STEP_NS)
        self._values = deque([dollars], maxlen=self._kept_steps)
        self._deviation = sigma * math.sqrt(STEP_NS / SECOND_NS)

    def at(self, now_ns: int) -> int:
        step = now_ns // STEP_NS
        while step >= self._first_step + len(self._values):
            if len(self._values) == self._kept_steps:
                self._first_step += 1
            growth = math.exp(self._lots.gauss(0.0, self._deviation))
            self._values.append(self._values[-1] * growth)
        assert step >= self._first_step, "this price is forgotten"
        return round(self._values[step - self._first_step] * 1e8) * E18_PER_CENT_MILLIONTH


class RecordedPath:
    """Recorded reports: the value at a time is the latest report of that time or before."""

    def __init__(self, reports: Sequence[Report]) -> None:
        assert reports, "a path needs at least one report"
        ordered = sorted(reports, key=lambda report: report.report_ms)
        self._times = [report.report_ms for report in ordered]
        self._values = [report.value_e18 for report in ordered]

    def at(self, now_ns: int) -> int:
        return self._values[max(bisect_right(self._times, now_ns // MS_NS) - 1, 0)]


class Feed:
    """One report a second, each of its own second and published a delay after it."""

    def __init__(self, path: Path, symbol: str, start_ns: int, delay_ns: int) -> None:
        self._path, self._symbol, self._delay_ns = path, symbol, delay_ns
        self._next_s = -(-start_ns // SECOND_NS)

    def due(self, now_ns: int) -> list[Report]:
        """The reports that are published by now and were not before."""
        reports: list[Report] = []
        while self._next_s * SECOND_NS + self._delay_ns <= now_ns:
            value = self._path.at(self._next_s * SECOND_NS)
            reports.append(Report(self._symbol, value, self._next_s * 1_000))
            self._next_s += 1
        return reports

    def published(self, report_s: int) -> bool:
        """Whether the report of a second is out."""
        return report_s < self._next_s


def twap(path: Path, at_ns: int, window_s: int) -> int:
    """The mean of the reports of the ``window_s`` seconds that end at ``at_ns``, its own included.

    Rounded down to the feed's own digits.  Where the provider samples, and how it rounds, is not
    published (UNCONFIRMED): one sample a second is what it reports.
    """
    last_s = at_ns // SECOND_NS
    total = sum(path.at((last_s - back) * SECOND_NS) for back in range(window_s))
    return total // (window_s * E18_PER_CENT_MILLIONTH) * E18_PER_CENT_MILLIONTH


def settling(path: Path, at_ns: int, window_s: int) -> int:
    """What a market is struck and settled by: the report, or with a window its average."""
    return twap(path, at_ns, window_s) if window_s else path.at(at_ns)


class SideFeeds:
    """What is published once a second beside the reports: averages with them, spot before them."""

    def __init__(self, path: Path, symbol: str, start_ns: int, delay_ns: int) -> None:
        self._path, self._symbol, self._delay_ns = path, symbol, delay_ns
        self._next_twap_s = self._next_spot_s = -(-start_ns // SECOND_NS)

    def due(self, now_ns: int) -> list[Quoted]:
        """What is out by now and was not before: spot first."""
        quotes: list[Quoted] = []
        spot = self._symbol.replace("/usd", "usdt")
        while self._next_spot_s * SECOND_NS + SPOT_DELAY_NS <= now_ns:
            at_ns = self._next_spot_s * SECOND_NS
            value = self._path.at(at_ns) * (MILLION + SPOT_BASIS_MICRO) // MILLION
            value = value // E18_PER_CENT * E18_PER_CENT
            quotes.append(Quoted("binance", spot, value, at_ns // MS_NS))
            self._next_spot_s += 1
        while self._next_twap_s * SECOND_NS + self._delay_ns <= now_ns:
            at_ns = self._next_twap_s * SECOND_NS
            quotes += [
                Quoted("twap", self._symbol, twap(self._path, at_ns, w), at_ns // MS_NS, w)
                for w in TWAP_WINDOWS_S
            ]
            self._next_twap_s += 1
        return quotes

"""The price that the oracle reports: a seeded walk, or a recorded day.

A path is a function of time alone.  It knows nothing of markets or participants, so whatever
they do, the same seed gives the same prices.  Values are whole 10^-18 dollars; the walk itself
is a float, because it is an invention and not an amount.
"""

import math
import random
from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from polybawt.core.units import MS_NS, SECOND_NS
from polybawt.sim.records import Report

STEP_NS = 100 * MS_NS
KEPT_STEPS = 6_000  # ten minutes
E18_PER_CENT_MILLIONTH = 10**10  # the feed has eight decimals


class Path(Protocol):
    """A price at every time of a session; asking ahead is allowed, that is what insiders do."""

    def at(self, now_ns: int) -> int:
        """Value at a time, 10^-18 dollars."""
        ...


class RandomPath:
    """A geometric walk with normal steps of ``sigma`` per square root of a second."""

    def __init__(
        self, seed: str, start_ns: int, *, dollars: float = 64_000.0, sigma: float = 1e-4
    ) -> None:
        self._lots = random.Random(f"path of {seed}")
        self._first_step = start_ns // STEP_NS
        self._values = deque([dollars], maxlen=KEPT_STEPS)
        self._deviation = sigma * math.sqrt(STEP_NS / SECOND_NS)

    def at(self, now_ns: int) -> int:
        step = now_ns // STEP_NS
        while step >= self._first_step + len(self._values):
            if len(self._values) == KEPT_STEPS:
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

"""The venue's time, as this process reckons it.

Live and in the ordinary paper world it is the system's time; a replayed recording runs from
its own beginning at its own rate.  Engine and exchange share the same three numbers, so that
they agree without talking.
"""

import time

from attrs import frozen

from polybawt.core.units import SECOND_NS


@frozen(kw_only=True)
class Clock:
    """``venue_ns`` was the venue's time when the system's was ``real_ns``; ns UTC."""

    real_ns: int = 0
    venue_ns: int = 0
    rate: float = 1.0

    def __call__(self) -> int:
        """The venue's time now."""
        return self.at(time.time_ns())

    def at(self, real_ns: int) -> int:
        passed = max(0, real_ns - self.real_ns)  # before its beginning, a recording stands still
        return self.venue_ns + (passed if self.rate == 1 else int(passed * self.rate))

    def real_seconds(self, venue_seconds: float, least: float = 0.02) -> float:
        """How long to wait for so much of the venue's time, but never less than ``least``."""
        return max(venue_seconds / self.rate, least)


@frozen
class Offset:
    """How far the venue's clock is ahead of ours: somewhere between the two bounds, ns."""

    low_ns: int = 0
    high_ns: int = 0

    @property
    def best_ns(self) -> int:
        """Nothing as long as nothing speaks against it; else the middle."""
        if self.low_ns <= 0 <= self.high_ns:
            return 0
        return (self.low_ns + self.high_ns) // 2


def measured(time_s: int, asked_ns: int, heard_ns: int) -> Offset:
    """What one reading proves: the venue said its whole second after we asked, before we heard.

    Its clock stood between that second and the next at some moment between our two.
    """
    return Offset(time_s * SECOND_NS - heard_ns, (time_s + 1) * SECOND_NS - asked_ns)

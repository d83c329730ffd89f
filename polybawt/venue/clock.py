"""The venue's time, as this process reckons it.

Live and in the ordinary paper world it is the system's time; a replayed recording runs from
its own beginning at its own rate.  Engine and exchange share the same three numbers, so that
they agree without talking.
"""

import time

from attrs import frozen


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

"""How long to wait before trying again: exponential, with full jitter.

Full jitter draws between nothing and the bound, so that clients which failed together do not
come back together.  The lots are drawn from the generator that is passed in.

Source: exchange reference 1.14 (425) and 4.1.
"""

from random import Random

from attrs import field, frozen

DOUBLINGS_MAX = 16  # beyond it every bound is the cap


@frozen
class Backoff:
    """Bounds grow from ``first_s`` by doubling to ``cap_s``; seconds."""

    first_s: float
    cap_s: float
    lots: Random = field(factory=Random, repr=False)

    def delay_s(self, attempt: int, at_least_s: float = 0.0) -> float:
        """The wait after failed attempt number ``attempt`` (from 0), never above the cap.

        ``at_least_s`` is what the venue asked for in Retry-After.
        """
        bound = min(self.cap_s, self.first_s * 2 ** min(attempt, DOUBLINGS_MAX))
        return min(self.cap_s, max(self.lots.uniform(0, bound), at_least_s))

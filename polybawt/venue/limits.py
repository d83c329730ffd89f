"""How fast we may ask: a token bucket for each kind of request, and a line before it.

The bucket is arithmetic over a monotonic clock that is passed in; the line before it is first
come, first served.  Nobody holds anything while waiting: a waiter is a future in a queue, so that
one that is cancelled leaves it, and one whose turn cannot come before its deadline is told at
once (``TooLate``), when nothing has been sent.  The venue corrects us: a 429 holds the line for
as long as it says, its headers say how much it thinks is left and which tier we are in.

Not here: what is asked, and whether to ask again.

Source: exchange reference 1.15.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final, Literal, Protocol

from attrs import define, field, frozen

from polybawt.core.units import SECOND_NS
from polybawt.venue.http import Answer, NotSent

HOLD_NS_MAX: Final = 600 * SECOND_NS  # no advice stops us for longer
HOLD_NS: Final = SECOND_NS  # after a 429 that gives none
PER_S_MAX: Final = 1_000_000


class TooLate(NotSent):
    """Its turn would come after its deadline."""


class InvalidRate(ValueError):
    """A rate or a wait that nothing could keep; says which."""


@frozen
class Rate:
    """``per_s`` tokens a second, and at most ``burst`` at once."""

    per_s: int
    burst: int

    def __attrs_post_init__(self) -> None:
        if not (0 < self.per_s <= PER_S_MAX and 0 < self.burst <= PER_S_MAX):
            raise InvalidRate(f"{self} is no rate")

    def times(self, factor: float) -> "Rate":
        """The rate of a clock that runs so much faster."""
        per_s, burst = (round(n * max(factor, 1.0)) for n in (self.per_s, self.burst))
        return Rate(min(per_s, PER_S_MAX), min(burst, PER_S_MAX))


TIERS: Final[Mapping[str, tuple[Rate, Rate]]] = {
    "standard": (Rate(40, 60), Rate(80, 120)),
    "copper": (Rate(60, 90), Rate(120, 180)),
    "bronze": (Rate(80, 120), Rate(160, 240)),
    "silver": (Rate(200, 300), Rate(400, 600)),
    "gold": (Rate(400, 600), Rate(800, 1_200)),
    "platinum": (Rate(450, 675), Rate(900, 1_350)),
    "diamond": (Rate(525, 787), Rate(1_050, 1_575)),
    "elite": (Rate(600, 900), Rate(1_200, 1_800)),
}
"""Orders and cancels of one signer, by its tier."""

TierName = Literal["standard", "copper", "bronze", "silver", "gold", "platinum", "diamond", "elite"]


@frozen(kw_only=True)
class Rates:
    """What an operator sets. The venue's own word on the tier replaces ``tier``.

    ``queries``: the address's limits allow 900 a second over all of the CLOB, but authenticated
    reads are said to throttle far below (UNCONFIRMED, near 10 a second); a 429 teaches us.
    ``order_wait_s``: an order that cannot leave within it was decided too long ago to leave.
    """

    tier: TierName = "standard"
    queries_per_s: int = 100
    queries_burst: int = 150
    order_wait_s: float = 1.0
    wait_s: float = 5.0  # of cancels and queries

    def __attrs_post_init__(self) -> None:
        Rate(self.queries_per_s, self.queries_burst)
        if self.order_wait_s < 0 or self.wait_s < 0:
            raise InvalidRate(f"rates: a wait is below 0: {self}")


class Bucket:
    """Tokens as of a moment, in billionths, so that nothing is ever rounded away.

    It may be overdrawn (``take``), by what cannot wait; then the next ones pay for it.
    """

    def __init__(self, rate: Rate, now_ns: int) -> None:
        self._rate, self._at_ns, self._held_ns = rate, now_ns, 0
        self._level = rate.burst * SECOND_NS

    def wait_ns(self, cost: int, now_ns: int, ahead: int = 0) -> int:
        """How long until ``cost`` is there, and before it what stands ``ahead``.

        What costs more than a burst goes when the bucket is full.
        """
        self._refill(now_ns)
        short = (ahead + min(cost, self._rate.burst)) * SECOND_NS - self._level
        refilled = -(-short // self._rate.per_s) if short > 0 else 0
        return max(refilled, self._held_ns - now_ns, 0)

    def take(self, cost: int, now_ns: int) -> None:
        self._refill(now_ns)
        self._level -= cost * SECOND_NS

    def give_back(self, cost: int) -> None:
        self._level = min(self._level + cost * SECOND_NS, self._rate.burst * SECOND_NS)

    def hold(self, until_ns: int) -> None:
        """Nothing until then, whatever is in it."""
        self._held_ns = max(self._held_ns, until_ns)

    def at_most(self, tokens: int, now_ns: int) -> None:
        """The venue counts so few."""
        self._refill(now_ns)
        self._level = min(self._level, max(tokens, -self._rate.burst) * SECOND_NS)

    def turn(self, rate: Rate, now_ns: int) -> None:
        """Another rate from now on; what was used up stays used up."""
        self._refill(now_ns)
        self._level -= (self._rate.burst - rate.burst) * SECOND_NS
        self._rate = rate

    def _refill(self, now_ns: int) -> None:
        passed = max(0, now_ns - self._at_ns)
        self._at_ns += passed
        full = self._rate.burst * SECOND_NS
        self._level = min(self._level + passed * self._rate.per_s, full)


class Timer(Protocol):
    def cancel(self) -> object: ...


Later = Callable[[float, Callable[[], None]], Timer]


def _later(delay_s: float, then: Callable[[], None]) -> Timer:
    return asyncio.get_running_loop().call_later(delay_s, then)


@define(eq=False)
class _Waiter:
    cost: int
    deadline_ns: int
    turn: asyncio.Future[None] = field(repr=False)


class Limiter:
    """The line before one bucket. Of one event loop; nothing in it blocks or locks.

    ``wait_s``: how long a turn is worth waiting for. ``venue_ns`` is the venue's time.
    """

    def __init__(
        self,
        rate: Rate,
        wait_s: float,
        now_ns: Callable[[], int] = time.monotonic_ns,
        venue_ns: Callable[[], int] = time.time_ns,
        later: Later = _later,
    ) -> None:
        self._now_ns, self._venue_ns, self._later = now_ns, venue_ns, later
        self._wait_ns = int(wait_s * SECOND_NS)
        self._bucket = Bucket(rate, now_ns())
        self._line: deque[_Waiter] = deque()
        self._timer: Timer | None = None

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._line)

    async def admit(self, cost: int = 1) -> None:
        """Come back when it is our turn; ``TooLate`` as soon as it is known to be too late."""
        deadline_ns = self._now_ns() + self._wait_ns
        waiter = _Waiter(cost, deadline_ns, asyncio.get_running_loop().create_future())
        self._line.append(waiter)
        self._advance()
        try:
            await waiter.turn
        except asyncio.CancelledError:
            if waiter.turn.done() and not waiter.turn.cancelled():  # it was our turn already
                self._bucket.give_back(cost)
            elif waiter in self._line:
                self._line.remove(waiter)
            self._advance()
            raise

    def charge(self, cost: int) -> None:
        """Something left that does not wait: the next ones wait for it."""
        self._bucket.take(cost, self._now_ns())
        self._advance()

    def refund(self, cost: int) -> None:
        """What was admitted did not leave after all."""
        self._bucket.give_back(cost)
        self._advance()

    def turn(self, rate: Rate) -> None:
        self._bucket.turn(rate, self._now_ns())
        self._advance()

    def learn(self, answer: Answer) -> None:
        """What an answer says of the venue's own count."""
        now_ns = self._now_ns()
        if answer.remaining is not None:
            self._bucket.at_most(answer.remaining, now_ns)
        if answer.status == 429:
            asked_ns = int(answer.retry_after_s * SECOND_NS)
            asked_ns = asked_ns or answer.reset_s * SECOND_NS - self._venue_ns()
            self._bucket.hold(now_ns + min(max(asked_ns, HOLD_NS), HOLD_NS_MAX))
        if answer.remaining is not None or answer.status == 429:
            self._advance()

    def _advance(self) -> None:
        """Let in whose turn it is, send away whose turn comes too late, wake up for the next."""
        now_ns = self._now_ns()
        ahead, line = 0, deque[_Waiter]()
        for waiter in self._line:
            wait_ns = self._bucket.wait_ns(waiter.cost, now_ns, ahead)
            if not ahead and not wait_ns:
                self._bucket.take(waiter.cost, now_ns)
                waiter.turn.set_result(None)
            elif now_ns + wait_ns > waiter.deadline_ns:
                waiter.turn.set_exception(TooLate(f"its turn is in {wait_ns / SECOND_NS:.3f} s"))
            else:
                ahead += waiter.cost
                line.append(waiter)
        self._line = line
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if line:
            wait_ns = self._bucket.wait_ns(line[0].cost, now_ns)
            self._timer = self._later(max(wait_ns / SECOND_NS, 0.0005), self._advance)


class Limits:
    """The three lines of one account: orders, cancels, queries.

    ``speed``: how much faster than ours the venue's clock runs.
    """

    def __init__(
        self,
        rates: Rates,
        speed: float = 1.0,
        venue_ns: Callable[[], int] = time.time_ns,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._speed, self.tier = speed, str(rates.tier)
        self.warnings = 0  # how often the venue said that it would have refused

        def line(rate: Rate, wait_s: float) -> Limiter:
            return Limiter(rate.times(speed), wait_s, now_ns, venue_ns)

        orders, cancels = TIERS[rates.tier]
        self.orders = line(orders, rates.order_wait_s)
        self.cancels = line(cancels, rates.wait_s)
        self.queries = line(Rate(rates.queries_per_s, rates.queries_burst), rates.wait_s)

    def learn(self, line: Limiter, answer: Answer) -> None:
        """Headers and status of an answer to something that stood in ``line``."""
        self.warnings += answer.limit_warning
        if answer.tier in TIERS and answer.tier != self.tier:
            self.tier = answer.tier
            orders, cancels = TIERS[answer.tier]
            self.orders.turn(orders.times(self._speed))
            self.cancels.turn(cancels.times(self._speed))
        line.learn(answer)

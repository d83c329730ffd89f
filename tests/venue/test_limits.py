"""How fast we ask: the bucket's arithmetic, and the line before it on a clock of the test's."""

import asyncio
from collections.abc import Callable

import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from polybawt.core.units import SECOND_NS
from polybawt.venue.http import Answer, NotSent
from polybawt.venue.limits import TIERS, Bucket, Limiter, Limits, Rate, Rates, TooLate

MS = SECOND_NS // 1_000


@define
class Hands:
    """A monotonic clock and its timers, moved by the test."""

    now_ns: int = 7
    timers: list["Alarm"] = field(factory=list)

    def __call__(self) -> int:
        return self.now_ns

    def later(self, delay_s: float, then: Callable[[], None]) -> "Alarm":
        self.timers.append(Alarm(self.now_ns + round(delay_s * SECOND_NS), then))
        return self.timers[-1]

    async def to(self, ms: int) -> None:
        """Go to so many ms after the beginning, by way of every timer until then."""
        end_ns = 7 + ms * MS
        await settle()
        while due := [t for t in self.timers if t.alive and t.at_ns <= end_ns]:
            first = min(due, key=lambda timer: timer.at_ns)
            self.now_ns, first.alive = max(self.now_ns, first.at_ns), False
            first.then()
            await settle()
        self.now_ns = end_ns


@define
class Alarm:
    at_ns: int
    then: Callable[[], None]
    alive: bool = True

    def cancel(self) -> None:
        self.alive = False


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def limiter(hands: Hands, per_s: int = 10, burst: int = 2, wait_s: float = 10.0) -> Limiter:
    return Limiter(Rate(per_s, burst), wait_s, hands, lambda: 1_000 * SECOND_NS, hands.later)


class Queue:
    """Who was let in, in order, with the ms at which it was."""

    def __init__(self, line: Limiter, hands: Hands) -> None:
        self.line, self.hands = line, hands
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.let_in: list[tuple[str, int]] = []
        self.late: list[str] = []

    async def stand(self, *names: str, cost: int = 1) -> None:
        for name in names:
            self.tasks[name] = asyncio.create_task(self._stand(name, cost))
            await settle()

    async def _stand(self, name: str, cost: int) -> None:
        try:
            await self.line.admit(cost)
        except TooLate:
            self.late.append(name)
        else:
            self.let_in.append((name, (self.hands.now_ns - 7) // MS))


# The bucket.


@given(
    rate=st.builds(Rate, st.integers(1, 1_000), st.integers(1, 1_000)),
    asked=st.lists(st.tuples(st.integers(0, 3 * SECOND_NS), st.integers(1, 15)), max_size=60),
)
def test_no_window_holds_more_than_the_burst_and_the_rate(
    rate: Rate, asked: list[tuple[int, int]]
) -> None:
    """What goes in any stretch of time is at most its burst, its refill, and one rounding.

    Proves: M2
    """
    bucket, now_ns, gone = Bucket(rate, 0), 0, list[tuple[int, int]]()
    for pause_ns, cost in asked:
        now_ns += pause_ns
        now_ns += bucket.wait_ns(cost, now_ns)
        assert bucket.wait_ns(cost, now_ns) == 0
        bucket.take(cost, now_ns)
        gone.append((now_ns, cost))
    for first, (began_ns, _) in enumerate(gone):
        total = 0
        for at_ns, cost in gone[first:]:
            total += cost
            most = max(rate.burst, *(c for _, c in gone)) * SECOND_NS
            assert total * SECOND_NS <= most + (at_ns - began_ns) * rate.per_s + rate.per_s


def test_the_venues_own_count_is_believed_when_it_is_lower() -> None:
    """Another process may use the same key."""
    bucket = Bucket(Rate(10, 20), 0)
    bucket.at_most(1, 0)
    bucket.at_most(15, 0)

    assert (bucket.wait_ns(1, 0), bucket.wait_ns(2, 0)) == (0, SECOND_NS // 10)
    bucket.at_most(-3, 0)
    assert bucket.wait_ns(1, 0) == 4 * SECOND_NS // 10
    bucket.at_most(-(10**8), 0)
    assert bucket.wait_ns(1, 0) == 21 * SECOND_NS // 10  # nonsense stops us for a while only


def test_another_rate_keeps_what_was_used_up() -> None:
    bucket = Bucket(Rate(10, 20), 0)
    bucket.take(15, 0)
    bucket.turn(Rate(100, 30), 0)

    assert bucket.wait_ns(15, 0) == 0
    assert bucket.wait_ns(16, 0) == SECOND_NS // 100


@pytest.mark.parametrize("numbers", [(0, 1), (1, 0), (-1, 5), (5, -1), (10**7, 1)])
def test_a_rate_of_nothing_is_refused(numbers: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="is no rate"):
        Rate(*numbers)


# The line.


async def test_the_line_is_first_come_first_served() -> None:
    """A burst goes at once, the rest at the rate, in order; a small one passes no large one."""
    hands = Hands()
    queue = Queue(limiter(hands), hands)
    await queue.stand("a", "b")
    await queue.stand("c", cost=2)
    await queue.stand("d", "e")
    await hands.to(1_000)

    assert queue.let_in == [("a", 0), ("b", 0), ("c", 200), ("d", 300), ("e", 400)]
    assert queue.line.waiting == 0


async def test_who_would_wait_too_long_is_told_at_once() -> None:
    """An order's price is as old as its wait: better no order, known never to have left."""
    hands = Hands()
    queue = Queue(limiter(hands, wait_s=0.25), hands)
    await queue.stand("a", "b", "c", "d", "e", "f")

    assert queue.late == ["e", "f"]
    assert issubclass(TooLate, NotSent)
    await hands.to(1_000)
    assert queue.let_in == [("a", 0), ("b", 0), ("c", 100), ("d", 200)]


async def test_who_gives_up_leaves_the_line_and_its_turn_to_others() -> None:
    """A cancelled task stays cancelled, and costs the others nothing."""
    hands = Hands()
    queue = Queue(limiter(hands), hands)
    await queue.stand("a", "b", "c", "d")
    queue.tasks["c"].cancel()
    await hands.to(100)

    assert queue.tasks["c"].cancelled()
    assert queue.let_in[2:] == [("d", 100)]


async def test_a_turn_that_comes_together_with_the_cancellation_is_given_back() -> None:
    """The token of a request that did not leave is not lost."""
    hands = Hands()
    queue = Queue(limiter(hands), hands)
    await queue.stand("a", "b", "c", "d")
    timer = next(t for t in hands.timers if t.alive)
    hands.now_ns = timer.at_ns
    timer.then()  # c is let in, and has not heard of it
    queue.tasks["c"].cancel()
    await settle()

    assert queue.tasks["c"].cancelled()
    assert queue.let_in[2:] == [("d", 100)]


async def test_what_does_not_wait_is_paid_by_those_who_do() -> None:
    """A mass cancel leaves at once; what it cost is seen only in its answer (1 + cancelled)."""
    hands = Hands()
    queue = Queue(limiter(hands), hands)
    queue.line.charge(5)
    await queue.stand("a")
    await hands.to(1_000)

    assert queue.let_in == [("a", 400)]


@pytest.mark.parametrize(
    ("answer", "ms"),
    [
        (Answer(429, b"", 3.0), 3_000),
        (Answer(429, b""), 1_000),
        (Answer(429, b"", 0.0, reset_s=1_002), 2_000),
        (Answer(429, b"", 0.0, reset_s=900), 1_000),
        (Answer(200, b"", remaining=0), 100),
        (Answer(200, b"", remaining=-1), 200),
        (Answer(200, b""), 0),
        (Answer(503, b"", 3.0), 0),  # a mode's advice is for the mode
    ],
    ids=str,
)
async def test_the_venue_corrects_us(answer: Answer, ms: int) -> None:
    """429 with Retry-After, with a reset, with nothing; a count lower than ours. Proves: M2"""
    hands = Hands()
    queue = Queue(limiter(hands), hands)
    queue.line.learn(answer)
    await queue.stand("a")
    await hands.to(5_000)

    assert queue.let_in == [("a", ms)]


async def test_a_429_sends_away_who_would_now_wait_too_long() -> None:
    hands = Hands()
    queue = Queue(limiter(hands, wait_s=2.0), hands)
    await queue.stand("a", "b", "c")
    queue.line.learn(Answer(429, b"", 30.0))
    await settle()

    assert (queue.late, queue.line.waiting) == (["c"], 0)


async def test_a_tier_that_the_venue_names_is_ours_from_then_on() -> None:
    """It is refreshed every three hours; an unknown one changes nothing. Source: 1.15."""
    hands = Hands()
    limits = Limits(Rates(wait_s=1.0), now_ns=hands)
    limits.learn(limits.orders, Answer(200, b"", tier="gold", limit_warning=True))
    for line, rate in zip((limits.orders, limits.cancels), TIERS["gold"], strict=True):
        for _ in range(rate.burst):
            await line.admit()
        with pytest.raises(TooLate):
            await line.admit(10_000)
    limits.learn(limits.orders, Answer(200, b"", tier="cardboard"))

    assert (limits.tier, limits.warnings) == ("gold", 1)


async def test_orders_do_not_wait_for_queries() -> None:
    """Three lines: a burst of reads must not hold an order, nor orders a cancel."""
    hands = Hands()
    limits = Limits(Rates(queries_per_s=1, queries_burst=1, wait_s=0.0, order_wait_s=0.0), 1.0,
                    now_ns=hands)  # fmt: skip
    await limits.queries.admit()
    with pytest.raises(TooLate):
        await limits.queries.admit()
    for _ in range(60):
        await limits.orders.admit()
    with pytest.raises(TooLate):
        await limits.orders.admit()
    await limits.cancels.admit()


def test_a_clock_that_runs_faster_asks_faster() -> None:
    """A recording at ten times the speed has ten times the orders."""
    assert Rate(40, 60).times(10.0) == Rate(400, 600)
    assert Rate(40, 60).times(0.1) == Rate(40, 60)
    assert Rate(600, 900).times(1e9) == Rate(1_000_000, 1_000_000)

"""A circuit breaker: failures open it, time half-opens it, an operator may latch it.

An answer tells how things were when its question was sent.  So what was asked before the breaker
last turned (opened, latched, was reset) is *stale* and decides nothing, however late it comes: a
request may take longer than the breaker cools.  While it is half open a question is a *probe*,
and only probes close it: one may leave, and the next a cooling time later, because nobody
promises that the first is answered.

``latched``: a hand or a limit shut it, and no time and no success leads out, only an operator.

Spec: models/Breaker.tla.
"""

from attrs import evolve, frozen
from statemachine import State

from polybawt.core import machine
from polybawt.core.machine import Machine, Outputs, Record


@frozen(kw_only=True)
class Breaker(Record):
    """``since_ns``: when it last opened, latched or was reset; ``probed_ns``: its last probe."""

    name: str
    failures_max: int
    cool_ns: int
    failures: int = 0
    since_ns: int = 0
    probed_ns: int = 0
    reason: str = ""
    actor: str = ""
    state: str = "closed"

    def bars(self, now_ns: int) -> bool:
        """Whether nothing may be asked now: it is shut, or its probe is out."""
        if self.state == "half_open":
            return now_ns - self.probed_ns < self.cool_ns
        return self.state != "closed"


@frozen(kw_only=True)
class Action(machine.Action):
    name: str


@frozen(kw_only=True)
class Failure(Action):
    """What was asked at ``asked_ns`` failed, or was never answered."""

    asked_ns: int
    reason: str


@frozen(kw_only=True)
class Success(Action):
    """What was asked at ``asked_ns`` was answered."""

    asked_ns: int


@frozen(kw_only=True)
class Probe(Action):
    """Something is asked while it is half open."""


@frozen(kw_only=True)
class Cool(Action):
    """Time has passed; it opens half when that was long enough."""


@frozen(kw_only=True)
class Latch(Action):
    actor: str
    reason: str


@frozen(kw_only=True)
class Reset(Action):
    """An operator closes it again, and says why."""

    actor: str
    reason: str


def stale(breaker: Breaker, answer: Failure | Success) -> bool:
    return answer.asked_ns <= breaker.since_ns


def too_many(breaker: Breaker, _: Failure) -> bool:
    return breaker.failures + 1 >= breaker.failures_max


def cooled(breaker: Breaker, cool: Cool) -> bool:
    return cool.at_ns - breaker.since_ns >= breaker.cool_ns


def probe_due(breaker: Breaker, probe: Probe) -> bool:
    return not breaker.bars(probe.at_ns)


def count(breaker: Breaker, failure: Failure) -> tuple[Breaker, Outputs]:
    return evolve(breaker, failures=breaker.failures + 1, reason=failure.reason), ()


def trip(breaker: Breaker, failure: Failure) -> tuple[Breaker, Outputs]:
    breaker, _ = count(breaker, failure)
    return evolve(breaker, since_ns=failure.at_ns), ()


def forget(breaker: Breaker, _: Success) -> tuple[Breaker, Outputs]:
    return evolve(breaker, failures=0, reason=""), ()


def note_probe(breaker: Breaker, probe: Probe) -> tuple[Breaker, Outputs]:
    return evolve(breaker, probed_ns=probe.at_ns), ()


def latch(breaker: Breaker, latch: Latch) -> tuple[Breaker, Outputs]:
    return evolve(breaker, since_ns=latch.at_ns, reason=latch.reason, actor=latch.actor), ()


def reset(breaker: Breaker, reset: Reset) -> tuple[Breaker, Outputs]:
    after = evolve(
        breaker, failures=0, since_ns=reset.at_ns, reason=reset.reason, actor=reset.actor
    )
    return after, ()


class BreakerMachine(Machine):
    closed = State(initial=True)
    open = State()
    half_open = State()
    latched = State()

    failure = closed.from_(closed, cond=stale)
    failure |= open.from_(closed, cond=too_many, on=trip)
    failure |= closed.from_(closed, on=count)
    failure |= half_open.from_(half_open, cond=stale)
    failure |= open.from_(half_open, on=trip)
    failure |= open.from_(open)  # an answer to what was sent before it opened
    failure |= latched.from_(latched)

    success = closed.from_(closed, cond=stale)
    success |= half_open.from_(half_open, cond=stale)
    success |= closed.from_(closed, half_open, on=forget)
    success |= open.from_(open)
    success |= latched.from_(latched)

    cool = half_open.from_(open, cond=cooled)

    probe = half_open.from_(half_open, cond=probe_due, on=note_probe)

    latch = latched.from_(closed, open, half_open, on=latch)
    latch |= latched.from_(latched)  # the first reason stands

    reset = closed.from_(open, half_open, latched, on=reset)
    reset |= closed.from_(closed)

"""A circuit breaker: failures open it, time half-opens it, an operator may latch it.

``latched`` is the kill: no time and no success leads out of it, only an operator with a reason.

Spec: models/Breaker.tla.
"""

from attrs import evolve, frozen
from statemachine import State

from polybawt.core import machine
from polybawt.core.machine import Machine, Outputs, Record


@frozen(kw_only=True)
class Breaker(Record):
    name: str
    failures_max: int
    cool_ns: int
    failures: int = 0
    since_ns: int = 0
    reason: str = ""
    actor: str = ""
    state: str = "closed"


@frozen(kw_only=True)
class Action(machine.Action):
    name: str


@frozen(kw_only=True)
class Failure(Action):
    reason: str


@frozen(kw_only=True)
class Success(Action): ...


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


def too_many(breaker: Breaker, _: Failure) -> bool:
    return breaker.failures + 1 >= breaker.failures_max


def cooled(breaker: Breaker, cool: Cool) -> bool:
    return cool.at_ns - breaker.since_ns >= breaker.cool_ns


def count(breaker: Breaker, failure: Failure) -> tuple[Breaker, Outputs]:
    return evolve(breaker, failures=breaker.failures + 1, reason=failure.reason), ()


def trip(breaker: Breaker, failure: Failure) -> tuple[Breaker, Outputs]:
    breaker, _ = count(breaker, failure)
    return evolve(breaker, since_ns=failure.at_ns), ()


def forget(breaker: Breaker, _: Success) -> tuple[Breaker, Outputs]:
    return evolve(breaker, failures=0, reason=""), ()


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

    failure = open.from_(closed, cond=too_many, on=trip)
    failure |= closed.from_(closed, on=count)
    failure |= open.from_(half_open, on=trip)
    failure |= open.from_(open)  # an answer to what was sent before it opened
    failure |= latched.from_(latched)

    success = closed.from_(closed, half_open, on=forget)
    success |= open.from_(open)
    success |= latched.from_(latched)

    cool = half_open.from_(open, cond=cooled)

    latch = latched.from_(closed, open, half_open, on=latch)
    latch |= latched.from_(latched)  # the first reason stands

    reset = closed.from_(open, half_open, latched, on=reset)
    reset |= closed.from_(closed)

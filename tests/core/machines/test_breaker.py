"""Lives of a breaker: opened by failures, half opened by time, latched by the kill."""

import pytest

from polybawt.core.machine import IllegalAction
from polybawt.core.machines.breaker import (
    Action,
    Breaker,
    BreakerMachine,
    Cool,
    Failure,
    Latch,
    Reset,
    Success,
)  # fmt: skip

NEW = Breaker(name="venue", failures_max=3, cool_ns=100)


def failure(at_ns: int = 0, reason: str = "500") -> Failure:
    return Failure(at_ns=at_ns, name="venue", reason=reason)


def cool(at_ns: int) -> Cool:
    return Cool(at_ns=at_ns, name="venue")


SUCCESS = Success(name="venue")
LATCH = Latch(at_ns=7, name="venue", actor="file", reason="drawdown")
RESET = Reset(at_ns=9, name="venue", actor="ops", reason="checked")


def after(*actions: Action) -> Breaker:
    breaker = NEW
    for action in actions:
        breaker, outputs = BreakerMachine.step(breaker, action)
        assert outputs == ()
    return breaker


def test_it_opens_at_its_limit_and_not_before() -> None:
    assert after(failure(), failure()).state == "closed"
    breaker = after(failure(), failure(), failure(50, "reset"))
    assert (breaker.state, breaker.since_ns, breaker.reason) == ("open", 50, "reset")


def test_a_success_starts_the_count_again() -> None:
    breaker = after(failure(), failure(), SUCCESS, failure(), failure())

    assert (breaker.state, breaker.failures) == ("closed", 2)


def test_time_alone_half_opens_it() -> None:
    breaker = after(failure(), failure(), failure(50))

    with pytest.raises(IllegalAction):
        BreakerMachine.step(breaker, cool(149))
    assert BreakerMachine.step(breaker, cool(150))[0].state == "half_open"


def test_one_success_closes_a_half_open_breaker() -> None:
    breaker = after(failure(), failure(), failure(50), cool(150), SUCCESS)

    assert (breaker.state, breaker.failures, breaker.reason) == ("closed", 0, "")


def test_one_failure_opens_a_half_open_breaker_for_another_while() -> None:
    breaker = after(failure(), failure(), failure(50), cool(150), failure(160))

    assert (breaker.state, breaker.since_ns) == ("open", 160)
    with pytest.raises(IllegalAction):
        BreakerMachine.step(breaker, cool(259))


@pytest.mark.parametrize("late", [SUCCESS, failure(60)])
def test_an_answer_to_what_was_sent_before_it_opened_decides_nothing(late: Action) -> None:
    opened = after(failure(), failure(), failure(50))

    assert opened == BreakerMachine.step(opened, late)[0]


@pytest.mark.parametrize(
    "before", [(), (failure(), failure(), failure()), (failure(), failure(), failure(), cool(100))]
)
def test_the_kill_latches_it_from_everywhere(before: tuple[Action, ...]) -> None:
    breaker = after(*before, LATCH)

    assert (breaker.state, breaker.reason, breaker.actor) == ("latched", "drawdown", "file")


@pytest.mark.parametrize(
    "action", [SUCCESS, failure(), Latch(at_ns=99, name="venue", actor="api", reason="other")]
)
def test_nothing_but_an_operator_leads_out_of_the_kill(action: Action) -> None:
    """Neither success nor time, and the first reason stands.  Proves: kill."""
    latched = after(LATCH)

    assert latched == BreakerMachine.step(latched, action)[0]
    with pytest.raises(IllegalAction):
        BreakerMachine.step(latched, cool(10**18))


@pytest.mark.parametrize("before", [(LATCH,), (failure(),) * 3])
def test_an_operator_closes_it_and_is_remembered_with_the_reason(
    before: tuple[Action, ...],
) -> None:
    breaker = after(*before, RESET)

    assert (breaker.state, breaker.failures) == ("closed", 0)
    assert (breaker.actor, breaker.reason, breaker.since_ns) == ("ops", "checked", 9)


def test_resetting_a_closed_breaker_changes_nothing() -> None:
    assert after(failure()) == after(failure(), RESET)

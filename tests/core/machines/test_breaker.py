"""Lives of a breaker: opened by failures, half opened by time, closed by a probe, or latched."""

import pytest
from attrs import evolve

from polybawt.core.machine import IllegalAction
from polybawt.core.machines.breaker import (
    Action,
    Breaker,
    BreakerMachine,
    Cool,
    Failure,
    Latch,
    Probe,
    Reset,
    Success,
)  # fmt: skip

NEW = Breaker(name="venue", failures_max=3, cool_ns=100)


def failure(at_ns: int = 1, reason: str = "500", asked_ns: int | None = None) -> Failure:
    asked_ns = at_ns if asked_ns is None else asked_ns
    return Failure(at_ns=at_ns, name="venue", reason=reason, asked_ns=asked_ns)


def success(asked_ns: int = 1) -> Success:
    return Success(at_ns=asked_ns, name="venue", asked_ns=asked_ns)


def probe(at_ns: int) -> Probe:
    return Probe(at_ns=at_ns, name="venue")


def cool(at_ns: int) -> Cool:
    return Cool(at_ns=at_ns, name="venue")


LATCH = Latch(at_ns=7, name="venue", actor="file", reason="drawdown")
RESET = Reset(at_ns=9, name="venue", actor="ops", reason="checked")
OPENED = (failure(10), failure(20), failure(50))


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
    breaker = after(failure(), failure(), success(), failure(), failure())

    assert (breaker.state, breaker.failures) == ("closed", 2)


def test_time_alone_half_opens_it() -> None:
    breaker = after(*OPENED)

    with pytest.raises(IllegalAction):
        BreakerMachine.step(breaker, cool(149))
    assert BreakerMachine.step(breaker, cool(150))[0].state == "half_open"


def test_an_answer_to_a_probe_closes_it() -> None:
    breaker = after(*OPENED, cool(150), probe(160), success(160))

    assert (breaker.state, breaker.failures, breaker.reason) == ("closed", 0, "")


def test_a_probe_that_fails_opens_it_for_another_while() -> None:
    breaker = after(*OPENED, cool(150), probe(155), failure(160, asked_ns=155))

    assert (breaker.state, breaker.since_ns) == ("open", 160)
    with pytest.raises(IllegalAction):
        BreakerMachine.step(breaker, cool(259))


@pytest.mark.parametrize("late", [success(50), failure(200, asked_ns=49)])
@pytest.mark.parametrize("then", [(), (cool(150),), (cool(150), probe(155), success(155))])
def test_an_answer_to_what_was_asked_before_it_opened_decides_nothing(
    then: tuple[Action, ...], late: Action
) -> None:
    """A request may take 15 s and a breaker cools in 5: such an answer is no probe's."""
    breaker = after(*OPENED, *then)

    assert breaker == BreakerMachine.step(breaker, late)[0]


def test_what_failed_before_a_reset_does_not_count_after_it() -> None:
    breaker = after(*OPENED, evolve(RESET, at_ns=60), failure(70, asked_ns=55))

    assert (breaker.state, breaker.failures) == ("closed", 0)


def test_one_probe_leaves_in_a_cooling_time() -> None:
    """Nobody promises that it is answered: then another may leave."""
    breaker = after(*OPENED, cool(150), probe(150))

    assert breaker.bars(249)
    with pytest.raises(IllegalAction):
        BreakerMachine.step(breaker, probe(249))
    assert not breaker.bars(250)
    assert BreakerMachine.step(breaker, probe(250))[0].probed_ns == 250


@pytest.mark.parametrize(
    ("before", "barred"),
    [((), False), (OPENED, True), ((*OPENED, cool(150)), False), ((LATCH,), True)],
)
def test_it_bars_the_way_while_it_is_shut(before: tuple[Action, ...], barred: bool) -> None:
    assert barred == after(*before).bars(10**6)


@pytest.mark.parametrize("before", [(), OPENED, (*OPENED, cool(150))])
def test_it_can_be_latched_from_everywhere(before: tuple[Action, ...]) -> None:
    breaker = after(*before, LATCH)

    assert (breaker.state, breaker.reason, breaker.actor) == ("latched", "drawdown", "file")


@pytest.mark.parametrize(
    "action", [success(8), failure(8), Latch(at_ns=99, name="venue", actor="api", reason="other")]
)
def test_nothing_but_an_operator_unlatches_it(action: Action) -> None:
    """Neither success nor time, and the first reason stands."""
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

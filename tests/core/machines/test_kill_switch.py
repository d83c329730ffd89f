"""Lives of the kill switch: fired by anybody, drained in the end, armed by an operator alone."""

import pytest

from polybawt.core.commands import CancelAll, ReadOpenOrders
from polybawt.core.machine import Command, IllegalAction
from polybawt.core.machines.kill_switch import (
    Action,
    Ask,
    Drain,
    Fire,
    KillSwitch,
    KillSwitchMachine,
    Reset,
    Rest,
)  # fmt: skip

FIRE = Fire(at_ns=7, source="file", reason="drawdown", actor="jo")
OTHER = Fire(at_ns=99, source="terminal", reason="lunch", actor="al")
RESET = Reset(at_ns=200, actor="ops", reason="checked")
EMPTY = Drain(listed=False, unended=False)
REST = Rest(at_ns=50)


def ask(at_ns: int) -> Ask:
    return Ask(at_ns=at_ns, every_ns=100)


def after(*actions: Action) -> tuple[KillSwitch, list[Command]]:
    """What it is after all of them, and what the last one asked for."""
    switch, said = KillSwitch(), list[Command]()
    for action in actions:
        switch, outputs = KillSwitchMachine.step(switch, action)
        said = [output for output in outputs if isinstance(output, Command)]
    return switch, said


def test_firing_asks_for_the_end_of_everything_and_says_why() -> None:
    switch, said = after(FIRE)

    assert said == [CancelAll()]
    assert (switch.state, switch.why, switch.since_ns) == ("fired", "file: drawdown", 7)
    assert KillSwitch().why == ""


@pytest.mark.parametrize("before", [(FIRE,), (FIRE, EMPTY)])
def test_the_first_reason_stands(before: tuple[Action, ...]) -> None:
    """The operator must learn what happened first, not what happened last.  Proves: kill."""
    assert after(*before, OTHER) == (after(*before)[0], [])


def test_time_asks_again_but_not_at_once() -> None:
    """A cancel may be lost, and what was on its way rests only later.  Proves: H6, kill."""
    with pytest.raises(IllegalAction):
        after(FIRE, ask(106))
    assert after(FIRE, ask(107))[1] == [CancelAll(), ReadOpenOrders()]
    with pytest.raises(IllegalAction):
        after(FIRE, ask(107), ask(206))
    assert after(FIRE, ask(107), ask(207))[1] == [CancelAll(), ReadOpenOrders()]


@pytest.mark.parametrize(("listed", "unended"), [(True, False), (False, True), (True, True)])
def test_it_is_drained_only_when_venue_and_records_agree_that_nothing_is_left(
    listed: bool, unended: bool
) -> None:
    """The venue's list may be older than a copy that lands; our records may be untrue."""
    with pytest.raises(IllegalAction):
        after(FIRE, Drain(listed=listed, unended=unended))
    assert after(FIRE, EMPTY)[0].state == "drained"


def test_drained_goes_on_looking_and_fires_again_over_what_it_finds() -> None:
    """An order that was called refused may rest all the same."""
    assert after(FIRE, EMPTY, ask(107))[1] == [ReadOpenOrders()]
    switch, said = after(FIRE, EMPTY, REST)

    assert said == [CancelAll()]
    assert (switch.state, switch.why, switch.since_ns) == ("fired", "file: drawdown", 7)
    assert after(FIRE, REST) == (after(FIRE)[0], [])


@pytest.mark.parametrize("before", [(FIRE,), (FIRE, EMPTY)])
def test_only_an_operator_with_a_reason_arms_it_again(before: tuple[Action, ...]) -> None:
    """Proves: kill."""
    for actor, reason in (("", "checked"), ("ops", ""), ("ops", "  ")):
        assert after(*before, Reset(actor=actor, reason=reason))[0] == after(*before)[0]
    switch, said = after(*before, RESET)

    assert (switch.state, switch.why, said) == ("armed", "", [])
    assert (switch.actor, switch.reason, switch.since_ns) == ("ops", "checked", 200)
    assert after(*before, RESET, OTHER)[0].why == "terminal: lunch"


def test_an_armed_switch_has_nothing_to_ask_drain_or_reset() -> None:
    for action in (ask(10**18), EMPTY, REST):
        with pytest.raises(IllegalAction):
            after(action)
    assert after(RESET) == (KillSwitch(), [])

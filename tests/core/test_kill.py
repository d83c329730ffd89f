"""The kill in the kernel: it withdraws, asks again, believes only proof, and stays."""

import pytest

from polybawt.core import facts
from polybawt.core.codec import decode_state, encode_state
from polybawt.core.commands import CancelAll, CancelOrder, ReadOpenOrders
from polybawt.core.machines import order
from polybawt.core.units import SECOND_NS
from tests.core.script import Script, shares

KILL = facts.KillRequested(actor="me", reason="enough", source="terminal")
RESET = facts.ResetRequested(breaker="kill", actor="me", reason="looked into")
EMPTY = facts.OpenOrdersRead(order_ids=())


@pytest.fixture
def script() -> Script:
    script = Script().start()
    script.wait(1)
    script.quote()
    return script


def end(script: Script, intent_id: str = "i1") -> None:
    """Its record says that it was cancelled."""
    script.say(order.ReadClosed(intent_id=intent_id, matched=shares(0), outcome="cancelled"))


def test_the_end_of_what_rests_is_asked_for_until_nothing_does(script: Script) -> None:
    """A cancel that was lost must not leave an order to fill.  Proves: kill, H6."""
    script.rest()
    script.say(KILL)
    asked = 0
    for _ in range(90):
        script.wait(0.1)
        asked += len(script.of(CancelAll))
    assert asked == 3  # every third second

    end(script)
    script.say(EMPTY)
    script.wait(10)
    assert script.of(CancelAll) == []
    assert script.of(ReadOpenOrders) == [ReadOpenOrders()]  # it goes on looking


def test_it_is_drained_only_by_proof(script: Script) -> None:
    """Neither an empty list with a record open, nor ended records with a list that is not empty."""
    script.rest()
    script.say(KILL)
    script.say(EMPTY)
    assert script.state.kill.state == "fired"
    end(script)
    script.say(facts.OpenOrdersRead(order_ids=("0xstranger",)))
    assert script.state.kill.state == "fired"
    script.say(EMPTY)

    assert script.state.kill.state == "drained"
    assert script.noticed("kill_drained") == 1
    assert script.state.killed() == "terminal: enough"


def test_a_stranger_that_is_found_when_drained_fires_it_again(script: Script) -> None:
    """Whoever placed it: after a kill nothing of this account may rest."""
    script.say(KILL, EMPTY)
    assert script.state.kill.state == "drained"
    script.say(facts.OpenOrdersRead(order_ids=("0xstranger",)))

    assert script.state.kill.state == "fired"
    assert script.of(CancelAll) == [CancelAll()]
    assert CancelOrder(intent_id="", order_id="0xstranger") in script.said


def test_an_order_that_was_called_refused_and_lives_fires_it_again(script: Script) -> None:
    """The refusal was untrue.  Proves: H6."""
    script.sign(script.want())
    script.say(order.Reject(intent_id="i1", reason="no"), KILL, EMPTY)
    assert script.state.kill.state == "drained"
    script.say(order.AckLive(intent_id="i1"))
    script.wait()

    assert script.state.kill.state == "fired"
    assert script.of(CancelAll) == [CancelAll()]


def test_a_kill_outlives_the_process_and_its_snapshot(script: Script) -> None:
    """It lives in the journal like everything.  Proves: kill, recovery."""
    script.rest()
    script.say(KILL)
    script.state = decode_state(encode_state(script.state))
    script.say(facts.Started(epoch=2, config=script.state.config))
    script.agree()
    assert script.state.killed() == "terminal: enough"
    script.wait(3)

    assert script.of(CancelAll) == [CancelAll()]
    script.quote()
    assert script.want() is None


def test_a_reset_without_a_reason_is_told_and_does_nothing(script: Script) -> None:
    """Proves: kill."""
    script.say(KILL)
    script.say(facts.ResetRequested(breaker="kill", actor="me", reason=" "))
    assert script.state.killed()
    assert script.noticed("reset_unexplained") == 1
    script.say(RESET)

    assert script.state.killed() == ""
    assert script.noticed("kill_armed") == 1
    assert script.state.kill.since_ns == script.now_ns


def test_answers_that_come_after_a_reset_change_nothing(script: Script) -> None:
    script.say(KILL, RESET)
    script.wait(60)
    script.say(EMPTY, facts.OpenOrdersRead(order_ids=("0xstranger",)))

    assert script.state.kill.state == "armed"
    assert script.of(CancelAll) == []


def test_why_no_order_may_leave_is_one_answer() -> None:
    """Asked when it is wanted, when it is signed and at the socket; the kill is named first."""
    script = Script()
    assert script.state.barred() == "starting"
    script.start()
    assert script.state.barred() == ""
    script.say(facts.StopRequested(actor="SIGTERM"))
    assert script.state.barred() == "stopping"
    script.say(KILL)
    assert script.state.barred() == "terminal: enough"
    assert script.state.kill.since_ns == script.now_ns > SECOND_NS

"""Lives of a session: it asks, waits for every answer, trades, and ends in order."""

import pytest

from polybawt.core.commands import Stop as Leave
from polybawt.core.machine import IllegalAction, Output
from polybawt.core.machines.recovery import (
    Action,
    Arrive,
    Ask,
    Query,
    Recovery,
    RecoveryMachine,
    Rest,
    Start,
    Stop,
)  # fmt: skip

READS = ("order:i1", "trades")
START = Start(at_ns=5, epoch=1, reads=READS)
AGREED = (START, Arrive(read="trades"), Arrive(at_ns=9, read="order:i1"))


def after(*actions: Action) -> tuple[Recovery, tuple[Output, ...]]:
    session, outputs = Recovery(), tuple[Output, ...]()
    for action in actions:
        session, outputs = RecoveryMachine.step(session, action)
    return session, outputs


def waits(session: Recovery) -> list[str]:
    return [awaited.read for awaited in session.awaited]


def test_a_start_asks_everything_at_once() -> None:
    session, outputs = after(START)

    assert outputs == tuple(Query(at_ns=5, read=read) for read in READS)
    assert (session.state, session.epoch, waits(session)) == ("reconciling", 1, [*READS])


def test_it_trades_only_when_all_have_arrived() -> None:
    """Proves: recovery."""
    session, _ = after(*AGREED[:2])
    assert (session.state, waits(session)) == ("reconciling", ["order:i1"])
    session, _ = after(*AGREED[:2], Arrive(read="trades"), Arrive(read="balance"))
    assert (session.state, waits(session)) == ("reconciling", ["order:i1"])
    session, _ = after(*AGREED)

    assert (session.state, waits(session), session.since_ns) == ("trading", [], 9)


@pytest.mark.parametrize(
    "before", [(START,), AGREED, (START, Stop()), (START, Stop(), Rest(quiet=True, most_ns=1))]
)
def test_whatever_it_was_doing_another_process_begins_anew(before: tuple[Action, ...]) -> None:
    """A crash may come between any two steps.  Proves: recovery."""
    session, _ = after(*before, Start(at_ns=50, epoch=2, reads=("trades",)))

    assert (session.state, session.epoch, waits(session)) == ("reconciling", 2, ["trades"])


@pytest.mark.parametrize("epoch", [0, 1])
def test_a_process_of_an_earlier_life_cannot_take_over(epoch: int) -> None:
    with pytest.raises(IllegalAction):
        after(START, Start(epoch=epoch, reads=READS))


def test_what_was_lost_is_asked_for_again_but_not_at_once() -> None:
    with pytest.raises(IllegalAction):
        after(START, Ask(at_ns=14, read="trades", every_ns=10))
    session, outputs = after(START, Ask(at_ns=15, read="trades", every_ns=10))
    assert outputs == (Query(at_ns=15, read="trades"),)
    assert waits(session) == [*READS]
    for read, at_ns in (("trades", 24), ("balance", 99)):
        with pytest.raises(IllegalAction):
            RecoveryMachine.step(session, Ask(at_ns=at_ns, read=read, every_ns=10))


def test_a_late_or_repeated_answer_changes_nothing_while_it_trades() -> None:
    assert after(*AGREED, Arrive(read="trades")) == (after(*AGREED)[0], ())
    assert after(Arrive(read="trades")) == (Recovery(), ())


def test_it_stops_when_all_is_quiet() -> None:
    """Proves: recovery (graceful stop)."""
    stopping = (*AGREED, Stop(at_ns=100))
    with pytest.raises(IllegalAction):
        after(*stopping, Rest(at_ns=101, quiet=False, most_ns=10))
    session, outputs = after(*stopping, Rest(at_ns=101, quiet=True, most_ns=10))

    assert (session.state, outputs) == ("stopped", (Leave(),))


def test_it_does_not_wait_for_ever_to_stop() -> None:
    """What is still open then the next life asks about."""
    stopping = (*AGREED, Stop(at_ns=100), Stop(at_ns=105))  # asking twice wins no time
    with pytest.raises(IllegalAction):
        after(*stopping, Rest(at_ns=109, quiet=False, most_ns=10))
    session, outputs = after(*stopping, Rest(at_ns=110, quiet=False, most_ns=10))

    assert (session.state, outputs) == ("stopped", (Leave(),))


def test_no_answer_makes_a_stopping_session_trade() -> None:
    session, _ = after(START, Stop(), Arrive(read="trades"), Arrive(read="order:i1"))

    assert (session.state, waits(session)) == ("stopping", [])
    with pytest.raises(IllegalAction):
        RecoveryMachine.step(session, Ask(at_ns=99, read="trades", every_ns=1))


def test_who_is_asked_to_stop_before_he_began_stops_too() -> None:
    assert after(Stop(), Rest(quiet=True, most_ns=1))[0].state == "stopped"
    with pytest.raises(IllegalAction):
        after(Rest(quiet=True, most_ns=1))

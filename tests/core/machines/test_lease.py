"""Lives of a lease: asked for, held, renewed, run out, lost to another, given back."""

import pytest
from attrs import evolve

from polybawt.core.machine import IllegalAction, Outputs
from polybawt.core.machines.lease import (
    Acquire,
    Action,
    AskLease,
    Fenced,
    Grant,
    Lapse,
    Lease,
    LeaseMachine,
    Refuse,
    Release,
    ReleaseLease,
    Renew,
    Renewed,
    TakenOver,
    TakeOver,
    Timeout,
    may_trade,
    may_write,
)  # fmt: skip

NEW = Lease(process="a", ttl_ns=100, margin_ns=20)


def acquire(at_ns: int) -> Acquire:
    return Acquire(at_ns=at_ns, process="a")


def grant(at_ns: int, epoch: int = 7) -> Grant:
    return Grant(at_ns=at_ns, process="a", epoch=epoch)


def renew(at_ns: int) -> Renew:
    return Renew(at_ns=at_ns, process="a")


def renewed(at_ns: int) -> Renewed:
    return Renewed(at_ns=at_ns, process="a")


def lapse(at_ns: int) -> Lapse:
    return Lapse(at_ns=at_ns, process="a")


REFUSE, TIMEOUT = Refuse(process="a"), Timeout(process="a")
TAKEN_OVER, FENCED, RELEASE = TakenOver(process="a"), Fenced(process="a"), Release(process="a")

HELD = (acquire(0), grant(5))
LEADING = (*HELD, TAKEN_OVER)
LAPSED = (*LEADING, lapse(80))


def played(*actions: Action) -> tuple[Lease, Outputs]:
    lease, outputs = NEW, Outputs()
    for action in actions:
        lease, outputs = LeaseMachine.step(lease, action)
    return lease, outputs


def after(*actions: Action) -> Lease:
    return played(*actions)[0]


def test_what_is_asked_of_the_store_is_a_new_epoch_or_more_time_under_ours() -> None:
    """The store tells the two apart by the epoch that we name."""
    assert played(acquire(0))[1] == (AskLease(process="a", epoch=0),)
    assert played(*LEADING, renew(30))[1] == (AskLease(process="a", epoch=7),)


def test_our_time_counts_from_the_question_not_from_the_answer() -> None:
    """The store's time began somewhere between the two.  Proves: P3.2."""
    lease = after(acquire(10), grant(60))

    assert (lease.state, lease.epoch, lease.deadline_ns) == ("taking_over", 7, 10 + 100 - 20)


def test_a_grant_that_comes_too_late_is_let_run_out() -> None:
    """Nothing was written under it, so nobody need ever hear of it."""
    assert after(acquire(0), grant(79)).state == "taking_over"
    assert after(acquire(0), grant(80)) == NEW


def test_an_epoch_that_is_not_newer_is_refused() -> None:
    """Epochs only grow; a store that says otherwise is not to be led by."""
    with pytest.raises(IllegalAction):
        after(acquire(0), grant(5, epoch=0))


def test_nothing_new_is_written_before_the_predecessors_orders_are_known() -> None:
    """Or two leaders' orders together exceed what one may risk.  Proves: P3.2."""
    held, outputs = played(*HELD)

    assert outputs == (TakeOver(process="a", epoch=7),)
    assert may_write(held, 79)
    assert not may_trade(held, 79)
    assert may_trade(after(*LEADING), 79)


def test_at_its_own_deadline_a_leader_stops_whether_or_not_it_has_noticed() -> None:
    """A paused process wakes up and looks at its clock first.  Proves: P3.2."""
    leading = after(*LEADING)

    assert (may_write(leading, 79), may_trade(leading, 79)) == (True, True)
    assert (may_write(leading, 80), may_trade(leading, 80)) == (False, False)
    with pytest.raises(IllegalAction):
        LeaseMachine.step(leading, lapse(79))
    assert LeaseMachine.step(leading, lapse(80))[0].state == "lapsed"


def test_a_renewal_prolongs_from_when_it_was_asked_for() -> None:
    lease = after(*LEADING, renew(30), renewed(60))

    assert (lease.state, lease.deadline_ns, lease.asked_ns) == ("leading", 30 + 80, None)


def test_a_renewal_that_comes_too_late_prolongs_nothing() -> None:
    lease = after(*LEADING, renew(30), renewed(110))

    assert not may_write(lease, 110)
    assert after(*LAPSED) == after(*LAPSED, renew(90), renewed(170))


def test_silence_changes_nothing_and_lets_us_ask_again() -> None:
    """The store may have done what we asked: our own deadline knows nothing of it."""
    assert after(acquire(0), TIMEOUT) == NEW
    assert after(*LEADING) == after(*LEADING, renew(30), TIMEOUT)
    assert after(*LAPSED) == after(*LAPSED, renew(90), TIMEOUT)


def test_only_one_question_is_open_at_a_time() -> None:
    """Else a late answer to the first would be counted from the second."""
    with pytest.raises(IllegalAction):
        after(*LEADING, renew(30), renew(31))


@pytest.mark.parametrize("before", [HELD, LEADING, LAPSED])
@pytest.mark.parametrize("answer", [TIMEOUT, renewed(90)])
def test_nobody_answers_what_was_not_asked(before: tuple[Action, ...], answer: Action) -> None:
    """A shell that hears two answers to one question counts from the wrong moment."""
    with pytest.raises(IllegalAction):
        after(*before, answer)


def test_a_lapsed_lease_that_is_renewed_is_taken_over_once_more() -> None:
    """Nobody wrote meanwhile, or the store would have refused; but we look again."""
    lease, outputs = played(*LAPSED, renew(90), renewed(95))

    assert (lease.state, lease.epoch, lease.deadline_ns) == ("taking_over", 7, 90 + 80)
    assert outputs == (TakeOver(process="a", epoch=7),)


def test_having_taken_over_too_late_is_not_leading() -> None:
    lapsed = after(*HELD, lapse(80))

    assert lapsed == after(*HELD, lapse(80), TAKEN_OVER)


def test_another_has_the_lease_and_we_stand_by() -> None:
    assert after(acquire(0), REFUSE) == NEW


@pytest.mark.parametrize("before", [HELD, LEADING, LAPSED])
@pytest.mark.parametrize("no", [(renew(90), REFUSE), (REFUSE,), (FENCED,)])
def test_a_deposed_process_never_acts_again(
    before: tuple[Action, ...], no: tuple[Action, ...]
) -> None:
    """Whoever is told of a newer epoch ends, whatever its clock says.  Proves: P3.2."""
    lease = after(*before, *no)

    assert lease.state == "deposed"
    assert not may_write(lease, 0)
    for action in (acquire(99), grant(99, 9), renew(99), renewed(99), TAKEN_OVER, FENCED, RELEASE):
        assert not LeaseMachine.allows(lease, action)


@pytest.mark.parametrize("before", [HELD, LEADING, LAPSED, (*LEADING, renew(30))])
def test_who_gives_it_back_writes_no_more(before: tuple[Action, ...]) -> None:
    """The store may give it to another at once.  Proves: P3.2."""
    lease, outputs = played(*before, evolve(RELEASE, at_ns=50))

    assert (lease.state, lease.asked_ns, lease.deadline_ns) == ("released", None, 50)
    assert outputs == (ReleaseLease(process="a", epoch=7),)
    assert not may_write(lease, 49)


def test_what_was_never_held_cannot_be_given_back() -> None:
    with pytest.raises(IllegalAction):
        LeaseMachine.step(evolve(NEW, state="acquiring", asked_ns=0), RELEASE)

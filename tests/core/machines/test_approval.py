"""Lives of an approval: for these terms, this long, once, and every click is answered."""

import pytest
from attrs import evolve

from polybawt.core.commands import Notify
from polybawt.core.machine import IllegalAction
from polybawt.core.machines.approval import (
    Action,
    Approval,
    ApprovalMachine,
    Approve,
    Decline,
    Expire,
    Granted,
    Use,
    Withdraw,
)  # fmt: skip

TERMS = "BUY 10 shares of 7 at 0.450000, GTD 12:00"
NEW = Approval(approval_id="a-1", terms=TERMS, expires_ns=100)


def approve(at_ns: int = 10, actor: str = "ann", terms: str = TERMS) -> Approve:
    return Approve(at_ns=at_ns, approval_id="a-1", actor=actor, terms=terms, reason="looks right")


def decline(at_ns: int = 20, actor: str = "bob") -> Decline:
    return Decline(at_ns=at_ns, approval_id="a-1", actor=actor, reason="too dear")


def use(at_ns: int = 30, terms: str = TERMS) -> Use:
    return Use(at_ns=at_ns, approval_id="a-1", terms=terms)


EXPIRE = Expire(at_ns=100, approval_id="a-1")
WITHDRAW = Withdraw(at_ns=40, approval_id="a-1", reason="market ended")
ENDS: dict[str, tuple[Action, ...]] = {
    "declined": (decline(),),
    "expired": (EXPIRE,),
    "void": (WITHDRAW,),
    "used": (approve(), use()),
}


def after(*actions: Action) -> Approval:
    approval = NEW
    for action in actions:
        approval, _ = ApprovalMachine.step(approval, action)
    return approval


def test_an_approval_keeps_who_gave_it_when_and_why() -> None:
    """The audit asks for a name, never for a machine's word."""
    given = after(approve())

    assert (given.state, given.actor, given.reason) == ("approved", "ann", "looks right")
    assert given.decided_ns == 10


def test_using_it_grants_one_trade_on_exactly_these_terms() -> None:
    used, outputs = ApprovalMachine.step(after(approve()), use(at_ns=99))

    granted = Granted(at_ns=99, approval_id="a-1", terms=TERMS, actor="ann")
    assert (used.state, outputs) == ("used", (granted,))


def test_an_approval_is_never_used_twice() -> None:
    """The record survives a crash, and says that it was used.  Proves: A-strat."""
    used = after(approve(), use())

    with pytest.raises(IllegalAction):
        ApprovalMachine.step(used, use())


def test_nothing_is_used_that_was_not_approved() -> None:
    for story in ((), *(ENDS[end] for end in ("declined", "expired", "void"))):
        with pytest.raises(IllegalAction):
            ApprovalMachine.step(after(*story), use())


def test_an_approval_that_ran_out_is_not_used() -> None:
    """Even when nobody had looked at the clock: the use itself says what time it is."""
    expired, outputs = ApprovalMachine.step(after(approve()), use(at_ns=100))

    assert expired.state == "expired"
    assert not any(isinstance(output, Granted) for output in outputs)


def test_an_approval_of_terms_that_changed_is_void() -> None:
    void, outputs = ApprovalMachine.step(after(approve()), use(terms="BUY 10 shares of 7 at 0.46"))

    assert (void.state, void.cause) == ("void", "other terms")
    assert not any(isinstance(output, Granted) for output in outputs)


def test_a_click_on_other_terms_approves_nothing_and_is_told() -> None:
    """The screen of the operator was older than the request."""
    waiting, (notice,) = ApprovalMachine.step(NEW, approve(terms="BUY 1000 shares"))

    assert waiting == NEW
    assert isinstance(notice, Notify)
    assert "ann approved other terms" in notice.text


@pytest.mark.parametrize("click", [approve(at_ns=100), decline(at_ns=100)])
def test_a_click_at_the_last_moment_is_too_late(click: Approve | Decline) -> None:
    """It runs out *at* its time, whoever notices first."""
    expired, (notice,) = ApprovalMachine.step(NEW, click)

    assert (expired.state, expired.actor) == ("expired", "")
    assert isinstance(notice, Notify)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("click", [approve(at_ns=50, actor="eve"), decline(at_ns=50, actor="eve")])
def test_a_click_after_the_end_does_nothing_and_is_told(end: str, click: Approve | Decline) -> None:
    ended = after(*ENDS[end])

    same, (notice,) = ApprovalMachine.step(ended, click)

    assert (same.state, same) == (end, ended)
    assert isinstance(notice, Notify)
    assert "eve" in notice.text
    assert end in notice.text


def test_a_second_approval_leaves_the_first_ones_name() -> None:
    given = after(approve())

    assert given == after(approve(), approve(actor="eve"))


def test_an_approval_can_be_taken_back_until_it_is_used() -> None:
    taken_back = after(approve(), decline())

    assert (taken_back.state, taken_back.actor, taken_back.reason) == (
        "declined", "bob", "too dear",
    )  # fmt: skip


@pytest.mark.parametrize("story", [(), (approve(),)])
def test_it_expires_at_its_time_and_not_before(story: tuple[Action, ...]) -> None:
    with pytest.raises(IllegalAction):
        ApprovalMachine.step(after(*story), evolve(EXPIRE, at_ns=99))
    assert after(*story, EXPIRE).state == "expired"


@pytest.mark.parametrize("story", [(), (approve(),)])
def test_what_is_not_to_be_had_any_more_is_void_whatever_was_said(
    story: tuple[Action, ...],
) -> None:
    void, (notice,) = ApprovalMachine.step(after(*story), WITHDRAW)

    assert (void.state, void.cause) == ("void", "market ended")
    assert (void.actor, void.reason) == (after(*story).actor, after(*story).reason)
    assert isinstance(notice, Notify)


def test_a_click_without_a_name_is_our_mistake() -> None:
    with pytest.raises(AssertionError):
        ApprovalMachine.step(NEW, approve(actor=""))


def test_an_approval_of_nobody_grants_nothing() -> None:
    """A record that was tampered with, or a fault of ours: it stops the engine."""
    with pytest.raises(AssertionError):
        ApprovalMachine.step(evolve(after(approve()), actor=""), use())

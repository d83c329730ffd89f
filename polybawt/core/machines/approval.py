"""A human's approval of one proposed trade: asked for, given or not, and used at most once.

An approval is for exactly the terms that were shown, until it runs out; it says who gave it and
why.  Its end is an end: a click that comes too late, or for other terms, changes nothing, and
whoever clicked is told so.  An operator may take an approval back until it is used.  The engine
*uses* it: that is one fact in the journal, and only what follows from it may trade.  A crash
after that loses the trade and never repeats it.

Terms are compared as text: what the human saw, word for word.

Not here: what is proposed and why, who may approve, and how the human is asked.

Spec: models/Approval.tla.
"""

from attrs import evolve, frozen
from statemachine import State

from polybawt.core import machine
from polybawt.core.commands import Notify
from polybawt.core.machine import Fact, Machine, Outputs, Record


@frozen(kw_only=True)
class Approval(Record):
    """``expires_ns``: from then on it is worth nothing. ``actor``: who decided, "" nobody yet.

    ``reason`` is the operator's, ``cause`` why it became void.
    """

    approval_id: str
    terms: str
    expires_ns: int
    actor: str = ""
    reason: str = ""
    decided_ns: int = 0
    cause: str = ""
    state: str = "requested"


@frozen(kw_only=True)
class Action(machine.Action):
    approval_id: str


@frozen(kw_only=True)
class Approve(Action):
    """``terms``: those that the human had before their eyes."""

    actor: str
    terms: str
    reason: str = ""


@frozen(kw_only=True)
class Decline(Action):
    """No; or, of what was approved and not used yet, no longer."""

    actor: str
    reason: str = ""


@frozen(kw_only=True)
class Expire(Action):
    """Its time has passed."""


@frozen(kw_only=True)
class Withdraw(Action):
    """What was proposed is not to be had any more: the price moved, the market ended."""

    reason: str


@frozen(kw_only=True)
class Use(Action):
    """The engine would trade now, on these terms."""

    terms: str


@frozen(kw_only=True)
class Granted(Fact):
    """Trade, on these terms, once."""

    approval_id: str
    terms: str
    actor: str


def in_time(approval: Approval, action: Action) -> bool:
    return action.at_ns < approval.expires_ns


def run_out(approval: Approval, action: Action) -> bool:
    return action.at_ns >= approval.expires_ns


def same_terms(approval: Approval, action: Approve | Use) -> bool:
    return action.terms == approval.terms


def decide(approval: Approval, click: Approve | Decline) -> tuple[Approval, Outputs]:
    assert click.actor, click
    after = evolve(approval, actor=click.actor, reason=click.reason, decided_ns=click.at_ns)
    return after, ()


def grant(approval: Approval, use: Use) -> tuple[Approval, Outputs]:
    assert approval.actor, approval
    granted = Granted(
        at_ns=use.at_ns,
        approval_id=approval.approval_id,
        terms=approval.terms,
        actor=approval.actor,
    )
    return approval, (granted,)


def _told(approval: Approval, text: str) -> Outputs:
    words = f"{approval.approval_id}: {text}"
    return (Notify(severity="info", name="approval", text=words),)


def tell_late(approval: Approval, click: Approve | Decline) -> tuple[Approval, Outputs]:
    verb = type(click).__name__.lower()
    text = f"{click.actor} would {verb}, but it is {approval.state}: nothing changed"
    return approval, _told(approval, text)


def tell_expired(approval: Approval, _: Action) -> tuple[Approval, Outputs]:
    return approval, _told(approval, "ran out")


def tell_terms(approval: Approval, click: Approve) -> tuple[Approval, Outputs]:
    return approval, _told(approval, f"{click.actor} approved other terms: nothing changed")


def take_back(approval: Approval, withdraw: Withdraw) -> tuple[Approval, Outputs]:
    return evolve(approval, cause=withdraw.reason), _told(approval, f"void: {withdraw.reason}")


def void_terms(approval: Approval, _: Use) -> tuple[Approval, Outputs]:
    return evolve(approval, cause="other terms"), _told(approval, "void: the terms changed")


class ApprovalMachine(Machine):
    requested = State(initial=True)
    approved = State()
    declined = State()
    expired = State()
    void = State()
    used = State()

    approve = approved.from_(requested, cond=[in_time, same_terms], on=decide)
    approve |= requested.from_(requested, cond=in_time, on=tell_terms)
    approve |= expired.from_(requested, on=tell_expired)  # the click was faster than the clock
    approve |= approved.from_(approved, on=tell_late)  # a second click, or a second operator
    approve |= declined.from_(declined, on=tell_late)
    approve |= expired.from_(expired, on=tell_late)
    approve |= void.from_(void, on=tell_late)
    approve |= used.from_(used, on=tell_late)

    decline = declined.from_(requested, approved, cond=in_time, on=decide)
    decline |= expired.from_(requested, approved, on=tell_expired)
    decline |= declined.from_(declined, on=tell_late)
    decline |= expired.from_(expired, on=tell_late)
    decline |= void.from_(void, on=tell_late)
    decline |= used.from_(used, on=tell_late)

    expire = expired.from_(requested, approved, cond=run_out, on=tell_expired)

    withdraw = void.from_(requested, approved, on=take_back)

    use = used.from_(approved, cond=[in_time, same_terms], on=grant)
    use |= void.from_(approved, cond=in_time, on=void_terms)
    use |= expired.from_(approved, on=tell_expired)

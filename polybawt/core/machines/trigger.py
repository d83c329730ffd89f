"""That one signal trades once: a record per (token, threshold) and per (condition, threshold).

A trigger is *claimed* before its order leaves, *fired* for good when the venue has accepted the
order, and *armed* again when it surely has not and never will.  While nobody knows, it stays
claimed: silence, a crash, and an order that was journaled and perhaps never sent free nothing;
the order's own record, or its end, does.

The two records of a signal move ``together`` or not at all: of the two tokens of one condition
only one can have the claim.  What is said of an order that does not hold the claim any more
(a refusal that is heard twice) decides nothing.

Not here: who wants to claim, what the order does, and when a refusal is sure (Order).

Spec: models/Trigger.tla.  Requirement G2.
"""

from collections.abc import Callable

from attrs import evolve, frozen
from statemachine import State

from polybawt.core import machine
from polybawt.core.machine import IllegalAction, Machine, Outputs, Record
from polybawt.core.units import Price


@frozen(kw_only=True)
class Trigger(Record):
    """``scope``: token or condition; ``subject``: its id; ``intent_id``: the order it is for."""

    scope: str
    subject: str
    threshold: Price
    intent_id: str = ""
    since_ns: int = 0
    reason: str = ""
    state: str = "armed"


@frozen(kw_only=True)
class Action(machine.Action):
    """It is about both records of one signal, and one order."""

    token_id: str
    condition_id: str
    threshold: Price
    intent_id: str


@frozen(kw_only=True)
class Claim(Action):
    """An order is to be made; journaled with it, before anything is sent."""


@frozen(kw_only=True)
class Unanswered(Action):
    """Nobody knows what became of the order."""


@frozen(kw_only=True)
class Fire(Action):
    """The venue has, or had, the order: in an answer, a push or its record."""


@frozen(kw_only=True)
class Release(Action):
    """The order was refused for sure, or was not sent, or can land no more and never did."""

    reason: str


Step = Callable[[Trigger, Action], tuple[Trigger, Outputs]]


def holds(trigger: Trigger, action: Action) -> bool:
    return action.intent_id == trigger.intent_id


def claim(trigger: Trigger, claim: Claim) -> tuple[Trigger, Outputs]:
    assert claim.intent_id, claim
    return evolve(trigger, intent_id=claim.intent_id, since_ns=claim.at_ns, reason=""), ()


def fire(trigger: Trigger, fire: Fire) -> tuple[Trigger, Outputs]:
    return evolve(trigger, since_ns=fire.at_ns), ()


def release(trigger: Trigger, release: Release) -> tuple[Trigger, Outputs]:
    return evolve(trigger, intent_id="", since_ns=release.at_ns, reason=release.reason), ()


class TriggerMachine(Machine):
    armed = State(initial=True)
    claimed = State()
    fired = State()

    claim = claimed.from_(armed, on=claim)

    unanswered = claimed.from_(claimed)
    unanswered |= fired.from_(fired)  # a push told us what the answer did not
    unanswered |= armed.from_(armed)  # its record told us what the answer did not

    fire = fired.from_(claimed, cond=holds, on=fire)
    fire |= fired.from_(fired, cond=holds)  # the answer, the push and the record all say it

    release = armed.from_(claimed, cond=holds, on=release)
    release |= claimed.from_(claimed)  # of the order before this one, once more
    release |= fired.from_(fired)
    release |= armed.from_(armed)


def together(
    token: Trigger, condition: Trigger, action: Action, step: Step = TriggerMachine.step
) -> tuple[Trigger, Trigger]:
    """Both records of a signal take the step, or ``IllegalAction`` and neither does."""
    assert (token.scope, token.subject) == ("token", action.token_id), (token, action)
    assert (condition.scope, condition.subject) == ("condition", action.condition_id), action
    assert token.threshold == condition.threshold == action.threshold, action
    if holds(token, action) != holds(condition, action):
        raise IllegalAction(condition, action)  # the order is of the condition's other token
    return step(token, action)[0], step(condition, action)[0]

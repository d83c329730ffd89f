"""The triggers' owner: that a threshold of a token, and of its condition, is traded on once.

A record that is armed is not kept: absence says the same.  Both records of a signal are claimed
by the fact that makes the order, so no crash and no replay can have the one without the other.
What is heard of the order decides the rest: any sign that the venue has or had it fires them
for good; what surely never left arms them at once; and a refusal or an end without a sign of
life arms them when the order is closed, for only then is it past all doubt.

Spec: models/Trigger.tla.  Requirement G2.
"""

from typing import Any, Final

from polybawt.core.machines import order, trigger
from polybawt.core.machines.order import Order
from polybawt.core.machines.trigger import Trigger
from polybawt.core.market import Market
from polybawt.core.state import State
from polybawt.core.strategies import Intent
from polybawt.core.units import Price, micro_text

TRIGGERS_MAX: Final = 20_000
NOT_SENT: Final = "not sent"  # how a refusal begins that was ours, at the socket
INVALID: Final = "INVALID"  # the one end that does not say whether it had begun
SIGNS_OF_LIFE: Final = (
    order.AckLive, order.AckDelayed, order.Duplicate, order.Fill, order.CancelDone, order.ReadOpen,
)  # fmt: skip


def key(scope: str, subject: str, threshold: Price) -> str:
    return f"{scope}:{subject}:{threshold}"


def traded(state: State, condition_id: str, threshold: Price) -> bool:
    """Whether one of the condition's tokens has traded at this threshold, or may have."""
    return key("condition", condition_id, threshold) in state.triggers


def why_not(state: State, intent: Intent) -> str:
    """Why an intent may not have the claim that it needs; "" when it may, or needs none."""
    if not intent.threshold:
        return ""
    for held in _pair(state, intent.token_id, intent.condition_id, intent.threshold):
        if held.state != "armed":
            at = micro_text(held.threshold)
            return f"{held.scope} {held.subject[:18]} at {at} is {held.state} by {held.intent_id}"
    if len(state.triggers) + 2 > TRIGGERS_MAX:
        return f"{len(state.triggers)} triggers are held, limit {TRIGGERS_MAX}"
    return ""


def claim(state: State, intent: Intent, intent_id: str) -> None:
    """The order is made: both records are its own from now on."""
    if not intent.threshold:
        return
    state.claims[intent_id] = intent.threshold
    wanted = trigger.Claim(
        at_ns=state.now_ns,
        token_id=intent.token_id,
        condition_id=intent.condition_id,
        threshold=intent.threshold,
        intent_id=intent_id,
    )
    _turn(state, wanted)


def heard(state: State, record: Order, action: order.Action) -> None:
    """An order that may hold a claim took a step."""
    threshold = state.claims.get(record.intent_id)
    if threshold is None:
        return
    about: dict[str, Any] = {
        "at_ns": state.now_ns,
        "token_id": record.token_id,
        "condition_id": record.condition_id,
        "threshold": threshold,
        "intent_id": record.intent_id,
    }
    if _alive(action):
        _turn(state, trigger.Fire(**about))
    elif isinstance(action, order.Timeout):
        _turn(state, trigger.Unanswered(**about))
    elif _never_left(action) or isinstance(action, order.Close):
        del state.claims[record.intent_id]
        _turn(state, trigger.Release(**about, reason=(record.reason or record.state)[:200]))


def forget(state: State, market: Market) -> None:
    """The market leaves memory, and cannot come back."""
    gone = {("condition", market.condition_id), *(("token", token) for token in market.tokens)}
    for name, held in tuple(state.triggers.items()):
        if (held.scope, held.subject) in gone:
            del state.triggers[name]


def _turn(state: State, action: trigger.Action) -> None:
    """Step both records; one that is armed again is not kept."""
    pair = _pair(state, action.token_id, action.condition_id, action.threshold)
    for held in trigger.together(*pair, action):
        name = key(held.scope, held.subject, held.threshold)
        if held.state == "armed":
            state.triggers.pop(name, None)
        else:
            state.triggers[name] = held


def _pair(
    state: State, token_id: str, condition_id: str, threshold: Price
) -> tuple[Trigger, Trigger]:
    return _one(state, "token", token_id, threshold), _one(
        state, "condition", condition_id, threshold
    )


def _one(state: State, scope: str, subject: str, threshold: Price) -> Trigger:
    known = state.triggers.get(key(scope, subject, threshold))
    return known or Trigger(scope=scope, subject=subject, threshold=threshold)


def _alive(action: order.Action) -> bool:
    """Whether this says that the venue has, or had, the order."""
    match action:
        case order.Ended():
            return not action.reason.startswith(INVALID)
        case order.ReadClosed():
            return action.outcome != "rejected" or action.matched > 0
        case _:
            return isinstance(action, SIGNS_OF_LIFE)


def _never_left(action: order.Action) -> bool:
    """Whether this says that nobody but us has ever seen the order."""
    refused = isinstance(action, order.Reject) and action.reason.startswith(NOT_SENT)
    return refused or isinstance(action, order.Abort)

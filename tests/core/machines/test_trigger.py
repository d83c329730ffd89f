"""Lives of a trigger: claimed with its order, fired with its acceptance, freed by its failure."""

from typing import Any

import pytest

from polybawt.core.machine import IllegalAction
from polybawt.core.machines.trigger import (
    Action,
    Claim,
    Fire,
    Release,
    Trigger,
    TriggerMachine,
    Unanswered,
    together,
)  # fmt: skip
from polybawt.core.units import Price

THRESHOLD = Price(950_000)
UP = Trigger(scope="token", subject="7", threshold=THRESHOLD)
DOWN = Trigger(scope="token", subject="8", threshold=THRESHOLD)
BOTH = Trigger(scope="condition", subject="0xc", threshold=THRESHOLD)


def about(
    kind: type[Action], intent_id: str, token_id: str = "7", at_ns: int = 9, **more: Any
) -> Action:
    if kind is Release:
        more = {"reason": "refused"}
    return kind(
        at_ns=at_ns,
        token_id=token_id,
        condition_id="0xc",
        threshold=THRESHOLD,
        intent_id=intent_id,
        **more,
    )


def after(*actions: Action) -> tuple[Trigger, Trigger]:
    pair = UP, BOTH
    for action in actions:
        pair = together(*pair, action)
    return pair


def states(pair: tuple[Trigger, Trigger]) -> tuple[str, str]:
    return pair[0].state, pair[1].state


CLAIM = about(Claim, "i-1")


def test_a_claim_takes_token_and_condition() -> None:
    """One signal, two records, one order.  Proves: B-core G2."""
    up, both = after(CLAIM)

    assert (up.state, both.state) == ("claimed", "claimed")
    assert (up.intent_id, both.intent_id) == ("i-1", "i-1")


def test_a_token_whose_condition_is_claimed_by_the_other_claims_nothing() -> None:
    """Both sides of one market never trade on one threshold; and neither record moves."""
    _, both = after(CLAIM)

    with pytest.raises(IllegalAction):
        together(DOWN, both, about(Claim, "i-2", token_id="8"))


@pytest.mark.parametrize("story", [(CLAIM,), (CLAIM, about(Fire, "i-1"))])
def test_a_signal_that_is_taken_cannot_be_claimed(story: tuple[Action, ...]) -> None:
    with pytest.raises(IllegalAction):
        together(*after(*story), about(Claim, "i-2"))


def test_an_accepted_order_makes_it_permanent() -> None:
    """Whatever else is heard of it.  Proves: B-core G2."""
    fired = after(CLAIM, about(Fire, "i-1"))

    assert states(fired) == ("fired", "fired")
    assert fired == together(*fired, about(Fire, "i-1"))
    assert fired == together(*fired, about(Unanswered, "i-1"))
    assert fired == together(*fired, about(Release, "i-0"))


def test_a_refused_order_frees_both_for_another_try() -> None:
    """Proves: B-core G2."""
    up, both = after(CLAIM, about(Release, "i-1"))

    assert (up.state, both.state) == ("armed", "armed")
    assert (up.intent_id, up.reason) == ("", "refused")
    assert states(together(up, both, about(Claim, "i-2"))) == ("claimed", "claimed")


def test_silence_frees_nothing() -> None:
    """An order that was not answered may be on the book."""
    assert after(CLAIM) == after(CLAIM, about(Unanswered, "i-1"))


def test_a_refusal_heard_twice_does_not_free_the_next_claim() -> None:
    """The answer refused the first order, and then its record does."""
    again = after(CLAIM, about(Release, "i-1"), about(Claim, "i-2"))

    assert again == together(*again, about(Release, "i-1"))


def test_an_answer_after_the_release_changes_nothing() -> None:
    free = after(CLAIM, about(Release, "i-1"))

    assert free == together(*free, about(Release, "i-1"))
    assert free == together(*free, about(Unanswered, "i-1"))


@pytest.mark.parametrize("story", [(), (CLAIM,), (CLAIM, about(Fire, "i-1"))])
def test_an_order_that_does_not_hold_the_claim_cannot_fire_it(story: tuple[Action, ...]) -> None:
    """Two orders of one signal would be alive: our bookkeeping is wrong, and must stop."""
    with pytest.raises(IllegalAction):
        together(*after(*story), about(Fire, "i-9"))


@pytest.mark.parametrize("kind", [Fire, Release, Unanswered])
def test_an_order_of_the_other_token_is_never_taken_for_ours(kind: type[Action]) -> None:
    """Half a step would part the pair: the condition free, its token claimed."""
    _, both = after(CLAIM)

    with pytest.raises(IllegalAction):
        together(DOWN, both, about(kind, "i-1", token_id="8"))


def test_records_that_do_not_belong_together_are_our_mistake() -> None:
    with pytest.raises(AssertionError):
        together(UP, BOTH, about(Claim, "i-1", token_id="8"))
    with pytest.raises(AssertionError):
        together(BOTH, UP, CLAIM)


def test_one_record_alone_is_the_machine_of_two() -> None:
    """``together`` adds nothing to the table but the pair."""
    assert TriggerMachine.step(UP, CLAIM)[0] == after(CLAIM)[0]


def test_a_trigger_keeps_when_it_last_moved_and_why_it_was_freed() -> None:
    """Operators ask why a signal did not trade."""
    story = [about(Claim, "i-1", at_ns=1), about(Release, "i-1", at_ns=2)]
    freed = after(*story)
    claimed = after(*story, about(Claim, "i-2", at_ns=3))
    fired = together(*claimed, about(Fire, "i-2", at_ns=4))

    assert [pair[0].since_ns for pair in (freed, claimed, fired)] == [2, 3, 4]
    assert [pair[1].reason for pair in (freed, claimed, fired)] == ["refused", "", ""]


def test_a_claim_without_an_order_is_our_mistake() -> None:
    with pytest.raises(AssertionError):
        after(about(Claim, ""))

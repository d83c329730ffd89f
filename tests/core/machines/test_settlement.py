"""Lives of an outcome: observed by us, published by the venue, and paid only as published."""

import pytest

from polybawt.core.machine import IllegalAction, Outputs
from polybawt.core.machines.settlement import (
    Action,
    CloseReport,
    Decide,
    Due,
    End,
    GiveUp,
    Pay,
    Publish,
    Settlement,
    SettlementMachine,
    Strike,
    outcome,
)  # fmt: skip
from polybawt.core.units import MILLION, Usdc

ID = "0xc"
NEW = Settlement(condition_id=ID)
END, GIVE_UP, PAY = End(condition_id=ID), GiveUp(condition_id=ID), Pay(at_ns=3, condition_id=ID)


def strike(value: int = 100) -> Strike:
    return Strike(condition_id=ID, value_e18=value)


def close(value: int) -> CloseReport:
    return CloseReport(condition_id=ID, value_e18=value)


def publish(yes: int, no: int) -> Publish:
    return Publish(condition_id=ID, yes_payout=Usdc(yes), no_payout=Usdc(no))


YES, NO = publish(MILLION, 0), publish(0, MILLION)
SPLIT = publish(500_000, 500_000)


def decide(yes: int, no: int) -> Decide:
    return Decide(
        condition_id=ID, yes_payout=Usdc(yes), no_payout=Usdc(no), actor="jo", reason="on chain"
    )


def lives(*actions: Action) -> tuple[Settlement, Outputs]:
    """The settlement after all actions, and what the last of them put out."""
    settlement, outputs = NEW, ()
    for action in actions:
        settlement, outputs = SettlementMachine.step(settlement, action)
    return settlement, outputs


@pytest.mark.parametrize(("value", "seen"), [(99, "no"), (100, "yes"), (101, "yes")])
def test_equality_settles_up(value: int, seen: str) -> None:
    """End >= start is Up (reference 5.4)."""
    assert seen == outcome(100, value)
    assert seen == lives(strike(), END, close(value))[0].observed


def test_an_observed_outcome_that_is_published_is_paid() -> None:
    """Proves: C1, P0.1."""
    settlement, outputs = lives(strike(), END, close(101), YES, PAY)

    assert settlement.state == "paid"
    assert outputs == (Due(at_ns=3, condition_id=ID, yes_payout=Usdc(MILLION), no_payout=Usdc(0)),)


def test_what_we_observe_alone_is_never_paid() -> None:
    """Our own arithmetic is not the venue's word.  Proves: C1."""
    with pytest.raises(IllegalAction):
        lives(strike(), END, close(101), PAY)


@pytest.mark.parametrize("published", [NO, SPLIT, publish(999_999, 1)])
def test_a_publication_that_differs_from_what_we_saw_is_a_conflict(published: Publish) -> None:
    """Nothing is booked while two voices differ.  Proves: C1."""
    settlement, _ = lives(strike(), END, close(101), published)

    assert settlement.state == "conflicting"
    with pytest.raises(IllegalAction):
        SettlementMachine.step(settlement, PAY)


def test_a_venue_that_corrects_itself_is_believed() -> None:
    settlement, _ = lives(strike(), END, close(99), YES, NO)

    assert (settlement.state, settlement.no_payout) == ("resolved", MILLION)


def test_repeating_an_outcome_that_we_saw_otherwise_does_not_make_it_true() -> None:
    assert lives(strike(), END, close(99), YES, YES)[0].state == "conflicting"


def test_two_publications_that_differ_are_a_conflict_until_one_is_repeated() -> None:
    """Unobserved: the venue's word stands when it stands by it."""
    assert lives(END, YES, NO)[0].state == "conflicting"
    assert lives(END, YES, NO, SPLIT)[0].state == "conflicting"

    settlement, outputs = lives(END, YES, NO, NO, PAY)
    assert settlement.state == "paid"
    assert [Usdc(0)] == [due.yes_payout for due in outputs if isinstance(due, Due)]


def test_an_operator_accepts_what_is_published_against_what_we_saw() -> None:
    """Else a market whose oracle erred would never be paid.  Proves: C1."""
    settlement, _ = lives(strike(), END, close(99), YES, decide(MILLION, 0))
    assert (settlement.state, settlement.decided_by) == ("resolved", "jo")

    paid, outputs = SettlementMachine.step(settlement, PAY)
    assert (paid.state, paid.decided_by) == ("paid", "jo")
    assert [Usdc(MILLION)] == [due.yes_payout for due in outputs if isinstance(due, Due)]


def test_an_operator_accepts_one_of_the_venues_two_words() -> None:
    assert lives(END, YES, NO, decide(0, MILLION), PAY)[0].state == "paid"


@pytest.mark.parametrize("shown", [(0, MILLION), (500_000, 500_000), (MILLION - 1, 1)])
def test_a_decision_about_what_is_no_longer_published_is_refused(shown: tuple[int, int]) -> None:
    """The venue changed its word while the operator read the old one."""
    with pytest.raises(IllegalAction):
        lives(strike(), END, close(99), YES, decide(*shown))


@pytest.mark.parametrize("before", [(END,), (END, YES), (strike(), END, close(101))])
def test_where_nothing_conflicts_there_is_nothing_to_decide(before: tuple[Action, ...]) -> None:
    with pytest.raises(IllegalAction):
        lives(*before, decide(MILLION, 0))


@pytest.mark.parametrize(
    ("then", "state"),
    [(YES, "resolved"), (NO, "conflicting"), (close(100), "resolved"), (close(99), "conflicting")],
    ids=["repeated", "changed", "confirmed", "contradicted"],
)
def test_a_decision_stands_until_something_new_is_heard(then: Action, state: str) -> None:
    """It was about what was known then; only a repeated word leaves it as it is."""
    settlement, _ = lives(strike(), END, NO, YES, decide(MILLION, 0), then)

    assert state == settlement.state
    assert settlement.decided_by == ("jo" if then is YES else "")


def test_a_venue_that_comes_round_to_what_we_saw_needs_no_decision() -> None:
    settlement, _ = lives(strike(), END, close(99), YES, decide(MILLION, 0), NO)

    assert (settlement.state, settlement.decided_by) == ("resolved", "")


def test_a_repeated_publication_changes_nothing() -> None:
    assert lives(END, SPLIT)[0] == lives(END, SPLIT, SPLIT)[0]


@pytest.mark.parametrize("before", [(), (END,), (END, GIVE_UP)])
def test_the_venue_may_be_the_only_one_who_knows(before: tuple[Action, ...]) -> None:
    """A split, an early end, or an oracle that stayed silent: its word is enough."""
    settlement, _ = lives(*before, SPLIT)

    assert (settlement.state, settlement.observed) == ("resolved", "")


def test_a_strike_after_the_close_still_shows_the_outcome() -> None:
    settlement, _ = lives(END, close(99), strike(100))

    assert (settlement.state, settlement.observed) == ("observed", "no")


def test_a_strike_after_we_gave_up_still_shows_the_outcome() -> None:
    assert lives(END, close(99), GIVE_UP, strike(100))[0].state == "observed"


def test_a_close_after_we_gave_up_still_shows_the_outcome() -> None:
    settlement, _ = lives(strike(100), END, GIVE_UP, close(100))

    assert (settlement.state, settlement.observed) == ("observed", "yes")


def test_a_close_without_a_strike_is_kept() -> None:
    assert (lives(END, close(99))[0].state, lives(END, close(99))[0].close_e18) == ("ended", 99)
    settlement, _ = lives(END, GIVE_UP, close(99))
    assert (settlement.state, settlement.close_e18) == ("unprovable", 99)


def test_without_a_report_the_outcome_is_unprovable_not_guessed() -> None:
    settlement, _ = lives(strike(), END, GIVE_UP)

    assert (settlement.state, settlement.observed) == ("unprovable", "")


def test_the_first_strike_stands() -> None:
    """The venue's own and the report of its second are the same number, or one is late."""
    for before in ((), (END,), (END, GIVE_UP)):
        assert lives(*before, strike(100), strike(200))[0].strike_e18 == 100


@pytest.mark.parametrize("late", [strike(200), close(99)])
@pytest.mark.parametrize(
    "before",
    [
        (strike(), END, close(101)),
        (strike(), END, close(101), YES),
        (strike(), END, close(101), NO),
        (END, YES, strike(), close(101)),
        (END, YES, NO, close(101), strike()),
    ],
)
def test_what_was_reported_is_not_reported_otherwise(
    before: tuple[Action, ...], late: Action
) -> None:
    """Both came already, in whatever order: a third report changes nothing."""
    assert lives(*before)[0] == lives(*before, late)[0]


@pytest.mark.parametrize("before", [(END,), (END, GIVE_UP), (END, YES), (END, YES, NO)])
def test_the_first_closing_report_stands(before: tuple[Action, ...]) -> None:
    assert lives(*before, close(99), close(101))[0].close_e18 == 99


@pytest.mark.parametrize(
    ("value", "state"), [(100, "resolved"), (99, "conflicting")], ids=["agrees", "differs"]
)
def test_a_report_that_the_venue_outran_still_checks_its_word(value: int, state: str) -> None:
    """Two voices that differ are a conflict in whatever order they spoke.  Proves: C1."""
    settlement, _ = lives(strike(), END, YES, close(value))

    assert (settlement.state, settlement.observed) == (state, outcome(100, value))


@pytest.mark.parametrize(("published", "state"), [(NO, "resolved"), (SPLIT, "conflicting")])
def test_the_late_report_is_held_against_exactly_what_was_published(
    published: Publish, state: str
) -> None:
    assert state == lives(strike(), END, published, close(99))[0].state


@pytest.mark.parametrize(
    "evidence", [(strike(), close(99)), (close(99), strike())], ids=["strike first", "close first"]
)
@pytest.mark.parametrize(
    ("words", "state"),
    [
        ((NO,), "resolved"),
        ((YES,), "conflicting"),
        ((SPLIT,), "conflicting"),
        ((YES, NO), "resolved"),
        ((NO, YES), "conflicting"),
    ],
)
def test_evidence_that_comes_last_decides_as_if_it_had_come_first(
    words: tuple[Action, ...], evidence: tuple[Action, ...], state: str
) -> None:
    """The venue spoke before we could see the outcome: its last word is held against it.

    Proves: C1.
    """
    settlement, _ = lives(END, *words, *evidence)

    assert (settlement.state, settlement.observed) == (state, "no")
    assert state == lives(strike(), END, close(99), *words)[0].state


def test_a_late_report_without_a_strike_proves_nothing_and_is_kept() -> None:
    settlement, _ = lives(END, YES, close(99))

    assert (settlement.state, settlement.observed, settlement.close_e18) == ("resolved", "", 99)


def test_an_end_comes_once() -> None:
    with pytest.raises(IllegalAction):
        lives(END, END)


def test_what_was_paid_stays_paid() -> None:
    with pytest.raises(IllegalAction):
        lives(END, YES, PAY, NO)


def test_nothing_is_due_without_payouts() -> None:
    """A record that was tampered with is our mistake, and stops us."""
    for bare in (
        Settlement(condition_id=ID, state="resolved"),
        Settlement(condition_id=ID, state="resolved", yes_payout=Usdc(0)),
    ):
        with pytest.raises(AssertionError):
            SettlementMachine.step(bare, PAY)

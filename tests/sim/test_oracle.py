"""The oracle's table: what may follow what, and that the end is the end."""

import itertools

import pytest

from polybawt.core.units import SECOND_NS, Usdc
from polybawt.sim import oracle
from polybawt.sim.oracle import NO, SPLIT, YES, NotNow, Question

WINDOW = 10 * SECOND_NS
ASKED = Question(condition_id="c")


def after(*actions: str, question: Question = ASKED) -> Question:
    """The question after these actions: disputes come in time, settlements after the window."""
    now_ns = 0
    for action in actions:
        now_ns += WINDOW if action == "settle" else 1
        payouts = YES if action in oracle.SAYS else None
        question = oracle.step(question, action, now_ns, payouts=payouts, window_ns=WINDOW)
    return question


@pytest.mark.parametrize(
    ("actions", "states", "gamma"),
    [
        (["report"], ["posed", "resolved"], ["resolved"]),
        (["propose", "settle"], ["posed", "proposed", "resolved"], ["proposed", "resolved"]),
        (
            ["propose", "dispute", "propose", "settle"],
            ["posed", "proposed", "challenged", "reproposed", "resolved"],
            ["proposed", "disputed", "proposed", "resolved"],
        ),
        (
            ["propose", "dispute", "propose", "dispute", "vote"],
            ["posed", "proposed", "challenged", "reproposed", "disputed", "resolved"],
            ["proposed", "disputed", "proposed", "disputed", "resolved"],
        ),
    ],
)
def test_every_life_of_a_question(actions: list[str], states: list[str], gamma: list[str]) -> None:
    """The four ways of reference 5.3, as /v2/resolutions and as Gamma call their stages."""
    question = after(*actions)

    assert [*question.past, question.state] == states
    assert list(question.gamma_statuses) == gamma
    assert question.resolved
    assert question.payouts == YES
    assert question.was_disputed == ("dispute" in actions)
    assert question.reporter == ("CHAINLINK" if actions == ["report"] else "UMA_OO")


def test_what_the_table_does_not_name_is_refused() -> None:
    """In every state: nothing but the table's actions moves a question."""
    lives = [[], ["propose"], ["propose", "dispute"], ["propose", "dispute", "propose"]]
    lives += [["propose", "dispute", "propose", "dispute"], ["report"]]
    for life, action in itertools.product(lives, oracle.ACTIONS):
        question = after(*life)
        if (question.state, action) in oracle.EDGES:
            continue
        with pytest.raises(NotNow):
            oracle.step(question, action, 10**15, payouts=YES, window_ns=WINDOW)


@pytest.mark.parametrize("action", oracle.ACTIONS)
def test_a_resolved_question_cannot_flip(action: str) -> None:
    """Money has been paid by then. Proves: P2.2."""
    with pytest.raises(NotNow):
        oracle.step(after("report"), action, 10**15, payouts=NO)


def test_a_dispute_comes_in_time_or_not_at_all() -> None:
    """The window is closed at its last nanosecond: then the proposal may be accepted."""
    proposed = after("propose")
    assert proposed.due_ns is not None

    assert oracle.step(proposed, "dispute", proposed.due_ns - 1).state == "challenged"
    with pytest.raises(NotNow):
        oracle.step(proposed, "settle", proposed.due_ns - 1)
    with pytest.raises(NotNow):
        oracle.step(proposed, "dispute", proposed.due_ns)
    assert oracle.step(proposed, "settle", proposed.due_ns).resolved


@pytest.mark.parametrize(
    ("action", "payouts"),
    [
        ("propose", None),
        ("propose", (Usdc(333_300), Usdc(666_700))),
        ("report", (Usdc(600_000), Usdc(600_000))),
        ("report", (Usdc(1_100_000), Usdc(-100_000))),
        ("report", (Usdc(333_333), Usdc(666_667))),
    ],
)
def test_a_verdict_shares_one_dollar(action: str, payouts: oracle.Payouts | None) -> None:
    """A verdict that pays more than it has would break the venue."""
    with pytest.raises(NotNow):
        oracle.step(ASKED, action, 1, payouts=payouts)


def test_half_and_half_exists_but_not_within_a_neg_risk_event() -> None:
    """Of its questions exactly one comes true (reference 5.3)."""
    assert oracle.step(ASKED, "propose", 1, payouts=SPLIT).payouts == SPLIT
    for action in ("propose", "report"):
        with pytest.raises(NotNow, match="neg-risk"):
            oracle.step(Question(condition_id="c", neg_risk=True), action, 1, payouts=SPLIT)


def test_the_states_are_words_that_the_venue_uses() -> None:
    """``/v2/resolutions`` (reference 5.2) has no others."""
    known = "initialized posed proposed challenged reproposed disputed resolved active arbitration"

    assert set(oracle.STATES) <= set(known.split())
    assert set(oracle.GAMMA) == set(oracle.STATES)
    assert set(oracle.GAMMA.values()) <= {"requested", "proposed", "disputed", "resolved"}

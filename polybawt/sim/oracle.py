"""Who says how a market ended: the price report, or the optimistic oracle with its disputes.

A question is a frozen record and ``step`` the only way to move it; whatever the table does not
name is refused in words, so that an operator of the simulation who asks for the impossible hears
why.  A report (Chainlink) resolves at once.  A proposal (UMA) resolves when its challenge window
has passed unchallenged; the first dispute throws it back to a second proposal, the second dispute
to a vote.  Nothing leaves ``resolved``: a late flip does not exist.

It holds no bond, pays nobody and knows no market but by id; what a verdict sets in motion is the
venue's business (``closing``).

The names of states are those of ``/v2/resolutions``; what Gamma calls them is ``gamma_status``.
Which of the venue's nine words it uses for the vote is UNCONFIRMED: ``disputed`` here.

Source: exchange reference 5.1, 5.2 and 5.3.
"""

from typing import Final

from attrs import evolve, frozen

from polybawt.core.units import MILLION, SECOND_NS, Usdc

Payouts = tuple[Usdc, Usdc]
"""What a YES and a NO share pay, in millionths of a dollar."""

YES: Final[Payouts] = (Usdc(MILLION), Usdc(0))
NO: Final[Payouts] = (Usdc(0), Usdc(MILLION))
SPLIT: Final[Payouts] = (Usdc(MILLION // 2), Usdc(MILLION // 2))

CHALLENGE_NS: Final = 7_200 * SECOND_NS  # two hours (reference 5.3)
PAYOUT_STEP: Final = 100  # payouts of whole lots are exact in steps of a hundredth of a cent

REPORTERS: Final = ("CHAINLINK", "UMA_OO")

EDGES: Final[dict[tuple[str, str], str]] = {
    ("posed", "report"): "resolved",
    ("posed", "propose"): "proposed",
    ("proposed", "settle"): "resolved",
    ("proposed", "dispute"): "challenged",
    ("challenged", "propose"): "reproposed",
    ("reproposed", "settle"): "resolved",
    ("reproposed", "dispute"): "disputed",
    ("disputed", "vote"): "resolved",
}
"""(state, action) -> state: the whole life of a question."""

STATES: Final = tuple(dict.fromkeys(["posed", *EDGES.values()]))
ACTIONS: Final = tuple(dict.fromkeys(action for _, action in EDGES))
SAYS: Final = ("report", "propose", "vote")  # actions that name payouts

GAMMA: Final = {
    "posed": "requested",
    "proposed": "proposed",
    "challenged": "disputed",
    "reproposed": "proposed",
    "disputed": "disputed",
    "resolved": "resolved",
}


class NotNow(ValueError):
    """An action that the question's state, its window or its kind does not allow."""


@frozen(kw_only=True)
class Question:
    """One condition's question. ``due_ns``: when the open challenge window ends.

    ``past`` are the states it has been in before, oldest first.
    """

    condition_id: str
    neg_risk: bool = False
    state: str = "posed"
    payouts: Payouts | None = None
    due_ns: int | None = None
    moved_ns: int = 0
    reporter: str = ""
    past: tuple[str, ...] = ()

    @property
    def resolved(self) -> bool:
        return self.state == "resolved"

    @property
    def was_disputed(self) -> bool:
        return not {"challenged", "disputed"}.isdisjoint({*self.past, self.state})

    @property
    def gamma_status(self) -> str:
        """``umaResolutionStatus`` of Gamma's market."""
        return GAMMA[self.state]

    @property
    def gamma_statuses(self) -> tuple[str, ...]:
        """``umaResolutionStatuses``: every step after the request, oldest first."""
        return tuple(GAMMA[state] for state in (*self.past, self.state) if state != "posed")


def step(
    question: Question,
    action: str,
    now_ns: int,
    *,
    payouts: Payouts | None = None,
    window_ns: int = CHALLENGE_NS,
) -> Question:
    """Take one action; raises ``NotNow`` and leaves the question as it was."""
    state = EDGES.get((question.state, action))
    if state is None:
        raise NotNow(f"a question that is {question.state} cannot be moved by {action}")
    if action in SAYS:
        _check(question, action, payouts)
    else:
        payouts = question.payouts
    over = question.due_ns is not None and now_ns >= question.due_ns
    if action == "dispute" and over:
        raise NotNow("the challenge window is over")
    if action == "settle" and not over:
        raise NotNow("the challenge window is still open")
    proposed = action == "propose"
    return evolve(
        question,
        state=state,
        payouts=payouts,
        due_ns=now_ns + window_ns if proposed else None,
        moved_ns=now_ns,
        reporter="CHAINLINK" if action == "report" else "UMA_OO",
        past=(*question.past, question.state),
    )


def _check(question: Question, action: str, payouts: Payouts | None) -> None:
    """A verdict shares one dollar; only a report may share it otherwise than by halves."""
    if payouts is None or min(payouts) < 0 or sum(payouts) != MILLION:
        raise NotNow("payouts of both shares must add up to one dollar")
    if payouts[0] % PAYOUT_STEP:
        raise NotNow(f"payouts are whole multiples of {PAYOUT_STEP} millionths")
    if action != "report" and payouts not in (YES, NO, SPLIT):
        raise NotNow("the oracle answers yes, no, or half and half")
    if question.neg_risk and payouts not in (YES, NO):
        raise NotNow("a neg-risk question has no half and half")

"""An operator's command on its way: sent, accepted, latched or closed, verified.

A wish is not a fact.  That we sent it, we know; that the engine took it, its answer says; what
came of it is read from the replica's own state and from nothing else.
"""

from typing import Final

from attrs import define, field

from polybawt.core.facts import (
    ApproveRequested,
    DecideRequested,
    DeclineRequested,
    KillRequested,
    ResetRequested,
)
from polybawt.core.kill import NAME as KILL
from polybawt.core.machine import Fact
from polybawt.core.machines.order import ENDED
from polybawt.core.state import State

EFFECTS: Final = {
    "KILL": "LATCHED",
    "RESET": "CLOSED",
    "APPROVE": "USED",
    "DECLINE": "DECLINED",
    "DECIDE": "DECIDED",
}
"""What each kind of command is for: its stage between accepted and verified."""
SHOWN_NS: Final = 30_000_000_000  # how long the strip speaks of one that is verified


@define
class Pending:
    """One command. ``answer``: "" none yet, "accepted", "lost", or why it was refused.

    ``breaker`` is what it is about: a breaker, an approval's id, or a condition.
    """

    kind: str  # one of ``EFFECTS``
    breaker: str
    actor: str
    reason: str
    sent_ns: int
    open_ids: frozenset[str] = frozenset()  # orders that were open when it was sent
    posted: int = 0  # orders ever sent, by the engine's count, when it was sent
    answer: str = ""
    heard: bool = field(default=False)
    verified_ns: int = 0

    def hear(self, fact: Fact) -> None:
        """Recognise our own command in the journal."""
        match fact:
            case KillRequested() if self.kind == "KILL":
                self.heard |= (fact.actor, fact.reason) == (self.actor, self.reason)
            case ResetRequested() if self.kind == "RESET":
                ours = (self.breaker, self.actor, self.reason)
                self.heard |= (fact.breaker, fact.actor, fact.reason) == ours
            case ApproveRequested() | DeclineRequested() if self.kind in ("APPROVE", "DECLINE"):
                said = "APPROVE" if isinstance(fact, ApproveRequested) else "DECLINE"
                ours = (self.breaker, self.actor, self.reason)
                same = (fact.approval_id, fact.actor, fact.reason) == ours
                self.heard |= same and said == self.kind
            case DecideRequested() if self.kind == "DECIDE":
                ours = (self.breaker, self.actor, self.reason)
                self.heard |= (fact.condition_id, fact.actor, fact.reason) == ours
            case _:
                pass

    @property
    def refused(self) -> str:
        return "" if self.answer in ("", "accepted", "lost") else self.answer

    def effective(self, state: State) -> bool:
        """Whether what it is about is as the command wants it, after it was heard."""
        if not self.heard:
            return False
        if self.kind in ("APPROVE", "DECLINE"):
            known = state.approvals.get(self.breaker)
            wanted = "used" if self.kind == "APPROVE" else "declined"
            return known is not None and (known.state, known.actor) == (wanted, self.actor[:40])
        if self.kind == "DECIDE":
            settlement = state.settlements.get(self.breaker)
            return settlement is not None and settlement.state in ("resolved", "paid")
        if self.breaker == KILL:
            return bool(state.killed()) == (self.kind == "KILL")
        breaker = state.breakers.get(self.breaker)
        return breaker is not None and breaker.state == "closed"

    def ended(self, state: State) -> int:
        """How many of the orders that were open have ended."""
        records = (state.orders.get(intent_id) for intent_id in self.open_ids)
        return sum(1 for record in records if record is None or record.state in ENDED)

    def verified(self, state: State) -> bool:
        """A kill is whole when no order is open; a reset when the breaker is closed."""
        return self.effective(state) and (self.kind != "KILL" or not any(state.open_orders()))

    def overtaken(self, state: State) -> str:
        """Why it will have no effect any more, "" while it may."""
        known = state.approvals.get(self.breaker) if self.kind in ("APPROVE", "DECLINE") else None
        if known is None or not self.heard or self.effective(state) or known.state == "requested":
            return ""
        return f"it is {known.state}" + (f": {known.cause}" if known.cause else "")

    def note(self, state: State) -> None:
        """Remember when it was first verified, in the venue's time."""
        if not self.verified_ns and self.verified(state):
            self.verified_ns = state.now_ns

    def sent_since(self, state: State) -> int:
        """Orders that left after the command."""
        return state.counters.get("orders", 0) - self.posted

    def stage(self, state: State) -> str:
        """The furthest stage that is proven."""
        if self.refused:
            return "REFUSED"
        if self.verified(state):
            return "VERIFIED"
        if self.effective(state):
            return EFFECTS[self.kind]
        if self.heard or self.answer == "accepted":
            return "ACCEPTED"
        return "UNKNOWN" if self.answer == "lost" else "SENT"

    def stages(self, state: State) -> list[tuple[str, bool]]:
        """Every stage and whether it is proven."""
        taken = self.heard or self.answer == "accepted"
        return [
            ("SENT", True),
            ("ACCEPTED", taken),
            (EFFECTS[self.kind], self.effective(state)),
            ("VERIFIED", self.verified(state)),
        ]

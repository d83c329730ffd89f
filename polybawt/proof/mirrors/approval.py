"""``Approval`` and its world, as models/Approval.tla has them.

The clock is what the actions carry.
"""

from collections.abc import Iterable
from typing import ClassVar, Final

from polybawt.core.machine import Fact, Machine, Outputs, Record
from polybawt.core.machines import approval
from polybawt.core.machines.approval import Approval, ApprovalMachine, Granted
from polybawt.proof.mirror import Mirror
from polybawt.proof.values import Value, Values

PROPOSED: Final = "proposed"


class ApprovalMirror(Mirror):
    name = "Approval"
    machine: ClassVar[type[Machine]] = ApprovalMachine
    heard = ("now",)
    left_out = frozenset({"reason"})

    def record(self, at: Values) -> Record:
        return Approval(
            approval_id="a-1",
            terms=PROPOSED,
            expires_ns=self.constants["Ends"],
            actor=str(at["by"]),
            state=str(at["state"]),
        )

    def action(self, name: str, arguments: tuple[Value, ...], at: Values) -> Fact:
        at_ns = int(str(at["now"]))
        match name, arguments:
            case "Approve", (actor, terms):
                return approval.Approve(
                    at_ns=at_ns, approval_id="a-1", actor=str(actor), terms=str(terms)
                )
            case "Decline", (actor,):
                return approval.Decline(at_ns=at_ns, approval_id="a-1", actor=str(actor))
            case "Expire", ():
                return approval.Expire(at_ns=at_ns, approval_id="a-1")
            case "Withdraw", ():
                return approval.Withdraw(at_ns=at_ns, approval_id="a-1", reason="price moved")
            case "Use", (terms,):
                return approval.Use(at_ns=at_ns, approval_id="a-1", terms=str(terms))
        raise AssertionError(name)

    def ours(self, at: Values, record: Record, outputs: Outputs) -> dict[str, Value]:
        assert isinstance(record, Approval)
        told = any(not isinstance(output, Granted) for output in outputs)
        return {"state": record.state, "by": record.actor, "told": told}

    def initial(self) -> Iterable[Values]:
        begun: dict[str, Value] = {
            "state": "requested",
            "by": "",
            "told": False,
            "now": 0,
            "sure": "",
            "command": "none",
            "trades": 0,
        }
        return [{**begun, "offer": offer} for offer in (PROPOSED, "other")]

    def offers(self, name: str, arguments: tuple[Value, ...], at: Values) -> bool:
        match name:
            case "Withdraw":
                return at["offer"] != PROPOSED
            case "Use":
                return arguments == (at["offer"],)
        return True

    def felt(
        self, name: str, arguments: tuple[Value, ...], at: Values, ours: Values, outputs: Outputs
    ) -> Values:
        """The trade is due when it was granted; and what the operators have really said."""
        if any(isinstance(output, Granted) for output in outputs):
            return {"command": "due"}
        if int(str(at["now"])) >= self.constants["Ends"]:
            return {}
        if name == "Approve" and at["state"] == "requested" and arguments[1] == PROPOSED:
            return {"sure": arguments[0]}
        if name == "Decline" and at["state"] in ("requested", "approved"):
            return {"sure": ""}
        return {}

    def moves(self, name: str, arguments: tuple[Value, ...], at: Values) -> Values | None:
        now, trades = int(str(at["now"])), int(str(at["trades"]))
        match name:
            case "Pass" if now < self.constants["Ends"]:
                return {"now": now + 1}
            case "Move":
                return {"offer": arguments[0]}
            case "Execute" if at["command"] == "due":
                return {"command": "done", "trades": trades + 1}
            case "Crash" if at["command"] == "due":
                return {"command": "lost"}
        return None

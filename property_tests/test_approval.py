"""``ApprovalMachine`` between operators who click at any time and a market that moves."""

import pytest
from attrs import evolve
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import precondition as when

from polybawt.core.commands import Notify
from polybawt.core.machines import approval as a
from property_tests.mirror import edge_or_illegal, mirrored

WAITING = ("requested", "approved")
NEW = a.Approval(approval_id="a-1", terms="0", expires_ns=100)

operators = st.sampled_from(["ann", "bob", "eve"])
terms = st.integers(0, 2).map(str)


class ApprovalLife(RuleBasedStateMachine):
    @initialize(expires_ns=st.integers(1, 90), proposed=terms, offer=terms)
    def init(self, expires_ns: int, proposed: str, offer: str) -> None:
        self.approval = evolve(NEW, expires_ns=expires_ns, terms=proposed)
        self.now_ns, self.offer = 0, offer
        self.sure = ""
        self.command, self.trades = "none", 0

    def step(self, action: a.Action) -> bool:
        """One step; whether the operators were told."""
        before = self.approval
        self.approval, outputs = a.ApprovalMachine.step(before, evolve(action, at_ns=self.now_ns))
        if before.state not in WAITING:
            assert self.approval == before
        for output in outputs:
            if isinstance(output, a.Granted):
                assert (output.terms, output.actor) == (before.terms, self.sure)
                assert self.now_ns < before.expires_ns
                assert self.offer == before.terms
                assert self.command == "none"
                self.command = "due"
        return any(isinstance(output, Notify) for output in outputs)

    @property
    def late(self) -> bool:
        return self.now_ns >= self.approval.expires_ns

    # The machine.

    @rule(actor=operators, terms=terms)
    def approve(self, actor: str, terms: str) -> None:
        before = self.approval
        if before.state == "requested" and not self.late and terms == before.terms:
            self.sure = actor
        told = self.step(a.Approve(approval_id="a-1", actor=actor, terms=terms, reason="fine"))
        assert told != (before.state == "requested" and self.approval.state == "approved")

    @rule(actor=operators)
    def decline(self, actor: str) -> None:
        before = self.approval
        if before.state in WAITING and not self.late:
            self.sure = ""
        told = self.step(a.Decline(approval_id="a-1", actor=actor, reason="no"))
        assert told != (before.state in WAITING and self.approval.state == "declined")

    @when(lambda s: s.approval.state in WAITING)
    @rule()
    def expire(self) -> None:
        """The kernel asks at every tick, and sends it only when it is allowed."""
        expire = a.Expire(approval_id="a-1", at_ns=self.now_ns)
        assert a.ApprovalMachine.allows(self.approval, expire) == self.late
        if self.late:
            assert self.step(expire)

    @when(lambda s: s.approval.state in WAITING and s.offer != s.approval.terms)
    @rule(often=st.integers(0, 1))
    def withdraw(self, often: int) -> None:
        if often:
            assert self.step(a.Withdraw(approval_id="a-1", reason="price moved"))
            assert self.approval.state == "void"

    @rule()
    def use(self) -> None:
        """Whoever tries it without an approval, or twice, is stopped."""
        use = a.Use(approval_id="a-1", terms=self.offer)
        assert a.ApprovalMachine.allows(self.approval, use) == (self.approval.state == "approved")
        if self.approval.state == "approved":
            told = self.step(use)
            assert told != (self.approval.state == "used")
            assert self.approval.state not in WAITING

    # The world.

    @rule(ns=st.integers(0, 60))
    def pass_(self, ns: int) -> None:
        """Often to the very end: that is where it is decided who is late."""
        left = self.approval.expires_ns - self.now_ns
        self.now_ns += left if 0 < left < ns else ns

    @rule(terms=terms)
    def move(self, terms: str) -> None:
        self.offer = terms

    @when(lambda s: s.command == "due")
    @rule()
    def execute(self) -> None:
        self.command, self.trades = "done", self.trades + 1

    @when(lambda s: s.command == "due")
    @rule()
    def crash(self) -> None:
        self.command = "lost"

    # What must always hold.

    @invariant()
    def trades_are_approved(self) -> None:
        if self.command != "none":
            assert self.approval.state == "used"
            assert self.approval.actor == self.sure != ""

    @invariant()
    def approved_by_the_one(self) -> None:
        if self.approval.state == "approved":
            assert self.approval.actor == self.sure != ""
            assert self.approval.reason == "fine"

    @invariant()
    def trades_at_most_once(self) -> None:
        assert self.trades <= 1
        assert (self.trades == 1) == (self.command == "done")

    @invariant()
    def used_is_traded(self) -> None:
        if self.approval.state == "used":
            assert self.command != "none"

    @invariant()
    def declined_by_one(self) -> None:
        if self.approval.state == "declined":
            assert self.approval.actor
            assert not self.sure
            assert self.approval.reason == "no"

    @invariant()
    def requested_by_nobody(self) -> None:
        if self.approval.state == "requested":
            assert self.approval.actor == self.sure == ""

    @invariant()
    def expired_is_late(self) -> None:
        if self.approval.state == "expired":
            assert self.late


TestApprovalLife = ApprovalLife.TestCase


def test_rules_and_invariants_are_those_of_the_specification() -> None:
    mirrored("Approval", ApprovalLife)


@pytest.mark.parametrize("at_ns", [0, 99, 100])
@pytest.mark.parametrize("state", [s.id for s in a.ApprovalMachine.states])
def test_every_action_in_every_state_is_an_edge_or_illegal(state: str, at_ns: int) -> None:
    actor = "" if state == "requested" else "ann"
    for action in (
        a.Approve(at_ns=at_ns, approval_id="a-1", actor="bob", terms="0"),
        a.Approve(at_ns=at_ns, approval_id="a-1", actor="bob", terms="1"),
        a.Decline(at_ns=at_ns, approval_id="a-1", actor="bob"),
        a.Expire(at_ns=at_ns, approval_id="a-1"),
        a.Withdraw(at_ns=at_ns, approval_id="a-1", reason="x"),
        a.Use(at_ns=at_ns, approval_id="a-1", terms="0"),
        a.Use(at_ns=at_ns, approval_id="a-1", terms="1"),
    ):
        edge_or_illegal(a.ApprovalMachine, evolve(NEW, state=state, actor=actor), action)

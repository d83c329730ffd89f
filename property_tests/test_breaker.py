"""``BreakerMachine`` on something that works, and does not, while time goes by."""

import pytest
from attrs import evolve
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import precondition as when

from polybawt.core.machines import breaker as b
from property_tests.mirror import edge_or_illegal, mirrored

NEW = b.Breaker(name="venue", failures_max=3, cool_ns=100)


class BreakerLife(RuleBasedStateMachine):
    @initialize(limit=st.integers(1, 5), cool_ns=st.integers(1, 200))
    def init(self, limit: int, cool_ns: int) -> None:
        self.breaker = evolve(NEW, failures_max=limit, cool_ns=cool_ns)
        self.now_ns, self.well = 0, True
        self.hand = ""

    def step(self, action: b.Action) -> None:
        before = self.breaker
        self.breaker, outputs = b.BreakerMachine.step(before, evolve(action, at_ns=self.now_ns))
        assert outputs == ()
        if before.state == "latched" and self.breaker.state != "latched":
            assert isinstance(action, b.Reset)
        if before.state == "latched" and not isinstance(action, b.Reset):
            assert self.breaker == before
        if before.state == "open" and self.breaker.state != "open":
            assert isinstance(action, b.Cool | b.Latch | b.Reset)

    @property
    def late(self) -> bool:
        return self.breaker.state in ("open", "latched")

    # The machine.

    @when(lambda s: not s.well or s.late)
    @rule()
    def failure(self) -> None:
        self.step(b.Failure(name="venue", reason="500"))

    @when(lambda s: s.well or s.late)
    @rule()
    def success(self) -> None:
        self.step(b.Success(name="venue"))

    @when(lambda s: s.breaker.state == "open")
    @rule()
    def cool(self) -> None:
        """The kernel asks at every tick, and sends it only when it is allowed."""
        action = b.Cool(name="venue", at_ns=self.now_ns)
        cooled = self.now_ns - self.breaker.since_ns >= self.breaker.cool_ns
        assert b.BreakerMachine.allows(self.breaker, action) == cooled
        if cooled:
            self.step(action)

    @rule(often=st.integers(0, 5))
    def latch(self, often: int) -> None:
        if often == 0:
            self.step(b.Latch(name="venue", actor="file", reason="drawdown"))

    @rule(often=st.integers(0, 5))
    def reset(self, often: int) -> None:
        if often == 0:
            self.step(b.Reset(name="venue", actor="ops", reason="checked"))

    # The world.

    @rule(ns=st.integers(0, 100))
    def pass_(self, ns: int) -> None:
        self.now_ns += ns

    @rule()
    def change(self) -> None:
        self.well = not self.well

    # What must always hold.

    @invariant()
    def closed_is_healthy(self) -> None:
        if self.breaker.state == "closed":
            assert self.breaker.failures < self.breaker.failures_max

    @invariant()
    def open_has_cause(self) -> None:
        if self.breaker.state == "open":
            assert self.breaker.failures > 0
            assert self.breaker.reason

    @invariant()
    def half_open_has_cooled(self) -> None:
        if self.breaker.state == "half_open":
            assert self.now_ns - self.breaker.since_ns >= self.breaker.cool_ns


TestBreakerLife = BreakerLife.TestCase


def test_rules_and_invariants_are_those_of_the_specification() -> None:
    mirrored("Breaker", BreakerLife)


@pytest.mark.parametrize("failures", [0, 2, 3])
@pytest.mark.parametrize("state", [s.id for s in b.BreakerMachine.states])
def test_every_action_in_every_state_is_an_edge_or_illegal(state: str, failures: int) -> None:
    breaker = evolve(NEW, state=state, failures=failures, since_ns=50)
    for action in (
        b.Failure(name="venue", reason="500"),
        b.Success(name="venue"),
        b.Cool(name="venue", at_ns=149),
        b.Cool(name="venue", at_ns=150),
        b.Latch(name="venue", actor="api", reason="x"),
        b.Reset(name="venue", actor="ops", reason="x"),
    ):
        edge_or_illegal(b.BreakerMachine, breaker, action)

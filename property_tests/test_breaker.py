"""``BreakerMachine`` on something that works, and does not, while time goes by."""

import pytest
from attrs import evolve, field, frozen
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import precondition as when

from polybawt.core.machines import breaker as b
from property_tests.mirror import edge_or_illegal, mirrored

NEW = b.Breaker(name="venue", failures_max=3, cool_ns=100)


@frozen
class Question:
    """Something that was asked; its answer may come at any later time, or twice, or never."""

    asked_ns: int
    good: bool
    probe: bool = field(default=False)


class BreakerLife(RuleBasedStateMachine):
    @initialize(limit=st.integers(1, 5), cool_ns=st.integers(1, 200))
    def init(self, limit: int, cool_ns: int) -> None:
        self.breaker = evolve(NEW, failures_max=limit, cool_ns=cool_ns)
        self.now_ns, self.well = 1, True
        self.turned_ns = 0  # when it last turned, as we saw it
        self.asked: list[Question] = []

    def step(self, action: b.Action, answered: Question | None = None) -> None:
        before = self.breaker
        self.breaker, outputs = b.BreakerMachine.step(before, evolve(action, at_ns=self.now_ns))
        after, operator = self.breaker, isinstance(action, b.Latch | b.Reset)
        assert outputs == ()
        if before.state == "latched" and not isinstance(action, b.Reset):
            assert after == before
        if before.state == "open" and after.state != "open":
            assert operator or isinstance(action, b.Cool)
        if answered and answered.asked_ns <= self.turned_ns:
            assert after == before
        if before.state == "half_open" and after.state == "closed":
            assert operator or (answered and answered.probe and answered.good)
        if after.state != before.state and (after.state == "open" or operator):
            self.turned_ns = self.now_ns

    def answer(self, draw: st.DataObject, good: bool) -> Question:
        return draw.draw(st.sampled_from([q for q in self.asked if q.good == good]))

    # The machine.

    @when(lambda s: any(not q.good for q in s.asked))
    @rule(draw=st.data())
    def failure(self, draw: st.DataObject) -> None:
        question = self.answer(draw, good=False)
        self.step(b.Failure(name="venue", asked_ns=question.asked_ns, reason="500"), question)

    @when(lambda s: any(q.good for q in s.asked))
    @rule(draw=st.data())
    def success(self, draw: st.DataObject) -> None:
        question = self.answer(draw, good=True)
        self.step(b.Success(name="venue", asked_ns=question.asked_ns), question)

    @when(lambda s: s.breaker.state == "open")
    @rule()
    def cool(self) -> None:
        """The kernel asks at every tick, and sends it only when it is allowed."""
        action = b.Cool(name="venue", at_ns=self.now_ns)
        cooled = self.now_ns - self.turned_ns >= self.breaker.cool_ns
        assert b.BreakerMachine.allows(self.breaker, action) == cooled
        if cooled:
            self.step(action)

    @when(lambda s: s.breaker.state == "half_open")
    @rule()
    def probe(self) -> None:
        action = b.Probe(name="venue", at_ns=self.now_ns)
        last_ns = max((q.asked_ns for q in self.asked if q.probe), default=-self.breaker.cool_ns)
        due = self.now_ns - last_ns >= self.breaker.cool_ns
        assert b.BreakerMachine.allows(self.breaker, action) == due
        assert self.breaker.bars(self.now_ns) != due
        if due:
            self.step(action)
            self.asked.append(Question(self.now_ns, self.well, probe=True))

    @rule(often=st.integers(0, 5))
    def latch(self, often: int) -> None:
        if often == 0:
            self.step(b.Latch(name="venue", actor="file", reason="drawdown"))

    @rule(often=st.integers(0, 5))
    def reset(self, often: int) -> None:
        if often == 0:
            self.step(b.Reset(name="venue", actor="ops", reason="checked"))

    # The world.

    @when(lambda s: s.breaker.state == "closed")
    @rule()
    def ask(self) -> None:
        assert not self.breaker.bars(self.now_ns)
        self.asked.append(Question(self.now_ns, self.well))

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

    @invariant()
    def shut_is_silent(self) -> None:
        if self.breaker.state in ("open", "latched"):
            assert self.breaker.bars(self.now_ns)
            assert all(q.asked_ns <= self.breaker.since_ns for q in self.asked)


TestBreakerLife = BreakerLife.TestCase


def test_rules_and_invariants_are_those_of_the_specification() -> None:
    mirrored("Breaker", BreakerLife)


@pytest.mark.parametrize("failures", [0, 2, 3])
@pytest.mark.parametrize("state", [s.id for s in b.BreakerMachine.states])
def test_every_action_in_every_state_is_an_edge_or_illegal(state: str, failures: int) -> None:
    breaker = evolve(NEW, state=state, failures=failures, since_ns=50, probed_ns=60)
    for action in (
        b.Failure(name="venue", asked_ns=50, reason="500"),
        b.Failure(name="venue", asked_ns=51, reason="500"),
        b.Success(name="venue", asked_ns=50),
        b.Success(name="venue", asked_ns=51),
        b.Cool(name="venue", at_ns=149),
        b.Cool(name="venue", at_ns=150),
        b.Probe(name="venue", at_ns=159),
        b.Probe(name="venue", at_ns=160),
        b.Latch(name="venue", actor="api", reason="x"),
        b.Reset(name="venue", actor="ops", reason="x"),
    ):
        edge_or_illegal(b.BreakerMachine, breaker, action)

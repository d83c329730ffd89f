"""``FeedMachine`` over a link that drops and a source whose messages get lost."""

import pytest
from attrs import evolve
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import precondition as when

from polybawt.core.machines import feed as f
from property_tests.mirror import edge_or_illegal, mirrored

NEW = f.Feed(name="1")


class FeedLife(RuleBasedStateMachine):
    @initialize()
    def init(self) -> None:
        self.feed, self.last = NEW, ""
        self.link, self.due, self.copy = False, False, "none"
        self.now_ns = 1

    def step(self, action: f.Action) -> None:
        before = self.feed
        self.feed, outputs = f.FeedMachine.step(before, evolve(action, at_ns=self.now_ns))
        self.last = type(action).__name__
        self.now_ns += 1
        assert outputs == ()
        if before.state != "fresh" and self.feed.state == "fresh":
            assert self.last == "Snapshot"
        if before.state == "down" and self.feed.state != "down":
            assert self.last == "Connect"
        assert self.feed.heard_ns >= before.heard_ns
        assert self.feed.since_ns >= before.since_ns

    # The machine.

    @when(lambda s: s.link)
    @rule()
    def connect(self) -> None:
        self.step(f.Connect(name="1"))
        self.due, self.copy = False, "none"

    @rule()
    def snapshot(self) -> None:
        down = self.feed.state == "down"
        self.step(f.Snapshot(name="1"))
        self.copy = self.copy if down else "whole"

    @when(lambda s: s.link)
    @rule()
    def change(self) -> None:
        self.step(f.Change(name="1"))

    @when(lambda s: s.link)
    @rule()
    def pong(self) -> None:
        self.step(f.Pong(name="1"))

    @when(lambda s: s.copy != "wrong")
    @rule()
    def verify(self) -> None:
        self.step(f.Verify(name="1"))

    @rule()
    def mismatch(self) -> None:
        self.step(f.Mismatch(name="1", reason="hash"))

    @rule()
    def quiet(self) -> None:
        self.step(f.Quiet(name="1"))

    @when(lambda s: s.due)
    @rule()
    def lose(self) -> None:
        self.step(f.Lose(name="1", reason="closed"))
        self.due = False

    # The world.

    @when(lambda s: not s.link)
    @rule()
    def raise_(self) -> None:
        self.link = True

    @when(lambda s: s.link)
    @rule(often=st.integers(0, 2))
    def drop(self, often: int) -> None:
        if often == 0:
            self.link, self.due = False, True

    @when(lambda s: s.copy == "whole")
    @rule()
    def miss(self) -> None:
        self.copy = "wrong"

    # What must always hold.

    @invariant()
    def fresh_has_copy(self) -> None:
        if self.feed.state == "fresh":
            assert self.copy != "none"
            assert self.feed.heard_ns > 0

    @invariant()
    def fresh_has_link(self) -> None:
        if self.feed.state != "down":
            assert self.link or self.due

    @invariant()
    def silent_is_empty(self) -> None:
        if self.feed.state == "silent":
            assert self.copy == "none"

    @invariant()
    def mismatch_is_doubt(self) -> None:
        if self.last == "Mismatch":
            assert self.feed.state in ("suspect", "down")

    @invariant()
    def lost_is_down(self) -> None:
        if self.last == "Lose":
            assert self.feed.state == "down"

    @invariant()
    def quiet_is_not_fresh(self) -> None:
        if self.last == "Quiet":
            assert self.feed.state != "fresh"


TestFeedLife = FeedLife.TestCase


def test_rules_and_invariants_are_those_of_the_specification() -> None:
    mirrored("Feed", FeedLife)


@pytest.mark.parametrize("state", [s.id for s in f.FeedMachine.states])
def test_every_action_in_every_state_is_an_edge_or_illegal(state: str) -> None:
    for kind in (f.Connect, f.Snapshot, f.Change, f.Pong, f.Verify, f.Quiet):
        edge_or_illegal(f.FeedMachine, evolve(NEW, state=state), kind(name="1"))
    for kind in (f.Mismatch, f.Lose):
        edge_or_illegal(f.FeedMachine, evolve(NEW, state=state), kind(name="1", reason="x"))

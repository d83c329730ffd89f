"""``FeedMachine`` over a link that drops, a source whose messages get lost, and late reads."""

from typing import Any

import pytest
from attrs import evolve
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import precondition as when

from polybawt.core.machines import feed as f
from property_tests.mirror import edge_or_illegal, mirrored

NEW = f.Feed(name="1")
DOUBTS = ("suspect", "stale")
QUIET_NS = 1_000


class FeedLife(RuleBasedStateMachine):
    @initialize()
    def init(self) -> None:
        self.feed = NEW
        self.link, self.copy = False, "none"
        self.due: list[str] = []
        self.answer, self.asked_ns, self.turned_ns = "none", 0, 0
        self.now_ns, self.heard_ns = QUIET_NS, 0

    def step(self, action: f.Action) -> bool:
        """Whether it changed what is believed."""
        before = self.feed
        self.now_ns += 1
        self.feed, outputs = f.FeedMachine.step(before, evolve(action, at_ns=self.now_ns))
        after = self.feed
        assert outputs == ()
        if before.state != "fresh" and after.state == "fresh":
            assert isinstance(action, f.Snapshot)
        if before.state == "down" and after.state != "down":
            assert isinstance(action, f.Connect)
        if isinstance(action, f.Mismatch):
            assert after.state in ("suspect", "down")
        if isinstance(action, f.Quiet | f.Lose):
            assert after.state != "fresh"
        if after.state != before.state or isinstance(action, f.Connect):
            self.turned_ns = self.now_ns
        assert after.since_ns == self.turned_ns  # repeated doubts are one
        assert after.heard_ns >= before.heard_ns
        return after.state != before.state

    def told(self, what: str) -> None:
        if self.due[:1] == [what]:
            del self.due[0]

    # The machine.

    @when(lambda s: s.link or s.due)
    @rule()
    def connect(self) -> None:
        self.step(f.Connect(name="1"))
        self.told("up")
        self.copy = "none"
        self.answer = "none" if self.answer == "none" else "past"

    @rule(read=st.booleans())
    def snapshot(self, read: bool) -> None:
        if read and self.answer == "none":
            return
        older = read and self.asked_ns < self.turned_ns
        before = self.feed
        self.step(f.Snapshot(name="1", asked_ns=self.asked_ns if read else None))
        if older:
            assert self.feed == before
        elif before.state != "down":
            assert self.answer != "past" or not read
            self.heard_ns = self.now_ns
            self.copy = "whole" if not read or self.answer == "good" else "wrong"
        self.answer = "none" if read else self.answer

    @rule()
    def change(self) -> None:
        self.small_talk(f.Change(name="1"))

    @rule()
    def pong(self) -> None:
        self.small_talk(f.Pong(name="1"))

    def small_talk(self, action: f.Action) -> None:
        assert not self.step(action)
        if self.feed.state == "fresh":
            self.heard_ns = self.now_ns

    @rule()
    def verify(self) -> None:
        assert not self.step(f.Verify(name="1"))

    @rule()
    def mismatch(self) -> None:
        self.step(f.Mismatch(name="1", reason="hash"))

    @when(lambda s: s.now_ns - s.feed.heard_ns >= QUIET_NS)
    @rule()
    def quiet(self) -> None:
        self.step(f.Quiet(name="1"))

    @rule(often=st.integers(0, 2))
    def lose(self, often: int) -> None:
        if often == 0 or self.due[:1] == ["down"]:
            self.step(f.Lose(name="1", reason="closed"))
            self.told("down")

    # The world.

    @when(lambda s: not s.link and len(s.due) < 2)
    @rule()
    def raise_(self) -> None:
        self.link = True
        self.due.append("up")

    @when(lambda s: s.link and len(s.due) < 2)
    @rule(often=st.integers(0, 2))
    def drop(self, often: int) -> None:
        if often == 0:
            self.link = False
            self.due.append("down")

    @rule()
    def miss(self) -> None:
        self.copy = "wrong" if self.copy == "whole" else self.copy
        self.answer = "behind" if self.answer == "good" else self.answer

    @rule()
    def hush(self) -> None:
        self.now_ns += QUIET_NS

    @when(lambda s: s.feed.state in DOUBTS and s.answer == "none")
    @rule()
    def ask(self) -> None:
        self.answer, self.asked_ns = "good", self.now_ns

    @rule()
    def ignore(self) -> None:
        self.answer = "none"

    # What must always hold.

    @invariant()
    def fresh_has_copy(self) -> None:
        if self.feed.state == "fresh":
            assert self.copy != "none"
            assert self.feed.heard_ns == self.heard_ns > 0

    @invariant()
    def silent_is_empty(self) -> None:
        if self.feed.state == "silent":
            assert self.copy == "none"

    @invariant()
    def up_means_joined(self) -> None:
        if self.feed.state != "down":
            assert self.due[0] == "down" if self.due else self.link

    @invariant()
    def asked_in_doubt(self) -> None:
        if self.answer != "none" and self.asked_ns >= self.feed.since_ns:
            assert self.feed.state in DOUBTS
            assert self.answer != "past"

    @invariant()
    def told_in_order(self) -> None:
        if self.due:
            assert self.link == (self.due[-1] == "up")


TestFeedLife = FeedLife.TestCase


def test_rules_and_invariants_are_those_of_the_specification() -> None:
    mirrored("Feed", FeedLife)


@pytest.mark.parametrize("state", [s.id for s in f.FeedMachine.states])
def test_every_action_in_every_state_is_an_edge_or_illegal(state: str) -> None:
    feed = evolve(NEW, state=state, since_ns=5)
    plain: list[Any] = [f.Connect, f.Snapshot, f.Change, f.Pong, f.Verify, f.Quiet]
    for kind in plain:
        edge_or_illegal(f.FeedMachine, feed, kind(name="1"))
    for asked_ns in (4, 5):
        edge_or_illegal(f.FeedMachine, feed, f.Snapshot(name="1", asked_ns=asked_ns))
    edge_or_illegal(f.FeedMachine, feed, f.Mismatch(name="1", reason="x"))
    edge_or_illegal(f.FeedMachine, feed, f.Lose(name="1", reason="x"))

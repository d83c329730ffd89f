"""``ConversionMachine`` against a network that loses and delays, a venue and a chain."""

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import precondition as when

from polybawt.core.commands import Convert
from polybawt.core.machines import conversion as c
from polybawt.core.market import Side
from polybawt.core.units import SECOND_NS, Shares, Usdc
from property_tests.mirror import edge_or_illegal, mirrored

ENDED = {"confirmed", "failed"}
ASKED = {"submitted", "unknown"}
READ = {"taken", "mined"}
ID = "c1"
RECORD = c.Conversion(
    conversion_id=ID, strategy="arbitrage", kind=c.MERGE, condition_ids=("0xc",),
    amount=Shares(1), created_ns=7,
)  # fmt: skip
ACTIONS = (
    c.Submit(conversion_id=ID), c.Drop(conversion_id=ID, reason=""), c.AskAgain(conversion_id=ID),
    c.AckTaken(conversion_id=ID, transaction_id="t"), c.AckDeclined(conversion_id=ID, reason=""),
    c.AckLost(conversion_id=ID, reason=""), c.SeenMoving(conversion_id=ID),
    c.SeenMined(conversion_id=ID), c.SeenConfirmed(conversion_id=ID),
    c.SeenFailed(conversion_id=ID, reason=""),
)  # fmt: skip

parts = st.lists(
    st.builds(
        c.Part,
        token_id=st.sampled_from(["1", "2"]),
        condition_id=st.just("0xc"),
        side=st.sampled_from(Side),
        shares=st.integers(1, 10**9).map(Shares),
        notional=st.integers(0, 10**9).map(Usdc),
    ),
    max_size=3,
)


def answered(road: str) -> Callable[[Any], Any]:
    return when(lambda s: s.road == road and s.record.state in ASKED)


def seen(step: str) -> Callable[[Any], Any]:
    return when(lambda s: step in s.said and s.record.state in READ)


def at(*chain: str) -> Callable[[Any], Any]:
    return when(lambda s: s.chain in chain)


class ConversionLife(RuleBasedStateMachine):
    """``late`` are the requests that we gave up and that may still land, by when we did."""

    @initialize(moved=parts, start=st.integers(10**18, 2 * 10**18))
    def init(self, moved: list[c.Part], start: int) -> None:
        self.record = evolve(RECORD, parts=tuple(moved), created_ns=start)
        self.now_ns, self.given_up_ns = start, 0
        self.road, self.chain, self.late = "none", "none", False
        self.said: set[str] = set()
        self.booked: list[tuple[c.Part, ...]] = []
        self.reversed: list[tuple[c.Part, ...]] = []
        self.told: list[bool] = []
        self.names: set[str] = set()

    def step(self, action: type[c.Action], **terms: Any) -> None:
        self.now_ns += 1
        self.record, outputs = c.ConversionMachine.step(
            self.record, action(at_ns=self.now_ns, conversion_id=ID, **terms)
        )
        self.booked += [out.parts for out in outputs if isinstance(out, c.Booked)]
        self.reversed += [out.parts for out in outputs if isinstance(out, c.Unbooked)]
        self.told += [out.done for out in outputs if isinstance(out, c.Ended)]
        for request in (out for out in outputs if isinstance(out, Convert)):
            assert self.road == "none"
            self.road = "out"
            self.names.add(request.name)

    def happen(self, step: str) -> None:
        self.chain = step
        self.said |= {step, "moving"}

    @property
    def window(self) -> bool:
        return self.now_ns - self.given_up_ns < c.LANDS_NS

    # The machine.

    @when(lambda s: s.record.state == "wanted")
    @rule()
    def submit(self) -> None:
        self.step(c.Submit)

    @when(lambda s: s.record.state == "wanted")
    @rule()
    def drop(self) -> None:
        self.step(c.Drop, reason="not to be had")
        assert self.record.state == "failed"

    @when(lambda s: s.record.state == "unknown" and not s.record.asking)
    @rule()
    def ask_again(self) -> None:
        self.step(c.AskAgain)

    @answered("taken")
    @rule()
    def ack_taken(self) -> None:
        self.step(c.AckTaken, transaction_id="t1")
        self.road = "none"

    @answered("declined")
    @rule()
    def ack_declined(self) -> None:
        self.step(c.AckDeclined, reason="no")
        self.road = "none"

    @answered("lost")
    @rule()
    def ack_lost(self) -> None:
        self.step(c.AckLost, reason="no answer")
        self.road, self.given_up_ns = "none", self.now_ns
        assert self.record.state == "unknown"

    @seen("moving")
    @rule()
    def seen_moving(self) -> None:
        before = self.record
        self.step(c.SeenMoving)
        assert self.record == before

    @seen("mined")
    @rule()
    def seen_mined(self) -> None:
        self.step(c.SeenMined)

    @seen("confirmed")
    @rule()
    def seen_confirmed(self) -> None:
        self.step(c.SeenConfirmed)

    @seen("failed")
    @rule()
    def seen_failed(self) -> None:
        self.step(c.SeenFailed, reason="reverted")

    # The world.

    @when(lambda s: s.road == "out")
    @rule()
    def take(self) -> None:
        self.road = "taken"
        if self.chain == "none":
            self.happen("moving")

    @when(lambda s: s.road == "out" and s.chain == "none")
    @rule()
    def decline(self) -> None:
        self.road = "declined"

    @when(lambda s: s.road in ("out", "taken", "declined"))
    @rule()
    def lose(self) -> None:
        self.late = self.late or self.road == "out"
        self.road = "lost"

    @when(lambda s: s.late and s.chain == "none")
    @rule()
    def land(self) -> None:
        self.late = False
        self.happen("moving")

    @when(lambda s: s.window and s.road != "lost")
    @rule(longer=st.integers(0, 10**6))
    def lapse(self, longer: int) -> None:
        self.now_ns = self.given_up_ns + c.LANDS_NS + longer * SECOND_NS
        self.late = False

    @at("moving")
    @rule()
    def include(self) -> None:
        self.happen("mined")

    @at("mined")
    @rule()
    def finalise(self) -> None:
        self.happen("confirmed")

    @at("moving", "mined")
    @rule()
    def revert(self) -> None:
        self.happen("failed")

    @when(lambda s: s.record.state in ENDED)
    @rule()
    def closed(self) -> None:
        """The one place to come to rest."""

    # What must always hold.

    @invariant()
    def booked_once(self) -> None:
        assert self.booked in ([], [self.record.parts])
        assert self.reversed in ([], self.booked)

    @invariant()
    def booked_when_mined(self) -> None:
        standing = len(self.booked) - len(self.reversed)
        assert standing == (self.record.state in ("mined", "confirmed"))

    @invariant()
    def booked_is_true(self) -> None:
        assert not self.booked or self.chain in ("mined", "confirmed", "failed")

    @invariant()
    def told_once(self) -> None:
        done = self.record.state == "confirmed"
        assert self.told == ([done] if self.record.state in ENDED else [])

    @invariant()
    def end_is_true(self) -> None:
        if self.record.state == "confirmed":
            assert self.chain == "confirmed"
        if self.record.state == "failed":
            assert self.chain in ("none", "failed")
            assert self.chain == "failed" or not (self.late or self.road == "out")

    @invariant()
    def never_behind(self) -> None:
        if self.record.state == "wanted":
            assert (self.road, self.late, self.chain) == ("none", False, "none")

    @invariant()
    def taken_is_true(self) -> None:
        assert self.record.state not in READ or self.chain != "none"

    @invariant()
    def one_request(self) -> None:
        assert self.record.asking == (self.road != "none")
        assert len(self.names) <= 1  # the same request, however often it is sent

    @invariant()
    def doubt_is_sound(self) -> None:
        doubt = c.doubtful(self.record, c.AckDeclined(conversion_id=ID, reason=""))
        if self.record.asking and not doubt:
            assert not self.late or self.road == "lost"

    @invariant()
    def late_is_window(self) -> None:
        assert not self.late or self.window or self.road == "lost"

    @invariant()
    def idle_is_doubt(self) -> None:
        if self.record.state == "unknown" and not self.record.asking:
            assert self.record.lost_ns > 0

    @invariant()
    def answers_are_true(self) -> None:
        assert self.road != "taken" or self.chain != "none"

    @invariant()
    def heard_is_true(self) -> None:
        assert self.chain == "none" or {self.chain, "moving"} <= self.said
        assert not self.said >= ENDED

    @invariant()
    def what_it_will_use_is_held_back(self) -> None:
        held = self.record.state in c.HOLDING
        given = sum(p.shares for p in self.record.parts if p.side is Side.SELL)
        assert sum(self.record.giving(t) for t in ("1", "2")) == (given if held else 0)
        assert self.record.takes == (max(0, -self.record.brings) if held else 0)


TestConversionLife = ConversionLife.TestCase


def test_rules_and_invariants_are_those_of_the_specification() -> None:
    mirrored("Conversion", ConversionLife)


@pytest.mark.parametrize("asking", [False, True])
@pytest.mark.parametrize("state", [s.id for s in c.ConversionMachine.states])
def test_every_action_in_every_state_is_an_edge_or_illegal(state: str, asking: bool) -> None:
    for action in ACTIONS:
        edge_or_illegal(c.ConversionMachine, evolve(RECORD, state=state, asking=asking), action)

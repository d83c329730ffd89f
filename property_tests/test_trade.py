"""``TradeMachine`` against the simulated chain, and a venue that repeats itself."""

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import precondition as when

from polybawt.core.machines import trade as t
from polybawt.core.market import Side
from polybawt.core.units import Price, Shares, Usdc
from polybawt.sim.chain import Chain, Fate
from polybawt.sim.records import VenueTrade
from property_tests.mirror import edge_or_illegal, mirrored

SETTLED = {"confirmed", "failed"}
ACTIONS = (t.Match, t.Mine, t.Retry, t.Confirm, t.Fail)

legs = st.lists(
    st.builds(
        t.Leg,
        intent_id=st.sampled_from(["i1", "i2", "i3"]),
        strategy=st.just("value"),
        token_id=st.sampled_from(["1", "2"]),
        side=st.sampled_from(Side),
        price=st.integers(1, 9_999).map(lambda n: Price(n * 100)),
        shares=st.integers(1, 10**5).map(lambda n: Shares(n * 10_000)),
        fee=st.integers(0, 10**6).map(Usdc),
        maker=st.booleans(),
    ),
    min_size=1,
    max_size=3,
)

fates = st.builds(
    lambda moving, end: tuple((step, ns) for ns, step in enumerate((*moving, end))),
    st.lists(st.sampled_from(["MINED", "RETRYING"]), max_size=5),
    st.sampled_from(["CONFIRMED", "FAILED"]),
)


def heard(step: str) -> Callable[[Any], Any]:
    return when(lambda s: s.trade.state not in SETTLED and step in s.said)


def fated(step: str) -> Callable[[Any], Any]:
    return when(lambda s: s.ahead[:1] == [step])


def matched(leg: t.Leg) -> VenueTrade:
    """What the venue has of a match of which one leg is ours."""
    return VenueTrade(
        trade_id="t1",
        status="MATCHED",
        condition_id="0xc",
        taker_order_id="0x1",
        taker_owner="they",
        token_id=leg.token_id,
        side=leg.side.other,
        price=leg.price,
        shares=leg.shares,
        fee=Usdc(0),
        makers=(),
        match_ns=0,
        updated_ns=0,
        tx_hash="0x2",
    )


class TradeLife(RuleBasedStateMachine):
    @initialize(parts=legs, fate=fates)
    def init(self, parts: list[t.Leg], fate: Fate) -> None:
        self.trade = t.Trade(trade_id="t1", condition_id="0xc", match_s=1, legs=tuple(parts))
        self.world, self.ahead = Chain(lambda _: fate), [step for step, _ in fate]
        self.world.add(matched(parts[0]))
        self.said = {"matched"}
        self.booked: list[t.Leg] = []
        self.voided: list[t.Leg] = []
        self.told = 0

    def step(self, action: type[t.Action]) -> None:
        self.trade, outputs = t.TradeMachine.step(self.trade, action(trade_id="t1"))
        self.booked += [out.leg for out in outputs if isinstance(out, t.Filled)]
        self.voided += [out.leg for out in outputs if isinstance(out, t.Voided)]
        self.told += sum(isinstance(out, t.Settled) for out in outputs)

    @property
    def chain(self) -> str:
        found = self.world.get("t1")
        assert found is not None
        return found.status.lower()

    def move(self) -> None:
        moved = self.world.next_step(self.world.due_ns)
        assert moved.status == self.ahead.pop(0)
        self.said.add(self.chain)

    # The machine.

    @heard("matched")
    @rule()
    def match(self) -> None:
        mined = self.trade.state == "mined"
        self.step(t.Match)
        assert self.trade.state == ("mined" if mined else "matched")

    @heard("mined")
    @rule()
    def mine(self) -> None:
        self.step(t.Mine)
        assert self.trade.state == "mined"

    @heard("retrying")
    @rule()
    def retry(self) -> None:
        self.step(t.Retry)
        assert self.trade.state == "retrying"

    @heard("confirmed")
    @rule()
    def confirm(self) -> None:
        self.step(t.Confirm)
        assert self.trade.state == "confirmed"

    @heard("failed")
    @rule()
    def fail(self) -> None:
        self.step(t.Fail)
        assert self.trade.state == "failed"

    # The world.

    @fated("MINED")
    @rule()
    def include(self) -> None:
        self.move()

    @fated("RETRYING")
    @rule()
    def revert(self) -> None:
        self.move()

    @fated("CONFIRMED")
    @rule()
    def finalise(self) -> None:
        self.move()

    @fated("FAILED")
    @rule()
    def void(self) -> None:
        self.move()

    @when(lambda s: s.trade.state in SETTLED)
    @rule()
    def closed(self) -> None:
        """The one place to come to rest."""

    # What must always hold.

    @invariant()
    def booked_once(self) -> None:
        assert self.booked in ([], list(self.trade.legs))
        assert self.voided in ([], self.booked)

    @invariant()
    def seen_is_untouched(self) -> None:
        if self.trade.state == "seen":
            assert (self.booked, self.told) == ([], 0)

    @invariant()
    def booked_until_it_fails(self) -> None:
        if self.trade.state in ("matched", "mined", "retrying", "confirmed"):
            assert self.booked
            assert not self.voided

    @invariant()
    def failed_holds_nothing(self) -> None:
        if self.trade.state == "failed":
            assert self.voided == self.booked

    @invariant()
    def told_once(self) -> None:
        assert self.told == (self.trade.state in SETTLED and self.booked != [])

    @invariant()
    def only_what_was_said(self) -> None:
        assert self.trade.state in {"seen", *self.said}

    @invariant()
    def rest_is_true(self) -> None:
        if self.trade.state in SETTLED:
            assert self.trade.state == self.chain

    @invariant()
    def ends_are_true(self) -> None:
        assert self.chain in self.said
        assert self.said & SETTLED <= {self.chain}
        assert self.world.unfinal("0xc") == (self.chain not in SETTLED)


TestTradeLife = TradeLife.TestCase


def test_rules_and_invariants_are_those_of_the_specification() -> None:
    mirrored("Trade", TradeLife)


@pytest.mark.parametrize("state", [s.id for s in t.TradeMachine.states])
def test_every_action_in_every_state_is_an_edge_or_illegal(state: str) -> None:
    trade = t.Trade(trade_id="t1", condition_id="0xc", match_s=1, legs=())
    for action in ACTIONS:
        edge_or_illegal(t.TradeMachine, evolve(trade, state=state), action(trade_id="t1"))

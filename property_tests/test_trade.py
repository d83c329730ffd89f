"""``TradeMachine`` against a chain that reverts and a venue that repeats itself."""

import pytest
from attrs import evolve
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import precondition as when

from polybawt.core.machines import trade as t
from polybawt.core.market import Side
from polybawt.core.units import Price, Shares, Usdc
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


def heard(step: str) -> object:
    return when(lambda s: s.trade.state not in SETTLED and step in s.said)


class TradeLife(RuleBasedStateMachine):
    @initialize(parts=legs)
    def init(self, parts: list[t.Leg]) -> None:
        self.trade = t.Trade(trade_id="t1", condition_id="0xc", match_s=1, legs=tuple(parts))
        self.chain, self.said = "matched", {"matched"}
        self.booked: list[t.Leg] = []
        self.voided: list[t.Leg] = []
        self.told = 0

    def step(self, action: type[t.Action]) -> None:
        self.trade, outputs = t.TradeMachine.step(self.trade, action(trade_id="t1"))
        self.booked += [out.leg for out in outputs if isinstance(out, t.Filled)]
        self.voided += [out.leg for out in outputs if isinstance(out, t.Voided)]
        self.told += sum(isinstance(out, t.Settled) for out in outputs)

    def move(self, to: str) -> None:
        self.chain = to
        self.said.add(to)

    # The machine.

    @heard("matched")
    @rule()
    def match(self) -> None:
        self.step(t.Match)

    @heard("mined")
    @rule()
    def mine(self) -> None:
        self.step(t.Mine)

    @heard("retrying")
    @rule()
    def retry(self) -> None:
        self.step(t.Retry)

    @heard("confirmed")
    @rule()
    def confirm(self) -> None:
        self.step(t.Confirm)

    @heard("failed")
    @rule()
    def fail(self) -> None:
        self.step(t.Fail)

    # The world.

    @when(lambda s: s.chain == "retrying")
    @rule()
    def broadcast(self) -> None:
        self.move("matched")

    @when(lambda s: s.chain in ("matched", "retrying"))
    @rule()
    def include(self) -> None:
        self.move("mined")

    @when(lambda s: s.chain in ("matched", "mined"))
    @rule()
    def revert(self) -> None:
        self.move("retrying")

    @when(lambda s: s.chain == "mined")
    @rule(often=st.integers(0, 2))
    def finalise(self, often: int) -> None:
        if often == 0:
            self.move("confirmed")

    @when(lambda s: s.chain in ("matched", "mined", "retrying"))
    @rule(often=st.integers(0, 3))
    def void_(self, often: int) -> None:
        if often == 0:
            self.move("failed")

    @when(lambda s: s.trade.state in SETTLED)
    @rule()
    def closed(self) -> None:
        """The one place to come to rest."""

    # What must always hold.

    @invariant()
    def booked_once(self) -> None:
        assert self.booked in ([], list(self.trade.legs))

    @invariant()
    def never_void_unbooked(self) -> None:
        assert self.voided in ([], self.booked)

    @invariant()
    def booked_while_open(self) -> None:
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
    def rest_is_true(self) -> None:
        if self.trade.state in SETTLED:
            assert self.trade.state == self.chain


TestTradeLife = TradeLife.TestCase


def test_rules_and_invariants_are_those_of_the_specification() -> None:
    mirrored("Trade", TradeLife)


@pytest.mark.parametrize("state", [s.id for s in t.TradeMachine.states])
def test_every_action_in_every_state_is_an_edge_or_illegal(state: str) -> None:
    trade = t.Trade(trade_id="t1", condition_id="0xc", match_s=1, legs=())
    for action in ACTIONS:
        edge_or_illegal(t.TradeMachine, evolve(trade, state=state), action(trade_id="t1"))

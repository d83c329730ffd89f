"""``SettlementMachine`` between an oracle that may be silent and a venue that may waver."""

import pytest
from attrs import evolve
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import precondition as when

from polybawt.core.machines import settlement as m
from polybawt.core.units import MILLION, Usdc
from property_tests.mirror import edge_or_illegal, mirrored

ID = "0xc"
NEW = m.Settlement(condition_id=ID)
Pair = tuple[int, int]
payouts = st.sampled_from([(MILLION, 0), (0, MILLION), (500_000, 500_000)]) | st.integers(
    0, MILLION
).map(lambda yes: (yes, MILLION - yes))


def winner(pair: Pair) -> str:
    return {(MILLION, 0): "yes", (0, MILLION): "no"}.get(pair, "split")


class SettlementLife(RuleBasedStateMachine):
    @initialize(strike=st.integers(1, 10**24), move=st.integers(-2, 2))
    def init(self, strike: int, move: int) -> None:
        self.settlement = NEW
        self.strike_e18, self.close_e18 = strike, max(strike + move, 1)
        self.truth = "yes" if self.close_e18 >= strike else "no"
        self.published: list[Pair] = []
        self.due: list[m.Due] = []

    def step(self, action: m.Action) -> None:
        self.settlement, outputs = m.SettlementMachine.step(self.settlement, action)
        self.due += [out for out in outputs if isinstance(out, m.Due)]

    @property
    def payout(self) -> Pair | None:
        yes, no = self.settlement.yes_payout, self.settlement.no_payout
        return None if yes is None or no is None else (yes, no)

    # The machine.

    @when(lambda s: s.settlement.state != "paid")
    @rule()
    def strike(self) -> None:
        self.step(m.Strike(condition_id=ID, value_e18=self.strike_e18))

    @when(lambda s: s.settlement.state == "trading")
    @rule()
    def end(self) -> None:
        self.step(m.End(condition_id=ID))

    @when(lambda s: s.settlement.state not in ("trading", "paid"))
    @rule()
    def close_report(self) -> None:
        self.step(m.CloseReport(condition_id=ID, value_e18=self.close_e18))

    @when(lambda s: s.settlement.state == "ended")
    @rule()
    def give_up(self) -> None:
        self.step(m.GiveUp(condition_id=ID))

    @when(lambda s: s.settlement.state != "paid" and s.published)
    @rule(choice=st.data())
    def publish(self, choice: st.DataObject) -> None:
        yes, no = choice.draw(st.sampled_from(self.published))
        self.step(m.Publish(condition_id=ID, yes_payout=Usdc(yes), no_payout=Usdc(no)))

    @when(lambda s: s.settlement.state == "resolved")
    @rule(often=st.integers(0, 3))
    def pay(self, often: int) -> None:
        if often == 0:
            self.step(m.Pay(condition_id=ID))

    # The world.

    @rule(pair=payouts)
    def announce(self, pair: Pair) -> None:
        self.published.append(pair)

    # What must always hold.

    @invariant()
    def never_guessed(self) -> None:
        if self.settlement.state in ("resolved", "conflicting", "paid"):
            assert self.payout in self.published

    @invariant()
    def paid_is_published(self) -> None:
        for due in self.due:
            assert (due.yes_payout, due.no_payout) == self.payout
            assert self.payout in self.published

    @invariant()
    def paid_no_earlier(self) -> None:
        assert len(self.due) == (self.settlement.state == "paid")

    @invariant()
    def observed_is_true(self) -> None:
        if self.settlement.observed:
            assert self.settlement.observed == self.truth
            assert self.settlement.strike_e18 == self.strike_e18
            assert self.settlement.close_e18 == self.close_e18

    @invariant()
    def voices_agree(self) -> None:
        if self.settlement.state in ("resolved", "paid") and self.settlement.observed:
            assert self.payout is not None
            assert winner(self.payout) == self.settlement.observed

    @invariant()
    def conflict_is_real(self) -> None:
        if self.settlement.state == "conflicting":
            assert self.payout is not None
            contradicts = winner(self.payout) != self.settlement.observed != ""
            assert contradicts or len(set(self.published)) > 1

    @invariant()
    def known_is_observed(self) -> None:
        if self.settlement.strike_e18 and self.settlement.close_e18:
            assert self.settlement.observed

    @invariant()
    def unprovable_means_blind(self) -> None:
        if self.settlement.state == "unprovable":
            assert not (self.settlement.strike_e18 and self.settlement.close_e18)


TestSettlementLife = SettlementLife.TestCase


def test_rules_and_invariants_are_those_of_the_specification() -> None:
    mirrored("Settlement", SettlementLife)


KNOWN = [
    NEW,
    evolve(NEW, strike_e18=1),
    evolve(NEW, close_e18=1),
    evolve(NEW, strike_e18=1, close_e18=1, observed="yes"),
    evolve(NEW, strike_e18=2, close_e18=1, observed="no", yes_payout=Usdc(0), no_payout=Usdc(1)),
    evolve(NEW, yes_payout=Usdc(MILLION), no_payout=Usdc(0)),
]


@pytest.mark.parametrize("state", [s.id for s in m.SettlementMachine.states])
def test_every_action_in_every_state_is_an_edge_or_illegal(state: str) -> None:
    for known in KNOWN:
        settlement = evolve(known, state=state)
        for action in (
            m.Strike(condition_id=ID, value_e18=1),
            m.End(condition_id=ID),
            m.CloseReport(condition_id=ID, value_e18=1),
            m.GiveUp(condition_id=ID),
            m.Publish(condition_id=ID, yes_payout=Usdc(MILLION), no_payout=Usdc(0)),
            m.Publish(condition_id=ID, yes_payout=Usdc(0), no_payout=Usdc(MILLION)),
            m.Publish(condition_id=ID, yes_payout=Usdc(500_000), no_payout=Usdc(500_000)),
        ):
            edge_or_illegal(m.SettlementMachine, settlement, action)
        if settlement.yes_payout is not None:
            edge_or_illegal(m.SettlementMachine, settlement, m.Pay(condition_id=ID))

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
    @initialize(first=st.integers(1, 10**24), move=st.integers(-2, 2))
    def init(self, first: int, move: int) -> None:
        self.settlement = NEW
        self.values = (first, max(first + move, 1))  # what strike and closing report may be
        self.phase = "open"
        self.answer: Pair | None = None
        self.published: list[Pair] = []
        self.due: list[m.Due] = []

    def step(self, action: m.Action) -> None:
        self.settlement, outputs = m.SettlementMachine.step(self.settlement, action)
        self.due += [out for out in outputs if isinstance(out, m.Due)]

    @property
    def payout(self) -> Pair | None:
        yes, no = self.settlement.yes_payout, self.settlement.no_payout
        return None if yes is None or no is None else (yes, no)

    def decide_on(self, pair: Pair) -> m.Decide:
        yes, no = Usdc(pair[0]), Usdc(pair[1])
        return m.Decide(condition_id=ID, yes_payout=yes, no_payout=no, actor="jo", reason="seen")

    # The machine.

    @when(lambda s: s.settlement.state != "paid")
    @rule(which=st.integers(0, 1))
    def strike(self, which: int) -> None:
        """Told as often as they like; the first one stands."""
        known = self.settlement.strike_e18
        self.step(m.Strike(condition_id=ID, value_e18=self.values[which]))
        assert self.settlement.strike_e18 == (known or self.values[which])

    @when(lambda s: s.settlement.state == "trading")
    @rule()
    def end(self) -> None:
        self.step(m.End(condition_id=ID))

    @when(lambda s: s.settlement.state not in ("trading", "paid"))
    @rule(which=st.integers(0, 1))
    def close_report(self, which: int) -> None:
        known = self.settlement.close_e18
        self.step(m.CloseReport(condition_id=ID, value_e18=self.values[which]))
        assert self.settlement.close_e18 == (known or self.values[which])

    @when(lambda s: s.settlement.state == "ended")
    @rule()
    def give_up(self) -> None:
        self.step(m.GiveUp(condition_id=ID))

    @when(lambda s: s.settlement.state != "paid" and s.published)
    @rule(choice=st.data())
    def publish(self, choice: st.DataObject) -> None:
        yes, no = choice.draw(st.sampled_from(self.published))
        self.step(m.Publish(condition_id=ID, yes_payout=Usdc(yes), no_payout=Usdc(no)))

    @when(lambda s: s.settlement.state == "conflicting")
    @rule(often=st.integers(0, 2))
    def decide(self, often: int) -> None:
        if often == 0:
            assert self.payout is not None
            self.step(self.decide_on(self.payout))
            assert self.settlement.decided_by == "jo"

    @when(lambda s: s.settlement.state == "resolved")
    @rule(often=st.integers(0, 3))
    def pay(self, often: int) -> None:
        if often == 0:
            self.step(m.Pay(condition_id=ID))

    # The world.

    @when(lambda s: s.phase in ("open", "reset"))
    @rule(pair=payouts)
    def propose(self, pair: Pair) -> None:
        self.phase = "proposed" if self.phase == "open" else "reproposed"
        self.answer = pair

    @when(lambda s: s.phase in ("proposed", "reproposed"))
    @rule()
    def dispute(self) -> None:
        self.phase = "reset" if self.phase == "proposed" else "voting"

    @when(lambda s: s.phase == "voting")
    @rule(pair=payouts)
    def vote(self, pair: Pair) -> None:
        self.phase, self.answer = "final", pair

    @when(lambda s: s.phase in ("proposed", "reproposed"))
    @rule()
    def lapse(self) -> None:
        self.phase = "final"

    @when(lambda s: s.phase in ("proposed", "reproposed", "final"))
    @rule()
    def announce(self) -> None:
        assert self.answer is not None
        self.published.append(self.answer)

    @when(lambda s: s.phase == "final" and s.answer in s.published)
    @rule(pair=payouts)
    def flip(self, pair: Pair) -> None:
        self.published.append(pair)

    # What must always hold.

    @invariant()
    def never_guessed(self) -> None:
        spoken = self.settlement.state in ("resolved", "conflicting", "paid")
        assert spoken == (self.payout is not None)

    @invariant()
    def payout_is_published(self) -> None:
        assert self.payout is None or self.payout in self.published

    @invariant()
    def paid_is_payout(self) -> None:
        assert len(self.due) == (self.settlement.state == "paid")
        for due in self.due:
            assert (due.yes_payout, due.no_payout) == self.payout

    @invariant()
    def voices_agree(self) -> None:
        settlement = self.settlement
        if settlement.state in ("resolved", "paid") and settlement.observed:
            assert self.payout is not None
            assert winner(self.payout) == settlement.observed or settlement.decided_by

    @invariant()
    def conflict_is_real(self) -> None:
        if self.settlement.state == "conflicting":
            assert self.payout is not None
            if self.settlement.observed:
                assert winner(self.payout) != self.settlement.observed
            else:
                assert len(set(self.published)) > 1

    @invariant()
    def observed_is_seen(self) -> None:
        strike, close = self.settlement.strike_e18, self.settlement.close_e18
        seen = "" if not strike or not close else "yes" if close >= strike else "no"
        assert self.settlement.observed == seen

    @invariant()
    def observed_fits(self) -> None:
        seen = self.settlement.observed and self.payout is None
        assert (self.settlement.state == "observed") == bool(seen)

    @invariant()
    def nothing_before_the_end(self) -> None:
        assert self.settlement.state != "trading" or not self.settlement.close_e18

    @invariant()
    def decided_is_settled(self) -> None:
        assert not self.settlement.decided_by or self.settlement.state in ("resolved", "paid")

    @invariant()
    def decides_what_stands(self) -> None:
        for pair in {*self.published, (1, MILLION - 1)}:
            allowed = m.SettlementMachine.allows(self.settlement, self.decide_on(pair))
            called = self.settlement.state == "conflicting"
            assert allowed == (called and pair == self.payout)

    @invariant()
    def answered_when_proposed(self) -> None:
        assert (self.phase == "open") == (self.answer is None)

    @invariant()
    def published_has_origin(self) -> None:
        assert self.phase != "open" or not self.published


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
        for yes in (0, 1, MILLION):
            decide = m.Decide(
                condition_id=ID, yes_payout=Usdc(yes), no_payout=Usdc(MILLION - yes),
                actor="jo", reason="seen",
            )  # fmt: skip
            edge_or_illegal(m.SettlementMachine, settlement, decide)
        if settlement.yes_payout is not None:
            edge_or_illegal(m.SettlementMachine, settlement, m.Pay(condition_id=ID))

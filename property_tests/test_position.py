"""``PositionMachine`` against trades in any order, of any size, some of them void."""

import pytest
from attrs import evolve, field, mutable
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import precondition as when

from polybawt.core.machines import position as p
from polybawt.core.units import MILLION, Shares, Usdc
from property_tests.mirror import edge_or_illegal, mirrored

FLAT = p.Position(token_id="1", condition_id="0xc")
STANDS = ("booked", "confirmed")


@mutable
class Happening:
    """One trade of the world, with its life."""

    buys: bool
    shares: int
    notional: int
    fee: int
    life: str = field(default="matched")


class PositionLife(RuleBasedStateMachine):
    @initialize()
    def init(self) -> None:
        self.position = FLAT
        self.trades: list[Happening] = []
        self.paid: list[p.PaidOut] = []
        self.payout = 0

    def change(self, trade: Happening, kind: type[p.Change]) -> None:
        action = kind(
            token_id="1",
            shares=Shares(trade.shares),
            notional=Usdc(trade.notional),
            fee=Usdc(trade.fee),
        )
        self.position, outputs = p.PositionMachine.step(self.position, action)
        assert outputs == ()

    def pick(self, choice: st.DataObject, life: str, buys: bool) -> Happening | None:
        found = [t for t in self.trades if t.life == life and t.buys == buys]
        return choice.draw(st.sampled_from(found)) if found else None

    @property
    def shares(self) -> int:
        return self.position.bought - self.position.sold

    @property
    def at_rest(self) -> bool:
        return all(t.life in ("confirmed", "voided") for t in self.trades)

    # The machine.

    @rule(choice=st.data())
    def bought(self, choice: st.DataObject) -> None:
        if trade := self.pick(choice, "matched", True):
            self.change(trade, p.Bought)
            trade.life = "booked"

    @rule(choice=st.data())
    def sold(self, choice: st.DataObject) -> None:
        if trade := self.pick(choice, "matched", False):
            self.change(trade, p.Sold)
            trade.life = "booked"

    @rule(choice=st.data())
    def bought_void(self, choice: st.DataObject) -> None:
        if trade := self.pick(choice, "booked", True):
            self.change(trade, p.BoughtVoid)
            trade.life = "voided"

    @rule(choice=st.data())
    def sold_void(self, choice: st.DataObject) -> None:
        if trade := self.pick(choice, "booked", False):
            self.change(trade, p.SoldVoid)
            trade.life = "voided"

    @when(lambda s: s.at_rest and s.position.state != "settled" and len(s.trades) > 2)
    @rule(payout=st.integers(0, MILLION))
    def pay(self, payout: int) -> None:
        action = p.Pay(token_id="1", payout=Usdc(payout))
        self.position, outputs = p.PositionMachine.step(self.position, action)
        self.paid += [out for out in outputs if isinstance(out, p.PaidOut)]
        self.payout = payout

    # The world.

    @when(lambda s: s.position.state != "settled")
    @rule(
        buys=st.booleans(),
        shares=st.integers(1, 4) | st.integers(1, 10**12),
        notional=st.integers(0, 10**12),
        fee=st.integers(0, 10**9),
    )
    def match(self, buys: bool, shares: int, notional: int, fee: int) -> None:
        self.trades.append(Happening(buys, shares, notional, fee))

    @rule(choice=st.data(), buys=st.booleans())
    def refuse(self, choice: st.DataObject, buys: bool) -> None:
        if trade := self.pick(choice, "matched", buys):
            trade.life = "voided"

    @rule(choice=st.data(), buys=st.booleans())
    def confirm(self, choice: st.DataObject, buys: bool) -> None:
        """The chain confirms no sale of what is not there."""
        trade = self.pick(choice, "booked", buys)
        held = sum(t.shares if t.buys else -t.shares for t in self.trades if t.life == "confirmed")
        if trade and (buys or held >= trade.shares):
            trade.life = "confirmed"

    # What must always hold.

    @invariant()
    def exactly_what_stands(self) -> None:
        standing = [t for t in self.trades if t.life in STANDS]
        bought, sold = [t for t in standing if t.buys], [t for t in standing if not t.buys]
        position = self.position
        assert position.bought == sum(t.shares for t in bought)
        assert position.sold == sum(t.shares for t in sold)
        assert position.spent == sum(t.notional for t in bought)
        assert position.earned == sum(t.notional for t in sold)
        assert position.fees == sum(t.fee for t in standing)

    @invariant()
    def state_fits_shares(self) -> None:
        if self.position.state != "settled":
            assert self.position.shares == self.shares
            expected = "flat" if self.shares == 0 else "long" if self.shares > 0 else "oversold"
            assert self.position.state == expected

    @invariant()
    def paid_is_held(self) -> None:
        assert (self.position.state == "settled") == (len(self.paid) == 1)

    @invariant()
    def paid_once(self) -> None:
        for out in self.paid:
            assert out.shares == self.shares
            assert out.amount == self.position.paid_out == self.shares * self.payout // MILLION
            assert self.position.shares == self.position.cost == 0

    @invariant()
    def doubts_end(self) -> None:
        if self.at_rest:
            assert self.position.state != "oversold"

    @invariant()
    def nothing_is_lost_between_cost_and_profit(self) -> None:
        """Cost still in it and profit taken out of it add up to what went in and came out."""
        position = self.position
        flow = position.earned + position.paid_out - position.spent - position.fees
        assert position.realised - position.cost == flow


TestPositionLife = PositionLife.TestCase


def test_rules_and_invariants_are_those_of_the_specification() -> None:
    mirrored("Position", PositionLife)


@pytest.mark.parametrize("held", [(0, 0), (5, 3), (3, 5), (5, 5)])
@pytest.mark.parametrize("state", [s.id for s in p.PositionMachine.states])
def test_every_action_in_every_state_is_an_edge_or_illegal(
    state: str, held: tuple[int, int]
) -> None:
    bought, sold = held
    position = evolve(FLAT, bought=Shares(bought), sold=Shares(sold), state=state)
    for kind in (p.Bought, p.Sold, p.BoughtVoid, p.SoldVoid):
        for shares in (1, 2, 3):
            change = kind(token_id="1", shares=Shares(shares), notional=Usdc(1), fee=Usdc(0))
            edge_or_illegal(p.PositionMachine, position, change)
    edge_or_illegal(p.PositionMachine, position, p.Pay(token_id="1", payout=Usdc(MILLION)))

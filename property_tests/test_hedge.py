"""``HedgeMachine`` against a venue that matches, ends and denies, in sizes of whole lots.

Here a leg consists of single orders, of which the machine sees the sums alone.
"""

from typing import Final

import pytest
from attrs import define, evolve
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import precondition as when

from polybawt.core.machines import hedge as h
from polybawt.core.machines.hedge import LANES, HedgeMachine, Lane, Leg, Tally
from polybawt.core.market import LOT, Side
from polybawt.core.units import MILLION, Price, Shares, Usdc
from property_tests.mirror import edge_or_illegal, mirrored

ACTIVE: Final = ("working", "hedging", "unwinding")
FINAL: Final = ("done", "failed")
LIMIT: Final = Price(450_000)
PAIR_COST_MAX: Final = 980_000
HEDGE: Final = h.Hedge(
    hedge_id="h1",
    strategy="hedge",
    condition_id="0xc",
    quantity=Shares(3 * LOT),
    slice_max=Shares(2 * LOT),
    order_min=LOT,
    pair_cost_max=Price(PAIR_COST_MAX),
    loss_left=Usdc(0),
)

draws = st.data()


@define
class Placed:
    """One order at the venue, and what we have been told of it."""

    lane: Lane
    size: int
    loss: int
    resting: int
    matched: int = 0
    heard: int = 0  # in time
    told: int = 0  # to have ended
    denied: int = 0  # of them matched
    recovered: int = 0  # of these heard

    @property
    def unheard(self) -> int:
        return self.matched - self.heard - self.denied

    @property
    def late(self) -> int:
        return self.denied - self.recovered

    @property
    def open(self) -> int:
        """What we must count as open."""
        return self.size - self.heard - self.told

    @property
    def ended(self) -> bool:
        """And we were not told."""
        return not self.resting and not self.told


class HedgeLife(RuleBasedStateMachine):
    @initialize(
        slices=st.integers(1, 4), size=st.integers(1, 40), more=st.integers(0, 40),
        least=st.integers(1, 40), loss_max=st.integers(0, 10**6),
    )  # fmt: skip
    def init(self, slices: int, size: int, more: int, least: int, loss_max: int) -> None:
        self.hedge = evolve(
            HEDGE,
            quantity=Shares((slices * size + more) * LOT),
            slice_max=Shares(size * LOT),
            order_min=Shares(min(size, least) * LOT),
            loss_left=Usdc(loss_max),
        )
        self.loss_max = loss_max
        self.orders: list[Placed] = []
        self.pulled: set[Lane] = set()
        self.stranded: list[h.Stranded] = []
        self.untrue = self.untrue_loss = 0
        self.settled = self.voided = False

    # Questions.

    @property
    def at_rest(self) -> bool:
        calm = not any(o.resting or o.unheard or o.late for o in self.orders)
        return calm and (self.settled or not self.orders)

    def sum_of(self, lane: Lane, what: str) -> int:
        return sum(int(getattr(o, what)) for o in self.orders if o.lane == lane)

    def truly(self, leg: Leg) -> int:
        """What we hold whether or not we have heard of it."""
        missing = {
            side: self.sum_of((leg, side), "unheard") + self.sum_of((leg, side), "late")
            for side in Side
        }
        return self.hedge.held(leg) + missing[Side.BUY] - missing[Side.SELL]

    def pick(self, choice: st.DataObject, what: str) -> Placed | None:
        found = [o for o in self.orders if getattr(o, what)]
        return choice.draw(st.sampled_from(found)) if found else None

    def lots(self, choice: st.DataObject, most: int) -> Shares:
        return Shares(choice.draw(st.integers(1, most // LOT)) * LOT)

    # The machine.

    def step(self, action: h.Action) -> None:
        before = self.reach()
        self.hedge, outputs = HedgeMachine.step(self.hedge, action)
        for out in outputs:
            match out:
                case h.Wanted():
                    assert out.limit == LIMIT
                    loss = int(action.loss) if isinstance(action, h.Unwind) else 0
                    placed = Placed(
                        lane=(out.leg, out.side), size=out.shares, loss=loss, resting=out.shares
                    )
                    self.orders.append(placed)
                    self.pulled.discard(placed.lane)
                case h.Unwanted():
                    self.pulled.add((out.leg, out.side))
                case h.Stranded():
                    self.stranded.append(out)
        if not isinstance(action, h.Void):
            self.grows_by_a_slice(before)

    def reach(self) -> dict[Leg, int]:
        """What could at worst be naked of a leg."""
        return {
            leg: self.truly(leg)
            - self.truly(leg.other)
            + self.sum_of((leg, Side.BUY), "resting")
            + self.sum_of((leg.other, Side.SELL), "resting")
            for leg in Leg
        }

    def grows_by_a_slice(self, before: dict[Leg, int]) -> None:
        """RiskIsOneSlice: nothing but a void trade lays bare more than one slice."""
        for leg, most in ((Leg.FIRST, self.hedge.slice_max), (Leg.SECOND, 0)):
            after = self.reach()[leg]
            assert after <= max(before[leg], most + self.untrue)

    def may(self, action: h.Action) -> None:
        """What is ours to decide, when the machine allows it."""
        if HedgeMachine.allows(self.hedge, action):
            self.step(action)

    @rule(over=st.integers(-2, 2))
    def lead(self, over: int) -> None:
        self.may(h.Lead(hedge_id="h1", limit=LIMIT, pair_cost=Price(PAIR_COST_MAX + over)))

    @rule(over=st.integers(-2, 2))
    def cover(self, over: int) -> None:
        self.may(h.Cover(hedge_id="h1", limit=LIMIT, pair_cost=Price(PAIR_COST_MAX + over)))

    @rule(loss=st.integers(1, 50_000))
    def unwind(self, loss: int) -> None:
        self.may(h.Unwind(hedge_id="h1", limit=LIMIT, loss=Price(loss)))

    @when(lambda s: s.hedge.state in ("working", "hedging"))
    @when(lambda s: len(s.orders) > 5 or s.hedge.state == "hedging")
    @rule()
    def abandon(self) -> None:
        self.step(h.Abandon(hedge_id="h1", reason="late"))

    @rule(choice=draws)
    def fill(self, choice: st.DataObject) -> None:
        if placed := self.pick(choice, "unheard"):
            shares = self.lots(choice, placed.unheard)
            placed.heard += shares
            leg, side = placed.lane
            self.step(h.Fill(hedge_id="h1", leg=leg, side=side, shares=shares))

    @rule(choice=draws)
    def late_fill(self, choice: st.DataObject) -> None:
        if placed := self.pick(choice, "late"):
            shares = self.lots(choice, placed.late)
            placed.recovered += shares
            leg, side = placed.lane
            self.step(h.LateFill(hedge_id="h1", leg=leg, side=side, shares=shares))

    @when(lambda s: s.hedge.state in ACTIVE and not s.settled)
    @rule(choice=draws)
    def void(self, choice: st.DataObject) -> None:
        """Any trade may fail until all have settled."""
        found = [lane for lane in LANES if self.hedge.tally(*lane).filled]
        if found:
            leg, side = choice.draw(st.sampled_from(found))
            most = min(self.hedge.tally(leg, side).filled, self.hedge.slice_max)
            shares = self.lots(choice, most)
            self.voided = True
            self.step(h.Void(hedge_id="h1", leg=leg, side=side, shares=shares))

    @rule(choice=draws, denies=st.sampled_from([False, False, False, True]))
    def end(self, choice: st.DataObject, denies: bool) -> None:
        """The end of one order, told whole; it may count fewer matches than there were."""
        placed = self.pick(choice, "ended")
        if placed is None:
            return
        untrue = placed.unheard if denies else 0
        (leg, side), shares = placed.lane, placed.size - placed.matched + untrue
        if shares:
            placed.told, placed.denied = shares, untrue
            self.untrue += untrue
            self.untrue_loss += untrue * placed.loss
            self.step(h.End(hedge_id="h1", leg=leg, side=side, shares=Shares(shares)))

    @when(lambda s: s.at_rest and len(s.orders) > 3)
    @rule()
    def close(self) -> None:
        self.may(h.Close(hedge_id="h1"))

    @when(lambda s: s.at_rest and len(s.orders) > 3)
    @rule()
    def give_up(self) -> None:
        self.may(h.GiveUp(hedge_id="h1"))

    # The world.

    @rule(choice=draws)
    def match(self, choice: st.DataObject) -> None:
        if placed := self.pick(choice, "resting"):
            before, shares = self.reach(), self.lots(choice, placed.resting)
            placed.resting -= shares
            placed.matched += shares
            self.settled = False
            self.grows_by_a_slice(before)

    @rule(choice=draws)
    def kill(self, choice: st.DataObject) -> None:
        if placed := self.pick(choice, "resting"):
            placed.resting = 0

    @rule()
    def settle(self) -> None:
        self.settled = True

    # What must always hold.

    @invariant()
    def state_fits(self) -> None:
        if self.hedge.state in ("working", "hedging"):
            assert (self.hedge.state == "hedging") == (self.hedge.naked != 0)

    @invariant()
    def counted_in_full(self) -> None:
        """What may still be matched or told is open, to the lot."""
        for lane in LANES:
            assert self.hedge.tally(*lane).open == self.sum_of(lane, "open")

    @invariant()
    def never_more_than_wanted(self) -> None:
        most = self.truly(Leg.FIRST) + self.sum_of((Leg.FIRST, Side.BUY), "resting")
        assert most <= self.hedge.quantity + self.untrue

    @invariant()
    def never_too_dear(self) -> None:
        for kind in (h.Lead, h.Cover):
            dear = kind(hedge_id="h1", limit=LIMIT, pair_cost=Price(PAIR_COST_MAX + 1))
            assert not HedgeMachine.allows(self.hedge, dear)

    @invariant()
    def never_meets_itself(self) -> None:
        for leg in Leg:
            assert not all(self.sum_of((leg, side), "resting") for side in Side)

    @invariant()
    def sold_to_unwind(self) -> None:
        if self.hedge.state in ("working", "hedging"):
            assert all(self.hedge.tally(leg, Side.SELL) == Tally() for leg in Leg)

    @invariant()
    def withdrawn(self) -> None:
        """In unwinding no bid is left that was not asked back; no order is ever too large."""
        for leg, side in LANES:
            opened = self.hedge.tally(leg, side).open
            if opened and self.hedge.state == "unwinding" and side is Side.BUY:
                assert (leg, side) in self.pulled
            ahead = self.hedge.held(leg) - self.hedge.held(leg.other)
            most = self.hedge.slice_max if leg is Leg.FIRST else 0
            if opened and (ahead + opened > most if side is Side.BUY else ahead < opened):
                assert (leg, side) in self.pulled

    @invariant()
    def budget_kept(self) -> None:
        """What was lost is never more than what was spent, and that within the budget."""
        assert 0 <= self.hedge.loss_left <= self.loss_max
        lost = sum(o.matched * o.loss for o in self.orders)
        spent = self.loss_max - self.hedge.loss_left
        assert lost - self.untrue_loss <= spent * MILLION

    @invariant()
    def final_is_at_rest(self) -> None:
        if self.hedge.state in FINAL:
            assert self.at_rest
            assert not any(self.hedge.tally(*lane).open for lane in LANES)

    @invariant()
    def done_is_hedged(self) -> None:
        if self.hedge.state == "done":
            assert self.truly(Leg.FIRST) == self.truly(Leg.SECOND)

    @invariant()
    def failed_is_naked(self) -> None:
        if self.hedge.state == "failed":
            assert self.truly(Leg.FIRST) != self.truly(Leg.SECOND)

    @invariant()
    def failure_is_told(self) -> None:
        """Once, to the lot, and by the leg that is too long."""
        first, second = self.truly(Leg.FIRST), self.truly(Leg.SECOND)
        told = [(alarm.leg, alarm.shares) for alarm in self.stranded]
        bare = Leg.FIRST if first > second else Leg.SECOND, abs(first - second)
        assert told == [bare] * (self.hedge.state == "failed")

    @invariant()
    def nothing_stuck(self) -> None:
        """What nothing covers can be covered, or sold."""
        hedge, at = self.hedge, {"hedge_id": "h1", "limit": LIMIT}
        if any(hedge.tally(*lane).open for lane in LANES) or hedge.naked < hedge.order_min:
            return
        if hedge.state == "hedging":
            assert HedgeMachine.allows(hedge, h.Cover(**at, pair_cost=Price(PAIR_COST_MAX)))
        elif hedge.state == "unwinding" and hedge.held(hedge.long) >= hedge.order_min:
            sale = h.Unwind(**at, loss=Price(1))
            assert HedgeMachine.allows(hedge, sale) == (hedge.loss_left > 0)


TestHedgeLife = HedgeLife.TestCase


def test_rules_and_invariants_are_those_of_the_specification() -> None:
    mirrored("Hedge", HedgeLife)


@pytest.mark.parametrize("state", [s.id for s in HedgeMachine.states])
def test_every_action_in_every_state_is_an_edge_or_illegal(state: str) -> None:
    full = Tally(filled=LOT, open=LOT)
    about = {"hedge_id": "h1", "shares": LOT}
    for held in ((Tally(),) * 4, (full,) * 4, (full, Tally(), Tally(), Tally())):
        if held[0].filled == 0 and state not in FINAL:
            continue  # nothing to fill, void or end: an assertion, not an edge
        hedge = evolve(HEDGE, tallies=held, loss_left=Usdc(MILLION), state=state)
        for action in (
            h.Lead(hedge_id="h1", limit=LIMIT, pair_cost=Price(PAIR_COST_MAX)),
            h.Cover(hedge_id="h1", limit=LIMIT, pair_cost=Price(PAIR_COST_MAX)),
            h.Unwind(hedge_id="h1", limit=LIMIT, loss=Price(1)),
            h.Abandon(hedge_id="h1", reason="late"),
            h.Fill(**about, leg=Leg.FIRST, side=Side.BUY),
            h.LateFill(**about, leg=Leg.SECOND, side=Side.SELL),
            h.Void(**about, leg=Leg.FIRST, side=Side.BUY),
            h.End(**about, leg=Leg.FIRST, side=Side.BUY),
            h.Close(hedge_id="h1"),
            h.GiveUp(hedge_id="h1"),
        ):
            edge_or_illegal(HedgeMachine, hedge, action)

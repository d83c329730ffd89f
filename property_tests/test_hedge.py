"""``HedgeMachine`` against a venue that matches, ends and denies, in sizes of whole lots.

Here a leg consists of single orders, of which the machine sees the sums alone.
"""

from collections.abc import Callable
from typing import Any, Final

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
LEAD: Final = h.Lead(hedge_id="h1", limit=LIMIT, pair_cost=Price(PAIR_COST_MAX))
COVER: Final = h.Cover(hedge_id="h1", limit=LIMIT, pair_cost=Price(PAIR_COST_MAX))
UNWIND: Final = h.Unwind(hedge_id="h1", limit=LIMIT, loss=Price(1))
CLOSE: Final = h.Close(hedge_id="h1")
GIVE_UP: Final = h.GiveUp(hedge_id="h1")

draws = st.data()


def has(what: str) -> Callable[[Any], Any]:
    """Some order has shares of this kind: else Hypothesis need not try."""
    return when(lambda s: any(getattr(order, what) for order in s.orders))


def allows(action: h.Action) -> Callable[[Any], Any]:
    return when(lambda s: HedgeMachine.allows(s.hedge, action))


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
        size=st.integers(1, 40), more=st.integers(0, 80), least=st.sampled_from([1, 1, 1, 2, 20]),
        loss_max=st.integers(0, 10**5), mishaps=st.integers(0, 4), patience=st.integers(0, 20),
    )  # fmt: skip
    def init(
        self, size: int, more: int, least: int, loss_max: int, mishaps: int, patience: int
    ) -> None:
        self.hedge = evolve(
            HEDGE,
            quantity=Shares((size + more) * LOT),
            slice_max=Shares(size * LOT),
            order_min=Shares(min(size, least) * LOT),
            loss_left=Usdc(loss_max),
        )
        self.loss_max, self.mishaps, self.patience = loss_max, mishaps, patience
        self.orders: list[Placed] = []
        self.pulled: set[Lane] = set()
        self.stranded: list[h.Stranded] = []
        self.untrue = self.untrue_loss = 0
        self.settled = self.voided = False
        self.reached = dict.fromkeys(Leg, 0)

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

    def pick(self, choice: st.DataObject, what: str) -> Placed:
        return choice.draw(st.sampled_from([o for o in self.orders if getattr(o, what)]))

    def lots(self, choice: st.DataObject, most: int) -> Shares:
        lots = most // LOT
        return Shares(choice.draw(st.just(lots) | st.integers(1, lots)) * LOT)

    # The machine.

    def step(self, action: h.Action) -> None:
        self.patience -= 1
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
        self.voided = isinstance(action, h.Void)

    def reach(self) -> dict[Leg, int]:
        """What could at worst be naked of a leg."""
        return {
            leg: self.truly(leg)
            - self.truly(leg.other)
            + self.sum_of((leg, Side.BUY), "resting")
            + self.sum_of((leg.other, Side.SELL), "resting")
            for leg in Leg
        }

    @allows(LEAD)
    @rule(under=st.integers(0, 2))
    def lead(self, under: int) -> None:
        self.step(evolve(LEAD, pair_cost=Price(PAIR_COST_MAX - under)))

    @allows(COVER)
    @rule(under=st.integers(0, 2))
    def cover(self, under: int) -> None:
        self.step(evolve(COVER, pair_cost=Price(PAIR_COST_MAX - under)))

    @allows(UNWIND)
    @rule(loss=st.integers(1, 50_000))
    def unwind(self, loss: int) -> None:
        dearer = evolve(UNWIND, loss=Price(loss))
        self.step(dearer if HedgeMachine.allows(self.hedge, dearer) else UNWIND)

    @when(lambda s: s.hedge.state in ("working", "hedging") and s.patience < 0)
    @rule()
    def abandon(self) -> None:
        self.step(h.Abandon(hedge_id="h1", reason="late"))

    @has("unheard")
    @rule(choice=draws)
    def fill(self, choice: st.DataObject) -> None:
        placed = self.pick(choice, "unheard")
        (leg, side), shares = placed.lane, self.lots(choice, placed.unheard)
        placed.heard += shares
        self.step(h.Fill(hedge_id="h1", leg=leg, side=side, shares=shares))

    @has("late")
    @rule(choice=draws)
    def late_fill(self, choice: st.DataObject) -> None:
        placed = self.pick(choice, "late")
        (leg, side), shares = placed.lane, self.lots(choice, placed.late)
        placed.recovered += shares
        self.step(h.LateFill(hedge_id="h1", leg=leg, side=side, shares=shares))

    @when(lambda s: s.hedge.state in ACTIVE and not s.settled and s.mishaps)
    @has("heard")
    @rule(choice=draws)
    def void(self, choice: st.DataObject) -> None:
        """Any trade may fail until all have settled."""
        found = [lane for lane in LANES if self.hedge.tally(*lane).filled]
        if found:
            leg, side = choice.draw(st.sampled_from(found))
            most = min(self.hedge.tally(leg, side).filled, self.hedge.slice_max)
            shares = self.lots(choice, most)
            self.mishaps -= 1
            self.step(h.Void(hedge_id="h1", leg=leg, side=side, shares=shares))

    @has("ended")
    @rule(choice=draws, denies=st.sampled_from([False, True]))
    def end(self, choice: st.DataObject, denies: bool) -> None:
        """The end of one order, told whole; it may count fewer matches than there were."""
        placed = self.pick(choice, "ended")
        untrue = placed.unheard if denies and self.mishaps else 0
        (leg, side), shares = placed.lane, placed.size - placed.matched + untrue
        if shares:
            placed.told, placed.denied = shares, untrue
            self.untrue += untrue
            self.untrue_loss += untrue * placed.loss
            self.mishaps -= untrue > 0
            self.step(h.End(hedge_id="h1", leg=leg, side=side, shares=Shares(shares)))

    @when(lambda s: s.at_rest)
    @allows(CLOSE)
    @rule()
    def close(self) -> None:
        self.step(CLOSE)

    @when(lambda s: s.at_rest)
    @allows(GIVE_UP)
    @rule(tired=st.sampled_from([False, True]))
    def give_up(self, tired: bool) -> None:
        """We do try to sell first."""
        if tired or not HedgeMachine.allows(self.hedge, UNWIND):
            self.step(GIVE_UP)

    # The world.

    @has("resting")
    @rule(choice=draws)
    def match(self, choice: st.DataObject) -> None:
        placed = self.pick(choice, "resting")
        shares = self.lots(choice, placed.resting)
        placed.resting -= shares
        placed.matched += shares
        self.settled = self.voided = False

    @has("resting")
    @rule(choice=draws, asked=st.sampled_from([True, False]))
    def kill(self, choice: st.DataObject, asked: bool) -> None:
        """An order ends, sooner when we asked for it."""
        placed = self.pick(choice, "resting")
        if asked or placed.lane in self.pulled:
            placed.resting = 0

    @when(lambda s: not s.settled or s.patience >= 0)
    @rule()
    def settle(self) -> None:
        self.settled = True
        self.patience -= 1

    @when(lambda s: s.hedge.state in FINAL)
    @rule()
    def closed(self) -> None:
        """The one place to come to rest."""

    # What must always hold.

    @invariant()
    def risk_is_one_slice(self) -> None:
        """Nothing but a void trade lays bare more, or covers more than is naked."""
        before, self.reached = self.reached, self.reach()
        for leg, most in ((Leg.FIRST, self.hedge.slice_max), (Leg.SECOND, 0)):
            grown = self.reached[leg] > max(before[leg], most + self.untrue)
            assert self.voided or not grown

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
        for action in (LEAD, COVER):
            dear = evolve(action, pair_cost=Price(PAIR_COST_MAX + 1))
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
        hedge = self.hedge
        if any(hedge.tally(*lane).open for lane in LANES) or hedge.naked < hedge.order_min:
            return
        if hedge.state == "hedging":
            assert HedgeMachine.allows(hedge, COVER)
        elif hedge.state == "unwinding" and hedge.held(hedge.long) >= hedge.order_min:
            assert HedgeMachine.allows(hedge, UNWIND) == (hedge.loss_left > 0)


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
            LEAD,
            COVER,
            UNWIND,
            h.Abandon(hedge_id="h1", reason="late"),
            h.Fill(**about, leg=Leg.FIRST, side=Side.BUY),
            h.LateFill(**about, leg=Leg.SECOND, side=Side.SELL),
            h.Void(**about, leg=Leg.FIRST, side=Side.BUY),
            h.End(**about, leg=Leg.FIRST, side=Side.BUY),
            CLOSE,
            GIVE_UP,
        ):
            edge_or_illegal(HedgeMachine, hedge, action)

"""Stories of a legged hedge: covered by fills, opened again by failures, sold when it must."""

import pytest
from attrs import evolve

from polybawt.core.machine import Fact, IllegalAction, Outputs
from polybawt.core.machines.hedge import (
    Abandon,
    Action,
    Close,
    Cover,
    End,
    Fill,
    GiveUp,
    Hedge,
    HedgeMachine,
    LateFill,
    Lead,
    Leg,
    Stranded,
    Unwanted,
    Unwind,
    Void,
    Wanted,
)  # fmt: skip
from polybawt.core.market import Side
from polybawt.core.units import Price, Shares, Usdc

ID = "h1"
FIRST, SECOND = Leg
BUY, SELL = Side
HEDGE = Hedge(
    hedge_id=ID,
    strategy="legged",
    condition_id="0xc",
    quantity=Shares(30_000_000),
    slice_max=Shares(20_000_000),
    order_min=Shares(5_000_000),
    pair_cost_max=Price(980_000),
    loss_left=Usdc(1_000_000),
)


def lives(*actions: Action, hedge: Hedge = HEDGE) -> tuple[Hedge, Outputs]:
    """The hedge after all actions, and what the last of them put out."""
    outputs: Outputs = ()
    for action in actions:
        hedge, outputs = HedgeMachine.step(hedge, action)
    return hedge, outputs


def lead(pair_cost: int = 970_000) -> Lead:
    return Lead(hedge_id=ID, limit=Price(450_000), pair_cost=Price(pair_cost))


def cover(pair_cost: int = 970_000) -> Cover:
    return Cover(at_ns=7, hedge_id=ID, limit=Price(510_000), pair_cost=Price(pair_cost))


def unwind(loss: int = 20_000) -> Unwind:
    return Unwind(hedge_id=ID, limit=Price(430_000), loss=Price(loss))


def fill(leg: Leg, shares: int, side: Side = BUY) -> Fill:
    return Fill(hedge_id=ID, leg=leg, side=side, shares=Shares(shares * 1_000_000))


def late_fill(leg: Leg, shares: int) -> LateFill:
    return LateFill(hedge_id=ID, leg=leg, side=BUY, shares=Shares(shares * 1_000_000))


def void(leg: Leg, shares: int) -> Void:
    return Void(hedge_id=ID, leg=leg, side=BUY, shares=Shares(shares * 1_000_000))


def end(leg: Leg, shares: int, side: Side = BUY) -> End:
    return End(hedge_id=ID, leg=leg, side=side, shares=Shares(shares * 1_000_000))


def sizes(outputs: Outputs) -> list[tuple[Leg, Side, int]]:
    """What is wanted, in shares."""
    wanted = [out for out in outputs if isinstance(out, Wanted)]
    return [(out.leg, out.side, out.shares // 1_000_000) for out in wanted]


ABANDON = Abandon(hedge_id=ID, reason="leg timeout")
CLOSE = Close(hedge_id=ID)
GIVE_UP = GiveUp(hedge_id=ID)
COVERED = (lead(), fill(FIRST, 20), cover(), fill(SECOND, 20))


def test_the_second_leg_is_sized_by_what_the_first_leg_really_got() -> None:
    """Asked for 20, got 7: cover 7.  Proves: H7, P2.1."""
    hedge, outputs = lives(lead(), fill(FIRST, 7), cover())

    assert outputs == (
        Wanted(at_ns=7, hedge_id=ID, leg=SECOND, side=BUY, shares=Shares(7_000_000),
               limit=Price(510_000)),
    )  # fmt: skip
    assert (hedge.state, hedge.naked, hedge.uncovered) == ("hedging", 7_000_000, 0)


def test_a_later_fill_is_covered_by_an_order_of_its_own() -> None:
    """What is about to be covered is not covered twice."""
    _, outputs = lives(lead(), fill(FIRST, 7), cover(), fill(FIRST, 6), cover())

    assert sizes(outputs) == [(SECOND, BUY, 6)]


def test_the_next_slice_waits_until_the_last_is_covered() -> None:
    """One slice is all that is ever naked; the last one is what is left.  Proves: H7."""
    hedge, _ = lives(*COVERED[:-1])
    assert not HedgeMachine.allows(hedge, lead())

    hedge, outputs = lives(*COVERED, lead())

    assert hedge.state == "working"
    assert sizes(outputs) == [(FIRST, BUY, 10)]


@pytest.mark.parametrize("kind", [lead, cover])
def test_nothing_is_bought_when_the_pair_would_cost_too_much(kind: type[Lead | Cover]) -> None:
    """To the millionth.  Proves: H7, P2.1."""
    hedge = HEDGE if kind is lead else lives(lead(), fill(FIRST, 7))[0]

    assert HedgeMachine.allows(hedge, kind(980_000))
    assert not HedgeMachine.allows(hedge, kind(980_001))


def test_an_order_without_an_answer_is_open_in_full() -> None:
    """The second leg may have been bought: it is neither bought again nor is the first sold."""
    hedge, _ = lives(lead(), fill(FIRST, 20), cover(), ABANDON)

    assert not HedgeMachine.allows(hedge, unwind())
    assert HedgeMachine.allows(lives(end(SECOND, 20), hedge=hedge)[0], unwind())


def test_a_hedge_that_cannot_be_had_in_time_is_sold_again() -> None:
    """Leg timeout, both legs partly filled: withdraw, then sell what is naked.  Proves: H7."""
    hedge, outputs = lives(lead(), fill(FIRST, 12), cover(), fill(SECOND, 5), ABANDON)
    assert outputs == tuple(Unwanted(hedge_id=ID, leg=leg, side=BUY) for leg in Leg)

    hedge, outputs = lives(end(FIRST, 8), end(SECOND, 7), unwind(), hedge=hedge)
    assert sizes(outputs) == [(FIRST, SELL, 7)]

    hedge, _ = lives(fill(FIRST, 7, SELL), CLOSE, hedge=hedge)
    assert (hedge.state, hedge.naked, hedge.loss_left) == ("done", 0, 1_000_000 - 140_000)


def test_a_fill_while_its_cancel_is_in_flight_is_unwound_too() -> None:
    """Hummingbot 7139: such a fill was never hedged."""
    hedge, _ = lives(lead(), ABANDON, fill(FIRST, 9), end(FIRST, 11))

    assert sizes(lives(unwind(), hedge=hedge)[1]) == [(FIRST, SELL, 9)]
    assert not HedgeMachine.allows(hedge, CLOSE)


def test_a_second_leg_that_failed_on_chain_opens_the_hedge_again() -> None:
    """Not hedged on MATCHED alone: the reversal is covered once more."""
    hedge, _ = lives(*COVERED, void(SECOND, 20))

    assert (hedge.state, hedge.long) == ("hedging", FIRST)
    assert sizes(lives(cover(), hedge=hedge)[1]) == [(SECOND, BUY, 20)]


def test_a_first_leg_that_failed_on_chain_leaves_the_second_naked() -> None:
    """Then it is the first that is bought, or the second that is sold."""
    hedge, _ = lives(*COVERED, void(FIRST, 20))

    assert (hedge.state, hedge.long) == ("hedging", SECOND)
    assert sizes(lives(cover(), hedge=hedge)[1]) == [(FIRST, BUY, 20)]
    assert sizes(lives(ABANDON, unwind(), hedge=hedge)[1]) == [(SECOND, SELL, 20)]


def test_a_cover_that_is_not_needed_any_more_is_withdrawn() -> None:
    """The purchase that it covers failed while it rests: filled, it would be naked itself."""
    _, outputs = lives(lead(), fill(FIRST, 20), cover(), void(FIRST, 20))

    assert outputs == (Unwanted(hedge_id=ID, leg=SECOND, side=BUY),)


def test_a_fill_that_was_denied_is_booked_and_its_second_cover_withdrawn() -> None:
    """The end said none of 20, another order was placed; and then they come after all."""
    hedge, outputs = lives(
        lead(), fill(FIRST, 20), cover(), end(SECOND, 20), cover(), late_fill(SECOND, 20)
    )

    assert outputs == (Unwanted(hedge_id=ID, leg=SECOND, side=BUY),)
    assert (hedge.state, hedge.tally(SECOND, BUY).open) == ("working", 20_000_000)


def test_an_unwind_beyond_the_budget_is_refused() -> None:
    """20 shares at five cents are one dollar.  Proves: H7."""
    hedge, _ = lives(lead(), fill(FIRST, 20), ABANDON)

    assert HedgeMachine.allows(hedge, unwind(50_000))
    assert not HedgeMachine.allows(hedge, unwind(50_001))


def test_what_a_sale_did_not_sell_costs_nothing() -> None:
    hedge, _ = lives(
        lead(), fill(FIRST, 20), ABANDON, unwind(50_000), fill(FIRST, 5, SELL), end(FIRST, 15, SELL)
    )

    assert hedge.loss_left == 750_000


def test_a_rest_below_the_smallest_order_ends_the_hedge_with_an_alarm() -> None:
    """It can be neither covered nor sold, and nobody may take it for hedged."""
    hedge, _ = lives(lead(), fill(FIRST, 4), end(FIRST, 16))
    assert not HedgeMachine.allows(hedge, cover())

    hedge, outputs = lives(ABANDON, GIVE_UP, hedge=hedge)

    assert hedge.state == "failed"
    assert outputs == (Stranded(hedge_id=ID, leg=FIRST, shares=Shares(4_000_000)),)


def test_a_whole_hedge_is_done_and_stays_so() -> None:
    hedge, _ = lives(*COVERED, lead(), fill(FIRST, 10), cover(), fill(SECOND, 10), CLOSE)

    assert (hedge.state, hedge.held(FIRST), hedge.held(SECOND)) == ("done", 30_000_000, 30_000_000)
    with pytest.raises(IllegalAction):
        lives(void(FIRST, 1), hedge=hedge)


def test_half_a_hedge_is_not_done() -> None:
    """Only its end makes less than the whole enough."""
    hedge, _ = lives(*COVERED)

    assert not HedgeMachine.allows(hedge, CLOSE)
    assert lives(ABANDON, CLOSE, hedge=hedge)[0].state == "done"


@pytest.mark.parametrize(
    "impossible",
    [fill(SECOND, 1), fill(FIRST, 21), end(SECOND, 1), end(FIRST, 21), void(FIRST, 1),
     late_fill(FIRST, 21), fill(FIRST, 0), end(FIRST, 0), void(FIRST, -1)],
    ids=str,
)  # fmt: skip
def test_what_was_never_asked_for_stops_the_engine(impossible: Fact) -> None:
    """Nobody can fill, end or take back what is not there: the kernel counts wrong."""
    hedge, _ = lives(lead())

    with pytest.raises(AssertionError):
        HedgeMachine.step(hedge, impossible)


def test_a_budget_is_rounded_against_us() -> None:
    """What is set aside is rounded up, what comes back is rounded down."""
    hedge = evolve(HEDGE, slice_max=Shares(10_000), order_min=Shares(10_000))
    about = {"hedge_id": ID, "leg": FIRST, "shares": Shares(10_000)}

    hedge, _ = lives(lead(), Fill(**about, side=BUY), ABANDON, unwind(1), hedge=hedge)
    assert hedge.loss_left == 999_999

    hedge, _ = lives(End(**about, side=SELL), hedge=hedge)
    assert hedge.loss_left == 999_999

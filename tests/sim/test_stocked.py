"""A world with a catalogue: listed at the start, untouched until its end, then resolved."""

from attrs import evolve

from polybawt.core.units import MILLION, SECOND_NS
from polybawt.sim.catalogue import Listing, catalogue, comes_true
from polybawt.sim.oracle import CHALLENGE_NS, YES
from polybawt.sim.records import Listed, Resolved
from polybawt.sim.stocked import Stocked
from polybawt.sim.world import WorldTerms

START = 1_795_000_000 * SECOND_NS
TERMS = WorldTerms(seed="1", makers=0, noise_takers=0, informed_takers=0)


def stocked(count: int) -> Stocked:
    return Stocked(TERMS, catalogue(TERMS.seed, count, START), START)


def test_the_catalogue_is_listed_before_the_first_window() -> None:
    world = stocked(40)

    listed = [event for event in world.venue.drain() if isinstance(event, Listed)]

    assert len(listed) == 40
    assert {event.market.event_id for event in listed} == set(world.events)
    assert all(event.market.accepting_orders for event in listed)


def test_an_ended_market_is_closed_and_paid_after_the_challenge() -> None:
    """Trading stops at the end; the payment comes later, as at the venue."""
    soon = START + 30 * SECOND_NS
    short = [
        Listing(each.event, tuple(evolve(market, end_ns=soon) for market in each.markets))
        for each in catalogue(TERMS.seed, 12, START)
    ]
    world = Stocked(TERMS, short, START)
    world.step(soon)
    ended = [market for each in short for market in each.markets]
    closed = [world.venue.markets[market.condition_id].accepting_orders for market in ended]

    world.step(soon + CHALLENGE_NS)

    events = world.venue.drain()
    paid = {e.market.condition_id: e.yes_payout for e in events if isinstance(e, Resolved)}
    due = [MILLION * yes for each in short for yes in comes_true(TERMS.seed, each)]
    assert closed == [False] * 12
    assert [paid[market.condition_id] for market in ended] == due


def test_a_market_that_was_decided_before_its_end_is_left_alone() -> None:
    """An operator of the simulation may be faster, and may name another winner."""
    soon = START + 30 * SECOND_NS
    listing = next(each for each in catalogue(TERMS.seed, 40, START) if len(each.markets) > 2)
    short = Listing(listing.event, tuple(evolve(m, end_ns=soon) for m in listing.markets))
    world = Stocked(TERMS, [short], START)
    loser = comes_true(TERMS.seed, short).index(False)
    told = short.markets[loser].condition_id
    world.venue.ask_oracle(told, "report", START, payouts=YES)

    world.step(soon + CHALLENGE_NS)

    events = [event for event in world.venue.drain() if isinstance(event, Resolved)]
    winners = {event.market.condition_id for event in events if event.yes_payout == MILLION}
    assert winners & {market.condition_id for market in short.markets} == {told}

"""A world with a catalogue: listed at the start, untouched until its end, then resolved."""

from attrs import evolve

from polybawt.core.units import MILLION, SECOND_NS
from polybawt.sim.catalogue import Listing, catalogue, comes_true
from polybawt.sim.records import Listed, Resolved
from polybawt.sim.stocked import CHALLENGE_NS, Stocked
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

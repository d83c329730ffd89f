"""The neg-risk events of the paper world: sets that are sometimes wrongly priced, one winner."""

from collections import Counter

import pytest
from attrs import frozen

from polybawt.core.units import MILLION, SECOND_NS, Shares, Usdc
from polybawt.sim.choices import Chances, choice
from polybawt.sim.contracts import ADAPTER
from polybawt.sim.oracle import NO, YES
from polybawt.sim.records import Event, Listed, QuestionMoved, Resolved
from polybawt.sim.transactions import CONVERT, ChainTransaction, SetRequest
from polybawt.sim.world import World, WorldTerms

START = 1_700_000_003 * SECOND_NS
TERMS = WorldTerms(neg_risk_events=1, choice_s=60)


@frozen
class Evening:
    """Four minutes of one world: its events, and what a set cost and brought each second."""

    world: World
    events: tuple[Event, ...]
    profits: tuple[tuple[int, int], ...]


def profits(world: World) -> tuple[int, int]:
    """What buying all YES, and selling all YES, earns after fees: millionths for one set."""
    markets = [m for m in world.venue.markets.values() if m.neg_risk and m.accepting_orders]
    books = [world.venue.levels(market.yes_token) for market in markets]
    if len(markets) != 3 or not all(bids and asks for bids, asks in books):
        return 0, 0
    one = Shares(MILLION)
    asks, bids = [book[1][-1][0] for book in books], [book[0][-1][0] for book in books]
    bought = MILLION - sum(p + m.fees.charged(p, one) for p, m in zip(asks, markets, strict=True))
    sold = sum(p - m.fees.charged(p, one) for p, m in zip(bids, markets, strict=True)) - MILLION
    return bought, sold


@pytest.fixture(scope="module")
def evening() -> Evening:
    world = World(TERMS, START)
    events: list[Event] = []
    seen = []
    for n in range(240):
        world.step(START + (n + 1) * SECOND_NS)
        events += world.venue.drain()
        seen.append(profits(world))
    return Evening(world, tuple(events), tuple(seen))


def test_sets_are_sometimes_mispriced_by_more_than_the_fees_and_mostly_not(
    evening: Evening,
) -> None:
    """Both ways: cheaper than a dollar, and dearer. What arbitrage is tested against."""
    bought = sum(profit > 0 for profit, _ in evening.profits)
    sold = sum(profit > 0 for _, profit in evening.profits)

    assert bought >= 5
    assert sold >= 5
    assert bought + sold < len(evening.profits) // 2
    assert max(max(pair) for pair in evening.profits) < 150_000


def test_an_event_follows_the_other_and_each_has_one_winner(evening: Evening) -> None:
    """Three questions of one event, listed together, exactly one of them true."""
    listed = [e.market for e in evening.events if isinstance(e, Listed) and e.market.neg_risk]
    paid = [e for e in evening.events if isinstance(e, Resolved) and e.market.neg_risk]
    by_event = Counter(market.event_id for market in listed)
    won = Counter(e.market.event_id for e in paid if e.yes_payout == MILLION)

    assert len(by_event) >= 4
    assert set(by_event.values()) == {3}
    assert set(won.values()) == {1}
    assert len(won) >= 3
    assert set(evening.world.events) >= {market.event_id for market in listed}
    assert {market.neg_risk_id for market in listed if market.neg_risk_id} != {""}


def test_every_third_event_is_first_proposed_wrongly_and_disputed(evening: Evening) -> None:
    """So that an engine meets a dispute without waiting for one."""
    moved = [e.question for e in evening.events if isinstance(e, QuestionMoved)]
    ways = {(*q.past[1:], q.state) for q in moved if q.resolved}
    disputed = [q for q in moved if q.resolved and q.was_disputed]

    assert ways == {
        ("proposed", "resolved"),
        ("proposed", "challenged", "reproposed", "resolved"),
    }
    assert disputed
    assert all(question.payouts == YES for question in disputed)


def test_value_is_conserved_when_the_crowd_trades_events(evening: Evening) -> None:
    accounts = evening.world.venue.accounts

    assert accounts.worth() == accounts.brought_in


def test_no_shares_of_an_event_become_dollars_and_the_others_yes() -> None:
    """The engine's other way out of a set: conversion, in the world as in the contracts."""
    world = World(TERMS, START)
    world.step(START + SECOND_NS)
    markets = [market for market in world.venue.markets.values() if market.neg_risk]
    world.venue.deposit("me", Usdc(0))
    for market in markets:
        world.venue.grant("me", market.no_token, Shares(10 * MILLION))
    ids = tuple(market.condition_id for market in markets)
    request = SetRequest(owner="me", kind=CONVERT, condition_ids=ids, amount=Shares(10 * MILLION))
    assert isinstance(world.venue.transact(request, START + SECOND_NS), ChainTransaction)
    world.step(START + 90 * SECOND_NS)

    assert world.venue.holdings("me") == {"": 20 * MILLION}
    assert world.venue.total(ADAPTER) == 0


def test_quiet_or_unasked_there_is_nobody_and_nothing() -> None:
    """Off unless asked for; in a quiet world the event stands and nobody quotes it."""
    plain, quiet = (
        World(WorldTerms(), START),
        World(WorldTerms(neg_risk_events=1, makers=0, noise_takers=0, informed_takers=0), START),
    )
    for world in (plain, quiet):
        world.step(START + 5 * SECOND_NS)

    assert not any(market.neg_risk for market in plain.venue.markets.values())
    neg_risk = [market for market in quiet.venue.markets.values() if market.neg_risk]
    assert len(neg_risk) == 3
    assert all(quiet.venue.levels(market.yes_token) == ((), ()) for market in neg_risk)


def test_chances_are_a_function_of_name_and_time() -> None:
    """They add up to one, and asking twice, or ahead, changes nothing."""
    one, two = Chances("x", START), Chances("x", START)
    later = two.at(START + 50 * SECOND_NS)

    assert one.at(START + 50 * SECOND_NS) == later
    assert sum(later) == pytest.approx(1.0)
    assert any(
        one.believed(START + n * SECOND_NS) != one.at(START + n * SECOND_NS) for n in range(20)
    )
    assert choice("s", 1, START, 60).markets == choice("s", 1, START, 60).markets


def test_an_operator_may_settle_what_the_world_would_have_settled() -> None:
    """The admin route drives the same oracle; the world finds it done and goes on."""
    world = World(TERMS, START)
    world.step(START + SECOND_NS)
    series = [m for m in world.venue.markets.values() if m.symbol]
    first, second, third = (m for m in world.venue.markets.values() if m.neg_risk)
    world.venue.resolve(series[0].condition_id, *YES, START + SECOND_NS)
    world.venue.ask_oracle(series[1].condition_id, "propose", START + SECOND_NS, payouts=NO)
    for market in (first, second):
        world.venue.resolve(market.condition_id, *NO, START + SECOND_NS)
    world.step(START + 120 * SECOND_NS)

    question = world.venue.question(third.condition_id)
    assert question is not None
    assert question.resolved
    assert world.venue.accounts.worth() == world.venue.accounts.brought_in

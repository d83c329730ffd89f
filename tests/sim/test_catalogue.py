"""The invented long tail: deterministic, distinct, well-formed, and light."""

import tracemalloc
from itertools import islice

from hypothesis import given, settings
from hypothesis import strategies as st

from polybawt.core.market import Market
from polybawt.core.units import MILLION, SECOND_NS
from polybawt.sim.catalogue import ZEROS, Listing, catalogue, comes_true, slugged
from polybawt.sim.topics import FEES_MICRO, TOPICS

NOW = 1_795_000_000 * SECOND_NS


def listings(count: int = 2_000, seed: str = "1") -> list[Listing]:
    return list(catalogue(seed, count, NOW))


def markets(count: int = 2_000) -> list[Market]:
    return [market for listing in listings(count) for market in listing.markets]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 60), st.integers(0, 3))
def test_a_seed_gives_exactly_so_many_markets_and_always_the_same(count: int, seed: int) -> None:
    """What a test saw once it can see again."""
    made = listings(count, str(seed))

    assert sum(len(listing.markets) for listing in made) == count
    assert made == listings(count, str(seed))
    assert count < 9 or made != listings(count, f"another {seed}")


def test_a_longer_catalogue_begins_with_the_shorter_one() -> None:
    """So that a number of markets is a size and not another world."""
    assert listings(500)[:-1] == list(islice(catalogue("1", 2_000, NOW), len(listings(500)) - 1))


def test_no_two_markets_share_a_name_or_an_id() -> None:
    every = markets()

    assert len({market.condition_id for market in every}) == len(every)
    assert len({market.slug for market in every}) == len(every)
    assert len({token for market in every for token in market.tokens}) == 2 * len(every)


def test_every_topic_both_versions_and_both_kinds_occur() -> None:
    """Discovery must meet each form that the venue has."""
    every = markets()

    assert {market.category for market in every} == {topic.category for topic in TOPICS}
    assert {(market.version, market.neg_risk) for market in every} == {
        (version, kind) for version in ("v1", "v2") for kind in (True, False)
    }
    assert {market.tick for market in every} == {1_000, 10_000}
    assert all(market.fees.rate_micro == FEES_MICRO[market.category] for market in every)
    assert all(market.created_ns < NOW < market.end_ns for market in every)


def test_position_ids_have_the_form_of_protocol_v2() -> None:
    """Module on top, bits 40 to 103 zero, the outcome last: a client tells versions apart by it."""
    for market in markets():
        yes, no = (int(token) for token in market.tokens)
        if market.version == "v1":
            assert yes & ZEROS
            continue
        assert (yes & ZEROS, yes & 0xFF, no) == (0, 0, yes | 1)
        assert yes >> 248 == (2 if market.neg_risk else 1)
        assert market.condition_id == f"0x{yes >> 8:062x}00"


def test_the_questions_of_one_choice_share_its_neg_risk_id() -> None:
    for listing in listings():
        ids = {market.neg_risk_id for market in listing.markets}
        assert len(ids) == 1
        assert {market.event_id for market in listing.markets} == {listing.event.event_id}
        shared = ids.pop()
        if listing.markets[0].neg_risk:
            assert len(shared) == 66
            assert shared.endswith("00")
            assert len(listing.event.labels) == len(listing.markets)
        if listing.markets[0].neg_risk and listing.markets[0].version == "v2":
            assert {int(m.yes_token) >> 24 << 24 for m in listing.markets} == {int(shared, 16)}


def test_exactly_one_question_of_a_choice_comes_true() -> None:
    made = listings()
    outcomes = [comes_true("1", listing) for listing in made]

    for listing, outcome in zip(made, outcomes, strict=True):
        assert len(outcome) == len(listing.markets)
        assert sum(outcome) == 1 or not listing.markets[0].neg_risk
    singles = {o[0] for o, made_of in zip(outcomes, made, strict=True) if len(made_of.markets) == 1}
    assert singles == {True, False}


def test_a_title_becomes_part_of_an_address() -> None:
    assert slugged("Will “Bitcoin” reach $150,000?") == "will-bitcoin-reach-150-000"


def test_a_market_is_light() -> None:
    """Twenty thousand of them must fit beside everything else."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        kept = markets(1_000)
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()

    assert len(kept) == 1_000
    assert taken / len(kept) < 2_500
    assert kept[0].min_size == 5 * MILLION

"""Gamma's markets and outcomes: recorded ones, odd ones, and how the pages are followed."""

import contextlib
import gzip
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from polybawt.core import facts
from polybawt.core.market import FeeSchedule, Market
from polybawt.core.units import Price, Shares, parse_micro
from polybawt.venue import wire, wire_gamma
from polybawt.venue.backoff import Backoff
from polybawt.venue.gamma import BAD_MAX, Gamma
from tests.venue.loopback import RESET, Say, Scripted, scripted

Recorded = Callable[[str], Path]
NOW = 1_700_000_000_000_000_000
START = 1_780_876_500
ROW: dict[str, Any] = {
    "conditionId": "0xc0",
    "slug": f"btc-updown-5m-{START}",
    "question": "Bitcoin Up or Down?",
    "outcomes": '["Up", "Down"]',
    "outcomePrices": '["1", "0"]',
    "clobTokenIds": '["11", "22"]',
    "orderPriceMinTickSize": 0.001,
    "orderMinSize": 5,
    "negRisk": False,
    "active": True,
    "closed": False,
    "acceptingOrders": True,
    "enableOrderBook": True,
    "eventStartTime": "2026-06-07T23:55:00Z",
    "endDate": "2026-06-08T00:00:00Z",
    "resolutionSource": "https://data.chain.link/streams/btc-usd",
    "feesEnabled": True,
    "feeType": "crypto_fees_v2",
    "feeSchedule": {"rate": 0.07, "exponent": 1, "takerOnly": True, "rebateRate": 0.2},
}
BINANCE = "https://www.binance.com/en/trade/BTC_USDT"
TWAP = "https://data.chain.link/streams/btc-usd-twap-60s-streams"
MARKET = Market(
    condition_id="0xc0",
    slug=f"btc-updown-5m-{START}",
    question="Bitcoin Up or Down?",
    yes_token="11",
    no_token="22",
    tick=Price(1_000),
    min_size=Shares(5_000_000),
    fees=FeeSchedule(rate_micro=70_000, exponent=1),
    symbol="btc/usd",
    start_ns=START * 10**9,
    end_ns=(START + 300) * 10**9,
    category="crypto",
    resolution_source="https://data.chain.link/streams/btc-usd",
)


def row(**fields: object) -> dict[str, Any]:
    return {**ROW, **fields}


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in ROW.items() if name not in names}


def metadata(**fields: object) -> dict[str, Any]:
    return row(events=[{"eventMetadata": fields}])


def test_every_recorded_market_is_read(recorded: Recorded) -> None:
    """292 five-minute markets of one day: tokens, times and outcomes as their publisher says.

    Proves: C1, P0.1
    """
    path = recorded("settlement/BTC-5m-markets-2026-06-08.jsonl.gz")
    ups = 0
    with gzip.open(path, "rt") as lines:
        for line in lines:
            known = json.loads(line)
            market = wire_gamma.market(known["raw"])
            paid = wire_gamma.resolution(known["raw"], NOW)

            assert list(market.tokens) == known["token_ids"]
            assert market.start_ns == known["start_sec"] * 10**9
            assert market.end_ns == known["end_sec"] * 10**9
            assert (market.symbol, market.accepting_orders) == ("btc/usd", False)
            assert paid is not None
            payouts = [parse_micro(price) for price in known["outcome_prices"]]
            assert [paid.yes_payout, paid.no_payout] == payouts
            ups += paid.yes_payout == 1_000_000

    expected = json.loads(recorded("settlement/expected.json").read_text())["settlement"]
    assert ups == expected["outcome_Up"]


def test_other_recorded_markets_are_read(recorded: Recorded) -> None:
    """Neg-risk events and single questions have no symbol; fees differ by category."""
    event = json.loads(recorded("rest/fed_decision_2026-05-17/gamma-event.json").read_text())
    markets = [wire_gamma.market(each) for each in event["markets"]]
    hype = json.loads(recorded("rest/crypto_updown_2026-06/gamma_market_updown.json").read_text())

    assert {market.neg_risk for market in markets} == {True}
    assert {market.symbol for market in markets} == {""}
    assert {market.fees.rate_micro for market in markets} == {50_000}
    assert {market.event_id for market in markets} == {""}  # they stand inside their event
    assert len({market.neg_risk_id for market in markets}) == 1
    assert {market.category for market in markets} == {"economics"}
    assert min(market.created_ns for market in markets) == 1_765_385_872_384_504_000
    assert wire_gamma.market(hype).symbol == "hype/usd"


@pytest.mark.parametrize(
    ("odd", "change"),
    [
        (row(), {}),
        (without("resolutionSource"), {"resolution_source": ""}),
        (without("eventStartTime", "endDate"), {}),
        (row(resolutionSource=BINANCE), {"symbol": "", "resolution_source": BINANCE}),
        (row(outcomes='["Yes", "No"]'), {"symbol": ""}),
        (row(outcomes='["Down", "Up"]'), {"yes_token": "22", "no_token": "11"}),
        (row(outcomes=["Up", "Down"], clobTokenIds=["11", "22"]), {}),
        (
            row(version="v2", positionIds=["33", "44"]),
            {"version": "v2", "yes_token": "33", "no_token": "44"},
        ),
        (
            row(resolutionSource=TWAP),
            {"twap_lookback_s": 60, "resolution_source": TWAP},
        ),
        (
            row(cryptoMarketConfig={"twapEnabled": True, "twapLookbackSeconds": 30}),
            {"twap_lookback_s": 30},
        ),
        (row(feesEnabled=False), {"fees": FeeSchedule()}),
        (metadata(priceToBeat=63_123.5), {"strike_e18": 63_123_500_000_000_000_000_000}),
        (metadata(priceToBeat="63123.5"), {"strike_e18": 63_123_500_000_000_000_000_000}),
        (
            metadata(priceToBeat=1.5, strikeE18="63123544863797618000001"),
            {"strike_e18": 63_123_544_863_797_618_000_001},
        ),
        (metadata(context="none"), {}),
        (row(acceptingOrders=False), {"accepting_orders": False}),
        (row(active=False), {"accepting_orders": False}),
        (row(closed=True), {"accepting_orders": False}),
        (row(enableOrderBook=None), {"accepting_orders": False}),
        (row(archived=True), {"accepting_orders": False}),
        (row(events=[{"id": "77"}]), {"event_id": "77"}),
        (row(events=[{"id": 77}]), {"event_id": "77"}),
        (row(negRiskMarketID="0xaa00"), {"neg_risk_id": "0xaa00"}),
        (row(createdAt="1970-01-01T00:00:01.000002Z"), {"created_ns": 1_000_002_000}),
        (
            row(tags=[{"id": "2", "slug": "Politics"}]),
            {"tags": ("politics",), "category": "politics"},
        ),
        (row(tags=[{"slug": "5M"}, {"slug": "5m"}, {}]), {"tags": ("5m",)}),
        (row(category="Pop Culture"), {"category": "pop-culture"}),
        (row(feeType="sports_fees_v3"), {"category": "sports"}),
        (row(feeType="general_fees"), {"category": ""}),
        (row(version="v9"), {"version": "v9"}),  # listed, and refused by the gate: never traded
    ],
    ids=lambda x: repr(x)[-60:],
)
def test_a_market_is_what_gamma_says_and_no_more(
    odd: dict[str, Any], change: dict[str, Any]
) -> None:
    """Up comes first by its name; a Binance market is not one of our oracle's. Proves: C2"""
    assert wire_gamma.market(odd) == evolve(MARKET, **change)


@pytest.mark.parametrize(
    "absurd",
    [
        row(conditionId=""),
        row(clobTokenIds='["11"]'),
        row(clobTokenIds='["11", "11"]'),
        row(clobTokenIds='["11", "0x22"]'),
        row(clobTokenIds='["11", '),
        row(clobTokenIds=None),
        row(outcomes='["A", "B", "C"]', clobTokenIds='["1", "2", "3"]'),
        row(orderPriceMinTickSize=0),
        row(orderPriceMinTickSize=0.003),
        row(orderPriceMinTickSize=-0.01),
        row(orderPriceMinTickSize=None),
        row(orderMinSize=None),
        row(version="nine"),
        row(version="v2"),
        row(feeSchedule=None),
        row(feeSchedule={"rate": 0.07, "exponent": 0.5}),
        row(feeSchedule={"rate": 7, "exponent": 1}),
        row(feeSchedule={"rate": 0.07, "exponent": 1, "takerOnly": False}),
        row(endDate="tomorrow"),
        row(endDate="2020-01-01T00:00:00Z"),
        metadata(priceToBeat=-1),
        metadata(priceToBeat="high"),
    ],
    ids=lambda x: repr(x)[-60:],
)
def test_a_market_with_a_doubt_is_refused(absurd: dict[str, Any]) -> None:
    """Half a market would be traded at a wrong tick, fee or token. Proves: B-core, faults"""
    with pytest.raises(wire.READ_ERRORS):
        wire_gamma.market(absurd)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"umaResolutionStatus": "resolved"}, (1_000_000, 0)),
        ({"umaResolutionStatus": "settled", "outcomePrices": '["0", "1"]'}, (0, 1_000_000)),
        (
            {"umaResolutionStatus": "resolved", "outcomePrices": '["0.5", "0.5"]'},
            (500_000, 500_000),
        ),
        ({"umaResolutionStatus": "resolved", "outcomes": '["Down", "Up"]'}, (0, 1_000_000)),
        ({"version": "v2", "resolutionStatus": "resolved"}, (1_000_000, 0)),
        ({"version": "v2", "resolutionStatus": "active", "umaResolutionStatus": "resolved"}, None),
        ({"umaResolutionStatus": "resolved", "closed": False}, None),
        ({"umaResolutionStatus": "proposed"}, None),
        ({"umaResolutionStatus": "disputed"}, None),
        ({}, None),
    ],
    ids=str,
)
def test_a_payout_is_believed_only_when_it_is_final(
    fields: dict[str, object], expected: tuple[int, int] | None
) -> None:
    """A closed market is not a resolved one; a split is an outcome of its own. Proves: C1, P0.1"""
    paid = wire_gamma.resolution(row(**{"closed": True, **fields}), NOW)

    assert expected == (None if paid is None else (paid.yes_payout, paid.no_payout))


@pytest.mark.parametrize(
    "fields",
    [
        {"outcomePrices": '["0.98", "0.02"]'},
        {"outcomePrices": '["1", "1"]'},
        {"outcomePrices": '["0", "0"]'},
        {"outcomePrices": None},
        {"outcomePrices": '["0.5", "0.5"]', "negRisk": True},
    ],
    ids=str,
)
def test_prices_that_are_no_payout_are_refused(fields: dict[str, object]) -> None:
    """The last trade before the close is not what a share pays. Proves: C1"""
    with pytest.raises(wire.READ_ERRORS):
        wire_gamma.resolution(row(closed=True, umaResolutionStatus="resolved", **fields), NOW)


ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text())


@given(st.sampled_from(sorted(ROW)), ANYTHING)
def test_no_field_of_a_market_can_crash_the_reader(field: str, value: object) -> None:
    """Each field in turn is anything: a market or a named refusal. Proves: faults"""
    for read in (wire_gamma.market, lambda each: wire_gamma.resolution(each, NOW)):
        with contextlib.suppress(*wire.READ_ERRORS):
            read(row(**{"closed": True, "umaResolutionStatus": "resolved", field: value}))


# The pages.


@asynccontextmanager
async def gamma_with(*steps: Say | str, **options: Any) -> AsyncIterator[tuple[Gamma, Scripted]]:
    async with scripted(steps) as server:
        yield Gamma(server.http, lambda: NOW, backoff=Backoff(0.0, 0.0), **options), server


def page(*rows: object, after: str = "") -> Say:
    body: dict[str, object] = {"markets": list(rows)}
    return Say(200, body | ({"next_cursor": after} if after else {}))


async def test_markets_are_listed_over_all_pages_and_the_odd_ones_named() -> None:
    """One market that cannot be read does not hide the others. Proves: M2, load"""
    politics = row(conditionId="0xc2", outcomes='["Yes", "No"]')
    pages = [page(ROW, row(slug=""), after="p2"), page(politics)]
    async with gamma_with(*pages) as (gamma, server):
        listed = await gamma.markets()

        kinds = [facts.MarketListed, facts.BadInput, facts.MarketListed]
        assert [type(fact) for fact in listed] == kinds
        assert listed[0] == facts.MarketListed(market=MARKET, at_ns=NOW)
        first, second = (request.query for request in server.heard)
        assert first == {
            "active": "true", "closed": "false", "include_tag": "true", "limit": "100",
        }  # fmt: skip
        assert second["after_cursor"] == "p2"
    async with gamma_with(page(ROW, politics), crypto_only=True) as (gamma, _):
        assert await gamma.markets() == [facts.MarketListed(market=MARKET, at_ns=NOW)]


async def test_a_listing_can_be_read_page_by_page() -> None:
    """A caller that keeps what it wants of each page never holds the whole listing."""
    politics = row(conditionId="0xc2", outcomes='["Yes", "No"]')
    async with gamma_with(page(ROW, after="p2"), page(politics)) as (gamma, server):
        heard = []
        async for facts_of_page in gamma.pages():
            heard.append((len(server.heard), len(facts_of_page)))

        assert heard == [(1, 1), (2, 1)]


@pytest.mark.parametrize("status", [425, 429, 500, 503])
async def test_a_page_is_asked_for_again_when_the_venue_is_busy(status: int) -> None:
    """Discovery outlives a restart of the venue and its rate limits. Proves: M2"""
    steps = [page(ROW, after="p2"), Say(status, {"error": "x"}), RESET, RESET, page(ROW)]
    async with gamma_with(*steps) as (gamma, server):
        listed = await gamma.markets()

        assert [type(fact) for fact in listed] == [facts.MarketListed] * 2
        assert [request.query.get("after_cursor") for request in server.heard[1:]] == ["p2"] * 4


async def test_a_changed_format_does_not_flood_the_journal() -> None:
    """Thousands of markets, all unreadable at once, at every poll: a few lines, once."""
    odd = [row(slug=f"s-{i}", conditionId="") for i in range(50)]
    async with gamma_with(page(*odd), page(*odd[:BAD_MAX])) as (gamma, _):
        assert len(await gamma.markets()) == BAD_MAX
        assert await gamma.markets() == []


@pytest.mark.parametrize(
    "steps",
    [
        [Say(200, "<html>")],
        [Say(200, {"events": []})],
        [Say(200, {"markets": [17]})],
        [Say(403, "<html>")],
        [RESET] * 8,  # aiohttp itself repeats a GET once
        [page(after="p2"), page(after="p2")],
    ],
    ids=lambda x: repr(x)[:70],
)
async def test_a_listing_that_is_not_whole_says_so(steps: list[Say | str]) -> None:
    """The kernel must not take a short list for fewer markets. Proves: M2"""
    async with gamma_with(*steps) as (gamma, _):
        listed = await gamma.markets()

        assert isinstance(listed[-1], facts.ReadFailed)
        assert listed[-1].what == "FetchMarkets"


async def test_a_resolution_is_looked_up_by_condition() -> None:
    """An answer about another market is no answer. Proves: C1, P0.1"""
    final = row(closed=True, umaResolutionStatus="resolved")
    steps = [
        page(final),
        page(),
        page({**final, "conditionId": "0xff"}),
        page({**final, "outcomePrices": "x"}),
    ]
    async with gamma_with(*steps, Say(404, {"error": "x"})) as (gamma, server):
        paid, unlisted, other, odd, gone = [await gamma.resolution("0xc0") for _ in range(5)]

        assert isinstance(paid, facts.MarketResolved)
        assert (paid.yes_payout, paid.no_payout, paid.source) == (1_000_000, 0, "gamma")
        assert unlisted is other is None
        assert isinstance(odd, facts.ReadFailed)
        assert isinstance(gone, facts.ReadFailed)
        assert server.heard[0].query == {"condition_ids": "0xc0", "closed": "true"}


async def test_how_far_the_oracle_is_is_told_as_it_says() -> None:
    """Proposed or disputed is no outcome, and operators want to know of it. Proves: C1"""
    steps = [
        page(row(closed=True, umaResolutionStatus="disputed")),
        page(row(umaResolutionStatus="proposed")),
        page(row(umaResolutionStatus="")),
        page(),
    ]
    async with gamma_with(*steps) as (gamma, server):
        closed = await gamma.resolution("0xc0")
        standing, silent, unlisted = [await gamma.standing("0xc0") for _ in range(3)]

        assert isinstance(closed, facts.ResolutionReported)
        assert isinstance(standing, facts.ResolutionReported)
        assert (closed.status, standing.status) == ("disputed", "proposed")
        assert silent is unlisted is None
        assert server.heard[1].query == {"condition_ids": "0xc0", "closed": "false"}

"""The current official client reads what there is and what was: Gamma, the Data API, prices.

It reads strictly, as in ``test_official_client``; here are the sides of the venue that a bot needs
besides the order book.
"""

import asyncio
import warnings
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from typing import Any

import pytest

from polybawt.core.units import MILLION, Usdc
from polybawt.exchange.config import DEVELOPMENT_KEYS
from polybawt.exchange.worlds import invented
from polybawt.sim.records import Quoted, Report
from polybawt.venue.signing import Account
from tests.exchange.conftest import Open
from tests.exchange.house import CANARY, FED, START_NS, UPDOWN, Hall, config
from tests.exchange.official import (
    Enter,
    entrance,
    every,
    heard,
    quoted,
    subscribed,
)

streams: Any = pytest.importorskip("polymarket.streams")
E18 = 10**18


@pytest.fixture
async def enter(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Enter]:
    async with entrance(monkeypatch) as entering:
        yield entering


@pytest.fixture(autouse=True)
def deprecations() -> Iterator[None]:
    """The client warns of its legacy streams; that they still work is what is tested."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


async def bought(hall: Hall, client: Any) -> None:
    """Ten shares of Up for 5.2 dollars, settled."""
    await quoted(hall)
    await client.place_market_order(
        asset_id=UPDOWN.yes_token, side="BUY", amount="5.2", max_price="0.52"
    )
    hall.after(10_000)


# Gamma.


async def test_it_lists_markets_by_version_and_page_by_page(hall: Hall, enter: Enter) -> None:
    client = await enter(hall)

    first = await every(client.list_markets(version="v1", page_size=1))
    second = await every(client.list_markets(version="v2"))

    assert {market.condition_id for market in first} == {UPDOWN.condition_id, FED.condition_id}
    assert [market.position_ids for market in second] == [CANARY.tokens]
    assert {market.version for market in first} == {"v1"}


async def test_it_finds_a_market_by_its_slug_and_reads_its_terms(hall: Hall, enter: Enter) -> None:
    client = await enter(hall)

    market = await client.get_market(slug=FED.slug)
    same = await client.get_market(id=market.id)

    assert same == market
    assert market.condition_id == FED.condition_id
    assert market.state.active
    assert not market.state.closed
    assert market.state.accepting_orders
    assert market.state.neg_risk
    assert market.trading.minimum_tick_size == Decimal("0.001")
    assert market.trading.minimum_order_size == 5
    assert [each.token_id for each in (market.outcomes.yes, market.outcomes.no)] == list(FED.tokens)


async def test_it_reads_events_with_their_markets_and_finds_by_words(
    hall: Hall, enter: Enter
) -> None:
    client = await enter(hall)

    events = await every(client.list_events())
    event = await client.get_event(id=events[0].id)
    market = await client.get_market(slug=UPDOWN.slug)

    assert event.id == events[0].id
    assert {e.id for m in [market] for e in m.events} <= {e.id for e in events}
    assert {m.slug for e in events for m in e.markets} >= {UPDOWN.slug, FED.slug}


async def test_it_can_read_every_market_and_event_of_the_catalogue(
    opened: Open, enter: Enter
) -> None:
    """Of both versions, single and neg-risk, on all ticks: no field of theirs is misspelt."""
    told = config(markets=120, quiet_world=True)
    hall = await opened(invented(told, START_NS), told)
    hall.after(1_000)
    client = await enter(hall)

    markets = [
        market
        for version in ("v1", "v2")
        for market in await every(client.list_markets(version=version, page_size=50))
    ]
    events = await every(client.list_events(page_size=50))

    assert len(markets) >= 120
    assert {market.version for market in markets} == {"v1", "v2"}
    assert {market.slug for market in markets} >= {m.slug for e in events for m in e.markets}


async def test_it_sees_a_market_end_on_gamma_and_in_the_data(hall: Hall, enter: Enter) -> None:
    """Two of the sources that resolution is read from (reference 5.3). Proves: H4"""
    client = await enter(hall)
    await bought(hall, client)

    hall.world.venue.resolve(UPDOWN.condition_id, Usdc(MILLION), Usdc(0), hall.clock.now_ns)
    hall.after(10_000)
    market = await client.get_market(slug=UPDOWN.slug)
    (resolution,) = await client.get_resolutions(condition_ids=UPDOWN.condition_id)

    assert market.state.closed
    assert [each.price for each in (market.outcomes.yes, market.outcomes.no)] == [1, 0]
    assert resolution.status == "resolved"
    assert [int(payout) for payout in resolution.payouts] == [1, 0]


# The Data API.


async def test_it_reads_its_positions_their_worth_and_its_trades(hall: Hall, enter: Enter) -> None:
    client = await enter(hall)
    await bought(hall, client)

    (position,) = await every(client.list_positions())
    worth = await client.get_portfolio_value()
    (trade,) = await every(client.list_trades())
    activity = await every(client.list_activity())

    assert (position.asset_id, position.current_size) == (UPDOWN.yes_token, 10)
    assert position.wallet == Account(DEVELOPMENT_KEYS[0]).address
    assert worth.value == position.current_value > 0
    assert (trade.side, trade.size, trade.price) == ("BUY", 10, Decimal("0.52"))
    assert "TRADE" in {row.type for row in activity}


async def test_it_reads_holders_open_interest_and_a_tokens_place(hall: Hall, enter: Enter) -> None:
    client = await enter(hall)
    await bought(hall, client)

    holders = await every(client.list_market_holders(condition_ids=UPDOWN.condition_id))
    (interest,) = await client.get_open_interests(condition_ids=UPDOWN.condition_id)
    (reference,) = await client.get_token_references(asset_ids=UPDOWN.yes_token)

    assert {holder.asset_id for holder in holders} == set(UPDOWN.tokens)
    assert interest.value == 10
    assert reference.condition_id == UPDOWN.condition_id


async def test_it_reads_a_history_of_prices(hall: Hall, enter: Enter) -> None:
    client = await enter(hall)
    await quoted(hall)
    for _ in range(3):
        hall.after(60_000)

    points = await every(
        client.list_price_history(asset_id=UPDOWN.yes_token, interval="1h", bucket_seconds=60)
    )

    assert points
    assert {point.price for point in points} == {Decimal("0.5")}


# Prices.


def tell(hall: Hall, dollars: int) -> None:
    """One second's settlement report, and its average."""
    at_ms = hall.clock.now_ns // 10**6
    hall.world.coming = [
        Report(symbol="btc/usd", value_e18=dollars * E18, report_ms=at_ms),
        Quoted(feed="twap", symbol="btc/usd", value_e18=dollars * E18, at_ms=at_ms, window_s=60),
    ]
    hall.after(1_000)


async def test_its_numbered_price_stream_begins_with_the_past(hall: Hall, enter: Enter) -> None:
    client = await enter(hall)
    tell(hall, 64_000)

    async with subscribed(client, streams.CryptoPriceSpec(symbols=["btcusd"])) as stream:
        past = await heard(stream, "subscribe")
        tell(hall, 64_001)
        update = await heard(stream, "update")

    assert [point.value for point in past.payload.data] == [64_000]
    assert (update.payload.symbol, update.payload.value) == ("btcusd", 64_001)
    assert update.seq > past.seq
    assert stream.dropped == 0


async def test_its_stream_of_averages_has_its_own_channel(hall: Hall, enter: Enter) -> None:
    client = await enter(hall)

    async with subscribed(client, streams.CryptoTwapPriceSpec(symbols=["btcusd"])) as stream:
        tell(hall, 64_000)
        update = await heard(stream, "update")

    assert update.topic == "prices.crypto.twap"
    assert (update.payload.value, update.payload.window_seconds) == (64_000, 60)


async def test_its_legacy_price_stream_still_tells(hall: Hall, enter: Enter) -> None:
    client = await enter(hall)
    spec = streams.CryptoPricesSpec(topic="prices.crypto.chainlink", symbols=["btc/usd"])

    async with subscribed(client, spec) as stream:
        hearing = asyncio.create_task(heard(stream, "update"))
        while not hearing.done():  # what it asked for is never acknowledged: tell until it hears
            tell(hall, 64_000)
            await hall.get("/ok")
        update = hearing.result()

    assert (update.payload.symbol, update.payload.value) == ("btc/usd", 64_000)

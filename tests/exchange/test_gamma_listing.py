"""Discovery over a long catalogue: pages, filters, orders, events, tags; and the real SDK."""

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import orjson
import pytest

from polybawt.core.units import MILLION, SECOND_NS
from polybawt.exchange import finding
from polybawt.exchange.config import exchange_config
from polybawt.exchange.server import CARD_MARKETS_MAX, card
from polybawt.exchange.wire.gamma import series_id, tag_id
from polybawt.exchange.worlds import chosen
from polybawt.sim.catalogue import Listing, catalogue
from polybawt.sim.oracle import NO, SPLIT, YES
from polybawt.sim.stocked import Stocked
from polybawt.sim.topics import TOPICS
from polybawt.sim.world import WorldTerms
from polybawt.venue import wire_gamma
from polybawt.venue.clock import Clock
from tests.exchange.conftest import Open
from tests.exchange.house import START_NS, Hall
from tests.exchange.test_recorded_shapes import missing

Json = dict[str, Any]
COUNT = 300
TERMS = WorldTerms(seed="7", makers=0, noise_takers=0, informed_takers=0)
LISTINGS = list(catalogue(TERMS.seed, COUNT, START_NS))
CHOICE = next(
    each for each in LISTINGS if len(each.markets) > 2 and each.markets[0].version == "v1"
)
CHOICE_V2 = next(
    each for each in LISTINGS if len(each.markets) > 2 and each.markets[0].version == "v2"
)


@pytest.fixture
async def long_hall(opened: Open) -> Hall:
    hall = await opened(Stocked(TERMS, LISTINGS, START_NS))
    hall.after(1)
    return hall


async def paged(hall: Hall, path: str, key: str, **query: str) -> list[Json]:
    """All rows of a listing by key."""
    rows: list[Json] = []
    cursor: Json = {}
    for _ in range(COUNT):
        page = await hall.get(path, **query, **cursor)
        rows += page[key]
        if "next_cursor" not in page:
            return rows
        cursor = {"after_cursor": page["next_cursor"]}
    raise AssertionError("the listing has no end")


async def test_every_market_is_listed_once_over_all_pages(long_hall: Hall) -> None:
    rows = await paged(long_hall, "/gamma/markets/keyset", "markets", limit="37")

    slugs = [row["slug"] for row in rows]
    assert len(set(slugs)) == len(slugs)
    assert {m.slug for each in LISTINGS for m in each.markets} <= set(slugs)


@pytest.mark.parametrize("order", ["endDate", "slug", "createdAt", "volumeNum", "question,slug"])
@pytest.mark.parametrize("ascending", ["true", "false"])
async def test_pages_keep_their_order_and_lose_nothing(
    long_hall: Hall, order: str, ascending: str
) -> None:
    """Equal values must not be skipped or told twice where a page ends."""
    query = {"order": order, "ascending": ascending, "limit": "41"}
    rows = await paged(long_hall, "/gamma/markets/keyset", "markets", **query)

    names = order.split(",")
    values = [tuple(row[name] for name in names) for row in rows]
    assert values == sorted(values, reverse=ascending == "false")
    assert len({row["id"] for row in rows}) == len(rows) >= COUNT


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ({"version": "v2"}, lambda row: row["version"] == "v2"),
        ({"tag_id": str(tag_id("weather"))}, lambda row: row.get("feeType") == "weather_fees"),
        ({"end_date_max": "2026-07-01"}, lambda row: row["endDate"] <= "2026-07-01T00:00:00Z"),
        ({"start_date_min": "2026-06-01"}, lambda row: row["startDate"] >= "2026-06-01"),
        ({"closed": "true"}, lambda row: False),
        ({"active": "false"}, lambda row: False),
        ({"archived": "true"}, lambda row: False),
        ({"uma_resolution_status": "proposed"}, lambda row: False),
        ({"resolution_status": "active"}, lambda row: row["version"] == "v2"),
        ({"volume_num_min": "1"}, lambda row: False),
        ({"title_search": "highest temp"}, lambda row: "temperature" in row["slug"]),
    ],
    ids=lambda given: str(given) if isinstance(given, dict) else "",
)
async def test_a_filter_keeps_exactly_what_fits(
    long_hall: Hall, query: dict[str, str], holds: Callable[[Json], bool]
) -> None:
    every = await paged(long_hall, "/gamma/markets/keyset", "markets", limit="100")
    found = await paged(long_hall, "/gamma/markets/keyset", "markets", limit="100", **query)

    expected = [row["id"] for row in every if holds(row)]
    assert [row["id"] for row in found] == expected
    assert expected or not holds(every[0])


async def test_markets_are_found_by_what_names_them(long_hall: Hall) -> None:
    first, second = CHOICE_V2.markets[:2]
    by = {
        "slug": f"{first.slug},{second.slug}",
        "condition_ids": f"{first.condition_id},{second.condition_id.upper().replace('0X', '0x')}",
        "position_ids": f"{first.no_token},{second.yes_token}",
        "onchain_event_ids": first.neg_risk_id,
    }
    for name, value in by.items():
        rows = await long_hall.get("/gamma/markets", **{name: value})
        assert [row["slug"] for row in rows][:2] == [first.slug, second.slug], name
    assert await long_hall.get("/gamma/markets", clob_token_ids=first.yes_token) == []
    both = await long_hall.get("/gamma/markets", slug=first.slug, position_ids=second.yes_token)
    assert both == []


async def test_offset_pages_are_still_served(long_hall: Hall) -> None:
    every = await paged(long_hall, "/gamma/markets/keyset", "markets", limit="100")

    part = await long_hall.get("/gamma/markets", limit="5", offset="7")

    assert [row["id"] for row in part] == [row["id"] for row in every[7:12]]


async def test_the_questions_of_a_choice_stand_in_one_event(long_hall: Hall) -> None:
    """Correlation limits count an event as one bet: it must be told as one."""
    for listing in (CHOICE, CHOICE_V2):
        event = await long_hall.get(f"/gamma/events/slug/{listing.event.slug}")

        assert await long_hall.get(f"/gamma/events/{listing.event.event_id}") == event
        assert [m["slug"] for m in event["markets"]] == [m.slug for m in listing.markets]
        assert [m["groupItemTitle"] for m in event["markets"]] == list(listing.event.labels)
        assert {m["negRiskMarketID"] for m in event["markets"]} == {event["negRiskMarketID"]}
        assert (event["title"], event["negRisk"]) == (listing.event.title, True)
        assert [tag["slug"] for tag in event["tags"]] == list(listing.event.tags)
        assert len({m["questionID"] for m in event["markets"]}) == len(event["markets"])
        row = await long_hall.get(f"/gamma/markets/slug/{listing.markets[1].slug}")
        assert [each["id"] for each in row["events"]] == [listing.event.event_id]


async def test_events_come_in_pages_and_by_filter(long_hall: Hall) -> None:
    every = await paged(long_hall, "/gamma/events/keyset", "events", limit="23")
    open_ones = await paged(
        long_hall, "/gamma/events/keyset", "events", limit="100", closed="false"
    )
    weather = await paged(
        long_hall, "/gamma/events/keyset", "events", tag_slug="weather", order="slug", limit="9"
    )
    named = await long_hall.get("/gamma/events", slug=CHOICE.event.slug)

    ids = [int(event["id"]) for event in every]
    assert ids == sorted(set(ids))
    assert [event["id"] for event in open_ones] == [event["id"] for event in every]
    slugs = sorted(each.event.slug for each in LISTINGS if each.event.category == "weather")
    assert [event["slug"] for event in weather] == slugs
    assert [event["slug"] for event in named] == [CHOICE.event.slug]


async def test_tags_and_series_are_listed_and_found(long_hall: Hall) -> None:
    tags = await long_hall.get("/gamma/tags")
    shown = await long_hall.get("/gamma/series", slug="daily-temperature")
    market = (await long_hall.get("/gamma/markets", limit="1", include_tag="true"))[0]
    path = f"/gamma/series/{series_id('daily-temperature')}"

    slugs = {slug for topic in TOPICS for slug in topic.tags}
    assert slugs <= {tag["slug"] for tag in tags}
    assert len({tag["id"] for tag in tags}) == len(tags)
    assert await long_hall.get("/gamma/tags/slug/weather") in tags
    assert await long_hall.get(f"/gamma/tags/{tag_id('weather')}") in tags
    assert [row["id"] for row in shown] == [str(series_id("daily-temperature"))]
    assert {e["seriesSlug"] for e in (await long_hall.get(path))["events"]} == {"daily-temperature"}
    assert await long_hall.get(f"/gamma/markets/{market['id']}/tags") == market["tags"]
    event_id = market["events"][0]["id"]
    assert await long_hall.get(f"/gamma/events/{event_id}/tags") == market["tags"]


async def test_events_are_found_by_words(long_hall: Hall) -> None:
    found = await long_hall.get("/gamma/public-search", q="Highest TEMPERATURE", limit_per_type="2")

    assert len(found["events"]) == 2
    assert found["pagination"]["totalResults"] > 2
    assert all(event["title"].startswith("Highest temperature") for event in found["events"])


async def test_the_oracles_steps_are_shown_as_gamma_names_them(long_hall: Hall) -> None:
    """A proposal is no outcome: a client that settles on it has lost its money (finding C1)."""
    market = LISTINGS[0].markets[0]
    path, venue = f"/gamma/markets/slug/{market.slug}", long_hall.world.venue
    seen = []
    for action, payouts in (
        ("propose", YES),
        ("dispute", None),
        ("propose", NO),
        ("dispute", None),
    ):
        venue.ask_oracle(market.condition_id, action, long_hall.clock.now_ns, payouts=payouts)
        long_hall.after(1)
        row = await long_hall.get(path)
        seen.append((row["umaResolutionStatus"], row["closed"], wire_gamma.resolution(row, 1)))
    venue.ask_oracle(market.condition_id, "vote", long_hall.clock.now_ns, payouts=NO)
    long_hall.after(1)
    final = await long_hall.get(path)

    words = [status for status, _, _ in seen]
    assert words == ["proposed", "disputed", "proposed", "disputed"]
    assert {(closed, paid) for _, closed, paid in seen} == {(False, None)}
    assert json.loads(final["umaResolutionStatuses"]) == [*words, "resolved"]
    assert json.loads(final["outcomePrices"]) == ["0", "1"]
    paid = wire_gamma.resolution(final, 1)
    assert paid is not None
    assert (final["closed"], paid.no_payout) == (True, MILLION)
    assert final["closedTime"] == "2026-06-08T00:00:00Z"


async def test_a_split_is_half_and_half(long_hall: Hall) -> None:
    single = next(m for each in LISTINGS for m in each.markets if not m.neg_risk)
    venue = long_hall.world.venue
    venue.ask_oracle(single.condition_id, "report", long_hall.clock.now_ns, payouts=SPLIT)
    long_hall.after(1)

    row = await long_hall.get(f"/gamma/markets/slug/{single.slug}")

    assert json.loads(row["outcomePrices"]) == ["0.5", "0.5"]


async def test_trades_show_as_volume_and_liquidity(opened: Open) -> None:
    hall = await opened()
    maker, taker = await hall.trader(1), await hall.trader(0)
    market = hall.world.venue.markets
    fed = next(m for m in market.values() if m.neg_risk)
    await maker.place(fed, fed.yes_token, "BUY", "0.4", "30")
    await taker.place(fed, fed.no_token, "BUY", "0.6", "10")
    hall.after(1)

    row = await hall.get(f"/gamma/markets/slug/{fed.slug}")

    assert (row["volumeNum"], row["volume"], row["volume24hr"]) == (6, "6", 6)
    assert (row["liquidityNum"], row["bestBid"], row["bestAsk"]) == (8, 0.4, 0)
    ordered = await hall.get("/gamma/markets", order="volumeNum", ascending="false", limit="1")
    assert [each["slug"] for each in ordered] == [fed.slug]
    for hour in range(30):
        hall.after(3_600_000)
        await taker.place(fed, fed.no_token, "BUY", "0.6", "10" if hour == 0 else "0.5")
        hall.after(1)
    later = await hall.get(f"/gamma/markets/slug/{fed.slug}")
    assert (later["volumeNum"], later["volume24hr"]) == (12, 0)


async def test_a_neg_risk_event_has_every_recorded_key(
    long_hall: Hall, recorded: Callable[[str], Path]
) -> None:
    theirs = orjson.loads(recorded("rest/fed_decision_2026-05-17/gamma-event.json").read_bytes())
    ours = await long_hall.get(f"/gamma/events/slug/{CHOICE.event.slug}")

    gone = [key for key in missing(ours, theirs) if key.split(".")[-1] not in UNTOLD]
    assert gone == []


UNTOLD = {
    # what the site computes for its own pages, and an exchange cannot know
    "volume1wk", "volume1mo", "volume1yr", "volume1wkClob", "volume1moClob", "volume1yrClob",
    "oneDayPriceChange", "oneWeekPriceChange", "oneMonthPriceChange", "context_description",
    "context_requires_regen", "context_updated_at", "deployingTimestamp", "umaBond", "umaReward",
    "lastTradePrice",  # only after a trade
}  # fmt: skip


async def test_the_venues_own_sdk_reads_every_row(long_hall: Hall) -> None:
    """Strict models of the unified client: one wrong type and its whole page is refused."""
    models = pytest.importorskip("polymarket.models")
    markets = await paged(long_hall, "/gamma/markets/keyset", "markets", include_tag="true")
    events = await paged(long_hall, "/gamma/events/keyset", "events")
    tags, shown = await long_hall.get("/gamma/tags"), await long_hall.get("/gamma/series")

    read = [models.Market.parse_response(row) for row in markets]
    grouped = [models.Event.parse_response(row) for row in events]

    assert {str(market.version) for market in read} == {"v1", "v2"}
    assert all(market.outcomes.yes.token_id or market.outcomes.yes.position_id for market in read)
    assert sum(len(event.markets) for event in grouped) == len(read)
    assert models.Tag.parse_response_list(tags)
    assert models.Series.parse_response_list(shown)


async def test_our_own_discovery_reads_every_row(long_hall: Hall) -> None:
    """What was listed comes back whole: event, choice, tags, source, version, tick, fees, end."""
    rows = await paged(long_hall, "/gamma/markets/keyset", "markets", include_tag="true")
    read = {market.condition_id: market for market in map(wire_gamma.market, rows)}

    for listing in LISTINGS:
        for market in listing.markets:
            assert read[market.condition_id] == market


def test_the_fixture_has_both_kinds_of_choice() -> None:
    assert isinstance(CHOICE, Listing)
    assert START_NS % SECOND_NS == 0


async def test_an_exchange_with_a_catalogue_shows_its_windows_on_the_card(opened: Open) -> None:
    """A card of twenty thousand markets would be no card: what is listed last is on it."""
    config = exchange_config(markets=1_200, quiet_world=True, window_s=20)
    world = chosen(config, START_NS)
    hall = await opened(world, config)
    hall.after(1)

    shown = card(hall.floor, 1, Clock(real_ns=0, venue_ns=0, rate=1.0), "")["markets"]
    every = await paged_slugs(hall)

    assert isinstance(shown, list)
    assert len(shown) == CARD_MARKETS_MAX
    assert shown[-1]["slug"].startswith("btc-updown")
    assert {row["version"] for row in shown} == {"v1", "v2"}
    assert len([slug for slug in every if not slug.startswith("btc-updown")]) == 1_200


async def paged_slugs(hall: Hall) -> list[str]:
    found: list[str] = []
    cursor: Json = {}
    for _ in range(20):
        page = await hall.get("/gamma/markets/keyset", limit="100", **cursor)
        found += [row["slug"] for row in page["markets"]]
        if "next_cursor" not in page:
            break
        cursor = {"after_cursor": page["next_cursor"]}
    return found


NONSENSE = (
    "", "0", "-1", "x", "true", "null", "1e309", "nan", "%00", "\u0661", "9" * 40, "[]", "WzFd",
    "2026-13-01", "0001-01-01", "9999-12-31T23:59:59+23:59", "a,b,,c", "0x", "0x" + "f" * 64, "id",
)  # fmt: skip
PARAMETERS = (
    *finding.LOOKED_UP, "limit", "offset", "after_cursor", "order", "ascending", "closed", "active",
    "end_date_min", "start_date_max", "volume_num_min", "liquidity_max", "tag_id", "series_id",
    "version", "q", "page", "limit_per_type", "question_ids", "tag_match", "title_search",
)  # fmt: skip


async def test_no_query_is_answered_by_a_crash(long_hall: Hall) -> None:
    """Each parameter with each absurd value: an answer, or a no. Proves: faults"""
    paths = ("markets", "markets/keyset", "events", "events/keyset", "series", "tags")
    for number, (name, value) in enumerate(product(PARAMETERS, NONSENSE)):
        path = paths[number % len(paths)] if name != "q" else "public-search"
        answer = await long_hall.client.get(f"/gamma/{path}", params={name: value})
        body = orjson.loads(await answer.read())
        assert answer.status in (200, 400), (path, name, value)
        assert answer.status == 200 or "error" in body

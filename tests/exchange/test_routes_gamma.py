"""Gamma: discovery, strike and resolution."""

import json

import orjson
import pytest

from polybawt.core.units import MILLION, Usdc
from tests.exchange.house import CANARY, FED, START_NS, UPDOWN, Hall, a_market


async def test_markets_come_in_pages_by_key(hall: Hall) -> None:
    first = await hall.get("/gamma/markets/keyset", limit="2")
    second = await hall.get("/gamma/markets/keyset", limit="2", after_cursor=first["next_cursor"])

    slugs = [m["slug"] for m in first["markets"] + second["markets"]]
    assert slugs == [UPDOWN.slug, FED.slug, CANARY.slug]
    assert "next_cursor" not in second


async def test_a_market_is_found_by_id_slug_condition_and_token(hall: Hall) -> None:
    listed = (await hall.get("/gamma/markets/keyset"))["markets"][1]

    assert await hall.get(f"/gamma/markets/{listed['id']}") == listed
    assert await hall.get(f"/gamma/markets/slug/{FED.slug}") == listed
    assert await hall.get("/gamma/markets", condition_ids=FED.condition_id) == [listed]
    assert await hall.get("/gamma/markets", clob_token_ids=FED.no_token) == [listed]
    both = f"{FED.condition_id},{UPDOWN.condition_id}"
    assert len(await hall.get("/gamma/markets", condition_ids=both)) == 2


async def test_a_market_says_its_terms_in_gammas_words(hall: Hall) -> None:
    """Three lists are JSON within text (reference 5.1)."""
    market = await hall.get(f"/gamma/markets/slug/{UPDOWN.slug}")

    assert json.loads(market["outcomes"]) == ["Up", "Down"]
    assert json.loads(market["clobTokenIds"]) == list(UPDOWN.tokens)
    assert market["conditionId"] == UPDOWN.condition_id
    assert (market["orderPriceMinTickSize"], market["orderMinSize"]) == (0.01, 5)
    assert market["feeSchedule"]["rate"] == 0.07
    assert market["eventStartTime"] == "2026-06-08T00:00:00Z"
    assert market["endDate"] == "2026-06-08T00:05:00Z"
    assert (market["active"], market["closed"], market["acceptingOrders"]) == (True, False, True)


async def test_the_strike_is_exact(hall: Hall) -> None:
    """A double would lose its last digits: the number is written out, and beside it the text."""
    answer = await hall.client.get(f"/gamma/markets/slug/{UPDOWN.slug}")
    text = await answer.text()

    assert '"priceToBeat":63123.544863797618,' in text
    assert '"strikeE18":"63123544863797618000000"' in text
    fed = await hall.get(f"/gamma/markets/slug/{FED.slug}")
    assert fed["events"][0]["eventMetadata"] == {}


async def test_a_protocol_v2_market_lists_positions(hall: Hall) -> None:
    market = await hall.get(f"/gamma/markets/slug/{CANARY.slug}")

    assert market["version"] == "v2"
    assert market["positionIds"] == list(CANARY.tokens)
    assert json.loads(market["clobTokenIds"]) == []


@pytest.mark.parametrize(
    ("yes", "prices"), [(MILLION, ["1", "0"]), (0, ["0", "1"]), (MILLION // 2, ["0.5", "0.5"])]
)
async def test_a_resolution_is_published_only_when_it_is_final(
    hall: Hall, yes: int, prices: list[str]
) -> None:
    """A client settles on this and on nothing else.

    Proves: C1, P0.1
    """
    maker, taker = await hall.trader(1), await hall.trader(0)
    await maker.place(UPDOWN, UPDOWN.no_token, "BUY", "0.5", "10")
    await taker.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.5", "10")
    venue = hall.world.venue
    venue.resolve(UPDOWN.condition_id, Usdc(yes), Usdc(MILLION - yes), START_NS)
    hall.after(1)
    waiting = await hall.get(f"/gamma/markets/slug/{UPDOWN.slug}")
    hall.after(10_000)
    final = await hall.get(f"/gamma/markets/slug/{UPDOWN.slug}")

    assert waiting["closed"] is False
    assert "umaResolutionStatus" not in waiting
    assert (final["closed"], final["umaResolutionStatus"]) == (True, "resolved")
    assert json.loads(final["outcomePrices"]) == prices


async def test_a_resolved_market_is_still_found_after_the_venue_forgot_it(hall: Hall) -> None:
    hall.world.venue.resolve(UPDOWN.condition_id, Usdc(MILLION), Usdc(0), START_NS)
    hall.after(1)
    hall.after(3_600_000)

    assert UPDOWN.condition_id not in hall.world.venue.markets
    closed = await hall.get("/gamma/markets", condition_ids=UPDOWN.condition_id, closed="true")
    assert [json.loads(m["outcomePrices"]) for m in closed] == [["1", "0"]]
    still_open = await hall.get("/gamma/markets/keyset", closed="false")
    assert UPDOWN.slug not in [m["slug"] for m in still_open["markets"]]
    winners = (await hall.get(f"/markets/{UPDOWN.condition_id}"))["tokens"]
    assert [t["winner"] for t in winners] == [True, False]


async def test_only_so_many_resolved_markets_are_remembered(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run of days lists thousands of short markets.

    Proves: C5, P0.5
    """
    monkeypatch.setattr("polybawt.exchange.publisher.RESOLVED_MAX", 1)
    for market in (UPDOWN, CANARY):
        hall.world.venue.resolve(market.condition_id, Usdc(MILLION), Usdc(0), START_NS)
        hall.after(1)
    hall.world.venue.list_market(a_market("fresh"), hall.clock.now_ns)
    hall.after(1)

    found = (await hall.get("/gamma/markets/keyset"))["markets"]

    assert [m["slug"] for m in found] == [FED.slug, CANARY.slug, "fresh"]
    assert len({m["id"] for m in found}) == 3


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/gamma/markets/999", 404),
        ("/gamma/markets/slug/nothing", 404),
        ("/gamma/markets/keyset?limit=0", 400),
        ("/gamma/markets/keyset?limit=101", 400),
        ("/gamma/markets/keyset?limit=x", 400),
        ("/gamma/markets/keyset?after_cursor=zz", 400),
        ("/gamma/events/999", 404),
        ("/gamma/events/slug/nothing", 404),
        ("/gamma/tags/slug/nothing", 404),
        ("/gamma/series/1", 404),
        ("/gamma/public-search", 400),
        ("/gamma/markets?closed=perhaps", 400),
        ("/gamma/markets?order=shoe_size", 400),
        ("/gamma/markets?end_date_min=soon", 400),
        ("/gamma/markets?volume_num_min=nan", 400),
        ("/gamma/events/keyset?after_cursor=WzFd&order=slug", 400),
    ],
)
async def test_nonsense_is_refused_in_json(hall: Hall, path: str, status: int) -> None:
    answer = await hall.client.get(path)

    assert answer.status == status
    assert "error" in orjson.loads(await answer.read())

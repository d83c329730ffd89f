"""Public reads: what they say, and what they refuse."""

import json

import pytest

from polybawt.core.market import Market
from tests.exchange.conftest import Open
from tests.exchange.house import CANARY, FED, START_NS, UPDOWN, Hall, StillWorld, config


async def quoted(hall: Hall) -> Hall:
    """A market with a bid of 0.48 and an ask of 0.52 on its first token."""
    maker = await hall.trader(1)
    await maker.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.48", "10")
    await maker.place(UPDOWN, UPDOWN.no_token, "BUY", "0.48", "20")
    hall.after(5)
    return hall


async def test_the_venue_says_its_version_and_time(hall: Hall) -> None:
    assert await hall.get("/") == {"version": 2}
    assert await hall.get("/version") == {"version": 2}
    assert await hall.get("/ok") == "OK"
    assert await hall.get("/time") == START_NS // 10**9


async def test_venue_time_never_goes_backwards(hall: Hall) -> None:
    """A machine's clock may be set back; the venue's orders and trades may not."""
    hall.after(5_000)
    hall.clock.now_ns -= 60 * 10**9

    assert await hall.get("/time") == START_NS // 10**9 + 5


async def test_a_book_is_mirrored_on_the_other_token(hall: Hall) -> None:
    """A bid of 0.48 for one token is an ask of 0.52 for the other: there is only one book."""
    await quoted(hall)

    yes = await hall.get("/book", token_id=UPDOWN.yes_token)
    no = await hall.get("/book", token_id=UPDOWN.no_token)

    assert yes["bids"] == [{"price": "0.48", "size": "10"}]
    assert yes["asks"] == [{"price": "0.52", "size": "20"}]
    assert no["bids"] == [{"price": "0.48", "size": "20"}]
    assert no["asks"] == [{"price": "0.52", "size": "10"}]
    assert yes["timestamp"] == no["timestamp"] == str(START_NS // 10**6 + 5)


async def test_levels_come_worst_first(hall: Hall) -> None:
    maker = await hall.trader(1)
    for price in ("0.40", "0.42", "0.41"):
        await maker.place(UPDOWN, UPDOWN.yes_token, "BUY", price, "10")
        await maker.place(UPDOWN, UPDOWN.no_token, "BUY", price, "10")
    hall.after(1)

    book = await hall.get("/book", token_id=UPDOWN.yes_token)

    assert [level["price"] for level in book["bids"]] == ["0.4", "0.41", "0.42"]
    assert [level["price"] for level in book["asks"]] == ["0.6", "0.59", "0.58"]


async def test_books_come_in_the_order_asked(hall: Hall) -> None:
    wanted = [{"token_id": token} for token in (FED.no_token, UPDOWN.yes_token)]

    answer = await hall.client.post("/books", json=wanted)

    assert [book["asset_id"] for book in await answer.json()] == [FED.no_token, UPDOWN.yes_token]


async def test_prices_are_the_best_of_each_side(hall: Hall) -> None:
    """BUY names the best bid and SELL the best ask, as the venue documents it."""
    await quoted(hall)
    token = UPDOWN.yes_token

    assert await hall.get("/price", token_id=token, side="BUY") == {"price": "0.48"}
    assert await hall.get("/price", token_id=token, side="sell") == {"price": "0.52"}
    assert await hall.get("/midpoint", token_id=token) == {"mid": "0.5"}
    assert await hall.get("/spread", token_id=token) == {"spread": "0.04"}


async def test_a_market_says_its_terms(hall: Hall) -> None:
    assert await hall.get("/tick-size", token_id=FED.yes_token) == {"minimum_tick_size": 0.001}
    assert await hall.get("/neg-risk", token_id=FED.yes_token) == {"neg_risk": True}
    assert await hall.get("/fee-rate", token_id=FED.yes_token) == {"base_fee": 1000}
    assert await hall.get(f"/markets-by-token/{FED.no_token}") == {
        "condition_id": FED.condition_id,
        "primary_token_id": FED.yes_token,
        "secondary_token_id": FED.no_token,
    }


async def test_a_v2_market_says_so_everywhere(hall: Hall) -> None:
    """The domain that orders are signed under follows from it (reference 0)."""
    market = await hall.get(f"/clob-markets/{CANARY.condition_id}")
    book = await hall.get("/book", token_id=CANARY.yes_token)

    assert market["v"] == "v2"
    assert list(book)[-1] == "version"


async def test_a_market_object_names_its_tokens(hall: Hall) -> None:
    market = await hall.get(f"/markets/{UPDOWN.condition_id}")

    assert [t["token_id"] for t in market["tokens"]] == list(UPDOWN.tokens)
    assert [t["outcome"] for t in market["tokens"]] == ["Up", "Down"]
    assert not any(t["winner"] for t in market["tokens"])


@pytest.mark.parametrize(
    ("path", "params", "status", "text"),
    [
        ("/book", {"token_id": "12"}, 404, "No orderbook exists for the requested token id"),
        ("/book", {"token_id": "abc"}, 400, "Invalid token id"),
        ("/book", {}, 400, "Invalid token id"),
        ("/book", {"token_id": "9" * 200}, 400, "Invalid token id"),
        ("/price", {"token_id": "12", "side": "BOTH"}, 400, "Invalid side"),
        ("/price", {"token_id": "12", "side": "BUY"}, 404, "No orderbook exists"),
        ("/midpoint", {"token_id": FED.yes_token}, 404, "No orderbook exists"),
        ("/spread", {"token_id": FED.yes_token}, 404, "No orderbook exists"),
        ("/tick-size", {"token_id": "12"}, 404, "No orderbook exists"),
        ("/neg-risk", {"token_id": "x"}, 400, "Invalid token id"),
        ("/clob-markets/0x12", {}, 404, "market not found"),
        ("/markets/0x12", {}, 404, "market not found"),
        ("/markets-by-token/12", {}, 404, "market not found"),
        ("/rewards/markets/current", {}, 404, "not found"),
        ("/data-api/positions", {}, 404, "not found"),
    ],
)
async def test_a_read_of_nothing_is_refused_in_the_venues_words(
    hall: Hall, path: str, params: dict[str, str], status: int, text: str
) -> None:
    answer = await hall.client.get(path, params=params)
    body = await answer.json()

    assert answer.status == status
    assert body["error"].startswith(text)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"{}", b"[1]", b'[{"token_id":1}]', b"<html></html>", b"[{}]", b"\xff"],
)
async def test_a_malformed_list_of_books_is_refused(hall: Hall, body: bytes) -> None:
    answer = await hall.client.post("/books", data=body)

    assert answer.status == 400
    assert "error" in await answer.json()


async def test_too_many_books_or_bytes_are_refused(hall: Hall) -> None:
    """A body beyond the limit must cost the exchange nothing but a refusal."""
    many = await hall.client.post("/books", data=json.dumps([{"token_id": "1"}] * 501))
    huge = await hall.client.post("/books", data=b"[" + b" " * (2 << 20) + b"]")

    assert (many.status, huge.status) == (400, 400)
    assert (await huge.json()) == {"error": "Payload exceeds the limit"}


async def test_a_wrong_method_is_refused_in_json(hall: Hall) -> None:
    answer = await hall.client.put("/order", data=b"{}")

    assert answer.status == 405
    assert "error" in await answer.json()


@pytest.mark.parametrize("market", [UPDOWN, FED, CANARY], ids=lambda market: market.slug)
async def test_every_listed_market_has_both_books(hall: Hall, market: Market) -> None:
    for token in market.tokens:
        assert (await hall.get("/book", token_id=token))["market"] == market.condition_id


# Pages of markets.


async def pages(hall: Hall, path: str) -> list[list[dict[str, object]]]:
    cursor, found = "MA==", []
    while cursor != "LTE=":
        page = await hall.get(path, next_cursor=cursor)
        assert page["count"] == len(page["data"]) <= page["limit"]
        cursor = page["next_cursor"]
        found.append(page["data"])
    return found


async def test_markets_come_in_pages_and_each_of_them_once(opened: Open) -> None:
    hall = await opened(StillWorld(UPDOWN, FED, CANARY), config(page_size=2))

    found = await pages(hall, "/markets")

    assert [[row["condition_id"] for row in page] for page in found] == [
        [UPDOWN.condition_id, FED.condition_id], [CANARY.condition_id],
    ]  # fmt: skip
    one = await hall.get(f"/markets/{UPDOWN.condition_id}")
    assert found[0][0] == one


async def test_the_short_form_has_the_keys_of_the_reference(hall: Hall) -> None:
    rows = (await pages(hall, "/simplified-markets"))[0]

    keys = "condition_id rewards tokens active closed archived accepting_orders"
    assert {frozenset(row) for row in rows} == {frozenset(keys.split(" "))}


async def test_only_markets_that_take_orders_are_sampled(hall: Hall) -> None:
    """A bot that finds its markets there must not find closed ones."""
    hall.world.venue.close(UPDOWN.condition_id, hall.clock.now_ns)
    hall.after(1)

    for path in ("/sampling-markets", "/sampling-simplified-markets"):
        rows = (await pages(hall, path))[0]
        assert {row["condition_id"] for row in rows} == {FED.condition_id, CANARY.condition_id}
    assert len((await pages(hall, "/markets"))[0]) == 3


@pytest.mark.parametrize("cursor", ["%", "AAAA", "LTU=", "x" * 50])
async def test_a_foreign_cursor_of_markets_is_refused(hall: Hall, cursor: str) -> None:
    answer = await hall.client.get("/markets", params={"next_cursor": cursor})

    assert (answer.status, await answer.json()) == (400, {"error": "Invalid payload"})


async def test_live_activity_names_the_trade_and_its_taker(hall: Hall) -> None:
    maker, taker = await hall.trader(1), await hall.trader(0)
    await maker.place(UPDOWN, UPDOWN.no_token, "BUY", "0.48", "10")
    await taker.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.52", "6")
    await maker.place(UPDOWN, UPDOWN.no_token, "SELL", "0.5", "5")
    await taker.place(UPDOWN, UPDOWN.no_token, "BUY", "0.5", "5")

    newest, first = await hall.get(f"/markets/live-activity/{UPDOWN.condition_id}")

    keys = (
        "event_type market user side size fee_rate_bps price outcome outcome_index"
        " transaction_hash timestamp"
    )
    assert set(first) == set(keys.split(" "))
    assert (first["side"], first["size"], first["price"]) == ("BUY", "6", "0.52")
    assert (first["outcome"], first["outcome_index"]) == ("Up", 0)
    assert first["market"]["asset_id"] == UPDOWN.yes_token
    assert first["user"]["address"] == taker.address
    assert (newest["outcome"], newest["outcome_index"]) == ("Down", 1)
    assert await hall.get(f"/markets/live-activity/{FED.condition_id}") == []
    unknown = await hall.client.get("/markets/live-activity/0x12")
    assert (unknown.status, await unknown.json()) == (404, {"error": "market not found"})


async def test_no_builder_charges_anything(hall: Hall) -> None:
    assert await hall.get("/fees/builder-fees/0x" + "ab" * 32) == {
        "builder_maker_fee_rate_bps": 0,
        "builder_taker_fee_rate_bps": 0,
    }
    assert (await hall.client.get("/fees/builder-fees/me")).status == 400

"""The streams as a client hears them."""

import asyncio
import hashlib
from typing import Any

import orjson
import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType

from polybawt.core.units import MILLION, SECOND_NS, Usdc
from polybawt.exchange.hub import MarketSubscriber
from polybawt.sim.records import RawFrame, Report
from tests.exchange.house import CANARY, FED, START_NS, UPDOWN, Hall, Trader, a_market

Socket = ClientWebSocketResponse[Any]
WAIT_S = 5.0


async def heard(socket: Socket, frames: int = 1) -> list[Any]:
    """The next frames, parsed; fails when they do not come."""
    got = []
    for _ in range(frames):
        message = await socket.receive(timeout=WAIT_S)
        assert message.type is WSMsgType.TEXT, message
        got.append(orjson.loads(message.data))
    return got


async def quiet_until_pong(socket: Socket) -> list[Any]:
    """Everything sent before the answer to a PING of ours: so silence can be seen."""
    await socket.send_str("PING")
    got = []
    while True:
        message = await socket.receive(timeout=WAIT_S)
        assert message.type is WSMsgType.TEXT, message
        if message.data == "PONG":
            return got
        got.append(orjson.loads(message.data))


async def market_socket(hall: Hall, *tokens: str, **other: Any) -> Socket:
    socket = await hall.client.ws_connect("/ws/market")
    await socket.send_json({"type": "market", "assets_ids": list(tokens)} | other)
    return socket


async def user_socket(hall: Hall, trader: Trader, **other: Any) -> Socket:
    """A user stream that is certainly joined: it has answered a PING."""
    socket = await hall.client.ws_connect("/ws/user")
    auth = {
        "apiKey": trader.credentials.key,
        "secret": trader.credentials.secret,
        "passphrase": trader.credentials.passphrase,
    }
    await socket.send_json({"type": "user", "auth": auth} | other)
    assert await quiet_until_pong(socket) == []
    return socket


def hash_of(book: dict[str, Any]) -> str:
    """The recipe of reference 4.2, computed from what a client holds."""
    return hashlib.sha1(orjson.dumps(book | {"hash": ""})).hexdigest()


# The market channel.


async def test_the_first_frame_is_an_array_of_books(hall: Hall) -> None:
    socket = await market_socket(hall, *UPDOWN.tokens)

    message = await socket.receive(timeout=WAIT_S)

    assert message.data.endswith("]\n")
    books = orjson.loads(message.data)
    assert [book["asset_id"] for book in books] == list(UPDOWN.tokens)
    rest = await hall.get("/book", token_id=UPDOWN.yes_token)
    assert books[0]["hash"] == rest["hash"] == hash_of(rest)
    assert set(rest) - set(books[0]) == {"min_order_size", "neg_risk"}


async def test_a_change_is_told_for_both_tokens_with_the_hash_of_the_book_after_it(
    hall: Hall,
) -> None:
    """The client can prove its book, change by change (D12)."""
    trader = await hall.trader()
    socket = await market_socket(hall, *UPDOWN.tokens)
    await heard(socket)
    await trader.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "10")
    hall.after(1)

    change = (await heard(socket))[0]

    assert change["event_type"] == "price_change"
    assert change["market"] == UPDOWN.condition_id
    by_token = {c["asset_id"]: c for c in change["price_changes"]}
    yes, no = by_token[UPDOWN.yes_token], by_token[UPDOWN.no_token]
    assert (yes["price"], yes["size"], yes["side"]) == ("0.4", "10", "BUY")
    assert (no["price"], no["size"], no["side"]) == ("0.6", "10", "SELL")
    assert (yes["best_bid"], yes["best_ask"]) == ("0.4", "")
    for token, told in by_token.items():
        book = await hall.get("/book", token_id=token)
        assert told["hash"] == book["hash"] == hash_of(book)
        assert book["timestamp"] == change["timestamp"]


async def test_changes_within_a_millisecond_are_one_group(hall: Hall) -> None:
    """A timestamp names one state: two groups with one stamp could not be told apart."""
    trader = await hall.trader()
    socket = await market_socket(hall, UPDOWN.yes_token)
    await heard(socket)
    hall.after(1)
    for price in ("0.40", "0.41", "0.42"):
        await trader.place(UPDOWN, UPDOWN.yes_token, "BUY", price, "10")
    hall.after(1)

    frames = await quiet_until_pong(socket)

    assert [len(f["price_changes"]) for f in frames] == [2, 4]
    assert frames[0]["timestamp"] != frames[1]["timestamp"]
    book = await hall.get("/book", token_id=UPDOWN.yes_token)
    last = {c["hash"] for c in frames[1]["price_changes"] if c["asset_id"] == UPDOWN.yes_token}
    assert last == {book["hash"]}


async def test_a_level_that_ends_has_size_zero(hall: Hall) -> None:
    trader = await hall.trader()
    await trader.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "10")
    hall.after(1)
    socket = await market_socket(hall, UPDOWN.yes_token)
    await heard(socket)
    await trader.ask("DELETE", "/cancel-all")
    hall.after(1)

    change = (await heard(socket))[0]

    assert {c["size"] for c in change["price_changes"]} == {"0"}


async def test_a_trade_is_printed_before_the_books_it_changed(hall: Hall) -> None:
    """The hash covers the last price, so a client must hear the price first."""
    maker, taker = await hall.trader(1), await hall.trader(0)
    await maker.place(UPDOWN, UPDOWN.no_token, "BUY", "0.48", "10")
    hall.after(1)
    socket = await market_socket(hall, *UPDOWN.tokens)
    await heard(socket)
    await taker.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.52", "6")
    hall.after(1)

    frames = await quiet_until_pong(socket)

    assert [f["event_type"] for f in frames] == [
        "last_trade_price", "price_change", "book", "book",
    ]  # fmt: skip
    printed = frames[0]
    assert (printed["asset_id"], printed["side"]) == (UPDOWN.yes_token, "BUY")
    assert (printed["price"], printed["size"]) == ("0.520", "6")
    assert len(printed["transaction_hash"]) == 66
    book = await hall.get("/book", token_id=UPDOWN.no_token)
    assert book["last_trade_price"] == printed["price"]
    assert {f["hash"] for f in frames[2:]} >= {book["hash"]}


async def test_a_v2_book_hashes_its_version(hall: Hall) -> None:
    trader = await hall.trader()
    socket = await market_socket(hall, CANARY.yes_token)
    await heard(socket)
    await trader.place(CANARY, CANARY.yes_token, "BUY", "0.4", "10")
    hall.after(1)

    change = (await heard(socket))[0]

    book = await hall.get("/book", token_id=CANARY.yes_token)
    assert list(book)[-1] == "version"
    told = {c["asset_id"]: c["hash"] for c in change["price_changes"]}
    assert told[CANARY.yes_token] == hash_of(book)


async def test_only_followed_markets_are_told(hall: Hall) -> None:
    trader = await hall.trader()
    socket = await market_socket(hall, FED.yes_token)
    await heard(socket)
    await trader.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "10")
    hall.after(1)

    assert await quiet_until_pong(socket) == []


async def test_subscriptions_come_and_go(hall: Hall) -> None:
    """A token named twice gets no second book; one given up is quiet."""
    trader = await hall.trader()
    socket = await market_socket(hall, UPDOWN.yes_token)
    await heard(socket)
    more = {"operation": "subscribe", "assets_ids": [UPDOWN.yes_token, FED.yes_token]}
    await socket.send_json(more)
    fresh = (await heard(socket))[0]
    await socket.send_json({"operation": "unsubscribe", "assets_ids": [UPDOWN.yes_token]})
    await quiet_until_pong(socket)
    await trader.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "10")
    hall.after(1)

    assert [book["asset_id"] for book in fresh] == [FED.yes_token]
    assert await quiet_until_pong(socket) == []


async def test_custom_features_are_told_only_to_who_asked(hall: Hall) -> None:
    """Best prices, new markets and resolutions need the flag (reference 4.1)."""
    plain = await market_socket(hall, UPDOWN.yes_token)
    custom = await market_socket(hall, UPDOWN.yes_token, custom_feature_enabled=True)
    await heard(plain)
    await heard(custom)
    trader = await hall.trader()
    await trader.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "10")
    hall.after(1)
    hall.world.venue.list_market(a_market("fresh"), hall.clock.now_ns)
    hall.world.venue.resolve(UPDOWN.condition_id, Usdc(MILLION), Usdc(0), hall.clock.now_ns)
    hall.after(1)

    kinds = [frame["event_type"] for frame in await quiet_until_pong(plain)]
    frames = {frame["event_type"]: frame for frame in await quiet_until_pong(custom)}

    assert set(kinds) == {"price_change"}
    assert set(frames) == {"price_change", "best_bid_ask", "new_market", "market_resolved"}
    assert frames["new_market"]["slug"] == "fresh"
    assert frames["market_resolved"]["winning_asset_id"] == UPDOWN.yes_token
    assert frames["market_resolved"]["winning_outcome"] == "Up"


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "5", '{"assets_ids":5}', '{"assets_ids":[5,null]}', '{"operation":[]}', "pong"],
)
async def test_nonsense_on_the_market_stream_is_ignored(hall: Hall, text: str) -> None:
    socket = await market_socket(hall)
    await socket.send_str(text)
    await socket.send_bytes(b"\x00\xff")

    assert await quiet_until_pong(socket) == []


async def test_the_first_book_can_be_declined(hall: Hall) -> None:
    socket = await market_socket(hall, UPDOWN.yes_token, initial_dump=False)

    assert await quiet_until_pong(socket) == []


async def test_more_than_five_hundred_tokens_get_no_first_book(hall: Hall) -> None:
    """Undocumented and measured: the client must then read books by REST."""
    socket = await market_socket(hall, *[str(n) for n in range(500)], UPDOWN.yes_token)

    assert await quiet_until_pong(socket) == []


# The user channel.


async def test_a_maker_and_a_taker_hear_the_same_trade_each_in_its_role(hall: Hall) -> None:
    """MINT: the maker bought the other token, and finds that in its own maker order.

    Proves: A-exec, B-exec
    """
    maker, taker = await hall.trader(1), await hall.trader(0)
    ours, theirs = await user_socket(hall, taker), await user_socket(hall, maker)
    resting = (await maker.place(UPDOWN, UPDOWN.no_token, "BUY", "0.48", "10"))[1]["orderID"]
    order = (await taker.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.52", "6"))[1]["orderID"]

    mine, his = await quiet_until_pong(ours), await quiet_until_pong(theirs)

    my_trade = next(f for f in mine if f["event_type"] == "trade")
    his_trade = next(f for f in his if f["event_type"] == "trade")
    assert my_trade["id"] == his_trade["id"]
    assert (my_trade["trader_side"], his_trade["trader_side"]) == ("TAKER", "MAKER")
    assert my_trade["taker_order_id"] == his_trade["taker_order_id"] == order
    assert (my_trade["status"], my_trade["type"]) == ("MATCHED", "TRADE")
    made = his_trade["maker_orders"][0]
    assert (made["order_id"], made["owner"]) == (resting, maker.credentials.key)
    assert (made["asset_id"], made["side"], made["price"]) == (UPDOWN.no_token, "BUY", "0.48")
    assert (made["outcome"], made["outcome_index"]) == ("Down", 1)
    update = [f for f in his if f["event_type"] == "order"][-1]
    assert (update["type"], update["size_matched"], update["status"]) == ("UPDATE", "6", "LIVE")
    assert update["associate_trades"] == [my_trade["id"]]


async def test_every_step_of_a_settlement_is_told(hall: Hall) -> None:
    maker, taker = await hall.trader(1), await hall.trader(0)
    socket = await user_socket(hall, taker)
    await maker.place(UPDOWN, UPDOWN.no_token, "BUY", "0.48", "10")
    await taker.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.52", "6")
    hall.after(2_000)
    hall.after(3_000)

    steps = [f["status"] for f in await quiet_until_pong(socket) if f["event_type"] == "trade"]

    assert steps == ["MATCHED", "MINED", "CONFIRMED"]


async def test_an_orders_life_is_told(hall: Hall) -> None:
    trader = await hall.trader()
    socket = await user_socket(hall, trader)
    await trader.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "10")
    await trader.ask("DELETE", "/cancel-all")

    placed, cancelled = await quiet_until_pong(socket)

    assert (placed["type"], placed["status"]) == ("PLACEMENT", "LIVE")
    assert (cancelled["type"], cancelled["status"]) == ("CANCELLATION", "CANCELED")
    assert placed["owner"] == placed["order_owner"] == trader.credentials.key
    assert placed["created_at"] == str(START_NS // SECOND_NS)
    assert placed["timestamp"] == str(START_NS // 10**6)


async def test_an_expired_order_is_told_as_a_cancellation(hall: Hall) -> None:
    """GTD orders die a minute before their stated expiration (reference 3.4)."""
    trader = await hall.trader()
    socket = await user_socket(hall, trader)
    expires = START_NS // SECOND_NS + 60 + 30
    await trader.place(
        UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "10", orderType="GTD", expiration=expires
    )
    hall.after(29_999)
    alive = await quiet_until_pong(socket)
    hall.after(1)

    assert [f["type"] for f in alive] == ["PLACEMENT"]
    assert [f["type"] for f in await quiet_until_pong(socket)] == ["CANCELLATION"]


async def test_a_user_stream_may_choose_its_markets(hall: Hall) -> None:
    trader = await hall.trader()
    socket = await user_socket(hall, trader, markets=[FED.condition_id])
    await trader.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "10")
    quiet = await quiet_until_pong(socket)
    await socket.send_json({"operation": "subscribe", "markets": [UPDOWN.condition_id]})
    await quiet_until_pong(socket)
    await trader.ask("DELETE", "/cancel-all")

    assert quiet == []
    assert [f["type"] for f in await quiet_until_pong(socket)] == ["CANCELLATION"]


@pytest.mark.parametrize(
    "first",
    [
        "{",
        "PING",
        '{"type":"user"}',
        '{"type":"user","auth":5}',
        '{"type":"user","auth":{"apiKey":"x","secret":"y","passphrase":"z"}}',
        '{"type":"user","auth":{"apiKey":5,"secret":null,"passphrase":[]}}',
    ],
)
async def test_a_user_stream_without_a_key_is_dropped_without_a_word(
    hall: Hall, first: str
) -> None:
    """No close frame, no reason: a client must learn to read early drops as a wrong key."""
    socket = await hall.client.ws_connect("/ws/user")
    await socket.send_str(first)

    message = await socket.receive(timeout=WAIT_S)

    assert message.type in (WSMsgType.CLOSED, WSMsgType.ERROR, WSMsgType.CLOSING)
    assert socket.close_code != 1000


async def test_the_wrong_secret_opens_nothing(hall: Hall) -> None:
    trader, other = await hall.trader(0), await hall.trader(1)
    socket = await hall.client.ws_connect("/ws/user")
    auth = {
        "apiKey": trader.credentials.key,
        "secret": other.credentials.secret,
        "passphrase": trader.credentials.passphrase,
    }
    await socket.send_json({"type": "user", "auth": auth})

    assert (await socket.receive(timeout=WAIT_S)).type is not WSMsgType.TEXT


# Settlement prices.


def asked(action: str, filters: str | None) -> dict[str, Any]:
    one: dict[str, Any] = {"topic": "crypto_prices_chainlink", "type": "*"}
    if filters is not None:
        one["filters"] = filters
    return {"action": action, "subscriptions": [one]}


BTC = '{"symbol":"btc/usd"}'


async def test_the_price_stream_starts_with_its_history(hall: Hall) -> None:
    hall.world.coming = [
        Report("btc/usd", 63_304_200301195075000000, 1_780_876_800_000),
        Report("eth/usd", 2_000 * 10**18, 1_780_876_800_000),
    ]
    hall.after(1)
    socket = await hall.client.ws_connect("/ws/rtds")
    await socket.send_json(asked("subscribe", BTC))

    history = (await heard(socket))[0]

    assert (history["type"], history["payload"]["symbol"]) == ("subscribe", "btc/usd")
    points = [(p["timestamp"], p["value"]) for p in history["payload"]["data"]]
    assert points == [(1_780_876_800_000, 63304.200301195075)]


async def test_reports_keep_every_digit(hall: Hall) -> None:
    """The double is for screens; settlement reads the whole number."""
    socket = await hall.client.ws_connect("/ws/rtds")
    await socket.send_json(asked("subscribe", BTC))
    assert await quiet_until_pong(socket) == []
    hall.world.coming = [
        Report("eth/usd", 2_000 * 10**18, 1_780_876_801_000),
        Report("btc/usd", 63_304_200301195075000001, 1_780_876_801_000),
    ]
    hall.after(7)

    update = (await heard(socket))[0]

    assert update["topic"] == "crypto_prices_chainlink"
    assert update["type"] == "update"
    assert update["timestamp"] == START_NS // 10**6 + 7
    assert update["payload"] == {
        "full_accuracy_value": "63304200301195075000001",
        "symbol": "btc/usd",
        "timestamp": 1_780_876_801_000,
        "value": 63304.200301195075,
    }


async def test_price_subscriptions_come_and_go(hall: Hall) -> None:
    socket = await hall.client.ws_connect("/ws/rtds")
    await socket.send_json(asked("subscribe", None))
    await quiet_until_pong(socket)
    hall.world.coming = [Report("sol/usd", 10**20, 1)]
    hall.after(1)
    everything = await quiet_until_pong(socket)
    await socket.send_json(asked("unsubscribe", None))
    await quiet_until_pong(socket)
    hall.world.coming = [Report("sol/usd", 10**20, 2)]
    hall.after(1)

    assert [f["payload"]["symbol"] for f in everything] == ["sol/usd"]
    assert await quiet_until_pong(socket) == []


@pytest.mark.parametrize(
    "text",
    ["{", '{"action":"subscribe"}', '{"action":"subscribe","subscriptions":[5,{"topic":"x"}]}'],
)
async def test_nonsense_on_the_price_stream_is_ignored(hall: Hall, text: str) -> None:
    socket = await hall.client.ws_connect("/ws/rtds")
    await socket.send_str(text)
    hall.world.coming = [RawFrame("rtds", '{"payload":{"symbol":"x","timestamp":1,"value":1}}', ())]
    hall.after(1)

    assert await quiet_until_pong(socket) == []


async def test_a_reader_who_never_reads_is_cut_off_and_nobody_else_notices(hall: Hall) -> None:
    """Publishing never waits for anybody."""
    cuts: list[bool] = []
    stuck = MarketSubscriber(lambda: cuts.append(True), queue_max=2)
    hall.floor.hub.join_market(stuck)
    hall.floor.hub.follow(stuck, [UPDOWN.yes_token])
    live = await market_socket(hall, UPDOWN.yes_token)
    await heard(live)
    trader = await hall.trader()
    for price in ("0.40", "0.41", "0.42", "0.43"):
        await trader.place(UPDOWN, UPDOWN.yes_token, "BUY", price, "10")
        hall.after(1)

    assert cuts == [True]
    assert len(await quiet_until_pong(live)) == 4


async def test_a_reader_that_leaves_is_forgotten(hall: Hall) -> None:
    socket = await market_socket(hall, UPDOWN.yes_token)
    await heard(socket)
    await socket.close()
    for _ in range(100):
        if not hall.floor.hub.followed([UPDOWN.yes_token]):
            break
        await asyncio.sleep(0)

    assert not hall.floor.hub.followed([UPDOWN.yes_token])

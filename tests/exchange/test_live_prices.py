"""The sequence-numbered price stream, and the topics of the legacy one."""

from typing import Any

import orjson
import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType
from hypothesis import given, settings
from hypothesis import strategies as st

from polybawt.exchange import live_prices
from polybawt.exchange.floor import Floor
from polybawt.exchange.hub import LOST_MAX, LiveSubscriber
from polybawt.exchange.wire import live, oracle
from polybawt.sim.faults import Fault
from polybawt.sim.records import Quoted, RawFrame, Report
from tests.exchange.house import START_NS, UPDOWN, Clock, Hall, StillWorld, config
from tests.exchange.test_streams import heard, quiet_until_pong

Socket = ClientWebSocketResponse[Any]
START_MS = START_NS // 10**6
SPOT = {"channel": "price.crypto", "filter": {"symbol": "btcusd"}}
TWAP = {"channel": "price.crypto.twap", "filter": {"symbol": "btcusd", "window_seconds": 60}}
E18 = 10**18


def reports(hall: Hall, *values: int) -> None:
    """One report after the other, a millisecond apart."""
    for value in values:
        hall.world.coming = [Report("btc/usd", value * E18, START_MS + value)]
        hall.after(1)


async def socket_of(hall: Hall, number: int = 0) -> Socket:
    """A connection that has proved its key."""
    trader = await hall.trader(number)
    socket = await hall.client.ws_connect("/ws/prices")
    auth = {
        "apiKey": trader.credentials.key,
        "secret": trader.credentials.secret,
        "passphrase": trader.credentials.passphrase,
    }
    await socket.send_json({"op": "auth", "auth": auth, "rid": "0"})
    assert await heard(socket) == [{"op": "authed", "rid": "0"}]
    return socket


async def ask(socket: Socket, frame: dict[str, Any], answers: int = 1) -> list[Any]:
    await socket.send_json(frame)
    return await heard(socket, answers)


async def until_pong(socket: Socket) -> list[Any]:
    """What was sent before the answer to our ping."""
    await socket.send_json({"op": "ping", "rid": "ping"})
    got = []
    while True:
        (frame,) = await heard(socket)
        if frame == {"op": "pong", "rid": "ping"}:
            return got
        got.append(frame)


async def test_a_subscription_is_acknowledged_then_begins_with_its_past_and_goes_on(
    hall: Hall,
) -> None:
    """Numbers are dense from the snapshot on (reference 4.4)."""
    reports(hall, 7, 8)
    socket = await socket_of(hall)
    ack, snapshot = await ask(socket, {"op": "subscribe", "subscriptions": [SPOT], "rid": "1"}, 2)
    reports(hall, 9)
    (update,) = await heard(socket)

    assert ack == {"op": "subscribed", "rid": "1", "channel": "price.crypto"}
    assert {key: snapshot[key] for key in ("v", "channel", "seq", "snapshot")} == {
        "v": 1, "channel": "price.crypto", "seq": live.FIRST_SEQ, "snapshot": True,
    }  # fmt: skip
    assert snapshot["payload"]["source"] == "chainlink"
    assert [p["full_accuracy_value"] for p in snapshot["payload"]["data"]] == ["7", "8"]
    assert update == {
        "v": 1,
        "channel": "price.crypto",
        "seq": live.FIRST_SEQ + 1,
        "ts": START_MS + 3,
        "payload": {
            "symbol": "btcusd",
            "source": "chainlink",
            "timestamp": START_MS + 9,
            "value": 9.0,
            "full_accuracy_value": "9",
            "received_at": START_MS + 3,
            "is_carried_forward": False,
        },
    }


async def test_averages_come_on_their_own_channel_with_their_window(hall: Hall) -> None:
    """Every digit as a decimal text; the other window and the other feeds stay away."""
    socket = await socket_of(hall)
    await ask(socket, {"op": "subscribe", "subscriptions": [TWAP]}, 2)
    hall.world.coming = [
        Quoted("twap", "btc/usd", 63_304_200301195075000001, START_MS, 60),
        Quoted("twap", "btc/usd", 5 * E18, START_MS, 30),
        Quoted("binance", "btcusdt", 6 * E18, START_MS),
        Quoted("twap", "eth/usd", 7 * E18, START_MS, 60),
        Report("btc/usd", 8 * E18, START_MS),
    ]
    hall.after(1)
    (update,) = await until_pong(socket)

    assert update["channel"] == "price.crypto.twap"
    assert update["payload"]["full_accuracy_value"] == "63304.200301195075000001"
    assert update["payload"]["window_seconds"] == 60


async def test_each_item_is_answered_in_its_place_with_a_code_of_the_venue(hall: Hall) -> None:
    """The official client matches answers to items by their order."""
    socket = await socket_of(hall)
    items: list[Any] = [
        SPOT, {"channel": "price.bonds", "filter": {"symbol": "x"}}, TWAP,
        {"channel": "price.crypto.twap", "filter": {"symbol": "btcusd", "window_seconds": 30}},
        {"channel": "price.crypto", "filter": {"symbol": 5}}, 7,
        {"channel": "price.equity", "filter": {"symbol": "AAPL", "provider": "pyth"}},
    ]  # fmt: skip
    answers = await ask(socket, {"op": "subscribe", "subscriptions": items, "rid": "9"}, 10)
    acks, snapshots = answers[:7], answers[7:]

    assert [(a["op"], a.get("code", "")) for a in acks] == [
        ("subscribed", ""), ("error", "bad_channel"), ("subscribed", ""), ("error", "bad_filter"),
        ("error", "bad_filter"), ("error", "bad_channel"), ("subscribed", ""),
    ]  # fmt: skip
    assert {a["rid"] for a in acks} == {"9"}
    assert [s["channel"] for s in snapshots] == [
        "price.crypto",
        "price.crypto.twap",
        "price.equity",
    ]
    assert [s["payload"]["data"] for s in snapshots] == [[], [], []]


async def test_a_lost_frame_leaves_a_gap_in_the_numbers(hall: Hall) -> None:
    """The very reason for numbers: what a fault takes, a client can see. Proves: P2.1."""
    socket = await socket_of(hall)
    await ask(socket, {"op": "subscribe", "subscriptions": [SPOT]}, 2)
    hall.floor.faults.add([Fault(kind="drop", path="/ws/prices", count=2)])
    reports(hall, 1, 2, 3, 4)
    got = await until_pong(socket)

    assert [frame["seq"] for frame in got] == [live.FIRST_SEQ + 3, live.FIRST_SEQ + 4]


async def test_after_a_reconnect_numbers_begin_anew_and_the_past_is_what_was_missed(
    hall: Hall,
) -> None:
    """There is no resuming."""
    first = await socket_of(hall)
    await ask(first, {"op": "subscribe", "subscriptions": [SPOT]}, 2)
    reports(hall, 1)
    await first.close()
    reports(hall, 2, 3)
    second = await socket_of(hall, 1)
    _, snapshot = await ask(second, {"op": "subscribe", "subscriptions": [SPOT]}, 2)

    assert snapshot["seq"] == live.FIRST_SEQ
    assert [p["value"] for p in snapshot["payload"]["data"]] == [1.0, 2.0, 3.0]


async def test_unsubscribing_ends_it(hall: Hall) -> None:
    socket = await socket_of(hall)
    await ask(socket, {"op": "subscribe", "subscriptions": [SPOT]}, 2)
    gone = await ask(socket, {"op": "unsubscribe", "subscriptions": [SPOT], "rid": "2"})
    reports(hall, 1)

    assert gone == [{"op": "unsubscribed", "rid": "2", "channel": "price.crypto"}]
    assert await until_pong(socket) == []


async def test_nothing_is_told_before_a_key_is_proved(hall: Hall) -> None:
    """And who keeps failing is sent away with the code for it."""
    socket = await hall.client.ws_connect("/ws/prices")
    early = await ask(socket, {"op": "subscribe", "subscriptions": [SPOT], "rid": "1"})
    bad = {"apiKey": "a", "secret": "b", "passphrase": "c"}
    answers = [
        (await ask(socket, {"op": "auth", "auth": auth, "rid": "2"}))[0]["code"]
        for auth in (bad, "nonsense", bad)
    ]
    closed = await socket.receive(timeout=5)

    assert early == [{"op": "error", "rid": "1", "code": "auth_required"}]
    assert answers == ["auth_invalid", "auth_invalid", "auth_attempts"]
    assert (closed.type, closed.data) == (WSMsgType.CLOSE, live.CLOSE_AUTH)


async def test_whoever_proves_nothing_in_time_is_sent_away(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_prices, "AUTH_MAX_S", 0.0)
    socket = await hall.client.ws_connect("/ws/prices")
    closed = await socket.receive(timeout=5)

    assert closed.data == live.CLOSE_AUTH


async def test_nonsense_is_answered_and_a_huge_frame_ends_the_connection(hall: Hall) -> None:
    socket = await socket_of(hall)
    codes = []
    for text in ("{", "[]", '{"op":5}', '{"op":"fly","rid":7}', '{"op":"subscribe"}'):
        await socket.send_str(text)
        codes.append((await heard(socket))[0])
    await socket.send_str("x" * (live_prices.TEXT_MAX + 1))
    closed = await socket.receive(timeout=5)

    assert codes == [{"op": "error", "code": "bad_op"}] * 5
    assert closed.data == live.CLOSE_POLICY


async def test_subscriptions_and_operations_are_bounded(hall: Hall) -> None:
    """64 subscriptions on a connection, 20 operations a second."""
    socket = await socket_of(hall)
    many = [
        {"channel": "price.crypto", "filter": {"symbol": f"c{n}"}}
        for n in range(live_prices.SUBSCRIPTIONS_MAX + 1)
    ]
    answers = await ask(socket, {"op": "subscribe", "subscriptions": many}, 65)
    await heard(socket, 64)
    for _ in range(live_prices.OPERATIONS_MAX - 1):
        await ask(socket, {"op": "unsubscribe", "subscriptions": [SPOT]})
    (late,) = await ask(socket, {"op": "unsubscribe", "subscriptions": [SPOT]})

    assert [a["op"] for a in answers].count("subscribed") == live_prices.SUBSCRIPTIONS_MAX
    assert answers[-1]["code"] == "sub_limit"
    assert late["code"] == "rate_limited"


def test_a_slow_reader_loses_frames_is_told_how_many_and_at_last_is_cut_off() -> None:
    """Publishing never waits; what is lost is a gap and a count."""
    cuts: list[bool] = []
    slow = LiveSubscriber(lambda: cuts.append(True), queue_max=1)
    for _ in range(3):
        slow.tell("price.crypto", b'"ts":1}')
    (first,) = slow.unsent()
    slow.tell("price.crypto", b'"ts":2}')
    (second,) = slow.unsent()
    slow.tell("price.crypto", b'"ts":3}')
    for _ in range(LOST_MAX + 1):
        slow.tell("price.crypto", b'"ts":4}')

    assert orjson.loads(first) == {"v": 1, "channel": "price.crypto", "seq": 1, "ts": 1}
    assert orjson.loads(second) == {
        "v": 1, "channel": "price.crypto", "seq": 4, "dropped": 2, "ts": 2,
    }  # fmt: skip
    assert cuts == [True]


async def test_a_recorded_session_speaks_on_the_successor_too(hall: Hall) -> None:
    """Made from the values of the recorded frames; a dump of history is not an update."""
    socket = await socket_of(hall)
    await ask(socket, {"op": "subscribe", "subscriptions": [SPOT]}, 2)
    texts = [
        '{"topic":"crypto_prices","type":"subscribe","payload":{"symbol":"btc/usd","data":'
        '[{"timestamp":1,"value":63304.25}]}}',
        '{"topic":"crypto_prices_chainlink","type":"update","payload":{"symbol":"btc/usd",'
        '"timestamp":2,"value":63305.5,"full_accuracy_value":"63305500000000000000001"}}',
        '{"payload":{"symbol":"btc/usd","timestamp":"x","value":{}}}',
        '{"payload":5}',
    ]
    hall.world.coming = [RawFrame("rtds", text, ()) for text in texts]
    hall.after(1)
    (update,) = await until_pong(socket)

    assert update["payload"]["full_accuracy_value"] == "63305.500000000000000001"
    points = hall.floor.publisher.prices.histories(oracle.TOPIC, None, START_NS)
    assert [p["value"] for p in orjson.loads(points[0])["payload"]["data"]] == [63304.25, 63305.5]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda children: (
        st.lists(children, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "op",
                    "rid",
                    "auth",
                    "subscriptions",
                    "channel",
                    "filter",
                    "symbol",
                    "window_seconds",
                ]
            ),
            children,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    op=st.sampled_from(["auth", "subscribe", "unsubscribe", "ping", "x"]),
    frame=st.dictionaries(st.sampled_from(["rid", "auth", "subscriptions"]), values, max_size=3),
    proved=st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_any_operation_is_answered_and_survived(
    op: str, frame: dict[str, Any], proved: bool
) -> None:
    """Whatever is sent: an answer in JSON, and no more subscriptions than may be."""
    floor = Floor(config(), StillWorld(UPDOWN), Clock())
    subscriber = LiveSubscriber(lambda: None)
    session = live_prices.Session(floor, subscriber)
    session._proved = proved
    session.hear({"op": op, **frame}, 0.0)

    answers = [orjson.loads(answer) for answer in subscriber.unsent()]
    assert answers
    assert all("op" in answer or "seq" in answer for answer in answers)
    assert len(subscriber.wanted) <= live_prices.SUBSCRIPTIONS_MAX


# The legacy stream's topics.


async def legacy(hall: Hall, topic: str, **other: Any) -> Socket:
    socket = await hall.client.ws_connect("/ws/rtds")
    wanted = {"topic": topic, "type": "update", **other}
    await socket.send_json({"action": "subscribe", "subscriptions": [wanted]})
    await quiet_until_pong(socket)
    return socket


def everything() -> list[Report | Quoted | RawFrame]:
    return [
        Quoted("binance", "btcusdt", 64_000_120000000000000000, START_MS),
        Quoted("binance", "ethusdt", 2_000 * E18, START_MS),
        Quoted("twap", "btc/usd", 64_000 * E18 + 1, START_MS, 30),
        Quoted("twap", "btc/usd", 64_000 * E18 + 2, START_MS, 60),
        Report("btc/usd", 64_000 * E18 + 3, START_MS),
    ]


@pytest.mark.parametrize(
    ("topic", "filters", "payloads"),
    [
        ("crypto_prices", "btcusdt,solusdt",
         [{"symbol": "btcusdt", "timestamp": START_MS, "value": 64000.12}]),
        ("crypto_prices", "", [
            {"symbol": "btcusdt", "timestamp": START_MS, "value": 64000.12},
            {"symbol": "ethusdt", "timestamp": START_MS, "value": 2000.0},
        ]),
        ("crypto_prices_twap_thirty", '{"symbol":"btc/usd"}', [{
            "full_accuracy_value": str(64_000 * E18 + 1), "symbol": "btc/usd",
            "timestamp": START_MS, "value": 64000.0, "window_s": 30,
        }]),
        ("crypto_prices_twap_sixty", "", [{
            "full_accuracy_value": str(64_000 * E18 + 2), "symbol": "btc/usd",
            "timestamp": START_MS, "value": 64000.0, "window_s": 60,
        }]),
        ("crypto_prices_chainlink", '{"symbol": "btc/usd"}', []),  # a space: compared by letter
        ("crypto_prices_chainlink", '{"symbol":"eth/usd"}', []),
        ("crypto_prices_chainlink", "{", []),
        ("equity_prices", "", []),
        ("comments", "", []),
        ("activity", "", []),
        ("weather", "", []),
    ],
)  # fmt: skip
async def test_each_topic_tells_its_own_feed(
    hall: Hall, topic: str, filters: str, payloads: list[dict[str, Any]]
) -> None:
    """Topics and filters as documented; what does not exist is ignored. Proves: C2."""
    socket = await legacy(hall, topic, **({"filters": filters} if filters else {}))
    hall.world.coming = everything()
    hall.after(1)
    got = await quiet_until_pong(socket)

    assert [frame["payload"] for frame in got] == payloads
    assert {frame["topic"] for frame in got} <= {topic}


async def test_filters_can_be_ignored_as_was_seen(hall: Hall) -> None:
    """real-time-data-client#34: a client must filter for itself (failure 27)."""
    hall.floor.faults.add([Fault(kind="ignore_filters")])
    socket = await legacy(hall, "crypto_prices_chainlink", filters='{"symbol":"eth/usd"}')
    hall.world.coming = everything()
    hall.after(1)

    assert [f["payload"]["symbol"] for f in await quiet_until_pong(socket)] == ["btc/usd"]


async def test_topics_are_left_one_by_one(hall: Hall) -> None:
    socket = await legacy(hall, "crypto_prices")
    wanted = [{"topic": "crypto_prices_chainlink", "type": "*"}]
    await socket.send_json({"action": "subscribe", "subscriptions": wanted})
    wanted = [{"topic": "crypto_prices", "type": "update"}]
    await socket.send_json({"action": "unsubscribe", "subscriptions": wanted})
    await quiet_until_pong(socket)
    hall.world.coming = everything()
    hall.after(1)

    assert [f["topic"] for f in await quiet_until_pong(socket)] == ["crypto_prices_chainlink"]


async def test_spot_may_be_told_too_high_and_nothing_else_is(hall: Hall) -> None:
    """The exchange lies on request, so that it can be seen who believes it."""
    hall.floor.faults.add([Fault(kind="spot_astray", count=1)])
    spot = await legacy(hall, "crypto_prices", filters="btcusdt")
    oracle = await legacy(hall, "crypto_prices_chainlink")
    hall.world.coming = [
        Report("btc/usd", 100 * E18, START_MS),
        Quoted("binance", "btcusdt", 100 * E18, START_MS),
        Quoted("binance", "btcusdt", 100 * E18, START_MS + 1_000),
    ]
    hall.after(1)

    told = [update["payload"]["value"] for update in await quiet_until_pong(spot)]
    assert told == [101.0, 100.0]
    (report,) = await quiet_until_pong(oracle)
    assert report["payload"]["value"] == 100.0

"""Whatever comes over the wire: the venue's own no, never a 500 of ours, and the books balance.

What is no HTTP at all gets a plain 400 from the server underneath, as from the edge of the venue's
network; everything else gets the venue's form.

Requests are written as raw bytes, because a client library would straighten them.  The routes are
those of the application itself, so that a new one cannot be forgotten.  After each storm the same
exchange must still match two orders, and every cent must be somewhere.

Proves: faults (absurd input, floods)
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Iterator
from typing import Any, TypeVar
from urllib.parse import quote

import orjson
import pytest
from aiohttp import ClientWebSocketResponse
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import HealthCheck, example, given, seed, settings
from hypothesis import strategies as st

from polybawt.core.market import Side
from polybawt.core.units import MILLION
from polybawt.exchange import history, notices
from polybawt.exchange.floor import LATE_MAX, Floor
from polybawt.exchange.hub import QUEUE_MAX
from polybawt.exchange.server import application
from polybawt.venue import signing
from tests.exchange.house import CANARY, FED, UPDOWN, Clock, Hall, StillWorld, Trader, config

T = TypeVar("T")
METHODS = ("GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS")
MARKETS = (UPDOWN, FED, CANARY)
TOKENS = [token for market in MARKETS for token in market.tokens]
IDS = [market.condition_id for market in MARKETS]
FUZZ = settings(
    max_examples=250,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
OF_EACH_ROUTE = 5
UNREAD_MAX = 1 << 16  # a no to a longer body may be lost when the rest of it meets a closed door
ANSWER_MAX_S = 10.0  # an answer that takes longer is none


class Storm:
    """A whole exchange on a loopback port, driven from a test that is not asynchronous."""

    def __init__(self, runner: asyncio.Runner, **told: Any) -> None:
        self._runner = runner
        self.run(self._open(**told))

    def run(self, work: Awaitable[T]) -> T:
        async def awaited() -> T:
            async with asyncio.timeout(ANSWER_MAX_S):
                return await work

        return self._runner.run(awaited())

    async def _open(self, **told: Any) -> None:
        clock, world = Clock(), StillWorld(*MARKETS)
        floor = Floor(config(**({"limits": "off"} | told)), world, clock)
        self.app = application(floor, "admin", asyncio.Event())
        self.server = TestServer(self.app)
        client = TestClient(self.server)
        await client.start_server()
        self.hall = Hall(floor, client, clock, world)
        self.traders = [await self.hall.trader(number) for number in range(3)]

    def routes(self) -> list[tuple[str, str]]:
        """Every method and path of the application, but the one that ends it.

        HEAD goes with every GET, and is sent to all of them anyway.
        """
        found = {
            (route.method, route.resource.canonical)
            for route in self.app.router.routes()
            if route.resource is not None and route.method != "HEAD"
        }
        return sorted(found - {("POST", "/admin/stop")})

    async def send(self, message: bytes) -> bytes:
        """Write one message on a connection of its own and read until the exchange ends it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        try:
            with contextlib.suppress(ConnectionError):  # it need not read all of it
                writer.write(message)
                await writer.drain()
            with contextlib.suppress(ConnectionError):
                return await reader.read()
            return b""
        finally:
            writer.close()

    def sound(self) -> None:
        """The exchange still trades, settles, and knows where every cent is."""
        self.run(self._sound())

    async def _sound(self) -> None:
        hall, (one, two, _) = self.hall, self.traders
        for trader in self.traders:
            await trader.ask("DELETE", "/cancel-all")
        hall.after(60_000)
        matched = []
        for market in MARKETS:
            for trader, token in ((one, market.no_token), (two, market.yes_token)):
                matched.append(await trader.place(market, token, "BUY", "0.5", "10"))
        hall.after(60_000)

        assert [status for status, _ in matched] == [200] * 6, matched
        assert [answer["status"] for _, answer in matched] == ["live", "matched"] * 3
        accounts = hall.floor.venue.accounts
        assert accounts.worth() == accounts.brought_in
        for market in MARKETS:
            backing = accounts.backing(market.condition_id)
            assert [accounts.outstanding(token) for token in market.tokens] == [backing] * 2
        for trader in self.traders:
            held = hall.floor.venue.holdings(trader.address)
            assert all(amount >= 0 for amount in held.values()), held


@contextlib.contextmanager
def a_storm(**told: Any) -> Iterator[Storm]:
    with asyncio.Runner() as runner:
        storm = Storm(runner, **told)
        yield storm
        storm.sound()
        runner.run(storm.hall.client.close())


def judged(answer: bytes, method: str) -> int:
    """The status of an answer that is as the venue's answers are."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    assert status < 500, answer[:2_000]
    if head.startswith(b"HTTP/1.0 400"):  # of the parser: this was no HTTP message
        return status
    if status >= 400 and method != "HEAD":
        assert b"application/json" in head, answer[:2_000]
        refusal = orjson.loads(body)
        assert isinstance(refusal["error"], str), refusal
        assert refusal["error"], refusal
    return status


# Any request.

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
odd_text = st.text(max_size=30) | st.sampled_from(
    [
        "",
        "0",
        "-1",
        "1e9",
        "9" * 78,
        "9" * 1_000,
        "0x",
        "0x" + "ab" * 32,
        "null",
        "%00",
        "LTE=",
        ",",
    ]
)
known_text = st.sampled_from([*TOKENS, *IDS, "BUY", "SELL", "max", "1m", "MA==", "COLLATERAL", "3"])
NAMES = (
    "token_id side market interval startTs endTs fidelity next_cursor asset_type id asset_id"
    " signature_type before after maker_address ids order_id limit offset after_cursor closed"
    " condition_ids slug q tag_id user address key order ascending"
)
names = st.sampled_from(NAMES.split(" "))
queries = st.dictionaries(names | odd_text, known_text | odd_text, max_size=4)
BIG = {
    "deep list": b"[" * 100_000,
    "deep object": b'{"a":' * 50_000,
    "long list": b"[" + b"1," * 600_000 + b"1]",
    "many rows": b"[" + b'{"token_id":"1"},' * 501 + b"{}]",
    "no text": b"\xff\xfe",
    "null": b"null",
}
bodies = st.one_of(
    st.none(),
    st.sampled_from(sorted(BIG)),
    st.binary(max_size=200),
    json_values.map(lambda value: json.dumps(value, allow_nan=True).encode()),
    st.lists(
        st.fixed_dictionaries({}, optional={"token_id": known_text | odd_text, "side": odd_text}),
        max_size=4,
    ).map(lambda rows: json.dumps(rows).encode()),
)
header_values = st.binary(max_size=40).map(
    lambda raw: bytes(byte for byte in raw if byte >= 32 and byte != 127)
) | st.sampled_from([b"gzip", b"deflate", b"websocket", b"identity", b"\x80", b"0", b"bytes=0-"])
headers = st.dictionaries(
    st.sampled_from(
        [
            b"POLY_ADDRESS", b"POLY_SIGNATURE", b"POLY_TIMESTAMP", b"POLY_NONCE", b"POLY_API_KEY",
            b"POLY_PASSPHRASE", b"POLY_READONLY_API_KEY", b"POLY_BUILDER_API_KEY",
            b"Authorization", b"Content-Type", b"Content-Encoding", b"Accept-Encoding", b"Origin",
            b"Cookie", b"Range", b"If-Modified-Since", b"Upgrade", b"Sec-WebSocket-Key", b"X-Odd",
        ]
    ),
    header_values,
    max_size=5,
)  # fmt: skip


def filled(path: str, texts: list[str]) -> str:
    """A route's path with something in the place of each of its names."""
    parts, left = path.split("/"), iter([*texts, *["x"] * 8])
    return "/".join(quote(next(left), safe="") if part.startswith("{") else part for part in parts)


def message(method: str, target: str, sent: dict[bytes, bytes], body: bytes | None) -> bytes:
    lines = [f"{method} {target} HTTP/1.1".encode(), b"Host: exchange", b"Connection: close"]
    lines += [name + b": " + value.strip() for name, value in sent.items()]
    if body is not None:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + (body or b"")


def signed(trader: Trader, method: str, path: str, body: bytes | None) -> dict[bytes, bytes]:
    """L2 headers of exactly this request, when its body is text at all."""
    try:
        text = (body or b"").decode()
    except UnicodeDecodeError:
        text = ""
    found = trader.l2_headers(method, path, text)
    return {name.encode(): value.encode() for name, value in found.items()}


def test_any_request_to_any_route_is_answered_in_the_venues_form() -> None:
    """Schemathesis without a schema: each route, every kind of nonsense, signed and unsigned."""
    with a_storm() as storm:
        for number, (method, path) in enumerate(storm.routes()):
            _storm_of_one(storm, method, path, number)
        storm.traders[0] = storm.run(renewed(storm.traders[0]))


def _storm_of_one(storm: Storm, method: str, route: str, number: int) -> None:
    @seed(number)  # or every route would meet the same few requests
    @settings(FUZZ, max_examples=OF_EACH_ROUTE, derandomize=False, database=None)
    @given(
        verb=st.sampled_from([method] * 2 * len(METHODS) + [*METHODS]),
        texts=st.lists(known_text | odd_text.filter(bool), max_size=2),
        query=queries,
        sent=headers,
        body=bodies,
        who=st.sampled_from(["nobody", "trader", "trader", "trader", "operator"]),
    )
    def judge(
        verb: str,
        texts: list[str],
        query: dict[str, str],
        sent: dict[bytes, bytes],
        body: bytes | str | None,
        who: str,
    ) -> None:
        body, path = BIG[body] if isinstance(body, str) else body, filled(route, texts)
        if who == "trader":
            sent = sent | signed(storm.traders[0], verb, path, body)
        if who == "operator":
            sent = sent | {b"Authorization": b"Bearer admin"}
        asked = "&".join(f"{quote(name)}={quote(value)}" for name, value in query.items())
        target = f"{path}?{asked}" if asked else path

        answer = storm.run(storm.send(message(verb, target, sent, body)))

        if answer or len(body or b"") < UNREAD_MAX:
            judged(answer, verb)
        if route == "/auth/api-key":  # it may have ended the trader's key
            storm.traders[0] = storm.run(renewed(storm.traders[0]))

    judge()


async def renewed(trader: Trader) -> Trader:
    """The trader with a key that lives."""
    status, _ = await trader.ask("GET", "/auth/api-keys")
    for nonce in range(1, 1_000):
        if status == 200:
            return trader
        answer = await trader.hall.client.post("/auth/api-key", headers=trader.l1_headers(nonce))
        if answer.status == 200:
            got = await answer.json()
            trader.credentials = signing.Credentials(
                key=got["apiKey"], secret=got["secret"], passphrase=got["passphrase"]
            )
            return trader
    raise AssertionError("no key to be had")


@pytest.mark.parametrize(
    ("verb", "target", "header", "body"),
    [
        ("POST", "/books", {b"Content-Encoding": b"gzip"}, b"[]"),
        ("POST", "/order", {b"Content-Encoding": b"gzip"}, b"{}"),
        ("GET", "/ok", {b"Content-Encoding": b"gzip"}, b"{}"),
        ("GET", "/ws/market", {b"Upgrade": b"\x80"}, None),
    ],
)
def test_what_a_storm_once_broke_stays_mended(
    verb: str, target: str, header: dict[bytes, bytes], body: bytes | None
) -> None:
    """Each of these was a 500: a body not in the encoding it named, a header that is no text."""
    with a_storm() as storm:
        sent = header | signed(storm.traders[0], verb, target, body)

        answer = storm.run(storm.send(message(verb, target, sent, body)))

        assert judged(answer, verb) == 400


def test_every_route_refuses_every_other_method_in_json() -> None:
    with a_storm() as storm:
        paths = {path for _, path in storm.routes()}
        for path in sorted(paths):
            served = {verb for verb, served in storm.routes() if served == path}
            for verb in ("PUT", "PATCH", "OPTIONS"):
                target = filled(path, ["x", "x"])
                status = judged(storm.run(storm.send(message(verb, target, {}, None))), verb)
                assert status in (404, 405) or verb in served, (verb, path)


# Orders that are signed for real.

whole = st.integers(0, 2**256 - 1) | st.integers(0, 10**8) | st.sampled_from(
    [0, 1, 9_999, 10_000, MILLION, 2**53, 2**63, 2**64, 2**255]
)  # fmt: skip


def test_any_order_that_is_signed_for_real_is_judged() -> None:
    """The signature is right, and nothing else need be: so no check before it hides one after."""
    with a_storm() as storm:
        market_of = {token: market for market in MARKETS for token in market.tokens}

        @settings(FUZZ, max_examples=300)
        @given(
            token=st.sampled_from(TOKENS) | whole.map(str),
            side=st.sampled_from(Side),
            amounts=st.tuples(whole, whole)
            | st.tuples(st.integers(1, 99), st.integers(1, 500)).map(
                lambda pair: (pair[0] * pair[1] * 10_000, pair[1] * MILLION)
            ),
            stamp=whole,
            other=st.fixed_dictionaries(
                {},
                optional={
                    "orderType": st.sampled_from(["GTC", "GTD", "FOK", "FAK", "IOC"]) | json_values,
                    "postOnly": st.booleans() | json_values,
                    "deferExec": st.booleans() | json_values,
                    "owner": json_values,
                    "expiration": st.sampled_from([1, 1_780_876_861, 1_780_877_800, 10**30]),
                },
            ),
            spoilt=st.none() | st.tuples(
                st.sampled_from(["salt", "maker", "signer", "tokenId", "side", "signatureType",
                                 "makerAmount", "timestamp", "metadata", "signature", "builder"]),
                json_values,
            ),
            legs=st.sampled_from([0, 0, 1, 3, 15, 16]),
        )  # fmt: skip
        @example(
            token=TOKENS[0], side=Side.BUY, amounts=(4 * MILLION, 10 * MILLION), stamp=2**255,
            other={}, spoilt=None, legs=0,
        )  # fmt: skip
        def judge(
            token: str, side: Side, amounts: tuple[int, int], stamp: int, other: dict[str, Any],
            spoilt: tuple[str, Any] | None, legs: int,
        ) -> None:  # fmt: skip
            trader, market = storm.traders[0], market_of.get(token, UPDOWN)
            terms = trader.terms(market, token, side, *amounts, timestamp_ms=stamp)
            body = trader.body(market, terms, **other)
            if spoilt is not None:
                body["order"][spoilt[0]] = spoilt[1]
            text = json.dumps([body] * legs if legs else body)
            path = "/orders" if legs else "/order"

            status, answer = storm.run(trader.ask("POST", path, text))

            assert status in (200, 400, 404), (status, answer)
            if isinstance(answer, list):
                assert all(isinstance(leg["errorMsg"], str) for leg in answer)
                assert len(answer) == legs
            storm.hall.after(10)

        judge()


# Streams.

frames = st.one_of(
    st.text(max_size=100),
    st.dictionaries(
        st.sampled_from(
            ["type", "assets_ids", "operation", "custom_feature_enabled", "initial_dump", "auth",
             "markets", "action", "subscriptions", "topic", "filters", "level", "id"]
        ),
        json_values | st.lists(st.sampled_from([*TOKENS, *IDS]), max_size=3)
        | st.sampled_from(["market", "user", "subscribe", "unsubscribe"]),
        max_size=5,
    ).map(json.dumps),
    st.sampled_from(["PING", "PONG", "{}", "[]", "[" * 50_000, "{" * 50_000, "x" * 900_000]),
)  # fmt: skip


def test_any_frames_on_any_stream_are_survived() -> None:
    """Who talks nonsense is ignored or cut off; who listens beside it notices nothing."""
    with a_storm() as storm:
        paths = [path for verb, path in storm.routes() if verb == "GET" and path.startswith("/ws")]
        listener = storm.run(storm.hall.client.ws_connect("/ws/market"))
        storm.run(listener.send_json({"type": "market", "assets_ids": list(UPDOWN.tokens)}))

        @settings(FUZZ, max_examples=100)
        @given(
            path=st.sampled_from(paths),
            sent=st.lists(frames | st.binary(max_size=50), max_size=4),
            proved=st.booleans(),
        )
        def judge(path: str, sent: list[str | bytes], proved: bool) -> None:
            storm.run(_talk(storm, path, sent, proved))

        judge()
        storm.run(listener.send_str("PING"))
        assert storm.run(_until_pong(listener))
        storm.run(listener.close())


async def _talk(storm: Storm, path: str, sent: list[str | bytes], proved: bool) -> None:
    socket = await storm.hall.client.ws_connect(path)
    with contextlib.suppress(ConnectionError):
        if proved:
            mine = storm.traders[0].credentials
            auth = {"apiKey": mine.key, "secret": mine.secret, "passphrase": mine.passphrase}
            await socket.send_json({"type": "user", "auth": auth, "markets": []})
        for frame in sent:
            if isinstance(frame, bytes):
                await socket.send_bytes(frame)
            else:
                await socket.send_str(frame)
    storm.hall.after(10)
    await socket.close()


async def _until_pong(socket: ClientWebSocketResponse) -> bool:
    while True:
        message = await socket.receive()
        if message.data == "PONG":
            return True
        assert isinstance(message.data, str), message


# What is not even HTTP.


def test_garbage_on_the_port_ends_its_own_connection_only() -> None:
    with a_storm() as storm:

        @settings(FUZZ, max_examples=100)
        @given(
            raw=st.binary(min_size=1, max_size=300)
            | st.sampled_from(
                [
                    b"GET /ok HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
                    b"BREW /ok HTTP/1.1\r\n\r\n",
                    b"GET /ok HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
                    b"POST /order HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                    b"POST /books HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\n"
                    b"Content-Length: 2\r\n\r\n[]",
                    b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
                    b"GET /ok HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 5_000 + b"\r\n",
                    b"POST /order HTTP/1.1\r\nHost: x\r\nExpect: much\r\nContent-Length: 0\r\n\r\n",
                    b"GET /markets/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
                ]
            )
        )
        def judge(raw: bytes) -> None:
            answer = storm.run(_hung_up(storm, raw))

            assert not answer or int(answer.split(b" ", 2)[1]) < 500, answer

        judge()


async def _hung_up(storm: Storm, raw: bytes) -> bytes:
    """What comes back when the sender stops talking in the middle."""
    reader, writer = await asyncio.open_connection("127.0.0.1", storm.server.port)
    try:
        with contextlib.suppress(ConnectionError):
            writer.write(raw)
            writer.write_eof()
            return await reader.read()
        return b""
    finally:
        writer.close()


# Floods.


def test_a_flood_fills_nothing_that_has_no_bound() -> None:
    """Two thousand connections, and more orders, cancels and questions than anybody keeps."""
    with a_storm() as storm:
        hall, maker = storm.hall, storm.traders[0]
        floor = hall.floor
        key = floor.ring.find(maker.credentials.key)
        assert key is not None
        for number in range(2_000):
            target = f"/book?token_id={number}"
            assert judged(storm.run(storm.send(message("GET", target, {}, None))), "GET") == 404
        for _ in range(1_500):
            placed = floor.place(maker.limit(UPDOWN, TOKENS[0], "BUY", "0.4", "5"), key)
            floor.cancel([str(placed["orderID"])], key)
        for number in range(1_500):
            floor.balance(key, 0, str(number))
        for _ in range(LATE_MAX + 10):
            floor.place_late({}, key, hall.clock.now_ns + 10**12)
        hall.after(60_000)

        assert len(floor.notices.read(maker.address, hall.clock.now_ns)) == notices.OF_ONE_MAX
        assert len(floor._late) == LATE_MAX
        assert len(floor._shown) <= 2
        assert len(floor.history._pasts) == len(MARKETS)
        assert all(
            len(past.trades) <= history.TRADES_MAX and len(past.changes) <= history.CHANGES_MAX
            for past in floor.history._pasts.values()
        )


def test_a_reader_that_does_not_read_is_cut_off_at_a_bounded_queue() -> None:
    """Who falls behind costs a bounded queue, and then a connection."""
    with a_storm() as storm:
        hall = storm.hall
        socket = storm.run(hall.client.ws_connect("/ws/market"))
        storm.run(socket.send_json({"type": "market", "assets_ids": list(UPDOWN.tokens)}))
        storm.run(asyncio.sleep(0))
        subscriber = next(iter(hall.floor.hub._market))
        for _ in range(QUEUE_MAX + 1):
            subscriber.offer(b"{}")

        assert subscriber.severed
        assert subscriber._queue.qsize() <= QUEUE_MAX


def test_floods_meet_the_limits_and_leave_others_alone() -> None:
    """With limits on, two thousand requests of one kind are refused after the first hundred."""
    with a_storm(limits="warn") as storm:
        hall = storm.hall
        before = storm.run(storm.send(message("GET", "/ok", {}, None)))
        statuses = [
            judged(storm.run(storm.send(message("GET", "/auth/derive-api-key", {}, None))), "GET")
            for _ in range(300)
        ]
        hall.after(20_000)

        assert judged(before, "GET") == 200
        assert statuses.count(401) <= 100
        assert statuses[-1] == 429
        assert judged(storm.run(storm.send(message("GET", "/ok", {}, None))), "GET") == 200


@pytest.fixture(autouse=True)
def nothing_unhandled(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """The server logs what it could not handle: nothing may be there but what was no HTTP."""
    yield
    records = caplog.get_records("call")
    errors = [record.exc_info[1] for record in records if record.exc_info]
    assert [error for error in errors if not isinstance(error, HttpProcessingError)] == []

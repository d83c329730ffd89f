"""Streams against a real WebSocket server that drops, shouts and keeps silent."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from attrs import define, field
from websockets.asyncio.server import ServerConnection, serve

from polybawt.core import facts
from polybawt.core.machine import Fact
from polybawt.venue.backoff import Backoff
from polybawt.venue.links import MarketLink, OracleLink, UserLink
from polybawt.venue.signing import Credentials
from polybawt.venue.stream import EARLY_DROPS_MAX, UNANSWERED_MAX, Link, Stream

NOW = 1_700_000_000_000_000_000
PATIENCE_S = 10.0  # only a failing test waits so long
CREDENTIALS = Credentials(key="k-1", secret="hush", passphrase="hush")
PRINT = {
    "event_type": "last_trade_price",
    "market": "0xc0",
    "asset_id": "1",
    "price": "0.5",
    "size": "3",
    "side": "SELL",
}
REPORT = {"symbol": "btc/usd", "timestamp": 1_777_384_395_000, "value": 76_175.5}
Session = Callable[[ServerConnection], Awaitable[None]]


@define
class Venue:
    """Each connection gets the next session; ``told`` are the facts, ``heard`` the frames."""

    stream: Stream
    sessions: deque[Session] = field(factory=deque)
    told: asyncio.Queue[Fact] = field(factory=asyncio.Queue)
    heard: asyncio.Queue[str] = field(factory=asyncio.Queue)

    async def next(self, kind: type[Fact]) -> Any:
        """The next fact of this kind, and nothing but PONGs before it."""
        while True:
            fact = await asyncio.wait_for(self.told.get(), PATIENCE_S)
            if isinstance(fact, kind):
                return fact
            assert isinstance(fact, facts.LinkHeard), fact

    async def frame(self) -> Any:
        text = await asyncio.wait_for(self.heard.get(), PATIENCE_S)
        return json.loads(text) if text != "PING" else text


@asynccontextmanager
async def venue_with(link: Link, *sessions: Session, ping_s: float = 60.0) -> AsyncIterator[Venue]:
    async def handle(socket: ServerConnection) -> None:
        if not venue.sessions:
            await socket.wait_closed()
            return
        await venue.sessions.popleft()(socket)

    async with serve(handle, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]

        async def emit(fact: Fact) -> None:
            await venue.told.put(fact)

        stream = Stream(
            f"ws://127.0.0.1:{port}/ws",
            link,
            lambda: NOW,
            emit,
            backoff=Backoff(0.0, 0.0),
            ping_s=ping_s,
        )
        venue = Venue(stream, deque(sessions))
        run = asyncio.create_task(stream.run())
        try:
            yield venue
        finally:
            run.cancel()
            with pytest.raises(asyncio.CancelledError):
                await run


def hears(venue: list[Venue], count: int, *says: str, stays: bool = True) -> Session:
    """A session that reads ``count`` frames, says its lines, and stays or drops."""

    async def session(socket: ServerConnection) -> None:
        for _ in range(count):
            venue[0].heard.put_nowait(str(await socket.recv()))
        for line in says:
            await socket.send(line)
        if stays:
            async for frame in socket:
                venue[0].heard.put_nowait(str(frame))
        else:
            socket.transport.close()  # no close frame: the venue says no goodbye

    return session


async def test_the_first_frame_comes_at_once_and_facts_in_order() -> None:
    """A late first frame gets the connection dropped (reference 4.3). Proves: H4"""
    box: list[Venue] = []
    lines = [json.dumps(PRINT), "PONG", "{broken", json.dumps([PRINT, PRINT])]
    async with venue_with(MarketLink(), hears(box, 1, *lines)) as venue:
        box.append(venue)
        await venue.stream.subscribe(["1", "2", "1"])

        assert await venue.frame() == {
            "type": "market",
            "assets_ids": ["1", "2"],
            "custom_feature_enabled": True,
        }
        kinds = [type(await asyncio.wait_for(venue.told.get(), PATIENCE_S)) for _ in range(6)]
        assert kinds == [
            facts.LinkUp,
            facts.LastTrade,
            facts.LinkHeard,
            facts.BadInput,
            facts.LastTrade,
            facts.LastTrade,
        ]


async def test_a_lost_stream_comes_back_and_names_everything_again() -> None:
    """The venue replays nothing and remembers nothing. Proves: B-ing, faults"""
    box: list[Venue] = []
    drops = hears(box, 2, json.dumps(PRINT), stays=False)
    async with venue_with(MarketLink(), drops, hears(box, 1)) as venue:
        box.append(venue)
        await venue.stream.subscribe(["1"])
        await venue.next(facts.LinkUp)
        await venue.stream.subscribe(["2", "1"])
        await venue.stream.unsubscribe(["0"])  # never followed: nothing is said
        opening, added = await venue.frame(), await venue.frame()
        await venue.next(facts.LastTrade)
        down = await venue.next(facts.LinkDown)
        await venue.next(facts.LinkUp)
        again = await venue.frame()
        await venue.stream.unsubscribe(["1"])
        removed = await venue.frame()

        assert opening["assets_ids"] == ["1"]
        assert added == {
            "operation": "subscribe",
            "assets_ids": ["2"],
            "custom_feature_enabled": True,
        }
        assert down.link == "market"
        assert down.reason
        assert again["assets_ids"] == ["1", "2"]
        assert removed == {"operation": "unsubscribe", "assets_ids": ["1"]}


async def test_many_assets_are_named_in_bounded_frames() -> None:
    """One frame with everything in it gets no first book for most of it (reference 4.1)."""
    box: list[Venue] = []
    tokens = [str(number) for number in range(450)]
    async with venue_with(MarketLink(), hears(box, 3)) as venue:
        box.append(venue)
        await venue.stream.subscribe(tokens)
        named = [await venue.frame() for _ in range(3)]

        assert [len(frame["assets_ids"]) for frame in named] == [200, 200, 50]
        assert [frame.get("operation", frame.get("type")) for frame in named] == [
            "market",
            "subscribe",
            "subscribe",
        ]
        assert [token for frame in named for token in frame["assets_ids"]] == tokens


async def test_an_answered_ping_is_heard_and_an_unanswered_one_ends_the_link() -> None:
    """A PONG is a sign of life of the link, nothing else. Proves: A-exec, B-ing"""
    box: list[Venue] = []

    async def answers(socket: ServerConnection) -> None:
        await socket.recv()
        for _ in range(UNANSWERED_MAX + 2):
            assert await socket.recv() == "PING"
            await socket.send("PONG")
        async for _ in socket:
            pass  # from here on it hears and says nothing

    async with venue_with(UserLink(CREDENTIALS), answers, hears(box, 1), ping_s=0.005) as venue:
        box.append(venue)
        await venue.next(facts.LinkUp)
        told = [await asyncio.wait_for(venue.told.get(), PATIENCE_S) for _ in range(5)]
        down = await venue.next(facts.LinkDown)

        assert told == [facts.LinkHeard(link="user", at_ns=NOW)] * (UNANSWERED_MAX + 2)
        assert "no PONG after 3 PINGs" in down.reason


async def test_the_user_stream_proves_itself_and_follows_all_markets() -> None:
    """An empty list of markets is not the same as none (reference 4.3)."""
    box: list[Venue] = []
    async with venue_with(UserLink(CREDENTIALS), hears(box, 1)) as venue:
        box.append(venue)
        await venue.next(facts.LinkUp)

        assert await venue.frame() == {
            "type": "user",
            "auth": {"apiKey": "k-1", "secret": "hush", "passphrase": "hush"},
        }


async def test_drops_without_a_word_point_at_the_credentials() -> None:
    """The venue refuses credentials by silence: an operator must be told which it is."""
    box: list[Venue] = []
    drops = [hears(box, 1, stays=False) for _ in range(EARLY_DROPS_MAX)]
    async with venue_with(UserLink(CREDENTIALS), *drops) as venue:
        box.append(venue)
        reasons = []
        for _ in range(EARLY_DROPS_MAX):
            await venue.next(facts.LinkUp)
            reasons.append((await venue.next(facts.LinkDown)).reason)

        assert "credentials" not in reasons[-2]
        assert reasons[-1].startswith("credentials refused? 3 drops before a word")
        assert "hush" not in "".join(reasons)


async def test_the_oracle_stream_follows_its_symbols_only() -> None:
    """The venue's filter is known to fail, and another symbol's price must not pass. Proves: C2"""
    box: list[Venue] = []
    envelope = {"topic": "crypto_prices_chainlink", "type": "update"}
    other = {**envelope, "payload": {**REPORT, "symbol": "eth/usd"}}
    lines = [json.dumps(other), "", json.dumps({**envelope, "payload": REPORT})]
    async with venue_with(OracleLink(), hears(box, 1, *lines)) as venue:
        box.append(venue)
        await venue.stream.subscribe(["btc/usd"])
        await venue.next(facts.LinkUp)
        asked, report = await venue.frame(), await venue.next(facts.OracleReported)

        assert asked["subscriptions"] == [
            {
                "topic": "crypto_prices_chainlink",
                "type": "*",
                "filters": '{"symbol":"btc/usd"}',
            },
            {"topic": "crypto_prices", "type": "update", "filters": "btcusdt"},
        ]
        assert report.symbol == "btc/usd"


async def test_a_server_that_is_not_there_is_a_link_that_is_down() -> None:
    """Each failed attempt is told, and the next one follows; cancelling ends it cleanly."""
    told: asyncio.Queue[Fact] = asyncio.Queue()
    stream = Stream(
        "ws://127.0.0.1:9/ws",
        UserLink(CREDENTIALS),
        lambda: NOW,
        told.put,
        backoff=Backoff(0.0, 0.0),
    )
    run = asyncio.create_task(stream.run())
    downs = [await asyncio.wait_for(told.get(), PATIENCE_S) for _ in range(2)]
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run

    assert all(isinstance(fact, facts.LinkDown) for fact in downs)


async def test_a_full_queue_makes_the_socket_wait() -> None:
    """Back-pressure reaches the venue; nothing is dropped on the way. Proves: load"""
    box: list[Venue] = []
    flood = [json.dumps(PRINT)] * 2_000
    told: asyncio.Queue[Fact] = asyncio.Queue(maxsize=1)
    async with venue_with(MarketLink(), hears(box, 1, *flood)) as venue:
        box.append(venue)
        venue.told = told
        await venue.stream.subscribe(["1"])
        await venue.next(facts.LinkUp)
        prints = [await venue.next(facts.LastTrade) for _ in range(2_000)]

        assert len(prints) == 2_000
        assert told.qsize() == 0

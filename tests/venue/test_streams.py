"""Several connections at once, forced reconnects, and credentials that are refused."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import ServerConnection, serve

from polybawt.core import facts
from polybawt.core.machine import Fact
from polybawt.venue import stream as stream_module
from polybawt.venue.backoff import Backoff
from polybawt.venue.links import MarketLink, UserLink
from polybawt.venue.stream import RECONNECT, Stream, Streams
from tests.venue.test_stream import CREDENTIALS, NOW, PATIENCE_S, hears, venue_with
from tests.venue.test_stream import Venue as Venue


@asynccontextmanager
async def server(
    handle: Callable[[ServerConnection], Awaitable[None]],
) -> AsyncIterator[str]:
    async with serve(handle, "127.0.0.1", 0) as listening:
        yield f"ws://127.0.0.1:{listening.sockets[0].getsockname()[1]}/ws"


@asynccontextmanager
async def running(work: Stream | Streams) -> AsyncIterator[None]:
    run = asyncio.create_task(work.run())
    try:
        yield
    finally:
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run


async def told(facts_told: asyncio.Queue[Fact], kind: type[Fact]) -> Fact:
    while True:
        fact = await asyncio.wait_for(facts_told.get(), PATIENCE_S)
        if isinstance(fact, kind):
            return fact


def test_the_wait_before_a_reconnect_is_drawn_from_a_quarter_second_to_half_a_minute() -> None:
    """Full jitter: clients that failed together must not come back together (reference 4.1)."""
    waits = [[RECONNECT.delay_s(attempt) for _ in range(200)] for attempt in (0, 3, 20)]

    assert all(max(drawn) <= bound for drawn, bound in zip(waits, (0.25, 2.0, 30.0), strict=True))
    assert max(waits[2]) > 20
    assert min(waits[2]) < 5


async def test_each_link_is_a_connection_and_a_task_of_its_own() -> None:
    """More tokens than one connection serves are spread over several (reference 4.1)."""
    opened: asyncio.Queue[list[str]] = asyncio.Queue()

    async def handle(socket: ServerConnection) -> None:
        opened.put_nowait(json.loads(await socket.recv())["assets_ids"])
        await socket.wait_closed()

    heard: asyncio.Queue[Fact] = asyncio.Queue()
    async with server(handle) as url:
        streams = Streams(lambda name: Stream(url, MarketLink(name=name), lambda: NOW, heard.put))
        async with running(streams):
            await streams.subscribe(["1", "2"], "market")
            await streams.subscribe(["3"], "market.1")
            named = [await asyncio.wait_for(opened.get(), PATIENCE_S) for _ in range(2)]
            ups = [await told(heard, facts.LinkUp) for _ in range(2)]

    assert sorted(named) == [["1", "2"], ["3"]]
    assert {up.link for up in ups if isinstance(up, facts.LinkUp)} == {"market", "market.1"}


async def test_a_connection_that_is_made_anew_names_its_tokens_again() -> None:
    """What the kernel asks for when a stream answers and says nothing. Proves: reference 6 (9)."""
    opened: asyncio.Queue[list[str]] = asyncio.Queue()

    async def handle(socket: ServerConnection) -> None:
        opened.put_nowait(json.loads(await socket.recv())["assets_ids"])
        async for _ in socket:
            pass

    heard: asyncio.Queue[Fact] = asyncio.Queue()

    def make(name: str) -> Stream:
        link = MarketLink(name=name)
        return Stream(url, link, lambda: NOW, heard.put, backoff=Backoff(0.0, 0.0))

    async with server(handle) as url:
        streams = Streams(make)
        async with running(streams):
            await streams.subscribe(["1", "2"], "market")
            await asyncio.wait_for(opened.get(), PATIENCE_S)
            await told(heard, facts.LinkUp)
            await streams.reconnect("market", "silent " * 40)
            down = await told(heard, facts.LinkDown)
            again = await asyncio.wait_for(opened.get(), PATIENCE_S)
            await told(heard, facts.LinkUp)

    assert isinstance(down, facts.LinkDown)
    assert again == ["1", "2"]


async def test_a_connection_that_nobody_needs_is_not_made_again() -> None:
    """An opening frame that names nothing may be refused; the next token brings it back."""
    opened: asyncio.Queue[list[str]] = asyncio.Queue()

    async def handle(socket: ServerConnection) -> None:
        opened.put_nowait(json.loads(await socket.recv())["assets_ids"])
        async for _ in socket:
            pass

    heard: asyncio.Queue[Fact] = asyncio.Queue()
    async with server(handle) as url:
        market = Stream(url, MarketLink(), lambda: NOW, heard.put, backoff=Backoff(0.0, 0.0))
        async with running(market):
            await market.subscribe(["1"])
            await told(heard, facts.LinkUp)
            await market.unsubscribe(["1"])
            await market.reconnect("test")
            await told(heard, facts.LinkDown)
            await asyncio.sleep(0.05)
            assert opened.qsize() == 1
            await market.subscribe(["2"])
            await told(heard, facts.LinkUp)

    assert [opened.get_nowait() for _ in range(2)] == [["1"], ["2"]]


async def test_refused_credentials_are_told_and_end_the_storm() -> None:
    """N cuts right after our first frame, then one dial in a long while. Proves: reference 4.3."""
    dials: list[int] = []

    async def cuts(socket: ServerConnection) -> None:
        dials.append(1)
        await socket.recv()
        socket.transport.close()

    heard: asyncio.Queue[Fact] = asyncio.Queue()
    async with server(cuts) as url:
        user = Stream(
            url, UserLink(CREDENTIALS), lambda: NOW, heard.put,
            backoff=Backoff(0.0, 0.0), early_drops_max=2, refused_retry_s=3600.0,
        )  # fmt: skip
        async with running(user):
            refused = await told(heard, facts.LinkRefused)
            await asyncio.sleep(0)

    assert isinstance(refused, facts.LinkRefused)
    assert refused.link == "user"
    assert "2 drops" in refused.reason
    assert len(dials) == 2


async def test_a_server_that_is_not_there_refuses_no_credentials() -> None:
    """A network fault is no credential fault: nothing of ours was ever read."""
    heard: asyncio.Queue[Fact] = asyncio.Queue()
    user = Stream(
        "ws://127.0.0.1:9/ws", UserLink(CREDENTIALS), lambda: NOW, heard.put,
        backoff=Backoff(0.0, 0.0), early_drops_max=2,
    )  # fmt: skip
    async with running(user):
        downs = [await asyncio.wait_for(heard.get(), PATIENCE_S) for _ in range(6)]

    assert {type(fact) for fact in downs} == {facts.LinkDown}


async def test_a_connection_that_lasted_is_no_early_drop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a cut right after our credentials speaks of them."""
    monkeypatch.setattr(stream_module, "EARLY_S", 0.0)
    box: list[Venue] = []
    drops = [hears(box, 1, stays=False) for _ in range(4)]
    async with venue_with(UserLink(CREDENTIALS), *drops) as venue:
        box.append(venue)
        for _ in range(4):
            await venue.next(facts.LinkUp)
            down = await venue.next(facts.LinkDown)
            assert "credentials" not in down.reason


@pytest.mark.parametrize("cut", [1, 7, 40])
async def test_truncated_frames_are_bad_input_and_the_stream_goes_on(cut: int) -> None:
    """Proves: BadInput (counted, never a crash)."""
    whole = json.dumps({"event_type": "price_change", "market": "0xc0", "price_changes": []})
    good = json.dumps({
        "event_type": "last_trade_price", "market": "0xc0", "asset_id": "1", "price": "0.5",
        "size": "3", "side": "SELL",
    })  # fmt: skip
    box: list[Venue] = []
    async with venue_with(MarketLink(), hears(box, 1, whole[:cut], good)) as venue:
        box.append(venue)
        await venue.stream.subscribe(["1"])
        await venue.next(facts.LinkUp)

        assert (await venue.next(facts.BadInput)).source == "market"
        assert (await venue.next(facts.LastTrade)).token_id == "1"

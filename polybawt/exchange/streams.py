"""The three streams: market data, an account's own events, settlement prices.

Each connection reads its subscriptions here and gets everything else through the hub; a task of
its own does the writing.  Nonsense is ignored where the venue ignores it; only a user stream
whose first frame does not prove a key is cut off, without a word, as the venue does.

Source: exchange reference 4.1, 4.3 and 4.4.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import orjson
from aiohttp import WSMsgType, web

from polybawt.exchange.floor import Floor
from polybawt.exchange.hub import (
    TOKENS_MAX,
    MarketSubscriber,
    OracleSubscriber,
    Subscriber,
    UserSubscriber,
)
from polybawt.exchange.mishaps import Frames
from polybawt.exchange.web import FLOOR
from polybawt.exchange.wire import oracle

FRAME_MAX: Final = 1 << 20
FIRST_FRAME_MAX_S: Final = 10.0
IDS_MAX: Final = 10_000  # per connection
PING: Final = "PING"
PONG: Final = b"PONG"

routes = web.RouteTableDef()


async def _upgraded(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(compress=False, max_msg_size=FRAME_MAX)
    await socket.prepare(request)
    return socket


def _severing(request: web.Request) -> Callable[[], None]:
    transport = request.transport
    return transport.abort if transport is not None else lambda: None


def _spoiling(request: web.Request) -> Callable[[bytes], Sequence[bytes]]:
    """What faults make of the frames of this connection."""
    floor = request.app[FLOOR]
    return Frames(floor.faults, floor.now_ns, request.path).sent


@asynccontextmanager
async def _writing(subscriber: Subscriber, request: web.Request) -> AsyncIterator[None]:
    """The subscriber's frames go out for as long as this lasts."""
    transport = request.transport
    if transport is None:  # gone already: nobody to write to
        yield
        return
    task = asyncio.create_task(subscriber.write_all(transport))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _frames(
    socket: web.WebSocketResponse, subscriber: Subscriber
) -> AsyncIterator[dict[str, Any]]:
    """Every JSON object the client sends; PING is answered on the way, the rest ignored."""
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            continue
        if message.data == PING:
            subscriber.answer(PONG)
            continue
        frame = _object(message.data)
        if frame is not None:
            yield frame


def _object(text: str) -> dict[str, Any] | None:
    try:
        frame = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return frame if isinstance(frame, dict) else None


def _texts(value: object) -> list[str]:
    """A list of ids; whatever is no text in it is passed over."""
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


# The market channel.


@routes.get("/ws/market")
async def market_stream(request: web.Request) -> web.WebSocketResponse:
    socket, floor = await _upgraded(request), request.app[FLOOR]
    subscriber = MarketSubscriber(_severing(request))
    subscriber.spoil = _spoiling(request)
    floor.hub.join_market(subscriber)
    try:
        async with _writing(subscriber, request):
            async for frame in _frames(socket, subscriber):
                _follow(floor, subscriber, frame)
    finally:
        floor.hub.leave_market(subscriber)
    return socket


def _follow(floor: Floor, subscriber: MarketSubscriber, frame: dict[str, Any]) -> None:
    tokens = _texts(frame.get("assets_ids"))
    if frame.get("operation") == "unsubscribe":
        floor.hub.unfollow(subscriber, tokens)
        return
    custom = frame.get("custom_feature_enabled")
    if isinstance(custom, bool):
        subscriber.custom = custom
    room = IDS_MAX - len(subscriber.tokens)
    fresh = floor.hub.follow(subscriber, tokens[: max(room, 0)])
    if fresh and len(subscriber.tokens) <= TOKENS_MAX and frame.get("initial_dump", True):
        first = floor.publisher.first_books(fresh)
        if first is not None:
            subscriber.offer(first)


# The user channel.


@routes.get("/ws/user")
async def user_stream(request: web.Request) -> web.WebSocketResponse:
    socket, floor = await _upgraded(request), request.app[FLOOR]
    sever = _severing(request)
    subscriber = await _admitted(socket, floor, sever)
    if subscriber is None:
        sever()  # no close frame, no reason: so does the venue
        return socket
    subscriber.spoil = _spoiling(request)
    floor.hub.join_user(subscriber)
    try:
        async with _writing(subscriber, request):
            async for frame in _frames(socket, subscriber):
                _choose(subscriber, frame)
    finally:
        floor.hub.leave_user(subscriber)
    return socket


async def _admitted(
    socket: web.WebSocketResponse, floor: Floor, sever: Callable[[], None]
) -> UserSubscriber | None:
    """The subscriber whose credentials the first frame proves, or None."""
    try:
        async with asyncio.timeout(FIRST_FRAME_MAX_S):
            message = await socket.receive()
    except TimeoutError:
        return None
    frame = _object(message.data) if message.type is WSMsgType.TEXT else None
    auth = frame.get("auth") if frame and frame.get("type") == "user" else None
    if frame is None or not isinstance(auth, dict):
        return None
    given = [auth.get(name) for name in ("apiKey", "secret", "passphrase")]
    if not all(isinstance(text, str) for text in given):
        return None
    key = floor.ring.user(*[str(text) for text in given])
    if key is None:
        return None
    markets = set(_texts(frame["markets"])) if "markets" in frame else None
    return UserSubscriber(sever, key.address, markets)


def _choose(subscriber: UserSubscriber, frame: dict[str, Any]) -> None:
    """Narrow or widen a user stream; one that hears everything keeps hearing everything."""
    if subscriber.markets is None:
        return
    chosen = set(_texts(frame.get("markets"))[:IDS_MAX])
    if frame.get("operation") == "subscribe":
        subscriber.markets |= chosen
    elif frame.get("operation") == "unsubscribe":
        subscriber.markets -= chosen


# The price stream.


@routes.get("/ws/rtds")
async def oracle_stream(request: web.Request) -> web.WebSocketResponse:
    socket, floor = await _upgraded(request), request.app[FLOOR]
    subscriber = OracleSubscriber(_severing(request))
    subscriber.spoil = _spoiling(request)
    floor.hub.join_oracle(subscriber)
    try:
        async with _writing(subscriber, request):
            async for frame in _frames(socket, subscriber):
                _watch(floor, subscriber, frame)
    finally:
        floor.hub.leave_oracle(subscriber)
    return socket


def _watch(floor: Floor, subscriber: OracleSubscriber, frame: dict[str, Any]) -> None:
    wanted = frame.get("subscriptions")
    for one in wanted if isinstance(wanted, list) else []:
        if not isinstance(one, dict) or one.get("topic") != oracle.TOPIC:
            continue
        symbol = _symbol(one.get("filters"))
        if frame.get("action") == "subscribe":
            chosen = None if symbol is None else {symbol}
            if chosen is None or subscriber.symbols is None:
                subscriber.symbols = None
            elif len(subscriber.symbols) < IDS_MAX:
                subscriber.symbols |= chosen
            for history in floor.publisher.histories(chosen, floor.now_ns()):
                subscriber.offer(history)
        elif frame.get("action") == "unsubscribe":
            kept = (subscriber.symbols or set()) - ({symbol} if symbol else set())
            subscriber.symbols = kept if symbol else set()


def _symbol(filters: object) -> str | None:
    """The symbol a filter names: filters are a JSON *string*; none means every symbol."""
    chosen = _object(filters) if isinstance(filters, str) and filters else None
    symbol = chosen.get("symbol") if chosen else None
    return symbol if isinstance(symbol, str) else None

"""Three streams: market data, an account's own events, prices in the legacy way.

Each connection reads its subscriptions here and gets everything else through the hub; a task of
its own does the writing.  Nonsense is ignored where the venue ignores it; only a user stream
whose first frame does not prove a key is cut off, without a word, as the venue does.

Source: exchange reference 4.1, 4.3 and 4.4.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from aiohttp import WSMsgType, web

from polybawt.exchange.floor import Floor
from polybawt.exchange.hub import (
    TOKENS_MAX,
    MarketSubscriber,
    OracleSubscriber,
    UserSubscriber,
)
from polybawt.exchange.sockets import (
    frames,
    object_of,
    severing,
    spoiling,
    texts,
    upgraded,
    writing,
)
from polybawt.exchange.web import FLOOR
from polybawt.exchange.wire import oracle

FIRST_FRAME_MAX_S: Final = 10.0
IDS_MAX: Final = 10_000  # per connection

routes = web.RouteTableDef()


# The market channel.


@routes.get("/ws/market")
async def market_stream(request: web.Request) -> web.WebSocketResponse:
    socket, floor = await upgraded(request), request.app[FLOOR]
    subscriber = MarketSubscriber(severing(request))
    subscriber.spoil = spoiling(request)
    floor.hub.join_market(subscriber)
    try:
        async with writing(subscriber, request):
            async for frame in frames(socket, subscriber):
                _follow(floor, subscriber, frame)
    finally:
        floor.hub.leave_market(subscriber)
    return socket


def _follow(floor: Floor, subscriber: MarketSubscriber, frame: dict[str, Any]) -> None:
    tokens = texts(frame.get("assets_ids"))
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
    socket, floor = await upgraded(request), request.app[FLOOR]
    sever = severing(request)
    subscriber = await _admitted(socket, floor, sever)
    if subscriber is None:
        sever()  # no close frame, no reason: so does the venue
        return socket
    subscriber.spoil = spoiling(request)
    floor.hub.join_user(subscriber)
    try:
        async with writing(subscriber, request):
            async for frame in frames(socket, subscriber):
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
    frame = object_of(message.data) if message.type is WSMsgType.TEXT else None
    auth = frame.get("auth") if frame and frame.get("type") == "user" else None
    if frame is None or not isinstance(auth, dict):
        return None
    given = [auth.get(name) for name in ("apiKey", "secret", "passphrase")]
    if not all(isinstance(text, str) for text in given):
        return None
    key = floor.ring.user(*[str(text) for text in given])
    if key is None:
        return None
    markets = set(texts(frame["markets"])) if "markets" in frame else None
    return UserSubscriber(sever, key.address, markets)


def _choose(subscriber: UserSubscriber, frame: dict[str, Any]) -> None:
    """Narrow or widen a user stream; one that hears everything keeps hearing everything."""
    if subscriber.markets is None:
        return
    chosen = set(texts(frame.get("markets"))[:IDS_MAX])
    if frame.get("operation") == "subscribe":
        subscriber.markets |= chosen
    elif frame.get("operation") == "unsubscribe":
        subscriber.markets -= chosen


# The price stream.


@routes.get("/ws/rtds")
async def oracle_stream(request: web.Request) -> web.WebSocketResponse:
    socket, floor = await upgraded(request), request.app[FLOOR]
    subscriber = OracleSubscriber(severing(request))
    subscriber.spoil = spoiling(request)
    floor.hub.join_oracle(subscriber)
    try:
        async with writing(subscriber, request):
            async for frame in frames(socket, subscriber):
                _watch(floor, subscriber, frame)
    finally:
        floor.hub.leave_oracle(subscriber)
    return socket


def _watch(floor: Floor, subscriber: OracleSubscriber, frame: dict[str, Any]) -> None:
    """Subscribe or unsubscribe topics; those that do not exist are ignored, as are odd shapes."""
    asked = frame.get("subscriptions")
    for one in asked if isinstance(asked, list) else []:
        topic = one.get("topic") if isinstance(one, dict) else None
        if not isinstance(topic, str) or topic not in oracle.FEED_OF:
            continue
        symbols = oracle.wanted(topic, one.get("filters"))
        if frame.get("action") == "subscribe":
            if floor.faults.strike(("ignore_filters",), floor.now_ns()):
                symbols = None
            _add(subscriber, topic, symbols)
            for history in floor.publisher.prices.histories(topic, symbols, floor.now_ns()):
                subscriber.offer(history)
        elif frame.get("action") == "unsubscribe":
            kept = subscriber.wanted.pop(topic, None) or set()
            if symbols:
                subscriber.wanted[topic] = kept - symbols


def _add(subscriber: OracleSubscriber, topic: str, symbols: set[str] | None) -> None:
    known = subscriber.wanted.setdefault(topic, set())
    if symbols is None or known is None:
        subscriber.wanted[topic] = None
    elif len(known) + len(symbols) <= IDS_MAX:
        known |= symbols

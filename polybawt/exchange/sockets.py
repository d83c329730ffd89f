"""What every stream shares: the upgrade, the writing task, and reading frames that may be nonsense.

Source: exchange reference 4.1.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import orjson
from aiohttp import WSMsgType, web

from polybawt.exchange.hub import Subscriber
from polybawt.exchange.mishaps import Frames
from polybawt.exchange.web import FLOOR

FRAME_MAX: Final = 1 << 20
PING: Final = "PING"
PONG: Final = b"PONG"


async def upgraded(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(compress=False, max_msg_size=FRAME_MAX)
    await socket.prepare(request)
    return socket


def severing(request: web.Request) -> Callable[[], None]:
    """How to end a connection without a closing handshake."""
    transport = request.transport
    return transport.abort if transport is not None else lambda: None


def spoiling(request: web.Request) -> Callable[[bytes], Sequence[bytes]]:
    """What faults make of the frames of this connection."""
    floor = request.app[FLOOR]
    return Frames(floor.faults, floor.now_ns, request.path).sent


@asynccontextmanager
async def writing(subscriber: Subscriber, request: web.Request) -> AsyncIterator[None]:
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


async def frames(
    socket: web.WebSocketResponse, subscriber: Subscriber
) -> AsyncIterator[dict[str, Any]]:
    """Every JSON object the client sends; PING is answered on the way, the rest ignored."""
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            continue
        if message.data == PING:
            subscriber.answer(PONG)
            continue
        frame = object_of(message.data)
        if frame is not None:
            yield frame


def object_of(text: str) -> dict[str, Any] | None:
    """The JSON object that a text is; None when it is none."""
    try:
        frame = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return frame if isinstance(frame, dict) else None


def texts(value: object) -> list[str]:
    """A list of ids; whatever is no text in it is passed over."""
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []

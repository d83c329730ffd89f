"""A real HTTP server on loopback that answers with scripted bytes, or breaks off."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

import httpx
import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer
from attrs import define, field, frozen

from polybawt.venue.http import http_client


@frozen
class Say:
    """An answer; ``cut`` ends the connection in the middle of it."""

    status: int = 200
    body: object = b""
    headers: dict[str, str] = field(factory=dict)
    cut: bool = False

    def raw(self) -> bytes:
        if isinstance(self.body, str):
            return self.body.encode()
        return self.body if isinstance(self.body, bytes) else orjson.dumps(self.body)


RESET = "reset"  # the connection is closed without a byte
SILENCE = "silence"  # nothing, until the client gives up
GARBAGE = "garbage"  # bytes that are not HTTP


@frozen
class Heard:
    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: str


@define
class Scripted:
    """``script`` is consumed from the left; ``heard`` is everything that was asked."""

    http: httpx.AsyncClient
    script: deque[Say | str] = field(factory=deque)
    heard: list[Heard] = field(factory=list)

    def then(self, *steps: Say | str) -> None:
        self.script.extend(steps)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.text()
        self.heard.append(
            Heard(request.method, request.path, dict(request.query), request.headers.copy(), body)
        )
        step = self.script.popleft()
        transport = request.transport
        assert transport is not None
        if isinstance(step, Say) and not step.cut:
            return web.Response(status=step.status, body=step.raw(), headers=step.headers)
        if step == SILENCE:
            await asyncio.Event().wait()
        elif step == GARBAGE:
            transport.write(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
        elif isinstance(step, Say):
            half = web.StreamResponse(status=step.status)
            half.content_length = len(step.raw()) + 1_000
            await half.prepare(request)
            await half.write(step.raw())
        transport.close()
        return web.Response()


@asynccontextmanager
async def scripted(steps: Iterable[Say | str] = ()) -> AsyncIterator[Scripted]:
    app = web.Application()
    server = TestServer(app)
    holder: list[Scripted] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        return await holder[0].answer(request)

    app.router.add_route("*", "/{tail:.*}", answer)
    await server.start_server()
    try:
        async with http_client(str(server.make_url("/"))) as http:
            holder.append(Scripted(http, deque(steps)))
            yield holder[0]
    finally:
        await server.close()

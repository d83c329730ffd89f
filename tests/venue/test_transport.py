"""A server that closes its connections whenever it likes: no order is ever sent twice by itself.

What stands in front of the venue ends a connection after some number of requests (GOAWAY), when
it was idle, or in the middle of an answer.  The client below us may replace the connection; it
may not repeat an order, for it cannot know whether the first one arrived.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from attrs import define, field

from polybawt.core import commands, facts
from polybawt.core.machines import order
from polybawt.venue import http, signing
from polybawt.venue.backoff import Backoff
from polybawt.venue.clob import Clob

KEY = "0x" + "11" * 32
BODIES = {
    "POST /auth/api-key": b'{"apiKey":"k","secret":"eHh4","passphrase":"p"}',
    "GET /data/orders": b'{"data":[],"next_cursor":"LTE="}',
    "DELETE /order": b'{"canceled":[],"not_canceled":{}}',
}
KINDS = ("polite", "stale", "unheard", "heard", "mid-head", "mid-body")


@define
class Gateway:
    """Serves HTTP/1.1; every connection ends after ``most`` requests, in the ``kind`` of way."""

    kind: str
    most: int
    port: int = 0
    heard: Counter[str] = field(factory=Counter)
    connections: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            number = 1
            while await self._one(reader, writer, number):
                number += 1
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _one(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> bool:
        """One request and its answer; whether the connection goes on."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        last = number >= self.most
        if last and self.kind == "unheard":
            return False
        first, *lines = head.split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines if ": " in line)
        body = await reader.readexactly(int(fields.get("content-length", "0")))
        method, path, _ = first.split()
        path = path.split("?")[0]
        self.heard[f"{method} {path} {body.decode()}"] += 1
        if last and self.kind == "heard":
            return False
        said = BODIES.get(f"{method} {path}", b'{"orderID":""}')
        close = "Connection: close\r\n" if last and self.kind == "polite" else ""
        answer = f"HTTP/1.1 200 OK\r\n{close}Content-Length: {len(said)}\r\n\r\n".encode() + said
        if last and self.kind.startswith("mid"):
            answer = answer[: 12 if self.kind == "mid-head" else len(answer) - 5]
        writer.write(answer)
        await writer.drain()
        return not last


@asynccontextmanager
async def gateway(kind: str, most: int) -> AsyncIterator[tuple[Gateway, Clob]]:
    found = Gateway(kind, 1_000)
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, http.http_client(f"http://127.0.0.1:{port}") as client:
        clob = Clob(
            client,
            signing.Account(KEY),
            chain_id=137,
            clock=lambda: 1_700_000_000_000_000_000,
            backoff=Backoff(0.0, 0.0),
            deadline_s=2.0,
        )
        await clob.login()
        found.most = most
        yield found, clob


def post(number: int) -> commands.PostOrder:
    return commands.PostOrder(intent_id=f"i{number}", order_id=f"0x{number}", payload=f"{number}")


@pytest.mark.parametrize("most", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
async def test_an_order_is_never_sent_again_by_the_transport(kind: str, most: int) -> None:
    """Twelve orders in a row and twelve at once: each arrives at most once, and each has one fate.

    Proves: H5, faults
    """
    async with gateway(kind, most) as (venue, clob):
        fates = [await clob.post(post(number)) for number in range(12)]
        fates += await asyncio.gather(*(clob.post(post(number)) for number in range(12, 24)))

        orders = {key: n for key, n in venue.heard.items() if key.startswith("POST /order")}
        assert max(orders.values(), default=1) == 1
        assert {type(fate) for fate in fates} <= {order.Reject, order.Timeout}
        answered = sum(isinstance(fate, order.Reject) for fate in fates)
        assert answered <= len(orders)  # what was answered was heard


@pytest.mark.parametrize("most", [2, 3])
@pytest.mark.parametrize("kind", KINDS)
async def test_reads_outlive_their_connections(kind: str, most: int) -> None:
    """They are safe to repeat, by the transport and by us. Proves: M2, faults"""
    async with gateway(kind, most) as (venue, clob):
        for _ in range(12):
            found = await clob.read_open_orders()
            assert isinstance(found, facts.OpenOrdersRead), found

        assert venue.connections >= 12 // most


@pytest.mark.parametrize("kind", KINDS)
async def test_a_cancel_may_be_repeated_and_is_told_when_nothing_is_known(kind: str) -> None:
    """To cancel twice is to cancel once: what the transport repeats of it does no harm."""
    command = commands.CancelOrder(intent_id="i1", order_id="0x1")
    async with gateway(kind, 2) as (_, clob):
        for _ in range(8):
            said = await clob.cancel(command)
            assert isinstance(said, order.CancelTimeout), said


async def test_who_gives_up_on_an_order_has_given_up() -> None:
    """A cancelled task stays cancelled: no answer, no retry, and the connection is not reused."""
    async with gateway("polite", 1_000) as (venue, clob):
        task = asyncio.create_task(clob.post(post(1)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        reading = asyncio.create_task(clob.read_open_orders())
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading

        assert isinstance(await clob.read_open_orders(), facts.OpenOrdersRead)
        assert sum(n for key, n in venue.heard.items() if key.startswith("POST /order")) <= 1


async def test_the_route_is_http_1() -> None:
    """A GOAWAY of HTTP/2 would end a hundred requests at once: each has its own connection."""
    async with http.http_client("http://127.0.0.1:1") as client:
        assert isinstance(client, httpx.AsyncClient)
        assert type(client._transport).__name__ == "AiohttpTransport"

"""The audit stream: the state once, then every journaled fact, to whoever asks on the socket.

A listener folds the facts with the same kernel and so sees what is.  It is never greeted while a
batch is being made durable: the state would hold facts that it is then told again.  One that
cannot keep up is dropped, and will ask for the state again.  Operators speak on the same socket,
and may say six things.  The socket lives in the state directory, which only its owner can enter.

Source: architecture D9.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

import orjson

from polybawt.core.codec import CONVERTER, NotDecodable, decode
from polybawt.core.facts import (
    ApproveRequested,
    DecideRequested,
    DeclineRequested,
    FlattenRequested,
    KillRequested,
    ResetRequested,
    StopRequested,
)
from polybawt.core.machine import Fact

PROTOCOL: Final = 1
LINE_MAX: Final = 64 * 1024  # of what an operator says
BEHIND_MAX: Final = 64 * 1024 * 1024  # bytes a listener may lag
LISTENERS_MAX: Final = 16
BACKLOG: Final = 16
SAYABLE: Final = (
    KillRequested, ResetRequested, FlattenRequested, DecideRequested, ApproveRequested,
    DeclineRequested, StopRequested,
)  # fmt: skip

log = logging.getLogger("polybawt.audit")


class AuditStream:
    """``hello`` renders the first line, or b"" while it cannot: then the next ``publish`` greets.

    ``say`` takes an operator's fact; False says that it did not.
    """

    def __init__(
        self,
        path: Path,
        hello: Callable[[], bytes],
        say: Callable[[Fact], bool | None],
        clock: Callable[[], int],
        behind_max: int = BEHIND_MAX,
    ) -> None:
        self.path = path
        self._hello, self._say, self._clock = hello, say, clock
        self._behind_max = behind_max
        self._newcomers: dict[asyncio.StreamWriter, asyncio.Event] = {}  # not greeted yet
        self._listeners: set[asyncio.StreamWriter] = set()

    async def serve(self) -> None:
        """Accept listeners until cancelled."""
        bound = _private_socket(self.path)
        server = await asyncio.start_unix_server(
            self._listen, sock=bound, limit=LINE_MAX, start_serving=False
        )
        try:
            await server.start_serving()
            await asyncio.get_running_loop().create_future()
        finally:
            server.close()
            for writer in (*self._listeners, *self._newcomers):
                writer.close()
            self.path.unlink(missing_ok=True)

    def publish(self, lines: list[bytes]) -> None:
        """Hand durable facts to every listener, then greet the new ones; never waits."""
        block = b"".join(lines)
        for writer in tuple(self._listeners):
            if writer.transport.get_write_buffer_size() > self._behind_max:
                log.warning("a listener fell behind and was dropped")
                self._drop(writer)
            else:
                writer.write(block)
        self._greet()

    def _greet(self) -> None:
        if not self._newcomers or not (first := self._hello()):
            return
        for writer, greeted in self._newcomers.items():
            writer.write(first)
            self._listeners.add(writer)
            greeted.set()
        self._newcomers.clear()

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._listeners) + len(self._newcomers) >= LISTENERS_MAX:
            writer.write(refused("too many listeners"))
            writer.close()
            return
        greeted = self._newcomers[writer] = asyncio.Event()
        try:
            self._greet()
            await greeted.wait()
            while line := await reader.readline():
                writer.write(self._heard(line))
                await writer.drain()  # who does not read the answers is not heard further
        except ValueError:
            writer.write(refused(f"a line of more than {LINE_MAX} bytes"))
            writer.close()
        except ConnectionError as e:
            log.info("a listener left: %s", type(e).__name__)
        finally:
            self._listeners.discard(writer)
            self._newcomers.pop(writer, None)
            writer.close()

    def _heard(self, line: bytes) -> bytes:
        try:
            said = orjson.loads(line)
            fact = decode(str(said["kind"]), orjson.dumps({**said["fact"], "at_ns": self._clock()}))
        except (NotDecodable, ValueError, KeyError, TypeError) as wrong:
            return refused(f"not understood: {wrong}")
        if not isinstance(fact, SAYABLE):
            return refused(f"{type(fact).__name__} is not for operators to say")
        if self._say(fact) is False:
            return refused("too much was said at once: say it again")
        return orjson.dumps({"accepted": type(fact).__name__, "seq": None}) + b"\n"

    def _drop(self, writer: asyncio.StreamWriter) -> None:
        """At once: closing would wait for it to read what it does not read."""
        self._listeners.discard(writer)
        writer.transport.abort()


def _private_socket(path: Path) -> socket.socket:
    """A bound socket that is its owner's alone before anybody can connect."""
    path.unlink(missing_ok=True)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        bound.bind(os.fspath(path))
        path.chmod(0o600)
        bound.listen(BACKLOG)
    except OSError:
        bound.close()
        raise
    return bound


def refused(why: str) -> bytes:
    return orjson.dumps({"refused": why[:300]}) + b"\n"


def line(seq: int, kind: str, body: bytes) -> bytes:
    """One fact of the stream."""
    return b'{"seq":%d,"kind":"%s","fact":%s}\n' % (seq, kind.encode(), body)


def hello(seq: int, state: object, **about: object) -> bytes:
    """The first line a listener gets."""
    whole = {"protocol": PROTOCOL, "seq": seq, **about, "state": CONVERTER.unstructure(state)}
    return orjson.dumps(whole) + b"\n"

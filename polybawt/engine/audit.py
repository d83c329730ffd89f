"""The audit stream: the state once, then every journaled fact, to whoever asks on the socket.

A listener folds the facts with the same kernel and so sees what is.  One that cannot keep up is
dropped: it will ask for the state again.  Operators speak on the same socket, and may say three
things.  The socket lives in the state directory, which only its owner can enter.

Source: architecture D9.
"""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

import orjson

from polybawt.core.codec import CONVERTER, NotDecodable, decode
from polybawt.core.facts import KillRequested, ResetRequested, StopRequested
from polybawt.core.machine import Fact

PROTOCOL: Final = 1
LINE_MAX: Final = 64 * 1024  # of what an operator says
BEHIND_MAX: Final = 64 * 1024 * 1024  # bytes a listener may lag
LISTENERS_MAX: Final = 16
SAYABLE: Final = (KillRequested, ResetRequested, StopRequested)

log = logging.getLogger("polybawt.audit")


class AuditStream:
    """``hello`` renders the first line; ``say`` takes an operator's fact."""

    def __init__(
        self,
        path: Path,
        hello: Callable[[], bytes],
        say: Callable[[Fact], None],
        clock: Callable[[], int],
    ) -> None:
        self.path = path
        self._hello, self._say, self._clock = hello, say, clock
        self._listeners: set[asyncio.StreamWriter] = set()

    async def serve(self) -> None:
        """Accept listeners until cancelled."""
        self.path.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(self._listen, self.path, limit=LINE_MAX)
        self.path.chmod(0o600)
        try:
            await server.serve_forever()
        finally:
            for writer in tuple(self._listeners):
                writer.close()
            self.path.unlink(missing_ok=True)

    def publish(self, lines: list[bytes]) -> None:
        """Hand durable facts to every listener; never waits."""
        if not self._listeners:
            return
        block = b"".join(lines)
        for writer in tuple(self._listeners):
            if writer.transport.get_write_buffer_size() > BEHIND_MAX:
                log.warning("a listener fell behind and was dropped")
                self._drop(writer)
            else:
                writer.write(block)

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._listeners) >= LISTENERS_MAX:
            writer.write(refused("too many listeners"))
            writer.close()
            return
        writer.write(self._hello())
        self._listeners.add(writer)
        try:
            while line := await reader.readline():
                writer.write(self._heard(line))
        except (ConnectionError, ValueError) as e:  # ValueError: a line beyond the limit
            log.info("a listener left: %s", type(e).__name__)
        finally:
            self._drop(writer)

    def _heard(self, line: bytes) -> bytes:
        try:
            said = orjson.loads(line)
            fact = decode(str(said["kind"]), orjson.dumps({**said["fact"], "at_ns": self._clock()}))
        except (NotDecodable, ValueError, KeyError, TypeError) as wrong:
            return refused(f"not understood: {wrong}")
        if not isinstance(fact, SAYABLE):
            return refused(f"{type(fact).__name__} is not for operators to say")
        self._say(fact)
        return orjson.dumps({"accepted": type(fact).__name__, "seq": None}) + b"\n"

    def _drop(self, writer: asyncio.StreamWriter) -> None:
        self._listeners.discard(writer)
        writer.close()


def refused(why: str) -> bytes:
    return orjson.dumps({"refused": why[:300]}) + b"\n"


def line(seq: int, kind: str, body: bytes) -> bytes:
    """One fact of the stream."""
    return b'{"seq":%d,"kind":"%s","fact":%s}\n' % (seq, kind.encode(), body)


def hello(seq: int, state: object, **about: object) -> bytes:
    """The first line a listener gets."""
    whole = {"protocol": PROTOCOL, "seq": seq, **about, "state": CONVERTER.unstructure(state)}
    return orjson.dumps(whole) + b"\n"

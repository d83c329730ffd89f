"""The engine's end of the audit stream, on a real Unix socket, in the hands of a test."""

import asyncio
from pathlib import Path
from typing import Any

import orjson

from polybawt.core.codec import CONVERTER, encode
from polybawt.core.facts import (
    ApproveRequested,
    DecideRequested,
    DeclineRequested,
    KillRequested,
    ResetRequested,
)
from polybawt.core.machine import Fact
from tests.tui.scene import Scene

HEARD = {
    kind.__name__: kind
    for kind in (
        ApproveRequested, DecideRequested, DeclineRequested, KillRequested, ResetRequested,
    )
}  # fmt: skip


class AuditServer:
    """Serves one scene: hello, then what ``publish`` and ``tell`` send. ``said`` is what it heard.

    ``obeys``: a command becomes a fact of the scene at once. ``mute``: it is never answered.
    """

    def __init__(self, path: Path, scene: Scene, mode: str = "paper") -> None:
        self.path, self.scene, self.mode = path, scene, mode
        self.said: list[dict[str, Any]] = []
        self.obeys, self.mute, self.refuses = True, False, ""
        self.greeted = 0
        self._sent = 0
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._server: asyncio.Server | None = None
        self.real_ns = 1_000_000_000  # the system time of this world: it stands until it is set

    async def __aenter__(self) -> "AuditServer":
        self._server = await asyncio.start_unix_server(self._listen, self.path)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.drop()
        await asyncio.gather(*self._tasks)

    def drop(self) -> None:
        """End every connection."""
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.append(task)
        self.publish()
        writer.write(self.hello())
        self._writers.append(writer)
        self.greeted += 1
        while line := await reader.readline():
            self._heard(orjson.loads(line), writer)

    def hello(self) -> bytes:
        return (
            orjson.dumps(
                {
                    "protocol": 1,
                    "mode": self.mode,
                    "engine": "polybawt-1",
                    "seq": len(self.scene.facts),
                    "state": CONVERTER.unstructure(self.scene.state),
                    "clock": {
                        "real_ns": self.real_ns,
                        "venue_ns": self.scene.now_ns,
                        "rate": 1.0,
                    },
                }
            )
            + b"\n"
        )

    def _heard(self, said: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        self.said.append(said)
        if self.mute:
            return
        if self.refuses:
            writer.write(orjson.dumps({"refused": self.refuses}) + b"\n")
            return
        writer.write(orjson.dumps({"accepted": said["kind"], "seq": None}) + b"\n")
        if self.obeys:
            self.scene.feed(HEARD[said["kind"]](at_ns=self.scene.now_ns, **said["fact"]))
            self.publish()

    def publish(self) -> None:
        """Send every fact of the scene that was not sent yet."""
        fresh = self.scene.facts[self._sent :]
        for seq, fact in enumerate(fresh, start=self._sent + 1):
            self.tell(seq, fact)
        self._sent = len(self.scene.facts)

    def tell(self, seq: int, fact: Fact) -> None:
        kind, body = encode(fact)
        line = b'{"seq":%d,"kind":"%s","fact":%s}\n' % (seq, kind.encode(), body)
        for writer in self._writers:
            writer.write(line)

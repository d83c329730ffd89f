"""A second kernel that an observer runs: the audit stream folded into the engine's own state.

It starts from the state that the stream begins with and steps the same ``kernel.step`` with the
same facts, so it is the engine's state, not a likeness of it.  A fact that is not the next one
is refused (``Gap``) and the whole state is asked for again; nothing is guessed.  Commands that
the fold brings out are shown and never carried out.

Not here: trading, journaling, and any opinion about what is shown.

Source: architecture D9.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

import orjson
from attrs import frozen
from cattrs.errors import BaseValidationError

from polybawt.core.codec import CONVERTER, KINDS, NotDecodable
from polybawt.core.kernel import step
from polybawt.core.machine import Command, Fact, IllegalAction
from polybawt.core.state import State
from polybawt.venue.clock import Clock

PROTOCOL: Final = 1
LINE_MAX: Final = 64 * 1024 * 1024
CHUNK: Final = 256 * 1024
FOLD_S_MAX: Final = 0.008  # then the loop's other work, such as a key, has its turn
ANSWER_S_MAX: Final = 5.0
RETRY_S_MIN: Final = 0.1
RETRY_S_MAX: Final = 5.0


class Gap(Exception):
    """A fact is missing, repeated, or does not fit our state: what we hold is no longer true."""


class NotSent(Exception):
    """There is no link, so nothing has left."""


class Unanswered(Exception):
    """It left, and no answer came: the engine may have heard it."""


@frozen(kw_only=True)
class Synced:
    """The whole state was taken over as of ``seq``."""

    seq: int


@frozen(kw_only=True)
class Folded:
    """One fact was folded; ``commands`` is what it made the engine ask of its shell."""

    seq: int
    fact: Fact
    commands: tuple[Command, ...]


@frozen(kw_only=True)
class Lost:
    """The stream ended. What is shown from here on is the past."""

    reason: str


Change = Synced | Folded | Lost


class Replica:
    """``heard_ns`` is system time; all else is the engine's. ``state`` is only ever read."""

    def __init__(self, now_ns: Callable[[], int] = time.time_ns) -> None:
        self.state = State()
        self.seq = -1
        self.mode = self.engine = ""
        self.clock = Clock()
        self.connected = False
        self.heard_ns = 0
        self.commands: tuple[Command, ...] = ()
        self._now_ns = now_ns
        self._writer: asyncio.StreamWriter | None = None
        self._answers: deque[asyncio.Future[str]] = deque()

    def venue_ns(self) -> int:
        """The venue's time now, as the engine reckons it."""
        return self.clock.at(self._now_ns())

    def heard_age_ns(self) -> int:
        """How long the stream has been silent, system time."""
        return max(0, self._now_ns() - self.heard_ns)

    # Folding.

    def begin(self, line: bytes) -> None:
        """Take over the whole state: the first line of a stream."""
        hello = _message(line)
        if "refused" in hello:
            raise Gap(f"the engine refused: {str(hello['refused'])[:200]}")
        if hello.get("protocol") != PROTOCOL:
            raise Gap(f"protocol {str(hello.get('protocol'))[:20]}, not {PROTOCOL}")
        try:
            state = CONVERTER.structure(hello["state"], State)
            clock = CONVERTER.structure(hello["clock"], Clock)
            seq, mode, engine = int(hello["seq"]), str(hello["mode"]), str(hello["engine"])
        except (BaseValidationError, ValueError, TypeError, KeyError) as wrong:
            raise NotDecodable("a state of another version") from wrong
        self.state, self.clock, self.seq, self.mode, self.engine = state, clock, seq, mode, engine
        self.commands, self.heard_ns = (), self._now_ns()

    def apply(self, line: bytes) -> Fact | None:
        """Fold the next fact; None for an answer to something we said."""
        message = _message(line)
        self.heard_ns = self._now_ns()
        if "fact" not in message:
            self._answered(message)
            return None
        seq, kind = message.get("seq"), str(message.get("kind"))
        if seq != self.seq + 1:
            raise Gap(f"expected fact {self.seq + 1}, got {str(seq)[:20]}")
        if kind not in KINDS:
            raise NotDecodable(f"unknown fact {kind[:40]!r}")
        try:
            fact: Fact = CONVERTER.structure(message["fact"], KINDS[kind])
        except (BaseValidationError, ValueError, TypeError, KeyError) as wrong:
            raise NotDecodable(f"{kind} of another version") from wrong
        try:
            self.commands = step(self.state, fact)
        except (AssertionError, IllegalAction, LookupError) as wrong:
            raise Gap(f"fact {seq} does not fit: {wrong!r:.200}") from wrong
        self.seq = seq
        return fact

    # Following.

    async def follow(self, path: Path, on_change: Callable[[Change], None]) -> None:
        """Hold the link until cancelled: connect, fold, and begin anew after any loss."""
        pause = RETRY_S_MIN
        while True:
            before = self.seq
            try:
                reason = await self._connection(path, on_change)
            except (OSError, Gap, NotDecodable) as wrong:
                reason = str(wrong) or type(wrong).__name__
            self._hang_up()
            on_change(Lost(reason=reason))
            pause = RETRY_S_MIN if self.seq != before else min(2 * pause, RETRY_S_MAX)
            await asyncio.sleep(pause)

    async def _connection(self, path: Path, on_change: Callable[[Change], None]) -> str:
        """One connection's life; why it ended."""
        reader, writer = await asyncio.open_unix_connection(path, limit=CHUNK)
        self._writer = writer
        yielded = time.perf_counter()
        async for lines in _lines(reader):
            for line in lines:
                self._take(line, on_change)
                if time.perf_counter() - yielded > FOLD_S_MAX:
                    await asyncio.sleep(0)
                    yielded = time.perf_counter()
        return "the engine closed the stream"

    def _take(self, line: bytes, on_change: Callable[[Change], None]) -> None:
        if not self.connected:
            self.begin(line)
            self.connected = True
            on_change(Synced(seq=self.seq))
        elif (fact := self.apply(line)) is not None:
            on_change(Folded(seq=self.seq, fact=fact, commands=self.commands))

    def _hang_up(self) -> None:
        self.connected = False
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        while self._answers:
            answer = self._answers.popleft()
            if not answer.done():
                answer.set_exception(Unanswered("the link was lost before the answer"))

    # Speaking.

    async def send(self, kind: str, **fields: str | int) -> str:
        """Say one operator's fact: "" when the engine took it, else why it refused.

        Taken is not done: what became of it arrives as facts.
        """
        writer = self._writer
        if writer is None or not self.connected:
            raise NotSent("there is no link to the engine")
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._answers.append(answer)
        writer.write(orjson.dumps({"kind": kind, "fact": fields}) + b"\n")
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                await writer.drain()
                return await answer
        except (TimeoutError, ConnectionError) as wrong:
            raise Unanswered(f"no answer to {kind}") from wrong

    def _answered(self, message: dict[str, Any]) -> None:
        """Answers come in the order of what we said; one that came too late is dropped."""
        if self._answers:
            answer = self._answers.popleft()
            if not answer.done():
                refused = str(message.get("refused", "refused"))[:300]
                answer.set_result("" if "accepted" in message else refused)


def _message(line: bytes) -> dict[str, Any]:
    try:
        message = orjson.loads(line)
    except orjson.JSONDecodeError as wrong:
        raise NotDecodable("a line that is not JSON") from wrong
    if not isinstance(message, dict):
        raise NotDecodable("a line that is no object")
    return message


async def _lines(reader: asyncio.StreamReader) -> AsyncIterator[list[bytes]]:
    """The whole lines of each chunk, as it comes; the first may be millions of bytes long."""
    rest = bytearray()
    while chunk := await reader.read(CHUNK):
        rest += chunk
        if len(rest) > LINE_MAX:
            raise Gap(f"a line of more than {LINE_MAX} bytes")
        if b"\n" in chunk:
            *lines, tail = bytes(rest).split(b"\n")
            rest = bytearray(tail)
            yield lines

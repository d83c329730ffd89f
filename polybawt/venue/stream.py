"""One stream of the venue, kept alive: connect, name what we want, hear, come back.

A ``Stream`` is one connection that always exists or is being made again.  What is said on it is
the business of its ``Link`` (``links``): the frames to open and to subscribe, and how a frame
becomes facts.  Facts are emitted in order, and a full queue makes the socket wait, which is the
only honest back-pressure.  There is no replay: after every ``LinkUp`` the kernel reads again what
it may have missed.  A PONG proves the link, never its data (decision D12).

Source: exchange reference 4.1, 4.3, 4.4 and section 6, items 9 to 11.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Final, Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from polybawt.core.facts import LinkDown, LinkHeard, LinkUp
from polybawt.core.machine import Fact
from polybawt.venue.backoff import Backoff
from polybawt.venue.wire import excerpt

FRAME_MAX: Final = 16 * 1024 * 1024
OPEN_S: Final = 10.0
CLOSE_S: Final = 1.0
UNANSWERED_MAX: Final = 3  # PINGs without any PONG: 30 s on the CLOB's streams
EARLY_DROPS_MAX: Final = 3
RECONNECT: Final = Backoff(0.25, 30.0)


class Link(Protocol):
    """What is said on one stream. ``keys`` are what it was asked to follow, in order."""

    @property
    def name(self) -> str: ...

    @property
    def ping_s(self) -> float: ...

    @property
    def needs_keys(self) -> bool:
        """Whether a connection without anything to follow would be refused."""

    def opening(self, keys: tuple[str, ...]) -> list[str]:
        """The frames to send at once after the handshake."""

    def subscribe(self, keys: tuple[str, ...]) -> list[str]: ...

    def unsubscribe(self, keys: tuple[str, ...]) -> list[str]: ...

    def facts(self, raw: str | bytes, now_ns: int, keys: Collection[str]) -> tuple[Fact, ...]: ...


class Stream:
    """``clock`` gives the venue's time in ns; ``emit`` takes each fact, in order."""

    def __init__(
        self,
        url: str,
        link: Link,
        clock: Callable[[], int],
        emit: Callable[[Fact], Awaitable[None]],
        *,
        backoff: Backoff = RECONNECT,
        ping_s: float | None = None,
    ) -> None:
        self._url, self._link, self._clock, self._emit = url, link, clock, emit
        self._backoff, self._ping_s = backoff, link.ping_s if ping_s is None else ping_s
        self._keys: dict[str, None] = {}  # a set that keeps its order
        self._wanted = asyncio.Event()
        self._socket: ClientConnection | None = None
        self._unanswered = 0
        self._heard = False
        if not link.needs_keys:
            self._wanted.set()

    async def subscribe(self, keys: Iterable[str]) -> None:
        """Follow these too, now and after every reconnect. Known ones are not named again:
        that would toggle a flag at the venue (reference 4.1)."""
        fresh = tuple(dict.fromkeys(key for key in keys if key not in self._keys))
        if fresh:
            self._keys |= dict.fromkeys(fresh)
            self._wanted.set()
            await self._say(self._link.subscribe(fresh))

    async def unsubscribe(self, keys: Iterable[str]) -> None:
        gone = tuple(dict.fromkeys(key for key in keys if key in self._keys))
        for key in gone:
            del self._keys[key]
        if gone:
            await self._say(self._link.unsubscribe(gone))

    async def run(self) -> None:
        """Keep the stream up until cancelled. A link without anything to follow stays down."""
        attempt, early_drops = 0, 0
        while True:
            await self._wanted.wait()
            self._heard = False
            reason = await self._connection()
            attempt = 0 if self._heard else attempt + 1
            early_drops = 0 if self._heard else early_drops + 1
            if early_drops >= EARLY_DROPS_MAX and self._link.name == "user":
                # bad credentials are answered by a drop without a word (reference 4.3)
                reason = f"credentials refused? {early_drops} drops before a word, last: {reason}"
            down = LinkDown(link=self._link.name, reason=excerpt(reason), at_ns=self._clock())
            await self._emit(down)
            await asyncio.sleep(self._backoff.delay_s(attempt))

    async def _connection(self) -> str:
        """One connection from handshake to end; gives the reason of its end."""
        try:
            async with connect(
                self._url,
                open_timeout=OPEN_S,
                close_timeout=CLOSE_S,
                ping_interval=None,  # the venue's own PING is a text
                max_size=FRAME_MAX,
                proxy=None,
            ) as socket:
                return await self._session(socket)
        except (OSError, WebSocketException) as lost:
            return f"{type(lost).__name__}: {lost}"
        finally:
            self._socket = None

    async def _session(self, socket: ClientConnection) -> str:
        self._socket, self._unanswered = socket, 0
        await self._say(self._link.opening(tuple(self._keys)))
        await self._emit(LinkUp(link=self._link.name, at_ns=self._clock()))
        async with asyncio.TaskGroup() as group:
            beat = group.create_task(self._beat(socket), name=f"ping {self._link.name}")
            reason = await self._listen(socket)
            beat.cancel()
        return reason

    async def _listen(self, socket: ClientConnection) -> str:
        """Emit what is heard until the connection ends."""
        while True:
            try:
                raw = await socket.recv()
            except ConnectionClosed as closed:
                return str(closed)
            self._heard, now_ns = True, self._clock()
            if raw in ("PONG", b"PONG"):
                self._unanswered = 0
                await self._emit(LinkHeard(link=self._link.name, at_ns=now_ns))
                continue
            for fact in self._link.facts(raw, now_ns, self._keys):
                await self._emit(fact)

    async def _beat(self, socket: ClientConnection) -> None:
        """PING as text, for ever; a link that answers none of a few is dead."""
        while True:
            await asyncio.sleep(self._ping_s)
            if self._unanswered >= UNANSWERED_MAX:
                await socket.close(reason=f"no PONG after {self._unanswered} PINGs")
                return
            self._unanswered += 1
            try:
                await socket.send("PING")
            except ConnectionClosed:
                return  # the listener hears of it too, and gives the reason

    async def _say(self, frames: list[str]) -> None:
        """Send to the connection there is; one that has ended is told again when it is back."""
        socket = self._socket
        if socket is None:
            return
        try:
            for frame in frames:
                await socket.send(frame)
        except ConnectionClosed:
            return

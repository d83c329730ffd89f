"""The streams of the venue, kept alive: connect, name what we want, hear, come back.

A ``Stream`` is one connection that always exists or is being made again.  What is said on it is
the business of its ``Link`` (``links``): the frames to open and to subscribe, and how a frame
becomes facts.  Facts are emitted in order, and a full queue makes the socket wait, which is the
only honest back-pressure.  There is no replay: after every ``LinkUp`` the kernel reads again what
it may have missed.  A PONG proves the link, never its data (decision D12): whether a stream that
answers keeps something from us is the kernel's question, and ``reconnect`` its answer.

A venue that refuses credentials cuts the connection without a word.  Several such cuts in a row,
each right after our first frame, are told as ``LinkRefused``, and from then on the venue is
asked rarely.  ``Streams`` are the connections of the market channel: it serves only so many
tokens on each.

Source: exchange reference 4.1, 4.3, 4.4 and section 6, items 9 to 11.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Final, Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from polybawt.core.facts import LinkDown, LinkGap, LinkHeard, LinkRefused, LinkUp
from polybawt.core.machine import Fact
from polybawt.venue.backoff import Backoff
from polybawt.venue.wire import excerpt

REASON_MAX: Final = 100  # a close frame holds 123 bytes
FRAME_MAX: Final = 16 * 1024 * 1024
OPEN_S: Final = 10.0
CLOSE_S: Final = 1.0
UNANSWERED_MAX: Final = 3  # PINGs without any PONG: 30 s on the CLOB's streams
EARLY_DROPS_MAX: Final = 3
CODE_DENIED: Final = 4001  # the numbered price stream says in words what the others do not
EARLY_S: Final = 2.0  # a connection cut sooner after our credentials was cut because of them
REFUSED_RETRY_S: Final = 60.0
RECONNECT: Final = Backoff(0.25, 30.0)


class Link(Protocol):
    """What is said on one stream. ``keys`` are what it was asked to follow, in order."""

    @property
    def name(self) -> str: ...

    @property
    def ping(self) -> str:
        """The text that the venue answers by its own pong."""

    @property
    def ping_s(self) -> float: ...

    @property
    def authenticates(self) -> bool:
        """Whether its first frame holds credentials, which are refused by silence."""

    @property
    def needs_keys(self) -> bool:
        """Whether a connection without anything to follow would be refused."""

    def opening(self, keys: tuple[str, ...]) -> list[str]:
        """The frames to send at once after the handshake."""

    def subscribe(self, keys: tuple[str, ...]) -> list[str]: ...

    def unsubscribe(self, keys: tuple[str, ...]) -> list[str]: ...

    def is_pong(self, raw: str | bytes) -> bool: ...

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
        early_drops_max: int = EARLY_DROPS_MAX,
        refused_retry_s: float = REFUSED_RETRY_S,
    ) -> None:
        self._early_drops_max, self._refused_retry_s = early_drops_max, refused_retry_s
        self._url, self._link, self._clock, self._emit = url, link, clock, emit
        self._backoff, self._ping_s = backoff, link.ping_s if ping_s is None else ping_s
        self._keys: dict[str, None] = {}  # a set that keeps its order
        self._wanted = asyncio.Event()
        self._socket: ClientConnection | None = None
        self._unanswered = 0
        self._heard = self._denied = False
        self._spoke_at: float | None = None  # when our first frame left, by the loop's clock
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
        if not self._keys and self._link.needs_keys:
            self._wanted.clear()  # should this connection end, nobody needs another
        if gone:
            await self._say(self._link.unsubscribe(gone))

    async def reconnect(self, reason: str) -> None:
        """End the connection there is; the next one is made as after any loss."""
        if self._socket is not None:
            await self._socket.close(reason=reason[:REASON_MAX])

    async def run(self) -> None:
        """Keep the stream up until cancelled. A link without anything to follow stays down."""
        attempt, early_drops, name = 0, 0, self._link.name
        while True:
            await self._wanted.wait()
            self._heard, self._denied, self._spoke_at = False, False, None
            reason = await self._connection()
            attempt = 0 if self._heard else attempt + 1
            early_drops = self._early_drops(early_drops)
            refused = early_drops >= self._early_drops_max
            if refused:  # bad credentials are answered by a drop without a word (reference 4.3)
                reason = f"credentials refused? {early_drops} drops before a word, last: {reason}"
            await self._emit(LinkDown(link=name, reason=excerpt(reason), at_ns=self._clock()))
            if refused:
                told = LinkRefused(link=name, reason=excerpt(reason), at_ns=self._clock())
                await self._emit(told)
            await asyncio.sleep(self._pause_s(attempt, refused))

    def _early_drops(self, before: int) -> int:
        """How many connections in a row were cut right after our credentials."""
        if not self._link.authenticates or self._spoke_at is None:
            return before  # it was never made: that says nothing of credentials
        if self._denied:
            return self._early_drops_max
        lasted_s = asyncio.get_running_loop().time() - self._spoke_at
        return before + 1 if lasted_s < EARLY_S and not self._heard else 0

    def _pause_s(self, attempt: int, refused: bool) -> float:
        """Who is refused asks rarely: dialling on would be a storm without a chance."""
        return self._refused_retry_s if refused else self._backoff.delay_s(attempt)

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
        self._spoke_at = asyncio.get_running_loop().time()
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
                self._denied |= closed.rcvd is not None and closed.rcvd.code == CODE_DENIED
                return str(closed)
            self._heard, now_ns = True, self._clock()
            if self._link.is_pong(raw):
                self._unanswered = 0
                await self._emit(LinkHeard(link=self._link.name, at_ns=now_ns))
                continue
            for fact in self._link.facts(raw, now_ns, self._keys):
                await self._take(socket, fact)

    async def _take(self, socket: ClientConnection, fact: Fact) -> None:
        """Emit what was heard; a refusal in words, or a gap in numbers, ends the connection."""
        match fact:
            case LinkRefused():
                self._denied = True  # ``run`` tells it, once
                await socket.close(reason="refused")
            case LinkGap():
                await self._emit(fact)
                await socket.close(reason="frames are missing")
            case _:
                await self._emit(fact)

    async def _beat(self, socket: ClientConnection) -> None:
        """PING for ever; a link that answers none of a few is dead."""
        while True:
            await asyncio.sleep(self._ping_s)
            if self._unanswered >= UNANSWERED_MAX:
                await socket.close(reason=f"no PONG after {self._unanswered} PINGs")
                return
            self._unanswered += 1
            try:
                await socket.send(self._link.ping)
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


class Streams:
    """The market channel over as many connections as the kernel names, a task for each.

    ``make`` gives the stream of a link's name.
    """

    def __init__(self, make: Callable[[str], Stream]) -> None:
        self._make = make
        self._streams: dict[str, Stream] = {}
        self._made: asyncio.Queue[tuple[str, Stream]] = asyncio.Queue()

    async def subscribe(self, keys: Iterable[str], link: str) -> None:
        await self._of(link).subscribe(keys)

    async def unsubscribe(self, keys: Iterable[str], link: str) -> None:
        await self._of(link).unsubscribe(keys)

    async def reconnect(self, link: str, reason: str) -> None:
        await self._of(link).reconnect(reason)

    async def run(self) -> None:
        """Keep all of them up until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                name, stream = await self._made.get()
                tasks.create_task(stream.run(), name=f"{name} stream")

    def _of(self, link: str) -> Stream:
        if link not in self._streams:
            self._streams[link] = self._make(link)
            self._made.put_nowait((link, self._streams[link]))
        return self._streams[link]

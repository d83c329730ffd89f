"""Who listens to what: the subscribers of the streams and a way to reach them.

Publishing never waits.  Each subscriber has a bounded queue of finished frames and a task of its
own that writes them, all that there are in one write; whoever falls a full queue behind is cut
off, and nobody else notices.  Frames are bytes made once per event.  Nothing here knows what one
says.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from polybawt.exchange.wire.live import FIRST_SEQ
from polybawt.exchange.wire.live import frame as live_frame
from polybawt.exchange.wire.oracle import TOPIC as SETTLEMENT_TOPIC

QUEUE_MAX: Final = 20_000
LIVE_QUEUE_MAX: Final = 1_000
LOST_MAX: Final = 1_000  # frames that one slow reader may lose
BURST_MAX: Final = 256  # frames that leave in one write: a write costs more than many frames
BACKLOG_MAX: Final = 1 << 20  # bytes that the kernel has not taken yet; then we wait for the reader
BACKLOG_S: Final = 0.005
TEXT_FRAME: Final = 0x81  # final, text
TOKENS_MAX: Final = 500  # beyond it the venue sends no first book (reference 4.1)


class Subscriber:
    """One connection. ``sever`` cuts it without a closing handshake."""

    def __init__(self, sever: Callable[[], None], queue_max: int = QUEUE_MAX) -> None:
        self._sever = sever
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(queue_max)
        self.severed = False
        self.spoil: Callable[[bytes], Sequence[bytes]] = lambda frame: (frame,)

    def offer(self, frame: bytes) -> None:
        """Queue a frame, or cut the connection of a reader that is too slow."""
        for sent in () if self.severed else self.spoil(frame):
            self.answer(sent)

    def answer(self, frame: bytes) -> None:
        """Queue a frame that nothing happens to on the way."""
        if self.severed:
            return
        try:
            self._queue.put_nowait(frame)
        except asyncio.QueueFull:
            self.cut()

    def unsent(self) -> list[bytes]:
        """Take back what is still queued, when nobody writes it any more."""
        return [self._queue.get_nowait() for _ in range(self._queue.qsize())]

    def cut(self) -> None:
        self.severed = True
        self._sever()

    async def write_all(self, transport: asyncio.WriteTransport) -> None:
        """Write queued frames, as many at once as there are, until the peer is gone."""
        while not transport.is_closing():
            burst = [framed(await self._queue.get())]
            while len(burst) < BURST_MAX and not self._queue.empty():
                burst.append(framed(self._queue.get_nowait()))
            transport.write(b"".join(burst))
            # Whoever is told that a transport has drained is the server's own protocol, not we.
            while transport.get_write_buffer_size() > BACKLOG_MAX:  # noqa: ASYNC110
                await asyncio.sleep(BACKLOG_S)


def framed(text: bytes) -> bytes:
    """One whole text frame of a server, unmasked (RFC 6455, 5.2)."""
    size = len(text)
    if size < 126:
        return bytes((TEXT_FRAME, size)) + text
    if size < 1 << 16:
        return bytes((TEXT_FRAME, 126)) + size.to_bytes(2, "big") + text
    return bytes((TEXT_FRAME, 127)) + size.to_bytes(8, "big") + text


class MarketSubscriber(Subscriber):
    """Listens to tokens; ``custom`` adds resolutions, new markets and best prices."""

    def __init__(self, sever: Callable[[], None], queue_max: int = QUEUE_MAX) -> None:
        super().__init__(sever, queue_max)
        self.tokens: set[str] = set()
        self.custom = False


class UserSubscriber(Subscriber):
    """Listens to one account; ``markets`` None means all of them."""

    def __init__(
        self,
        sever: Callable[[], None],
        address: str,
        markets: set[str] | None,
        queue_max: int = QUEUE_MAX,
    ) -> None:
        super().__init__(sever, queue_max)
        self.address = address
        self.markets = markets


class OracleSubscriber(Subscriber):
    """Listens to price topics; the symbols None mean all of a topic."""

    def __init__(self, sever: Callable[[], None], queue_max: int = QUEUE_MAX) -> None:
        super().__init__(sever, queue_max)
        self.wanted: dict[str, set[str] | None] = {}

    def hears(self, topic: str, symbol: str) -> bool:
        symbols = self.wanted.get(topic, ())
        return symbols is None or symbol in symbols


class LiveSubscriber(Subscriber):
    """Listens to (channel, symbol) pairs; counts its frames by channel.

    A frame has its number before anything can happen to it, so whatever is lost on the way, by a
    fault or because this reader is slow, is seen as a gap.  Who reads too slowly loses frames
    before it is cut off, and is told how many.
    """

    def __init__(self, sever: Callable[[], None], queue_max: int = LIVE_QUEUE_MAX) -> None:
        super().__init__(sever, queue_max)
        self.wanted: set[tuple[str, str]] = set()
        self._seqs: dict[str, int] = {}
        self._lost = 0

    def tell(self, channel: str, rest: bytes) -> None:
        """Send one frame of a channel; ``rest`` is all of it after its number."""
        seq = self._seqs[channel] = self._seqs.get(channel, FIRST_SEQ - 1) + 1
        if self._queue.full():
            self._lost += 1
            if self._lost > LOST_MAX:
                self.cut()
            return
        lost, self._lost = self._lost, 0
        self.offer(live_frame(channel, seq, lost, rest))


class Hub:
    def __init__(self) -> None:
        self._market: set[MarketSubscriber] = set()
        self._by_token: dict[str, set[MarketSubscriber]] = {}
        self._user: dict[str, set[UserSubscriber]] = {}
        self._oracle: set[OracleSubscriber] = set()
        self._live: set[LiveSubscriber] = set()

    # The market channel.

    def join_market(self, subscriber: MarketSubscriber) -> None:
        self._market.add(subscriber)

    def leave_market(self, subscriber: MarketSubscriber) -> None:
        self._market.discard(subscriber)
        self.unfollow(subscriber, list(subscriber.tokens))

    def follow(self, subscriber: MarketSubscriber, tokens: Iterable[str]) -> list[str]:
        """Subscribe to tokens and return those that were not active before."""
        fresh = [token for token in dict.fromkeys(tokens) if token not in subscriber.tokens]
        for token in fresh:
            subscriber.tokens.add(token)
            self._by_token.setdefault(token, set()).add(subscriber)
        return fresh

    def unfollow(self, subscriber: MarketSubscriber, tokens: Iterable[str]) -> None:
        for token in tokens:
            subscriber.tokens.discard(token)
            listeners = self._by_token.get(token)
            if listeners is not None:
                listeners.discard(subscriber)
                if not listeners:
                    del self._by_token[token]

    def to_tokens(self, tokens: Iterable[str], frame: bytes, custom: bool = False) -> None:
        """Send once to everybody who follows any of these tokens."""
        listeners: set[MarketSubscriber] = set()
        for token in tokens:
            listeners |= self._by_token.get(token, set())
        for subscriber in listeners:
            if subscriber.custom or not custom:
                subscriber.offer(frame)

    def followed(self, tokens: Iterable[str]) -> bool:
        return any(token in self._by_token for token in tokens)

    def to_custom(self, frame: bytes) -> None:
        """Send to every connection that asked for the custom features."""
        for subscriber in self._market:
            if subscriber.custom:
                subscriber.offer(frame)

    # The user channel.

    def join_user(self, subscriber: UserSubscriber) -> None:
        self._user.setdefault(subscriber.address, set()).add(subscriber)

    def leave_user(self, subscriber: UserSubscriber) -> None:
        listeners = self._user.get(subscriber.address, set())
        listeners.discard(subscriber)
        if not listeners:
            self._user.pop(subscriber.address, None)

    def heard_by(self, address: str) -> bool:
        return address in self._user

    def to_user(self, address: str, condition_id: str, frame: bytes) -> None:
        for subscriber in self._user.get(address, ()):
            if subscriber.markets is None or condition_id in subscriber.markets:
                subscriber.offer(frame)

    # The price stream.

    def join_oracle(self, subscriber: OracleSubscriber) -> None:
        self._oracle.add(subscriber)

    def leave_oracle(self, subscriber: OracleSubscriber) -> None:
        self._oracle.discard(subscriber)

    def to_oracle(self, symbol: str, frame: bytes, topic: str = SETTLEMENT_TOPIC) -> None:
        for subscriber in self._oracle:
            if subscriber.hears(topic, symbol):
                subscriber.offer(frame)

    # Its successor.

    def join_live(self, subscriber: LiveSubscriber) -> None:
        self._live.add(subscriber)

    def leave_live(self, subscriber: LiveSubscriber) -> None:
        self._live.discard(subscriber)

    def to_live(self, channel: str, symbol: str, rest: bytes) -> None:
        for subscriber in self._live:
            if (channel, symbol) in subscriber.wanted:
                subscriber.tell(channel, rest)

    def cut_all(self) -> None:
        """End every stream: the exchange stops, or the network fails."""
        users = [one for group in self._user.values() for one in group]
        for subscriber in [*self._market, *users, *self._oracle, *self._live]:
            subscriber.cut()

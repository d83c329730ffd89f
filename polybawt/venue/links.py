"""What is said on the venue's streams: the opening frames, the subscriptions, the parsing.

Source: exchange reference 4.1, 4.3 and 4.4.
"""

from collections.abc import Collection, Iterator
from typing import Final

import orjson
from attrs import define, evolve, field, frozen

from polybawt.core.facts import LinkGap, LinkRefused, OracleReported, SpotReported
from polybawt.core.machine import Fact
from polybawt.venue import wire, wire_prices, wire_stream
from polybawt.venue.signing import Credentials

BATCH_MAX: Final = 200  # assets named in one frame
PRICES_MAX: Final = 64  # subscriptions of one connection of the numbered price stream
PING_TEXT: Final = "PING"
PONGS: Final = ("PONG", b"PONG")


def _frame(document: object) -> str:
    return orjson.dumps(document).decode()


def _proof(credentials: Credentials) -> dict[str, str]:
    return {
        "apiKey": credentials.key,
        "secret": credentials.secret,
        "passphrase": credentials.passphrase,
    }


def _batches(keys: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for start in range(0, len(keys), BATCH_MAX):
        yield keys[start : start + BATCH_MAX]


@frozen
class MarketLink:
    """Books, changes and prints of the tokens named. More than about 500 on one connection
    get no first book (reference 4.1): the kernel spreads them over several links."""

    name: str = "market"
    ping: str = PING_TEXT
    ping_s: float = 10.0
    authenticates: bool = False
    needs_keys: bool = True

    def opening(self, keys: tuple[str, ...]) -> list[str]:
        first, *rest = [*_batches(keys)] or [()]
        opening = {"type": "market", "assets_ids": first, "custom_feature_enabled": True}
        return [_frame(opening), *(self._frame("subscribe", batch) for batch in rest)]

    def subscribe(self, keys: tuple[str, ...]) -> list[str]:
        return [self._frame("subscribe", batch) for batch in _batches(keys)]

    def unsubscribe(self, keys: tuple[str, ...]) -> list[str]:
        return [self._frame("unsubscribe", batch) for batch in _batches(keys)]

    def _frame(self, operation: str, batch: tuple[str, ...]) -> str:
        asked = {"operation": operation, "assets_ids": batch}
        return _frame(
            asked | ({"custom_feature_enabled": True} if operation == "subscribe" else {})
        )

    def is_pong(self, raw: str | bytes) -> bool:
        return raw in PONGS

    def facts(self, raw: str | bytes, now_ns: int, keys: Collection[str]) -> tuple[Fact, ...]:
        return wire_stream.market_facts(raw, now_ns)


@frozen
class UserLink:
    """Our orders and trades in all markets: without ``markets`` the venue sends every one."""

    credentials: Credentials
    name: str = "user"
    ping: str = PING_TEXT
    ping_s: float = 10.0
    authenticates: bool = True
    needs_keys: bool = False

    def opening(self, keys: tuple[str, ...]) -> list[str]:
        return [_frame({"type": "user", "auth": _proof(self.credentials)})]

    def subscribe(self, keys: tuple[str, ...]) -> list[str]:
        return []

    def unsubscribe(self, keys: tuple[str, ...]) -> list[str]:
        return []

    def is_pong(self, raw: str | bytes) -> bool:
        return raw in PONGS

    def facts(self, raw: str | bytes, now_ns: int, keys: Collection[str]) -> tuple[Fact, ...]:
        return wire_stream.user_facts(raw, now_ns)


@frozen
class OracleLink:
    """Chainlink reports of the symbols named (``btc/usd``), and the spot that runs ahead of them.

    The venue's filter is known to fail (real-time-data-client#34), so what was not asked for is
    dropped here.
    """

    topic: str = "crypto_prices_chainlink"
    name: str = "oracle"
    ping: str = PING_TEXT
    ping_s: float = 5.0
    authenticates: bool = False
    needs_keys: bool = True

    def opening(self, keys: tuple[str, ...]) -> list[str]:
        return self.subscribe(keys)

    def subscribe(self, keys: tuple[str, ...]) -> list[str]:
        return [self._frame("subscribe", keys)]

    def unsubscribe(self, keys: tuple[str, ...]) -> list[str]:
        return [self._frame("unsubscribe", keys)]

    def _frame(self, action: str, keys: tuple[str, ...]) -> str:
        """``filters`` is JSON within a text, compact, and compared letter by letter."""
        wanted = [
            {"topic": self.topic, "type": "*", "filters": _frame({"symbol": key})} for key in keys
        ]
        if spots := [key.replace("/usd", wire_stream.SPOT_QUOTE) for key in keys]:
            spot = {"topic": wire_stream.SPOT_TOPIC, "type": "update", "filters": ",".join(spots)}
            wanted.append(spot)
        return _frame({"action": action, "subscriptions": wanted})

    def is_pong(self, raw: str | bytes) -> bool:
        return raw in PONGS

    def facts(self, raw: str | bytes, now_ns: int, keys: Collection[str]) -> tuple[Fact, ...]:
        return tuple(
            fact
            for fact in wire_stream.oracle_facts(raw, now_ns)
            if not isinstance(fact, OracleReported | SpotReported) or fact.symbol in keys
        )


@define(kw_only=True)
class PricesLink:
    """The numbered price stream, which replaces RTDS where the configuration names it.

    ``last`` is the number of the last frame of each channel, on this connection.  What is missing
    is told; a new connection begins with the last two minutes, so the stream makes one.
    """

    credentials: Credentials
    channel: str = "price.crypto"
    name: str = "oracle"
    ping: str = '{"op":"ping"}'
    ping_s: float = 10.0
    authenticates: bool = True
    needs_keys: bool = True
    last: dict[str, int] = field(factory=dict)

    def opening(self, keys: tuple[str, ...]) -> list[str]:
        self.last.clear()
        auth = _frame({"op": "auth", "auth": _proof(self.credentials), "rid": "auth"})
        return [auth, *self.subscribe(keys)]

    def subscribe(self, keys: tuple[str, ...]) -> list[str]:
        return [self._frame("subscribe", keys)] if keys else []

    def unsubscribe(self, keys: tuple[str, ...]) -> list[str]:
        return [self._frame("unsubscribe", keys)]

    def _frame(self, op: str, keys: tuple[str, ...]) -> str:
        wanted = [
            {"channel": self.channel, "filter": {"symbol": wire_prices.short(key)}}
            for key in keys[:PRICES_MAX]
        ]
        return _frame({"op": op, "subscriptions": wanted, "rid": op})

    def is_pong(self, raw: str | bytes) -> bool:
        return (raw if isinstance(raw, bytes) else raw.encode()).startswith(b'{"op":"pong"')

    def facts(self, raw: str | bytes, now_ns: int, keys: Collection[str]) -> tuple[Fact, ...]:
        """A gap is told before what came after it."""
        try:
            frame = wire_prices.numbered(raw, now_ns)
        except wire_prices.Denied as denied:
            return (LinkRefused(link=self.name, reason=str(denied), at_ns=now_ns),)
        except wire.READ_ERRORS as wrong:
            return (wire.bad_input("oracle", wrong, raw, now_ns),)
        if frame is None:
            return ()
        told = self._gap(frame, now_ns)
        for fact in frame.facts:
            if symbol := wire_prices.asked_for(fact.symbol, keys):
                told += (evolve(fact, symbol=symbol),)
        return told

    def _gap(self, frame: wire_prices.Numbered, now_ns: int) -> tuple[Fact, ...]:
        """What is missing before this frame; one that comes again, or late, moves nothing."""
        before = self.last.get(frame.channel)
        missed = frame.dropped
        if before is not None:
            missed += max(frame.seq - before - 1, 0)
        self.last[frame.channel] = max(frame.seq, before or 0)
        if not missed:
            return ()
        gap = LinkGap(link=self.name, channel=frame.channel, missed=missed, at_ns=now_ns)
        return (gap,)

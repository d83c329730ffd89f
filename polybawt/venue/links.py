"""What is said on the venue's three streams: the opening frames, the subscriptions, the parsing.

Source: exchange reference 4.1, 4.3 and 4.4.
"""

from collections.abc import Collection, Iterator
from typing import Final

import orjson
from attrs import frozen

from polybawt.core.facts import OracleReported
from polybawt.core.machine import Fact
from polybawt.venue import wire_stream
from polybawt.venue.signing import Credentials

BATCH_MAX: Final = 200  # assets named in one frame


def _frame(document: object) -> str:
    return orjson.dumps(document).decode()


def _batches(keys: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for start in range(0, len(keys), BATCH_MAX):
        yield keys[start : start + BATCH_MAX]


@frozen
class MarketLink:
    """Books, changes and prints of the tokens named. More than about 500 on one connection
    get no first book (reference 4.1): the kernel spreads them over several links."""

    name: str = "market"
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

    def facts(self, raw: str | bytes, now_ns: int, keys: Collection[str]) -> tuple[Fact, ...]:
        return wire_stream.market_facts(raw, now_ns)


@frozen
class UserLink:
    """Our orders and trades in all markets: without ``markets`` the venue sends every one."""

    credentials: Credentials
    name: str = "user"
    ping_s: float = 10.0
    authenticates: bool = True
    needs_keys: bool = False

    def opening(self, keys: tuple[str, ...]) -> list[str]:
        proof = {
            "apiKey": self.credentials.key,
            "secret": self.credentials.secret,
            "passphrase": self.credentials.passphrase,
        }
        return [_frame({"type": "user", "auth": proof})]

    def subscribe(self, keys: tuple[str, ...]) -> list[str]:
        return []

    def unsubscribe(self, keys: tuple[str, ...]) -> list[str]:
        return []

    def facts(self, raw: str | bytes, now_ns: int, keys: Collection[str]) -> tuple[Fact, ...]:
        return wire_stream.user_facts(raw, now_ns)


@frozen
class OracleLink:
    """Chainlink reports of the symbols named (``btc/usd``). The venue's filter is known to fail
    (real-time-data-client#34), so what was not asked for is dropped here."""

    topic: str = "crypto_prices_chainlink"
    name: str = "oracle"
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
        return _frame({"action": action, "subscriptions": wanted})

    def facts(self, raw: str | bytes, now_ns: int, keys: Collection[str]) -> tuple[Fact, ...]:
        return tuple(
            fact
            for fact in wire_stream.oracle_facts(raw, now_ns)
            if not isinstance(fact, OracleReported) or fact.symbol in keys
        )

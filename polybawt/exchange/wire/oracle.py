"""Prices as the legacy real-time data stream spells them.

Quirks that are kept: the dump that answers a Chainlink subscription comes under the topic of
Binance; one frame serves all connections, so they share a connection id; filters are JSON within a
text, and compared letter by letter, so that one with a space in it finds nothing.

Source: exchange reference 4.4; frames as recorded in April 2026; filters as the venue documents
them (a comma list for Binance, an object for Chainlink).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from polybawt.core.units import MS_NS

BINANCE: Final = "crypto_prices"
TOPIC: Final = "crypto_prices_chainlink"
TWAP_30: Final = "crypto_prices_twap_thirty"
TWAP_60: Final = "crypto_prices_twap_sixty"
FEED_OF: Final[Mapping[str, tuple[str, int]]] = {
    BINANCE: ("binance", 0),
    TOPIC: ("chainlink", 0),
    TWAP_30: ("twap", 30),
    TWAP_60: ("twap", 60),
}
TOPIC_OF: Final = {feed: topic for topic, feed in FEED_OF.items()}
"""Topics that speak here.  ``equity_prices``, ``comments`` and ``activity`` may be subscribed to
and are silent, as nothing of the kind happens in this world; others do not exist."""

FILTERS_EXACT: Final = True  # UNCONFIRMED for other clients than those that were seen to fail
CONNECTION: Final = "polybawt"


def wanted(topic: str, filters: object) -> set[str] | None:
    """The symbols that a subscription names; None: every one."""
    if not isinstance(filters, str) or not filters:
        return None
    if topic == BINANCE and not filters.startswith("{"):
        return set(filters.split(","))
    try:
        chosen: Any = orjson.loads(filters)
    except orjson.JSONDecodeError:
        return set() if FILTERS_EXACT else None
    symbol = chosen.get("symbol") if isinstance(chosen, dict) else None
    if not isinstance(symbol, str):
        return None
    exact = orjson.dumps({"symbol": symbol}).decode() == filters
    return {symbol} if exact or not FILTERS_EXACT else set()


def update(topic: str, symbol: str, point: tuple[int, int], window_s: int, now_ns: int) -> bytes:
    """One price; only Chainlink's have every digit, and averages say of how many seconds."""
    at_ms, value_e18 = point
    exact = {} if topic == BINANCE else {"full_accuracy_value": str(value_e18)}
    window = {"window_s": window_s} if window_s else {}
    return orjson.dumps(
        {
            "connection_id": CONNECTION,
            "payload": {
                **exact,
                "symbol": symbol,
                "timestamp": at_ms,
                "value": value_e18 / 10**18,
                **window,
            },
            "timestamp": now_ns // MS_NS,
            "topic": topic,
            "type": "update",
        }
    )


def history(topic: str, symbol: str, points: Sequence[tuple[int, int]], now_ns: int) -> bytes:
    """The dump that answers a subscription."""
    return orjson.dumps(
        {
            "payload": {
                "data": [{"timestamp": at_ms, "value": e18 / 10**18} for at_ms, e18 in points],
                "symbol": symbol,
            },
            "timestamp": now_ns // MS_NS,
            "topic": BINANCE if topic == TOPIC else topic,
            "type": "subscribe",
        }
    )

"""Settlement prices as the legacy real-time data stream spells them.

Source: exchange reference 4.4; frames as recorded in April 2026.
"""

from collections.abc import Sequence
from typing import Final

import orjson

from polybawt.core.units import MS_NS

TOPIC: Final = "crypto_prices_chainlink"
HISTORY_TOPIC: Final = "crypto_prices"  # the first answer came under the topic's older name
CONNECTION: Final = "polybawt"  # one frame serves all connections, so they share this id


def update(symbol: str, value_e18: int, report_ms: int, now_ns: int) -> bytes:
    return orjson.dumps(
        {
            "connection_id": CONNECTION,
            "payload": {
                "full_accuracy_value": str(value_e18),
                "symbol": symbol,
                "timestamp": report_ms,
                "value": value_e18 / 10**18,
            },
            "timestamp": now_ns // MS_NS,
            "topic": TOPIC,
            "type": "update",
        }
    )


def history(symbol: str, points: Sequence[tuple[int, float]], now_ns: int) -> bytes:
    """The dump that answers a subscription."""
    return orjson.dumps(
        {
            "payload": {
                "data": [{"timestamp": at_ms, "value": value} for at_ms, value in points],
                "symbol": symbol,
            },
            "timestamp": now_ns // MS_NS,
            "topic": HISTORY_TOPIC,
            "type": "subscribe",
        }
    )

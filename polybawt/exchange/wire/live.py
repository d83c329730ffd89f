"""Prices as the successor of the legacy stream spells them, with sequence numbers.

A frame is ``{"v":1,"channel":…,"seq":…,"ts":…,"payload":{…}}``.  ``seq`` is its subscriber's own
count on that channel, so only the rest of a frame is made here, once for everybody.

Source: exchange reference 4.4; codes and acknowledgements as the unified SDK reads them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from polybawt.core.units import MS_NS

CHANNELS: Final = ("price.crypto", "price.crypto.twap", "price.equity", "price.equity.twap")
"""Of equities nothing is ever said here: their first snapshot is empty, and the last."""

FEED_OF: Final[Mapping[str, tuple[str, int]]] = {
    "price.crypto": ("chainlink", 0),
    "price.crypto.twap": ("twap", 60),
}
CHANNEL_OF: Final = {feed: channel for channel, feed in FEED_OF.items()}
WINDOW_S: Final = 60  # the only one that the channel has
SOURCES: Final = {"price.equity": "pyth", "price.equity.twap": "pyth"}
CHAINLINK: Final = "chainlink"  # of crypto; which source the venue prefers is UNCONFIRMED

FIRST_SEQ: Final = 1  # UNCONFIRMED; that it is dense, and counts snapshots too, is not
SYMBOL_MAX: Final = 32
FILTER_KEYS: Final = {"symbol", "window_seconds", "provider"}

BAD_OP: Final = "bad_op"
BAD_CHANNEL: Final = "bad_channel"
BAD_FILTER: Final = "bad_filter"
SUB_LIMIT: Final = "sub_limit"
RATE_LIMITED: Final = "rate_limited"
AUTH_REQUIRED: Final = "auth_required"
AUTH_INVALID: Final = "auth_invalid"
AUTH_ATTEMPTS: Final = "auth_attempts"

CLOSE_AUTH: Final = 4001
CLOSE_SLOW: Final = 4002
CLOSE_DRAINING: Final = 4003
CLOSE_POLICY: Final = 4008


def symbol_of(symbol: str) -> str:
    """``btc/usd`` is called ``btcusd`` here."""
    return symbol.replace("/", "").lower()


def decimal_text(value_e18: int) -> str:
    """Every digit, without trailing zeros."""
    whole, part = divmod(value_e18, 10**18)
    return f"{whole}.{part:018d}".rstrip("0").rstrip(".")


def _point(point: tuple[int, int]) -> dict[str, object]:
    at_ms, value_e18 = point
    return {
        "timestamp": at_ms,
        "value": value_e18 / 10**18,
        "full_accuracy_value": decimal_text(value_e18),
    }


def update(symbol: str, point: tuple[int, int], window_s: int, now_ns: int) -> bytes:
    """All of an update's frame after its ``seq``."""
    extra = (
        {"window_seconds": window_s}
        if window_s
        else {"received_at": now_ns // MS_NS, "is_carried_forward": False}
    )
    payload = {"symbol": symbol, "source": CHAINLINK, **_point(point), **extra}
    return orjson.dumps({"ts": now_ns // MS_NS, "payload": payload})[1:]


def snapshot(channel: str, symbol: str, points: Sequence[tuple[int, int]], now_ns: int) -> bytes:
    """All of a snapshot's frame after its ``seq``: the last two minutes, oldest first."""
    payload: dict[str, object] = {
        "symbol": symbol,
        "source": SOURCES.get(channel, CHAINLINK),
        "data": [_point(point) for point in points],
    }
    if channel.endswith(".twap"):
        payload["window_seconds"] = WINDOW_S
    return orjson.dumps({"ts": now_ns // MS_NS, "snapshot": True, "payload": payload})[1:]


def frame(channel: str, seq: int, lost: int, rest: bytes) -> bytes:
    """One subscriber's frame; ``lost`` is how many before it were dropped for it."""
    dropped = f'"dropped":{lost},' if lost else ""
    return f'{{"v":1,"channel":"{channel}","seq":{seq},{dropped}'.encode() + rest


def answer(op: str, rid: object, **other: object) -> bytes:
    """An acknowledgement or an error; ``rid`` is the client's own and comes back."""
    return orjson.dumps({"op": op, **({"rid": rid} if isinstance(rid, str) else {}), **other})


def symbol_wanted(channel: str, wanted: Any) -> str | None:
    """The symbol that a subscription's filter names; None for a filter that cannot be."""
    if not isinstance(wanted, dict) or not FILTER_KEYS.issuperset(wanted):
        return None
    symbol, window = wanted.get("symbol"), wanted.get("window_seconds")
    if not isinstance(symbol, str) or not 0 < len(symbol) <= SYMBOL_MAX or not symbol.isascii():
        return None
    averaged = channel.endswith(".twap")
    fits = (window == WINDOW_S and window is not True) if averaged else window is None
    return symbol.lower() if fits else None

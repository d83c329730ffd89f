"""Prices as they are published: a short past of each series, and who hears what comes.

A series is a feed, a symbol and, for averages, a window.  Two sockets tell the same series in
their own ways: the legacy one by topic, and its successor by channel with sequence numbers.  In a
recorded world the legacy frames are the recorded bytes; the successor is made from their values.

Source: exchange reference 4.4.
"""

from collections import deque
from typing import Any, Final

import orjson
from attrs import frozen

from polybawt.core.units import InvalidAmount, parse_scaled
from polybawt.exchange.hub import Hub
from polybawt.exchange.wire import live, oracle
from polybawt.sim.records import Quoted, RawFrame, Report

KEPT_MAX: Final = 120  # points of one series: two minutes
HISTORY_MAX: Final = 60  # reports in the first answer of the legacy stream, as recorded
SERIES_MAX: Final = 1_000


@frozen
class Series:
    """``feed``: chainlink, binance or twap; ``window_s`` is 0 but for averages."""

    feed: str
    symbol: str
    window_s: int = 0


Point = tuple[int, int]
"""When, ms, and the value in 10^-18 dollars."""


class PriceBoard:
    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._points: dict[Series, deque[Point]] = {}

    # Telling.

    def tell(self, told: Report | Quoted | RawFrame, now_ns: int) -> None:
        match told:
            case Report():
                point = told.report_ms, told.value_e18
                self._tell(Series("chainlink", told.symbol), point, now_ns)
            case Quoted():
                series = Series(told.feed, told.symbol, told.window_s)
                self._tell(series, (told.at_ms, told.value_e18), now_ns)
            case RawFrame():
                self._tell_recorded(told.text, now_ns)

    def _tell(self, series: Series, point: Point, now_ns: int) -> None:
        self._note(series, point)
        topic = oracle.TOPIC_OF[series.feed, series.window_s]
        frame = oracle.update(topic, series.symbol, point, series.window_s, now_ns)
        self._hub.to_oracle(series.symbol, frame, topic)
        self._tell_live(series, point, now_ns)

    def _tell_live(self, series: Series, point: Point, now_ns: int) -> None:
        channel = live.CHANNEL_OF.get((series.feed, series.window_s))
        if channel is not None:
            symbol = live.symbol_of(series.symbol)
            self._hub.to_live(channel, symbol, live.update(symbol, point, series.window_s, now_ns))

    def _tell_recorded(self, text: str, now_ns: int) -> None:
        """Pass a recorded frame on as it is, and keep its points for the next subscriber."""
        frame: Any = orjson.loads(text)
        payload = frame.get("payload") if isinstance(frame, dict) else None
        if not isinstance(payload, dict):
            return
        symbol = str(payload.get("symbol", ""))
        series = Series("chainlink" if "/" in symbol else "binance", symbol)
        for row in payload.get("data", [payload]):
            point = _recorded_point(row)
            if point is not None:
                self._note(series, point)
                if row is payload:  # an update; a dump is what a subscriber gets by itself
                    self._tell_live(series, point, now_ns)
        self._hub.to_oracle(symbol, text.encode(), oracle.TOPIC_OF[series.feed, 0])

    def _note(self, series: Series, point: Point) -> None:
        if series not in self._points and len(self._points) >= SERIES_MAX:
            return
        self._points.setdefault(series, deque(maxlen=KEPT_MAX)).append(point)

    # First answers.

    def histories(self, topic: str, symbols: set[str] | None, now_ns: int) -> list[bytes]:
        """The first answer to a legacy subscription: one dump per symbol known so far."""
        feed, window_s = oracle.FEED_OF[topic]
        found = sorted(
            series.symbol
            for series in self._points
            if (series.feed, series.window_s) == (feed, window_s)
            and (symbols is None or series.symbol in symbols)
        )
        return [
            oracle.history(topic, symbol, self._past(Series(feed, symbol, window_s)), now_ns)
            for symbol in found
        ]

    def _past(self, series: Series) -> list[Point]:
        return list(self._points.get(series, ()))[-HISTORY_MAX:]

    def snapshot(self, channel: str, symbol: str, now_ns: int) -> bytes:
        """The first frame of a live subscription; of an unknown symbol it is empty."""
        feed, window_s = live.FEED_OF.get(channel, ("", 0))
        found: deque[Point] = next(
            (
                points
                for series, points in self._points.items()
                if (series.feed, series.window_s) == (feed, window_s)
                and live.symbol_of(series.symbol) == symbol
            ),
            deque(),
        )
        return live.snapshot(channel, symbol, list(found), now_ns)


def _recorded_point(row: Any) -> Point | None:
    """A point of a recorded frame: exact where it says so, else its double."""
    if not isinstance(row, dict) or not row.get("value") or "timestamp" not in row:
        return None
    try:
        exact = int(row.get("full_accuracy_value") or 0)
        return int(row["timestamp"]), exact or parse_scaled(row["value"], 18)
    except (ValueError, TypeError, InvalidAmount):
        return None

"""The Data API's record of public trades: the size that a print on the stream came without.

It is an index behind the exchange and lags it by seconds, so it is asked again rather than
believed: only a row of the same token and price, within a second or two of the print, is it.

Source: exchange reference 5.2; data-and-quant 5.12 (G3).
"""

from collections.abc import Callable
from typing import Final

import httpx

from polybawt.core.commands import FetchPrint
from polybawt.core.facts import LastTrade, ReadFailed
from polybawt.core.market import Side
from polybawt.core.units import Shares, parse_micro
from polybawt.venue import wire, wire_rest
from polybawt.venue.backoff import Backoff
from polybawt.venue.http import NoAnswer, read
from polybawt.venue.wire import Fields, Misread

PATH: Final = "/v2/trades"
APART_MS_MAX: Final = 2_000  # rows are stamped in whole seconds, by the match and not by the print
ROWS: Final = 100
READ_BACKOFF: Final = Backoff(0.25, 4.0)
Row = tuple[int, Shares, Side]  # how far apart in ms, size, taker's side


class Prints:
    """What was traded, by the venue's index."""

    def __init__(
        self, http: httpx.AsyncClient, clock: Callable[[], int], backoff: Backoff = READ_BACKOFF
    ) -> None:
        self._http, self._clock, self._backoff = http, clock, backoff

    async def look_up(self, c: FetchPrint) -> LastTrade | ReadFailed | None:
        """The print with its size; None while the index does not have it."""
        wanted_s = c.timestamp_ms // 1000
        params = {
            "condition_id": c.condition_id,
            "start": str(wanted_s - APART_MS_MAX // 1000),
            "end": str(wanted_s + APART_MS_MAX // 1000),
            "limit": str(ROWS),
        }
        try:
            answer = await read(self._http, PATH, params=params, backoff=self._backoff)
            body = wire_rest.body_of(answer)
            if answer.status != 200:
                return self._failed(wire_rest.refusal_text(answer, body))
            rows = wire.array(wire.fields(wire.decode(answer.body)), "data")
            found = [row for one in rows if (row := _row(wire.fields(one), c)) is not None]
        except (NoAnswer, *wire.READ_ERRORS) as wrong:
            return self._failed(str(wrong))
        if not found:
            return None
        _, shares, side = min(found, key=lambda row: row[:2])  # of two alike, the smaller
        return LastTrade(
            at_ns=self._clock(),
            condition_id=c.condition_id,
            token_id=c.token_id,
            price=c.price,
            price_text="",
            shares=shares,
            side=side,
            timestamp_ms=c.timestamp_ms,
            source="rest",
        )

    def _failed(self, reason: str) -> ReadFailed:
        return wire_rest.failed("FetchPrint", reason, self._clock())


def _row(row: Fields, c: FetchPrint) -> Row | None:
    """One trade, if it may be the print."""
    apart_ms = abs(wire.epoch_ms(row, "timestamp") - c.timestamp_ms)
    same = wire.ident(row, "token_id") == c.token_id and _micro(row, "price") == c.price
    if not same or apart_ms > APART_MS_MAX:
        return None
    return apart_ms, Shares(_micro(row, "size")), wire.side(row)


def _micro(row: Fields, key: str) -> int:
    """A JSON number, which this index writes where the rest of the venue writes text."""
    value = row.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Misread(f"{key} is no number: {wire.excerpt(str(value))}")
    return parse_micro(f"{value:.6f}")

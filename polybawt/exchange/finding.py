"""What a query of Gamma asks for: filters that must all hold, an order, and where to go on.

Filters that name markets (ids, slugs, conditions, tokens) are looked up; the rest is tried on one
market after the other, until the page is full.  A cursor is opaque to clients: here it is the key
of the last row, so that a page does not shift when markets come and go.  A filter that is not
known is ignored, as the venue ignores it; a known one that cannot be read is refused.

Source: exchange reference 5.1; names of filters as the unified SDK sends them.
"""

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

import orjson
from attrs import frozen
from multidict import MultiDict, MultiMapping

from polybawt.core.market import Market
from polybawt.core.units import SECOND_NS
from polybawt.exchange import refusal
from polybawt.exchange.directory import Directory, Entry
from polybawt.exchange.refusal import RequestRefused
from polybawt.exchange.wire.gamma import Shown, question_id, series_id, tag_id

Query = MultiMapping[str]
Key = tuple[int | str, ...]
"""What a row is sorted by, its id last."""
Pair = tuple[Market, Shown]
Wanted = Callable[[Market, Shown], bool]

NUMBER_DIGITS: Final = 18
NAMES_MAX: Final = 500  # named in one filter

LOOKED_UP: Final = ("id", "slug", "condition_ids", "clob_token_ids", "position_ids")
ORDERS: Final[Mapping[str, Callable[[Market, Shown], int | str]]] = {
    "id": lambda market, shown: int(shown.gamma_id),
    "slug": lambda market, shown: market.slug,
    "question": lambda market, shown: market.question,
    "title": lambda market, shown: shown.event.title,
    "volume": lambda market, shown: shown.volume,
    "volumeNum": lambda market, shown: shown.volume,
    "volume24hr": lambda market, shown: shown.volume_day,
    "liquidity": lambda market, shown: shown.liquidity,
    "liquidityNum": lambda market, shown: shown.liquidity,
    "startDate": lambda market, shown: shown.created_ns,
    "createdAt": lambda market, shown: shown.created_ns,
    "endDate": lambda market, shown: market.end_ns,
    "closedTime": lambda market, shown: shown.resolved_ns,
}
"""What can be ordered by; sums and dates as the numbers they are."""


# Reading single parameters.


def without(query: Query, name: str) -> Query:
    return MultiDict((key, value) for key, value in query.items() if key != name)


def several(query: Query, name: str) -> list[str]:
    """A filter may be repeated or be a comma list."""
    found = [one for text in query.getall(name, []) for one in text.split(",") if one]
    if len(found) > NAMES_MAX:
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    return found


def whole(query: Query, name: str, default: int) -> int:
    text = query.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdecimal() or len(text) > NUMBER_DIGITS:
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    return int(text)


def flag(query: Query, name: str) -> bool | None:
    text = query.get(name, "").lower()
    if text not in ("", "true", "false"):
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    return None if not text else text == "true"


def instant(query: Query, name: str) -> int | None:
    """ISO 8601, a day or a moment, as ns UTC."""
    text = query.get(name, "")
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as wrong:
        raise RequestRefused(refusal.INVALID_PAYLOAD) from wrong
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * SECOND_NS


def _micro(query: Query, name: str) -> int | None:
    text = query.get(name, "")
    if not text:
        return None
    try:
        number = float(text)
    except ValueError as wrong:
        raise RequestRefused(refusal.INVALID_PAYLOAD) from wrong
    if not -1e15 < number < 1e15:
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    return round(number * 1_000_000)


# Which markets.


def looked_up(directory: Directory, query: Query) -> list[Entry] | None:
    """The markets that a query names, in listed order; None when it names none."""
    if not any(several(query, name) for name in LOOKED_UP):
        return None
    found: list[set[int]] = []
    for name in LOOKED_UP:
        if texts := several(query, name):
            entries = (_entry(directory, name, text) for text in texts)
            found.append({entry.number for entry in entries if entry is not None})
    numbers = set.intersection(*found)
    return [entry for number in sorted(numbers) if (entry := directory.numbered(number))]


def _entry(directory: Directory, name: str, text: str) -> Entry | None:
    if name == "id":
        number = text.isascii() and text.isdecimal() and len(text) <= NUMBER_DIGITS
        return directory.numbered(int(text)) if number else None
    if name == "condition_ids":
        return directory.entry(text) or directory.entry(text.lower())
    entry = directory.named(text)
    if entry is None:
        return None
    market = entry.market
    if name == "slug":
        return entry if market.slug == text else None
    version = "v1" if name == "clob_token_ids" else "v2"
    return entry if market.version == version and text in market.tokens else None


def wanted(query: Query) -> Wanted:
    """All other filters of a query together."""
    tests = [test for make in (_states, _kinds, _sums, _times) for test in make(query)]
    return lambda market, shown: all(test(market, shown) for test in tests)


def _states(query: Query) -> Iterable[Wanted]:
    closed, status = flag(query, "closed"), query.get("resolution_status", "")
    if closed is not None:
        yield lambda _, shown: (shown.payouts is not None) is closed
    for name, always in (("active", True), ("archived", False), ("cyom", False)):
        asked = flag(query, name)
        if asked is not None and asked is not always:
            yield lambda market, shown: False
    if uma := query.get("uma_resolution_status", ""):
        yield (
            lambda market, shown: (
                uma == ("resolved" if shown.payouts and market.version == "v1" else shown.status)
            )
        )
    if status:
        yield (
            lambda market, shown: (
                market.version == "v2" and status == ("resolved" if shown.payouts else "active")
            )
        )


def _kinds(query: Query) -> Iterable[Wanted]:
    if versions := several(query, "version"):
        yield lambda market, _: market.version in versions
    if tags := several(query, "tag_id"):
        test = all if query.get("tag_match") == "all" else any
        yield lambda _, shown: test(one in _tag_ids(shown) for one in tags)
    if tag := query.get("tag_slug", ""):
        yield lambda _, shown: tag in shown.event.tags
    if barred := several(query, "exclude_tag_id"):
        yield lambda _, shown: not any(one in _tag_ids(shown) for one in barred)
    if names := several(query, "series_id"):
        yield lambda _, shown: bool(
            shown.event.series and str(series_id(shown.event.series)) in names
        )
    if questions := several(query, "question_ids"):
        yield lambda market, shown: question_id(market, shown.index) in questions
    if ids := several(query, "onchain_event_ids") + several(query, "request_ids"):
        yield (
            lambda market, _: (
                market.version == "v2" and (market.neg_risk_id or market.condition_id) in ids
            )
        )
    if words := query.get("title_search", "").lower():
        yield lambda _, shown: words in shown.event.title.lower()


def _tag_ids(shown: Shown) -> set[str]:
    return {str(tag_id(slug)) for slug in shown.event.tags}


def _sums(query: Query) -> Iterable[Wanted]:
    for suffix in ("", "_num"):
        for low, high, of in (
            (f"volume{suffix}_min", f"volume{suffix}_max", _volume),
            (f"liquidity{suffix}_min", f"liquidity{suffix}_max", _liquidity),
        ):
            if query.get(low) or query.get(high):
                yield _between(_micro(query, low), _micro(query, high), of)


def _between(low: int | None, high: int | None, of: Callable[[Shown], int]) -> Wanted:
    return lambda _, shown: (
        (low is None or of(shown) >= low) and (high is None or of(shown) <= high)
    )


def _volume(shown: Shown) -> int:
    return shown.volume


def _liquidity(shown: Shown) -> int:
    return shown.liquidity


def _times(query: Query) -> Iterable[Wanted]:
    if (low := instant(query, "end_date_min")) is not None:
        yield lambda market, _: market.end_ns >= low
    if (high := instant(query, "end_date_max")) is not None:
        yield lambda market, _: market.end_ns <= high
    if (first := instant(query, "start_date_min")) is not None:
        yield lambda _, shown: shown.created_ns >= first
    if (last := instant(query, "start_date_max")) is not None:
        yield lambda _, shown: shown.created_ns <= last


# In which order, and from where on.


@frozen
class Order:
    """What a listing is sorted by; the id comes last, so that no two rows are equal."""

    names: tuple[str, ...] = ("id",)
    ascending: bool = True

    @property
    def natural(self) -> bool:
        """Whether it is the order of listing: then nothing has to be sorted."""
        return self.names == ("id",) and self.ascending

    def follows(self, key: Key, last: Key) -> bool:
        return key > last if self.ascending else key < last

    def key(self, pair: Pair) -> Key:
        return (*(ORDERS[name](*pair) for name in self.names), int(pair[1].gamma_id))


def order(query: Query) -> Order:
    ascending = flag(query, "ascending")
    names = tuple(name.strip() for name in query.get("order", "").split(",") if name.strip())
    if any(name not in ORDERS for name in names):
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    return Order(names or ("id",), ascending is not False)


def cursor(key: Key) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode()


def after(query: Query, order: Order) -> Key | None:
    """The key of the row that the last page ended with."""
    text = query.get("after_cursor", "")
    if not text:
        return None
    try:
        key = orjson.loads(base64.urlsafe_b64decode(text))
    except (binascii.Error, ValueError) as wrong:
        raise RequestRefused(refusal.INVALID_PAYLOAD) from wrong
    kinds = [str if name in ("slug", "question", "title") else int for name in order.names]
    if not isinstance(key, list) or [type(part) for part in key] != [*kinds, int]:
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    return tuple(key)

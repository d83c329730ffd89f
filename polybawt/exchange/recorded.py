"""The latest book of each token as a recorded session told it.

A recorded stream starts with whole books and goes on with changes.  Whoever subscribes in the
middle is given the book as it stood after the last frame sent, so that the frames which follow
fit it, hash by hash.  Levels keep the recorded text; only frames are read, nothing is matched.

Source: exchange reference 4.1; the data set's own notes on group hashes.
"""

from typing import Any

import orjson
from attrs import define

from polybawt.core.units import parse_micro

Levels = dict[str, str]


@define
class _Told:
    """One token's recorded book: everything but its levels as it came, levels by price text."""

    head: dict[str, Any]
    bids: Levels
    asks: Levels


class RecordedBooks:
    def __init__(self) -> None:
        self._books: dict[str, _Told] = {}

    def hear(self, text: str) -> None:
        """Fold one recorded market frame in; what is no book and no change is passed over."""
        frame = orjson.loads(text)
        for message in frame if isinstance(frame, list) else [frame]:
            match message.get("event_type"):
                case "book":
                    self._books[message["asset_id"]] = _Told(
                        head=message,
                        bids=_by_price(message["bids"]),
                        asks=_by_price(message["asks"]),
                    )
                case "price_change":
                    for change in message["price_changes"]:
                        self._change(change, message["timestamp"])

    def _change(self, change: dict[str, Any], timestamp: str) -> None:
        told = self._books.get(change["asset_id"])
        if told is None:
            return
        levels = told.bids if change["side"] == "BUY" else told.asks
        if parse_micro(change["size"]):
            levels[change["price"]] = change["size"]
        else:
            levels.pop(change["price"], None)
        told.head = {**told.head, "timestamp": timestamp, "hash": change.get("hash", "")}

    def element(self, token_id: str) -> str | None:
        """The token's book as an element of a first dump; None before the first recorded one."""
        told = self._books.get(token_id)
        if told is None:
            return None
        book = {**told.head, "bids": _worst_first(told.bids), "asks": _worst_first(told.asks, True)}
        return orjson.dumps(book).decode()


def _by_price(levels: list[dict[str, str]]) -> Levels:
    return {level["price"]: level["size"] for level in levels}


def _worst_first(levels: Levels, falling: bool = False) -> list[dict[str, str]]:
    prices = sorted(levels, key=parse_micro, reverse=falling)
    return [{"price": price, "size": levels[price]} for price in prices]

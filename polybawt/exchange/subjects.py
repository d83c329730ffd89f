"""Which markets a question to the Data API is about, and what is known of each.

Source: exchange reference 5.2.
"""

from collections.abc import Callable
from typing import Final

from aiohttp import web

from polybawt.core.units import MILLION
from polybawt.exchange import asking
from polybawt.exchange.asking import refused
from polybawt.exchange.directory import Entry
from polybawt.exchange.indexer import Indexer
from polybawt.exchange.web import FLOOR
from polybawt.exchange.wire.positions import About

INDEXER: Final = web.AppKey("indexer", Indexer)


def _about(request: web.Request, entry: Entry, until_ns: int) -> About:
    floor, indexer = request.app[FLOOR], request.app[INDEXER]
    directory = floor.publisher.directory
    ended_ns = indexer.resolved_ns(entry, until_ns)
    if ended_ns and entry.resolved:
        prices = int(entry.resolved.yes_payout), int(entry.resolved.no_payout)
    else:
        bids, asks = floor.venue.levels(entry.market.yes_token)
        middle = (bids[-1][0] + asks[-1][0]) // 2 if bids and asks else None
        price = _last_price(indexer, entry, until_ns) if middle is None else middle
        prices = price, MILLION - price
    return About(
        entry=entry, market=directory.terms(entry), group=directory.group_of(entry),
        prices=prices, resolved_ns=ended_ns,
    )  # fmt: skip


def _last_price(indexer: Indexer, entry: Entry, until_ns: int) -> int:
    """Of YES, where the book has no middle; a market that nobody traded is worth a half."""
    trades = indexer.trades(entry, until_ns)
    if not trades:
        return MILLION // 2
    last = trades[-1]
    return last.price if last.token_id == entry.market.yes_token else MILLION - last.price


class Markets:
    """What is known of each market in one answer, looked up once."""

    def __init__(self, request: web.Request, until_ns: int) -> None:
        self._request, self._until_ns = request, until_ns
        self._known: dict[str, About | None] = {}

    def __call__(self, condition_id: str) -> About | None:
        if condition_id not in self._known:
            entry = self._request.app[FLOOR].publisher.directory.entry(condition_id)
            about = _about(self._request, entry, self._until_ns) if entry else None
            self._known[condition_id] = about
        return self._known[condition_id]

    def known(self, condition_id: str) -> About:
        about = self(condition_id)
        assert about is not None, condition_id
        return about


def entries(request: web.Request) -> list[Entry] | None:
    """The markets that a question is about; None when it names none. Unknown ones are dropped."""
    directory = request.app[FLOOR].publisher.directory
    ids, numbers = asking.conditions(request), asking.events(request)
    if ids and numbers:
        raise refused(request, "event_id", "goes not together with condition_id")
    if numbers:
        groups = (directory.group(number) for number in numbers)
        return [entry for group in groups if group for entry in group.entries]
    if ids:
        return [entry for one in ids if (entry := directory.entry(one)) is not None]
    return None


def within(found: list[Entry] | None) -> Callable[[str], bool]:
    if found is None:
        return lambda _: True
    ids = {entry.market.condition_id for entry in found}
    return lambda condition_id: condition_id in ids


def is_known(request: web.Request, condition_id: str) -> bool:
    """Whether anything can still be said of a market; the oldest are forgotten."""
    return request.app[FLOOR].publisher.directory.entry(condition_id) is not None

"""Gamma: what markets and events there are, what they ask, and how they ended.

Everything is read from the directory and the venue when it is asked for; a page costs what its
rows cost, however many markets there are besides.

Source: exchange reference 5.1; paths as the unified SDK asks for them.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Final

from aiohttp import web

from polybawt.exchange import finding, refusal
from polybawt.exchange.directory import Entry, Group
from polybawt.exchange.finding import Key, Order, Pair, whole
from polybawt.exchange.refusal import RequestRefused
from polybawt.exchange.showing import shown
from polybawt.exchange.web import FLOOR, json_response
from polybawt.exchange.wire.gamma import (
    Row,
    gamma_event,
    gamma_market,
    series,
    series_id,
    tag,
    tag_id,
)

LIMIT_DEFAULT: Final = 20
LIMIT_MAX: Final = 100  # of a page by key
OFFSET_LIMIT_MAX: Final = 500  # of the older paging by offset

routes = web.RouteTableDef()


# Markets.


@routes.get("/gamma/markets/keyset")
async def keyset(request: web.Request) -> web.Response:
    """One page; ``next_cursor`` is absent on the last one."""
    limit = _limit(request)
    order = finding.order(request.query)
    pairs = list(islice(_matching(request, order), limit + 1))
    more: Row = {}
    if len(pairs) > limit:
        more["next_cursor"] = finding.cursor(order.key(pairs[limit - 1]))
    return json_response({"markets": _market_rows(request, pairs[:limit]), **more})


@routes.get("/gamma/markets")
async def some_markets(request: web.Request) -> web.Response:
    start, limit = whole(request.query, "offset", 0), whole(request.query, "limit", LIMIT_MAX)
    pairs = _matching(request, finding.order(request.query))
    part = islice(pairs, start, start + min(limit, OFFSET_LIMIT_MAX))
    return json_response(_market_rows(request, part))


@routes.get("/gamma/markets/slug/{name}")
@routes.get("/gamma/markets/{name}")
async def one_market(request: web.Request) -> web.Response:
    pair = _pair(request, _named_market(request))
    return json_response(_market_rows(request, [pair])[0])


@routes.get("/gamma/markets/{name}/tags")
async def market_tags(request: web.Request) -> web.Response:
    _, of_market = _pair(request, _named_market(request))
    return json_response([tag(slug) for slug in of_market.event.tags])


def _market_rows(request: web.Request, pairs: Iterable[Pair]) -> list[Row]:
    tags = finding.flag(request.query, "include_tag") is True
    return [gamma_market(market, of_market, tags=tags) for market, of_market in pairs]


def _named_market(request: web.Request) -> Entry:
    directory = request.app[FLOOR].publisher.directory
    name = request.match_info["name"]
    if "/slug/" in request.path:
        entry = directory.named(name)
        found = entry if entry is not None and entry.market.slug == name else None
    else:
        found = directory.numbered(_number(name))
    if found is None:
        raise RequestRefused(refusal.NO_MARKET, 404)
    return found


def _number(text: str) -> int:
    digits = text.isascii() and text.isdecimal() and len(text) <= finding.NUMBER_DIGITS
    return int(text) if digits else -1


def _pair(request: web.Request, entry: Entry) -> Pair:
    floor = request.app[FLOOR]
    return floor.publisher.directory.terms(entry), shown(floor, entry)


def _matching(request: web.Request, order: Order) -> Iterator[Pair]:
    """What a query asks for, from its cursor on, one by one."""
    directory = request.app[FLOOR].publisher.directory
    last, holds = finding.after(request.query, order), finding.wanted(request.query)
    named = finding.looked_up(directory, request.query)
    if named is None:
        first = int(last[-1]) if last and order.natural else 0
        entries: Iterable[Entry] = directory.after(first)
    else:
        entries = named
    pairs = (pair for entry in entries if holds(*(pair := _pair(request, entry))))
    return _from(pairs, order, last)


def _from(pairs: Iterator[Pair], order: Order, last: Key | None) -> Iterator[Pair]:
    if not order.natural:
        pairs = iter(sorted(pairs, key=order.key, reverse=not order.ascending))
    if last is None:
        return pairs
    return (pair for pair in pairs if order.follows(order.key(pair), last))


# Events.


@routes.get("/gamma/events/keyset")
async def events_keyset(request: web.Request) -> web.Response:
    limit = _limit(request)
    order = finding.order(request.query)
    groups = list(islice(_events(request, order), limit + 1))
    more: Row = {}
    if len(groups) > limit:
        more["next_cursor"] = finding.cursor(_event_key(order, groups[limit - 1]))
    return json_response({"events": [_event_row(request, g) for g in groups[:limit]], **more})


@routes.get("/gamma/events")
async def some_events(request: web.Request) -> web.Response:
    start, limit = whole(request.query, "offset", 0), whole(request.query, "limit", LIMIT_MAX)
    groups = _events(request, finding.order(request.query))
    part = islice(groups, start, start + min(limit, LIMIT_MAX))
    return json_response([_event_row(request, group) for group in part])


@routes.get("/gamma/events/slug/{name}")
@routes.get("/gamma/events/{name}")
async def one_event(request: web.Request) -> web.Response:
    return json_response(_event_row(request, _with_pairs(request, _named_event(request))))


@routes.get("/gamma/events/{name}/tags")
async def event_tags(request: web.Request) -> web.Response:
    return json_response([tag(slug) for slug in _named_event(request).terms.tags])


Shelved = tuple[Group, list[Pair]]
"""An event and its markets as they stand."""


def _named_event(request: web.Request) -> Group:
    directory = request.app[FLOOR].publisher.directory
    name = request.match_info["name"]
    by_slug = "/slug/" in request.path
    group = directory.group_named(name) if by_slug else directory.group(_number(name))
    if group is None:
        raise RequestRefused(refusal.NO_EVENT, 404)
    return group


def _with_pairs(request: web.Request, group: Group) -> Shelved:
    return group, [_pair(request, entry) for entry in group.entries]


def _event_row(request: web.Request, shelved: Shelved) -> Row:
    group, pairs = shelved
    backing = request.app[FLOOR].venue.accounts.backing
    return gamma_event(group.terms, pairs, sum(backing(m.condition_id) for m, _ in pairs))


def _events(request: web.Request, order: Order) -> Iterator[Shelved]:
    """Events of which a market fits the query; its names are those of events."""
    directory, query = request.app[FLOOR].publisher.directory, request.query
    last, holds = finding.after(query, order), finding.wanted(finding.without(query, "closed"))
    ids, slugs = finding.several(query, "id"), finding.several(query, "slug")
    closed = finding.flag(query, "closed")
    groups: Iterable[Group]
    if ids or slugs:
        named = [directory.group(_number(one)) for one in ids]
        named += [directory.group_named(one) for one in slugs]
        groups = [group for group in named if group is not None]
    else:
        groups = directory.groups_after(int(last[-1]) if last and order.natural else 0)
    found: Iterator[Shelved] = (_with_pairs(request, group) for group in groups)
    found = (
        shelved
        for shelved in found
        if any(holds(*pair) for pair in shelved[1])
        and closed in (None, all(pair[1].payouts is not None for pair in shelved[1]))
    )
    if not order.natural:
        reverse = not order.ascending
        found = iter(sorted(found, key=partial(_event_key, order), reverse=reverse))
    if last is None:
        return found
    return (shelved for shelved in found if order.follows(_event_key(order, shelved), last))


def _event_key(order: Order, shelved: Shelved) -> Key:
    """An event is as large as its markets together, and as late as its first one."""
    group, pairs = shelved
    return (*(_event_part(name, group, pairs) for name in order.names), group.number)


def _event_part(name: str, group: Group, pairs: list[Pair]) -> int | str:
    own: dict[str, int | str] = {
        "id": group.number,
        "slug": group.terms.slug,
        "title": group.terms.title,
    }
    if name in own:
        return own[name]
    values = [finding.ORDERS[name](*pair) for pair in pairs]
    if name.startswith(("volume", "liquidity")):
        return sum(value for value in values if isinstance(value, int))
    return values[0]


def _limit(request: web.Request) -> int:
    limit = whole(request.query, "limit", LIMIT_DEFAULT)
    if not 1 <= limit <= LIMIT_MAX:
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    return limit


# What they are about.


@routes.get("/gamma/tags")
async def tags(request: web.Request) -> web.Response:
    slugs = {slug for group in _groups(request) for slug in group.terms.tags}
    return json_response(_offset_page(request, [tag(slug) for slug in sorted(slugs, key=tag_id)]))


@routes.get("/gamma/tags/slug/{name}")
@routes.get("/gamma/tags/{name}")
async def one_tag(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    by_slug = "/slug/" in request.path
    for group in _groups(request):
        for slug in group.terms.tags:
            if name == (slug if by_slug else str(tag_id(slug))):
                return json_response(tag(slug))
    raise RequestRefused(refusal.NO_TAG, 404)


@routes.get("/gamma/series")
async def all_series(request: web.Request) -> web.Response:
    slugs = {group.terms.series for group in _groups(request)} - {""}
    asked = finding.several(request.query, "slug")
    chosen = sorted(slug for slug in slugs if not asked or slug in asked)
    return json_response(_offset_page(request, [series(slug) for slug in chosen]))


@routes.get("/gamma/series/{name}")
async def one_series(request: web.Request) -> web.Response:
    """One series with its events, which name their markets in their own answers."""
    name = request.match_info["name"]
    of_series = [
        group
        for group in _groups(request)
        if group.terms.series and str(series_id(group.terms.series)) == name
    ]
    if not of_series:
        raise RequestRefused(refusal.NO_SERIES, 404)
    events = [_event_row(request, _with_pairs(request, group)) for group in of_series[-LIMIT_MAX:]]
    for event in events:
        del event["markets"]
    return json_response({**series(of_series[0].terms.series), "events": events})


@routes.get("/gamma/public-search")
async def search(request: web.Request) -> web.Response:
    """Events whose title has the words, newest first."""
    words = request.query.get("q", "").lower().split()
    if not words:
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    limit = min(whole(request.query, "limit_per_type", LIMIT_DEFAULT), LIMIT_MAX)
    start = max(whole(request.query, "page", 1) - 1, 0) * limit
    found = [
        group
        for group in reversed(list(_groups(request)))
        if all(word in group.terms.title.lower() for word in words)
    ]
    rows = [_event_row(request, _with_pairs(request, g)) for g in found[start : start + limit]]
    pagination = {"hasMore": start + limit < len(found), "totalResults": len(found)}
    return json_response({"events": rows, "tags": [], "profiles": [], "pagination": pagination})


def _groups(request: web.Request) -> Iterator[Group]:
    return request.app[FLOOR].publisher.directory.groups_after()


def _offset_page(request: web.Request, rows: list[Row]) -> list[Row]:
    start = whole(request.query, "offset", 0)
    return rows[start : start + min(whole(request.query, "limit", LIMIT_MAX), LIMIT_MAX)]

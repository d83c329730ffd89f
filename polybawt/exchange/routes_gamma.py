"""Gamma: what markets there are, what they ask, and how they ended.

Source: exchange reference 5.1.
"""

from collections.abc import Callable
from typing import Final

from aiohttp import web

from polybawt.core.market import Market
from polybawt.exchange import refusal
from polybawt.exchange.refusal import RequestRefused
from polybawt.exchange.web import FLOOR, json_response
from polybawt.exchange.wire.gamma import gamma_market

LIMIT_DEFAULT: Final = 20
LIMIT_MAX: Final = 100
ID_DIGITS: Final = 18

routes = web.RouteTableDef()


@routes.get("/gamma/markets/keyset")
async def keyset(request: web.Request) -> web.Response:
    """One page in the order of ids; ``next_cursor`` is absent on the last one."""
    limit = _whole(request, "limit", LIMIT_DEFAULT)
    after = _whole(request, "after_cursor", 0)
    if not 1 <= limit <= LIMIT_MAX:
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    found = [row for row in _rows(request, _filter(request)) if int(str(row["id"])) > after]
    part = found[:limit]
    more = {"next_cursor": part[-1]["id"]} if len(found) > limit else {}
    return json_response({"markets": part, **more})


@routes.get("/gamma/markets")
async def some_markets(request: web.Request) -> web.Response:
    limit = _whole(request, "limit", LIMIT_MAX)
    return json_response(_rows(request, _filter(request))[:limit])


@routes.get("/gamma/markets/slug/{slug}")
async def by_slug(request: web.Request) -> web.Response:
    slug = request.match_info["slug"]
    return _only(_rows(request, lambda market, _: market.slug == slug))


@routes.get("/gamma/markets/{gamma_id}")
async def by_id(request: web.Request) -> web.Response:
    gamma_id = request.match_info["gamma_id"]
    return _only(_rows(request, lambda _, known: known == gamma_id))


def _only(rows: list[dict[str, object]]) -> web.Response:
    if not rows:
        raise RequestRefused(refusal.NO_MARKET, 404)
    return json_response(rows[0])


Wanted = Callable[[Market, str], bool]


def _rows(request: web.Request, wanted: Wanted) -> list[dict[str, object]]:
    publisher, closed = request.app[FLOOR].publisher, request.query.get("closed", "")
    rows = []
    for market in publisher.known_markets():
        standing = publisher.standing(market)
        resolved = "true" if standing.payouts else "false"
        if wanted(market, standing.gamma_id) and closed in ("", resolved):
            rows.append(gamma_market(market, standing))
    return rows


def _filter(request: web.Request) -> Wanted:
    """The query's filters; each may be repeated or a comma list, and all must hold."""
    conditions = _several(request, "condition_ids")
    slugs = _several(request, "slug")
    tokens = _several(request, "clob_token_ids")

    def wanted(market: Market, _: str) -> bool:
        return (
            (not conditions or market.condition_id in conditions)
            and (not slugs or market.slug in slugs)
            and (not tokens or not tokens.isdisjoint(market.tokens))
        )

    return wanted


def _several(request: web.Request, name: str) -> set[str]:
    return {one for text in request.query.getall(name, []) for one in text.split(",") if one}


def _whole(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdecimal() or len(text) > ID_DIGITS:
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    return int(text)

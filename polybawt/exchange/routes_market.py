"""Public reads of the CLOB: time, books, and what its markets are.

Source: exchange reference 1.2 to 1.5.
"""

import re
from collections.abc import Callable
from typing import Final

from aiohttp import web

from polybawt.core.market import Market
from polybawt.exchange import refusal
from polybawt.exchange.refusal import RequestRefused
from polybawt.exchange.web import (
    FLOOR,
    checked_token,
    json_response,
    listed,
    page,
    raw_response,
    token_of,
)
from polybawt.exchange.wire import markets
from polybawt.exchange.wire.markets import Standing
from polybawt.exchange.wire.texts import BASE_FEE_BPS, number

BUILDER_CODE: Final = re.compile("0x[0-9a-fA-F]{64}")
VERSION: Final = {"version": 2}

routes = web.RouteTableDef()


@routes.get("/")
@routes.get("/version")
async def version(_: web.Request) -> web.Response:
    return json_response(VERSION)


@routes.get("/ok")
async def ok(_: web.Request) -> web.Response:
    return json_response("OK")


@routes.get("/time")
async def venue_time(request: web.Request) -> web.Response:
    return json_response(request.app[FLOOR].shown_time_s())


@routes.get("/book")
async def book(request: web.Request) -> web.Response:
    return raw_response(_book_body(request, token_of(request)))


@routes.post("/books")
async def some_books(request: web.Request) -> web.Response:
    wanted = await listed(request)
    bodies = [_book_body(request, checked_token(one.get("token_id"))) for one in wanted]
    return raw_response(b"[" + b",".join(body.strip() for body in bodies) + b"]")


def _book_body(request: web.Request, token: str) -> bytes:
    body = request.app[FLOOR].publisher.rest_book(token)
    if body is None:
        raise RequestRefused(refusal.NO_BOOK, 404)
    return body


def _market_of(request: web.Request) -> Market:
    return request.app[FLOOR].market_of(token_of(request))


@routes.get("/tick-size")
async def tick_size(request: web.Request) -> web.Response:
    return json_response({"minimum_tick_size": number(_market_of(request).tick)})


@routes.get("/neg-risk")
async def neg_risk(request: web.Request) -> web.Response:
    return json_response({"neg_risk": _market_of(request).neg_risk})


@routes.get("/fee-rate")
async def fee_rate(request: web.Request) -> web.Response:
    """The legacy cap, which old clients insist on reading before they sign."""
    charged = _market_of(request).fees.rate_micro > 0
    return json_response({"base_fee": BASE_FEE_BPS if charged else 0})


@routes.get("/clob-markets/{condition_id}")
async def clob_market(request: web.Request) -> web.Response:
    market = _by_condition(request)
    return json_response(markets.clob_market(market, _standing(request, market)))


def _by_condition(request: web.Request) -> Market:
    market = request.app[FLOOR].publisher.known_market(request.match_info["condition_id"])
    if market is None:
        raise RequestRefused(refusal.NO_MARKET, 404)
    return market


@routes.get("/markets/live-activity/{condition_id}")
async def live_activity(request: web.Request) -> web.Response:
    """A market's latest trades, newest first."""
    market = _by_condition(request)
    found = request.app[FLOOR].history.trades(market.condition_id)
    return json_response([markets.activity(market, one.printed, one.taker) for one in found])


@routes.get("/markets/{condition_id}")
async def full_market(request: web.Request) -> web.Response:
    market = _by_condition(request)
    return json_response(markets.full_market(market, _standing(request, market)))


def _standing(request: web.Request, market: Market) -> Standing:
    return request.app[FLOOR].publisher.standing(market)


@routes.get("/markets")
async def all_markets(request: web.Request) -> web.Response:
    return _page(request, markets.full_market)


@routes.get("/simplified-markets")
async def simplified_markets(request: web.Request) -> web.Response:
    return _page(request, markets.simplified_market)


@routes.get("/sampling-markets")
async def sampling_markets(request: web.Request) -> web.Response:
    """Markets whose orders are sampled for rewards: here, all that take orders."""
    return _page(request, markets.full_market, sampling=True)


@routes.get("/sampling-simplified-markets")
async def sampling_simplified_markets(request: web.Request) -> web.Response:
    return _page(request, markets.simplified_market, sampling=True)


def _page(
    request: web.Request,
    spell: Callable[[Market, Standing], dict[str, object]],
    *,
    sampling: bool = False,
) -> web.Response:
    known = request.app[FLOOR].publisher.known_markets()
    found = [market for market in known if market.accepting_orders or not sampling]
    return json_response(page(request, found, lambda one: spell(one, _standing(request, one))))


@routes.get("/fees/builder-fees/{code}")
async def builder_fees(request: web.Request) -> web.Response:
    """No builder charges anything here."""
    if BUILDER_CODE.fullmatch(request.match_info["code"]) is None:
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    return json_response({"builder_maker_fee_rate_bps": 0, "builder_taker_fee_rate_bps": 0})


@routes.get("/markets-by-token/{token_id}")
async def by_token(request: web.Request) -> web.Response:
    token = checked_token(request.match_info["token_id"])
    market = request.app[FLOOR].venue.market_of(token)
    if market is None:
        raise RequestRefused(refusal.NO_MARKET, 404)
    return json_response(
        {
            "condition_id": market.condition_id,
            "primary_token_id": market.yes_token,
            "secondary_token_id": market.no_token,
        }
    )

"""Public reads of the CLOB: time, books, prices, market parameters.

Source: exchange reference 1.2 to 1.5.
"""

from typing import Final

from aiohttp import web

from polybawt.core.market import Market
from polybawt.core.units import micro_text
from polybawt.exchange import refusal
from polybawt.exchange.refusal import RequestRefused
from polybawt.exchange.web import (
    FLOOR,
    checked_token,
    json_response,
    parsed,
    raw_response,
    read_body,
    token_of,
)
from polybawt.exchange.wire import markets
from polybawt.exchange.wire.books import BookView
from polybawt.exchange.wire.texts import BASE_FEE_BPS, number, price_text

BOOKS_MAX: Final = 500
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
    wanted = parsed(await read_body(request))
    if not isinstance(wanted, list) or not all(isinstance(one, dict) for one in wanted):
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    if len(wanted) > BOOKS_MAX:
        raise RequestRefused(refusal.TOO_LARGE)
    bodies = [_book_body(request, checked_token(one.get("token_id"))) for one in wanted]
    return raw_response(b"[" + b",".join(body.strip() for body in bodies) + b"]")


def _book_body(request: web.Request, token: str) -> bytes:
    body = request.app[FLOOR].publisher.rest_book(token)
    if body is None:
        raise RequestRefused(refusal.NO_BOOK, 404)
    return body


def _view(request: web.Request) -> BookView:
    view = request.app[FLOOR].publisher.view(token_of(request))
    if view is None:
        raise RequestRefused(refusal.NO_BOOK, 404)
    return view


@routes.get("/price")
async def price(request: web.Request) -> web.Response:
    """The best bid for BUY, the best ask for SELL, as the venue documents it."""
    side = request.query.get("side", "").upper()
    if side not in ("BUY", "SELL"):
        raise RequestRefused(refusal.INVALID_SIDE)
    view = _view(request)
    best = view.best_bid if side == "BUY" else view.best_ask
    if best is None:
        raise RequestRefused(refusal.NO_BOOK, 404)
    return json_response({"price": price_text(best)})


@routes.get("/midpoint")
async def midpoint(request: web.Request) -> web.Response:
    view = _view(request)
    if view.best_bid is None or view.best_ask is None:
        raise RequestRefused(refusal.NO_BOOK, 404)
    return json_response({"mid": micro_text((view.best_bid + view.best_ask) // 2)})


@routes.get("/spread")
async def spread(request: web.Request) -> web.Response:
    view = _view(request)
    if view.best_bid is None or view.best_ask is None:
        raise RequestRefused(refusal.NO_BOOK, 404)
    return json_response({"spread": micro_text(view.best_ask - view.best_bid)})


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
    standing = request.app[FLOOR].publisher.standing(market)
    return json_response(markets.clob_market(market, standing))


@routes.get("/markets/{condition_id}")
async def full_market(request: web.Request) -> web.Response:
    market = _by_condition(request)
    standing = request.app[FLOOR].publisher.standing(market)
    return json_response(markets.full_market(market, standing))


def _by_condition(request: web.Request) -> Market:
    condition_id = request.match_info["condition_id"]
    for market in request.app[FLOOR].publisher.known_markets():
        if market.condition_id == condition_id:
            return market
    raise RequestRefused(refusal.NO_MARKET, 404)


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

"""Public prices of the CLOB: best, middle, spread and last, one by one and in lists; and history.

A list names up to 500 tokens; those that nobody lists, or that have no such price, are left out of
the answer.  The price of BUY is the best bid and of SELL the best ask, as the venue documents it.

Source: exchange reference 1.2.
"""

from collections.abc import Callable
from typing import Any, Final

from aiohttp import web

from polybawt.core.units import MILLION, SECOND_NS, Price, micro_text
from polybawt.exchange import refusal
from polybawt.exchange.refusal import RequestRefused
from polybawt.exchange.web import FLOOR, checked_token, json_response, listed, token_of
from polybawt.exchange.wire.books import BookView
from polybawt.exchange.wire.texts import number, price_text

NO_TRADE: Final = {"price": "0.5", "side": ""}  # what the venue says before the first trade
INTERVALS: Final = {
    "1h": 3_600,
    "6h": 6 * 3_600,
    "1d": 86_400,
    "1w": 7 * 86_400,
    "1m": 30 * 86_400,
    "max": 0,
}
FIDELITY_MAX: Final = 43_200  # minutes: a month
SECONDS_DIGITS: Final = 12

Quote = dict[str, str]

routes = web.RouteTableDef()


# One by one.


def _best(view: BookView, side: str) -> Price | None:
    return view.best_bid if side == "BUY" else view.best_ask


def _middle(view: BookView) -> str | None:
    if view.best_bid is None or view.best_ask is None:
        return None
    return micro_text((view.best_bid + view.best_ask) // 2)


def _spread(view: BookView) -> str | None:
    if view.best_bid is None or view.best_ask is None:
        return None
    return micro_text(view.best_ask - view.best_bid)


def _view(request: web.Request) -> BookView:
    view = request.app[FLOOR].publisher.view(token_of(request))
    if view is None:
        raise RequestRefused(refusal.NO_BOOK, 404)
    return view


def _one(name: str, found: str | None) -> web.Response:
    if found is None:
        raise RequestRefused(refusal.NO_BOOK, 404)
    return json_response({name: found})


def _side(text: object) -> str:
    side = text.upper() if isinstance(text, str) else ""
    if side not in ("BUY", "SELL"):
        raise RequestRefused(refusal.INVALID_SIDE)
    return side


@routes.get("/price")
async def price(request: web.Request) -> web.Response:
    side = _side(request.query.get("side"))
    best = _best(_view(request), side)
    return _one("price", None if best is None else price_text(best))


@routes.get("/midpoint")
async def midpoint(request: web.Request) -> web.Response:
    return _one("mid", _middle(_view(request)))


@routes.get("/spread")
async def spread(request: web.Request) -> web.Response:
    return _one("spread", _spread(_view(request)))


@routes.get("/last-trade-price")
async def last_trade_price(request: web.Request) -> web.Response:
    token, floor = token_of(request), request.app[FLOOR]
    floor.market_of(token)
    return json_response(_last(request, token) or NO_TRADE)


def _last(request: web.Request, token: str) -> Quote | None:
    """Price and side of a market's last trade; as in its books, both tokens say the same."""
    floor = request.app[FLOOR]
    market = floor.venue.market_of(token)
    printed = floor.history.last_trade(market.condition_id) if market else None
    if printed is None:
        return None
    return {"price": price_text(printed.price), "side": printed.side.value}


# In lists.


@routes.post("/prices")
async def prices(request: web.Request) -> web.Response:
    publisher = request.app[FLOOR].publisher
    found: dict[str, Quote] = {}
    for one in await listed(request):
        token, side = checked_token(one.get("token_id")), _side(one.get("side"))
        view = publisher.view(token)
        best = _best(view, side) if view else None
        if best is not None:
            found.setdefault(token, {})[side] = price_text(best)
    return json_response(found)


@routes.post("/midpoints")
async def midpoints(request: web.Request) -> web.Response:
    return await _of_each(request, _middle)


@routes.post("/spreads")
async def spreads(request: web.Request) -> web.Response:
    return await _of_each(request, _spread)


async def _of_each(request: web.Request, read: Callable[[BookView], str | None]) -> web.Response:
    publisher = request.app[FLOOR].publisher
    found: Quote = {}
    for token in _tokens(await listed(request)):
        view = publisher.view(token)
        text = read(view) if view else None
        if text is not None:
            found[token] = text
    return json_response(found)


@routes.post("/last-trades-prices")
async def last_trades_prices(request: web.Request) -> web.Response:
    """Tokens without a trade are left out: clients refuse an empty side in this list."""
    quotes = [(token, _last(request, token)) for token in _tokens(await listed(request))]
    return json_response([{"token_id": token, **quote} for token, quote in quotes if quote])


def _tokens(rows: list[dict[str, Any]]) -> list[str]:
    return [checked_token(one.get("token_id")) for one in rows]


# History.


@routes.get("/prices-history")
async def prices_history(request: web.Request) -> web.Response:
    """Prices of a token, a whole number of minutes apart, and the present one at the end.

    A range of seconds goes before an interval. A token that nobody lists has no history, which
    is not an error (UNCONFIRMED).
    """
    token, floor = checked_token(request.query.get("market")), request.app[FLOOR]
    market = floor.venue.market_of(token)
    now_s = floor.now_ns() // SECOND_NS
    start_s, end_s = _span(request, now_s)
    step_s = 60 * _whole(request.query.get("fidelity", "1"), 1, FIDELITY_MAX)
    if market is None:
        return json_response({"history": []})
    points = floor.history.points(market.condition_id, start_s, end_s, step_s, now_s)
    first = token == market.yes_token
    return json_response(
        {"history": [{"t": t, "p": number(p if first else MILLION - p)} for t, p in points]}
    )


def _span(request: web.Request, now_s: int) -> tuple[int, int]:
    query = request.query
    latest = 10**SECONDS_DIGITS
    if "startTs" in query or "endTs" in query:
        end_s = _whole(query.get("endTs", str(now_s)), 0, latest)
        return _whole(query.get("startTs", "0"), 0, latest), min(end_s, now_s)
    seconds = INTERVALS.get(query.get("interval", ""))
    if seconds is None:
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    return (now_s - seconds if seconds else 0), now_s


def _whole(text: str, low: int, high: int) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > SECONDS_DIGITS:
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    if not low <= int(text) <= high:
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    return int(text)

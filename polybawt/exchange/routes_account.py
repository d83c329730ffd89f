"""Private routes of the CLOB: keys, orders, cancels, an account's records, heartbeats.

Every handler first reads the exact bytes, then proves the key over them, and only then looks at
what they say; a forged request therefore learns nothing about its payload.

Source: exchange reference 1.2, 1.6 to 1.13, 2.1 and 2.2.
"""

from collections.abc import Callable
from typing import Final

from aiohttp import web

from polybawt.core.units import SECOND_NS
from polybawt.exchange import refusal
from polybawt.exchange.auth import ApiKey, proved_wallet
from polybawt.exchange.floor import CANCELS_MAX
from polybawt.exchange.refusal import RequestRefused
from polybawt.exchange.web import (
    FLOOR,
    checked_token,
    json_response,
    page,
    parsed,
    proved,
    read_body,
)
from polybawt.sim.records import VenueOrder, VenueTrade
from polybawt.venue.contracts import contracts
from polybawt.venue.signing import Credentials

UNLIMITED: Final = str(2**256 - 1)
SECONDS_DIGITS: Final = 12

routes = web.RouteTableDef()


# Keys.


@routes.post("/auth/api-key")
async def create_key(request: web.Request) -> web.Response:
    floor = request.app[FLOOR]
    return _credentials(floor.ring.create(*proved_wallet(request.headers, floor.config.chain_id)))


@routes.get("/auth/derive-api-key")
async def derive_key(request: web.Request) -> web.Response:
    floor = request.app[FLOOR]
    return _credentials(floor.ring.derive(*proved_wallet(request.headers, floor.config.chain_id)))


def _credentials(credentials: Credentials) -> web.Response:
    return json_response(
        {
            "apiKey": credentials.key,
            "secret": credentials.secret,
            "passphrase": credentials.passphrase,
        }
    )


@routes.get("/auth/api-keys")
async def keys(request: web.Request) -> web.Response:
    key = proved(request)
    return json_response({"apiKeys": request.app[FLOOR].ring.keys(key.address)})


# Orders.


@routes.post("/order")
async def place(request: web.Request) -> web.Response:
    body = await read_body(request)
    key = proved(request, body)
    order = parsed(body, refusal.INVALID_ORDER_PAYLOAD)
    return json_response(request.app[FLOOR].place(order, key))


@routes.post("/orders")
async def place_many(request: web.Request) -> web.Response:
    body = await read_body(request)
    key = proved(request, body)
    legs = parsed(body, refusal.INVALID_ORDER_PAYLOAD)
    return json_response(request.app[FLOOR].place_many(legs, key))


# Cancels.


@routes.delete("/order")
async def cancel(request: web.Request) -> web.Response:
    body = await read_body(request)
    key = proved(request, body)
    wanted = parsed(body)
    order_id = wanted.get("orderID") if isinstance(wanted, dict) else None
    if not isinstance(order_id, str):
        raise RequestRefused(refusal.INVALID_ORDER_ID)
    return json_response(request.app[FLOOR].cancel([order_id], key))


@routes.delete("/orders")
async def cancel_some(request: web.Request) -> web.Response:
    body = await read_body(request)
    key = proved(request, body)
    wanted = parsed(body)
    if not isinstance(wanted, list) or not all(isinstance(one, str) for one in wanted):
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    if len(wanted) > CANCELS_MAX:
        raise RequestRefused(refusal.TOO_LARGE)
    return json_response(request.app[FLOOR].cancel(wanted, key))


@routes.delete("/cancel-all")
async def cancel_all(request: web.Request) -> web.Response:
    key = proved(request, await read_body(request))
    return json_response(request.app[FLOOR].cancel_all(key))


@routes.delete("/cancel-market-orders")
async def cancel_market(request: web.Request) -> web.Response:
    body = await read_body(request)
    key = proved(request, body)
    wanted = parsed(body or b"{}")
    if not isinstance(wanted, dict):
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    market, token = wanted.get("market") or "", wanted.get("asset_id") or ""
    if not isinstance(market, str) or not isinstance(token, str):
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    return json_response(request.app[FLOOR].cancel_all(key, market, token))


# Records.


@routes.get("/data/order/{order_id}")
async def one_order(request: web.Request) -> web.Response:
    key, floor = proved(request), request.app[FLOOR]
    order = floor.order(request.match_info["order_id"], key)
    if order is None:
        raise RequestRefused(refusal.NO_ORDER, 404)
    market = floor.venue.markets.get(order.condition_id)
    return json_response(floor.people.order_record(order, market))


@routes.get("/data/orders")
async def open_orders(request: web.Request) -> web.Response:
    """Open orders; with ``id`` that order in whatever status."""
    key, floor = proved(request), request.app[FLOOR]
    wanted = request.query.get("id", "")
    if wanted:
        one = floor.order(wanted, key)
        found = [one] if one else []
    else:
        found = [order for order in floor.open_orders(key) if _order_matches(request, order)]
    markets = floor.venue.markets
    rows = [floor.people.order_record(order, markets.get(order.condition_id)) for order in found]
    return json_response(page(request, rows))


def _order_matches(request: web.Request, order: VenueOrder) -> bool:
    market, token = request.query.get("market", ""), request.query.get("asset_id", "")
    return market in ("", order.condition_id) and token in ("", order.placement.token_id)


@routes.get("/data/trades")
async def trades(request: web.Request) -> web.Response:
    """This account's trades, newest first; ``asset_id`` filters the taker's asset only."""
    key, floor = proved(request), request.app[FLOOR]
    fits = _trade_filter(request)
    markets = floor.venue.markets
    rows = [
        floor.people.trade_record(trade, markets.get(trade.condition_id), reader)
        for reader, trade in reversed(floor.trades(key))
        if fits(reader, trade)
    ]
    return json_response(page(request, rows))


def _trade_filter(request: web.Request) -> Callable[[str, VenueTrade], bool]:
    query = request.query
    before, after = _seconds(query.get("before", "")), _seconds(query.get("after", ""))
    maker = query.get("maker_address", "").lower()

    def fits(reader: str, trade: VenueTrade) -> bool:
        match_s = trade.match_ns // SECOND_NS
        return (
            query.get("id", "") in ("", trade.trade_id)
            and query.get("market", "") in ("", trade.condition_id)
            and query.get("asset_id", "") in ("", trade.token_id)
            and maker in ("", reader.lower())
            and (before is None or match_s < before)
            and (after is None or match_s > after)
        )

    return fits


def _seconds(text: str) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > SECONDS_DIGITS:
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    return int(text)


# Balances.


@routes.get("/balance-allowance")
async def balance(request: web.Request) -> web.Response:
    key, floor = proved(request), request.app[FLOOR]
    amount = floor.balance(key, _signature_type(request), _asset(request))
    known = contracts(floor.config.chain_id)
    spenders = known.standard, known.neg_risk, known.positions
    return json_response({"balance": str(amount), "allowances": dict.fromkeys(spenders, UNLIMITED)})


@routes.get("/balance-allowance/update")
async def update_balance(request: web.Request) -> web.Response:
    """Refresh the venue's cached view; ours is never stale, so only the checks remain."""
    proved(request)
    _asset(request)
    return json_response("")


def _asset(request: web.Request) -> str:
    match request.query.get("asset_type", ""):
        case "COLLATERAL":
            return ""
        case "CONDITIONAL" | "CONDITIONAL-V2":
            return checked_token(request.query.get("token_id", ""))
        case _:
            raise RequestRefused(refusal.INVALID_ASSET_TYPE)


def _signature_type(request: web.Request) -> int:
    text = request.query.get("signature_type", "0")
    if text not in ("0", "1", "2", "3"):
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    return int(text)


# The dead-man switch.


@routes.post("/v1/heartbeats")
async def heartbeat(request: web.Request) -> web.Response:
    body = await read_body(request)
    key: ApiKey = proved(request, body)
    beat = parsed(body)
    given = (beat.get("heartbeat_id") or "") if isinstance(beat, dict) else None
    if not isinstance(given, str):
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    return json_response({"heartbeat_id": request.app[FLOOR].beat(key, given)})

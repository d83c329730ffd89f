"""What trades: orders, cancels, and the dead-man switch behind them.

Every handler first reads the exact bytes, then proves the key over them, and only then looks at
what they say; a forged request therefore learns nothing about its payload.  Then the signer's
bucket is asked, and only after that the floor.

Source: exchange reference 1.2, 1.6 to 1.9, 1.13, 1.15 and 2.2.
"""

from aiohttp import web

from polybawt.exchange import refusal
from polybawt.exchange.auth import ApiKey
from polybawt.exchange.floor import CANCELS_MAX
from polybawt.exchange.orders import BATCH_MAX
from polybawt.exchange.refusal import RequestRefused
from polybawt.exchange.web import (
    FLOOR,
    charged,
    json_response,
    parsed,
    proved,
    read_body,
)

routes = web.RouteTableDef()


# Orders.


@routes.post("/order")
async def place(request: web.Request) -> web.Response:
    body = await read_body(request)
    key = proved(request, body)
    _charge_orders(request, key, 1)
    order = parsed(body, refusal.INVALID_ORDER_PAYLOAD)
    return json_response(request.app[FLOOR].place(order, key))


@routes.post("/orders")
async def place_many(request: web.Request) -> web.Response:
    body = await read_body(request)
    key = proved(request, body)
    legs = parsed(body, refusal.INVALID_ORDER_PAYLOAD)
    _charge_orders(request, key, len(legs) if isinstance(legs, list) and legs else 1)
    return json_response(request.app[FLOOR].place_many(legs, key))


def _charge_orders(request: web.Request, key: ApiKey, count: int) -> None:
    """An order costs one token, a batch one for each leg; one that is too long costs no more."""
    floor = request.app[FLOOR]
    if floor.signers is not None:
        cost = min(count, BATCH_MAX)
        charged(request, floor.signers.orders(key.address, cost, floor.now_ns()))


def _charge_cancels(request: web.Request, key: ApiKey, count: int) -> None:
    floor = request.app[FLOOR]
    if floor.signers is not None:
        charged(request, floor.signers.cancels(key.address, count, floor.now_ns()))


# Cancels.


@routes.delete("/order")
async def cancel(request: web.Request) -> web.Response:
    body = await read_body(request)
    key = proved(request, body)
    wanted = parsed(body)
    order_id = wanted.get("orderID") if isinstance(wanted, dict) else None
    if not isinstance(order_id, str):
        raise RequestRefused(refusal.INVALID_ORDER_ID)
    _charge_cancels(request, key, 1)
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
    _charge_cancels(request, key, max(len(wanted), 1))
    return json_response(request.app[FLOOR].cancel(wanted, key))


@routes.delete("/cancel-all")
async def cancel_all(request: web.Request) -> web.Response:
    key = proved(request, await read_body(request))
    return _cancelled_all(request, key)


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
    return _cancelled_all(request, key, market, token)


def _cancelled_all(
    request: web.Request, key: ApiKey, market: str = "", token: str = ""
) -> web.Response:
    """Costs one token, and then one for each order that it cancelled."""
    _charge_cancels(request, key, 1)
    floor = request.app[FLOOR]
    done, cancelled = floor.cancel_all(key, market, token)
    if floor.signers is not None:
        charged(request, floor.signers.cancelled(key.address, cancelled, floor.now_ns()))
    return json_response(done)


# The dead-man switch.


@routes.post("/v1/heartbeats")
async def heartbeat(request: web.Request) -> web.Response:
    body = await read_body(request)
    key = proved(request, body)
    beat = parsed(body)
    given = (beat.get("heartbeat_id") or "") if isinstance(beat, dict) else None
    if not isinstance(given, str):
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    return json_response({"heartbeat_id": request.app[FLOOR].beat(key, given)})


@routes.post("/heartbeats")
async def old_heartbeat(request: web.Request) -> web.Response:
    """The older form, without an id: it winds the same switch."""
    key = proved(request, await read_body(request))
    request.app[FLOOR].wind(key)
    return json_response({"status": "ok"})

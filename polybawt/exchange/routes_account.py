"""What an account may read of itself: its orders and trades, its balances, its notices.

A key that signs or a key that only reads will do, except where something is dropped or a body
comes along.

Source: exchange reference 1.2, 1.10 to 1.12.
"""

from collections.abc import Callable
from typing import Final

from aiohttp import web

from polybawt.core.units import SECOND_NS
from polybawt.exchange import refusal
from polybawt.exchange.floor import CANCELS_MAX, ORDER_ID_CHARS, Floor
from polybawt.exchange.notices import Notice
from polybawt.exchange.refusal import RequestRefused
from polybawt.exchange.web import (
    FLOOR,
    checked_token,
    json_response,
    page,
    parsed,
    proved,
    read_body,
    reader,
)
from polybawt.exchange.wire import accounts, markets
from polybawt.sim.records import VenueOrder, VenueTrade
from polybawt.venue.contracts import contracts

UNLIMITED: Final = str(2**256 - 1)
SECONDS_DIGITS: Final = 12
NUMBER_DIGITS: Final = 18

routes = web.RouteTableDef()


# Records.


@routes.get("/data/order/{order_id}")
async def one_order(request: web.Request) -> web.Response:
    key, floor = reader(request), request.app[FLOOR]
    order = floor.order(request.match_info["order_id"], key)
    if order is None:
        raise RequestRefused(refusal.NO_ORDER, 404)
    market = floor.venue.markets.get(order.condition_id)
    return json_response(floor.people.order_record(order, market))


@routes.get("/data/orders")
async def open_orders(request: web.Request) -> web.Response:
    """Open orders; with ``id`` that order in whatever status."""
    key, floor = reader(request), request.app[FLOOR]
    wanted = request.query.get("id", "")
    if wanted:
        one = floor.order(wanted, key)
        found = [one] if one else []
    else:
        found = [order for order in floor.open_orders(key) if _order_matches(request, order)]
    markets = floor.venue.markets
    return json_response(
        page(
            request,
            found,
            lambda order: floor.people.order_record(order, markets.get(order.condition_id)),
        )
    )


@routes.get("/data/pre-migration-orders")
async def old_orders(request: web.Request) -> web.Response:
    """Orders from before the second CLOB: this one never had another."""
    reader(request)
    none: list[object] = []
    return json_response(page(request, none, lambda order: order))


@routes.get("/order-scoring")
async def order_scoring(request: web.Request) -> web.Response:
    """Whether an order earns liquidity rewards; there are none here."""
    reader(request)
    _checked_order_id(request.query.get("order_id"))
    return json_response({"scoring": False})


@routes.post("/orders-scoring")
async def orders_scoring(request: web.Request) -> web.Response:
    body = await read_body(request)
    proved(request, body)
    wanted = parsed(body)
    if not isinstance(wanted, list):
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    if len(wanted) > CANCELS_MAX:
        raise RequestRefused(refusal.TOO_LARGE)
    return json_response(dict.fromkeys(map(_checked_order_id, wanted), False))


def _checked_order_id(text: object) -> str:
    if not isinstance(text, str) or len(text) != ORDER_ID_CHARS or not text.startswith("0x"):
        raise RequestRefused(refusal.INVALID_ORDER_ID)
    return text


def _order_matches(request: web.Request, order: VenueOrder) -> bool:
    market, token = request.query.get("market", ""), request.query.get("asset_id", "")
    return market in ("", order.condition_id) and token in ("", order.placement.token_id)


@routes.get("/data/trades")
async def trades(request: web.Request) -> web.Response:
    """This account's trades, newest first; ``asset_id`` filters the taker's asset only."""
    key, floor = reader(request), request.app[FLOOR]
    fits = _trade_filter(request)
    markets = floor.venue.markets
    found = [pair for pair in reversed(floor.trades(key)) if fits(*pair)]
    return json_response(
        page(
            request,
            found,
            lambda pair: floor.people.trade_record(
                pair[1], markets.get(pair[1].condition_id), pair[0]
            ),
        )
    )


def _trade_filter(request: web.Request) -> Callable[[str, VenueTrade], bool]:
    query = request.query
    before, after = _seconds(query.get("before", "")), _seconds(query.get("after", ""))
    maker = query.get("maker_address", "").lower()

    def fits(party: str, trade: VenueTrade) -> bool:
        match_s = trade.match_ns // SECOND_NS
        return (
            query.get("id", "") in ("", trade.trade_id)
            and query.get("market", "") in ("", trade.condition_id)
            and query.get("asset_id", "") in ("", trade.token_id)
            and maker in ("", party.lower())
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
    key, floor = reader(request), request.app[FLOOR]
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


# Notices.


@routes.get("/notifications")
async def notices(request: web.Request) -> web.Response:
    """Fills, cancellations and resolutions of the address that a signature type names."""
    key, floor = reader(request), request.app[FLOOR]
    owner = floor.people.purse(key.address, _signature_type(request))
    found = floor.notices.read(owner, floor.now_ns()) if owner else []
    return json_response([_notice(floor, notice) for notice in found])


def _notice(floor: Floor, notice: Notice) -> dict[str, object]:
    if notice.order is not None:
        owner = notice.order.placement.owner
        market = floor.publisher.known_market(notice.order.condition_id)
        payload = accounts.order_notice(notice.order, notice.trade, market)
    else:
        assert notice.market is not None, notice
        owner = notice.owner
        payload = markets.full_market(notice.market, floor.publisher.standing(notice.market))
    return {
        "id": notice.number,
        "owner": floor.people.name_of(owner),
        "payload": payload,
        "timestamp": notice.now_ns // SECOND_NS,
        "type": notice.kind,
    }


@routes.delete("/notifications")
async def drop_notices(request: web.Request) -> web.Response:
    """Drop the notices whose numbers ``ids`` lists, whichever of the account's addresses told."""
    key, floor = proved(request, await read_body(request)), request.app[FLOOR]
    numbers = request.query.get("ids", "").split(",")
    if not all(text.isascii() and text.isdecimal() for text in numbers):
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    if len(numbers) > CANCELS_MAX or any(len(text) > NUMBER_DIGITS for text in numbers):
        raise RequestRefused(refusal.TOO_LARGE)
    for owner in floor.people.addresses(key.address):
        floor.notices.drop(owner, map(int, numbers))
    return json_response("OK")

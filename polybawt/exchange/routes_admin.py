"""What the operator of the simulation may see and do; the real venue has nothing like it.

Loopback only, and with the token that the ready line names.
"""

import asyncio
import hmac
from typing import Final

from aiohttp import web

from polybawt.exchange import refusal
from polybawt.exchange.auth import canonical
from polybawt.exchange.refusal import RequestRefused
from polybawt.exchange.web import FLOOR, json_response

TOKEN: Final = web.AppKey("admin token", str)
STOPPED: Final = web.AppKey("stopped", asyncio.Event)
LOOPBACK: Final = ("127.0.0.1", "::1")

routes = web.RouteTableDef()


def _admit(request: web.Request) -> None:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    same = hmac.compare_digest(
        given.encode("utf-8", "surrogateescape"), request.app[TOKEN].encode()
    )
    if not same or request.remote not in LOOPBACK:
        raise RequestRefused("Unauthorized", 401)


@routes.get("/admin/account/{address}")
async def account(request: web.Request) -> web.Response:
    _admit(request)
    address = canonical(request.match_info["address"])
    if address is None:
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    return json_response(request.app[FLOOR].account(address))


@routes.post("/admin/freeze")
async def freeze(request: web.Request) -> web.Response:
    """The world stands still; the venue goes on answering and settling what was matched."""
    _admit(request)
    request.app[FLOOR].freeze()
    return json_response({"frozen": True})


@routes.post("/admin/stop")
async def stop(request: web.Request) -> web.Response:
    _admit(request)
    request.app[STOPPED].set()
    return json_response({"stopping": True})

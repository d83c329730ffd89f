"""The relayer, as far as trading needs it: which smart wallets exist.

A client asks before it trades for a wallet that is no plain account.  Ours exist from the start,
so nothing is ever deployed here, and no transaction is relayed.

Source: exchange reference 0 (hosts) and 7.2.
"""

from aiohttp import web

from polybawt.exchange.auth import canonical
from polybawt.exchange.web import FLOOR, json_response

routes = web.RouteTableDef()


@routes.get("/relayer/deployed")
async def deployed(request: web.Request) -> web.Response:
    address = canonical(request.query.get("address", ""))
    return json_response({"deployed": address in request.app[FLOOR].people.wallets})

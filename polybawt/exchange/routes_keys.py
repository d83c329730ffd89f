"""Keys: made, derived, listed, deleted; those that only read; those of builders; who is restricted.

Source: exchange reference 1.2, 2.1 and 2.2; shapes as the official clients parse them.
"""

from aiohttp import web

from polybawt.exchange import refusal
from polybawt.exchange.auth import proved_wallet
from polybawt.exchange.refusal import RequestRefused
from polybawt.exchange.sidekeys import BUILDER_HEADER
from polybawt.exchange.web import FLOOR, json_response, parsed, proved, read_body, signed_path
from polybawt.exchange.wire.texts import iso
from polybawt.venue.signing import Credentials

routes = web.RouteTableDef()


@routes.post("/auth/api-key")
async def create_key(request: web.Request) -> web.Response:
    floor = request.app[FLOOR]
    made = floor.ring.create(*proved_wallet(request.headers, floor.config.chain_id))
    return _credentials("apiKey", made)


@routes.get("/auth/derive-api-key")
async def derive_key(request: web.Request) -> web.Response:
    floor = request.app[FLOOR]
    known = floor.ring.derive(*proved_wallet(request.headers, floor.config.chain_id))
    return _credentials("apiKey", known)


def _credentials(name: str, credentials: Credentials) -> web.Response:
    return json_response(
        {
            name: credentials.key,
            "secret": credentials.secret,
            "passphrase": credentials.passphrase,
        }
    )


@routes.get("/auth/api-keys")
async def keys(request: web.Request) -> web.Response:
    key = proved(request)
    return json_response({"apiKeys": request.app[FLOOR].ring.keys(key.address)})


@routes.delete("/auth/api-key")
async def delete_key(request: web.Request) -> web.Response:
    """End the key that signs this. Its orders stay, and so does its dead-man switch."""
    key = proved(request, await read_body(request))
    request.app[FLOOR].ring.delete(key)
    return json_response("OK")


@routes.get("/auth/ban-status/closed-only")
async def closed_only(request: web.Request) -> web.Response:
    key = proved(request)
    return json_response({"closed_only": request.app[FLOOR].people.closed_only(key.address)})


# Keys that only read.


@routes.post("/auth/readonly-api-key")
async def create_reader(request: web.Request) -> web.Response:
    key = proved(request, await read_body(request))
    return json_response({"apiKey": request.app[FLOOR].side_keys.add_reader(key.address)})


@routes.get("/auth/readonly-api-keys")
async def readers(request: web.Request) -> web.Response:
    key = proved(request)
    return json_response(request.app[FLOOR].side_keys.readers(key.address))


@routes.delete("/auth/readonly-api-key")
async def delete_reader(request: web.Request) -> web.Response:
    body = await read_body(request)
    key = proved(request, body)
    wanted = parsed(body)
    gone = wanted.get("key") if isinstance(wanted, dict) else None
    if not isinstance(gone, str):
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    request.app[FLOOR].side_keys.drop_reader(key.address, gone)
    return json_response("OK")


# Keys of builders.


@routes.post("/auth/builder-api-key")
async def create_builder(request: web.Request) -> web.Response:
    key, floor = proved(request, await read_body(request)), request.app[FLOOR]
    return _credentials("key", floor.side_keys.add_builder(key.address, floor.now_ns()))


@routes.get("/auth/builder-api-key")
async def builders(request: web.Request) -> web.Response:
    key = proved(request)
    return json_response(
        [
            {
                "key": known.credentials.key,
                "createdAt": iso(known.created_ns),
                "revokedAt": iso(known.revoked_ns) if known.revoked_ns else None,
            }
            for known in request.app[FLOOR].side_keys.builders(key.address)
        ]
    )


@routes.delete("/auth/builder-api-key")
async def revoke_builder(request: web.Request) -> web.Response:
    """Signed by a builder's key, end that one; signed by the account's key, end all it has."""
    body, floor = await read_body(request), request.app[FLOOR]
    if BUILDER_HEADER in request.headers:
        address, gone = floor.side_keys.proved_builder(
            request.headers, method=request.method, path=signed_path(request), body=body
        )
    else:
        address, gone = proved(request, body).address, ""
    floor.side_keys.revoke_builders(address, floor.now_ns(), gone)
    return json_response("OK")

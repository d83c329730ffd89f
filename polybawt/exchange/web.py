"""What every route shares: reading bodies, proving keys, answering in JSON, refusing in JSON.

A route either returns a value's JSON or raises ``RequestRefused``; the middleware turns refusals,
unknown paths and wrong methods into the venue's error bodies.  Bodies are read once, as bytes,
because signatures are over bytes.

Source: exchange reference 1.1, 1.14 and 2.2.
"""

import base64
import binascii
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

import orjson
from aiohttp import web

from polybawt.core.units import SECOND_NS
from polybawt.exchange import refusal
from polybawt.exchange.auth import ApiKey, proved_key
from polybawt.exchange.floor import Floor
from polybawt.exchange.limits import Verdict
from polybawt.exchange.refusal import RequestRefused
from polybawt.exchange.sidekeys import READONLY_HEADER

FLOOR: Final = web.AppKey("floor", Floor)
LIMITS: Final = web.RequestKey("limits", dict[str, str])
BODY_MAX: Final = 1 << 20
ROWS_MAX: Final = 500  # of a public list request
FIRST_CURSOR: Final = "MA=="
END_CURSOR: Final = "LTE="

Row = TypeVar("Row")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def json_response(value: object, status: int = 200) -> web.Response:
    return raw_response(orjson.dumps(value), status)


def raw_response(body: bytes, status: int = 200) -> web.Response:
    return web.Response(body=body, status=status, content_type="application/json")


@web.middleware
async def refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every no is JSON, also the framework's own; what a limiter said goes with any answer."""
    response = await _answered(request, handler)
    if LIMITS in request:
        response.headers.update(request[LIMITS])
    return response


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        request.app[FLOOR].admit(request.remote or "", request.method, request.path)
        await request.read()  # also where nobody asks for it: what cannot be read is refused
        return await handler(request)
    except RequestRefused as refused:
        refusing = json_response(refused.body, refused.http_status)
        refusing.headers.update(refused.headers)
        return refusing
    except web.HTTPRequestEntityTooLarge:
        return json_response({"error": refusal.TOO_LARGE}, 400)
    except web.RequestPayloadError:  # a body that is not in the encoding it names
        request.content.feed_eof()  # else the server would try to read the rest of it
        return json_response({"error": refusal.INVALID_PAYLOAD}, 400)
    except UnicodeEncodeError:  # the framework wanted to quote a header that is no text
        return json_response({"error": refusal.INVALID_PAYLOAD}, 400)
    except web.HTTPException as refused:
        return json_response({"error": (refused.reason or "refused").lower()}, refused.status)


async def read_body(request: web.Request) -> bytes:
    return await request.read()


def parsed(body: bytes, text: str = refusal.INVALID_PAYLOAD) -> object:
    """The body as JSON, or a refusal in these words."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as wrong:
        raise RequestRefused(text) from wrong


def proved(request: web.Request, body: bytes = b"") -> ApiKey:
    """L2: whose key signed exactly this request."""
    floor = request.app[FLOOR]
    return proved_key(
        request.headers,
        floor.ring,
        method=request.method,
        path=signed_path(request),
        body=body,
        now_s=floor.now_ns() // SECOND_NS,
        skew_max_s=floor.config.auth_skew_max_s,
    )


def signed_path(request: web.Request) -> str:
    """The path as it was sent, without the query: what signatures cover."""
    return request.raw_path.partition("?")[0]


def reader(request: web.Request) -> ApiKey:
    """Who may read this: a key that signed the request, or one that only reads."""
    if READONLY_HEADER in request.headers:
        return request.app[FLOOR].side_keys.proved_reader(request.headers)
    return proved(request)


def charged(request: web.Request, verdict: Verdict | None) -> None:
    """Heed what the limiter says of this request, and let its headers go with the answer."""
    if verdict is None:
        return
    request[LIMITS] = dict(verdict.headers)
    if not verdict.admitted:
        raise RequestRefused(refusal.TOO_MANY, 429)


def token_of(request: web.Request) -> str:
    """The ``token_id`` of a query, which must at least look like one."""
    return checked_token(request.query.get("token_id", ""))


def checked_token(text: object) -> str:
    if not isinstance(text, str) or not text.isascii() or not text.isdecimal() or len(text) > 78:
        raise RequestRefused(refusal.INVALID_TOKEN)
    return text


async def listed(request: web.Request) -> list[dict[str, Any]]:
    """The rows of a public list request."""
    rows = parsed(await read_body(request))
    if not isinstance(rows, list) or not all(isinstance(one, dict) for one in rows):
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    if len(rows) > ROWS_MAX:
        raise RequestRefused(refusal.TOO_LARGE)
    return rows


def page(
    request: web.Request, rows: Sequence[Row], render: Callable[[Row], object]
) -> dict[str, object]:
    """One page of a list; the cursor is the base64 of an offset, "LTE=" ends it."""
    size = request.app[FLOOR].config.page_size
    start = _offset(request.query.get("next_cursor", FIRST_CURSOR))
    part = rows[start : start + size]
    last = start + size >= len(rows)
    following = END_CURSOR if last else cursor(start + size)
    return {
        "limit": size,
        "count": len(part),
        "next_cursor": following,
        "data": [*map(render, part)],
    }


def cursor(offset: int) -> str:
    return base64.b64encode(str(offset).encode()).decode()


def _offset(text: str) -> int:
    if text == END_CURSOR:
        return 1 << 62  # past every end: an empty last page
    try:
        offset = int(base64.b64decode(text or FIRST_CURSOR, validate=True))
    except (binascii.Error, ValueError) as wrong:
        raise RequestRefused(refusal.INVALID_PAYLOAD) from wrong
    if offset < 0:
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    return offset

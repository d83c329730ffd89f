"""The one way a request leaves: bounded in time and size, and either an answer or none.

``ask`` makes a single attempt and tells nothing but the truth: a status with its body, or
``NoAnswer``, which never says whether the request arrived.  ``read`` repeats what is safe to
repeat.  httpx runs over aiohttp's transport, which carries a hundred concurrent orders where its
own manages two hundred a second (decision D13).  What an answer means is not known here.

Source: exchange reference 1.1, 1.14, 1.15; requirement M2.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

import aiohttp
import httpx
from attrs import field, frozen
from httpx_aiohttp import AiohttpTransport

from polybawt.venue.backoff import Backoff

CONNECT_S: Final = 3.0
READ_S: Final = 10.0
DEADLINE_S: Final = 15.0  # for a whole exchange, however slowly it drips
CONNECTIONS_MAX: Final = 100
KEEPALIVE_S: Final = 15.0  # an idle connection that the venue may have closed costs an unknown
BODY_MAX: Final = 16 * 1024 * 1024
ATTEMPTS_MAX: Final = 4
RETRIED: Final = frozenset({425, 429})  # and every 5xx
RETRY_AFTER_MAX_S: Final = 3600.0

Headers = Callable[[], Mapping[str, str]]


class NoAnswer(Exception):
    """No answer came. Whether the request arrived is unknown."""


@frozen
class Answer:
    status: int
    body: bytes = field(repr=lambda body: f"<{len(body)} bytes>")
    retry_after_s: float = 0.0


def http_client(base_url: str) -> httpx.AsyncClient:
    """A client for one host. It obeys no proxy variables: the route is configured, not found."""
    limits = httpx.Limits(
        max_connections=CONNECTIONS_MAX,
        max_keepalive_connections=CONNECTIONS_MAX,
        keepalive_expiry=KEEPALIVE_S,
    )
    return httpx.AsyncClient(
        base_url=base_url,
        transport=AiohttpTransport(limits=limits, trust_env=False),
        timeout=httpx.Timeout(READ_S, connect=CONNECT_S),
        headers={"User-Agent": "polybawt", "Accept": "application/json"},
        trust_env=False,
    )


async def ask(
    http: httpx.AsyncClient,
    method: str,
    path: str,
    *,
    params: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    content: str | None = None,
    deadline_s: float = DEADLINE_S,
) -> Answer:
    """One attempt. ``content`` is sent byte for byte."""
    body, raw = bytearray(), None if content is None else content.encode()
    try:
        async with (
            asyncio.timeout(deadline_s),
            http.stream(method, path, params=params, headers=headers, content=raw) as response,
        ):
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > BODY_MAX:
                    raise NoAnswer(f"{method} {path}: more than {BODY_MAX} bytes")
            retry_after_s = _seconds(response.headers.get("retry-after", ""))
            return Answer(response.status_code, bytes(body), retry_after_s)
    except TimeoutError:
        raise NoAnswer(f"{method} {path}: no answer within {deadline_s} s") from None
    except (httpx.HTTPError, aiohttp.ClientError, OSError) as lost:
        # aiohttp's errors are named too: the transport maps most of them, not all
        raise NoAnswer(f"{method} {path}: {type(lost).__name__} {lost}"[:200]) from lost


def _seconds(text: str) -> float:
    """Retry-After in seconds; its other form, a date, asks for nothing we keep a clock for."""
    number = float(text) if text.isascii() and text.isdecimal() else 0.0
    return min(number, RETRY_AFTER_MAX_S)


async def read(
    http: httpx.AsyncClient,
    path: str,
    *,
    backoff: Backoff,
    params: Mapping[str, str] | None = None,
    headers: Headers | None = None,
) -> Answer:
    """GET, tried again on silence, 425, 429 and 5xx, with full jitter and fresh headers."""
    last = ""
    for attempt in range(ATTEMPTS_MAX):
        asked_s = 0.0
        try:
            answer = await ask(
                http, "GET", path, params=params, headers=headers() if headers else None
            )
        except NoAnswer as lost:
            last = str(lost)
        else:
            if answer.status not in RETRIED and answer.status < 500:
                return answer
            last, asked_s = f"GET {path}: {answer.status}", answer.retry_after_s
        if attempt + 1 < ATTEMPTS_MAX:
            await asyncio.sleep(backoff.delay_s(attempt, asked_s))
    raise NoAnswer(f"{last}, after {ATTEMPTS_MAX} attempts")

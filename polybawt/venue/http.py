"""The one way a request leaves: bounded in time and size, and either an answer or none.

``ask`` makes a single attempt and tells nothing but the truth: a status with its body, or
``NoAnswer``, which never says whether the request arrived.  ``read`` repeats what is safe to
repeat.  httpx runs over aiohttp's transport, which carries a hundred concurrent orders where its
own manages two hundred a second (decision D13).  What an answer means is not known here.

A connection that the server closed (GOAWAY of a gateway in front, keep-alive at its end, a
restart) is the transport's to replace.  It sends a request again by itself only when its method
is idempotent by HTTP: our reads and cancels, never a POST.

Source: exchange reference 1.1, 1.14, 1.15; requirement M2.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, Protocol

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
WAIT_S_LEAST: Final = 1.0  # a second is waited for, however impatient the caller

Headers = Callable[[], Mapping[str, str]]


class NoAnswer(Exception):
    """No answer came. Whether the request arrived is unknown."""


class NotSent(NoAnswer):
    """Not a byte of it left, and nothing of it will."""


@frozen
class Answer:
    status: int
    body: bytes = field(repr=lambda body: f"<{len(body)} bytes>")
    retry_after_s: float = 0.0
    remaining: int | None = None  # what the venue counts of its own limit (1.15)
    tier: str = ""
    limit_warning: bool = False
    reset_s: int = 0  # unix seconds


class Line(Protocol):
    """Where a request waits for its turn, and who learns from its answer."""

    async def admit(self) -> None:
        """Come back when it is our turn; ``NotSent`` when that would be too late."""

    def learn(self, answer: Answer) -> None: ...


class NoLine:
    """Nobody waits, and nothing is learned."""

    async def admit(self) -> None: ...

    def learn(self, answer: Answer) -> None: ...


NO_LINE: Final = NoLine()


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
            return _answer(response, bytes(body))
    except TimeoutError:
        raise NoAnswer(f"{method} {path}: no answer within {deadline_s} s") from None
    except (httpx.HTTPError, aiohttp.ClientError, OSError) as lost:
        # aiohttp's errors are named too: the transport maps most of them, not all
        raise NoAnswer(f"{method} {path}: {type(lost).__name__} {lost}"[:200]) from lost


def _answer(response: httpx.Response, body: bytes) -> Answer:
    headers = response.headers
    return Answer(
        response.status_code,
        body,
        _seconds(headers.get("retry-after", "")),
        remaining=_count(headers.get("poly-ratelimit-remaining", "")),
        tier=headers.get("poly-ratelimit-tier", "").strip().lower()[:20],
        limit_warning=headers.get("poly-ratelimit-warning", "").lower() == "true",
        reset_s=max(0, _count(headers.get("poly-ratelimit-reset", ""), 12) or 0),
    )


def _count(text: str, digits_max: int = 9) -> int | None:
    """A whole number of so many digits, which may be negative; None for anything else."""
    digits = text.removeprefix("-")
    whole = digits.isascii() and digits.isdecimal() and len(digits) <= digits_max
    return int(text) if whole else None


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
    line: Line = NO_LINE,
) -> Answer:
    """GET, tried again on silence, 425, 429 and 5xx, with full jitter and fresh headers.

    Never earlier than the venue asked for: a wait that is longer than ours ends the read.
    """
    last = ""
    for attempt in range(ATTEMPTS_MAX):
        asked_s = 0.0
        try:
            await line.admit()
            answer = await ask(
                http, "GET", path, params=params, headers=headers() if headers else None
            )
        except NotSent as late:
            raise NotSent(f"GET {path}: {late}") from None
        except NoAnswer as lost:
            last = str(lost)
        else:
            line.learn(answer)
            if answer.status not in RETRIED and answer.status < 500:
                return answer
            last, asked_s = f"GET {path}: {answer.status}", answer.retry_after_s
        if asked_s > max(backoff.cap_s, WAIT_S_LEAST):
            raise NoAnswer(f"{last}, asked to wait for {asked_s:g} s")
        if attempt + 1 < ATTEMPTS_MAX:
            await asyncio.sleep(max(backoff.delay_s(attempt, asked_s), asked_s))
    raise NoAnswer(f"{last}, after {ATTEMPTS_MAX} attempts")

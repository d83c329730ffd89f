"""How a question to the Data API is read, refused and answered page by page.

Every answer is ``{"data", "pagination"}``, every refusal names the parameter.  A cursor is opaque
to clients: here it is how many rows they have had and the moment that the first page showed, so
that all pages show one and the same moment.

Source: exchange reference 5.2. The words of ``code`` are UNCONFIRMED.
"""

import base64
import binascii
from collections.abc import Callable, Collection, Sequence
from typing import Final, TypeVar

import orjson
from aiohttp import web
from attrs import frozen

from polybawt.core.units import MILLION, SECOND_NS
from polybawt.exchange.auth import canonical
from polybawt.exchange.refusal import RequestRefused
from polybawt.exchange.web import FLOOR, json_response
from polybawt.sim.chain import digest

T = TypeVar("T")

INVALID: Final = "INVALID_PARAMETER"
MISSING: Final = "MISSING_PARAMETER"
LIMIT_DEFAULT: Final = 100
LIMIT_MAX: Final = 1_000
IDS_MAX: Final = 20  # conditions or events in one question
SECONDS_MAX: Final = 253_402_300_799  # the last second of the year 9999
AMOUNT_MAX: Final = 1e15


def refused(request: web.Request, parameter: str, why: str, code: str = INVALID) -> RequestRefused:
    now_ns = request.app[FLOOR].now_ns()
    return RequestRefused(
        f"{parameter}: {why}",
        400,
        code=code,
        retryable=False,
        trace_id=digest(f"{request.path_qs} at {now_ns}")[2:34],
        parameter=parameter,
    )


# Parameters.


def owner(request: web.Request, *, required: bool = True) -> str:
    """``user`` in the spelling that the venue's books have; "" when it is not there."""
    text = request.query.get("user", "")
    if not text:
        if required:
            raise refused(request, "user", "is required", MISSING)
        return ""
    address = canonical(text)
    if address is None:
        raise refused(request, "user", "is no address")
    known = request.app[FLOOR].venue.holdings(text.lower())  # the simulation's own are lower case
    return text.lower() if known else address


def several(request: web.Request, name: str, most: int = IDS_MAX) -> list[str]:
    texts = [one for text in request.query.getall(name, []) for one in text.split(",") if one]
    found = list(dict.fromkeys(text.lower() for text in texts))
    if len(found) > most:
        raise refused(request, name, f"names more than {most}")
    return found


def conditions(request: web.Request, name: str = "condition_id", most: int = IDS_MAX) -> list[str]:
    """Condition ids in their long form; those of Protocol V2 may come without the last byte."""
    found = []
    for text in several(request, name, most):
        digits = text.removeprefix("0x")
        if len(digits) not in (62, 64) or not set(digits) <= set("0123456789abcdef"):
            raise refused(request, name, "is no condition id")
        found.append(f"0x{digits:0<64}")
    return found


def events(request: web.Request) -> list[int]:
    found = several(request, "event_id")
    if not all(text.isascii() and text.isdecimal() and len(text) <= 10 for text in found):
        raise refused(request, "event_id", "is no id of an event")
    return [int(text) for text in found]


def choice(request: web.Request, name: str, choices: Collection[str], default: str = "") -> str:
    text = request.query.get(name, "")
    if text and text not in choices:
        raise refused(request, name, f"is none of {', '.join(choices)}")
    return text or default


def flag(request: web.Request, name: str, default: bool) -> bool:
    text = choice(request, name, ("true", "false", "True", "False"))
    return text.lower() == "true" if text else default


def amount(request: web.Request, name: str, default: int) -> int:
    """A number of shares or dollars, in millionths."""
    text = request.query.get(name, "")
    if not text:
        return default
    try:
        number = float(text)
    except ValueError as wrong:
        raise refused(request, name, "is no number") from wrong
    if not 0 <= number <= AMOUNT_MAX:
        raise refused(request, name, "is no amount")
    return round(number * MILLION)


def second(request: web.Request, name: str) -> int | None:
    text = request.query.get(name, "")
    if not text:
        return None
    if not text.isascii() or not text.isdecimal() or not 0 < int(text[:20]) <= SECONDS_MAX:
        raise refused(request, name, "is no time in unix seconds")
    return int(text)


@frozen
class Window:
    """From which moment to which, both included."""

    start_ns: int
    end_ns: int

    def __contains__(self, at_ns: object) -> bool:
        return isinstance(at_ns, int) and self.start_ns <= at_ns <= self.end_ns


def window(request: web.Request) -> Window:
    start, end = second(request, "start"), second(request, "end")
    first = (start or 0) * SECOND_NS
    last = (SECONDS_MAX if end is None else end + 1) * SECOND_NS - 1
    return Window(first, last)


# Pages.


@frozen
class Turn:
    """Which rows are asked for, as of which moment."""

    offset: int
    limit: int
    until_ns: int


def turn(request: web.Request, until_ns: int) -> Turn:
    text = request.query.get("limit", "")
    if text and not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= 10**6):
        raise refused(request, "limit", "is no number of rows")
    limit = min(int(text[:9]) if text else LIMIT_DEFAULT, LIMIT_MAX)
    cursor = request.query.get("cursor", "")
    if not cursor:
        return Turn(0, limit, until_ns)
    try:
        parts = orjson.loads(base64.urlsafe_b64decode(cursor))
    except (binascii.Error, ValueError) as wrong:
        raise refused(request, "cursor", "is not one of ours") from wrong
    if not isinstance(parts, list) or [type(part) for part in parts] != [int, int]:
        raise refused(request, "cursor", "is not one of ours")
    offset, shown_ns = parts
    if not 0 <= offset <= 10**9 or not 0 <= shown_ns <= until_ns:
        raise refused(request, "cursor", "is not one of ours")
    return Turn(offset, limit, shown_ns)


def pagination(count: int, at: Turn) -> dict[str, object]:
    """How to go on after this part of so many rows."""
    end = at.offset + at.limit
    more = end < count
    cursor = base64.urlsafe_b64encode(orjson.dumps([end, at.until_ns])).decode() if more else None
    return {"limit": at.limit, "offset": at.offset, "has_more": more, "next_cursor": cursor}


def page(
    rows: Sequence[T], at: Turn, render: Callable[[T], object] = lambda row: row
) -> web.Response:
    """The asked part of all rows, and how to go on."""
    part = [render(row) for row in rows[at.offset : at.offset + at.limit]]
    return answer(part, pagination(len(rows), at))


def whole(rows: Sequence[object]) -> web.Response:
    """A list that has no second page."""
    return page(rows, Turn(0, max(len(rows), 1), 0))


def answer(value: object, pagination: object = None) -> web.Response:
    return json_response({"data": value, "pagination": pagination})

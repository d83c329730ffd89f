"""Carries faults out on the wire: what becomes of a request, and of the frames of one stream.

Which request or frame is struck is decided in ``sim/faults``; here it is only done.  The admin
routes are never struck, nor is PONG: a socket that answers PING and says nothing else is the
worst of them.

Source: exchange reference 6 and section 8, items 7 and 8.
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from aiohttp import web

from polybawt.core.units import SECOND_NS
from polybawt.exchange.refusal import RequestRefused
from polybawt.exchange.web import FLOOR, Handler, json_response, parsed, proved
from polybawt.sim.faults import FRAMES, REQUESTS, Fault, Faults, Struck

UNKNOWN_500: Final = "could not run the execution"  # leaves the outcome open (reference 1.14)
TOO_MANY: Final = "Too Many Requests"
SPARED: Final = ("/admin/", "/ws/")
TOKEN: Final = re.compile(rb'"asset_id":"(\d+)"')
EVENT: Final = re.compile(rb'"event_type":"(\w+)"')


@web.middleware
async def mishaps(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Carry a request out, or what is left of that."""
    floor = request.app[FLOOR]
    if request.path.startswith(SPARED):
        return await handler(request)
    fault = floor.faults.strike(REQUESTS, floor.now_ns(), request.method, request.path)
    if fault is None:
        return await handler(request)
    match fault.kind:
        case "reset":
            return _cut(request)
        case "answer_lost":
            await handler(request)
            return _cut(request)
        case "late":
            body = await request.read()  # whoever sent it is gone; the order is not
            with suppress(RequestRefused):  # nor would anybody hear why not
                order, key = parsed(body), proved(request, body)
                floor.place_late(order, key, floor.now_ns() + int(fault.seconds * SECOND_NS))
            return _cut(request)
        case "slow":
            response = await handler(request)
            await asyncio.sleep(fault.seconds)
            return response
        case "too_many":
            refused = json_response({"error": TOO_MANY}, 429)
            refused.headers["Retry-After"] = str(max(1, int(fault.seconds)))
            return refused
        case "error_500_done":
            await handler(request)
    return json_response({"error": UNKNOWN_500}, 500)


def _cut(request: web.Request) -> web.Response:
    """End the connection without an answer; what is returned goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


class Frames:
    """What becomes of the frames of one stream, in the order in which they are sent.

    Whatever does not arrive as it was is noted, with its tokens: the exchange knows what it did.
    """

    def __init__(self, faults: Faults, now_ns: Callable[[], int], path: str) -> None:
        self._faults, self._now_ns, self._path = faults, now_ns, path
        faults.connections += 1
        self._number = faults.connections
        self._silent_until_ns = 0
        self._held: tuple[bytes, ...] = ()

    def sent(self, frame: bytes) -> Sequence[bytes]:
        """What is really sent in the place of a frame."""
        if not (self._faults.rules or self._held or self._silent_until_ns):
            return (frame,)  # nothing goes wrong here, ten thousand times a second
        now_ns = self._now_ns()
        if now_ns < self._silent_until_ns:
            self._faults.tally["silenced"] += 1
            self._note("silenced", frame, now_ns)
            return ()
        fault = self._faults.strike(FRAMES, now_ns, path=self._path)
        frames = self._struck(fault, frame, now_ns) if fault else (frame,)
        if fault is None or fault.kind != "reorder":
            frames, self._held = (*frames, *self._held), ()
        return frames

    def _struck(self, fault: Fault, frame: bytes, now_ns: int) -> tuple[bytes, ...]:
        self._note(fault.kind, frame, now_ns)
        match fault.kind:
            case "duplicate":
                return (frame, frame)
            case "truncate":
                return (frame[: len(frame) // 2],)
            case "reorder":
                self._held = (*self._held, frame)
            case "silence":
                self._silent_until_ns = now_ns + int(fault.seconds * SECOND_NS)
        return ()

    def _note(self, kind: str, frame: bytes, now_ns: int) -> None:
        event = EVENT.search(frame)
        tokens = dict.fromkeys(token.decode() for token in TOKEN.findall(frame))
        struck = Struck(
            kind=kind,
            path=self._path,
            connection=self._number,
            at_ns=now_ns,
            event=event.group(1).decode() if event else "",
            tokens=tuple(tokens),
        )
        self._faults.struck.append(struck)

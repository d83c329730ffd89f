"""The sequence-numbered price stream: prove a key, subscribe, be acknowledged, count.

Each operation is answered under the client's own ``rid``: a subscription by one acknowledgement
or error for each of its items, in their order.  An accepted item is followed by a snapshot of the
last two minutes, and then by updates.  There is no resuming: after a reconnect numbers begin
anew, and the snapshot is what was missed.

Unlike on the other streams nonsense is answered here, with a code; what breaks a limit for good
ends the connection with one.

Source: exchange reference 4.4; operations as the unified SDK sends and reads them.
"""

import asyncio
from collections import deque
from typing import Any, Final

from aiohttp import WSMsgType, web

from polybawt.exchange.floor import Floor
from polybawt.exchange.hub import LiveSubscriber
from polybawt.exchange.sockets import FRAME_MAX, object_of, severing, spoiling, writing
from polybawt.exchange.web import FLOOR
from polybawt.exchange.wire import live

PING_EVERY_S: Final = 25.0
TEXT_MAX: Final = 64 * 1024
SUBSCRIPTIONS_MAX: Final = 64
OPERATIONS_MAX: Final = 20  # a second
AUTH_MAX_S: Final = 10.0  # UNCONFIRMED: how long a connection may stay unproved
AUTH_ATTEMPTS_MAX: Final = 3  # UNCONFIRMED
AUTH_NEEDED: Final = True  # so the official client documents it
RID_MAX: Final = 64

routes = web.RouteTableDef()


@routes.get("/ws/prices")
async def price_stream(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(compress=False, max_msg_size=FRAME_MAX, heartbeat=PING_EVERY_S)
    await socket.prepare(request)
    floor, closing = request.app[FLOOR], set[asyncio.Task[object]]()

    def cut() -> None:
        """A slow reader is told why; whoever does not even read that is dropped by the close."""
        task = asyncio.create_task(socket.close(code=live.CLOSE_SLOW))
        closing.add(task)
        task.add_done_callback(closing.discard)

    subscriber = LiveSubscriber(cut)
    subscriber.spoil = spoiling(request)
    session = Session(floor, subscriber)
    floor.hub.join_live(subscriber)
    try:
        async with writing(subscriber, request):
            code = await session.run(socket)
        if code:
            for answer in subscriber.unsent():
                await socket.send_str(answer.decode())
            await socket.close(code=code)
    finally:
        floor.hub.leave_live(subscriber)
        if closing:
            await asyncio.wait(closing, timeout=1.0)
            severing(request)()
    return socket


class Session:
    """What one connection has proved and asked for."""

    def __init__(self, floor: Floor, subscriber: LiveSubscriber) -> None:
        self._floor, self._subscriber = floor, subscriber
        self._proved = not AUTH_NEEDED
        self._attempts = 0
        self._operations: deque[float] = deque(maxlen=OPERATIONS_MAX)

    async def run(self, socket: web.WebSocketResponse) -> int:
        """Answer until the client leaves (0), or breaks what it must keep: the code to close by."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + AUTH_MAX_S
        while True:
            try:
                async with asyncio.timeout_at(None if self._proved else until_s):
                    message = await socket.receive()
            except TimeoutError:
                return live.CLOSE_AUTH
            if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED):
                return 0
            if message.type is WSMsgType.ERROR:
                return live.CLOSE_POLICY
            if message.type is not WSMsgType.TEXT:
                continue
            if len(message.data) > TEXT_MAX:
                return live.CLOSE_POLICY
            code = self.hear(object_of(message.data) or {}, loop.time())
            if code:
                return code

    def hear(self, frame: dict[str, Any], now_s: float) -> int:
        """Carry out one operation; the code to close by, or 0."""
        rid = frame.get("rid")
        rid = rid if isinstance(rid, str) and len(rid) <= RID_MAX else None
        match frame.get("op"):
            case "ping":
                self._say("pong", rid)
            case "auth":
                return self._prove(frame.get("auth"), rid)
            case "subscribe" | "unsubscribe" if not self._proved:
                self._say("error", rid, code=live.AUTH_REQUIRED)
            case "subscribe" | "unsubscribe" as op:
                self._change(op, frame.get("subscriptions"), rid, now_s)
            case _:
                self._say("error", rid, code=live.BAD_OP)
        return 0

    def _say(self, op: str, rid: str | None, **other: object) -> None:
        self._subscriber.answer(live.answer(op, rid, **other))

    def _prove(self, auth: object, rid: str | None) -> int:
        given = auth if isinstance(auth, dict) else {}
        texts = [given.get(name) for name in ("apiKey", "secret", "passphrase")]
        if all(isinstance(text, str) for text in texts) and self._floor.ring.user(
            *[str(text) for text in texts]
        ):
            self._proved = True
            self._say("authed", rid)
            return 0
        self._attempts += 1
        if self._attempts < AUTH_ATTEMPTS_MAX:
            self._say("error", rid, code=live.AUTH_INVALID)
            return 0
        self._say("error", rid, code=live.AUTH_ATTEMPTS)
        return live.CLOSE_AUTH

    def _change(self, op: str, asked: object, rid: str | None, now_s: float) -> None:
        """Answer each item, in order; then let the accepted ones begin with their past."""
        if len(self._operations) == OPERATIONS_MAX and now_s - self._operations[0] < 1.0:
            self._say("error", rid, code=live.RATE_LIMITED)
            return
        self._operations.append(now_s)
        if not isinstance(asked, list) or not asked:
            self._say("error", rid, code=live.BAD_OP)
            return
        begun: list[tuple[str, str]] = []
        for one in asked:
            channel = one.get("channel") if isinstance(one, dict) else None
            code, key = self._judged(op, channel, one)
            named = {"channel": channel} if isinstance(channel, str) else {}
            if code:
                self._say("error", rid, code=code, **named)
                continue
            self._say(f"{op}d", rid, **named)
            if op == "unsubscribe":
                self._subscriber.wanted.discard(key)
            else:
                self._subscriber.wanted.add(key)
                begun.append(key)
        for channel, symbol in begun:
            past = self._floor.publisher.prices.snapshot(channel, symbol, self._floor.now_ns())
            self._subscriber.tell(channel, past)

    def _judged(self, op: str, channel: object, one: Any) -> tuple[str, tuple[str, str]]:
        """What is wrong with one item, "" for nothing; and what it is about."""
        if not isinstance(channel, str) or channel not in live.CHANNELS:
            return live.BAD_CHANNEL, ("", "")
        symbol = live.symbol_wanted(channel, one.get("filter"))
        if symbol is None:
            return live.BAD_FILTER, ("", "")
        wanted = self._subscriber.wanted
        full = len(wanted) >= SUBSCRIPTIONS_MAX and (channel, symbol) not in wanted
        if op == "subscribe" and full:
            return live.SUB_LIMIT, ("", "")
        return "", (channel, symbol)

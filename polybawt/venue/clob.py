"""Carries orders, cancels and reads to the Polymarket CLOB, and brings back facts.

It decides one thing: whether an answer means yes, no, or *we do not know* (``wire_rest``); what
follows is the order machine's business.  An order is posted once per command, never retried here:
the bytes are the journal's, and whether to send them again is for the kernel to say.  Reads are
safe to repeat and are.  Nothing the venue does raises, except at login, where there is nobody
yet to tell.

Source: exchange reference 1.2, 1.6 to 1.13, 2 and 3.5.
"""

from collections.abc import Callable, Mapping
from typing import Final

import httpx
import orjson
from attrs import evolve

from polybawt.core.commands import (
    CancelOrder,
    FetchBook,
    PostOrder,
    ReadBalance,
    ReadOrder,
    ReadTrades,
    SignOrder,
)
from polybawt.core.facts import (
    BadInput,
    BalanceRead,
    BookSnapshot,
    ClockRead,
    MarketResolved,
    OpenOrdersRead,
    OrderPushed,
    ReadFailed,
    TradesRead,
    VersionRead,
)
from polybawt.core.machine import Fact
from polybawt.core.machines import order
from polybawt.core.market import LOT
from polybawt.core.units import SECOND_NS
from polybawt.venue import signing, wire, wire_rest
from polybawt.venue.backoff import Backoff
from polybawt.venue.clock import Offset, measured
from polybawt.venue.headers import request_headers
from polybawt.venue.http import NO_LINE, Answer, NoAnswer, NotSent, ask, read
from polybawt.venue.limits import Limiter, Limits
from polybawt.venue.login import login
from polybawt.venue.signing import Account, Credentials, OrderTerms
from polybawt.venue.wire import Fields

PAGES_MAX: Final = 200
READ_BACKOFF: Final = Backoff(0.25, 4.0)
LANE_DEADLINE_S: Final = 6.0
"""An order or cancel without an answer by then is unknown.  With the wait for its turn it is
shorter than the least pause between two probes (``VenueMode.pause_ns``)."""
PROBE_DEADLINE_S: Final = 4.0
BEAT_DEADLINE_S: Final = 4.0  # of one beat, below the 5 s between two
NOBODYS: Final = "0x" + "00" * 32  # no order has this id: to cancel it asks only whether one may
VERSION: Final = 2  # of the CLOB: what is signed here (reference 0.1)

Held = Callable[[str], str]
"""Why the order of an intent may not leave after all, asked at the socket; "" when it may."""


class Clob:
    """One account at one CLOB. ``clock`` gives the venue's time, ns UTC."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        account: Account,
        *,
        chain_id: int,
        clock: Callable[[], int],
        signature_type: int = signing.EOA,
        funder: str | None = None,
        backoff: Backoff = READ_BACKOFF,
        deadline_s: float = LANE_DEADLINE_S,
        limits: Limits | None = None,
    ) -> None:
        assert signature_type == signing.EOA or funder, "a wallet's orders need its address"
        self._http, self._account, self._chain_id, self._clock = http, account, chain_id, clock
        self._signature_type, self._maker = signature_type, funder or account.address
        self._backoff, self._deadline_s = backoff, deadline_s
        self._credentials: Credentials | None = None
        self._heartbeat_id = ""
        self._limits, self._offset = limits, Offset()

    # Who we are.

    @property
    def credentials(self) -> Credentials:
        assert self._credentials is not None, "login first"
        return self._credentials

    async def login(self) -> Credentials:
        """Get this account's API key; see ``venue.login``."""
        self._credentials = await login(
            self._http, self._account, self._chain_id, self._now_s, self._backoff
        )
        return self._credentials

    async def server_time_ns(self) -> int | ReadFailed:
        """The venue's clock, in whole seconds."""
        answer = await self._read("ServerTime", "/time", private=False)
        if isinstance(answer, ReadFailed):
            return answer
        time_s = wire_rest.server_time_s(answer)
        if time_s is None:
            return self._failed("ServerTime", f"no time: {wire.excerpt(answer.body)!r}")
        return time_s * SECOND_NS

    async def measure_clock(self) -> ClockRead | ReadFailed:
        """How far the venue's clock is from ours; what we sign is dated by it from then on."""
        asked_ns = self._clock()
        try:
            answer = await ask(self._http, "GET", "/time", deadline_s=PROBE_DEADLINE_S)
        except NoAnswer as lost:
            return self._failed("ServerTime", str(lost))
        now_ns = self._clock()
        time_s = wire_rest.server_time_s(answer)
        if time_s is None:
            return self._failed("ServerTime", f"no time: {wire.excerpt(answer.body)!r}")
        self._offset = offset = measured(time_s, asked_ns, now_ns)
        return ClockRead(low_ns=offset.low_ns, high_ns=offset.high_ns, at_ns=now_ns)

    async def read_version(self) -> VersionRead | ReadFailed:
        """Which protocol the CLOB speaks (reference 0.1 and 1.2)."""
        answer = await self._read("Version", "/version", private=False)
        if isinstance(answer, ReadFailed):
            return answer
        try:
            body = wire.fields(wire.decode(answer.body))
            if answer.status != 200 or "version" not in body:
                return self._refused("Version", answer)
            version = min(wire.whole(body, "version"), 2**31)
        except wire.Misread as wrong:
            return self._failed("Version", str(wrong))
        return VersionRead(version=version, at_ns=self._clock())

    # Orders.

    def sign(self, c: SignOrder) -> order.Sign | order.Abort:
        """Give the order its identity and its exact bytes, before anything is sent."""
        try:
            return self._signed(c)
        except signing.InvalidTerms as wrong:
            return order.Abort(intent_id=c.intent_id, reason=str(wrong), at_ns=self._clock())

    def _signed(self, c: SignOrder) -> order.Sign:
        assert c.size % LOT == 0, c  # a rounded size would be another order than was asked for
        domain = signing.exchange_domain(self._chain_id, c.version, c.neg_risk)
        given, taken = signing.limit_amounts(c.side, c.price, c.size)
        own_key = self._signature_type != signing.POLY_1271  # a deposit wallet signs for itself
        terms = OrderTerms(
            salt=c.salt,
            maker=self._maker,
            signer=self._account.address if own_key else self._maker,
            token_id=c.token_id,
            maker_amount=given,
            taker_amount=taken,
            side=c.side,
            signature_type=self._signature_type,
            timestamp_ms=c.timestamp_ms,
        )
        digest, signature = signing.signed_order(self._account, terms, domain, self._chain_id)
        return order.Sign(
            intent_id=c.intent_id,
            order_id="0x" + digest.hex(),
            payload=wire_rest.order_body(
                terms, signature, self.credentials.key, c.expiration_s, c.post_only
            ),
            at_ns=self._clock(),
        )

    async def post(self, c: PostOrder) -> wire_rest.PlacementFact:
        """Send the bytes the journal holds; the same bytes again are the same order."""
        return (await self.place(c))[0]

    async def place(
        self, c: PostOrder, held: Held = lambda _: ""
    ) -> tuple[wire_rest.PlacementFact, tuple[wire_rest.ModeNews, ...]]:
        """Post an order: what became of it, and what the answer tells of the venue.

        One that may not leave when its turn comes is certainly not sent.
        """
        line = self._limits.orders if self._limits else None
        try:
            if line:
                await line.admit()
        except NotSent as late:
            return self._not_sent(c, str(late)), ()
        if why := held(c.intent_id):
            if line:
                line.refund(1)
            return self._not_sent(c, why), ()
        sent_ns, request = self._clock(), wire_rest.request_of(c.payload)
        try:
            answer = await self._send("POST", "/order", c.payload, line=line)
        except NoAnswer as lost:
            now_ns = self._clock()
            unknown = order.Timeout(intent_id=c.intent_id, reason=str(lost), at_ns=now_ns)
            return unknown, (wire_rest.heard_nothing(sent_ns, now_ns),)
        said = wire_rest.placement(c, answer, self._clock())
        return said, wire_rest.placement_news(request, answer, said, sent_ns)

    def _not_sent(self, c: PostOrder, why: str) -> order.Reject:
        reason, now_ns = f"not sent: {why}", self._clock()
        return order.Reject(intent_id=c.intent_id, reason=reason, at_ns=now_ns)

    async def cancel(self, c: CancelOrder) -> wire_rest.CancelFact:
        """Ask for a cancel: done means that nothing more will match, not that nothing did."""
        return (await self.withdraw(c))[0]

    async def withdraw(
        self, c: CancelOrder
    ) -> tuple[wire_rest.CancelFact, tuple[wire_rest.ModeNews, ...]]:
        """Ask for a cancel: what became of it, and what the answer tells of the venue."""
        line = self._limits.cancels if self._limits else None
        try:
            if line:
                await line.admit()
        except NotSent as late:
            why = f"not sent: {late}"
            refused = order.CancelRefused(intent_id=c.intent_id, reason=why, at_ns=self._clock())
            return refused, ()
        sent_ns = self._clock()
        try:
            body = _json({"orderID": c.order_id})
            answer = await self._send("DELETE", "/order", body, line=line)
        except NoAnswer as lost:
            now_ns = self._clock()
            unknown = order.CancelTimeout(intent_id=c.intent_id, reason=str(lost), at_ns=now_ns)
            return unknown, (wire_rest.heard_nothing(sent_ns, now_ns),)
        now_ns = self._clock()
        said = wire_rest.cancellation(c, answer, now_ns)
        return said, wire_rest.cancel_news(answer, sent_ns, now_ns)

    async def probe(self) -> tuple[wire_rest.ModeNews, ...]:
        """Cancel what does not exist, to see whether cancels are let in."""
        sent_ns = self._clock()
        try:
            answer = await self._send(
                "DELETE", "/order", _json({"orderID": NOBODYS}), deadline_s=PROBE_DEADLINE_S
            )
        except NoAnswer:
            return (wire_rest.heard_nothing(sent_ns, self._clock()),)
        return wire_rest.cancel_news(answer, sent_ns, self._clock())

    async def cancel_all(self) -> tuple[Fact, ...]:
        """A CANCELLATION push for each order withdrawn, and a ``ReadFailed`` unless all were.

        It waits in no line: whoever asks for it has a reason that our manners do not outweigh.
        """
        line = self._limits.cancels if self._limits else None
        sent_ns = self._clock()
        try:
            answer = await self._send("DELETE", "/cancel-all", None, line=line)
        except NoAnswer as lost:
            unheard = wire_rest.heard_nothing(sent_ns, self._clock())
            return (self._failed("CancelAll", str(lost)), unheard)
        pushes = wire_rest.mass_cancellation(answer, self._clock())
        if line:
            line.charge(1 + sum(isinstance(push, OrderPushed) for push in pushes))
        return (*pushes, *wire_rest.cancel_news(answer, sent_ns, self._clock()))

    async def heartbeat(self) -> bool:
        """Keep the dead man's switch off; False when no beat was accepted (reference 1.13).

        A beat whose answer was lost may have counted: then our id is stale, and the refusal
        names the one to go on with.
        """
        for _ in range(2):
            beat = _json({"heartbeat_id": self._heartbeat_id})
            try:
                answer = await self._send(
                    "POST", "/v1/heartbeats", beat, deadline_s=BEAT_DEADLINE_S / 2
                )
                body = wire_rest.body_of(answer) or {}
                expected = wire.text(body, "heartbeat_id")
            except (NoAnswer, wire.Misread):
                return False
            if not expected:
                return False
            self._heartbeat_id = expected
            if answer.status == 200:
                return True
            if answer.status != 400:
                return False
        return False

    # Reads.

    async def read_order(self, c: ReadOrder) -> wire_rest.ReadFact:
        answer = await self._read("ReadOrder", f"/data/order/{c.order_id}")
        if isinstance(answer, ReadFailed):
            return answer
        return wire_rest.order_record(c, answer, self._clock())

    async def read_open_orders(self) -> OpenOrdersRead | ReadFailed:
        """The ids of all our resting orders; one unreadable row makes the read a failure."""
        sent_ns = self._clock()
        rows = await self._pages("ReadOpenOrders", "/data/orders", {})
        if isinstance(rows, ReadFailed):
            return rows
        try:
            ids = tuple(wire.ident(row, "id") for row in rows)
        except wire.Misread as wrong:
            return self._failed("ReadOpenOrders", str(wrong))
        return OpenOrdersRead(order_ids=ids, sent_ns=sent_ns, at_ns=self._clock())

    async def read_trades(self, c: ReadTrades) -> tuple[Fact, ...]:
        """Every trade, then ``TradesRead``; ``ReadFailed`` instead of it when any is missing."""
        sent_ns = self._clock()
        wanted = {"market": c.condition_id, "after": str(c.after_s) if c.after_s else ""}
        params = {name: value for name, value in wanted.items() if value}
        rows = await self._pages("ReadTrades", "/data/trades", params)
        if isinstance(rows, ReadFailed):
            return (rows,)
        facts, bad, now_ns = list[Fact](), 0, self._clock()
        for row in rows:
            try:
                facts.append(wire_rest.trade_row(row, now_ns))
            except wire.READ_ERRORS as wrong:
                facts.append(wire.bad_input("trades", wrong, row, now_ns))
                bad += 1
        if bad:
            return (*facts, self._failed("ReadTrades", f"{bad} trades could not be read"))
        done = TradesRead(
            condition_id=c.condition_id, count=len(facts), sent_ns=sent_ns, at_ns=now_ns
        )
        return (*facts, done)

    async def read_balance(self, c: ReadBalance) -> BalanceRead | ReadFailed:
        """What is settled. The venue keeps a copy of it that it renews when told to (1.12)."""
        kind = {"v1": "CONDITIONAL", "v2": "CONDITIONAL-V2"}.get(c.version, "CONDITIONAL")
        params = {
            "asset_type": kind if c.token_id else "COLLATERAL",
            "signature_type": str(self._signature_type),
        }
        params |= {"token_id": c.token_id} if c.token_id else {}
        if c.refresh:  # should that fail, the copy is all that there is
            await self._read("ReadBalance", "/balance-allowance/update", params)
        sent_ns = self._clock()
        answer = await self._read("ReadBalance", "/balance-allowance", params)
        if isinstance(answer, ReadFailed):
            return answer
        if answer.status != 200:
            return self._refused("ReadBalance", answer)
        try:
            amount = wire_rest.balance(answer)
        except wire.Misread as wrong:
            return self._failed("ReadBalance", str(wrong))
        return BalanceRead(token_id=c.token_id, amount=amount, sent_ns=sent_ns, at_ns=self._clock())

    async def read_outcome(self, condition_id: str) -> MarketResolved | ReadFailed | None:
        """What the CLOB itself says that the market paid; None while it does not (5.3)."""
        answer = await self._read("FetchResolution", f"/markets/{condition_id}", private=False)
        if isinstance(answer, ReadFailed):
            return answer
        if answer.status != 200:
            return self._refused("FetchResolution", answer)
        try:
            return wire_rest.outcome(answer, condition_id, self._clock())
        except wire.READ_ERRORS as wrong:
            return self._failed("FetchResolution", str(wrong))

    async def fetch_book(self, c: FetchBook) -> BookSnapshot | BadInput | ReadFailed:
        asked_ns = self._clock()
        answer = await self._read("FetchBook", "/book", {"token_id": c.token_id}, private=False)
        if isinstance(answer, ReadFailed):
            return answer
        if answer.status != 200:
            return self._refused("FetchBook", answer)
        now_ns = self._clock()
        try:
            return evolve(wire_rest.book(answer, c.token_id, now_ns), asked_ns=asked_ns)
        except wire.READ_ERRORS as wrong:
            return wire.bad_input("book", wrong, answer.body, now_ns)

    # How it is carried.

    def _now_s(self) -> int:
        """What proves that a request is new: by the venue's clock, as far as we know it."""
        return (self._clock() + self._offset.best_ns) // SECOND_NS

    def _headers(self, method: str, path: str, body: str | None) -> Mapping[str, str]:
        return request_headers(
            self._account.address,
            self.credentials,
            self._now_s(),
            method=method,
            path=path,
            body=body,
        )

    async def _send(
        self,
        method: str,
        path: str,
        body: str | None,
        *,
        line: Limiter | None = None,
        deadline_s: float = 0.0,
    ) -> Answer:
        headers = self._headers(method, path, body)
        answer = await ask(
            self._http,
            method,
            path,
            headers=headers,
            content=body,
            deadline_s=min(deadline_s or self._deadline_s, self._deadline_s),
        )
        if line and self._limits:
            self._limits.learn(line, answer)
        return answer

    async def _read(
        self,
        what: str,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        private: bool = True,
    ) -> Answer | ReadFailed:
        try:
            return await read(
                self._http,
                path,
                params=params,
                headers=(lambda: self._headers("GET", path, None)) if private else None,
                backoff=self._backoff,
                line=self._limits.queries if self._limits else NO_LINE,
            )
        except NoAnswer as lost:
            return self._failed(what, str(lost))

    async def _pages(
        self, what: str, path: str, params: Mapping[str, str]
    ) -> list[Fields] | ReadFailed:
        """All rows of an account list, or a failure: half a list looks like lost orders."""
        rows, cursor, seen = list[Fields](), wire_rest.FIRST_PAGE, set[str]()
        for _ in range(PAGES_MAX):
            seen.add(cursor)
            answer = await self._read(what, path, {**params, "next_cursor": cursor})
            if isinstance(answer, ReadFailed):
                return answer
            if answer.status != 200:
                return self._refused(what, answer)
            try:
                more, cursor = wire_rest.page(answer)
            except wire.Misread as wrong:
                return self._failed(what, str(wrong))
            rows += more
            if not cursor:
                return rows
            if cursor in seen:
                return self._failed(what, "the venue repeats a page")
        return self._failed(what, f"more than {PAGES_MAX} pages")

    def _failed(self, what: str, reason: str) -> ReadFailed:
        return wire_rest.failed(what, reason, self._clock())

    def _refused(self, what: str, answer: Answer) -> ReadFailed:
        return self._failed(what, wire_rest.refusal_text(answer, wire_rest.body_of(answer)))


def _json(document: Mapping[str, str]) -> str:
    return orjson.dumps(document).decode()

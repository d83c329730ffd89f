"""Asks the contracts to split, merge, redeem and convert, and says what became of it.

It decides one thing: whether an answer means yes, no, or *we do not know*.  A request that was
lost may have been carried out, and money moves by it; so each carries a nonce of its caller's, and
the same request with the same nonce is the same transaction, however often it is sent.  That a
transaction was taken is not that it went through: read it until it is final.

The other side is the ``/chain`` routes of our exchange, which stand in for the venue's relayer and
the contracts behind it.  There the same four operations are signed as meta-transactions; whoever
trades there for real replaces this adapter, and keeps its answers.

Source: exchange reference 0 (hosts), 3.1 and 5.3; the relayer's bodies and states as the unified
SDK has them.
"""

from collections.abc import Callable
from typing import Final

import httpx
import orjson
from attrs import frozen

from polybawt.core import facts
from polybawt.core.commands import Convert, ReadConversion
from polybawt.core.machine import Fact
from polybawt.core.machines import conversion
from polybawt.core.units import SECOND_NS, Shares
from polybawt.venue import wire
from polybawt.venue.backoff import Backoff
from polybawt.venue.headers import request_headers
from polybawt.venue.http import Answer, NoAnswer, ask, read
from polybawt.venue.signing import EOA, Credentials
from polybawt.venue.wire_rest import body_of, refusal_text

READ_BACKOFF: Final = Backoff(0.25, 4.0)
DEADLINE_S: Final = 10.0
PREFIX: Final = "STATE_"
STATES: Final = ("NEW", "EXECUTED", "MINED", "CONFIRMED", "FAILED", "INVALID")
ENDED: Final = ("CONFIRMED", "FAILED", "INVALID")

SEEN: Final[dict[str, type[conversion.SeenMined | conversion.SeenConfirmed]]] = {
    "MINED": conversion.SeenMined,
    "CONFIRMED": conversion.SeenConfirmed,
}


@frozen
class Taken:
    """Yes: it is on its way. The same request again answers the same."""

    transaction_id: str
    state: str


@frozen
class Declined:
    """No: nothing was sent and nothing will move."""

    reason: str


@frozen
class Unclear:
    """Unknown: it may be on its way. Ask again with the same nonce."""

    reason: str


Sent = Taken | Declined | Unclear


@frozen(kw_only=True)
class TransactionRead:
    """How far a transaction is; ``error`` says why it failed."""

    transaction_id: str
    state: str
    tx_hash: str
    error: str

    @property
    def final(self) -> bool:
        return self.state in ENDED

    @property
    def done(self) -> bool:
        """Whether the money has moved, for good."""
        return self.state == "CONFIRMED"


class Onchain:
    """One account's way to the contracts. ``clock`` gives the venue's time, ns UTC."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        address: str,
        credentials: Credentials,
        *,
        clock: Callable[[], int],
        signature_type: int = EOA,
        backoff: Backoff = READ_BACKOFF,
    ) -> None:
        self._http, self._address, self._credentials = http, address, credentials
        self._clock, self._signature_type, self._backoff = clock, signature_type, backoff

    async def carry(self, command: Convert) -> Fact:
        """One request of the kernel's, and what the answer means to it."""
        redeeming, named = command.kind == conversion.REDEEM, command.conversion_id
        amount = None if redeeming else command.amount
        sent = await self._send(command.kind, command.condition_ids, amount, command.name)
        match sent:
            case Taken():
                return conversion.AckTaken(
                    at_ns=self._clock(), conversion_id=named, transaction_id=sent.transaction_id
                )
            case Declined():
                answer: type[conversion.AckDeclined | conversion.AckLost] = conversion.AckDeclined
            case Unclear():
                answer = conversion.AckLost
        return answer(at_ns=self._clock(), conversion_id=named, reason=sent.reason[:200])

    async def look(self, command: ReadConversion) -> Fact:
        """How far one is; a read that says nothing is a read that failed."""
        found, named = await self.transaction(command.transaction_id), command.conversion_id
        now_ns = self._clock()
        if not isinstance(found, TransactionRead):
            why = f"{named}: {found.reason}"[:200]
            return facts.ReadFailed(at_ns=now_ns, what="ReadConversion", reason=why)
        if found.final and not found.done:
            why = found.error[:200] or found.state
            return conversion.SeenFailed(at_ns=now_ns, conversion_id=named, reason=why)
        seen = SEEN.get(found.state, conversion.SeenMoving)
        return seen(at_ns=now_ns, conversion_id=named)

    async def split(self, condition_id: str, amount: Shares, nonce: str) -> Sent:
        """Collateral into so many sets."""
        return await self._send("split", (condition_id,), amount, nonce)

    async def merge(self, condition_id: str, amount: Shares, nonce: str) -> Sent:
        """So many sets into collateral."""
        return await self._send("merge", (condition_id,), amount, nonce)

    async def redeem(self, condition_id: str, nonce: str) -> Sent:
        """All that is held of a resolved market into what it pays."""
        return await self._send("redeem", (condition_id,), None, nonce)

    async def convert(self, condition_ids: tuple[str, ...], amount: Shares, nonce: str) -> Sent:
        """NO of these questions into YES of the event's others, and dollars: one fewer than there
        are questions, for each share."""
        return await self._send("convert", condition_ids, amount, nonce)

    async def transaction(self, transaction_id: str) -> TransactionRead | Declined | Unclear:
        """Where it is now; repeated, as reads are."""
        path = f"/chain/transaction/{transaction_id}"
        try:
            answer = await read(
                self._http, path, backoff=self._backoff,
                headers=lambda: self._headers("GET", path, None),
            )  # fmt: skip
        except NoAnswer as lost:
            return Unclear(str(lost))
        return read_of(answer, transaction_id)

    async def _send(
        self, kind: str, condition_ids: tuple[str, ...], amount: Shares | None, nonce: str
    ) -> Sent:
        assert condition_ids, kind
        assert nonce, "a request that can be lost needs a name"
        assert amount is None or amount > 0, (kind, amount)
        body = {
            "condition_ids": list(condition_ids),
            **({} if amount is None else {"amount": str(amount)}),
            "signature_type": self._signature_type,
            "nonce": nonce,
        }
        path, content = f"/chain/{kind}", orjson.dumps(body).decode()
        headers = self._headers("POST", path, content)
        try:
            answer = await ask(
                self._http, "POST", path, headers=headers, content=content, deadline_s=DEADLINE_S
            )
        except NoAnswer as lost:
            return Unclear(str(lost))
        return taken_of(answer)

    def _headers(self, method: str, path: str, body: str | None) -> dict[str, str]:
        now_s = self._clock() // SECOND_NS
        return dict(
            request_headers(
                self._address, self._credentials, now_s, method=method, path=path, body=body
            )
        )


def taken_of(answer: Answer) -> Sent:
    """What an answer to a request means: only a 4xx in JSON is a no."""
    body = body_of(answer)
    if answer.status == 200 and body is not None:
        try:
            return Taken(wire.ident(body, "transactionID"), _state(body))
        except wire.READ_ERRORS as wrong:
            return Unclear(f"no transaction: {wrong}")
    if 400 <= answer.status < 500 and body is not None and "error" in body:
        return Declined(refusal_text(answer, body))
    return Unclear(refusal_text(answer, body))


def read_of(answer: Answer, transaction_id: str) -> TransactionRead | Declined | Unclear:
    """What a read says; ``Declined`` when there is no such transaction of ours."""
    body = body_of(answer)
    if answer.status == 200 and body is not None:
        try:
            return TransactionRead(
                transaction_id=transaction_id,
                state=_state(body),
                tx_hash=wire.text(body, "transaction_hash"),
                error=wire.text(body, "error_msg"),
            )
        except wire.READ_ERRORS as wrong:
            return Unclear(f"no transaction: {wrong}")
    if answer.status == 404 and body is not None:
        return Declined(refusal_text(answer, body))
    return Unclear(refusal_text(answer, body))


def _state(body: wire.Fields) -> str:
    state = wire.text(body, "state").upper().removeprefix(PREFIX)
    if state not in STATES:
        raise wire.Misread(f"unknown state {wire.excerpt(state)!r}")
    return state

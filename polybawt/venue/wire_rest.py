"""Bodies of the CLOB's REST calls: what is posted, and what the answers mean.

The heart is ``placement``: it sorts every possible answer to a posted order into yes, no, or *we
do not know*.  No needs proof, because an order believed refused is signed again; so whatever is
not on the list of sure refusals is a ``Timeout``, and its record decides.  Reads follow the
same rule: a record is believed by its sizes, not by its status, and absence is absence *now*.

Source: exchange reference 1.5 to 1.14 and 3.5.
"""

from typing import Final

import orjson

from polybawt.core.commands import CancelOrder, PostOrder, ReadOrder
from polybawt.core.facts import (
    BookSnapshot,
    MarketResolved,
    OrderPushed,
    ReadFailed,
    TradeReported,
)
from polybawt.core.machine import Fact
from polybawt.core.machines import order, venue_mode
from polybawt.core.units import MILLION, SECOND_NS, Shares, Usdc
from polybawt.venue import wire
from polybawt.venue.http import Answer
from polybawt.venue.signing import OrderTerms
from polybawt.venue.wire import Fields, Misread
from polybawt.venue.wire_stream import NO_WORDS, book_snapshot, trade_reported

REFUSED_STATUSES: Final = frozenset({401, 403, 404, 425, 429})
"""Refused before the order was looked at, whoever wrote the body (reference 3.5)."""
SAFE_500: Final = "order timed out"
AMBIGUOUS_TEXTS: Final = (
    "context canceled",  # rewritten to 400 wherever the server gave up, before or after the book
    "order match delayed",  # says that it is held, not that it is dead (finding: double orders)
)
REASON_MAX: Final = 200
NO_MORE: Final = "LTE="
FIRST_PAGE: Final = "MA=="

PlacementFact = order.AckLive | order.AckDelayed | order.Reject | order.Duplicate | order.Timeout
CancelFact = order.CancelDone | order.CancelRefused | order.CancelTimeout
ReadFact = order.ReadOpen | order.ReadClosed | order.ReadMissing | ReadFailed


def order_body(
    terms: OrderTerms, signature: bytes, owner: str, expiration_s: int, post_only: bool
) -> str:
    """The exact text of POST /order: always GTD, so that silence has an end (decision D5)."""
    assert expiration_s > 0, expiration_s
    signed = {
        "salt": terms.salt,
        "maker": terms.maker,
        "signer": terms.signer,
        "tokenId": terms.token_id,
        "makerAmount": str(terms.maker_amount),
        "takerAmount": str(terms.taker_amount),
        "side": terms.side.value,
        "expiration": str(expiration_s),
        "signatureType": terms.signature_type,
        "timestamp": str(terms.timestamp_ms),
        "metadata": "0x" + terms.metadata.hex(),
        "builder": "0x" + terms.builder.hex(),
        "signature": "0x" + signature.hex(),
    }
    return orjson.dumps(
        {
            "order": signed,
            "owner": owner,
            "orderType": "GTD",
            "deferExec": False,
            "postOnly": post_only,
        }
    ).decode()


# Placement.


def placement(command: PostOrder, answer: Answer, now_ns: int) -> PlacementFact:
    """What an answer to POST /order proves. Reasons of refusals start with the HTTP status."""
    intent_id = command.intent_id
    body = body_of(answer)
    reason = refusal_text(answer, body)
    if "duplicated" in error_text(body).lower():
        return order.Duplicate(intent_id=intent_id, at_ns=now_ns)
    if answer.status == 200 and body is not None and "orderID" in body:
        return _accepted(command, body, now_ns)
    if surely_refused(answer, body):
        return order.Reject(intent_id=intent_id, reason=reason, at_ns=now_ns)
    return order.Timeout(intent_id=intent_id, reason=reason, at_ns=now_ns)


def _accepted(command: PostOrder, body: Fields, now_ns: int) -> PlacementFact:
    """A 200: an ``errorMsg`` or an empty id is a refusal, whatever the status says (1.7)."""
    intent_id = command.intent_id
    try:
        error, order_id = wire.text(body, "errorMsg"), wire.text(body, "orderID")
        state = wire.text(body, "status").lower()
    except Misread as wrong:
        return order.Timeout(intent_id=intent_id, reason=f"200 {wrong}", at_ns=now_ns)
    if any(words in error.lower() for words in AMBIGUOUS_TEXTS):
        return order.Timeout(intent_id=intent_id, reason=f"200 {_short(error)}", at_ns=now_ns)
    if error or not order_id:
        reason = f"200 {_short(error) or 'no order id'}"
        return order.Reject(intent_id=intent_id, reason=reason, at_ns=now_ns)
    if order_id.lower() != command.order_id.lower():
        reason = f"200 answers for another order: {_short(order_id)}"
        return order.Timeout(intent_id=intent_id, reason=reason, at_ns=now_ns)
    if body.get("success") is not False:
        match state:
            case "live" | "matched":
                return order.AckLive(intent_id=intent_id, at_ns=now_ns)
            case "delayed":
                return order.AckDelayed(intent_id=intent_id, at_ns=now_ns)
    reason = f"200 status {_short(state)!r}, success {body.get('success')!r}"
    return order.Timeout(intent_id=intent_id, reason=_short(reason), at_ns=now_ns)


def surely_refused(answer: Answer, body: Fields | None) -> bool:
    """Whether a status other than 200 proves that nothing was done (reference 3.5)."""
    if answer.status in REFUSED_STATUSES:
        return True
    words = error_text(body).lower()
    match answer.status:
        case 400:
            return bool(words) and not any(text in words for text in AMBIGUOUS_TEXTS)
        case 500:
            return SAFE_500 in words
        case 503:
            return bool(mode_named(answer))
        case _:
            return False


def body_of(answer: Answer) -> Fields | None:
    """The answer's JSON object; None for an empty, foreign or HTML body."""
    try:
        return wire.fields(wire.decode(answer.body))
    except Misread:
        return None


def error_text(body: Fields | None) -> str:
    """The venue's own words, with its code before them; "" when it said nothing of ours."""
    if body is None:
        return ""
    words = next((body[k] for k in ("error", "errorMsg", "error_msg") if body.get(k)), "")
    code = body.get("code")
    if not isinstance(words, str) or not words:
        return ""
    return f"{code}: {words}" if isinstance(code, str) and code else words


def refusal_text(answer: Answer, body: Fields | None) -> str:
    words = error_text(body) or f"body {wire.excerpt(answer.body)!r}"
    return _short(f"{answer.status} {words}")


def _short(words: str) -> str:
    return wire.excerpt(words)[:REASON_MAX]


# Modes.

MODES_NAMED: Final = (
    ("post_only_mode", "post_only"),
    ("post-only mode", "post_only"),
    ("cancel-only", "cancel_only"),
    ("trading is currently disabled", "disabled"),
    ("trading is disabled", "disabled"),
)
MATCHED_AGAINST: Final = ("crosses", "fully filled", "no orders found to match")
"""Refusals that only an engine which matches can give: it was let in as far as the book."""
HALTS: Final = frozenset({"restarting", "disabled"})

ModeNews = venue_mode.Answered | venue_mode.Refused | venue_mode.Silence


def request_of(payload: str) -> str:
    """What an order is to the venue's modes: one that may take, or one that can only rest."""
    try:
        resting = wire.flag(wire.fields(wire.decode(payload)), "postOnly")
    except Misread:
        return "plain"
    return "post_only" if resting else "plain"


def mode_named(answer: Answer) -> str:
    """The mode that an answer names, by status, then code, then text; "" for none (1.14)."""
    if answer.status == 425:
        return "restarting"
    if answer.status not in (200, 503):
        return ""
    words = error_text(body_of(answer)).lower()
    return next((mode for text, mode in MODES_NAMED if text in words), "")


def advised_ns(answer: Answer) -> int:
    """How long the venue says to wait, by header or body; 0 when it does not."""
    try:
        said_s = wire.whole(body_of(answer) or {}, "retry_after_seconds")
    except Misread:
        said_s = 0
    return max(int(answer.retry_after_s * SECOND_NS), min(said_s, 3_600) * SECOND_NS)


def mode_refused(answer: Answer, mode: str, sent_ns: int, now_ns: int) -> venue_mode.Refused:
    return venue_mode.Refused(
        name=venue_mode.NAME,
        mode=mode,
        sent_ns=sent_ns,
        retry_ns=advised_ns(answer),
        reason=refusal_text(answer, body_of(answer)),
        at_ns=now_ns,
    )


def heard_nothing(sent_ns: int, now_ns: int) -> venue_mode.Silence:
    return venue_mode.Silence(name=venue_mode.NAME, sent_ns=sent_ns, at_ns=now_ns)


def dealt_with(request: str, sent_ns: int, now_ns: int) -> venue_mode.Answered:
    return venue_mode.Answered(name=venue_mode.NAME, request=request, sent_ns=sent_ns, at_ns=now_ns)


def placement_news(
    request: str, answer: Answer, said: PlacementFact, sent_ns: int
) -> tuple[ModeNews, ...]:
    """What the answer to an order tells of the mode.

    A refusal for the order's own sake may have come before the mode was looked at: it is no news.
    """
    now_ns = said.at_ns
    if mode := mode_named(answer):
        return (mode_refused(answer, mode, sent_ns, now_ns),)
    match said:
        case order.AckLive() | order.AckDelayed():
            return (dealt_with(request, sent_ns, now_ns),)
        case order.Reject() if any(text in said.reason.lower() for text in MATCHED_AGAINST):
            return (dealt_with(request, sent_ns, now_ns),)
        case order.Timeout():
            return (heard_nothing(sent_ns, now_ns),)
        case _:
            return ()


def cancel_news(answer: Answer, sent_ns: int, now_ns: int) -> tuple[ModeNews, ...]:
    """What the answer to a cancel tells: it was dealt with, also when there was nothing to do.

    One that names a mode in which cancels are allowed contradicts itself, and proves nothing.
    """
    mode, body = mode_named(answer), body_of(answer)
    if mode in HALTS:
        return (mode_refused(answer, mode, sent_ns, now_ns),)
    if answer.status == 200 and body is not None and "canceled" in body:
        return (dealt_with("cancel", sent_ns, now_ns),)
    if mode or answer.status >= 500 or answer.status == 200:
        return (heard_nothing(sent_ns, now_ns),)
    return ()


# Cancels.


def cancellation(command: CancelOrder, answer: Answer, now_ns: int) -> CancelFact:
    """What an answer to DELETE /order proves; never that the order did not fill meanwhile."""
    intent_id, body = command.intent_id, body_of(answer)
    if answer.status == 200 and body is not None:
        try:
            cancelled, refused = cancel_lists(body)
        except Misread as wrong:
            return order.CancelTimeout(intent_id=intent_id, reason=str(wrong), at_ns=now_ns)
        if command.order_id in cancelled:
            return order.CancelDone(intent_id=intent_id, at_ns=now_ns)
        if command.order_id in refused:
            reason = _short(refused[command.order_id])
            return order.CancelRefused(intent_id=intent_id, reason=reason, at_ns=now_ns)
        reason = "200 without a word on this order"
        return order.CancelTimeout(intent_id=intent_id, reason=reason, at_ns=now_ns)
    reason = refusal_text(answer, body)
    if surely_refused(answer, body):
        return order.CancelRefused(intent_id=intent_id, reason=reason, at_ns=now_ns)
    return order.CancelTimeout(intent_id=intent_id, reason=reason, at_ns=now_ns)


def cancel_lists(body: Fields) -> tuple[tuple[str, ...], dict[str, str]]:
    """The ids that were cancelled, and the reasons of those that were not."""
    if "canceled" not in body:
        raise Misread("canceled is missing")
    cancelled = tuple(str(order_id) for order_id in wire.array(body, "canceled"))
    refused = wire.fields(body.get("not_canceled") or {})
    return cancelled, {str(order_id): str(why) for order_id, why in refused.items()}


def mass_cancellation(answer: Answer, now_ns: int) -> tuple[Fact, ...]:
    """One push per order that DELETE /cancel-all withdrew; a failure if any was not."""
    body = body_of(answer)
    if answer.status != 200 or body is None:
        return (failed("CancelAll", refusal_text(answer, body), now_ns),)
    try:
        cancelled, refused = cancel_lists(body)
    except Misread as wrong:
        return (failed("CancelAll", str(wrong), now_ns),)
    pushes = tuple(
        OrderPushed(
            order_id=order_id, kind="CANCELLATION", status="CANCELED", matched=None, at_ns=now_ns
        )
        for order_id in cancelled
    )
    if not refused:
        return pushes
    first = next(iter(refused.items()))
    reason = f"{len(refused)} orders not cancelled, the first {first[0]}: {first[1]}"
    return (*pushes, failed("CancelAll", reason, now_ns))


# Reads.


def failed(what: str, reason: str, now_ns: int) -> ReadFailed:
    return ReadFailed(what=what, reason=_short(reason), at_ns=now_ns)


def order_record(command: ReadOrder, answer: Answer, now_ns: int) -> ReadFact:
    """An order's record, believed by its sizes: MATCHED may be a part that ended (1.8)."""
    what, blank = "ReadOrder", answer.body.strip() in (b"", b"null", b"{}")
    body = body_of(answer)
    missing = order.ReadMissing(intent_id=command.intent_id, at_ns=now_ns)
    if answer.status == 404 and (blank or body is not None):
        return missing
    if answer.status != 200:
        return failed(what, refusal_text(answer, body), now_ns)
    if blank:
        return missing
    if body is None:
        return failed(what, f"foreign body {wire.excerpt(answer.body)!r}", now_ns)
    try:
        return _record(command, body, now_ns)
    except wire.READ_ERRORS as wrong:
        return failed(what, str(wrong), now_ns)


def _record(command: ReadOrder, body: Fields, now_ns: int) -> ReadFact:
    found = wire.ident(body, "id")
    if found.lower() != command.order_id.lower():
        raise Misread(f"the record of another order: {found}")
    intent_id, state = command.intent_id, wire.status(body, "ORDER_STATUS_")
    size, matched = (
        wire.shares(body, "original_size"),
        Shares(wire.amount(body, "size_matched") or 0),
    )
    if matched > size:
        raise Misread(f"matched {matched} of {size}")
    match state:
        case "LIVE" | "UNMATCHED":  # unmatched: could not be delayed, but is placed (1.7)
            return order.ReadOpen(intent_id=intent_id, matched=matched, at_ns=now_ns)
        case "DELAYED":
            return order.ReadOpen(intent_id=intent_id, matched=matched, delayed=True, at_ns=now_ns)
        case "INVALID":
            outcome = "rejected"
        case _ if "EXPIRED" in state:
            outcome = "expired"
        case _ if state == "MATCHED" or state.startswith("CANCEL"):
            outcome = "cancelled"
        case _:
            raise Misread(f"unknown order status {state!r}")
    return order.ReadClosed(intent_id=intent_id, matched=matched, outcome=outcome, at_ns=now_ns)


def page(answer: Answer) -> tuple[list[Fields], str]:
    """The rows of one page of an account list, and the cursor of the next ("" for none)."""
    body = wire.fields(wire.decode(answer.body))
    if "data" not in body:
        raise Misread("the page has no rows")
    cursor = wire.text(body, "next_cursor")
    return [
        wire.fields(row) for row in wire.array(body, "data")
    ], "" if cursor == NO_MORE else cursor


def trade_row(row: Fields, now_ns: int) -> TradeReported:
    return trade_reported(row, "read", now_ns)


def server_time_s(answer: Answer) -> int | None:
    """The venue's clock in whole seconds, a bare number; None for anything else."""
    digits = answer.body.strip()
    sound = answer.status == 200 and digits.isdigit() and len(digits) <= 12
    return int(digits) if sound else None


def balance(answer: Answer) -> int:
    """Millionths of a dollar or share; the venue sends them as a whole number already (1.12)."""
    body = wire.fields(wire.decode(answer.body))
    if body.get("balance") in (None, ""):
        raise Misread("balance is missing")
    return wire.whole(body, "balance")


def outcome(answer: Answer, condition_id: str, now_ns: int) -> MarketResolved | None:
    """The winner among a closed market's tokens, or its halves; None while there is neither."""
    body = wire.fields(wire.decode(answer.body))
    if wire.ident(body, "condition_id").lower() != condition_id.lower():
        raise Misread("the record of another market")
    tokens = [wire.fields(token) for token in wire.array(body, "tokens")]
    won = [wire.flag(token, "winner") for token in tokens]
    split = wire.flag(body, "is_50_50_outcome")
    if len(tokens) != 2 or (split and any(won)) or all(won):
        raise Misread(f"{len(tokens)} tokens, {sum(won)} of them winners")
    if not wire.flag(body, "closed") or not (split or any(won)):
        return None
    reverse = wire.text(tokens[0], "outcome").upper() in NO_WORDS
    yes = MILLION // 2 if split else MILLION * won[reverse]
    return MarketResolved(
        condition_id=wire.ident(body, "condition_id"),
        yes_payout=Usdc(yes),
        no_payout=Usdc(MILLION - yes),
        source="clob",
        at_ns=now_ns,
    )


def book(answer: Answer, token_id: str, now_ns: int) -> BookSnapshot:
    snapshot = book_snapshot(wire.fields(wire.decode(answer.body)), "rest", now_ns)
    if snapshot.token_id != token_id:
        raise Misread(f"the book of another token: {snapshot.token_id}")
    return snapshot

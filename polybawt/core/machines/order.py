"""The life of one order, from intent until its last trade has settled.

We ask (submit, cancel); the venue answers (ack, reject, fill, ended), or nobody does
(timeout).  Silence is a state of its own: an order we lost sight of is ``unknown``, never
``rejected``, and counts in full, until its record was read or its expiration has passed.  A
cancel acknowledgement or an ``ended`` push proves only that nothing more will match: the
order is ``closing`` until the venue's record and our fills agree.  It is ``closed`` when every
trade of it has come to rest on chain.  What reverses a fill is the *trade*'s life, not this one.

Spec: models/Order.tla.  Source: exchange reference 1.7 to 1.9 and 3.5.
"""

from attrs import evolve, frozen
from statemachine import State

from polybawt.core import machine
from polybawt.core.commands import CancelOrder, PostOrder, ReadOrder, ReadTrades
from polybawt.core.machine import Machine, Outputs, Record
from polybawt.core.market import Side
from polybawt.core.units import Price, Shares


@frozen(kw_only=True)
class Order(Record):
    """One limit order. ``order_id`` is the venue's id (the EIP-712 digest) once signed."""

    intent_id: str
    strategy: str
    condition_id: str
    token_id: str
    side: Side
    price: Price
    size: Shares
    post_only: bool
    created_ns: int
    ends_ns: int  # from then on the venue can neither match nor accept it
    expiration_s: int  # what is sent: the venue ends the order a margin before it
    order_id: str = ""
    payload: str = ""
    filled: Shares = Shares(0)
    trade_ids: tuple[str, ...] = ()
    reason: str = ""
    state: str = "intent"

    @property
    def open_size(self) -> Shares:
        """What may still fill: all of it until the order has ended."""
        return Shares(0) if self.state in ENDED else Shares(self.size - self.filled)


ENDED = frozenset({"filled", "cancelled", "rejected", "expired", "closed"})
POLLED = frozenset({"unknown", "pending_cancel", "closing"})
RESTING = frozenset({"live", "delayed", "partially_filled"})


@frozen(kw_only=True)
class Action(machine.Action):
    intent_id: str


@frozen(kw_only=True)
class Sign(Action):
    """The order has its identity: digest and exact bytes, before anything is sent."""

    order_id: str
    payload: str


@frozen(kw_only=True)
class Abort(Action):
    """We will not send it after all."""

    reason: str = ""


@frozen(kw_only=True)
class Submit(Action): ...


@frozen(kw_only=True)
class Timeout(Action):
    """No answer to the submission that proves anything: it may be on the book."""

    reason: str = ""


@frozen(kw_only=True)
class AckLive(Action):
    """The venue has it, in an answer or a push."""


@frozen(kw_only=True)
class AckDelayed(Action):
    """The venue holds it for the taker delay: alive, not killed."""


@frozen(kw_only=True)
class Reject(Action):
    """The venue refused it for sure."""

    reason: str


@frozen(kw_only=True)
class Duplicate(Action):
    """The venue knew these bytes already: proof that it exists, of nothing else."""


@frozen(kw_only=True)
class Fill(Action):
    trade_id: str
    shares: Shares


@frozen(kw_only=True)
class Cancel(Action): ...


@frozen(kw_only=True)
class CancelDone(Action): ...


@frozen(kw_only=True)
class CancelRefused(Action):
    reason: str = ""


@frozen(kw_only=True)
class CancelTimeout(Action):
    reason: str = ""


@frozen(kw_only=True)
class Ended(Action):
    """A push says that nothing more will match."""

    reason: str = ""


@frozen(kw_only=True)
class ReadOpen(Action):
    """Its record was read: alive, ``matched`` so far."""

    matched: Shares
    delayed: bool = False


@frozen(kw_only=True)
class ReadClosed(Action):
    """Its record was read: it ended as ``outcome``, with ``matched`` in all.

    ``outcome``: cancelled, rejected or expired; a full match needs none.
    """

    matched: Shares
    outcome: str


@frozen(kw_only=True)
class ReadMissing(Action):
    """The venue shows no such order now: proof only once ``ends_ns`` has passed."""


@frozen(kw_only=True)
class Close(Action):
    """Every trade of it has come to rest."""


def untouched(order: Order, _: Action) -> bool:
    return order.filled == 0


def completes(order: Order, fill: Fill) -> bool:
    return order.filled + fill.shares == order.size


def possible(order: Order, audit: ReadOpen | ReadClosed) -> bool:
    """A count that no record of this order can hold proves nothing: not even that it lives."""
    return 0 <= audit.matched <= order.size


def held(_: Order, audit: ReadOpen) -> bool:
    return audit.delayed


def as_cancelled(order: Order, audit: ReadClosed) -> bool:
    """What a record calls rejected, but counts matches of, has only ended."""
    refused = audit.outcome == "rejected" and not untouched(order, audit)
    return audit.matched == order.filled and (audit.outcome == "cancelled" or refused)


def as_expired(order: Order, audit: ReadClosed) -> bool:
    return audit.matched == order.filled and audit.outcome == "expired"


def as_rejected(order: Order, audit: ReadClosed) -> bool:
    return audit.matched == order.filled == 0 and audit.outcome == "rejected"


def past_end(order: Order, action: Action) -> bool:
    return action.at_ns > order.ends_ns


def identify(order: Order, sign: Sign) -> tuple[Order, Outputs]:
    assert sign.order_id, sign
    assert sign.payload, sign
    return evolve(order, order_id=sign.order_id, payload=sign.payload), ()


def post(order: Order, _: Submit) -> tuple[Order, Outputs]:
    return order, (
        PostOrder(intent_id=order.intent_id, order_id=order.order_id, payload=order.payload),
    )


def withdraw(order: Order, _: Cancel) -> tuple[Order, Outputs]:
    return order, (CancelOrder(intent_id=order.intent_id, order_id=order.order_id),)


def look_up(order: Order, _: Action) -> tuple[Order, Outputs]:
    return order, (ReadOrder(intent_id=order.intent_id, order_id=order.order_id),)


def note(order: Order, action: Reject | Abort) -> tuple[Order, Outputs]:
    return evolve(order, reason=action.reason), ()


def catch_up(order: Order, audit: ReadOpen | ReadClosed | ReadMissing) -> tuple[Order, Outputs]:
    """Ask for the trades that the venue counts and we have not booked."""
    if isinstance(audit, ReadMissing) or audit.matched != order.filled:
        return order, (ReadTrades(condition_id=order.condition_id),)
    return order, ()


def book(order: Order, fill: Fill) -> tuple[Order, Outputs]:
    assert 0 < fill.shares <= order.size - order.filled, (order, fill)
    assert fill.trade_id not in order.trade_ids, (order, fill)
    filled = Shares(order.filled + fill.shares)
    return evolve(order, filled=filled, trade_ids=(*order.trade_ids, fill.trade_id)), ()


def book_and_look(order: Order, fill: Fill) -> tuple[Order, Outputs]:
    order, _ = book(order, fill)
    return look_up(order, fill)


class OrderMachine(Machine):
    intent = State(initial=True)
    signed = State()
    submitted = State()
    live = State()
    delayed = State()
    partially_filled = State()
    unknown = State()
    pending_cancel = State()
    closing = State()
    filled = State()
    cancelled = State()
    rejected = State()
    expired = State()
    closed = State(final=True)

    sign = signed.from_(intent, on=identify)
    abort = rejected.from_(intent, signed, on=note)
    submit = submitted.from_(signed, on=post)

    ack_live = live.from_(submitted, delayed, unknown, live, cond=untouched)
    ack_live |= partially_filled.from_(unknown, partially_filled)
    ack_live |= pending_cancel.from_(pending_cancel)  # the answer outlived our patience
    ack_live |= closing.from_(closing)
    ack_live |= filled.from_(filled)  # its fills outran its answer
    ack_live |= cancelled.from_(cancelled)
    ack_live |= expired.from_(expired)
    ack_live |= closing.from_(rejected, on=look_up)  # the refusal was untrue: its record decides

    ack_delayed = delayed.from_(submitted, unknown, delayed, cond=untouched)
    ack_delayed |= partially_filled.from_(unknown, partially_filled)
    ack_delayed |= live.from_(live)  # the push that released it outran the answer
    ack_delayed |= pending_cancel.from_(pending_cancel)
    ack_delayed |= closing.from_(closing)
    ack_delayed |= filled.from_(filled)
    ack_delayed |= cancelled.from_(cancelled)
    ack_delayed |= expired.from_(expired)
    ack_delayed |= closing.from_(rejected, on=look_up)

    reject = rejected.from_(submitted, unknown, pending_cancel, cond=untouched, on=note)
    reject |= closing.from_(  # refused, yet we have signs of life: its record decides
        unknown, live, delayed, partially_filled, pending_cancel, closing, on=look_up
    )
    reject |= filled.from_(filled)
    reject |= cancelled.from_(cancelled)
    reject |= expired.from_(expired)
    reject |= rejected.from_(rejected)  # its record outran the answer

    duplicate = unknown.from_(submitted, unknown, on=look_up)
    duplicate |= live.from_(live)
    duplicate |= delayed.from_(delayed)
    duplicate |= partially_filled.from_(partially_filled)
    duplicate |= pending_cancel.from_(pending_cancel)
    duplicate |= closing.from_(closing)
    duplicate |= filled.from_(filled)
    duplicate |= cancelled.from_(cancelled)
    duplicate |= expired.from_(expired)
    duplicate |= closing.from_(rejected, on=look_up)

    timeout = unknown.from_(submitted, unknown, on=look_up)
    timeout |= live.from_(live)  # a push told us what the answer did not
    timeout |= delayed.from_(delayed)
    timeout |= partially_filled.from_(partially_filled)
    timeout |= pending_cancel.from_(pending_cancel)
    timeout |= closing.from_(closing)
    timeout |= filled.from_(filled)
    timeout |= cancelled.from_(cancelled)
    timeout |= expired.from_(expired)
    timeout |= rejected.from_(rejected)

    fill = filled.from_(
        submitted, live, delayed, partially_filled, unknown, pending_cancel, closing,
        cancelled, expired, rejected, cond=completes, on=book,
    )  # fmt: skip
    fill |= partially_filled.from_(submitted, live, delayed, partially_filled, unknown, on=book)
    fill |= pending_cancel.from_(pending_cancel, on=book)
    fill |= closing.from_(closing, on=book_and_look)  # one that its record counted already
    fill |= cancelled.from_(cancelled, on=book)  # matched before the cancel, reported after it
    fill |= expired.from_(expired, on=book)
    fill |= closing.from_(rejected, on=book_and_look)  # the refusal was untrue

    cancel = pending_cancel.from_(
        live, delayed, partially_filled, unknown, pending_cancel, on=withdraw
    )
    cancel |= closing.from_(closing, on=withdraw)  # said to be gone, and its record rests
    cancel_done = closing.from_(
        submitted, live, delayed, partially_filled, unknown, pending_cancel, on=look_up
    )
    cancel_done |= closing.from_(closing)
    cancel_done |= filled.from_(filled)
    cancel_done |= cancelled.from_(cancelled)
    cancel_done |= expired.from_(expired)
    cancel_done |= closing.from_(rejected, on=look_up)  # there was something to cancel

    cancel_refused = unknown.from_(pending_cancel, on=look_up)
    cancel_refused |= submitted.from_(submitted)
    cancel_refused |= live.from_(live)
    cancel_refused |= delayed.from_(delayed)
    cancel_refused |= partially_filled.from_(partially_filled)
    cancel_refused |= unknown.from_(unknown)
    cancel_refused |= closing.from_(closing)
    cancel_refused |= filled.from_(filled)
    cancel_refused |= cancelled.from_(cancelled)
    cancel_refused |= expired.from_(expired)
    cancel_refused |= rejected.from_(rejected)

    cancel_timeout = unknown.from_(pending_cancel, on=look_up)
    cancel_timeout |= submitted.from_(submitted)
    cancel_timeout |= live.from_(live)
    cancel_timeout |= delayed.from_(delayed)
    cancel_timeout |= partially_filled.from_(partially_filled)
    cancel_timeout |= unknown.from_(unknown)
    cancel_timeout |= closing.from_(closing)
    cancel_timeout |= filled.from_(filled)
    cancel_timeout |= cancelled.from_(cancelled)
    cancel_timeout |= expired.from_(expired)
    cancel_timeout |= rejected.from_(rejected)

    ended = closing.from_(
        submitted, live, delayed, partially_filled, unknown, pending_cancel, on=look_up
    )
    ended |= closing.from_(closing)
    ended |= filled.from_(filled)
    ended |= cancelled.from_(cancelled)
    ended |= rejected.from_(rejected)
    ended |= expired.from_(expired)

    read_open = delayed.from_(
        submitted, unknown, delayed, cond=[possible, held, untouched], on=catch_up
    )
    read_open |= live.from_(
        submitted, unknown, delayed, live, cond=[possible, untouched], on=catch_up
    )
    read_open |= partially_filled.from_(unknown, partially_filled, cond=possible, on=catch_up)
    read_open |= pending_cancel.from_(pending_cancel, cond=possible, on=catch_up)
    read_open |= closing.from_(closing, cond=possible)  # it is older than the end: read again
    read_open |= filled.from_(filled, cond=possible)
    read_open |= cancelled.from_(cancelled, cond=possible)
    read_open |= expired.from_(expired, cond=possible)
    read_open |= closing.from_(rejected, cond=possible, on=catch_up)

    read_closed = filled.from_(filled, cond=possible)
    read_closed |= cancelled.from_(cancelled, cond=possible, on=catch_up)
    read_closed |= expired.from_(expired, cond=possible, on=catch_up)
    read_closed |= rejected.from_(rejected, cond=possible, on=catch_up)
    read_closed |= cancelled.from_(
        submitted, live, delayed, partially_filled, unknown, pending_cancel, closing,
        cond=[possible, as_cancelled],
    )  # fmt: skip
    read_closed |= expired.from_(
        submitted, live, delayed, partially_filled, unknown, pending_cancel, closing,
        cond=[possible, as_expired],
    )  # fmt: skip
    read_closed |= rejected.from_(
        submitted, live, delayed, unknown, pending_cancel, closing, cond=[possible, as_rejected]
    )
    read_closed |= closing.from_(
        submitted, live, delayed, partially_filled, unknown, pending_cancel, closing,
        cond=possible, on=catch_up,
    )  # fmt: skip

    read_missing = expired.from_(
        submitted, live, delayed, partially_filled, unknown, pending_cancel, closing,
        cond=past_end, on=catch_up,
    )  # fmt: skip
    read_missing |= submitted.from_(submitted)  # absence is no proof while it may still arrive
    read_missing |= live.from_(live)
    read_missing |= delayed.from_(delayed)
    read_missing |= partially_filled.from_(partially_filled)
    read_missing |= unknown.from_(unknown)
    read_missing |= pending_cancel.from_(pending_cancel)
    read_missing |= closing.from_(closing)
    read_missing |= filled.from_(filled)
    read_missing |= cancelled.from_(cancelled)
    read_missing |= expired.from_(expired)
    read_missing |= rejected.from_(rejected)

    close = closed.from_(filled, cancelled, rejected, expired)

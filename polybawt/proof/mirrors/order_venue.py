"""One order at the simulated venue: brought into any situation, called once, and read off.

For each situation a fresh ``Venue`` is brought there by real calls, one call more is made, and
what came of it is read off its record, its answer and its pushes, through the spelling of the
exchange and the reading of our own adapter.  Everything is remembered: the same call in the same
situation is made once.  Nothing is lost, late or stale here: that is the network's, in ``order``.

Source: exchange reference 1.7 to 1.10 and 3.5.
"""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Final

import orjson
from attrs import evolve, frozen

from polybawt.core import execution
from polybawt.core.commands import CancelOrder, PostOrder, ReadOrder
from polybawt.core.facts import OrderPushed
from polybawt.core.machine import Fact, Outputs
from polybawt.core.machines import order
from polybawt.core.machines.order import Order
from polybawt.core.market import Market, Side
from polybawt.core.state import State
from polybawt.core.units import SECOND_NS, Price, Shares, Usdc
from polybawt.exchange import orders, refusal
from polybawt.exchange.wire.accounts import order_event
from polybawt.exchange.wire.accounts import order_record as spelt
from polybawt.sim.records import OrderChanged, Placement, Refused, VenueOrder
from polybawt.sim.venue import Venue
from polybawt.venue import wire_rest
from polybawt.venue.http import Answer
from polybawt.venue.wire_stream import user_facts

ID: Final = "i1"
ORDER_ID: Final = "0x" + "0d" * 32
PAYLOAD: Final = "{}"
EARLIER: Final = "earlier"  # the trade by which was filled what is filled
US, THEM = "0x" + "11" * 20, "0x" + "22" * 20
UNIT: Final = 10_000_000  # millionths of a share behind one of the specification's
PRICE: Final = Price(450_000)
BEGIN_NS: Final = SECOND_NS
MARGIN_S: Final = 60
END_S: Final = 1_000
GRACE_NS: Final = 2 * SECOND_NS
DELAY_NS: Final = 3 * SECOND_NS
LATE_NS: Final = END_S * SECOND_NS - 1
AT_NS: Final = {  # a moment of each time: past is what is later than what we call its end
    "before": BEGIN_NS,
    "ended": END_S * SECOND_NS + GRACE_NS,
    "past": END_S * SECOND_NS + GRACE_NS + 1,
}
MARKET: Final = Market(
    condition_id="0xc", slug="m", question="?", yes_token="1", no_token="2",  # noqa: S106
    tick=Price(10_000), min_size=Shares(5_000_000),
)  # fmt: skip
STATUSES: Final = {
    "cancelled": "CANCELED", "expired": "CANCELED_EXPIRED_ORDER", "invalid": "INVALID"
}  # fmt: skip
OUTCOMES: Final = {"cancelled": "cancelled", "expired": "expired", "rejected": "invalid"}
WORDS: Final = {  # what is said, as the machine hears it
    order.AckLive: "live", order.AckDelayed: "delayed", order.Reject: "refused",
    order.Duplicate: "duplicate", order.CancelDone: "withdrawn", order.CancelRefused: "kept",
}  # fmt: skip


def a_record(state: str, filled: int, size: int) -> Order:
    signed = state != "intent"
    return Order(
        intent_id=ID, strategy="value", condition_id=MARKET.condition_id,
        token_id=MARKET.yes_token, side=Side.BUY, price=PRICE, size=Shares(size * UNIT),
        post_only=False, created_ns=0, ends_ns=AT_NS["ended"], expiration_s=END_S + MARGIN_S,
        order_id=ORDER_ID if signed else "", payload=PAYLOAD if signed else "",
        filled=Shares(filled * UNIT), trade_ids=(EARLIER,) if filled else (), state=state,
    )  # fmt: skip


@frozen
class Situation:
    """All of the specification's state that the venue holds."""

    size: int
    book: str
    executed: int
    clock: str


@frozen
class Found:
    """What a venue holds after a call, and what it said meanwhile."""

    book: str
    executed: int
    landed: int
    said: frozenset[str]


def brought(to: Situation, begin_ns: int = BEGIN_NS) -> Venue:
    """A venue on which our order is in this situation."""
    venue = Venue(mine_ns=SECOND_NS, confirm_ns=SECOND_NS, taker_delay_ns=DELAY_NS)
    venue.list_market(MARKET, begin_ns)
    venue.deposit(US, Usdc(1_000_000_000))
    venue.grant(THEM, MARKET.yes_token, Shares(1_000_000_000))
    if to.book == "delayed":
        offer(venue, "ask", to.size, begin_ns)
    if to.book != "none":
        place(venue, to.size, begin_ns)
    if to.executed:
        offer(venue, "sold before", to.executed, begin_ns)
    match to.book, to.clock:
        case "cancelled", _:
            venue.cancel(US, ORDER_ID, BEGIN_NS)
        case ("expired", "before") | ("invalid", _):
            halt(venue, to.book)
    venue.advance(max(begin_ns, AT_NS[to.clock]))
    reached = looked(venue, venue.drain(), ())
    assert (reached.book, reached.executed) == (to.book, to.executed), (to, reached)
    return venue


def place(venue: Venue, size: int, now_ns: int) -> Fact:
    """Our submission reaches the venue: what its answer says to us."""
    answered = venue.place(
        Placement(
            owner=US, order_id=ORDER_ID, token_id=MARKET.yes_token, side=Side.BUY, price=PRICE,
            size=Shares(size * UNIT), order_type="GTD", expiration_s=END_S + MARGIN_S,
        ),
        now_ns,
    )  # fmt: skip
    if isinstance(answered, Refused):
        answer = Answer(answered.http_status, orjson.dumps({"error": answered.text}))
    else:
        answer = Answer(200, orjson.dumps(orders.answer(answered)))
    command = PostOrder(intent_id=ID, order_id=ORDER_ID, payload=PAYLOAD)
    return wire_rest.placement(command, answer, now_ns)


def offer(venue: Venue, order_id: str, units: int, now_ns: int) -> None:
    """Somebody sells at our price; who would be matched at once waits for the taker delay."""
    now_ns = venue.advance(now_ns)
    offered = venue.place(
        Placement(
            owner=THEM, order_id=order_id, token_id=MARKET.yes_token, side=Side.SELL,
            price=PRICE, size=Shares(units * UNIT),
        ),
        now_ns,
    )  # fmt: skip
    assert not isinstance(offered, Refused), offered
    if offered.order.status == "DELAYED":
        venue.advance(now_ns + DELAY_NS)


def halt(venue: Venue, outcome: str) -> None:
    """The venue ends what is open, for a reason of its own, and goes on."""
    venue.close(MARKET.condition_id, BEGIN_NS, STATUSES[outcome])
    venue.amend(MARKET)


def cancel(venue: Venue, now_ns: int) -> Fact:
    """Our cancel reaches the venue: what its answer says to us."""
    reason = venue.cancel(US, ORDER_ID, now_ns)
    body: dict[str, object] = {"canceled": [] if reason else [ORDER_ID]}
    body["not_canceled"] = {ORDER_ID: reason} if reason else {}
    command = CancelOrder(intent_id=ID, order_id=ORDER_ID)
    return wire_rest.cancellation(command, Answer(200, orjson.dumps(body)), now_ns)


def read(found: VenueOrder | None) -> Fact:
    """The record as the exchange spells it and our adapter reads it."""
    command = ReadOrder(intent_id=ID, order_id=ORDER_ID)
    if found is None:
        return wire_rest.order_record(
            command, Answer(404, orjson.dumps({"error": refusal.NO_ORDER})), 0
        )
    return wire_rest.order_record(command, Answer(200, orjson.dumps(spelt(found, MARKET, US))), 0)


def pushed(event: OrderChanged) -> Outputs:
    """A push as the exchange spells it, our adapter reads it and the kernel takes it."""
    raw = order_event(event.order, MARKET, US, event.kind, event.now_ns)
    known = State(orders={ID: a_record("submitted", 0, 1)}, intent_of={ORDER_ID: ID})
    pushes = (push for push in user_facts(raw, event.now_ns) if isinstance(push, OrderPushed))
    return tuple(output for push in pushes for output in execution.pushed(known, push))


def looked(venue: Venue, events: Iterable[object], answers: tuple[Fact, ...]) -> Found:
    """What the venue holds of ours, and what it said in answers and pushes."""
    pushes = [push for e in events if isinstance(e, OrderChanged) and e.order.placement.owner == US
              for push in pushed(e)]  # fmt: skip
    said = frozenset(WORDS[type(fact)] for fact in (*answers, *pushes) if type(fact) in WORDS)
    executed = sum(trade.shares for trade in venue.trades(US)) // UNIT
    landed = len(venue.order_ids(US))
    match read(venue.order(ORDER_ID)):
        case order.ReadMissing():
            return Found("none", executed, landed, said)
        case order.ReadOpen(delayed=delayed, matched=matched):
            book = "delayed" if delayed else "resting"
        case order.ReadClosed(outcome=outcome, matched=matched):
            book = "filled" if matched == size_of(venue) else OUTCOMES[outcome]
        case other:
            raise AssertionError(f"the record cannot be read: {other}")
    assert matched == executed * UNIT, (matched, executed)  # the trades are those it counts
    return Found(book, executed, landed, said)


def size_of(venue: Venue) -> int:
    found = venue.order(ORDER_ID)
    assert found
    return found.placement.size


Call = Callable[[Venue, Situation], tuple[Fact, ...]]


def submitted(venue: Venue, to: Situation) -> tuple[Fact, ...]:
    return (place(venue, to.size, AT_NS[to.clock]),)


def marketable(venue: Venue, to: Situation) -> tuple[Fact, ...]:
    """It would be matched at once, so it is held for the taker delay."""
    offer(venue, "ask now", to.size, AT_NS[to.clock])
    return submitted(venue, to)


def unwelcome(venue: Venue, to: Situation) -> tuple[Fact, ...]:
    """The venue takes no orders just now, whatever else it knows of this one."""
    venue.amend(evolve(MARKET, accepting_orders=False))
    return submitted(venue, to)


def released(venue: Venue, to: Situation) -> tuple[Fact, ...]:
    """Whom it would have met goes, and its delay passes."""
    venue.cancel(THEM, "ask", AT_NS[to.clock])
    venue.advance(venue.advance(AT_NS[to.clock]) + DELAY_NS)
    return ()


def withdrawn(venue: Venue, to: Situation) -> tuple[Fact, ...]:
    """By its id; to end all orders would have left the same."""
    other = brought(to)
    other.cancel_all(US, AT_NS[to.clock])
    answer = cancel(venue, AT_NS[to.clock])
    assert read(venue.order(ORDER_ID)) == read(other.order(ORDER_ID)), to
    return (answer,)


def passed(venue: Venue, to: Situation) -> tuple[Fact, ...]:
    venue.advance(AT_NS["ended" if to.clock == "before" else "past"])
    return ()


@cache
def after(at: Situation, call: Call) -> Found:
    """To be held still when its end comes, it must be held shortly before."""
    late = call is passed and at.book == "delayed"
    venue = brought(at, LATE_NS if late else BEGIN_NS)
    answers = call(venue, at)
    return looked(venue, venue.drain(), answers)


@cache
def bought(at: Situation, units: int) -> Found:
    """So much is offered at our price."""
    venue = brought(at)
    offer(venue, "sold", units, AT_NS[at.clock])
    return looked(venue, venue.drain(), ())


@cache
def removed(at: Situation, outcome: str) -> Found:
    venue = brought(at)
    halt(venue, outcome)
    return looked(venue, venue.drain(), ())


@cache
def record_of(at: Situation) -> Fact:
    """What a read of the record says that is neither stale nor behind."""
    return read(brought(at).order(ORDER_ID))

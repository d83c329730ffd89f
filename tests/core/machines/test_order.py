"""Lives of an order, as sentences. What all of them share is proved in models/Order.tla."""

import pytest
from attrs import evolve

from polybawt.core.commands import CancelOrder, PostOrder, ReadOrder, ReadTrades
from polybawt.core.machine import IllegalAction, Outputs
from polybawt.core.machines.order import (
    Abort,
    AckDelayed,
    AckLive,
    Action,
    Cancel,
    CancelDone,
    CancelRefused,
    CancelTimeout,
    Close,
    Duplicate,
    Ended,
    Fill,
    Order,
    OrderMachine,
    ReadClosed,
    ReadMissing,
    ReadOpen,
    Reject,
    Sign,
    Submit,
    Timeout,
)  # fmt: skip
from polybawt.core.market import Side
from polybawt.core.units import Price, Shares

ID = "i1"
ENDS = 1_000
LOOK = ReadOrder(intent_id=ID, order_id="0xd1")
TRADES = ReadTrades(condition_id="0xc")


def an_order(state: str = "intent", filled: int = 0) -> Order:
    signed = state not in ("intent",)
    return Order(
        intent_id=ID,
        strategy="value",
        condition_id="0xc",
        token_id="1",
        side=Side.BUY,
        price=Price(450_000),
        size=Shares(10_000_000),
        post_only=True,
        created_ns=1,
        ends_ns=ENDS,
        expiration_s=60,
        order_id="0xd1" if signed else "",
        payload="{}" if signed else "",
        filled=Shares(filled),
        trade_ids=("t0",) if filled else (),
        state=state,
    )


def fill(shares: int, trade_id: str = "t1") -> Fill:
    return Fill(intent_id=ID, trade_id=trade_id, shares=Shares(shares))


def closed(matched: int, outcome: str) -> ReadClosed:
    return ReadClosed(intent_id=ID, matched=Shares(matched), outcome=outcome)


def opened(matched: int, delayed: bool = False) -> ReadOpen:
    return ReadOpen(intent_id=ID, matched=Shares(matched), delayed=delayed)


def missing(at_ns: int) -> ReadMissing:
    return ReadMissing(intent_id=ID, at_ns=at_ns)


def after(order: Order, *actions: Action) -> tuple[Order, Outputs]:
    """The order after all actions, and what the last of them put out."""
    outputs: Outputs = ()
    for action in actions:
        order, outputs = OrderMachine.step(order, action)
    return order, outputs


def test_the_bytes_that_were_signed_are_the_bytes_that_are_sent() -> None:
    """The identity is fixed before anything leaves.  Proves: H5, P1.2, P3.4."""
    sign = Sign(intent_id=ID, order_id="0xd1", payload='{"order":1}')

    order, outputs = after(an_order(), sign, Submit(intent_id=ID))

    assert order.state == "submitted"
    assert outputs == (PostOrder(intent_id=ID, order_id="0xd1", payload='{"order":1}'),)


@pytest.mark.parametrize(("order_id", "payload"), [("", "{}"), ("0xd1", "")])
def test_an_order_without_identity_is_never_signed(order_id: str, payload: str) -> None:
    with pytest.raises(AssertionError):
        OrderMachine.step(an_order(), Sign(intent_id=ID, order_id=order_id, payload=payload))


@pytest.mark.parametrize("state", ["intent", "signed"])
def test_an_order_that_was_not_sent_can_be_dropped(state: str) -> None:
    order, outputs = after(an_order(state), Abort(intent_id=ID, reason="killed"))

    assert (order.state, order.reason, outputs) == ("rejected", "killed", ())
    assert order.open_size == 0


def test_an_order_that_was_sent_cannot_be_dropped() -> None:
    """It may be on the book: only the venue can end it."""
    with pytest.raises(IllegalAction):
        OrderMachine.step(an_order("submitted"), Abort(intent_id=ID))


def test_a_timeout_is_not_a_rejection() -> None:
    """It counts in full until the venue has been asked.  Proves: A-exec."""
    order, outputs = after(an_order("submitted"), Timeout(intent_id=ID))

    assert (order.state, outputs) == ("unknown", (LOOK,))
    assert order.open_size == order.size


def test_a_push_that_outran_a_lost_answer_settles_the_doubt() -> None:
    order, outputs = after(an_order("submitted"), AckLive(intent_id=ID), Timeout(intent_id=ID))

    assert (order.state, outputs) == ("live", ())


def test_a_duplicate_proves_that_it_exists_and_nothing_else() -> None:
    """Neither a rejection nor an acceptance: look.  Proves: H5, P3.4."""
    order, outputs = after(an_order("submitted"), Duplicate(intent_id=ID))

    assert (order.state, outputs) == ("unknown", (LOOK,))


def test_a_delayed_order_is_alive() -> None:
    """Taking it for a kill and sending another made real bots trade twice (reference 6, 8)."""
    order, _ = after(an_order("submitted"), AckDelayed(intent_id=ID))

    assert (order.state, order.open_size) == ("delayed", order.size)


def test_a_release_that_outran_the_delayed_answer_is_not_undone() -> None:
    order, _ = after(an_order("submitted"), AckLive(intent_id=ID), AckDelayed(intent_id=ID))

    assert order.state == "live"


def test_a_refusal_ends_an_order_that_nothing_was_heard_of() -> None:
    order, outputs = after(an_order("submitted"), Reject(intent_id=ID, reason="tick"))

    assert (order.state, order.reason, outputs) == ("rejected", "tick", ())


@pytest.mark.parametrize("state", ["live", "delayed", "unknown", "pending_cancel"])
def test_a_refusal_against_signs_of_life_lets_the_record_decide(state: str) -> None:
    """A late refusal must not free the money of an order that was seen alive."""
    filled = 0 if state in ("live", "delayed") else 1_000_000
    order, outputs = after(an_order(state, filled), Reject(intent_id=ID, reason="late"))

    assert (order.state, outputs) == ("closing", (LOOK,))
    assert order.open_size == order.size - filled


def test_fills_come_in_parts_until_the_order_is_filled() -> None:
    order, _ = after(an_order("live"), fill(4_000_000))
    assert (order.state, order.open_size) == ("partially_filled", 6_000_000)

    order, _ = after(order, fill(6_000_000, "t2"))
    assert (order.state, order.open_size, order.trade_ids) == ("filled", 0, ("t1", "t2"))


def test_a_fill_that_outran_its_acknowledgement_is_booked() -> None:
    """Trade and order events come in any order (reference 6, 12).  Proves: B-exec."""
    order, _ = after(an_order("submitted"), fill(4_000_000), AckLive(intent_id=ID))

    assert (order.state, order.filled) == ("partially_filled", 4_000_000)


def test_a_full_fill_that_outran_everything_stays_filled() -> None:
    order, _ = after(an_order("submitted"), fill(10_000_000), AckLive(intent_id=ID),
                     Timeout(intent_id=ID), Ended(intent_id=ID))  # fmt: skip

    assert order.state == "filled"


@pytest.mark.parametrize("shares", [0, -1, 10_000_001])
def test_a_fill_beyond_the_order_is_our_mistake(shares: int) -> None:
    """The kernel refuses it before; an engine that cannot count stops."""
    with pytest.raises(AssertionError):
        OrderMachine.step(an_order("live"), fill(shares))


def test_a_trade_is_booked_once() -> None:
    with pytest.raises(AssertionError):
        after(an_order("live"), fill(1_000_000), fill(1_000_000))


def test_a_cancel_is_only_a_request() -> None:
    """All of it may still fill.  Proves: H6, P1.5."""
    order, outputs = after(an_order("live"), Cancel(intent_id=ID))

    assert (order.state, order.open_size) == ("pending_cancel", order.size)
    assert outputs == (CancelOrder(intent_id=ID, order_id="0xd1"),)


def test_a_cancel_may_be_asked_again() -> None:
    """Still live means retry.  Proves: H6."""
    order, outputs = after(an_order("pending_cancel"), Cancel(intent_id=ID))

    assert (order.state, len(outputs)) == ("pending_cancel", 1)


def test_an_order_whose_answer_is_awaited_cannot_be_cancelled_yet() -> None:
    """The cancel could overtake it, and it would then rest for ever."""
    with pytest.raises(IllegalAction):
        OrderMachine.step(an_order("submitted"), Cancel(intent_id=ID))


def test_a_cancel_acknowledgement_leads_to_a_look_at_the_record() -> None:
    """It reports no filled size (reference 6, 19).  Proves: H6."""
    order, outputs = after(an_order("pending_cancel"), CancelDone(intent_id=ID))

    assert (order.state, outputs) == ("closing", (LOOK,))
    assert order.open_size == order.size


@pytest.mark.parametrize("answer", [CancelRefused(intent_id=ID), CancelTimeout(intent_id=ID)])
def test_a_cancel_without_a_yes_leaves_the_order_in_doubt(answer: Action) -> None:
    """Refused may mean filled, gone or not yet there."""
    order, outputs = after(an_order("pending_cancel"), answer)

    assert (order.state, outputs) == ("unknown", (LOOK,))


def test_a_late_fill_after_a_cancel_is_booked() -> None:
    """Matched before the cancel, reported after it.  Proves: B-exec."""
    order, _ = after(an_order("cancelled"), fill(4_000_000))

    assert (order.state, order.filled, order.open_size) == ("cancelled", 4_000_000, 0)


@pytest.mark.parametrize("state", ["cancelled", "expired", "rejected", "closing", "pending_cancel"])
def test_a_last_fill_fills_the_order_wherever_it_is(state: str) -> None:
    order, _ = after(an_order(state), fill(10_000_000))

    assert order.state == "filled"


def test_a_fill_of_a_rejected_order_wakes_it() -> None:
    """The refusal was untrue: more may come."""
    order, outputs = after(an_order("rejected"), fill(4_000_000))

    assert (order.state, outputs) == ("closing", (LOOK,))
    assert order.open_size == 6_000_000


@pytest.mark.parametrize(
    "sign", [AckLive(intent_id=ID), AckDelayed(intent_id=ID), Duplicate(intent_id=ID),
             CancelDone(intent_id=ID)],
)  # fmt: skip
def test_a_sign_of_life_of_a_rejected_order_wakes_it(sign: Action) -> None:
    """A refusal in an answer is no proof against the venue's own later word."""
    order, outputs = after(an_order("rejected"), sign)

    assert (order.state, outputs, order.open_size) == ("closing", (LOOK,), order.size)


@pytest.mark.parametrize(
    "late",
    [Reject(intent_id=ID, reason="late"), Timeout(intent_id=ID), CancelRefused(intent_id=ID),
     CancelTimeout(intent_id=ID), Ended(intent_id=ID), missing(ENDS + 1)],
)  # fmt: skip
def test_what_comes_too_late_leaves_a_rejected_order_rejected(late: Action) -> None:
    """Its record outran the answers: an honest venue, and no alarm."""
    order = an_order("rejected")

    assert (order, ()) == OrderMachine.step(order, late)


def test_a_record_without_gaps_ends_the_order_as_it_says() -> None:
    order, outputs = after(an_order("closing", 4_000_000), closed(4_000_000, "cancelled"))

    assert (order.state, order.open_size, outputs) == ("cancelled", 0, ())


@pytest.mark.parametrize("outcome", ["cancelled", "expired", "rejected"])
@pytest.mark.parametrize("state", ["live", "unknown", "pending_cancel", "closing"])
def test_a_record_that_counts_more_than_we_booked_asks_for_the_trades(
    state: str, outcome: str
) -> None:
    """No end while a fill is missing.  Proves: B-exec."""
    order, outputs = after(an_order(state), closed(4_000_000, outcome))

    assert (order.state, outputs) == ("closing", (TRADES,))


def test_the_missing_fill_of_a_closing_order_is_booked_and_its_record_read_again() -> None:
    order, outputs = after(an_order("closing"), fill(4_000_000))
    assert (order.state, outputs) == ("closing", (LOOK,))

    order, _ = after(order, closed(4_000_000, "cancelled"))
    assert order.state == "cancelled"


@pytest.mark.parametrize("outcome", ["expired", "cancelled", "rejected"])
def test_each_outcome_has_its_end(outcome: str) -> None:
    order, _ = after(an_order("unknown"), closed(0, outcome))

    assert outcome == order.state


def test_what_a_record_calls_rejected_but_counts_matches_of_has_ended() -> None:
    """INVALID on a partly matched order: it would have stayed closing for ever."""
    order, _ = after(an_order("closing", 4_000_000), closed(4_000_000, "rejected"))

    assert order.state == "cancelled"


def test_an_outcome_that_explains_nothing_ends_nothing() -> None:
    order, _ = after(an_order("unknown"), closed(0, ""))

    assert order.state == "closing"


@pytest.mark.parametrize("state", ["cancelled", "expired", "rejected"])
def test_a_record_that_counts_late_matches_asks_for_them_even_after_the_end(state: str) -> None:
    order, outputs = after(an_order(state), closed(4_000_000, "cancelled"))

    assert (order.state, outputs) == (state, (TRADES,))


@pytest.mark.parametrize("state", ["submitted", "unknown"])
def test_an_open_record_ends_the_doubt(state: str) -> None:
    assert after(an_order(state), opened(0))[0].state == "live"
    assert after(an_order(state), opened(0, delayed=True))[0].state == "delayed"


def test_an_open_record_with_unknown_matches_asks_for_the_trades() -> None:
    order, outputs = after(an_order("unknown"), opened(4_000_000))

    assert (order.state, outputs) == ("live", (TRADES,))


def test_an_open_record_of_a_partly_filled_order_confirms_it() -> None:
    order, outputs = after(an_order("unknown", 4_000_000), opened(4_000_000))

    assert (order.state, outputs) == ("partially_filled", ())


def test_an_open_record_does_not_reopen_what_is_closing() -> None:
    """The read may be older than the end."""
    assert after(an_order("closing"), opened(0))[0].state == "closing"


@pytest.mark.parametrize("matched", [-1, 10_000_001])
@pytest.mark.parametrize(
    "state",
    ["submitted", "live", "delayed", "partially_filled", "unknown", "pending_cancel", "closing",
     "filled", "cancelled", "rejected", "expired"],
)  # fmt: skip
def test_a_record_with_an_impossible_count_is_no_proof_of_anything(
    state: str, matched: int
) -> None:
    """It would show an order alive of which nothing is known; the kernel raises an alarm."""
    for audit in (opened(matched), opened(matched, delayed=True), closed(matched, "cancelled")):
        with pytest.raises(IllegalAction):
            OrderMachine.step(an_order(state), audit)


@pytest.mark.parametrize("at_ns", [0, ENDS - 1, ENDS])
def test_absence_before_the_end_proves_nothing(at_ns: int) -> None:
    """Late booking was seen (reference 3.5): it may still arrive.  Proves: A-exec."""
    order = an_order("unknown")

    assert (order, ()) == OrderMachine.step(order, missing(at_ns))


@pytest.mark.parametrize("state", ["submitted", "live", "unknown", "pending_cancel", "closing"])
def test_absence_after_the_end_is_the_end(state: str) -> None:
    """Nothing can match any more; what did is asked for."""
    order, outputs = after(an_order(state), missing(ENDS + 1))

    assert (order.state, order.open_size, outputs) == ("expired", 0, (TRADES,))


@pytest.mark.parametrize("state", ["filled", "cancelled", "rejected", "expired"])
def test_an_ended_order_closes_and_then_nothing_is_legal(state: str) -> None:
    order, _ = after(an_order(state), Close(intent_id=ID))

    assert order.state == "closed"
    with pytest.raises(IllegalAction):
        OrderMachine.step(order, AckLive(intent_id=ID))


def test_an_order_that_may_still_match_never_closes() -> None:
    with pytest.raises(IllegalAction):
        OrderMachine.step(an_order("closing"), Close(intent_id=ID))


def test_what_was_signed_never_changes() -> None:
    """Only state, fills and reason ever change after signing."""
    before = an_order("submitted")
    order, _ = after(before, fill(1), Ended(intent_id=ID), closed(1, "cancelled"))

    assert evolve(order, state=before.state, filled=Shares(0), trade_ids=()) == before

"""Stories of an order: from a wish to its end, with a venue that is late, silent or wrong."""

import pytest
from attrs import evolve

from polybawt.core import facts
from polybawt.core.breakers import barred
from polybawt.core.commands import (
    CancelAll,
    CancelOrder,
    PostOrder,
    ReadOrder,
    ReadTrades,
    SignOrder,
)
from polybawt.core.machines import order
from polybawt.core.market import Side
from polybawt.core.state import Config
from polybawt.core.units import MILLION, SECOND_NS
from tests.core.script import (
    CASH,
    LIMITS,
    MARKET,
    NO,
    QUIET,
    T0_S,
    YES,
    Script,
    cents,
    shares,
)


@pytest.fixture
def script() -> Script:
    script = Script().start()
    script.wait(1)
    script.quote()
    return script


# From wish to rest.


def test_a_wish_is_signed_then_sent_then_rests(script: Script) -> None:
    """The order has its identity before the first byte leaves, and is sent once.

    Proves: H5, P1.2.
    """
    wish = script.want(10, 40)
    sign = script.of(SignOrder)[0]
    assert wish is not None
    assert (sign.price, sign.size, sign.token_id) == (cents(40), shares(10), YES)
    assert sign.expiration_s == T0_S + 2 + 60 + 60  # clock rounded up, lifetime, venue's margin
    assert script.of(PostOrder) == []

    order_id = script.sign(wish)
    assert script.said == (PostOrder(intent_id="i1", order_id=order_id, payload="{}"),)
    assert script.order().state == "submitted"

    script.say(order.AckLive(intent_id="i1"))
    assert script.order().state == "live"
    assert script.said == ()


def test_salts_differ_within_one_moment(script: Script) -> None:
    """Two orders with equal terms must be two orders to the venue."""
    script.want()
    first = script.of(SignOrder)[0]
    script.want()
    second = script.of(SignOrder)[0]

    assert first.salt != second.salt
    assert evolve(first, salt=0, intent_id="") == evolve(second, salt=0, intent_id="")
    assert second.salt < 2**53


@pytest.mark.parametrize("identity", [("", "{}"), ("0xid", ""), ("0xid-i1", "{}")])
def test_an_order_without_an_identity_of_its_own_is_never_sent(
    script: Script, identity: tuple[str, str]
) -> None:
    """It could not be followed, and a fill of it would be booked to another.

    Proves: H5.
    """
    script.rest()
    script.want(5, 39)
    order_id, payload = identity
    script.say(order.Sign(intent_id="i2", order_id=order_id, payload=payload))

    assert script.of(PostOrder) == []
    assert script.order("i2").state == "rejected"
    assert script.noticed("bad_signature") == 1


def test_a_refusal_releases_what_was_reserved(script: Script) -> None:
    """Proves: B-exec (reservations)."""
    free = script.state.cash_free()
    script.sign(script.want())
    assert script.state.cash_free() == free - 4 * MILLION
    script.say(order.Reject(intent_id="i1", reason="invalid post-only order"))

    assert script.order().state == "rejected"
    assert script.state.cash_free() == free
    assert (script.state.counters["rejects"], script.noticed("order_rejected")) == (1, 1)


def test_a_held_order_is_alive(script: Script) -> None:
    """The taker delay is no rejection: what is held counts in full."""
    script.sign(script.want(post_only=False))
    script.say(order.AckDelayed(intent_id="i1"))

    assert script.order().state == "delayed"
    assert script.state.reserved(script.order()) > 4 * MILLION


# Silence.


def test_silence_is_looked_up_and_never_posted_again(script: Script) -> None:
    """A timeout is no answer: the order is unknown, counts in full, and its record is read.

    Proves: A-exec, H5, P3.4.
    """
    order_id = script.sign(script.want())
    reserved = script.state.reserved(script.order())
    script.say(order.Timeout(intent_id="i1", reason="read timeout"))
    assert script.order().state == "unknown"
    assert script.of(ReadOrder) == [ReadOrder(intent_id="i1", order_id=order_id)]
    assert script.state.reserved(script.order()) == reserved

    script.say(order.ReadMissing(intent_id="i1"))  # absence is no proof while it may arrive
    assert script.order().state == "unknown"
    script.wait(1)
    assert script.of(ReadOrder) == [ReadOrder(intent_id="i1", order_id=order_id)]
    script.say(order.ReadOpen(intent_id="i1", matched=shares(0)))

    assert script.order().state == "live"
    assert len(script.ever(PostOrder)) == 1


def test_an_answer_that_never_comes_is_a_timeout(script: Script) -> None:
    """The shell may have died with it: the kernel counts for itself."""
    script.sign(script.want())
    script.wait(14.9)
    assert script.order().state == "submitted"
    script.wait(0.1)

    assert script.order().state == "unknown"


def test_an_order_that_the_venue_never_shows_ends_with_its_time(script: Script) -> None:
    """Past its expiration nothing can bring it to life: only then is absence a proof."""
    script.sign(script.want(lifetime_s=10))
    script.say(order.Timeout(intent_id="i1", reason="reset"))
    script.wait(12)
    script.say(order.ReadMissing(intent_id="i1"))
    assert script.order().state == "unknown"
    script.wait(2)
    script.say(order.ReadMissing(intent_id="i1"))

    assert script.order().state == "expired"
    assert script.state.reserved(script.order()) == 0


def test_once_found_an_order_is_not_polled_for_the_rest_of_its_life(script: Script) -> None:
    """Rate limits are shared with what matters."""
    script.sign(script.want())
    script.say(order.Timeout(intent_id="i1", reason="reset"))
    script.wait(1)
    script.say(order.ReadOpen(intent_id="i1", matched=shares(0)))
    before = len(script.ever(ReadOrder))
    for _ in range(10):
        script.wait(1)

    assert len(script.ever(ReadOrder)) == before


def test_five_silences_open_the_breaker_and_time_and_success_close_it(script: Script) -> None:
    """A venue that does not answer is not sent more."""
    for _ in range(5):
        wish = script.want(5, 20)
        script.sign(wish)
        assert wish is not None
        script.say(order.Timeout(intent_id=wish.intent_id, reason="504"))
    assert barred(script.state) == "venue"
    assert script.noticed("breaker_open") == 1
    assert script.want(5, 20) is None
    assert script.state.counters["refused:breaker"] == 1

    script.wait(5)
    script.quote()
    assert script.state.breakers["venue"].state == "half_open"
    script.rest(5, 20)
    assert script.state.breakers["venue"].state == "closed"


def test_while_the_breaker_is_half_open_one_order_probes(script: Script) -> None:
    """And only its answer closes it: not that of an order from before it opened.

    Proves: exec (a breaker half open).
    """
    early = script.want(5, 20)
    script.sign(early)
    for _ in range(5):
        wish = script.want(5, 20)
        script.sign(wish)
        assert wish is not None
        script.say(order.Timeout(intent_id=wish.intent_id, reason="504"))
    script.wait(5)
    script.quote()
    probe = script.want(5, 20)
    script.sign(probe)
    assert script.want(5, 20) is None
    assert early is not None
    assert probe is not None
    script.say(order.AckLive(intent_id=early.intent_id))
    assert script.state.breakers["venue"].state == "half_open"
    assert barred(script.state) == "venue"

    script.say(order.AckLive(intent_id=probe.intent_id))
    assert script.state.breakers["venue"].state == "closed"
    assert script.want(5, 20) is not None


# Cancelling.


def test_a_cancel_is_a_request_until_the_record_agrees(script: Script) -> None:
    """And the fill that arrives late, after the acknowledgement, is still booked.

    Proves: H6, P1.5, B-exec (late fills).
    """
    script.rest()
    script.say(facts.KillRequested(actor="me", reason="test", source="terminal"))
    assert script.order().state == "pending_cancel"
    script.say(order.CancelDone(intent_id="i1"))
    assert script.order().state == "closing"
    assert script.of(ReadOrder)
    script.say(order.ReadClosed(intent_id="i1", matched=shares(4), outcome="cancelled"))
    assert script.order().state == "closing"
    assert script.of(ReadTrades) == [ReadTrades(condition_id="0xc1")]

    script.say(script.trade(4))
    assert script.of(ReadOrder)
    script.say(order.ReadClosed(intent_id="i1", matched=shares(4), outcome="cancelled"))

    assert (script.order().state, script.order().filled) == ("cancelled", shares(4))
    assert script.state.positions[YES].shares == shares(4)


def test_an_order_cancelled_by_record_still_takes_a_late_fill(script: Script) -> None:
    """A match from before the cancel may be pushed long after it.

    Proves: B-exec (late fills).
    """
    script.rest()
    script.say(facts.OrderPushed(order_id="0xid-i1", kind="CANCELLATION", status="", matched=None))
    script.say(order.ReadClosed(intent_id="i1", matched=shares(0), outcome="cancelled"))
    assert script.order().state == "cancelled"
    script.wait(29)
    script.say(script.trade(4))

    assert (script.order().state, script.order().filled) == ("cancelled", shares(4))
    assert script.state.ledger.cash == CASH - cents(40) * 4


def test_a_cancel_without_effect_is_asked_again(script: Script) -> None:
    """Still live means retry.

    Proves: H6, P1.5.
    """
    script.rest()
    script.say(facts.StopRequested())
    assert [c.intent_id for c in script.of(CancelOrder)] == ["i1"]
    script.say(order.CancelTimeout(intent_id="i1", reason="reset"))
    assert script.order().state == "unknown"
    script.say(order.ReadOpen(intent_id="i1", matched=shares(0)))
    assert script.order().state == "live"
    script.wait()
    assert [c.intent_id for c in script.of(CancelOrder)] == ["i1"]
    script.wait(2)
    assert script.of(CancelOrder) == []
    script.wait(1)  # unanswered for three polls
    assert [c.intent_id for c in script.of(CancelOrder)] == ["i1"]


def test_a_strategy_may_take_back_what_rests(script: Script) -> None:
    from polybawt.core.strategies import Withdraw

    script.rest()
    script.say(Withdraw(intent_id="i1", reason="moved"))
    assert script.of(CancelOrder) == [CancelOrder(intent_id="i1", order_id="0xid-i1")]
    script.say(Withdraw(intent_id="i1", reason="moved"), Withdraw(intent_id="i9", reason="gone"))

    assert script.state.counters["cancels"] == 2  # an order that we wait for may be asked again
    assert "impossible" not in script.state.counters


# Pushes.


@pytest.mark.parametrize("status", ["CANCELED", "CANCELED_EXPIRED_ORDER", "UNMATCHED", "INVALID"])
def test_a_push_that_it_ended_is_a_reason_to_look(script: Script, status: str) -> None:
    """Proves: A-exec (every status), H6."""
    script.rest()
    script.say(facts.OrderPushed(order_id="0xid-i1", kind="UPDATE", status=status, matched=None))

    assert script.order().state == "closing"
    assert script.of(ReadOrder)


def test_a_push_proves_life_before_the_answer(script: Script) -> None:
    script.sign(script.want())
    push = facts.OrderPushed(order_id="0xid-i1", kind="PLACEMENT", status="LIVE", matched=shares(0))
    script.say(push)
    assert script.order().state == "live"
    script.say(order.Timeout(intent_id="i1", reason="late"))

    assert script.order().state == "live"


def test_a_push_that_it_is_held_keeps_it_alive(script: Script) -> None:
    script.sign(script.want(post_only=False))
    push = facts.OrderPushed(order_id="0xid-i1", kind="UPDATE", status="DELAYED", matched=None)
    script.say(push)

    assert script.order().state == "delayed"


def test_a_push_that_counts_more_than_we_booked_is_looked_into(script: Script) -> None:
    """Its trades are on their way; if they do not come they are read.

    Proves: B-exec.
    """
    script.rest()
    push = facts.OrderPushed(order_id="0xid-i1", kind="UPDATE", status="MATCHED", matched=shares(4))
    script.say(push)
    assert script.of(ReadOrder) == []
    script.wait(1)
    assert script.of(ReadOrder) == [ReadOrder(intent_id="i1", order_id="0xid-i1")]
    script.say(order.ReadOpen(intent_id="i1", matched=shares(4)))
    assert script.of(ReadTrades) == [ReadTrades(condition_id="0xc1")]
    script.say(script.trade(4, source="read"))
    script.wait(1)
    assert script.of(ReadOrder)
    script.say(order.ReadOpen(intent_id="i1", matched=shares(4)))
    script.wait(1)

    assert script.of(ReadOrder) == []  # all is booked: no more looking
    assert script.order().state == "partially_filled"


def test_an_unknown_order_status_is_an_alarm_and_a_look(script: Script) -> None:
    """The venue may add statuses: none is dropped.

    Proves: A-exec, B-exec (every status).
    """
    script.rest()
    push = facts.OrderPushed(order_id="0xid-i1", kind="UPDATE", status="FROZEN", matched=None)
    script.say(push)

    assert script.noticed("unknown_status") == 1
    assert script.of(ReadOrder)
    assert script.order().state == "live"


def test_a_push_about_an_order_we_never_made_is_an_alarm(script: Script) -> None:
    """Somebody else trades on our account, or our journal is not ours."""
    push = facts.OrderPushed(order_id="0xother", kind="UPDATE", status="LIVE", matched=None)
    script.say(push)

    assert (script.state.counters["strangers"], script.noticed("stranger")) == (1, 1)


def test_a_push_for_an_order_that_left_memory_is_only_late(script: Script) -> None:
    script.rest()
    script.say(script.trade(10), script.trade(10, status="CONFIRMED"))
    script.wait(31)
    assert script.state.orders == {}
    push = facts.OrderPushed(order_id="0xid-i1", kind="UPDATE", status="MATCHED", matched=None)
    script.say(push, order.AckLive(intent_id="i1"))

    assert script.state.counters["late_pushes"] == 1
    assert script.state.counters["late_answers"] == 1
    assert script.noticed("stranger") == 0


def test_what_cannot_be_is_told_and_looked_into(script: Script) -> None:
    """An answer for an order that was never sent: not applied, told with its record."""
    wish = script.want()
    script.say(order.Duplicate(intent_id="i1"))
    assert (script.noticed("impossible"), script.order().state) == (1, "intent")
    assert script.of(ReadOrder) == []  # there is nothing to ask for yet
    script.want(5, 20)
    script.sign(wish)
    script.say(order.Sign(intent_id="i1", order_id="0xid-again", payload="{}"))

    assert script.of(ReadOrder) == [ReadOrder(intent_id="i1", order_id="0xid-i1")]
    assert script.state.counters["impossible"] == 2


# The end.


def test_a_filled_order_leaves_memory_when_its_trades_have_settled(script: Script) -> None:
    """Proves: C5, M1."""
    script.rest()
    script.say(script.trade(4))
    assert script.order().state == "partially_filled"
    script.say(script.trade(6, trade_id="t2"))
    assert script.order().state == "filled"
    script.wait(60)
    assert script.order().state == "filled"  # its trades have not settled
    script.say(script.trade(4, status="MINED"), script.trade(4, status="CONFIRMED"))
    script.say(script.trade(6, status="CONFIRMED", trade_id="t2"))
    script.wait()

    assert (script.state.orders, script.state.intent_of, script.state.trades) == ({}, {}, {})
    assert [name for name in script.state.timers if "i1" in name] == []
    assert script.state.positions[YES].shares == shares(10)


def test_a_closed_order_waits_for_what_may_come_late(script: Script) -> None:
    script.rest()
    script.say(order.Ended(intent_id="i1", reason="CANCELED"))
    script.say(order.ReadClosed(intent_id="i1", matched=shares(0), outcome="cancelled"))
    script.wait(29.9)
    assert "i1" in script.state.orders
    script.wait(0.1)

    assert script.state.orders == {}


def test_an_intent_that_was_given_up_leaves_memory(script: Script) -> None:
    """It never had an identity, so there is none to remember."""
    script.want()
    script.say(facts.Started(epoch=2, config=QUIET))
    assert script.order().state == "rejected"
    forgotten = len(script.state.forgotten)
    script.wait(31)

    assert (script.state.orders, len(script.state.forgotten)) == ({}, forgotten)


# Killing.


def test_a_kill_latches_and_withdraws_everything(script: Script) -> None:
    """Once by id, and once for all that we may not know of.

    Proves: kill, emergency.
    """
    script.rest(5)
    script.rest(5, 39)
    script.say(facts.KillRequested(actor="me", reason="enough", source="terminal"))

    assert [c.intent_id for c in script.of(CancelOrder)] == ["i1", "i2"]
    assert script.of(CancelAll) == [CancelAll()]
    assert script.state.killed() == "terminal: enough"
    script.say(facts.KillRequested(actor="other", reason="again", source="file"))
    assert script.state.killed() == "terminal: enough"  # the first reason stands
    assert script.of(CancelAll) == []


def test_nothing_leaves_after_a_kill(script: Script) -> None:
    """Neither a new wish nor one that is being signed.

    Proves: kill.
    """
    script.want()
    script.say(facts.KillRequested(actor="me", reason="enough", source="signal"))
    script.say(order.Sign(intent_id="i1", order_id="0xid-i1", payload="{}"))

    assert script.of(PostOrder) == []
    assert script.order().state == "rejected"
    assert "signal: enough" in script.order().reason
    assert script.want() is None
    assert script.state.counters["refused:killed"] == 1
    script.wait(3_600)
    assert script.state.killed()  # time does not close it


def test_what_was_on_its_way_when_the_kill_came_is_withdrawn(script: Script) -> None:
    """It could not be cancelled before it was there: it must not rest until it expires.

    Proves: kill.
    """
    script.sign(script.want())
    script.say(facts.KillRequested(actor="me", reason="enough", source="file"))
    assert script.of(CancelOrder) == []
    script.say(order.AckLive(intent_id="i1"))
    script.wait()

    assert [c.intent_id for c in script.of(CancelOrder)] == ["i1"]


def test_only_an_operator_resets_a_kill(script: Script) -> None:
    """Proves: kill, A-risk."""
    script.say(facts.KillRequested(actor="me", reason="enough", source="terminal"))
    script.say(facts.ResetRequested(breaker="kill", actor="me", reason="looked into"))
    script.quote()

    assert script.state.killed() == ""
    assert script.want() is not None
    script.say(facts.ResetRequested(breaker="nothing", actor="me", reason="?"))
    assert script.noticed("no_breaker") == 1


# Deciding.


def test_a_market_is_looked_at_at_most_so_often() -> None:
    """A storm of changes is no storm of decisions."""
    script = Script(config=Config()).start()
    script.wait(1)
    script.quote()
    last = script.state.timers["decide:0xc1"]
    script.now_ns += 100
    script.quote()

    assert script.state.timers["decide:0xc1"] == last


def test_a_strategy_that_is_switched_off_decides_nothing() -> None:
    config = Config(strategies=(evolve(Config().strategies[0], enabled=False),))
    script = Script(config=config).start()
    script.wait(1)
    script.quote()

    assert script.state.orders == {}


def test_two_variants_run_side_by_side() -> None:
    """Each sees its own orders only.

    Proves: M3.
    """
    value = Config().strategies[0]
    config = Config(
        strategies=(evolve(value, name="one"), evolve(value, name="two")),
        limits=LIMITS,
    )
    market = evolve(MARKET, start_ns=MARKET.start_ns + 20 * SECOND_NS)
    script = Script(config=config, market=market).start()
    script.wait(1)
    script.quote()
    script.wait(0.3)

    made = {(o.strategy, o.token_id) for o in script.state.orders.values()}
    assert {("one", YES), ("one", NO)} <= made
    assert any(strategy == "two" for strategy, _ in made)


def test_a_sale_reserves_shares_and_no_cash(script: Script) -> None:
    """What is offered cannot be offered twice."""
    script.rest(10)
    script.say(script.trade(10))
    free = script.state.cash_free()
    script.rest(6, 60, side=Side.SELL)

    assert script.state.shares_free(YES) == shares(4)
    assert script.state.cash_free() == free
    assert script.want(6, 60, side=Side.SELL) is None
    assert script.state.counters["refused:collateral"] == 1


def test_quiet_means_quiet() -> None:
    """The script itself wants nothing."""
    assert QUIET.strategies == ()

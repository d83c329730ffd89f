"""Agreeing with the venue: nothing leaves before every question is answered."""

import pytest
from attrs import evolve

from polybawt.core import facts
from polybawt.core.commands import (
    CancelAll,
    CancelOrder,
    FollowOracle,
    PostOrder,
    ReadBalance,
    ReadOpenOrders,
    ReadOrder,
    ReadTrades,
    SignOrder,
    Stop,
)
from polybawt.core.machine import Command
from polybawt.core.machines import order
from polybawt.core.machines.order import ENDED
from polybawt.core.units import MILLION, SECOND_NS
from tests.core.script import CASH, QUIET, T0_S, Script, shares


def started(script: Script) -> tuple[Command, ...]:
    """The process died and another took over the journal."""
    script.now_ns += SECOND_NS
    return script.say(facts.Started(epoch=script.state.epoch + 1, config=QUIET))


@pytest.fixture
def script() -> Script:
    script = Script().start()
    script.wait(1)
    script.quote()
    return script


def test_a_first_start_asks_for_trades_orders_and_cash() -> None:
    script = Script()
    script.say(facts.Started(epoch=1, config=QUIET))

    assert script.said == (ReadTrades(), ReadOpenOrders(), ReadBalance())
    assert script.state.phase == "reconciling"


def test_no_order_leaves_before_every_read_is_answered(script: Script) -> None:
    """Recovery: reconciliation comes before the first order.

    Proves: recovery.
    """
    script.rest()
    started(script)
    script.say(*script.links())
    script.quote()
    answers = (
        facts.OpenOrdersRead(order_ids=("0xid-i1",)),
        order.ReadOpen(intent_id="i1", matched=shares(0)),
        facts.TradesRead(condition_id="", count=0),
        facts.BalanceRead(token_id="", amount=CASH),
    )
    for answer in answers:
        assert script.want() is None
        assert script.state.phase == "reconciling"
        script.say(answer)

    assert script.state.phase == "trading"
    script.wait()
    script.quote()
    assert script.want() is not None
    assert script.noticed("reconciled") == 2


def test_the_trades_of_one_market_are_not_all_trades(script: Script) -> None:
    """A read on behalf of one order proves nothing about the others."""
    started(script)
    script.say(facts.TradesRead(condition_id="0xc1", count=3))

    assert "trades" in script.state.awaited


def test_cash_is_compared_only_once_the_trades_that_moved_it_are_known(script: Script) -> None:
    """A fill from while we were away is no drift."""
    script.rest()
    said = started(script)
    assert ReadBalance() not in said
    script.say(facts.BalanceRead(token_id="", amount=CASH - 4_000_000))
    assert "balance" in script.state.awaited
    script.say(script.trade(10, source="read", status="CONFIRMED"))
    script.say(facts.TradesRead(condition_id="", count=1))
    assert script.said == (ReadBalance(),)
    script.say(facts.BalanceRead(token_id="", amount=CASH - 4_000_000))

    assert script.noticed("drift") == 0
    assert "balance" not in script.state.awaited


def test_a_difference_in_cash_or_tokens_is_told(script: Script) -> None:
    """Proves: P2.4."""
    script.say(facts.BalanceRead(token_id="", amount=CASH - 1))
    assert (script.state.counters["drifts"], script.noticed("drift")) == (1, 1)
    script.say(facts.BalanceRead(token_id="", amount=CASH))
    assert script.noticed("drift") == 1
    script.say(facts.BalanceRead(token_id="1001", amount=5))
    assert script.noticed("drift") == 2


def test_cash_is_not_compared_while_a_trade_is_under_way(script: Script) -> None:
    """The venue moves money when it is mined, we when it is matched."""
    script.rest()
    script.say(script.trade(4))
    script.say(facts.BalanceRead(token_id="", amount=CASH))

    assert script.noticed("drift") == 0


def test_a_lost_answer_is_asked_for_again() -> None:
    script = Script()
    script.say(facts.Started(epoch=1, config=QUIET))
    script.say(facts.ReadFailed(what="ReadBalance", reason="503"))
    script.say(facts.TradesRead(condition_id="", count=0))
    script.wait(1.9)
    assert ReadBalance() not in script.said
    script.wait(0.1)

    assert script.of(ReadBalance) == [ReadBalance()]
    assert script.of(ReadOpenOrders) == [ReadOpenOrders()]
    assert script.of(ReadTrades) == []
    assert script.noticed("read_failed") == 1


def life(script: Script, state: str) -> None:
    """Bring one order into a state."""
    push = facts.OrderPushed
    wish = script.want()
    if state == "intent":
        return
    script.sign(wish)
    ack = order.AckLive(intent_id="i1")
    ended = push(order_id="0xid-i1", kind="CANCELLATION", status="", matched=None)
    read = order.ReadClosed(intent_id="i1", matched=shares(0), outcome="cancelled")
    silence = order.Timeout(intent_id="i1", reason="")
    script.say(
        *{
            "submitted": (),
            "live": (ack,),
            "delayed": (order.AckDelayed(intent_id="i1"),),
            "partially_filled": (ack, script.trade(4)),
            "unknown": (silence,),
            "pending_cancel": (ack, facts.StopRequested()),
            "closing": (ack, ended),
            "filled": (ack, script.trade(10)),
            "cancelled": (ack, ended, read),
            "rejected": (order.Reject(intent_id="i1", reason="no"),),
            "expired": (ack, ended, evolve(read, outcome="expired")),
        }[state]
    )


STATES = (
    "intent", "submitted", "live", "delayed", "partially_filled", "unknown", "pending_cancel",
    "closing", "filled", "cancelled", "rejected", "expired",
)  # fmt: skip


@pytest.mark.parametrize("state", STATES)
def test_a_restart_posts_nothing_again_and_reads_everything(script: Script, state: str) -> None:
    """In whatever state the order was when the process died.

    Proves: recovery, H5, P3.4.
    """
    life(script, state)
    assert script.order().state == state
    posted = len(script.ever(PostOrder))
    said = started(script)
    open_before = state not in ENDED | {"intent"}
    reads = [command for command in said if isinstance(command, ReadOrder)]
    assert bool(reads) == open_before
    assert ("order:i1" in script.state.awaited) == open_before
    for _ in range(10):
        script.wait(1)

    assert len(script.ever(PostOrder)) == posted
    assert len(script.ever(SignOrder)) == 1
    assert script.order().state == {"intent": "rejected", "submitted": "unknown"}.get(state, state)
    if open_before:  # asked again and again until it is answered
        assert len(script.ever(ReadOrder)) > 4


def test_a_signed_order_that_was_not_sent_is_given_up(script: Script) -> None:
    """The journal comes before the wire: what has no PostOrder in it never left."""
    script.want()
    record = evolve(script.order(), state="signed", order_id="0xid-i1", payload="{}")
    script.state.orders["i1"] = record
    started(script)

    assert script.order().state == "rejected"
    assert script.order().reason == "engine restarted"


def test_a_restart_while_reconciling_begins_anew(script: Script) -> None:
    """An order that closed meanwhile is not asked for, and nothing raises.

    Proves: recovery.
    """
    script.rest()
    started(script)
    script.say(script.trade(10), script.trade(10, status="CONFIRMED"))
    script.wait(31)
    assert script.state.orders == {}
    assert script.state.phase == "reconciling"
    started(script)

    assert set(script.state.awaited) == {"trades", "open_orders", "balance", "balance:1001"}


def test_an_awaited_order_that_closed_meanwhile_is_no_longer_awaited(script: Script) -> None:
    script.rest()
    started(script)
    script.say(script.trade(10), script.trade(10, status="CONFIRMED"))
    script.agree()
    script.wait(31)
    assert script.state.orders == {}
    script.wait(2)
    script.wait()

    assert script.state.phase == "trading"


def test_a_restart_follows_the_oracle_and_the_markets_again(script: Script) -> None:
    """A new process has new streams, and trusts none of the old books."""
    said = started(script)
    assert FollowOracle(symbols=("btc/usd",)) in said
    assert {feed.state for feed in script.state.feeds.values()} == {"down"}
    assert script.state.subscribed == {}
    script.wait()

    assert script.state.subscribed == {"1001": "market", "1002": "market"}


def test_trades_are_read_again_from_before_the_last_one(script: Script) -> None:
    script.rest()
    script.say(script.trade(4, match_s=T0_S))
    said = started(script)

    assert ReadTrades(after_s=T0_S - 120) in said


def test_an_order_that_is_not_in_the_journal_is_told_and_ended(script: Script) -> None:
    """An orphan could fill at any moment, and no machine would know it.

    Proves: H6 (no orphan).
    """
    script.rest()
    script.say(facts.OpenOrdersRead(order_ids=("0xid-i1", "0xorphan")))

    assert script.of(CancelOrder) == [CancelOrder(intent_id="", order_id="0xorphan")]
    assert (script.state.counters["orphans"], script.noticed("orphan")) == (1, 1)
    assert script.of(ReadOrder) == []


def test_a_closed_order_of_ours_that_still_rests_is_an_orphan_too(script: Script) -> None:
    """It left memory because the venue said it was over: it must not rest."""
    script.rest()
    script.say(script.trade(10), script.trade(10, status="CONFIRMED"))
    script.wait(31)
    script.say(facts.OpenOrdersRead(order_ids=("0xid-i1",)))

    assert script.of(CancelOrder) == [CancelOrder(intent_id="", order_id="0xid-i1")]


def test_an_order_that_should_rest_and_does_not_is_looked_up(script: Script) -> None:
    script.rest()
    script.say(facts.OpenOrdersRead(order_ids=()))

    assert script.of(ReadOrder) == [ReadOrder(intent_id="i1", order_id="0xid-i1")]


def test_a_refused_order_that_rests_is_looked_up(script: Script) -> None:
    """The refusal was untrue: its record decides."""
    script.sign(script.want())
    script.say(order.Reject(intent_id="i1", reason="no"))
    script.say(facts.OpenOrdersRead(order_ids=("0xid-i1",)))

    assert script.of(ReadOrder) == [ReadOrder(intent_id="i1", order_id="0xid-i1")]


# Stopping.


def test_a_stop_withdraws_what_rests_and_then_ends(script: Script) -> None:
    """Proves: recovery (graceful stop)."""
    script.rest()
    script.say(facts.StopRequested(actor="SIGTERM"))
    assert [c.intent_id for c in script.of(CancelOrder)] == ["i1"]
    assert script.of(CancelAll) == []
    script.wait()
    assert script.of(Stop) == []
    script.say(order.CancelDone(intent_id="i1"))
    script.say(order.ReadClosed(intent_id="i1", matched=shares(0), outcome="cancelled"))
    script.wait()

    assert script.of(Stop) == [Stop()]
    assert script.state.phase == "stopped"
    script.say(facts.StopRequested())
    assert script.said == ()


def test_a_stop_does_not_wait_for_ever(script: Script) -> None:
    script.rest()
    script.say(facts.StopRequested())
    script.wait(11.9)
    assert script.of(Stop) == []
    script.wait(0.1)

    assert script.of(Stop) == [Stop()]


def test_an_intent_that_is_signed_while_stopping_is_not_sent(script: Script) -> None:
    script.want()
    script.say(facts.StopRequested())
    script.say(order.Sign(intent_id="i1", order_id="0xid-i1", payload="{}"))

    assert script.of(PostOrder) == []
    assert script.order().reason == "not sent: stopping"


def test_our_first_cash_is_what_we_begin_with() -> None:
    script = Script()
    script.say(facts.Started(epoch=1, config=QUIET))
    script.say(facts.BalanceRead(token_id="", amount=0))
    assert script.state.ledger.deposited == 0
    script.say(facts.BalanceRead(token_id="", amount=7 * MILLION))

    assert script.state.ledger.deposited == 7 * MILLION
    assert script.state.pnl() == 0


def test_the_orders_of_this_test_are_complete() -> None:
    """Every declared state but the two that a step passes through, or that is forgotten."""
    declared = {state.id for state in order.OrderMachine.states}

    assert declared - set(STATES) == {"signed", "closed"}

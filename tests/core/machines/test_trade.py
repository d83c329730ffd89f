"""Lives of a trade: booked once, taken back once, and never before it was booked."""

import pytest

from polybawt.core.machine import IllegalAction, Outputs
from polybawt.core.machines.trade import (
    Action,
    Confirm,
    Fail,
    Filled,
    Leg,
    Match,
    Mine,
    Retry,
    Settled,
    Trade,
    TradeMachine,
    Voided,
)  # fmt: skip
from polybawt.core.market import Side
from polybawt.core.units import Price, Shares, Usdc

ID = "t1"


def leg(intent_id: str, side: Side = Side.BUY) -> Leg:
    return Leg(
        intent_id=intent_id,
        strategy="value",
        token_id="1",
        side=side,
        price=Price(333_333),
        shares=Shares(10_000),
        fee=Usdc(0),
        maker=True,
    )


TRADE = Trade(trade_id=ID, condition_id="0xc", match_s=1, legs=(leg("i1"), leg("i2")))


def lives(*actions: Action) -> tuple[Trade, Outputs]:
    """The trade after all actions, and everything they put out."""
    trade, outputs = TRADE, ()
    for action in actions:
        trade, more = TradeMachine.step(trade, action)
        outputs += more
    return trade, outputs


def said(outputs: Outputs) -> list[type]:
    return [type(output) for output in outputs]


@pytest.mark.parametrize("first", [Match, Mine, Retry])
def test_the_first_report_books_every_leg(first: type[Action]) -> None:
    """One trade can carry several of our orders (reference 6, 12).  Proves: B-exec."""
    trade, outputs = lives(first(at_ns=7, trade_id=ID))

    assert outputs == tuple(
        Filled(at_ns=7, trade_id=ID, condition_id="0xc", leg=one) for one in TRADE.legs
    )
    assert trade.state != "seen"


def test_no_later_report_books_again() -> None:
    """After a restart all steps come again, in any order.  Proves: B-exec."""
    steps = (Match, Mine, Match, Retry, Mine, Mine, Match, Retry, Match, Confirm)

    trade, outputs = lives(*(step(trade_id=ID) for step in steps))

    assert trade.state == "confirmed"
    assert said(outputs) == [Filled, Filled, Settled]


def test_a_trade_first_heard_of_as_confirmed_is_booked_and_at_rest() -> None:
    trade, outputs = lives(Confirm(trade_id=ID))

    assert trade.state == "confirmed"
    assert said(outputs) == [Filled, Filled, Settled]


@pytest.mark.parametrize("before", [Match, Mine, Retry])
def test_a_confirmed_trade_keeps_what_it_booked(before: type[Action]) -> None:
    """Wherever it was: the chain decides, and nothing comes after it."""
    trade, outputs = lives(before(trade_id=ID), Confirm(trade_id=ID))

    assert trade.state == "confirmed"
    assert said(outputs) == [Filled, Filled, Settled]


@pytest.mark.parametrize("before", [Match, Mine, Retry])
def test_a_failed_trade_takes_back_exactly_what_it_booked(before: type[Action]) -> None:
    """Matched is not settled: a third failed in bad hours (reference 6, 4)."""
    trade, outputs = lives(before(trade_id=ID), Fail(at_ns=9, trade_id=ID))

    assert trade.state == "failed"
    assert said(outputs) == [Filled, Filled, Voided, Voided, Settled]
    assert [o.leg for o in outputs if isinstance(o, Voided)] == list(TRADE.legs)


def test_a_trade_first_heard_of_as_failed_books_nothing() -> None:
    """There is nothing to take back."""
    trade, outputs = lives(Fail(trade_id=ID))

    assert (trade.state, outputs) == ("failed", ())


def test_a_late_match_does_not_send_a_mined_trade_back() -> None:
    assert lives(Mine(trade_id=ID), Match(trade_id=ID))[0].state == "mined"


def test_a_retried_trade_is_matched_again() -> None:
    assert lives(Retry(trade_id=ID), Match(trade_id=ID))[0].state == "matched"


@pytest.mark.parametrize("end", [Confirm, Fail])
@pytest.mark.parametrize("late", [Match, Mine, Retry, Confirm, Fail])
def test_a_trade_at_rest_hears_nothing_more(end: type[Action], late: type[Action]) -> None:
    """The kernel forgets it; a confirmed trade that failed would be another world."""
    trade, _ = lives(end(trade_id=ID))

    with pytest.raises(IllegalAction):
        TradeMachine.step(trade, late(trade_id=ID))


def test_a_leg_is_rounded_against_us() -> None:
    """A hundredth of a share at 0.333333 costs 3,334 millionths and brings 3,333."""
    assert (leg("i1").notional, leg("i1", Side.SELL).notional) == (3_334, 3_333)

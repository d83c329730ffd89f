"""Stories of a match: booked once, taken back exactly, and never lost."""

import pytest
from attrs import evolve

from polybawt.core import facts, state
from polybawt.core.machines import order
from polybawt.core.market import Side
from polybawt.core.units import MILLION
from tests.core.script import CASH, MARKET, NO, T0, YES, Script, cents, shares


@pytest.fixture
def script() -> Script:
    script = Script().start()
    script.wait(1)
    script.quote()
    return script


def resolve(script: Script, yes: int = 1) -> None:
    """The market ends, closes as it will pay, and pays."""
    script.now_ns = max(script.now_ns, MARKET.end_ns)
    for second, value in ((MARKET.start_ns, 100), (MARKET.end_ns, 100 if yes else 99)):
        script.say(
            facts.OracleReported(
                symbol="btc/usd", value_e18=value * 10**18, report_ms=second // MILLION
            )
        )
    script.say(
        facts.MarketResolved(
            condition_id="0xc1",
            yes_payout=MILLION * yes,
            no_payout=MILLION * (1 - yes),
            source="gamma",
        )
    )


def test_a_fill_moves_order_position_and_ledger(script: Script) -> None:
    """One report, three books, to the millionth; a maker pays no fee."""
    script.rest(10, 40)
    script.say(script.trade(4))

    assert (script.order().state, script.order().filled) == ("partially_filled", shares(4))
    assert script.state.positions[YES].shares == shares(4)
    assert script.state.ledger.cash == CASH - 1_600_000
    assert script.state.ledger.holdings == {YES: shares(4)}
    assert script.state.counters["partial_fills"] == 1


def test_reservations_follow_partial_fills(script: Script) -> None:
    """What is reserved is the open remainder with its fee bound; what is held is at its cost.

    Proves: B-exec (reservations).
    """
    script.sign(script.want(10, 40, post_only=False))
    script.say(order.AckLive(intent_id="i1"))
    fees = MARKET.fees
    for filled in (3, 3, 3):
        count = 10 - script.order().filled / MILLION
        expected = cents(40) * count + fees.fee_up(cents(40), shares(count))
        assert script.state.reserved(script.order()) == expected
        script.say(script.trade(filled, trade_id=f"t{count}"))

    assert script.state.reserved(script.order()) == cents(40) + fees.fee_up(cents(40), shares(1))
    assert script.state.positions[YES].cost == cents(40) * 9
    script.say(script.trade(1, trade_id="last"))
    assert script.state.reserved(script.order()) == 0


def test_a_taker_pays_the_fee_of_each_match(script: Script) -> None:
    """At 0.60: 10 shares x 0.07 x 0.6 x 0.4 = 0.168 dollars."""
    script.sign(script.want(10, 60, post_only=False))
    script.say(order.AckLive(intent_id="i1"))
    script.say(script.trade(10, 60, taker=True))

    assert script.state.ledger.fees == 168_000
    assert script.state.ledger.cash == CASH - 6_000_000 - 168_000
    assert script.state.positions[YES].fees == 168_000


def test_every_step_is_repeated_and_only_the_first_books(script: Script) -> None:
    """The venue sends each step again, out of order, and after a reconnect all of them.

    Proves: B-exec (deduplication).
    """
    script.rest()
    steps = ("MINED", "MATCHED", "MATCHED", "RETRYING", "MATCHED_NOT_BROADCASTED", "MINED")
    for status in (*steps, "CONFIRMED", "MATCHED", "CONFIRMED", "FAILED"):
        script.say(script.trade(4, status=status))

    assert script.state.ledger.cash == CASH - 1_600_000
    assert script.state.positions[YES].shares == shares(4)
    assert (script.state.counters["fills"], script.state.counters["repeats"]) == (1, 3)
    assert script.state.trades == {}


def test_a_failed_trade_reverses_everything_exactly(script: Script) -> None:
    """Position, ledger and cash, to the micro-unit; the order itself stays filled.

    Proves: D3, C1.
    """
    script.sign(script.want(10, 60, post_only=False))
    script.say(script.trade(7.77, 60, taker=True))
    script.say(script.trade(7.77, 60, status="MINED"))
    assert script.state.ledger.cash < CASH
    script.say(script.trade(7.77, 60, status="FAILED"))

    assert script.state.ledger.cash == CASH
    assert script.state.ledger.holdings == {}
    assert script.state.ledger.fees == 0
    held = script.state.positions[YES]
    assert (held.shares, held.cost, held.fees, held.realised) == (0, 0, 0, 0)
    assert script.order().filled == shares(7.77)
    assert script.noticed("trade_failed") == 1


def test_a_purchase_that_failed_after_we_sold_it_on_is_a_doubt(script: Script) -> None:
    """We are short of what we sold: the books say so rather than clip it."""
    script.rest(10)
    script.say(script.trade(10))
    script.rest(10, 60, side=Side.SELL)
    script.say(script.trade(10, 60, trade_id="t2", intent_id="i2"))
    script.say(script.trade(10, status="FAILED"))

    assert script.state.positions[YES].state == "oversold"
    assert script.state.ledger.holdings == {YES: -shares(10)}
    script.say(script.trade(10, 60, status="FAILED", trade_id="t2", intent_id="i2"))
    assert script.state.positions[YES].state == "flat"
    assert script.state.ledger.cash == CASH


def test_a_trade_first_heard_of_as_failed_moves_no_money(script: Script) -> None:
    """And its MATCHED, when it comes late, is a repeat and no alarm.  The venue's record counts
    the match, so the order does: else the two would never agree and the order never end.

    Proves: B-exec (reordering).
    """
    script.rest()
    script.say(script.trade(4, status="FAILED"), script.trade(4))

    assert (script.state.ledger.cash, script.state.positions) == (CASH, {})
    assert script.state.trades == {}
    assert script.state.counters["repeats"] == 1
    assert script.noticed("impossible") == 0
    script.say(order.Ended(intent_id="i1", reason="CANCELED"))
    script.say(order.ReadClosed(intent_id="i1", matched=shares(4), outcome="cancelled"))
    assert script.order().state == "cancelled"


def test_an_unknown_trade_status_is_an_alarm_and_books_nothing(script: Script) -> None:
    """Proves: B-exec (every status)."""
    script.rest()
    script.say(script.trade(4, status="HALTED"))
    assert (script.noticed("unknown_status"), script.state.ledger.cash) == (1, CASH)
    assert script.state.trades == {}
    script.say(script.trade(4))
    script.say(script.trade(4, status="HALTED"))

    assert (script.noticed("unknown_status"), script.order().filled) == (2, shares(4))


def test_an_overfill_is_an_alarm_and_its_money_is_booked(script: Script) -> None:
    """The venue's word on our money stands; the order is full and can end.

    Proves: B-exec.
    """
    script.rest(10)
    script.say(script.trade(8))
    script.say(script.trade(5, trade_id="t2"))
    assert script.noticed("impossible") == 1
    assert (script.order().state, script.order().filled) == ("filled", shares(10))
    assert script.state.positions[YES].shares == shares(13)
    assert script.state.ledger.cash == CASH - cents(40) * 13
    script.say(script.trade(1, trade_id="t3"))

    assert (script.noticed("impossible"), script.state.positions[YES].shares) == (2, shares(14))
    for trade_id in ("t1", "t2", "t3"):
        script.say(script.trade(1, status="CONFIRMED", trade_id=trade_id))
    script.wait(31)
    assert script.state.orders == {}


def test_a_fill_on_the_wrong_side_is_an_alarm(script: Script) -> None:
    """Our purchase cannot have sold anything."""
    script.rest(10)
    trade = script.trade(4)
    wrong = evolve(trade.makers[0], side=Side.SELL)
    script.say(evolve(trade, makers=(wrong,)))

    assert script.noticed("impossible") == 1
    assert script.state.positions[YES].shares == -shares(4)


@pytest.mark.parametrize("change", [{"condition_id": "0xc9"}, {"token_id": "9999"}])
def test_a_fill_in_another_market_is_an_alarm_and_not_booked(
    script: Script, change: dict[str, str]
) -> None:
    """There is no position it could belong to."""
    script.rest(10)
    trade = script.trade(4, taker=True)
    script.say(evolve(trade, **change))

    assert (script.noticed("impossible"), script.state.ledger.cash) == (1, CASH)
    assert (script.state.positions, script.state.trades) == ({}, {})


def test_our_maker_fill_against_the_other_token(script: Script) -> None:
    """Two buyers make a full set: the taker buys "no" at 0.60, we "yes" at 0.40."""
    script.rest(10, 40)
    trade = script.trade(10, taker=False)
    minted = evolve(trade, token_id=NO, side=Side.BUY, price=cents(60))
    script.say(minted)

    assert script.state.ledger.holdings == {YES: shares(10)}
    assert script.state.ledger.cash == CASH - cents(40) * 10
    assert script.noticed("impossible") == 0


def test_a_trade_with_ourselves_books_both_legs(script: Script) -> None:
    """Taker and maker of one trade: shares and cash come back, the fee does not."""
    script.rest(10, 40)
    script.say(script.trade(10, 40))
    script.rest(10, 50, side=Side.SELL)
    script.sign(script.want(10, 50, post_only=False))
    trade = script.trade(10, 50, trade_id="t2", intent_id="i3", taker=True)
    ours = evolve(trade.makers[0], order_id="0xid-i2")
    script.say(evolve(trade, makers=(ours,)))

    fee = MARKET.fees.charged(cents(50), shares(10))
    assert script.state.ledger.cash == CASH - cents(40) * 10 - fee
    assert script.state.ledger.holdings == {YES: shares(10)}
    assert (script.order("i2").state, script.order("i3").state) == ("filled", "filled")
    script.say(evolve(trade, makers=(ours,), status="FAILED"))
    assert script.state.ledger.cash == CASH - cents(40) * 10


def test_one_order_in_several_entries_is_filled_by_their_sum(script: Script) -> None:
    script.rest(10)
    trade = script.trade(4)
    twice = (trade.makers[0], evolve(trade.makers[0], shares=shares(2)))
    script.say(evolve(trade, makers=twice, shares=shares(6)))

    assert script.order().filled == shares(6)


def test_a_trade_of_strangers_is_an_alarm_when_pushed(script: Script) -> None:
    """The user channel speaks only of us: somebody else trades on our account."""
    script.say(script.trade(4))
    assert (script.state.counters["strangers"], script.noticed("stranger")) == (1, 1)
    script.say(script.trade(4, trade_id="t9", source="read"))  # the account's own past

    assert (script.state.counters["foreign_trades"], script.noticed("stranger")) == (1, 1)
    assert script.state.ledger.cash == CASH


def test_a_new_trade_of_an_order_long_closed_is_an_alarm(script: Script) -> None:
    """It is money that nobody booked; silence would hide it until the next start.

    Proves: B-exec (late fills).
    """
    script.rest()
    script.say(script.trade(10), script.trade(10, status="CONFIRMED"))
    script.wait(31)
    assert script.state.orders == {}
    script.say(script.trade(10, status="CONFIRMED"))
    assert script.noticed("late_trade") == 0  # a repeat
    script.say(script.trade(3, trade_id="t7", status="FAILED"))
    assert script.noticed("late_trade") == 0  # nothing came of it
    script.say(script.trade(3, trade_id="t8"))

    assert script.noticed("late_trade") == 1
    assert script.state.counters["late_trades"] == 2


def test_a_trade_is_known_even_when_its_memory_is_full(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an open order was filled by stands in the order itself."""
    monkeypatch.setattr(state, "FORGOTTEN_MAX", 1)
    script.rest()
    for trade_id in ("t1", "t2"):
        script.say(script.trade(2, trade_id=trade_id))
        script.say(script.trade(2, trade_id=trade_id, status="CONFIRMED"))
    script.say(script.trade(2, trade_id="t1"))

    assert script.order().filled == shares(4)
    assert script.state.counters["repeats"] == 1


@pytest.mark.parametrize(("yes", "paid"), [(1, 4), (0, 0)])
def test_a_fill_after_the_payout_takes_part_in_it(script: Script, yes: int, paid: int) -> None:
    """A match from before the end may be reported after the payout: nothing is lost, to the cent.

    Proves: C1, B-exec (late fills).
    """
    script.rest(10)
    script.now_ns = MARKET.end_ns
    script.say(order.Ended(intent_id="i1", reason="CANCELED_MARKET_RESOLVED"))
    script.say(order.ReadClosed(intent_id="i1", matched=shares(0), outcome="cancelled"))
    resolve(script, yes)
    assert script.state.settlements["0xc1"].state == "paid"
    script.say(script.trade(4))

    assert script.state.ledger.cash == CASH - cents(40) * 4 + shares(paid)
    assert script.state.ledger.holdings == {}
    assert script.noticed("late_fill") == 1
    script.say(script.trade(4, status="FAILED"))
    assert (script.state.ledger.cash, script.state.ledger.holdings) == (CASH, {})


def test_a_market_stays_known_until_its_last_trade_has_settled(script: Script) -> None:
    """A trade beyond its order's size outlives the order: its failure must find its market."""
    script.rest(10)
    script.say(script.trade(10), script.trade(10, status="CONFIRMED"))
    resolve(script)
    script.say(script.trade(2, trade_id="t2"))
    assert script.noticed("late_fill") == 1
    script.wait(31)
    script.wait(130)
    assert script.state.orders == {}
    assert set(script.state.markets) == {"0xc1"}
    script.say(script.trade(2, trade_id="t2", status="FAILED"))
    assert script.state.ledger.cash == CASH + cents(60) * 10
    script.wait()

    assert script.state.markets == {}


def test_a_sale_after_the_payout_takes_part_in_it(script: Script) -> None:
    script.rest(10)
    script.say(script.trade(10), script.trade(10, status="CONFIRMED"))
    script.rest(10, 60, side=Side.SELL)
    script.now_ns = MARKET.end_ns
    script.say(order.Ended(intent_id="i2", reason="CANCELED"))
    script.say(order.ReadClosed(intent_id="i2", matched=shares(0), outcome="cancelled"))
    resolve(script)
    assert script.state.ledger.cash == CASH + cents(60) * 10
    script.say(script.trade(10, 60, trade_id="t2", intent_id="i2"))

    assert script.state.ledger.cash == CASH + cents(20) * 10
    assert script.state.ledger.holdings == {}


def test_the_last_match_is_where_reading_begins_again(script: Script) -> None:
    script.rest()
    script.say(script.trade(4, match_s=T0 // 10**9 + 1))

    assert script.state.last_match_s == T0 // 10**9 + 1

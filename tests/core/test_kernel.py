"""One function from facts to commands: it routes everything, and asserts our own mistakes."""

import pytest
from attrs import frozen

from polybawt.core import facts, kernel
from polybawt.core.kernel import route, step
from polybawt.core.machine import Fact, Outputs
from polybawt.core.state import State
from polybawt.core.units import MILLION
from tests.core.script import CASH, MARKET, T0_S, YES, Script, cents, shares


@frozen(kw_only=True)
class Nobody(Fact):
    """A fact without an owner."""


def test_every_fact_of_the_world_has_an_owner() -> None:
    """A fact that nobody owns would be journaled and lost."""
    with pytest.raises(AssertionError, match="no owner"):
        step(State(), Nobody())


def test_a_fact_that_sets_off_too_much_stops_us(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endless chain would be our own mistake: it ends the engine, not the machine's memory."""

    def endless(state: State, fact: Fact) -> Outputs:
        return (fact,)

    monkeypatch.setattr(kernel, "route", endless)
    monkeypatch.setattr(kernel, "FACTS_MAX", 100)

    with pytest.raises(AssertionError, match="set off more than 100"):
        step(State(), facts.Tick(at_ns=1))


def test_an_imbalance_stops_us() -> None:
    """Money that came from nowhere is our own mistake."""
    state = State()
    state.ledger.balances["wallet"] = {"": 1}

    with pytest.raises(AssertionError):
        step(state, facts.Tick(at_ns=1))


def test_a_time_before_1970_is_our_own_mistake() -> None:
    with pytest.raises(AssertionError):
        step(State(), facts.Tick(at_ns=-1))


def test_bad_input_is_counted_and_told() -> None:
    """What an adapter could not read is a fact like any other."""
    script = Script().start()
    script.say(facts.BadInput(source="user", reason="not JSON", excerpt="<html>"))

    assert (script.state.counters["bad_input"], script.noticed("bad_input")) == (1, 1)


def test_a_whole_life_follows_through_every_book() -> None:
    """Book, wish, order, fill, position, settlement, ledger: the table of contents, once.

    Proves: A-port, C1.
    """
    script = Script().start()
    script.wait(1)
    script.say(
        facts.OracleReported(symbol="btc/usd", value_e18=100 * 10**18, report_ms=T0_S * 1_000)
    )
    script.quote()
    script.rest(10, 40)
    script.say(script.trade(4), script.trade(6, trade_id="t2"))
    assert script.state.equity() == CASH - cents(40) * 10 + cents(50) * 10  # marked at the mid
    assert script.state.pnl() == cents(10) * 10
    for trade_id in ("t1", "t2"):
        script.say(script.trade(1, status="MINED", trade_id=trade_id))
        script.say(script.trade(1, status="CONFIRMED", trade_id=trade_id))
    script.now_ns = MARKET.end_ns
    close = facts.OracleReported(
        symbol="btc/usd", value_e18=101 * 10**18, report_ms=MARKET.end_ns // MILLION
    )
    script.say(close)
    script.wait(31)
    paid = facts.MarketResolved(
        condition_id="0xc1", yes_payout=MILLION, no_payout=0, source="gamma"
    )
    script.say(paid)
    assert script.state.ledger.cash == CASH + cents(60) * 10
    assert script.state.positions[YES].realised == cents(60) * 10
    script.wait(120)

    assert (script.state.orders, script.state.positions, script.state.markets) == ({}, {}, {})
    assert script.state.pnl() == cents(60) * 10


def test_an_open_position_is_marked_at_the_mid_or_at_its_cost() -> None:
    """Without a book there is no price but our own.

    Proves: M8, P2.3.
    """
    script = Script().start()
    script.wait(1)
    script.quote()
    script.rest(10, 40)
    script.say(script.trade(10))
    held = script.state.positions[YES]
    assert script.state.mark(held) == cents(50)
    script.state.books["0xc1"].replace(YES, (), ((cents(60), shares(1)),))
    assert script.state.mark(held) == cents(40)
    script.state.books.clear()

    assert script.state.mark(held) == cents(40)
    assert script.state.equity() == CASH


def test_routing_returns_and_does_nothing_else() -> None:
    """A derived fact is an output; only ``step`` applies it."""
    state = State()

    assert route(state, facts.Tick(at_ns=5)) != ()
    assert state.now_ns == 0

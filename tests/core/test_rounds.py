"""Rounds: what a strategy's trading in one token came to, once nothing of it is left."""

import pytest

from polybawt.core import facts
from polybawt.core.ledger import round_of
from polybawt.core.market import Side
from polybawt.core.scores import Score
from polybawt.core.units import MILLION, Usdc
from tests.core.script import CASH, YES, Script, cents


@pytest.fixture
def script() -> Script:
    script = Script().start()
    script.wait(1)
    script.quote()
    return script


def bought(script: Script, intent: str, strategy: str, count: float, price: float) -> None:
    script.rest(count, price, strategy=strategy)
    script.say(script.trade(count, price, intent_id=intent, trade_id=f"t{intent}"))
    script.say(script.trade(count, price, "CONFIRMED", intent_id=intent, trade_id=f"t{intent}"))


def sold(script: Script, intent: str, strategy: str, count: float, price: float) -> None:
    script.rest(count, price, strategy=strategy, side=Side.SELL)
    script.say(script.trade(count, price, intent_id=intent, trade_id=f"t{intent}"))


def test_two_strategies_in_one_token_each_have_their_own(script: Script) -> None:
    """Two variants side by side must not share a result.  Proves: A-port, M3."""
    bought(script, "i1", "one", 10, 40)
    bought(script, "i2", "two", 5, 44)
    books = script.state.ledger

    assert (books.shares("one", YES), books.shares("two", YES)) == (10 * MILLION, 5 * MILLION)
    assert (books.outlay("one", YES), books.outlay("two", YES)) == (4 * MILLION, 2_200_000)
    assert script.state.positions[YES].shares == 15 * MILLION
    assert books.profit("one", lambda _: cents(50)) == 1 * MILLION
    assert books.profit("two", lambda _: cents(50)) == 300_000


def test_a_round_is_closed_by_confirmed_fills_and_not_by_an_exit_that_was_sent(
    script: Script,
) -> None:
    """Proves: B-exec."""
    bought(script, "i1", "one", 10, 40)
    script.rest(10, 45, strategy="one", side=Side.SELL)
    script.wait(1)
    assert script.state.scores == {}

    script.say(script.trade(10, 45, intent_id="i2", trade_id="t2"))
    script.wait(1)
    assert script.state.scores == {}  # matched, and it may still fail
    assert YES in script.state.positions

    script.say(script.trade(10, 45, "CONFIRMED", intent_id="i2", trade_id="t2"))
    script.wait(1)
    assert script.state.scores["one"] == Score(wins=1, realised=Usdc(500_000))
    assert YES not in script.state.positions  # closed positions leave memory (M1)
    assert script.state.ledger.of("one") == -500_000
    assert script.state.ledger.of(round_of("one", YES)) == 0
    assert script.state.ledger.cash == CASH + 500_000


def test_losses_in_a_row_are_counted_and_a_win_ends_the_row(script: Script) -> None:
    """Proves: A-port."""
    for turn, price in enumerate((39, 38, 41), start=1):
        buy, sell = f"i{2 * turn - 1}", f"i{2 * turn}"
        bought(script, buy, "one", 10, 40)
        sold(script, sell, "one", 10, price)
        trade = f"t{sell}"
        script.say(script.trade(10, price, "CONFIRMED", intent_id=sell, trade_id=trade))
        script.wait(1)
        row = (1, 2, 0)[turn - 1]
        assert script.state.scores["one"].losing == row

    score = script.state.scores["one"]
    assert (score.wins, score.losses, score.realised) == (1, 2, -200_000)
    assert score.lost_ns < script.now_ns


def test_a_payout_goes_to_each_strategy_by_what_it_held(script: Script) -> None:
    """Proves: C1, A-port."""
    bought(script, "i1", "one", 10, 40)
    bought(script, "i2", "two", 5, 44)
    published = facts.MarketResolved(
        condition_id="0xc1", yes_payout=Usdc(MILLION), no_payout=Usdc(0), source="gamma"
    )
    script.say(published)
    script.wait(400)
    script.wait(1)

    assert script.state.scores["one"].realised == 6 * MILLION
    assert script.state.scores["two"].realised == 2_800_000
    assert script.state.ledger.holdings == {}
    assert script.state.ledger.profit("one", lambda _: cents(0)) == 6 * MILLION

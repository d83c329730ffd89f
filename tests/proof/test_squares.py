"""A real trade is counted as the specification counts one, through the whole of a journal."""

import shutil
from pathlib import Path

import pytest
from attrs import evolve

from polybawt.core.machines import trade
from polybawt.core.machines.trade import Leg, Trade, TradeMachine
from polybawt.core.market import Side
from polybawt.core.units import Price, Shares, Usdc
from polybawt.proof.audit import Watch
from polybawt.proof.squares import TradeSquare, times
from polybawt.proof.verify import MODELS


def leg(number: int) -> Leg:
    return Leg(
        intent_id=f"i{number}", strategy="", token_id="7", side=Side.SELL, price=Price(310_000),
        shares=Shares(1_234_567 * number), fee=Usdc(11), maker=number > 1,
    )  # fmt: skip


def of(*legs: Leg) -> Trade:
    return Trade(trade_id="0x77", condition_id="0xc", match_s=1, legs=legs)


REAL = of(leg(1), leg(2), leg(3))
STORIES = [
    (trade.Match, trade.Mine, trade.Match, trade.Confirm),
    (trade.Retry, trade.Mine, trade.Retry, trade.Fail),
    (trade.Confirm,),
    (trade.Fail,),
]


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("real", [of(leg(1)), REAL, of(leg(2), leg(2))])
def test_what_a_trade_can_become_is_no_gap(
    story: tuple[type[trade.Action], ...], real: Trade
) -> None:
    with Watch(MODELS) as watch:
        for kind in story:
            real, _ = TradeMachine.step(real, kind(trade_id=real.trade_id))

    assert watch.gap == ""


def test_a_trade_that_begins_again_is_booked_twice_and_that_is_a_gap() -> None:
    """Each step of it is an edge by the names of its states. Proves: P1.2."""
    with Watch(MODELS) as watch:
        for kind in (trade.Confirm, trade.Match):
            TradeMachine.step(REAL, kind(trade_id=REAL.trade_id))

    assert "Match of trade 0x77 makes Counted(state='matched', booked=2" in watch.gap


def test_another_trade_is_another_story() -> None:
    with Watch(MODELS) as watch:
        for real in (REAL, evolve(REAL, trade_id="0x78")):
            TradeMachine.step(real, trade.Confirm(trade_id=real.trade_id))

    assert watch.gap == ""


def test_a_leg_that_is_left_out_is_a_gap() -> None:
    match = trade.Match(trade_id=REAL.trade_id)
    after, outputs = TradeMachine.step(REAL, match)

    assert TradeSquare(MODELS).see(REAL, match, after, outputs) == ""
    for wrong in (outputs[1:], outputs[:1] * 3, (*outputs, outputs[0]), ()):
        assert "never" in TradeSquare(MODELS).see(REAL, match, after, wrong)


def test_a_leg_of_another_trade_is_none_of_this() -> None:
    _, outputs = TradeMachine.step(of(leg(9)), trade.Match(trade_id="0x77"))

    assert times(REAL, outputs, trade.Filled) == -1
    assert times(of(leg(9)), outputs, trade.Filled) == 1
    assert times(REAL, outputs, trade.Voided) == 0


def test_a_code_that_is_not_the_one_proved_explains_nothing(tmp_path: Path) -> None:
    for path in (*MODELS.glob("Trade*"), *MODELS.glob("locks/Trade.*")):
        place = tmp_path / path.relative_to(MODELS)
        place.parent.mkdir(exist_ok=True)
        shutil.copy(path, place)
    lock = tmp_path / "locks" / "Trade.json"
    lock.write_text(lock.read_text().replace('"digest": "', '"digest": "0'))
    match = trade.Match(trade_id=REAL.trade_id)

    assert "never" in TradeSquare(tmp_path).see(REAL, match, *TradeMachine.step(REAL, match))

"""What we hold of one token: sums that reverse exactly, in any order."""

from itertools import permutations

import pytest

from polybawt.core.machine import IllegalAction
from polybawt.core.machines.position import (
    Action,
    Bought,
    BoughtVoid,
    Change,
    PaidOut,
    Pay,
    Position,
    PositionMachine,
    Sold,
    SoldVoid,
)  # fmt: skip
from polybawt.core.units import Price, Shares, Usdc

FLAT = Position(token_id="1", condition_id="0xc")


def change(kind: type[Change], shares: int, notional: int, fee: int = 0) -> Change:
    return kind(token_id="1", shares=Shares(shares), notional=Usdc(notional), fee=Usdc(fee))


def pay(payout: int) -> Pay:
    return Pay(at_ns=5, token_id="1", payout=Usdc(payout))


def after(*actions: Action, position: Position = FLAT) -> Position:
    for action in actions:
        position, _ = PositionMachine.step(position, action)
    return position


BUY = change(Bought, 10_000_000, 4_500_000, 100)
SELL = change(Sold, 4_000_000, 2_000_000, 50)


def test_a_purchase_makes_a_position_with_its_entry_and_cost() -> None:
    position = after(BUY)

    assert (position.state, position.shares) == ("long", 10_000_000)
    assert (position.entry, position.cost, position.realised) == (450_000, 4_500_000, -100)


def test_the_entry_is_the_volume_weighted_price_rounded_up() -> None:
    """An entry that is too low would show a profit that is not there."""
    position = after(change(Bought, 1_000_000, 333_333), change(Bought, 2_000_000, 1_000_000))

    assert Price(444_445) == position.entry


def test_the_outlay_is_what_was_put_in_and_has_not_come_back() -> None:
    """An average over all purchases would hide a dear one behind cheap ones sold long ago."""
    cheap, dear = change(Bought, 20_000_000, 2_000_000, 10), change(Bought, 10_000_000, 4_800_000)
    flat = after(cheap, change(Sold, 20_000_000, 1_900_000, 10))

    assert (flat.state, flat.outlay) == ("flat", 100_020)
    assert after(dear, position=flat).outlay == 4_800_000 + 100_020
    assert after(dear, change(Sold, 10_000_000, 5_000_000), position=flat).outlay == 0
    assert after(dear, change(BoughtVoid, 10_000_000, 4_800_000), position=flat) == flat
    assert after(BUY, pay(0)).outlay == 0


def test_a_sale_realises_its_share_of_the_cost() -> None:
    """Sold 4 of 10 for 2.00 that cost 1.80, fees 0.000150.  Proves: A-port."""
    position = after(BUY, SELL)

    assert (position.state, position.shares) == ("long", 6_000_000)
    assert (position.cost, position.realised) == (2_700_000, 200_000 - 150)


def test_a_millionth_of_a_share_is_something() -> None:
    assert after(change(Bought, 1, 1)).state == "long"
    assert after(BUY, change(Sold, 9_999_999, 1)).state == "long"


def test_selling_all_leaves_nothing_and_all_profit() -> None:
    position = after(BUY, change(Sold, 10_000_000, 6_000_000))

    assert (position.state, position.shares, position.cost) == ("flat", 0, 0)
    assert position.realised == 1_500_000 - 100


def test_an_empty_position_has_no_entry() -> None:
    assert (FLAT.shares, FLAT.entry, FLAT.cost, FLAT.realised) == (0, 0, 0, 0)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_voids_reverse_exactly_in_any_order(order: tuple[int, ...]) -> None:
    """Whatever was booked between, taking back leaves not a millionth behind."""
    changes = (
        change(Bought, 7, 3, 1), change(Sold, 5, 2, 1), change(Bought, 11, 5, 2),
        change(Sold, 13, 6),
    )  # fmt: skip
    voids = {Bought: BoughtVoid, Sold: SoldVoid}
    position = after(*changes)

    for index in order:
        booked = changes[index]
        undo = change(voids[type(booked)], booked.shares, booked.notional, booked.fee)
        position = after(undo, position=position)

    assert (position.bought, position.sold, position.spent) == (0, 0, 0)
    assert (position.earned, position.fees, position.realised) == (0, 0, 0)
    assert position.shares == 0


def test_a_purchase_voided_after_it_was_sold_on_is_a_doubt() -> None:
    position = after(BUY, SELL, change(BoughtVoid, 10_000_000, 4_500_000, 100))

    assert (position.state, position.shares, position.cost) == ("oversold", -4_000_000, 0)


def test_the_doubt_ends_when_the_sale_is_void_too() -> None:
    position = after(
        BUY, SELL, change(BoughtVoid, 10_000_000, 4_500_000, 100),
        change(SoldVoid, 4_000_000, 2_000_000, 50),
    )  # fmt: skip

    assert (position.state, position.realised) == ("flat", 0)


def test_the_doubt_ends_when_the_purchase_comes() -> None:
    """The sale was reported before the purchase it sold."""
    oversold = after(SELL)
    assert oversold.state == "oversold"

    assert after(BUY, position=oversold).state == "long"
    assert after(change(Bought, 4_000_000, 1), position=oversold).state == "flat"
    assert after(change(Bought, 1, 1), position=oversold).state == "oversold"


def test_a_doubt_is_not_paid_out() -> None:
    """Nobody knows what it is worth."""
    with pytest.raises(IllegalAction):
        after(SELL, pay(1_000_000))


@pytest.mark.parametrize(
    ("payout", "amount", "realised"),
    [(1_000_000, 10_000_000, 5_499_900), (0, 0, -4_500_100), (500_000, 5_000_000, 499_900)],
)
def test_each_share_pays_what_was_published(payout: int, amount: int, realised: int) -> None:
    """Won, lost and split, to the millionth.  Proves: C1, P0.1."""
    position, outputs = PositionMachine.step(after(BUY), pay(payout))

    assert outputs == (
        PaidOut(at_ns=5, token_id="1", condition_id="0xc", shares=Shares(10_000_000),
                amount=Usdc(amount)),
    )  # fmt: skip
    assert (position.state, position.shares, position.cost) == ("settled", 0, 0)
    assert realised == position.realised


def test_a_split_payout_of_an_odd_amount_is_rounded_down() -> None:
    assert after(change(Bought, 1, 1), pay(500_000)).paid_out == 0


@pytest.mark.parametrize("payout", [-1, 1_000_001])
def test_a_share_never_pays_less_than_nothing_or_more_than_a_dollar(payout: int) -> None:
    """The kernel refuses such a word at its door; were it let in, it would become money."""
    with pytest.raises(AssertionError):
        after(BUY, pay(payout))


def test_what_was_sold_before_is_not_paid_again() -> None:
    """Bought ten, sold four: six pay."""
    position, outputs = PositionMachine.step(after(BUY, SELL), pay(1_000_000))

    assert [out.amount for out in outputs if isinstance(out, PaidOut)] == [6_000_000]
    assert position.paid_out == 6_000_000


def test_a_flat_position_is_paid_nothing() -> None:
    _, outputs = PositionMachine.step(after(), pay(1_000_000))

    assert [out.amount for out in outputs if isinstance(out, PaidOut)] == [0]


def test_a_settled_position_is_final() -> None:
    with pytest.raises(IllegalAction):
        after(BUY, pay(1_000_000), BUY)

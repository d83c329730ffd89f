"""The books: a move that would make or lose value cannot be booked."""

import pytest

from polybawt.core.market import Side
from polybawt.core.units import Price, Shares, Usdc
from polybawt.sim.accounts import ENDOWER, Accounts, leg, reversed_moves
from tests.sim.conftest import MARKET

YES, NO = MARKET.tokens
TEN = Shares(10_000_000)


def test_minting_backs_a_set_and_its_reversal_dissolves_it() -> None:
    """The same moves, negated, restore everything."""
    accounts = Accounts()
    for owner in "AB":
        accounts.deposit(owner, Usdc(10_000_000))
    mint = (
        *leg("A", YES, Side.BUY, Price(600_000), TEN),
        *leg("B", NO, Side.BUY, Price(400_000), TEN),
    )
    accounts.book(MARKET, mint)
    minted = accounts.backing(MARKET.condition_id), accounts.worth()
    accounts.book(MARKET, reversed_moves(mint))

    assert minted == (10_000_000, 20_000_000)
    assert accounts.backing(MARKET.condition_id) == 0
    assert accounts.totals("A") == {"": 10_000_000}


def test_moves_that_do_not_balance_cannot_be_booked() -> None:
    """Half a set for a whole dollar would be money from nowhere."""
    accounts = Accounts()

    with pytest.raises(AssertionError):
        accounts.book(MARKET, leg("A", YES, Side.BUY, Price(600_000), TEN))


def test_a_grant_sets_the_other_half_aside() -> None:
    """Endowed tokens are backed like all others."""
    accounts = Accounts()
    accounts.grant("A", MARKET, YES, TEN)

    assert accounts.total(ENDOWER, NO) == 10_000_000
    assert accounts.worth() == accounts.brought_in == 10_000_000


def test_a_settled_account_is_paid_exactly() -> None:
    """Every lot pays its payout, and an empty position leaves no row behind."""
    accounts = Accounts()
    accounts.grant("A", MARKET, YES, Shares(12_340_000))

    assert accounts.redeem("A", MARKET, Usdc(333_300), Usdc(666_700)) == 4_112_922
    assert accounts.redeem(ENDOWER, MARKET, Usdc(333_300), Usdc(666_700)) == 8_227_078
    assert accounts.holders(MARKET) == ()
    assert accounts.backing(MARKET.condition_id) == 0
    assert accounts.totals("A") == {"": 4_112_922}

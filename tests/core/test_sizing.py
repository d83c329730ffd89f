"""Stakes are Kelly's, rounded down; checked against exact fractions."""

from fractions import Fraction

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from polybawt.core.market import FeeSchedule
from polybawt.core.sizing import cost_per_share, kelly_stake, shares_for
from polybawt.core.units import MILLION, Price, Shares, Usdc, cost_up
from tests.core.script import MARKET, cents, shares

PRICES = st.integers(1, MILLION - 1).map(Price)
MONEY = st.integers(0, 10**12).map(Usdc)


@given(fair=PRICES, cost=PRICES, bankroll=MONEY, fraction=st.integers(0, MILLION))
def test_a_stake_is_the_kelly_fraction_rounded_down(
    fair: Price, cost: int, bankroll: Usdc, fraction: int
) -> None:
    """(w - c) / (1 - c) of the bankroll, times the fraction we trust ourselves with.

    Proves: M7, A-alpha.
    """
    win, paid = Fraction(fair, MILLION), Fraction(cost, MILLION)
    exact = max(Fraction(0), (win - paid) / (1 - paid)) * bankroll * Fraction(fraction, MILLION)

    stake = kelly_stake(fair=fair, cost=cost, bankroll=bankroll, fraction_micro=fraction)
    assert stake == int(exact)
    assert stake <= bankroll


@pytest.mark.parametrize(
    ("fair", "cost", "bankroll"),
    [(40, 40, 1), (39, 40, 1), (40, 0, 1), (99, 100, 1), (50, 40, 0), (50, 40, -5)],
)
def test_without_an_edge_there_is_no_stake(fair: int, cost: int, bankroll: int) -> None:
    """Nor without money, nor at a price that cannot win."""
    stake = kelly_stake(
        fair=cents(fair),
        cost=cents(cost),
        bankroll=Usdc(bankroll * MILLION),
        fraction_micro=MILLION,
    )

    assert stake == 0


@given(price=st.integers(1, 99).map(cents), stake=MONEY)
def test_shares_never_cost_more_than_their_stake(price: Price, stake: Usdc) -> None:
    size = shares_for(MARKET, stake, price)

    assert cost_up(price, size) <= stake
    assert size % 10_000 == 0
    assert size == 0 or size >= MARKET.min_size


def test_below_the_venues_minimum_there_is_no_trade() -> None:
    assert shares_for(MARKET, Usdc(2_000_000), 400_000) == shares(5)
    assert shares_for(MARKET, Usdc(1_999_999), 400_000) == 0
    assert shares_for(MARKET, Usdc(MILLION), 0) == 0


def test_a_taker_pays_the_fee_on_top_and_a_maker_does_not() -> None:
    """At 0.50: 0.07 x 0.25 = 0.0175 a share, and half a fee step a lot for its rounding."""
    assert cost_per_share(MARKET, cents(50), taker=False) == 500_000
    assert cost_per_share(MARKET, cents(50), taker=True) == 500_000 + 17_500 + 500
    odd = evolve(MARKET, fees=FeeSchedule(rate_micro=70_001))
    assert odd.fees.fee_up(cents(50), shares(100)) == 1_800_025
    assert cost_per_share(odd, cents(50), taker=True) == 500_000 + 18_001  # against us
    free = evolve(MARKET, fees=FeeSchedule())
    assert cost_per_share(free, cents(50), taker=True) == 500_000


@given(price=st.integers(1, 99).map(cents), lots=st.integers(500, 100_000))
def test_the_cost_of_a_share_covers_the_fee_of_any_number(price: Price, lots: int) -> None:
    """What sizing assumes is never less than what the gate reserves, but for its rounding."""
    size = Shares(lots * 10_000)
    assumed = Fraction(cost_per_share(MARKET, price, taker=True) * size, MILLION)

    assert cost_up(price, size) + MARKET.fees.fee_up(price, size) <= assumed + 2

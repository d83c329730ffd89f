"""Prices and sizes are valid by construction; fees are the venue's, and never underestimated."""

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from polybawt.core.market import FEE_STEP, LOT, FeeSchedule, InvalidOrder, Market, Side
from polybawt.core.units import MILLION, Price, Shares, cost_up

TICKS = (100_000, 10_000, 5_000, 2_500, 1_000, 100)
CRYPTO = FeeSchedule(rate_micro=70_000)


def market(tick: int = 10_000, min_size: int = 5_000_000) -> Market:
    return Market(
        condition_id="0xc",
        slug="btc-updown",
        question="Up?",
        yes_token="1",
        no_token="2",
        tick=Price(tick),
        min_size=Shares(min_size),
        fees=CRYPTO,
    )


ticks = st.sampled_from(TICKS)
prices = st.integers(0, 10_000).map(lambda n: Price(n * 100))
lots = st.integers(1, 10**6)
schedules = st.builds(FeeSchedule, rate_micro=st.integers(0, 250_000), exponent=st.integers(1, 2))


def test_the_fee_of_the_reference_example() -> None:
    """BUY 10 at 0.52 in a crypto market: 0.17472 dollars (reference 3.6)."""
    assert CRYPTO.charged(Price(520_000), Shares(10_000_000)) == 174_720


def test_the_fee_agrees_with_the_official_suites(recorded: Callable[[str], Path]) -> None:
    """Rate, exponent and parabola are read as the venue's own libraries read them."""
    for case in json.loads(recorded("vectors/platform_fee.json").read_text())["cases"]:
        rate, price, fee = (Fraction(str(case[k])) for k in ("fee_rate", "price", "fee"))
        schedule = FeeSchedule(rate_micro=int(rate * MILLION), exponent=case["exponent"])
        shares = Fraction(str(case.get("contracts") or Fraction(case["amount_usd"]) / price))
        charged = schedule.charged(Price(int(price * MILLION)), Shares(int(shares * MILLION)))
        assert abs(charged - fee * MILLION) <= FEE_STEP / 2, case


@pytest.mark.parametrize(
    ("shares", "fee"), [(10_000, 180), (20_000, 350), (570, 10), (280, 0), (0, 0)]
)
def test_a_fee_has_five_decimals_half_up(shares: int, fee: int) -> None:
    """At 0.50 a hundredth of a share owes 0.000175: the half goes up; 0.0000049 is nothing."""
    assert fee == CRYPTO.charged(Price(500_000), Shares(shares))


@given(schedules, prices, lots)
def test_the_charged_fee_is_within_half_a_step_of_the_exact_one(
    schedule: FeeSchedule, price: Price, number: int
) -> None:
    shares = Shares(number * LOT)
    odds = Fraction(price, MILLION) * Fraction(MILLION - price, MILLION)
    exact = shares * Fraction(schedule.rate_micro, MILLION) * odds**schedule.exponent

    assert abs(schedule.charged(price, shares) - exact) <= FEE_STEP / 2
    assert schedule.charged(price, shares) % FEE_STEP == 0


@given(schedules, prices, st.lists(st.integers(1, 2_000), min_size=1, max_size=60))
@example(CRYPTO, Price(500_000), [1] * 60)
def test_no_split_into_matches_costs_more_than_was_reserved(
    schedule: FeeSchedule, price: Price, parts: list[int]
) -> None:
    """Each match rounds by itself: sixty lots of 0.000175 are charged 0.000180 each."""
    charged = sum(schedule.charged(price, Shares(part * LOT)) for part in parts)

    assert charged <= schedule.fee_up(price, Shares(sum(parts) * LOT))


@given(schedules, prices, lots, lots)
def test_a_partial_fill_never_raises_what_is_reserved(
    schedule: FeeSchedule, price: Price, filled: int, rest: int
) -> None:
    """What was charged plus what is still reserved stays below the first reservation."""
    spent = schedule.charged(price, Shares(filled * LOT))

    assert spent + schedule.fee_up(price, Shares(rest * LOT)) <= schedule.fee_up(
        price, Shares((filled + rest) * LOT)
    )


@given(schedules, prices, prices, lots)
def test_a_better_price_never_takes_more_than_the_limit_did(
    schedule: FeeSchedule, price: Price, limit: Price, number: int
) -> None:
    """The fee grows towards 0.50, but the price falls faster: the limit bounds the outlay."""
    assume(price < limit)
    shares = Shares(number * LOT)

    outlay = cost_up(price, shares) + schedule.charged(price, shares)

    assert outlay <= cost_up(limit, shares) + schedule.fee_up(limit, shares)


def test_a_market_without_fees_reserves_none() -> None:
    assert FeeSchedule().fee_up(Price(500_000), Shares(10**9)) == 0


@given(ticks, st.integers(-MILLION, 2 * MILLION))
def test_price_down_is_the_highest_valid_price_not_above(tick: int, micro: int) -> None:
    """Buying: never a millionth more than was wanted."""
    valid = [price for price in range(tick, MILLION, tick) if price <= micro]

    assert max(valid, default=0) == market(tick).price_down(micro)


@given(ticks, st.integers(-MILLION, 2 * MILLION))
def test_price_up_is_the_lowest_valid_price_not_below(tick: int, micro: int) -> None:
    """Selling: never a millionth less than was wanted."""
    valid = [price for price in range(tick, MILLION, tick) if price >= micro]

    assert min(valid, default=MILLION) == market(tick).price_up(micro)


@given(st.integers(-(10**7), 10**9), st.integers(0, 10**3))
def test_size_down_is_the_largest_valid_size_not_above(micro: int, min_lots: int) -> None:
    """A size is floored, never rounded: rounding up would sell what we do not have."""
    size = market(min_size=min_lots * LOT).size_down(micro)

    assert 0 <= size <= max(micro, 0)
    assert size % LOT == 0
    assert size == 0 or size >= min_lots * LOT
    assert micro - size < LOT or micro < max(min_lots, 1) * LOT


@given(ticks, st.integers(100_000, 900_000), st.integers(5_000_000, 10**9))
def test_what_the_market_makes_passes_its_own_check(tick: int, price: int, size: int) -> None:
    """Makers and checker are two views of one rule."""
    here = market(tick)
    down, up, shares = here.price_down(price), here.price_up(price), here.size_down(size)
    assume(shares and down > 0 and up < MILLION)

    here.check(down, shares)
    here.check(up, shares)


@pytest.mark.parametrize(
    ("price", "size", "why"),
    [
        (0, 5_000_000, "price"), (MILLION, 5_000_000, "price"), (-10_000, 5_000_000, "price"),
        (455_000, 5_000_000, "tick"), (1_200_000, 5_000_000, "price"),
        (450_000, 4_990_000, "below"), (450_000, 5_000_001, "lot"), (450_000, 0, "below"),
    ],
)  # fmt: skip
def test_what_the_venue_would_refuse_is_refused_before_it_is_sent(
    price: int, size: int, why: str
) -> None:
    """``invalid amounts`` is the commonest refusal there is (reference 6, item 17)."""
    with pytest.raises(InvalidOrder, match=why):
        market().check(price, size)


def test_each_token_and_each_side_has_its_other() -> None:
    here = market()

    assert (here.other("1"), here.other("2")) == ("2", "1")
    assert here.tokens == ("1", "2")
    assert (Side.BUY.other, Side.SELL.other) == (Side.SELL, Side.BUY)
    with pytest.raises(AssertionError):
        here.other("3")

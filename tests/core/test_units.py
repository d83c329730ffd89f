"""Amounts are exact, and every rounding goes against us."""

from contextlib import suppress
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polybawt.core.units import (
    MILLION,
    InvalidAmount,
    Price,
    Shares,
    complement,
    cost_up,
    micro_text,
    parse_micro,
    parse_scaled,
    proceeds_down,
)  # fmt: skip

amounts = st.integers(-(10**24), 10**24)
prices = st.integers(0, MILLION).map(Price)
sizes = st.integers(0, 10**12).map(Shares)


@given(amounts)
def test_an_amount_survives_being_written_and_read(micro: int) -> None:
    """The journal and the wire carry text; nothing may be lost on the way."""
    assert micro == parse_micro(micro_text(micro))


@given(amounts)
def test_an_amount_is_written_in_the_shortest_exact_way(micro: int) -> None:
    """The venue hashes texts: "0.50" and "0.5" are different books."""
    text = micro_text(micro)

    assert Decimal(micro) == Decimal(text) * MILLION
    assert "." not in text or not text.endswith(("0", "."))


@pytest.mark.parametrize(
    ("micro", "text"),
    [
        (0, "0"), (1, "0.000001"), (-1, "-0.000001"), (500_000, "0.5"), (10**6, "1"),
        (-1_230_000, "-1.23"), (5_374_720, "5.37472"),
    ],
)  # fmt: skip
def test_the_venue_would_write_it_so(micro: int, text: str) -> None:
    assert text == micro_text(micro)


@pytest.mark.parametrize(
    ("text", "micro"),
    [
        ("0.455", 455_000), ("5.", 5_000_000), ("007", 7_000_000), ("-0.1", -100_000),
        ("1.0000000000", 1_000_000), (3, 3_000_000), (0.29, 290_000), (5e-05, 50),
        (1e21, 10**27),
    ],
)  # fmt: skip
def test_decimal_text_is_read_exactly(text: object, micro: int) -> None:
    """0.29 as a binary float is less than 0.29; the text that was sent is meant."""
    assert micro == parse_micro(text)


@pytest.mark.parametrize(
    "text",
    [
        "", " 1", "1 ", "1\n", "+1", ".5", "1e3", "0x10", "1,5", "1_000", "nan", "0.0000001",
        "1" * 31, "0." + "0" * 19, None, True, False, b"1", [], float("nan"), float("inf"),
        1e-07, 1e-20, 1e300,
    ],
)  # fmt: skip
def test_anything_else_is_refused_in_one_short_line(text: object) -> None:
    """An amount that is almost understood is worse than none."""
    with pytest.raises(InvalidAmount, match=r"is not a decimal number|more than 6") as caught:
        parse_micro(text)

    assert len(str(caught.value)) < 100


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 18))
def test_a_json_number_is_read_as_its_shortest_text_or_refused(number: float, places: int) -> None:
    """There is no third way, such as a silently dropped digit."""
    try:
        scaled = parse_scaled(number, places)
    except InvalidAmount:
        return
    assert Fraction(repr(number)) == Fraction(scaled, 10**places)


@given(st.text(max_size=30))
def test_no_text_makes_the_reader_do_anything_but_read_or_refuse(text: str) -> None:
    """Venue input never raises anything unexpected."""
    with suppress(InvalidAmount):
        assert isinstance(parse_micro(text), int)


@given(prices, sizes)
def test_we_pay_rounded_up_and_receive_rounded_down(price: Price, shares: Shares) -> None:
    """The two brackets hold the exact amount, and are at most a millionth apart."""
    exact = Fraction(price * shares, MILLION)

    assert proceeds_down(price, shares) <= exact <= cost_up(price, shares)
    assert cost_up(price, shares) - proceeds_down(price, shares) == (exact.denominator != 1)


@given(prices, sizes)
def test_both_outcomes_together_cost_at_least_a_dollar_a_share(
    price: Price, shares: Shares
) -> None:
    """Rounding never invents an arbitrage."""
    assert cost_up(price, shares) + cost_up(complement(price), shares) >= shares
    assert proceeds_down(price, shares) + proceeds_down(complement(price), shares) <= shares


@given(prices)
def test_the_complement_of_the_complement_is_the_price(price: Price) -> None:
    assert price == complement(complement(price))

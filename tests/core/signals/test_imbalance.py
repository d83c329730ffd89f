"""The weight of the book's two sides, and the price between them."""

import pytest

from polybawt.core.book import Book, Levels
from polybawt.core.signals.imbalance import imbalance, micro_price
from tests.core.script import MARKET, NO, YES, cents, shares


def book(bids: Levels = (), asks: Levels = ()) -> Book:
    made = Book(MARKET)
    made.replace(YES, bids, asks)
    return made


def test_a_heavier_side_pulls() -> None:
    heavy = book(((cents(40), shares(30)),), ((cents(42), shares(10)),))

    assert imbalance(heavy, YES) == pytest.approx(0.5)
    assert micro_price(heavy, YES) == 415_000  # a fair price is near the side that is thin


def test_the_other_token_is_the_mirror() -> None:
    heavy = book(((cents(40), shares(30)),), ((cents(42), shares(10)),))

    assert imbalance(heavy, NO) == pytest.approx(-0.5)
    assert micro_price(heavy, NO) == 585_000


def test_levels_further_away_count_less() -> None:
    near = book(((cents(40), shares(20)),), ((cents(42), shares(20)),))
    far = book(((cents(38), shares(20)), (cents(40), shares(20))), ((cents(42), shares(20)),))

    assert imbalance(near, YES) == 0
    assert imbalance(far, YES) == pytest.approx(5 / 45)  # two ticks away: a quarter of 20
    assert imbalance(far, YES, levels=1) == 0


def test_an_empty_side_has_no_price_between() -> None:
    assert imbalance(book(), YES) == 0
    assert imbalance(book(((cents(40), shares(1)),)), YES) == 1
    assert micro_price(book(((cents(40), shares(1)),)), YES) is None

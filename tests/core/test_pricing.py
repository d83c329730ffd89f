"""What a book would take of us or give us: never dearer, never less than was said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polybawt.core import pricing
from polybawt.core.book import Book, Levels
from polybawt.core.market import LOT
from polybawt.core.units import MILLION, Price, Shares, cost_up
from tests.core.script import MARKET, NO, YES, cents, shares

BIDS: Levels = ((cents(35), shares(50)), (cents(39), shares(4)), (cents(40), shares(6)))
ASKS: Levels = ((cents(66), shares(50)), (cents(62), shares(5)), (cents(60), shares(5)))
PRICES = st.integers(1, 99).map(lambda tick: Price(tick * 10_000))
SIZES = st.integers(500, 50_000).map(lambda lots: Shares(lots * LOT))


def a_book(bids: Levels = BIDS, asks: Levels = ASKS) -> Book:
    book = Book(MARKET)
    book.replace(YES, bids, asks)
    return book


def to_buy(size: float, token: str = YES, book: Book | None = None, **other: int) -> int:
    terms = {"slippage_ticks": 0, "reach_ticks": 10, "cap": 950_000} | other
    return pricing.to_buy(
        book or a_book(),
        token,
        shares(size),
        slippage_ticks=terms["slippage_ticks"],
        reach_ticks=terms["reach_ticks"],
        cap=Price(terms["cap"]),
    )


@pytest.mark.parametrize(
    ("size", "price"), [(5, 60), (5.01, 62), (10, 62), (10.01, 66), (60, 66), (500, 66)]
)
def test_a_purchase_reaches_as_deep_as_its_size(size: float, price: float) -> None:
    """And no deeper than the book is: the rest of it then waits there. Proves: P2.1."""
    assert to_buy(size) == cents(price)


def test_the_other_outcome_is_the_mirror_of_the_book() -> None:
    """Who bids for yes at 0.40 sells no at 0.60."""
    assert to_buy(6, NO) == cents(60)
    assert to_buy(7, NO) == cents(61)


def test_a_limit_goes_a_little_further_but_not_too_far() -> None:
    """Slippage is added, the reach beyond the best and the cap are kept, whichever is nearer."""
    assert to_buy(5, slippage_ticks=2) == cents(62)
    assert to_buy(60, reach_ticks=5) == cents(65)
    assert to_buy(60, cap=630_000) == cents(63)
    assert to_buy(5, cap=590_000) == 0
    assert to_buy(5, book=a_book(asks=())) == 0


@pytest.mark.parametrize(
    ("size", "ticks", "price"), [(6, 0, 40), (7, 0, 39), (7, 1, 38), (60, 0, 35), (60, 40, 1)]
)
def test_a_sale_reaches_as_deep_as_its_size(size: float, ticks: int, price: float) -> None:
    assert pricing.to_sell(a_book(), YES, shares(size), slippage_ticks=ticks) == cents(price)


def test_what_nobody_bids_for_cannot_be_sold() -> None:
    assert pricing.to_sell(a_book(bids=()), YES, shares(6)) == 0
    assert pricing.slice_of(a_book(bids=()), YES, shares(6)) == (0, 0)


@pytest.mark.parametrize(
    ("held", "price", "size"), [(50, 40, 6), (5.555, 40, 5.55), (5, 40, 5), (4.99, 0, 0)]
)
def test_a_slice_is_what_the_best_bid_takes(held: float, price: float, size: float) -> None:
    """In whole lots, and never less than the smallest order. Proves: B-exec."""
    assert pricing.slice_of(a_book(), YES, shares(held)) == (cents(price), shares(size))


def test_a_slice_reaches_deeper_where_the_best_bid_takes_too_little() -> None:
    thin = a_book(bids=((cents(35), shares(50)), (cents(40), shares(4))))

    assert pricing.slice_of(thin, YES, shares(20)) == (cents(35), shares(20))


@given(limit=PRICES, price=PRICES, size=SIZES, parts=st.integers(1, 5))
def test_a_purchase_never_costs_more_than_was_said(
    limit: Price, price: Price, size: Shares, parts: int
) -> None:
    """At the limit or better, in however many matches, fees included. Proves: H7, P2.1."""
    price = min(price, limit)
    part = Shares(size // parts // LOT * LOT)
    sizes = [part] * (parts - 1) + [Shares(size - part * (parts - 1))]
    paid = sum(cost_up(price, s) + MARKET.fees.charged(price, s) for s in sizes if s)
    said = pricing.all_in(MARKET, limit, size, taker=True)

    assert paid <= cost_up(said, size) + parts  # each match rounds up to a millionth
    assert pricing.all_in(MARKET, limit, size, taker=False) == limit


@given(price=PRICES, size=SIZES)
def test_a_sale_never_brings_less_than_was_said(price: Price, size: Shares) -> None:
    brought = price * size // MILLION - MARKET.fees.charged(price, size)

    assert brought >= pricing.net(MARKET, price, size) * size // MILLION

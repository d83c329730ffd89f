"""The one book of a market: priority, mirror, and what a meeting of two orders means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polybawt.core.market import Side
from polybawt.core.units import Price, Shares, Usdc, complement
from polybawt.sim.matching import COMPLEMENTARY, MERGE, MINT, Book, cost, kind_of
from polybawt.sim.records import Terms
from tests.sim.conftest import MARKET

YES, NO = MARKET.tokens
LOT = 10_000


def terms(token: str, side: Side, cents: int) -> Terms:
    return Terms(token, side, Price(cents * 10_000))


def rest(book: Book, order_id: str, at: Terms, shares: int = 10) -> None:
    book.add(order_id, order_id, at, Shares(shares * 1_000_000))


def met(book: Book, at: Terms, shares: int) -> list[tuple[str, int, int]]:
    plan = book.plan(at, Shares(shares * 1_000_000))
    return [
        (match.resting.order_id, match.shares // 1_000_000, match.price // 10_000)
        for match in plan.matches
    ]


def test_the_best_price_is_met_first_and_the_taker_keeps_the_improvement() -> None:
    """Price before time; the taker never pays more than what the maker asked."""
    book = Book(MARKET)
    rest(book, "dear", terms(YES, Side.SELL, 55))
    rest(book, "cheap", terms(YES, Side.SELL, 50))

    assert met(book, terms(YES, Side.BUY, 60), 15) == [("cheap", 10, 50), ("dear", 5, 55)]


def test_the_older_order_of_one_price_is_met_first() -> None:
    """Time priority is what a queue position is worth."""
    book = Book(MARKET)
    for order_id in ("first", "second", "third"):
        rest(book, order_id, terms(YES, Side.SELL, 50))

    assert met(book, terms(YES, Side.BUY, 50), 12) == [("first", 10, 50), ("second", 2, 50)]


def test_an_order_keeps_its_place_when_it_is_partly_taken() -> None:
    """A partial fill must not send an order to the back of its queue."""
    book = Book(MARKET)
    rest(book, "first", terms(YES, Side.SELL, 50))
    rest(book, "second", terms(YES, Side.SELL, 50))
    first = book.get("first")
    assert first is not None
    book.take(first, 4_000_000)

    assert met(book, terms(YES, Side.BUY, 50), 8) == [("first", 6, 50), ("second", 2, 50)]


def test_no_orders_stand_in_one_queue_with_yes_orders() -> None:
    """Buying NO at 0.50 and selling YES at 0.50 are the same offer: only age decides."""
    book = Book(MARKET)
    rest(book, "no buyer", terms(NO, Side.BUY, 50))
    rest(book, "yes seller", terms(YES, Side.SELL, 50))

    assert met(book, terms(YES, Side.BUY, 50), 20) == [("no buyer", 10, 50), ("yes seller", 10, 50)]


@pytest.mark.parametrize(
    ("taker", "maker", "kind"),
    [
        (terms(YES, Side.BUY, 50), terms(YES, Side.SELL, 50), COMPLEMENTARY),
        (terms(NO, Side.SELL, 50), terms(NO, Side.BUY, 50), COMPLEMENTARY),
        (terms(YES, Side.BUY, 50), terms(NO, Side.BUY, 50), MINT),
        (terms(NO, Side.SELL, 50), terms(YES, Side.SELL, 50), MERGE),
    ],
)
def test_the_tokens_decide_what_a_match_means(taker: Terms, maker: Terms, kind: str) -> None:
    """The three match types of reference 3.6."""
    assert kind_of(taker, maker) == kind


def test_a_budget_buys_whole_lots_until_not_one_more_is_affordable() -> None:
    """A FOK or FAK buy targets collateral: 10 dollars at 0.30 then 0.70."""
    book = Book(MARKET)
    rest(book, "a", terms(YES, Side.SELL, 30))
    rest(book, "b", terms(YES, Side.SELL, 70), 100)

    plan = book.plan(terms(YES, Side.BUY, 70), Shares(0), Usdc(10_000_000))

    assert plan.full
    assert [match.shares for match in plan.matches] == [10_000_000, 10_000_000]
    assert sum(cost(match.price, match.shares) for match in plan.matches) == 10_000_000


def test_a_budget_that_the_book_cannot_use_up_is_not_full() -> None:
    """Otherwise a FOK by budget would be filled in part."""
    book = Book(MARKET)
    rest(book, "a", terms(YES, Side.SELL, 30))

    assert not book.plan(terms(YES, Side.BUY, 70), Shares(0), Usdc(10_000_000)).full


def test_a_barred_owner_is_passed_over() -> None:
    """A recorded book must not trade with itself while it is being set."""
    book = Book(MARKET)
    rest(book, "tape", terms(YES, Side.SELL, 50))
    rest(book, "ours", terms(YES, Side.SELL, 51))

    plan = book.plan(terms(YES, Side.BUY, 55), Shares(15_000_000), barred="tape")
    assert [match.resting.order_id for match in plan.matches] == ["ours"]


ORDERS = st.lists(
    st.tuples(
        st.sampled_from(MARKET.tokens), st.sampled_from(Side), st.integers(1, 99),
        st.integers(1, 50),
    ),
    max_size=30,
)  # fmt: skip


@given(ORDERS)
def test_the_two_tokens_are_exact_mirrors(orders: list[tuple[str, Side, int, int]]) -> None:
    """A bid of p on one token is an ask of 1 - p on the other, same size, best still last."""
    book = Book(MARKET)
    for n, (token, side, cents, shares) in enumerate(orders):
        at = terms(token, side, cents)
        if not book.crosses(at):
            rest(book, str(n), at, shares)

    bids, asks = book.levels(YES)
    no_bids, no_asks = book.levels(NO)
    assert no_asks == tuple((complement(price), size) for price, size in bids)
    assert no_bids == tuple((complement(price), size) for price, size in asks)
    assert list(bids) == sorted(bids)
    assert list(asks) == sorted(asks, reverse=True)
    assert not bids or not asks or bids[-1][0] < asks[-1][0]


@given(st.sampled_from([100, 1_000, 2_500, 5_000, 10_000, 100_000]), st.data())
def test_what_a_match_moves_is_exact_on_every_tick(tick: int, data: st.DataObject) -> None:
    """Ticks and lots are made so that no product has a fraction of a millionth."""
    price = Price(data.draw(st.integers(1, 1_000_000 // tick - 1)) * tick)
    shares = Shares(data.draw(st.integers(1, 10**9)) * LOT)

    assert cost(price, shares) * 1_000_000 == price * shares

"""Every formula of a set against numbers worked out by hand (quantitative reference 5.1, 5.2)."""

from attrs import evolve

from polybawt.core.book import Book, Levels
from polybawt.core.market import FeeSchedule, Market, Side
from polybawt.core.sets import Leg, basket, leg
from polybawt.core.units import MILLION, Price, Shares
from tests.core.script import MARKET, cents, shares

FREE = FeeSchedule()
POLITICS = FeeSchedule(rate_micro=40_000)
MANY = shares(1_000)


def question(number: int, fees: FeeSchedule) -> Market:
    return evolve(
        MARKET, condition_id=f"0xe{number}", yes_token=f"{number}1", no_token=f"{number}2",
        fees=fees,
    )  # fmt: skip


def asks(*books: Levels, fees: FeeSchedule = FREE) -> list[Leg]:
    """The yes of so many questions, by their asks, the best first."""
    made = []
    for number, levels in enumerate(books, 1):
        book = Book(question(number, fees))
        book.replace(f"{number}1", (), levels)
        made.append(leg(book, f"{number}1", Side.BUY, reach_ticks=5))
    return made


def bids(*books: Levels, token: int = 1, side: Side = Side.SELL) -> list[Leg]:
    made = []
    for number, levels in enumerate(books, 1):
        book = Book(question(number, FREE))
        book.replace(f"{number}1", levels, ())
        made.append(leg(book, f"{number}{token}", side, reach_ticks=5))
    return made


def at(price: float, count: float) -> tuple[Price, Shares]:
    return cents(price), shares(count)


def test_all_yes_for_less_than_a_dollar_by_the_smallest_depth() -> None:
    """0.30 + 0.31 + 0.32 = 0.93; the second has 30: 30 sets for 27.90 are worth 30.00."""
    legs = asks((at(30, 40),), (at(31, 30),), (at(32, 50),))
    found = basket(legs, worth=MILLION, edge=10_000, most=MANY)
    assert found is not None
    assert (found.size, found.gain) == (30 * MILLION, 2_100_000)
    assert found.limits == (cents(30), cents(31), cents(32))


def test_fees_are_of_every_leg_at_its_own_price() -> None:
    """4 % of p(1-p): 0.0084, 0.008556 and 0.008704 a share; 10 sets bring 0.70 less 0.2566.

    And less what rounding could add: half of 0.00001 for each of a leg's 1000 lots.
    """
    legs = asks((at(30, 10),), (at(31, 10),), (at(32, 10),), fees=POLITICS)
    found = basket(legs, worth=MILLION, edge=10_000, most=MANY)
    assert found is not None
    assert found.gain == 700_000 - 84_000 - 85_560 - 87_040 - 3 * 5_000


def test_a_deeper_level_is_taken_while_each_set_of_it_brings_the_edge() -> None:
    """10 sets at 0.93 and 20 at 0.95 bring 0.70 + 1.00; those at 0.995 would bring too little."""
    legs = asks((at(30, 10), at(32, 20), at(36.5, 99)), (at(31, 99),), (at(32, 99),))
    found = basket(legs, worth=MILLION, edge=10_000, most=MANY)
    assert found is not None
    assert (found.size, found.gain) == (30 * MILLION, 1_700_000)
    assert found.limits[0] == cents(32)


def test_all_no_for_less_than_a_dollar_less_than_there_are() -> None:
    """Bids of 0.36, 0.35 and 0.34 are asks of no for 0.64, 0.65 and 0.66: 1.95 for 2.00."""
    legs = bids((at(36, 20),), (at(35, 20),), (at(34, 20),), token=2, side=Side.BUY)
    found = basket(legs, worth=2 * MILLION, edge=10_000, most=MANY)
    assert found is not None
    assert (found.size, found.gain) == (20 * MILLION, 1_000_000)
    assert found.limits == (cents(64), cents(65), cents(66))


def test_sets_are_sold_for_more_than_they_are_worth() -> None:
    """0.36 + 0.35 + 0.34 = 1.05: 12 sets held bring 0.60 more than the end would."""
    legs = bids((at(36, 20),), (at(35, 20),), (at(34, 20),))
    found = basket(legs, worth=MILLION, edge=10_000, most=shares(12))
    assert found is not None
    assert (found.size, found.gain) == (12 * MILLION, 600_000)


def test_without_the_edge_there_is_nothing() -> None:
    """0.995 for a dollar is half a cent: not one."""
    legs = asks((at(33, 40),), (at(33, 30),), (at(33.5, 50),))
    assert basket(legs, worth=MILLION, edge=10_000, most=MANY) is None
    assert basket(legs, worth=MILLION, edge=4_000, most=MANY) is not None


def test_orders_that_the_venue_would_not_take_are_none() -> None:
    """Below the least size, or a purchase below a dollar."""
    legs = asks((at(30, 4),), (at(31, 30),), (at(32, 50),))
    assert basket(legs, worth=MILLION, edge=10_000, most=MANY) is None
    legs = asks((at(5, 10),), (at(40, 30),), (at(40, 50),))
    assert basket(legs, worth=MILLION, edge=10_000, most=MANY) is None


def test_nobody_reaches_further_than_the_gate_lets_an_order() -> None:
    """Five ticks beyond the best is the limit of a taker's price."""
    (one,) = asks((at(30, 1), at(35, 2), at(36, 4)))
    assert one.levels == [at(30, 1), at(35, 2)]
    assert one.depth == 3 * MILLION

"""When a set is begun, completed, sold, merged, converted or held; and when it is no set."""

from typing import Any

import pytest
from attrs import evolve

from polybawt.core.book import Book, Levels
from polybawt.core.machines.conversion import Conversion
from polybawt.core.machines.order import Order
from polybawt.core.market import FeeSchedule, Side
from polybawt.core.strategies import Intent, Question, Swap, View
from polybawt.core.strategies.arbitrage import Arbitrage
from polybawt.core.units import MILLION, Price, Shares, Usdc
from tests.core.script import MARKET, NO, T0, YES, cents, shares

ME = Arbitrage()
ROOM = Usdc(100 * MILLION)
ALONE = evolve(MARKET, symbol="", start_ns=0, end_ns=0, fees=FeeSchedule())
Pair = tuple[float, float]


def question(number: int, bid: float, ask: float, depth: float = 40, **other: Any) -> Question:
    market = evolve(
        ALONE, condition_id=f"0xe{number}", yes_token=f"{number}1", no_token=f"{number}2",
        neg_risk=True, neg_risk_id="0xevent", event_id="event",
    )  # fmt: skip
    return asked(market, ((cents(bid), shares(depth)),), ((cents(ask), shares(depth)),), **other)


def asked(market: Any, bids: Levels, asks: Levels, **other: Any) -> Question:
    book = Book(market)
    book.replace(market.yes_token, bids, asks)
    terms: dict[str, Any] = {
        "market": market,
        "book": book,
        "book_fresh": True,
        "orders": (),
        "rooms": (ROOM, ROOM),
    }
    return Question(**(terms | other))


def view(*questions: Question, **other: Any) -> View:
    first = questions[0]
    terms: dict[str, Any] = {
        "market": first.market,
        "book": first.book,
        "book_fresh": first.book_fresh,
        "orders": first.orders,
        "held": first.held,
        "entries": first.entries,
        "rooms": first.rooms,
        "now_ns": T0,
        "oracle": None,
        "strike_e18": 0,
        "bankroll": Usdc(1_000 * MILLION),
        "event": questions if len(questions) > 1 else (),
    }
    return View(**(terms | other))


def said(wishes: Any) -> list[tuple[str, str, float, float, str]]:
    """Token, side, cents, shares and purpose of each order."""
    return [
        (w.token_id, str(w.side), w.price / 10_000, w.size / MILLION, w.purpose)
        for w in wishes
        if isinstance(w, Intent)
    ]


def swaps(wishes: Any) -> list[tuple[str, tuple[str, ...], float]]:
    return [(w.kind, w.condition_ids, w.amount / MILLION) for w in wishes if isinstance(w, Swap)]


CHEAP = (question(1, 28, 30), question(2, 29, 31, 12), question(3, 30, 32))
DEAR = (question(1, 36, 38), question(2, 35, 37), question(3, 34, 36, 15))
FAIR = (question(1, 32, 34), question(2, 32, 34), question(3, 32, 34))


def hold(questions: tuple[Question, ...], *pairs: Pair, cost: float = 31) -> list[Question]:
    return [
        evolve(q, held=(shares(yes), shares(no)), entries=(cents(cost), cents(cost)))
        for q, (yes, no) in zip(questions, pairs, strict=True)
    ]


def test_all_yes_are_bought_where_they_cost_less_than_a_dollar() -> None:
    """12 sets at 0.93, the shallowest book first. Proves: H2, P2.2."""
    assert said(ME.decide(view(*CHEAP))) == [
        ("21", "BUY", 31, 12, "entry"),
        ("11", "BUY", 30, 12, "entry"),
        ("31", "BUY", 32, 12, "entry"),
    ]


def test_all_no_are_bought_where_the_bids_are_more_than_a_dollar() -> None:
    """15 sets of no for 1.95, which convert into two dollars. Proves: H2."""
    wishes = ME.decide(view(*DEAR))
    assert said(wishes)[0] == ("32", "BUY", 66, 15, "entry")
    assert {word[0] for word in said(wishes)} == {"12", "22", "32"}


def test_a_fair_event_is_left_alone() -> None:
    assert ME.decide(view(*FAIR)) == ()


@pytest.mark.parametrize("of", [1, 2])
def test_an_event_is_looked_at_once(of: int) -> None:
    """Every question of it is shown to the strategy, and only the first one decides."""
    one = CHEAP[of]
    there = view(*CHEAP, market=one.market, book=one.book)
    assert ME.decide(there) == ()


def test_one_book_that_is_not_proven_stops_all() -> None:
    """Evaluated on one state: old or doubtful books show arbitrages that are not there."""
    stale = (*CHEAP[:2], evolve(CHEAP[2], book_fresh=False))
    assert ME.decide(view(*stale)) == ()
    open_group = Book(CHEAP[2].market)
    open_group.replace("31", ((cents(30), shares(40)),), ((cents(32), shares(40)),))
    open_group.views["31"].expected = "hash to come"
    assert ME.decide(view(*CHEAP[:2], evolve(CHEAP[2], book=open_group))) == ()


def test_what_looks_far_too_cheap_is_no_set() -> None:
    """0.60 for a dollar: a question is missing, or a book is wrong."""
    gift = (question(1, 18, 20), question(2, 18, 20), question(3, 18, 20))
    assert ME.decide(view(*gift)) == ()


def test_without_the_other_books_of_its_event_a_market_is_left_alone() -> None:
    """Its yes and no may be parts of sets that cannot be seen now."""
    alone = hold(CHEAP, (10, 10), (0, 0), (0, 0))[0]
    assert ME.decide(view(alone)) == ()


def test_nothing_is_done_while_an_order_or_a_conversion_is_open() -> None:
    wanted = Order(
        intent_id="i1", strategy="arbitrage", condition_id="0xe2", token_id="21", side=Side.BUY,
        price=cents(31), size=shares(10), post_only=False, created_ns=T0, ends_ns=T0,
        expiration_s=0, state="live",
    )  # fmt: skip
    ordered = (CHEAP[0], evolve(CHEAP[1], orders=(wanted,)), CHEAP[2])
    assert ME.decide(view(*ordered)) == ()
    moving = Conversion(
        conversion_id="c1", strategy="arbitrage", kind="convert", condition_ids=("0xe3",),
        amount=Shares(1),
    )  # fmt: skip
    assert ME.decide(view(*CHEAP, conversions=(moving,))) == ()


def test_limits_make_a_set_smaller_or_none() -> None:
    """Six dollars of room are six sets, if each cost what it pays; four are below the minimum."""
    small = tuple(evolve(q, rooms=(Usdc(6 * MILLION), ROOM)) for q in CHEAP)
    assert {word[3] for word in said(ME.decide(view(*small)))} == {6}
    none = tuple(evolve(q, rooms=(Usdc(4 * MILLION), ROOM)) for q in CHEAP)
    assert ME.decide(view(*none)) == ()


# What is whole.


def test_all_no_are_converted_and_all_yes_are_held() -> None:
    """Only the end pays all yes, and conversion pays all no but one at once."""
    wishes = ME.decide(view(*hold(FAIR, (0, 8), (0, 8), (0, 9))))
    assert swaps(wishes) == [("convert", ("0xe1", "0xe2", "0xe3"), 8)]
    assert ME.decide(view(*hold(FAIR, (8, 0), (8, 0), (8, 0)))) == ()


def test_all_yes_are_sold_where_the_bids_are_more_than_a_dollar() -> None:
    """Short arbitrage out of inventory, in matched sizes. Proves: H2, P2.2."""
    wishes = ME.decide(view(*hold(DEAR, (8, 0), (8, 0), (10, 0))))
    assert said(wishes) == [
        ("31", "SELL", 34, 8, "exit"), ("11", "SELL", 36, 8, "exit"), ("21", "SELL", 35, 8, "exit")
    ]  # fmt: skip


def test_a_pair_of_one_question_is_merged_but_no_whole_set_is_broken_for_it() -> None:
    """8 yes of each are a set; the ninth yes of the first is a dollar with its no."""
    wishes = ME.decide(view(*hold(FAIR, (10, 2), (8, 0), (8, 0))))
    assert swaps(wishes) == [("merge", ("0xe1",), 2)]


# What is not.


def test_a_rest_is_completed_where_that_loses_less_than_selling_it() -> None:
    """Two thirds of a set for 0.31 each: 0.34 more makes a dollar; the bids pay 0.64 for it."""
    wishes = ME.decide(view(*hold(FAIR, (10, 0), (10, 0), (0, 0))))
    assert said(wishes) == [("31", "BUY", 34, 10, "hedge")]


def test_a_rest_that_cannot_be_completed_in_time_is_sold() -> None:
    """The third costs 0.45 now: a set of 1.07 is dearer than the slack allows."""
    moved = (*FAIR[:2], question(3, 43, 45))
    wishes = ME.decide(view(*hold(moved, (10, 0), (10, 0), (0, 0))))
    assert said(wishes) == [("11", "SELL", 32, 10, "exit"), ("21", "SELL", 32, 10, "exit")]


def test_halted_it_completes_nothing_and_begins_nothing() -> None:
    """What a breaker has sold is not bought back."""
    rest = hold(FAIR, (10, 0), (10, 0), (0, 0))
    assert {word[1] for word in said(ME.decide(view(*rest, halted="daily_loss")))} == {"SELL"}
    assert ME.decide(view(*CHEAP, halted="daily_loss")) == ()


def test_a_set_that_the_breakers_make_too_small_is_not_begun() -> None:
    """Half of twelve is six of each leg; a quarter is below the smallest order."""
    assert ME.decide(view(*CHEAP, scale_micro=500_000))
    assert ME.decide(view(*CHEAP, scale_micro=250_000)) == ()


def test_a_rest_below_the_smallest_order_is_kept_and_hinders_nobody() -> None:
    wishes = ME.decide(view(*hold(CHEAP, (3, 0), (0, 0), (0, 0))))
    assert len(said(wishes)) == 3


# One market.


def pair(bid: float, ask: float, **other: Any) -> View:
    one = asked(ALONE, ((cents(bid), shares(30)),), ((cents(ask), shares(20)),), **other)
    return view(one)


def test_a_book_that_crosses_itself_is_bought_whole_and_merged() -> None:
    """Yes for 0.45 and, by a bid of 0.50, no for 0.50: a dollar for 0.95. Proves: H2, P2.2."""
    assert said(ME.decide(pair(50, 45))) == [
        (YES, "BUY", 45, 20, "entry"), (NO, "BUY", 50, 20, "entry")
    ]  # fmt: skip
    held = (shares(10), shares(10))
    assert swaps(ME.decide(pair(45, 50, held=held))) == [("merge", ("0xc1",), 10)]


def test_a_crossed_book_is_sold_out_of_what_is_held_or_after_a_split() -> None:
    """Bids of 0.50 and, by an ask of 0.45, of 0.55: 1.05 for a dollar. Proves: H2, P2.2."""
    dear = evolve(ME, edge=10_000, price_max=Price(1))  # nothing is bought
    held = (shares(12), shares(12))
    assert said(dear.decide(pair(50, 45, held=held))) == [
        (NO, "SELL", 55, 12, "exit"), (YES, "SELL", 50, 12, "exit")
    ]  # fmt: skip
    assert swaps(dear.decide(pair(50, 45))) == [("split", ("0xc1",), 20)]


def test_a_mirrored_book_has_no_arbitrage_within_one_market() -> None:
    """Both asks together are a dollar and the spread, whatever the price."""
    for mid in range(10, 91, 10):
        assert ME.decide(pair(mid - 1, mid + 1)) == ()


def test_near_the_end_nothing_begins() -> None:
    ending = evolve(ALONE, end_ns=T0 + 4 * 10**9)
    one = asked(ending, ((cents(50), shares(30)),), ((cents(45), shares(20)),))
    assert ME.decide(view(one)) == ()

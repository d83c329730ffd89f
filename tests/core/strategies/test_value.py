"""When the strategy bids, takes, waits and withdraws."""

from typing import Any

import pytest
from attrs import evolve

from polybawt.core.book import Book, Levels
from polybawt.core.machines.order import Order
from polybawt.core.market import MARKETABLE_BUY_MIN, Side
from polybawt.core.signals.fair_value import Oracle
from polybawt.core.strategies import Intent, View, Withdraw
from polybawt.core.strategies.value import Value
from polybawt.core.units import MILLION, MS_NS, SECOND_NS, Price, Usdc, cost_up
from tests.core.script import MARKET, NO, T0, T0_S, YES, cents, shares

E18 = 10**18
NOW = T0 + 100 * SECOND_NS
PURE = Value(trust_micro=MILLION)  # believes its model alone
ROOM = Usdc(10 * MILLION)


def oracle(value: float = 100.0, age_s: int = 1) -> Oracle:
    oracle = Oracle("btc/usd")
    oracle.report((T0_S + 100 - age_s) * 1_000, round(value * 1_000) * E18 // 1_000)
    return oracle


def a_book(bids: Levels = (), asks: Levels = ()) -> Book:
    book = Book(MARKET)
    book.replace(YES, bids, asks)
    return book


def a_view(**other: Any) -> View:
    terms: dict[str, Any] = {
        "now_ns": NOW,
        "market": MARKET,
        "book": a_book(((cents(45), shares(50)),), ((cents(55), shares(50)),)),
        "book_fresh": True,
        "oracle": oracle(),
        "strike_e18": 100 * E18,
        "orders": (),
        "bankroll": Usdc(1_000 * MILLION),
        "rooms": (ROOM, ROOM),
    }
    return View(**(terms | other))


def resting(price: float, token: str = YES, state: str = "live") -> Order:
    return Order(
        intent_id=f"{token}-{state}", strategy="value", condition_id="0xc1", token_id=token,
        side=Side.BUY, price=cents(price), size=shares(10), post_only=True, created_ns=T0,
        ends_ns=T0, expiration_s=0, state=state,
    )  # fmt: skip


def wishes(view: View, strategy: Value = PURE) -> tuple[list[Intent], list[Withdraw]]:
    made = strategy.decide(view)
    intents = [wish for wish in made if isinstance(wish, Intent)]
    return intents, [wish for wish in made if isinstance(wish, Withdraw)]


def test_it_rests_a_bid_below_fair_value_for_each_outcome() -> None:
    """A coin is worth 0.50: it bids an edge less for both, and never crosses."""
    intents, withdrawn = wishes(a_view())

    assert withdrawn == []
    assert [(i.token_id, i.price, i.post_only) for i in intents] == [
        (YES, cents(48), True),
        (NO, cents(48), True),
    ]
    assert all(cost_up(i.price, i.size) <= PURE.order_notional_max for i in intents)
    assert all(i.side is Side.BUY and i.lifetime_s == 60 and i.fair == cents(50) for i in intents)


def test_a_resting_bid_stays_below_the_best_ask() -> None:
    """Post-only at or above the ask would be refused."""
    book = a_book(((cents(45), shares(50)),), ((cents(48), shares(1)),))
    intents, _ = wishes(a_view(book=book), evolve(PURE, take_edge=MILLION))

    assert intents[0].price == cents(47)


def test_it_takes_an_ask_that_is_cheap_after_the_fee() -> None:
    """0.50 - 0.40 - fee leaves more than the edge: worth crossing for."""
    book = a_book(((cents(35), shares(50)),), ((cents(40), shares(50)),))
    intents, _ = wishes(a_view(book=book))
    taken = intents[0]

    assert (taken.token_id, taken.price, taken.post_only) == (YES, cents(40), False)
    assert cost_up(taken.price, taken.size) >= MARKETABLE_BUY_MIN


def test_the_fee_decides_whether_an_ask_is_cheap() -> None:
    """At 0.47 the edge of 0.03 is eaten by the fee of 0.0175 and its rounding."""
    book = a_book(((cents(35), shares(50)),), ((cents(47), shares(50)),))
    intents, _ = wishes(a_view(book=book))
    assert intents[0].post_only
    free = evolve(MARKET, fees=evolve(MARKET.fees, rate_micro=0))
    intents, _ = wishes(a_view(book=book, market=free))
    assert not intents[0].post_only


def test_a_marketable_order_of_less_than_a_dollar_is_not_tried() -> None:
    """The venue would refuse it; a bid may rest all the same."""
    book = a_book((), ((cents(5), shares(50)),))
    rooms = (Usdc(990_000), ROOM)
    intents, _ = wishes(a_view(book=book, rooms=rooms))
    mine = [i for i in intents if i.token_id == YES]

    assert [i.post_only for i in mine] == [True]
    assert mine[0].price == cents(4)


def test_without_asks_it_bids_from_fair_value_alone() -> None:
    intents, _ = wishes(a_view(book=a_book(((cents(45), shares(1)),), ())))

    assert intents[0].price == cents(48)


def test_there_is_no_bid_below_the_first_tick() -> None:
    """A share that is worth less than the edge is not wanted at any price."""
    intents, _ = wishes(a_view(oracle=oracle(90.0)))

    assert [i.token_id for i in intents] == [NO]


def test_no_room_means_no_bid() -> None:
    intents, _ = wishes(a_view(rooms=(Usdc(0), Usdc(0))))

    assert intents == []


def test_a_stake_shrinks_with_the_room() -> None:
    intents, _ = wishes(a_view(rooms=(Usdc(3 * MILLION), ROOM)))

    assert cost_up(intents[0].price, intents[0].size) <= 3 * MILLION
    assert intents[0].size == shares(6.25)


def test_a_bid_that_keeps_its_edge_keeps_its_place() -> None:
    """Moving it would lose the queue; a second one would double the bet."""
    intents, withdrawn = wishes(a_view(orders=(resting(48), resting(47, NO))))

    assert (intents, withdrawn) == ([], [])


@pytest.mark.parametrize("price", [49.5, 60, 45])
def test_a_bid_that_fair_value_left_is_withdrawn(price: float) -> None:
    """Too dear: it would be picked off. Too cheap: it waits for nothing."""
    intents, withdrawn = wishes(a_view(orders=(resting(price), resting(48, NO))))

    assert [w.intent_id for w in withdrawn] == [f"{YES}-live"]
    assert withdrawn[0].reason == "fair value moved"
    assert intents == []  # not before it is gone


def test_only_what_rests_is_withdrawn() -> None:
    """What is on its way, or being withdrawn, is waited for."""
    moved = tuple(resting(60, state=state) for state in ("submitted", "pending_cancel", "unknown"))
    intents, withdrawn = wishes(a_view(orders=moved))

    assert withdrawn == []
    assert [i.token_id for i in intents] == [NO]


BLIND: list[dict[str, Any]] = [
    {"book_fresh": False},
    {"oracle": None},
    {"oracle": Oracle("btc/usd")},
    {"oracle": oracle(age_s=6)},
    {"strike_e18": 0},
    {"now_ns": MARKET.end_ns - 4 * SECOND_NS + 1},
    {"now_ns": MARKET.end_ns + SECOND_NS},
    {"market": evolve(MARKET, symbol="")},
    {"market": evolve(MARKET, twap_lookback_s=280)},
    {"market": evolve(MARKET, end_ns=0)},
]


@pytest.mark.parametrize("blind", BLIND, ids=[" ".join(b) for b in BLIND])
def test_without_a_fair_value_everything_is_withdrawn(blind: dict[str, Any]) -> None:
    """Stale book, silent or stale oracle, no strike, too late, not our kind of question, an
    average that is settled in part: whoever cannot say what it is worth does not quote it.

    Proves: C2, H4, A-alpha.
    """
    orders = (resting(48), resting(48, NO), resting(48, state="submitted"))
    intents, withdrawn = wishes(a_view(orders=orders, **blind))

    assert intents == []
    assert [w.reason for w in withdrawn] == ["no fair value"] * 2


def test_an_oracle_may_be_as_old_as_its_limit() -> None:
    """Five seconds: older blocks.

    Proves: C2.
    """
    assert PURE.fair(a_view(oracle=oracle(age_s=5))) is not None
    later = a_view(oracle=oracle(age_s=5), now_ns=NOW + MS_NS)
    assert PURE.fair(later) is None


def test_before_it_begins_an_up_down_market_is_a_coin() -> None:
    """Its strike is the price of a moment yet to come."""
    early = a_view(now_ns=T0 - SECOND_NS, oracle=None, strike_e18=0)

    assert PURE.fair(early) == cents(50)
    question = a_view(now_ns=T0 - SECOND_NS, market=evolve(MARKET, symbol=""))
    assert PURE.fair(question) is None  # "will it rain?" is no coin


def test_an_averaged_market_is_valued_before_its_window() -> None:
    averaged = evolve(MARKET, twap_lookback_s=200)

    assert PURE.fair(a_view(market=averaged)) == cents(50)


def test_fair_value_leans_toward_the_books_mid() -> None:
    """The book is newer than the report: the model is believed in part."""
    book = a_book(((cents(58), shares(1)),), ((cents(62), shares(1)),))
    half = Value(trust_micro=500_000)

    assert half.fair(a_view(book=book)) == cents(55)
    assert Value(trust_micro=0).fair(a_view(book=book)) == cents(60)
    assert half.fair(a_view(book=a_book())) == cents(50)


def test_a_book_of_one_side_has_an_opinion() -> None:
    """Offered at two cents and wanted by nobody, a share is no coin. Proves: A-alpha."""
    alone = Value(trust_micro=0)

    assert alone.fair(a_view(book=a_book((), ((cents(2), shares(9)),)))) == cents(1)
    assert alone.fair(a_view(book=a_book(((cents(98), shares(9)),)))) == cents(99)


def test_both_outcomes_sum_to_a_dollar() -> None:
    """One fair value, two shares: buying both for less than a dollar is the edge itself."""
    intents, _ = wishes(a_view(oracle=oracle(100.05)))

    assert intents[0].fair + intents[1].fair == MILLION
    assert intents[0].price + intents[1].price <= MILLION - 2 * PURE.rest_edge
    assert intents[0].price > intents[1].price
    assert Price(MILLION) == MILLION

"""When the legged hedge sees a pair, on which side it begins, and when it takes its bid back."""

from typing import Any

import pytest
from attrs import evolve

from polybawt.core.book import Book, Levels
from polybawt.core.machines.hedge import LANES, Hedge, Tally
from polybawt.core.machines.order import Order
from polybawt.core.market import Side
from polybawt.core.pricing import all_in
from polybawt.core.strategies import NewHedge, View, Withdraw
from polybawt.core.strategies.hedge import Legged
from polybawt.core.units import MILLION, SECOND_NS, Price, Shares, Usdc
from tests.core.script import MARKET, NO, QUIET, T0, YES, Script, cents, shares

NOW = T0 + 100 * SECOND_NS
HEDGER = Legged()
ROOM = Usdc(10 * MILLION)
BIDS: Levels = ((cents(45), shares(50)),)
ASKS: Levels = ((cents(55), shares(50)),)
FREE = evolve(MARKET, fees=evolve(MARKET.fees, rate_micro=0))


def a_view(
    bids: Levels = BIDS,
    asks: Levels = ASKS,
    **other: Any,
) -> View:
    market = other.pop("market", MARKET)
    book = Book(market)
    book.replace(YES, bids, asks)
    terms: dict[str, Any] = {
        "now_ns": NOW,
        "market": market,
        "book": book,
        "book_fresh": True,
        "oracle": None,
        "strike_e18": 0,
        "orders": (),
        "bankroll": Usdc(1_000 * MILLION),
        "rooms": (ROOM, ROOM),
    }
    return View(**(terms | other))


def pairs(view: View, strategy: Legged = HEDGER) -> list[NewHedge]:
    return [wish for wish in strategy.decide(view) if isinstance(wish, NewHedge)]


def a_hedge(state: str = "working", bought: float = 0, asked: float = 0) -> Hedge:
    tallies = tuple(
        Tally(filled=shares(bought), open=shares(asked)) if lane == LANES[0] else Tally()
        for lane in LANES
    )
    return Hedge(
        hedge_id="h1", strategy="hedge", condition_id="0xc1", quantity=shares(20),
        slice_max=shares(10), order_min=shares(5), pair_cost_max=cents(98), loss_left=Usdc(1),
        tallies=tallies, state=state,
    )  # fmt: skip


def resting(price: float) -> Order:
    return Order(
        intent_id="i1", strategy="hedge", condition_id="0xc1", token_id=YES, side=Side.BUY,
        price=cents(price), size=shares(10), post_only=True, created_ns=T0, ends_ns=T0,
        expiration_s=0, state="live",
    )  # fmt: skip


def test_it_bids_so_low_that_the_other_side_can_be_taken() -> None:
    """No at 0.55, a tick more, the fee: a bid of 0.40 is the highest that leaves a profit.

    Proves: H7, P2.1.
    """
    wishes = pairs(a_view())
    cover = all_in(MARKET, cents(56), shares(10), taker=True)

    assert {wish.first_token for wish in wishes} == {YES, NO}
    assert all(wish.post_only and wish.slice_max == shares(10) for wish in wishes)
    assert all(0 <= HEDGER.pair_cost_max - wish.limit - cover < MARKET.tick for wish in wishes)


def test_it_begins_where_its_bid_is_nearer_to_the_best() -> None:
    """The fee is largest in the middle: the side whose cover is dear pays less of it."""
    wishes = pairs(a_view(bids=((cents(15), shares(50)),), asks=((cents(25), shares(50)),)))
    near = [wish.limit for wish in wishes if wish.first_token == YES]

    assert near
    assert (
        wishes[0].limit
        == max(
            wishes, key=lambda w: w.limit - (cents(15) if w.first_token == YES else cents(75))
        ).limit
    )


def test_it_takes_both_legs_when_the_book_gives_them_away() -> None:
    """Yes at 0.45 and no at 0.50: both asks are below a dollar together."""
    wishes = pairs(
        a_view(bids=((cents(50), shares(50)),), asks=((cents(45), shares(50)),), market=FREE)
    )

    assert [(w.first_token, w.limit, w.post_only) for w in wishes] == [
        (YES, cents(45), False),
        (NO, cents(50), False),
    ]


def test_it_does_not_bid_far_above_the_best() -> None:
    """Where a pair would be cheap anyway, one tick above the others is enough."""
    roomy = evolve(HEDGER, pair_cost_max=cents(108))
    wishes = pairs(a_view(), roomy)

    assert {wish.limit for wish in wishes} == {cents(46)}


@pytest.mark.parametrize(
    ("bids", "asks"),
    [
        ((), ()),
        ((), ((cents(55), shares(50)),)),  # nobody sells the no
        (((cents(45), shares(50)),), ((cents(3), shares(50)),)),
    ],
)
def test_without_a_second_leg_there_is_no_first(bids: Levels, asks: Levels) -> None:
    """A side that nobody offers cannot cover anything."""
    for wish in pairs(a_view(bids, asks)):
        assert a_view(bids, asks).book.best_ask(MARKET.other(wish.first_token)) is not None


@pytest.mark.parametrize(
    ("other", "count"),
    [
        ({"rooms": (ROOM, Usdc(4_900_000))}, 0),
        ({"rooms": (ROOM, Usdc(5_000_000))}, 2),
        ({"book_fresh": False}, 0),
        ({"now_ns": MARKET.end_ns - 29 * SECOND_NS}, 0),
        ({"now_ns": MARKET.end_ns - 31 * SECOND_NS}, 2),
        ({"scale_micro": 400_000}, 0),
        ({"hedges": (a_hedge("hedging", 10),)}, 0),
        ({"hedges": (a_hedge("unwinding"),)}, 0),
        ({"hedges": (a_hedge(asked=10),)}, 0),
        ({"hedges": (a_hedge(),)}, 2),
        ({"hedges": (a_hedge(),), "rooms": (ROOM, Usdc(6_000_000))}, 0),
    ],
)
def test_both_legs_need_room_time_and_a_fresh_book(other: dict[str, Any], count: int) -> None:
    """What could not be covered is not begun; one slice at a time."""
    assert len(pairs(a_view(**other))) == count


def test_it_may_be_told_to_take_only() -> None:
    assert not pairs(a_view(), evolve(HEDGER, rest=False))


@pytest.mark.parametrize(("price", "count"), [(38, 1), (39, 0)])
def test_a_bid_that_others_have_overtaken_is_placed_anew(price: float, count: int) -> None:
    """Two ticks below where it would be now: its place in the queue is worth nothing."""
    view = a_view(orders=(resting(price),), hedges=(a_hedge(asked=10),))
    made = [wish for wish in HEDGER.decide(view) if isinstance(wish, Withdraw)]

    assert len(made) == count


@pytest.mark.parametrize(("state", "count"), [("working", 1), ("hedging", 0), ("unwinding", 0)])
def test_near_the_end_no_first_leg_rests(state: str, count: int) -> None:
    """And a cover is left to the kernel, whose it is."""
    view = a_view(
        now_ns=MARKET.end_ns - SECOND_NS, orders=(resting(40),), hedges=(a_hedge(state, 0, 10),)
    )

    assert len(HEDGER.decide(view)) == count


def test_the_kernel_makes_a_hedge_of_it() -> None:
    """From the view to an order of the first leg.

    Proves: H7, P2.1.
    """
    script = Script(config=evolve(QUIET, strategies=(HEDGER,))).start()
    script.quote(bids=BIDS, asks=ASKS)
    script.wait(1)
    (made,) = script.state.orders.values()

    assert (made.strategy, made.side, made.size, made.post_only) == (
        "hedge",
        Side.BUY,
        Shares(10 * MILLION),
        True,
    )
    assert Price(0) < made.price < cents(45)
    assert len(script.state.hedges) == 1

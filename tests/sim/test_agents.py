"""The crowd: what it believes, and that it trades with what it has."""

import pytest
from attrs import evolve

from polybawt.core.units import MILLION, SECOND_NS, Shares
from polybawt.sim.agents import FUNDS, SIZE_MAX, SIZE_MIN, InformedTaker, Maker, fair_value
from polybawt.sim.prices import RecordedPath
from polybawt.sim.records import Report
from polybawt.sim.venue import Venue
from tests.sim.conftest import MARKET, NOW, Floor

STRIKE = 64_000 * 10**18
STRUCK = evolve(MARKET, strike_e18=STRIKE)
END = MARKET.end_ns


def test_nothing_is_known_before_the_start() -> None:
    """Without a strike both outcomes are even."""
    assert fair_value(MARKET, STRIKE * 2, NOW) == 0.5


@pytest.mark.parametrize(("left_s", "expected"), [(0, 0.841), (3, 0.691), (15, 0.599)])
def test_a_lead_of_one_basis_point_is_worth_more_the_later_it_is(
    left_s: int, expected: float
) -> None:
    """Phi(ln(S/K) / sqrt(sigma^2 tau + blur^2)): data reference 5.6."""
    ahead = STRIKE + STRIKE // 10_000

    assert fair_value(STRUCK, ahead, END - left_s * SECOND_NS) == pytest.approx(expected, abs=1e-3)
    assert fair_value(STRUCK, STRIKE, END - left_s * SECOND_NS) == 0.5


def test_a_maker_quotes_both_outcomes_and_never_crosses(floor: Floor) -> None:
    """Its two bids cost less than a dollar together, and it pays for them like anybody."""
    path = RecordedPath([Report("btc/usd", STRIKE, 0)])
    maker = Maker("one", floor.venue, path)
    floor.venue.amend(STRUCK)
    for n in range(200):
        maker.wake([STRUCK], NOW + n * SECOND_NS // 10)

    quotes = floor.venue.open_orders(maker.owner)
    assert len(quotes) == 2
    assert {order.placement.token_id for order in quotes} == set(MARKET.tokens)
    assert sum(order.placement.price for order in quotes) < MILLION
    assert all(SIZE_MIN * MILLION <= order.placement.size <= SIZE_MAX * MILLION for order in quotes)
    assert floor.venue.spendable(maker.owner) < FUNDS


def test_an_informed_taker_buys_what_will_win_and_only_that(floor: Floor) -> None:
    """It sees the price of two seconds ahead: that is what adverse selection is made of."""
    later_ms = (NOW + SECOND_NS) // 1_000_000
    jump = Report("btc/usd", STRIKE + STRIKE // 100, later_ms)
    path = RecordedPath([Report("btc/usd", STRIKE, 0), jump])
    floor.venue.amend(STRUCK)
    floor.place("A", "sell yes 50 @ 0.55")
    floor.place("A", "sell no 50 @ 0.55")
    taker = InformedTaker("one", floor.venue, path)
    taker.wake([STRUCK], NOW)

    assert floor.venue.total(taker.owner, MARKET.yes_token) > 0
    assert floor.venue.total(taker.owner, MARKET.no_token) == 0


def test_who_holds_the_other_outcome_sells_it_instead(floor: Floor) -> None:
    """So that complementary and merging matches occur too, not only minting."""
    maker = Maker("one", floor.venue, RecordedPath([Report("btc/usd", STRIKE, 0)]))
    floor.venue.grant(maker.owner, MARKET.no_token, Shares(50 * MILLION))
    size = Shares(20 * MILLION)
    order_id = maker.acquire(MARKET, True, 400_000, size, NOW, quote=True)

    order = floor.venue.order(order_id)
    assert order is not None
    assert (order.placement.token_id, order.placement.side) == (MARKET.no_token, "SELL")
    assert order.placement.price == 600_000


def test_agents_of_one_name_are_one(floor: Floor) -> None:
    """Names seed the lots: the same crowd gathers in every run."""
    path = RecordedPath([Report("btc/usd", STRIKE, 0)])
    twin = Maker("one", Venue(mine_ns=1, confirm_ns=1), path)

    assert Maker("one", floor.venue, path).owner == twin.owner
    assert twin.size() == Maker("one", Venue(mine_ns=1, confirm_ns=1), path).size()

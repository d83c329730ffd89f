"""Ticks: they change while a market trades, and nothing that rests is lost by it."""

from collections.abc import Callable

import pytest
from attrs import evolve

from polybawt.core.units import Price, complement
from polybawt.sim.records import TickChanged
from tests.sim.conftest import MARKET, Floor

ID = MARKET.condition_id
FINE = Price(1_000)


def ticks(floor: Floor) -> list[tuple[int, int]]:
    changed = (event for event in floor.venue.drain() if isinstance(event, TickChanged))
    return [(event.old_tick, event.market.tick) for event in changed]


def test_resting_orders_survive_a_change_and_new_ones_must_fit(floor: Floor) -> None:
    """A cached tick is refused in the venue's words (reference 1.14, failure 18)."""
    floor.venue.set_tick(ID, FINE, floor.now_ns)
    floor.place("A", "buy yes 10 @ 0.455", order_id="fine")
    floor.venue.set_tick(ID, MARKET.tick, floor.now_ns)

    text = floor.refused("A", "buy yes 10 @ 0.455", order_id="new")
    assert text == "order new is invalid. Price (0.455) breaks minimum tick size rule: 0.01"
    assert floor.venue.levels(MARKET.yes_token)[0] == ((Price(455_000), 10_000_000),)
    assert floor.place("B", "sell yes 10 @ 0.45").trades[0].price == 455_000
    assert ticks(floor) == [(10_000, 1_000), (1_000, 10_000)]


def test_a_change_to_what_it_is_says_nothing(floor: Floor) -> None:
    floor.venue.set_tick(ID, MARKET.tick, floor.now_ns)

    assert ticks(floor) == []


@pytest.mark.parametrize(
    ("bid", "ask", "expected"),
    [
        ("0.95", "0.97", []),  # the middle is 0.96: not above it
        ("0.96", "0.97", [(10_000, 1_000)]),
        ("0.03", "0.05", []),
        ("0.03", "0.04", [(10_000, 1_000)]),
        ("0.97", "", [(10_000, 1_000)]),  # nobody sells
        ("", "0.03", [(10_000, 1_000)]),
        ("", "0.99", []),
    ],
)
def test_a_book_near_either_end_gets_a_finer_tick(
    build: Callable[..., Floor], bid: str, ask: str, expected: list[tuple[int, int]]
) -> None:
    """As the venue does above about 0.96 and below about 0.04 (reference 3.4)."""
    floor = build(fine_ticks=True)
    for text in (f"buy yes 10 @ {bid}" if bid else "", f"sell yes 10 @ {ask}" if ask else ""):
        if text:
            floor.place("A", text)

    assert ticks(floor) == expected


def test_a_finer_tick_stays_and_is_no_ones_but_the_switchs(build: Callable[..., Floor]) -> None:
    """Back in the middle nothing becomes coarse again; without the switch nothing happens."""
    floor = build(fine_ticks=True)
    floor.place("A", "buy yes 10 @ 0.98", order_id="high")
    floor.venue.cancel("A", "high", floor.now_ns)
    still = build()
    still.place("A", "buy yes 10 @ 0.98")

    assert floor.venue.markets[ID].tick == FINE
    assert still.venue.markets[ID].tick == MARKET.tick


def test_the_other_tokens_book_mirrors_the_finer_prices(floor: Floor) -> None:
    """One book, two tokens, whatever the tick."""
    floor.venue.set_tick(ID, FINE, floor.now_ns)
    floor.place("A", "buy yes 10 @ 0.455")

    assert floor.venue.levels(MARKET.no_token)[1] == ((complement(Price(455_000)), 10_000_000),)


def test_each_market_has_its_own_taker_delay(floor: Floor) -> None:
    """Sports wait seconds where crypto waits milliseconds (reference 3.6)."""
    other = evolve(MARKET, condition_id="0x2", yes_token="3", no_token="4")
    floor.venue.list_market(other, floor.now_ns, taker_delay_ns=3_000_000_000)

    assert floor.venue.taker_delay_ns(ID) == 0
    assert floor.venue.taker_delay_ns("0x2") == 3_000_000_000

"""Every refusal of the venue, by its own text and in its own order."""

import pytest
from attrs import evolve

from polybawt.core.market import Side
from polybawt.core.units import SECOND_NS, Price, Shares, Usdc
from polybawt.sim import rules
from polybawt.sim.venue import Placement, Refused
from tests.sim.conftest import MARKET, NOW, Floor

SOON = NOW // SECOND_NS


@pytest.mark.parametrize(
    ("text", "terms", "refusal"),
    [
        ("buy yes 10 @ 0.50", {"order_type": "IOC"}, "Invalid order payload"),
        ("buy yes 0 @ 0.50", {}, "Invalid order payload"),
        ("buy yes 10 @ 0.50", {"budget": Usdc(5_000_000)}, "Invalid order payload"),
        ("buy yes 10 @ 0.50", {"order_type": "GTD"}, "invalid expiration"),
        (
            "buy yes 10 @ 0.50",
            {"order_type": "GTD", "expiration_s": SOON + 60},
            "invalid expiration",
        ),
        ("buy yes 10 @ 0.50", {"expiration_s": SOON + 600}, "invalid expiration"),
        (
            "buy yes 10 @ 0.505",
            {"order_id": "0x1"},
            "order 0x1 is invalid. Price (0.505) breaks minimum tick size rule: 0.01",
        ),
        (
            "buy yes 10 @ 1.00",
            {"order_id": "0x1"},
            "order 0x1 is invalid. Price (1) breaks minimum tick size rule: 0.01",
        ),
        (
            "sell yes 4.99 @ 0.50",
            {"order_id": "0x1"},
            "order 0x1 is invalid. Size (4.99) lower than the minimum: 5",
        ),
        (
            "buy no 10 @ 0.06",
            {},
            "invalid amount for a marketable BUY order ($0.6), min size: $1",
        ),
        (
            "sell yes 10.005 @ 0.50",
            {},
            "invalid amounts, the market sell orders maker amount supports a max accuracy of"
            " 2 decimals, taker amount a max of 4 decimals",
        ),
        (
            "buy yes 10 @ 0.50",
            {"order_type": "FAK", "budget": Usdc(5_001_000)},
            "invalid amounts, the market buy orders maker amount supports a max accuracy of"
            " 2 decimals, taker amount a max of 4 decimals",
        ),
        ("buy yes 10 @ 0.50", {"order_id": "used"}, "order used is invalid. Duplicated."),
        (
            "buy yes 2000 @ 0.60",
            {},
            "not enough balance / allowance: the balance is not enough -> balance: 1000000000,"
            " sum of matched orders: 0, order amount: 1200000000",
        ),
        (
            "sell yes 101 @ 0.99",
            {},
            "not enough balance / allowance: the balance is not enough -> balance: 100000000,"
            " sum of matched orders: 0, order amount: 101000000",
        ),
        (
            "buy yes 10 @ 0.50",
            {"order_type": "FAK", "post_only": True},
            "invalid post-only order: only GTC and GTD order types are allowed",
        ),
        ("buy yes 10 @ 0.96", {"post_only": True}, "invalid post-only order: order crosses book"),
        (
            "buy yes 50 @ 0.96",
            {"order_type": "FOK"},
            "order couldn't be fully filled. FOK orders are fully filled or killed.",
        ),
        (
            "buy yes 10 @ 0.50",
            {"order_type": "FAK"},
            "no orders found to match with FAK order."
            " FAK orders are partially filled or killed if no match is found.",
        ),
    ],
)
def test_a_refusal_is_in_the_venue_s_own_words(
    floor: Floor, text: str, terms: dict[str, object], refusal: str
) -> None:
    """The engine classifies by these texts; each of them must be reachable."""
    floor.place("C", "sell yes 20 @ 0.95", order_id="used")
    floor.place("C", "buy yes 20 @ 0.05")
    floor.place("C", "sell no 20 @ 0.06") if "0.06" in text else None

    assert floor.refused("A", text, **terms) == refusal


def test_a_token_that_nobody_lists_has_no_book(floor: Floor) -> None:
    """The one refusal of a placement that is not a 400."""
    order = floor.place("A", "buy yes 10 @ 0.40").order.placement

    unknown = evolve(order, token_id="999", order_id="other")
    assert floor.venue.place(unknown, NOW) == Refused(rules.NO_BOOK, 404)


def test_a_closed_market_takes_no_orders(floor: Floor) -> None:
    """Before its resolution, and however good the order is."""
    floor.venue.close(MARKET.condition_id, NOW)

    assert floor.refused("A", "buy yes 10 @ 0.40") == rules.NOT_READY


def test_the_first_fault_in_the_venue_s_order_is_the_one_told(floor: Floor) -> None:
    """Tick before size before balance (reference 8.4)."""
    assert "tick size" in floor.refused("A", "buy yes 1 @ 0.505")
    assert "lower than" in floor.refused("A", "buy yes 1.005 @ 0.50")
    assert "accuracy" in floor.refused("A", "buy yes 9000.005 @ 0.50")


def test_open_orders_hold_back_what_they_would_cost(floor: Floor) -> None:
    """Otherwise two orders could be promised the same dollar."""
    floor.place("A", "buy yes 1000 @ 0.60")
    floor.place("A", "sell yes 60 @ 0.90")

    assert "sum of matched orders: 600000000" in floor.refused("A", "buy no 1000 @ 0.45")
    assert "sum of matched orders: 60000000" in floor.refused("A", "sell yes 50 @ 0.90")
    floor.place("A", "sell yes 40 @ 0.90")


def test_a_marketable_buy_must_also_afford_its_fee(floor: Floor) -> None:
    """The fee comes on top of the collateral: exactly enough is not enough."""
    bound = MARKET.fees.fee_up(Price(500_000), Shares(10_000_000))
    floor.venue.deposit("D", Usdc(5_000_000))
    floor.place("A", "sell yes 50 @ 0.50")

    assert f"order amount: {5_000_000 + bound}" in floor.refused("D", "buy yes 10 @ 0.50")
    floor.venue.deposit("D", bound)
    floor.place("D", "buy yes 10 @ 0.50")
    assert floor.venue.total("D") == bound - 175_000


def test_a_budget_order_is_not_measured_by_the_minimum_size() -> None:
    """Its target is collateral; a dollar is the minimum that counts."""
    order = Placement(
        owner="A", order_id="1", token_id="111", side=Side.BUY,
        price=Price(500_000), size=Shares(2_000_000), order_type="FAK",
        budget=Usdc(1_000_000),
    )  # fmt: skip

    assert rules.terms_refused(order, MARKET, True, NOW, 60) == ""

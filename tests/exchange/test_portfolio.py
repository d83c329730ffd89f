"""Deeds add up to holdings, at average cost, whatever their order of kinds."""

from hypothesis import given
from hypothesis import strategies as st

from polybawt.core.units import MILLION
from polybawt.exchange import portfolio as p
from polybawt.exchange.portfolio import Deed, along, folded

SHARE = MILLION


def trade(at_ns: int, shares: int, price: int, token: str = "yes", fee: int = 0) -> Deed:
    return Deed(
        kind=p.TRADE, at_ns=at_ns, condition_id="c", parts=(("c", token, shares, price),),
        shares=abs(shares), usdc=abs(shares) * price // MILLION, fee=fee,
    )  # fmt: skip


def test_two_purchases_have_an_average_and_a_sale_takes_its_part() -> None:
    deeds = [
        trade(1, 10 * SHARE, 400_000, fee=7),
        trade(2, 10 * SHARE, 600_000),
        trade(3, -5 * SHARE, 700_000, fee=9),
    ]

    held = folded(deeds).holdings["yes"]

    assert folded(deeds).fees == 16
    assert (held.size, held.average, held.cost) == (15 * SHARE, 500_000, 7_500_000)
    assert (held.realized, held.bought, held.spent) == (1_000_000, 20 * SHARE, 10_000_000)
    assert (held.fees, held.first_ns, held.last_ns) == (7, 1, 3)


def test_what_is_sold_out_keeps_its_average_and_its_result() -> None:
    """A closed position is still told of."""
    held = folded([trade(1, 4 * SHARE, 250_000), trade(2, -4 * SHARE, 0)]).holdings["yes"]

    assert (held.size, held.cost, held.average, held.realized) == (0, 0, 250_000, -MILLION)


def test_a_set_costs_a_dollar_and_merges_for_one() -> None:
    def pair(kind: str, at_ns: int, sign: int) -> Deed:
        parts = tuple(("c", token, sign * SHARE, p.HALF) for token in ("yes", "no"))
        return Deed(kind=kind, at_ns=at_ns, condition_id="c", parts=parts, shares=SHARE, usdc=SHARE)

    deeds = [pair(p.SPLIT, 1, 1), pair(p.MERGE, 2, -1)]

    assert folded(deeds[:1]).size("no") == SHARE
    assert folded(deeds).realized == 0
    assert folded(deeds).trades == 0


def test_the_past_is_read_step_by_step() -> None:
    deeds = [trade(10, SHARE, 500_000), trade(20, -SHARE, 600_000), trade(30, SHARE, 100_000)]

    seen = [(at, so_far.trades, so_far.realized) for at, so_far in along(deeds, [5, 20, 25, 99])]

    assert seen == [(5, 0, 0), (20, 2, 100_000), (25, 2, 100_000), (99, 3, 100_000)]


@given(
    st.lists(st.tuples(st.integers(-50, 50), st.integers(0, 100)), max_size=30),
    st.integers(0, 100),
)
def test_nothing_is_made_from_nothing(steps: list[tuple[int, int]], mark: int) -> None:
    """What was paid, what came back and what is left always balance to the rounding of one step."""
    deeds, size, paid = [], 0, 0
    for at_ns, (wanted, price) in enumerate(steps):
        shares = max(wanted, -size)
        size += shares
        paid += shares * price * 10_000
        deeds.append(trade(at_ns, shares * SHARE, price * 10_000))

    held = folded(deeds).holdings.get("yes")

    if held is None:
        assert not deeds
        return
    worth = held.size * mark * 10_000 // MILLION
    assert held.size == size * SHARE
    assert worth - held.cost + held.realized == worth - paid

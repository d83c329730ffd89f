"""Money is moved, never made: every entry sums to zero in every commodity."""

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from polybawt.core import ledger
from polybawt.core.ledger import Ledger
from polybawt.core.machines.trade import Leg
from polybawt.core.market import Side
from polybawt.core.units import MILLION, Price, Shares, Usdc

LEG = Leg(
    intent_id="i1",
    strategy="test",
    token_id="1001",
    side=Side.BUY,
    price=Price(333_333),
    shares=Shares(5_010_000),
    fee=Usdc(1_230),
    maker=False,
)
LEGS = st.builds(
    lambda side, price, shares, fee: evolve(LEG, side=side, price=price, shares=shares, fee=fee),
    st.sampled_from(Side),
    st.integers(0, MILLION),
    st.integers(1, 10**12),
    st.integers(0, 10**9),
)


def test_a_deposit_is_what_we_begin_with() -> None:
    books = Ledger()
    books.post(ledger.deposit(Usdc(100 * MILLION)))

    assert (books.cash, books.deposited, books.imbalance()) == (100 * MILLION, 100 * MILLION, 0)


def test_a_purchase_takes_its_cost_rounded_up_and_its_fee() -> None:
    """5.01 shares at 0.333333 cost 1.66999833 and are booked as 1.669999."""
    books = Ledger()
    books.post(ledger.fill(LEG))

    assert books.cash == -1_669_999 - 1_230
    assert books.holdings == {"1001": 5_010_000}
    assert books.fees == 1_230


def test_a_sale_brings_its_proceeds_rounded_down_less_its_fee() -> None:
    books = Ledger()
    books.post(ledger.fill(evolve(LEG, side=Side.SELL)))

    assert books.cash == 1_669_998 - 1_230
    assert books.holdings == {"1001": -5_010_000}


@given(st.lists(LEGS, max_size=20))
def test_every_entry_balances(legs: list[Leg]) -> None:
    """Whatever is traded, the sum over all accounts is zero in each commodity.

    Proves: A-port.
    """
    books = Ledger()
    for leg in legs:
        books.post(ledger.fill(leg))
        assert books.imbalance() == 0


@given(st.lists(LEGS, min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_a_void_reverses_exactly_in_any_order(legs: list[Leg], lots: object) -> None:
    """What failed on chain leaves no trace, to the millionth, whatever happened between.

    Proves: B-exec.
    """
    books = Ledger()
    for leg in legs:
        books.post(ledger.fill(leg))
    lots.shuffle(legs)  # type: ignore[attr-defined]
    for leg in legs:
        books.post(ledger.reversed_entry(ledger.fill(leg)))

    assert (books.cash, books.holdings, books.fees) == (0, {}, 0)
    assert all(not held for held in books.balances.values())


def test_a_payout_turns_shares_into_cash() -> None:
    books = Ledger()
    books.post(ledger.fill(LEG))
    books.post(ledger.payout("test", "1001", LEG.shares, Usdc(LEG.shares)))

    assert books.holdings == {}
    assert books.cash == LEG.shares - LEG.notional - LEG.fee
    assert books.imbalance() == 0


def test_a_closed_round_leaves_its_cash_and_fees_with_its_strategy() -> None:
    books = Ledger()
    books.post(ledger.fill(LEG))
    books.post(ledger.payout("test", "1001", LEG.shares, Usdc(LEG.shares)))
    profit = books.profit("test", lambda _: Price(0))
    books.post(ledger.closing(books, "test", "1001"))

    assert list(books.rounds()) == []
    assert books.profit("test", lambda _: Price(0)) == profit == books.cash
    assert books.fees_paid("test") == books.fees == LEG.fee


@pytest.mark.parametrize(
    "entry",
    [
        (("wallet", "", 1),),
        (("wallet", "", 1), ("venue", "1001", -1)),
        (("wallet", "1001", 5), ("venue", "1001", -4), ("wallet", "", 1), ("venue", "", -1)),
    ],
)
def test_an_unbalanced_entry_stops_us(entry: ledger.Entry) -> None:
    """It would be our own mistake, and nothing of it may be booked."""
    books = Ledger()

    with pytest.raises(AssertionError, match="does not balance"):
        books.post(entry)
    assert books == Ledger()


def test_an_imbalance_is_found() -> None:
    """The sum that the kernel asserts after every fact sees a lost millionth."""
    books = Ledger(balances={"wallet": {"": 5, "1001": 3}, "venue": {"": -4, "1001": -3}})

    assert books.imbalance() == 1

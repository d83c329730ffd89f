"""Fates: what may become of a match, and when."""

import pytest

from polybawt.core.market import Side
from polybawt.core.units import Price, Shares, Usdc
from polybawt.sim.chain import NEVER_NS, UNSENT, Chain, Fate, checked, dawdles, retries, settles
from polybawt.sim.records import VenueTrade

TRADE = VenueTrade(
    trade_id="t", status="MATCHED", condition_id="c", taker_order_id="o", taker_owner="A",
    token_id="1", side=Side.BUY, price=Price(500_000), shares=Shares(10_000_000), fee=Usdc(0),
    makers=(), match_ns=100, updated_ns=100, tx_hash="0x1",
)  # fmt: skip


def test_an_ordinary_trade_is_mined_then_confirmed() -> None:
    """Each step at its own time, and no more of them after the last."""
    chain = Chain(settles(20, 30))
    chain.add(TRADE)

    assert (chain.due_ns, chain.unfinal("c")) == (120, 1)
    assert chain.next_step(120).status == "MINED"
    assert (chain.due_ns, chain.unfinal("c")) == (150, 1)
    assert chain.next_step(150).status == "CONFIRMED"
    assert (chain.due_ns, chain.unfinal("c")) == (NEVER_NS, 0)


def test_a_retried_trade_gets_another_transaction() -> None:
    """A hash seen before CONFIRMED may change (reference 1.8)."""
    chain = Chain(lambda _: (("RETRYING", 10), ("MINED", 20), ("CONFIRMED", 30)))
    chain.add(TRADE)

    retried, mined = chain.next_step(110), chain.next_step(120)
    assert retried.tx_hash != TRADE.tx_hash
    assert mined.tx_hash == retried.tx_hash


def test_a_trade_may_be_matched_long_before_it_is_sent() -> None:
    """MATCHED_NOT_BROADCASTED is a step of REST, before MATCHED (reference 1.8)."""
    chain = Chain(settles(20, 30, send_ns=10))
    late = Chain(lambda _: dawdles(100))

    assert chain.add(TRADE).status == late.add(TRADE).status == UNSENT
    assert [chain.next_step(110).status for _ in range(3)] == ["MATCHED", "MINED", "CONFIRMED"]
    assert (late.due_ns, late.next_step(200).status) == (200, "MATCHED")
    assert Chain(settles(20, 30)).add(TRADE).status == "MATCHED"


def test_a_retried_trade_is_sent_from_the_start() -> None:
    assert Chain(lambda _: retries(1)).add(TRADE).status == "MATCHED"


@pytest.mark.parametrize(
    "fate",
    [
        (),
        (("MINED", 1),),
        (("FAILED", 1), ("CONFIRMED", 2)),
        (("MINED", 2), ("CONFIRMED", 1)),
        (("LOST", 1), ("FAILED", 2)),
        (("CONFIRMED", -1),),
    ],
)
def test_a_fate_without_one_end_in_order_is_a_mistake_of_ours(fate: Fate) -> None:
    """A chaos test with an impossible chain would prove nothing."""
    with pytest.raises(AssertionError):
        checked(fate)

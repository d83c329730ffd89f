"""What no venue can truthfully say never becomes state, and nothing honest is refused."""

from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from polybawt.core import facts
from polybawt.core.machine import Fact
from polybawt.core.machines import order
from polybawt.core.market import Side
from polybawt.core.plausible import AHEAD_MS_MAX, AMOUNT_MAX, FILL_MAX, doubt
from polybawt.core.units import MILLION, MS_NS, Price, Shares, Usdc
from tests.core.script import MARKET, T0, YES, Script, cents, shares

LEVEL = (cents(40), shares(1))
BOOK = facts.BookSnapshot(
    condition_id="0xc1", token_id=YES, timestamp_ms=1, hash="", bids=(LEVEL,), asks=(),
    last_trade=None, source="ws",
)  # fmt: skip
CHANGE = facts.LevelChange(token_id=YES, side=Side.BUY, price=cents(40), size=shares(0), hash="")
CHANGED = facts.PriceChanged(condition_id="0xc1", timestamp_ms=1, changes=(CHANGE,))
MAKER = facts.MakerFill(
    order_id="0x1", token_id=YES, side=Side.BUY, price=cents(40), shares=shares(1)
)
TRADE = facts.TradeReported(
    trade_id="t1", status="MATCHED", condition_id="0xc1", taker_order_id="0x2", token_id=YES,
    side=Side.SELL, price=cents(40), shares=shares(1), makers=(MAKER,), match_s=1, source="push",
)  # fmt: skip
REPORT = facts.OracleReported(symbol="btc/usd", value_e18=1, report_ms=T0 // MS_NS)
PAID = facts.MarketResolved(
    condition_id="0xc1", yes_payout=Usdc(MILLION), no_payout=Usdc(0), source="ws"
)
HONEST: list[Fact] = [
    facts.MarketListed(market=MARKET),
    facts.MarketListed(market=evolve(MARKET, tick=Price(100), min_size=Shares(0))),
    BOOK,
    evolve(BOOK, bids=((Price(100), Shares(AMOUNT_MAX)), (Price(999_900), Shares(1)))),
    CHANGED,
    facts.TickSizeChanged(condition_id="0xc1", token_id=YES, tick=Price(2_500)),
    REPORT,
    evolve(REPORT, report_ms=T0 // MS_NS + AHEAD_MS_MAX),
    TRADE,
    evolve(TRADE, price=Price(0), shares=Shares(FILL_MAX)),
    evolve(TRADE, price=Price(MILLION), makers=()),
    PAID,
    evolve(PAID, yes_payout=Usdc(MILLION // 2), no_payout=Usdc(MILLION // 2)),
    facts.BalanceRead(token_id="", amount=0),
    order.ReadOpen(intent_id="i1", matched=Shares(0)),
    facts.Tick(),
    facts.LinkUp(link="market"),
]
ABSURD: list[Fact] = [
    evolve(BOOK, bids=((Price(0), shares(1)),)),
    evolve(BOOK, asks=((Price(MILLION), shares(1)),)),
    evolve(BOOK, asks=((Price(-10_000), shares(1)),)),
    evolve(BOOK, asks=((Price(50), shares(1)),)),
    evolve(BOOK, bids=((cents(40), Shares(-1)),)),
    evolve(BOOK, bids=((cents(40), Shares(AMOUNT_MAX + 1)),)),
    evolve(CHANGED, changes=(CHANGE, evolve(CHANGE, price=Price(1_500_000)))),
    facts.TickSizeChanged(condition_id="0xc1", token_id=YES, tick=Price(0)),
    evolve(REPORT, value_e18=0),
    evolve(REPORT, report_ms=T0 // MS_NS + 2 * AHEAD_MS_MAX),
    evolve(TRADE, trade_id=""),
    evolve(TRADE, price=Price(MILLION + 1)),
    evolve(TRADE, price=Price(-1)),
    evolve(TRADE, shares=Shares(0)),
    evolve(TRADE, makers=(evolve(MAKER, shares=Shares(-5)),)),
    evolve(TRADE, makers=(evolve(MAKER, shares=Shares(FILL_MAX + 1)),)),
    evolve(PAID, no_payout=Usdc(1)),
    facts.BalanceRead(token_id="", amount=-1),
    order.ReadOpen(intent_id="i1", matched=Shares(-1)),
    order.ReadClosed(intent_id="i1", matched=Shares(AMOUNT_MAX + 1), outcome="cancelled"),
]


@pytest.mark.parametrize("fact", HONEST)
def test_what_may_be_true_is_not_doubted(fact: Fact) -> None:
    assert doubt(fact, T0) == ""


@pytest.mark.parametrize("fact", ABSURD)
def test_what_cannot_be_true_is_told_and_changes_nothing(fact: Fact) -> None:
    """Proves: faults (absurd prices)."""
    script = Script().start()
    script.wait(1)
    script.quote()
    script.rest()
    state = script.state
    watched = ("markets", "books", "orders", "trades", "positions", "oracles", "ledger", "feeds")
    before = {name: repr(getattr(state, name)) for name in watched}
    book = state.books["0xc1"].levels(YES)
    script.say(fact)

    assert state.counters["absurd"] == script.noticed("absurd") == 1
    assert {name: repr(getattr(state, name)) for name in watched} == before
    assert state.books["0xc1"].levels(YES) == book


def test_a_report_may_be_ahead_of_our_clock_by_its_limit() -> None:
    """Clocks differ; a minute of difference is a fault of one of them."""
    limit = T0 // MS_NS + AHEAD_MS_MAX

    assert doubt(evolve(REPORT, report_ms=limit), T0) == ""
    assert doubt(evolve(REPORT, report_ms=limit + 1), T0) == f"time {limit + 1}"


@given(price=st.integers(), size=st.integers())
def test_any_level_is_refused_or_fits_the_book(price: int, size: int) -> None:
    """Whatever passes can be written into the array and read back."""
    script = Script().start()
    script.wait(1)
    script.quote()
    level: Any = evolve(CHANGE, price=Price(price), size=Shares(size))
    script.say(evolve(CHANGED, changes=(level,)))

    if "absurd" not in script.state.counters:
        bids = dict(script.state.books["0xc1"].levels(YES)[0])
        assert bids.get(Price(price), 0) == size

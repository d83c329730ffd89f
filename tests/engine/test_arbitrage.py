"""Arbitrage over the wire: a real engine, a real exchange, its contracts, and exact money."""

from pathlib import Path

import pytest
from attrs import evolve

from polybawt.core.market import Market, Side
from polybawt.core.risk import Limits
from polybawt.core.state import Config
from polybawt.core.strategies.arbitrage import Arbitrage
from polybawt.core.units import MILLION, Price, Shares, Usdc
from polybawt.sim.records import Accepted, Placement, VenueOrder
from tests.engine.town import STRANGER, Town, engine, html, town, until

ROOM = Usdc(200 * MILLION)
KERNEL = Config(
    strategies=(Arbitrage(exposure_max=ROOM, sets_max=Shares(10 * MILLION)),),
    limits=evolve(
        Limits(),
        **dict.fromkeys(
            (
                f"{of}_exposure_max"
                for of in ("token", "condition", "event", "class", "joint", "total")
            ),
            ROOM,
        ),
    ),
)


def question(t: Town) -> list[Market]:
    """The questions of the one event."""
    return [market for market in t.floor.venue.markets.values() if market.neg_risk_id]


def offer(t: Town, market: Market, side: Side, price: float, count: int) -> None:
    """A stranger's order for the yes."""
    number = len(t.floor.venue.order_ids(STRANGER)) + 1
    if side is Side.SELL:
        t.floor.venue.grant(STRANGER, market.yes_token, Shares(count * MILLION))
    placed = t.floor.venue.place(
        Placement(
            owner=STRANGER, order_id=f"0x{number:064x}", token_id=market.yes_token, side=side,
            price=Price(round(price * MILLION)), size=Shares(count * MILLION),
        ),
        t.floor.now_ns(),
    )  # fmt: skip
    assert isinstance(placed, Accepted), placed


@pytest.mark.parametrize("lost", [False, True])
async def test_all_no_of_an_event_earn_what_the_formula_says(tmp_path: Path, lost: bool) -> None:
    """Bids of 0.40, 0.37 and 0.35: ten no of each for 6.00, 6.30 and 6.50 make twenty dollars.

    Fees are 4 % of p(1-p) a share: 0.096, 0.09324 and 0.091.  So 0.91976 are earned, by the
    engine's ledger and by the exchange's account; once, also where the answer to the conversion
    was lost and it had to be asked for again.  Proves: H2, P2.2.
    """
    async with town(neg_risk_events=1) as t, engine(t.config(tmp_path, kernel=KERNEL)) as alive:
        if lost:
            t.spoil("POST", "/chain/convert", html(502))
        await until(lambda: all(m.yes_token in alive.state.subscribed for m in question(t)))
        for market, price in zip(question(t), (0.40, 0.37, 0.35), strict=True):
            offer(t, market, Side.BUY, price, 10)
        await until(lambda: alive.state.counters.get("conversion:confirmed"), 40)
        await until(lambda: alive.state.counters.get("rounds_closed") == 3, 10)

        assert alive.state.ledger.cash == 1_000 * MILLION + 919_760
        assert -alive.state.ledger.of("arbitrage") - alive.state.ledger.of("fees/arbitrage") == (
            919_760
        )
        assert alive.state.ledger.holdings == {}
        assert t.drift(alive) == 0
        assert alive.state.counters.get("notice:drift", 0) == 0
        assert alive.state.counters["conversions"] == 1
        assert alive.state.counters.get("conversion:unknown", 0) == lost
        assert t.asked["POST /chain/convert"] == 1 + lost


async def test_all_yes_of_an_event_are_bought_and_sold_when_they_are_dear(tmp_path: Path) -> None:
    """Ten sets for 0.90 and fees; then bids of 1.05, and the inventory is sold in matched sizes."""
    async with town(neg_risk_events=1) as t, engine(t.config(tmp_path, kernel=KERNEL)) as alive:
        await until(lambda: all(m.yes_token in alive.state.subscribed for m in question(t)))
        for market in question(t):
            offer(t, market, Side.SELL, 0.30, 10)
        tokens = {market.yes_token: 10 * MILLION for market in question(t)}
        await until(lambda: alive.state.ledger.holdings == tokens, 20)
        for market in question(t):
            offer(t, market, Side.BUY, 0.35, 10)
        await until(lambda: alive.state.ledger.holdings == {}, 30)

        bought, sold = 3 * 84_000, 3 * 91_000  # fees: 4 % of 0.21, and of 0.2275, ten times
        assert alive.state.ledger.cash == 1_000 * MILLION + 1_500_000 - bought - sold
        assert t.drift(alive) == 0


async def test_a_wallet_that_must_redeem_asks_for_its_pay(tmp_path: Path) -> None:
    """Where the venue pays nobody who does not ask: the payout is booked once it is there.

    Proves: C1.
    """
    kernel = evolve(Config(), auto_redeem=False)
    async with (
        town(window_s=10, auto_redeem=False) as t,
        engine(t.config(tmp_path, kernel=kernel)) as alive,
    ):
        await until(lambda: len({order.placement.token_id for order in both(t)}) == 2)
        pair = both(t)
        for order in pair:
            t.take(order, 5 * MILLION)
        await until(lambda: alive.state.counters.get("fills", 0) == 2)
        held = pair[0].condition_id
        await until(lambda: alive.state.settlements[held].state == "paid", 60)

        assert alive.state.counters["conversions:redeem"] >= 1
        assert alive.state.counters["conversion:confirmed"] >= 1
        await until(lambda: t.drift(alive) == 0)


def both(t: Town) -> list[VenueOrder]:
    """The engine's orders in the market in which it has some for both tokens."""
    for first in t.ours:
        found = [order for order in t.ours if order.condition_id == first.condition_id]
        if len({order.placement.token_id for order in found}) == 2:
            return found[:2]
    return []

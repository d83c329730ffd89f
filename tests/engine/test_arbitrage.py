"""Arbitrage over the wire: a real engine, a real exchange, its contracts, and exact money."""

from pathlib import Path

from attrs import evolve

from polybawt.core.market import Market, Side
from polybawt.core.risk import Limits
from polybawt.core.state import Config
from polybawt.core.strategies.arbitrage import Arbitrage
from polybawt.core.units import MILLION, Price, Shares, Usdc
from polybawt.sim.records import Accepted, Placement
from tests.engine.town import STRANGER, Town, engine, town, until

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


async def test_all_no_of_an_event_earn_what_the_formula_says(tmp_path: Path) -> None:
    """Bids of 0.40, 0.37 and 0.35: ten no of each for 6.00, 6.30 and 6.50 make twenty dollars.

    Fees are 4 % of p(1-p) a share: 0.096, 0.09324 and 0.091.  So 0.91976 are earned, by the
    engine's ledger and by the exchange's account.  Proves: H2, P2.2.
    """
    async with town(neg_risk_events=1) as t, engine(t.config(tmp_path, kernel=KERNEL)) as alive:
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

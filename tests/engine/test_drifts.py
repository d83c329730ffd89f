"""What the venue holds against what we believe, over the real wire, while trading."""

from pathlib import Path

import pytest
from attrs import evolve

from polybawt.core import facts
from polybawt.core.ledger import DRIFT
from polybawt.core.market import Side
from polybawt.core.units import MILLION, SECOND_NS, Price, Shares, Usdc
from polybawt.sim.faults import Fault
from polybawt.sim.records import Accepted, Placement
from tests.engine.test_engine import LOT, RICH, agree, resting
from tests.engine.town import ACCOUNT, Town, engine, market_of, town, until

pytestmark = pytest.mark.xdist_group("wire")

# Windows are long here: a payout that is due would explain many a difference.
SOON = evolve(RICH, reconcile_ns=SECOND_NS)


async def test_a_fill_that_no_stream_told_is_found(tmp_path: Path) -> None:
    """The user channel lives and says nothing: the next reconciliation reads our trades.

    Proves: P2.4, H5.
    """
    async with town(window_s=300) as t, engine(t.config(tmp_path, kernel=SOON)) as alive:
        order = await resting(t)
        t.floor.faults.add([Fault(kind="drop", path="/ws/user")])
        t.take(order, LOT)
        await until(lambda: alive.state.counters.get("fills", 0) == 1)

        assert alive.state.feeds["user"].state == "fresh"
        await agree(t, alive)
        assert alive.state.counters.get("drifts_repaired", 0) == 0


async def test_an_order_that_nobody_of_us_placed_is_ended(tmp_path: Path) -> None:
    """It rests in our name and is in no journal. Proves: P2.4, H6."""
    async with town(window_s=300) as t, engine(t.config(tmp_path, kernel=SOON)) as alive:
        await until(lambda: alive.state.subscribed)
        stray = Placement(
            owner=ACCOUNT.address,
            order_id="0x" + "5" * 64,
            token_id=market_of(alive).yes_token,
            side=Side.BUY,
            price=Price(10_000),
            size=Shares(LOT),
        )
        placed = t.floor.venue.place(stray, t.floor.now_ns())
        assert isinstance(placed, Accepted)
        await until(lambda: all(o.placement.order_id != stray.order_id for o in t.ours))

        assert alive.state.counters["orphans"] == 1


async def test_a_stale_balance_repairs_nothing(tmp_path: Path) -> None:
    """The balance call shows what was there before the fill, again and again.

    Proves: P2.4.
    """
    async with town(window_s=300) as t, engine(t.config(tmp_path, kernel=SOON)) as alive:
        order = await resting(t)
        t.floor.faults.add([Fault(kind="stale_balance")])
        t.take(order, LOT)
        await until(lambda: alive.state.counters.get("notice:balance_stale", 0))
        seen = t.asked["GET /balance-allowance"]
        await until(lambda: t.asked["GET /balance-allowance"] > seen + 3)

        assert t.asked["GET /balance-allowance/update"] > 0
        await agree(t, alive)
        assert alive.state.ledger.of(DRIFT) == 0
        t.floor.faults.clear()
        await until(lambda: not alive.state.drifts)
        assert alive.state.counters.get("drifts_repaired", 0) == 0


async def drifted(t: Town, alive: object, repairs: int) -> None:
    state = alive.state  # type: ignore[attr-defined]
    await until(lambda: state.counters.get("drifts_repaired", 0) == repairs)
    await until(lambda: t.drift(alive) == 0)  # type: ignore[arg-type]


async def test_what_somebody_else_brought_is_told_and_booked_as_drift(tmp_path: Path) -> None:
    """Money, shares that we hold, and shares of a token that we never bought.

    Proves: P2.4.
    """
    calm = evolve(RICH, reconcile_ns=4 * SECOND_NS)  # so that all of it is read each time
    async with town(window_s=300) as t, engine(t.config(tmp_path, kernel=calm)) as alive:
        t.take(await resting(t), LOT)
        await agree(t, alive)
        alive.inbox.put_urgent(
            facts.KillRequested(at_ns=alive.clock(), actor="jo", reason="quiet", source="terminal")
        )  # nothing is compared while trades are on their way, and here they always are
        await until(lambda: not t.ours)
        t.floor.venue.deposit(ACCOUNT.address, Usdc(7 * MILLION))
        await drifted(t, alive, 1)
        market = market_of(alive)
        t.floor.venue.grant(ACCOUNT.address, market.yes_token, Shares(LOT))
        t.floor.venue.grant(ACCOUNT.address, market.no_token, Shares(3 * LOT))
        await drifted(t, alive, 3)

        assert alive.state.counters["notice:drift"] == 3
        assert alive.state.ledger.of(DRIFT) == -7 * MILLION
        assert alive.state.kill.source == "terminal"  # it was not the drift


async def test_a_drift_of_half_of_what_we_have_fires_the_kill(tmp_path: Path) -> None:
    """Proves: faults (50 % drift), kill."""
    async with town(window_s=300) as t, engine(t.config(tmp_path, kernel=SOON)) as alive:
        await resting(t)
        cash = alive.state.ledger.cash
        t.floor.venue.deposit(ACCOUNT.address, Usdc(2 * cash))
        await until(alive.state.killed)
        await until(lambda: not t.ours)

        assert alive.state.kill.source == "drift"
        assert alive.state.ledger.cash == cash


async def test_what_drifted_while_we_were_away_is_booked_before_the_first_order(
    tmp_path: Path,
) -> None:
    """Proves: P2.4, recovery."""
    async with town(window_s=300) as t:
        config = t.config(tmp_path, kernel=SOON)
        async with engine(config) as first:
            t.take(await resting(t), LOT)
            await agree(t, first)
            await until(lambda: not any(first.state.unsettled()))
        t.floor.venue.deposit(ACCOUNT.address, Usdc(MILLION))
        async with engine(config) as alive:
            assert alive.state.counters["drifts_repaired"] == 1
            await agree(t, alive)


async def test_a_dispute_is_told_to_the_operators(tmp_path: Path) -> None:
    """And pays nothing until it is over, and then what the vote said.

    Proves: C1.
    """
    async with town(window_s=10) as t, engine(t.config(tmp_path, kernel=SOON)) as alive:
        await until(lambda: alive.state.subscribed)
        condition = market_of(alive).condition_id
        yes, no = (Usdc(MILLION), Usdc(0)), (Usdc(0), Usdc(MILLION))
        steps = ("propose", yes), ("dispute", None), ("propose", no), ("dispute", None)
        for action, said in steps:
            t.floor.venue.ask_oracle(condition, action, t.floor.now_ns(), payouts=said)
        await until(lambda: alive.state.standings.get(condition) == "disputed", 30)
        assert alive.state.settlements[condition].state not in ("resolved", "paid")
        await until(lambda: alive.state.settlements[condition].observed, 30)
        vote = yes if alive.state.settlements[condition].observed == "yes" else no
        t.floor.venue.ask_oracle(condition, "vote", t.floor.now_ns(), payouts=vote)
        await until(lambda: alive.state.settlements[condition].state == "paid", 30)

        assert alive.state.settlements[condition].yes_payout == vote[0]

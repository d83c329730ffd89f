"""Commands are carried to a real exchange; what hangs holds up nothing else."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from polybawt.core import commands as c
from polybawt.core import facts
from polybawt.core.machines import order
from polybawt.core.market import Side
from polybawt.core.units import Price, Shares
from polybawt.engine.inbox import Inbox
from polybawt.engine.shell import CANCELS_MAX, ORDERS_MAX, READS_MAX, Shell
from polybawt.sim.records import Accepted, Placement
from polybawt.venue.clob import Clob
from polybawt.venue.clock import Clock
from polybawt.venue.gamma import Gamma
from polybawt.venue.http import http_client
from polybawt.venue.links import MarketLink, OracleLink
from polybawt.venue.onchain import Onchain
from polybawt.venue.prints import Prints
from polybawt.venue.stream import Stream, Streams
from tests.engine.town import ACCOUNT, Town, town, until


@asynccontextmanager
async def shell(
    t: Town, barred: Callable[[str], str] = lambda _: ""
) -> AsyncIterator[tuple[Shell, Inbox]]:
    """The shell alone: what the kernel would be told is in the inbox."""
    inbox, clock, stream = Inbox(), Clock(), t.url.replace("http", "ws") + "/ws"
    async with (
        http_client(t.url) as http,
        http_client(f"{t.url}/gamma") as site,
        http_client(f"{t.url}/data-api") as archive,
    ):
        clob = Clob(http, ACCOUNT, chain_id=137, clock=clock)
        keys = await clob.login()
        async with asyncio.TaskGroup() as tasks:
            made = Shell(
                clob=clob,
                chain=Onchain(http, ACCOUNT.address, keys, clock=clock),
                gamma=Gamma(site, clock),
                market=Streams(
                    lambda name: Stream(f"{stream}/market", MarketLink(name=name), clock, inbox.put)
                ),
                oracle=Stream(f"{stream}/rtds", OracleLink(), clock, inbox.put),
                prints=Prints(archive, clock),
                inbox=inbox,
                clock=clock,
                tasks=tasks,
                barred=barred,
            )
            yield made, inbox
            made.abandon()


async def answered(inbox: Inbox, kind: type) -> object:
    """The first fact of a kind; the others are dropped."""
    async with asyncio.timeout(5):
        while True:
            for fact in await inbox.take(100):
                if isinstance(fact, kind):
                    return fact


async def test_a_cancel_passes_reads_that_hang() -> None:
    """A venue that answers nothing else must still be told to stop. Proves: emergency, kill."""
    async with town() as t, shell(t) as (made, inbox):
        t.holds = lambda request: request.method == "GET"
        for _ in range(3 * READS_MAX):
            made.carry(c.ReadBalance())
        await until(lambda: t.asked["GET /balance-allowance"] == READS_MAX)
        made.carry(c.CancelOrder(intent_id="i1", order_id="0x" + "1" * 64))
        made.carry(c.CancelAll())

        assert isinstance(await answered(inbox, order.CancelRefused), order.CancelRefused)
        await until(lambda: t.asked["DELETE /cancel-all"] == 1)
        assert t.asked["GET /balance-allowance"] == READS_MAX


async def test_what_is_abandoned_ends_at_once() -> None:
    """The end of the engine waits for no answer."""
    async with town() as t:
        t.holds = lambda request: request.method == "GET"
        async with asyncio.timeout(5), shell(t) as (made, _):
            for _ in range(2 * READS_MAX):
                made.carry(c.ReadBalance())
            made.carry(c.FetchMarkets())
            await until(lambda: t.asked["GET /balance-allowance"] == READS_MAX)


async def test_a_poll_that_is_under_way_is_not_asked_again() -> None:
    """A slow catalogue must not be asked more and more. Proves: C5."""
    async with town() as t, shell(t) as (made, inbox):
        for _ in range(10):
            made.carry(c.FetchMarkets())
        listed = await answered(inbox, facts.MarketListed)
        assert isinstance(listed, facts.MarketListed)
        await until(lambda: not made._asking)
        assert t.asked["GET /gamma/markets/keyset"] == 1
        made.carry(c.FetchMarkets())
        await until(lambda: t.asked["GET /gamma/markets/keyset"] == 2)
        await until(lambda: not made._asking)

        assert inbox._world == type(inbox._world)()  # the same markets again are no news


async def test_the_size_of_a_print_is_found_in_the_venues_own_record() -> None:
    """A real trade, by the real index; until it is there, there is no answer. Proves: G3."""
    async with town(indexer_lag_ns=300_000_000) as t, shell(t) as (made, inbox):
        made.carry(c.FetchMarkets())
        listed = await answered(inbox, facts.MarketListed)
        assert isinstance(listed, facts.MarketListed)
        bid = Placement(
            owner=ACCOUNT.address,
            order_id="0x" + "9" * 64,
            token_id=listed.market.yes_token,
            side=Side.BUY,
            price=Price(930_000),
            size=Shares(60_000_000),
        )
        assert isinstance(t.floor.venue.place(bid, t.floor.now_ns()), Accepted)
        (resting,) = t.ours
        t.take(resting, 52_500_000)
        asked = c.FetchPrint(
            condition_id=listed.market.condition_id,
            token_id=listed.market.yes_token,
            price=Price(930_000),
            timestamp_ms=t.floor.now_ns() // 1_000_000,
        )
        found: list[object] = []
        while not found:
            made.carry(asked)
            await until(lambda: not made._asking)
            found = [fact for fact in inbox._world if isinstance(fact, facts.LastTrade)]

    (told,) = found
    assert isinstance(told, facts.LastTrade)
    assert (told.shares, told.side, told.source) == (52_500_000, Side.SELL, "rest")
    assert t.asked["GET /data-api/v2/trades"] > 1


@pytest.mark.parametrize("severity", ["info", "warning", "critical"])
async def test_a_notice_is_logged_at_its_severity(
    severity: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Proves: A-obs."""
    async with town() as t, shell(t) as (made, _):
        with caplog.at_level("INFO", logger="polybawt.engine"):
            made.carry(c.Notify(severity=severity, name="drift", text="cash"))
        (line,) = [r for r in caplog.records if r.name == "polybawt.engine"]

        assert (line.levelname.lower(), line.getMessage()) == (severity, "drift: cash")


async def test_an_order_that_waited_for_its_turn_does_not_leave_after_a_kill() -> None:
    """The gate is read again at the socket, and what is stopped there is known never to have left.

    Proves: kill.
    """
    killed = ""
    async with town() as t, shell(t, lambda _: killed) as (made, inbox):
        t.holds = lambda request: request.method == "POST"
        for _ in range(ORDERS_MAX):  # the lane is full
            made.carry(c.PostOrder(intent_id="i0", order_id="0x0", payload="{}"))
        await until(lambda: t.asked["POST /order"] == ORDERS_MAX)
        made.carry(c.PostOrder(intent_id="i1", order_id="0x1", payload="{}"))
        killed = "file: enough"
        t.holds = lambda _: False
        refused = dict[str, str]()
        while "i1" not in refused:
            told = await inbox.take(1_000)
            refused |= {f.intent_id: f.reason for f in told if isinstance(f, order.Reject)}

        assert refused["i1"] == "not sent: file: enough"
        assert t.asked["POST /order"] == ORDERS_MAX


async def test_cancels_pass_orders_that_hang() -> None:
    """A lane full of orders must not keep a cancel, nor cancels the cancel of everything."""
    async with town() as t, shell(t) as (made, inbox):
        t.holds = lambda request: request.path == "/order"
        for _ in range(2 * ORDERS_MAX):
            made.carry(c.PostOrder(intent_id="i0", order_id="0x0", payload="{}"))
        for _ in range(2 * CANCELS_MAX):
            made.carry(c.CancelOrder(intent_id="i1", order_id="0x" + "1" * 64))
        await until(lambda: t.asked["DELETE /order"] == CANCELS_MAX)
        made.carry(c.CancelAll())
        made.carry(c.ReadBalance())

        assert isinstance(await answered(inbox, facts.BalanceRead), facts.BalanceRead)
        await until(lambda: t.asked["DELETE /cancel-all"] == 1)
        assert t.asked["POST /order"] == ORDERS_MAX

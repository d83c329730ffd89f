"""The engine's own adapters against our exchange: what one writes, the other reads.

Both sides were written from the reference, apart from each other; here they meet.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from attrs import evolve

from polybawt.core import commands, facts
from polybawt.core.book import Book
from polybawt.core.machine import Fact
from polybawt.core.machines import order
from polybawt.core.market import Market, Side
from polybawt.core.units import MILLION, SECOND_NS, Price, Shares, Usdc
from polybawt.exchange.config import DEVELOPMENT_KEYS
from polybawt.sim.records import Report
from polybawt.venue.clob import Clob
from polybawt.venue.gamma import Gamma
from polybawt.venue.http import http_client
from polybawt.venue.links import MarketLink, OracleLink, UserLink
from polybawt.venue.signing import Account
from polybawt.venue.stream import Link, Stream
from tests.exchange.house import CANARY, CHAIN, FED, UPDOWN, Hall

WAIT_S = 5.0


@pytest.fixture
async def clob(hall: Hall) -> AsyncIterator[Clob]:
    http = http_client(str(hall.client.make_url("/")).rstrip("/"))
    async with http:
        client = Clob(http, Account(DEVELOPMENT_KEYS[0]), chain_id=CHAIN, clock=hall.clock)
        await client.login()
        yield client


def wanted(market: Market, intent_id: str = "i-1", **other: Any) -> commands.SignOrder:
    terms: dict[str, Any] = {
        "intent_id": intent_id,
        "condition_id": market.condition_id,
        "token_id": market.yes_token,
        "side": Side.BUY,
        "price": Price(400_000),
        "size": Shares(10 * MILLION),
        "expiration_s": market.end_ns // SECOND_NS + 600,
        "post_only": False,
        "salt": 7,
        "timestamp_ms": 1_780_876_800_000,
        "neg_risk": market.neg_risk,
        "version": market.version,
    }
    return commands.SignOrder(**(terms | other))


def posting(sign: order.Sign) -> commands.PostOrder:
    return commands.PostOrder(
        intent_id=sign.intent_id, order_id=sign.order_id, payload=sign.payload
    )


@pytest.mark.parametrize("market", [UPDOWN, FED, CANARY], ids=lambda market: market.slug)
async def test_an_order_lives_and_ends_as_the_engine_sees_it(
    hall: Hall, clob: Clob, market: Market
) -> None:
    """Placed, found, placed again, withdrawn, read: each answer is the fact it should be.

    Proves: H5, H6
    """
    sign = clob.sign(wanted(market))
    reading = commands.ReadOrder(intent_id="i-1", order_id=sign.order_id)
    cancel = commands.CancelOrder(intent_id="i-1", order_id=sign.order_id)

    placed = await clob.post(posting(sign))
    again = await clob.post(posting(sign))
    listed = await clob.read_open_orders()
    live = await clob.read_order(reading)
    withdrawn = await clob.cancel(cancel)
    twice = await clob.cancel(cancel)
    ended = await clob.read_order(reading)

    assert isinstance(placed, order.AckLive)
    assert isinstance(again, order.Duplicate)
    assert isinstance(listed, facts.OpenOrdersRead)
    assert listed.order_ids == (sign.order_id,)
    assert isinstance(live, order.ReadOpen)
    assert isinstance(withdrawn, order.CancelDone)
    assert isinstance(twice, order.CancelRefused)
    assert isinstance(ended, order.ReadClosed)
    assert (ended.outcome, ended.matched) == ("cancelled", 0)


async def test_a_refusal_is_a_proof(hall: Hall, clob: Clob) -> None:
    sign = clob.sign(wanted(UPDOWN, size=Shares(4 * MILLION)))

    answer = await clob.post(posting(sign))
    read = await clob.read_order(commands.ReadOrder(intent_id="i-1", order_id=sign.order_id))

    assert isinstance(answer, order.Reject)
    assert "lower than the minimum" in answer.reason
    assert isinstance(read, order.ReadMissing)


async def test_a_fill_is_read_with_its_makers(hall: Hall, clob: Clob) -> None:
    maker = await hall.trader(1)
    await maker.place(UPDOWN, UPDOWN.no_token, "BUY", "0.6", "10")
    await clob.post(posting(clob.sign(wanted(UPDOWN))))

    read = await clob.read_trades(commands.ReadTrades(condition_id=UPDOWN.condition_id))
    hall.after(2_000)
    dollars = await clob.read_balance(commands.ReadBalance())
    shares = await clob.read_balance(commands.ReadBalance(token_id=UPDOWN.yes_token))

    trade = next(fact for fact in read if isinstance(fact, facts.TradeReported))
    assert (trade.status, trade.price, trade.shares) == ("MATCHED", 400_000, 10 * MILLION)
    assert [(m.token_id, m.side, m.price) for m in trade.makers] == [
        (UPDOWN.no_token, Side.BUY, 600_000)
    ]
    assert isinstance(read[-1], facts.TradesRead)
    fee = UPDOWN.fees.charged(Price(400_000), Shares(10 * MILLION))
    assert isinstance(dollars, facts.BalanceRead)
    assert dollars.amount == 1_000 * MILLION - 4 * MILLION - fee
    assert isinstance(shares, facts.BalanceRead)
    assert shares.amount == 10 * MILLION


async def test_beats_keep_the_orders_alive(hall: Hall, clob: Clob) -> None:
    await clob.post(posting(clob.sign(wanted(UPDOWN))))
    for _ in range(3):
        assert await clob.heartbeat()
        hall.after(9_000)
    kept = await clob.read_open_orders()
    hall.after(10_000)
    gone = await clob.read_open_orders()

    assert isinstance(kept, facts.OpenOrdersRead)
    assert isinstance(gone, facts.OpenOrdersRead)
    assert (len(kept.order_ids), len(gone.order_ids)) == (1, 0)


async def test_gamma_is_read_to_the_same_markets(hall: Hall) -> None:
    """Tokens, ticks, fees, times and the strike survive the way through Gamma exactly."""
    async with http_client(str(hall.client.make_url("/gamma"))) as http:
        gamma = Gamma(http, hall.clock)
        found = [fact for fact in await gamma.markets() if isinstance(fact, facts.MarketListed)]
        unresolved = await gamma.resolution(UPDOWN.condition_id)
        hall.world.venue.resolve(UPDOWN.condition_id, Usdc(0), Usdc(MILLION), hall.clock.now_ns)
        hall.after(1)
        resolved = await gamma.resolution(UPDOWN.condition_id)

    blank = {"event_id": "", "category": "", "tags": (), "resolution_source": "", "created_ns": 0}
    assert all(fact.market.event_id and fact.market.created_ns for fact in found)
    assert [evolve(fact.market, **blank) for fact in found] == [UPDOWN, FED, CANARY]
    assert unresolved is None
    assert isinstance(resolved, facts.MarketResolved)
    assert (resolved.yes_payout, resolved.no_payout) == (0, MILLION)


class Listener:
    """A stream whose facts can be waited for."""

    def __init__(self, hall: Hall, path: str, link: Link) -> None:
        self.facts: list[Fact] = []
        self._more = asyncio.Condition()
        url = str(hall.client.make_url(path)).replace("http", "ws", 1)
        self.stream = Stream(url, link, hall.clock, self._hear)

    async def _hear(self, fact: Fact) -> None:
        async with self._more:
            self.facts.append(fact)
            self._more.notify_all()

    async def until(self, kind: type[Fact], count: int = 1) -> list[Any]:
        def enough() -> bool:
            return sum(isinstance(fact, kind) for fact in self.facts) >= count

        async with self._more, asyncio.timeout(WAIT_S):
            await self._more.wait_for(enough)
        return [fact for fact in self.facts if isinstance(fact, kind)]


@pytest.fixture
async def listening() -> AsyncIterator[Any]:
    tasks: list[asyncio.Task[Any]] = []

    async def listen(listener: Listener, *keys: str) -> Listener:
        if keys:
            await listener.stream.subscribe(keys)
        tasks.append(asyncio.create_task(listener.stream.run()))
        await listener.until(facts.LinkUp)
        return listener

    yield listen
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_the_engines_book_proves_every_hash(hall: Hall, listening: Any) -> None:
    """Level by level, through quotes, cancels and trades, on both tokens.

    Proves: A-exec
    """
    market = await listening(Listener(hall, "/ws/market", MarketLink()), *UPDOWN.tokens)
    await market.until(facts.BookSnapshot, 2)
    maker, taker = await hall.trader(1), await hall.trader(0)
    for step in range(8):
        side = UPDOWN.no_token if step % 2 else UPDOWN.yes_token
        await maker.place(UPDOWN, side, "BUY", f"0.{44 + step // 2}", "10")
        hall.after(3)
    await taker.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.55", "17")
    hall.after(3)
    await maker.ask("DELETE", "/cancel-all")
    hall.after(3)
    await market.until(facts.PriceChanged, 10)
    book, checked = Book(market=UPDOWN), 0
    for fact in market.facts:
        match fact:
            case facts.BookSnapshot():
                book.replace(fact.token_id, fact.bids, fact.asks)
            case facts.LastTrade():
                book.last_trade = fact.price_text
            case facts.PriceChanged():
                for change in fact.changes:
                    book.set_level(change.token_id, change.side, change.price, change.size)
                for change in fact.changes:
                    checked += 1
                    assert book.digest(change.token_id, fact.timestamp_ms) == change.hash
                    assert book.best_bid(change.token_id) == change.best_bid
                    assert book.best_ask(change.token_id) == change.best_ask

    assert checked > 20
    assert not [fact for fact in market.facts if isinstance(fact, facts.BadInput)]


async def test_the_engine_hears_its_own_fills(hall: Hall, clob: Clob, listening: Any) -> None:
    user = await listening(Listener(hall, "/ws/user", UserLink(clob.credentials)))
    for _ in range(1000):
        if hall.floor.hub.heard_by(Account(DEVELOPMENT_KEYS[0]).address):
            break
        await asyncio.sleep(0)
    maker = await hall.trader(1)
    await maker.place(UPDOWN, UPDOWN.no_token, "BUY", "0.6", "10")
    await clob.post(posting(clob.sign(wanted(UPDOWN))))
    hall.after(2_000)
    hall.after(3_000)

    trades = await user.until(facts.TradeReported, 3)
    pushes = await user.until(facts.OrderPushed, 1)

    assert [trade.status for trade in trades] == ["MATCHED", "MINED", "CONFIRMED"]
    assert pushes[0].kind == "PLACEMENT"
    assert not [fact for fact in user.facts if isinstance(fact, facts.BadInput)]


async def test_the_engine_hears_the_settlement_price(hall: Hall, listening: Any) -> None:
    oracle = await listening(Listener(hall, "/ws/rtds", OracleLink()), "btc/usd")
    for _ in range(1000):
        if any(one.wanted for one in hall.floor.hub._oracle):
            break
        await asyncio.sleep(0)
    hall.world.coming = [Report("btc/usd", 63_304_200301195075000001, 1_780_876_801_000)]
    hall.after(1)

    report = (await oracle.until(facts.OracleReported))[0]

    assert (report.value_e18, report.report_ms) == (63_304_200301195075000001, 1_780_876_801_000)
    assert not [fact for fact in oracle.facts if isinstance(fact, facts.BadInput)]

"""Carries the kernel's commands to the venue, and brings the answers back as facts.

It decides nothing: one command, one adapter call, its facts into the inbox.  Every call runs in
a task of the engine's group, so that a slow answer delays nobody and a fault is seen.
"""

import asyncio
import logging
from collections.abc import Iterable
from typing import Final

from polybawt.core import commands as c
from polybawt.core import facts
from polybawt.core.machine import Command, Fact
from polybawt.core.market import Market
from polybawt.engine.clock import Clock
from polybawt.engine.inbox import Inbox
from polybawt.venue.clob import Clob
from polybawt.venue.gamma import Gamma
from polybawt.venue.stream import Stream

CALLS_MAX: Final = 100  # orders and reads on their way at once
MARKETS_MAX: Final = 5_000
LEVELS: Final = {"info": logging.INFO, "warning": logging.WARNING, "critical": logging.CRITICAL}

log = logging.getLogger("polybawt.engine")


class Shell:
    """``stopped`` is set when the kernel has nothing more to withdraw."""

    def __init__(
        self,
        *,
        clob: Clob,
        gamma: Gamma,
        market: Stream,
        oracle: Stream,
        inbox: Inbox,
        clock: Clock,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._clob, self._gamma = clob, gamma
        self._market, self._oracle = market, oracle
        self._inbox, self._clock, self._tasks = inbox, clock, tasks
        self._slots = asyncio.Semaphore(CALLS_MAX)
        self._known: dict[str, Market] = {}
        self._asking: set[str] = set()
        self.stopped = asyncio.Event()

    def carry(self, command: Command) -> None:
        """Start carrying one command out."""
        match command:
            case c.Notify():
                log.log(LEVELS[command.severity], "%s: %s", command.name, command.text)
            case c.Stop():
                self.stopped.set()
            case c.FetchMarkets() | c.FetchResolution():  # one at a time of each: they are polls
                key = str(command)
                if key not in self._asking:
                    self._asking.add(key)
                    self._tasks.create_task(self._poll(command, key), name=key)
            case _:
                self._tasks.create_task(self._call(command), name=type(command).__name__)

    async def _poll(self, command: Command, key: str) -> None:
        try:
            await self._call(command)
        finally:
            self._asking.discard(key)

    async def _call(self, command: Command) -> None:
        async with self._slots:
            answers = await self._answers(command)
        for fact in answers:
            await self._inbox.put(fact)

    async def _answers(self, command: Command) -> Iterable[Fact]:
        match command:
            case c.SignOrder():
                return (self._clob.sign(command),)
            case c.PostOrder():
                return (await self._clob.post(command),)
            case c.CancelOrder():
                answer = await self._clob.cancel(command)
                return (answer,) if command.intent_id else ()
            case c.Subscribe():
                await self._market.subscribe(command.tokens)
                return ()
            case c.Unsubscribe():
                await self._market.unsubscribe(command.tokens)
                return ()
            case c.FollowOracle():
                await self._oracle.subscribe(command.symbols)
                return ()
            case c.CancelAll():
                return await self._clob.cancel_all()
            case c.ReadOrder():
                return (await self._clob.read_order(command),)
            case c.ReadOpenOrders():
                return (await self._clob.read_open_orders(),)
            case c.ReadTrades():
                return await self._clob.read_trades(command)
            case c.ReadBalance():
                return (await self._clob.read_balance(command),)
            case c.FetchBook():
                return (await self._clob.fetch_book(command),)
            case c.FetchMarkets():
                return self._news(await self._gamma.markets())
            case c.FetchResolution():
                found = await self._gamma.resolution(command.condition_id)
                return () if found is None else (found,)
            case _:
                raise AssertionError(f"nobody carries {command}")

    def _news(self, listed: Iterable[Fact]) -> list[Fact]:
        """Of the markets listed, those that say something new: the rest is no fact."""
        news: list[Fact] = []
        for fact in listed:
            if isinstance(fact, facts.MarketListed):
                key = fact.market.condition_id
                if self._known.get(key) == fact.market:
                    continue
                self._known[key] = fact.market
                while len(self._known) > MARKETS_MAX:
                    del self._known[next(iter(self._known))]
            news.append(fact)
        return news

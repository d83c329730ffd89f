"""Carries the kernel's commands to the venue, and brings the answers back as facts.

It decides nothing: one command, one adapter call, its facts into the inbox.  Every call runs in
a task of the engine's group, so that a slow answer delays nobody and a fault is seen.  Orders,
cancels, reads and the catalogue have a lane each: a venue whose reads or orders hang must not
keep a cancel waiting, and the cancel of everything waits for nobody.  An order that waited for
its turn asks once more at the socket whether it may leave: a kill may have come meanwhile.  What
is refused there is known never to have left.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Final

from polybawt.core import commands as c
from polybawt.core import facts
from polybawt.core.machine import Command, Fact
from polybawt.core.market import Market
from polybawt.engine.inbox import Inbox
from polybawt.venue.clob import Clob
from polybawt.venue.clock import Clock
from polybawt.venue.gamma import Gamma
from polybawt.venue.onchain import Onchain
from polybawt.venue.prints import Prints
from polybawt.venue.stream import Stream, Streams

ORDERS_MAX: Final = 50  # on their way at once; all together, what one client may connect
CANCELS_MAX: Final = 25
READS_MAX: Final = 20
LISTINGS_MAX: Final = 10
MARKETS_MAX: Final = 5_000
LEVELS: Final = {"info": logging.INFO, "warning": logging.WARNING, "critical": logging.CRITICAL}

log = logging.getLogger("polybawt.engine")


class Shell:
    """``barred`` says why the order of an intent may not leave after all; ``stopped`` is set when
    none rests any more.
    """

    def __init__(
        self,
        *,
        clob: Clob,
        chain: Onchain,
        gamma: Gamma,
        market: Streams,
        oracle: Stream,
        inbox: Inbox,
        clock: Clock,
        tasks: asyncio.TaskGroup,
        barred: Callable[[str], str],
        prints: Prints | None = None,
    ) -> None:
        self._clob, self._chain = clob, chain
        self._gamma, self._prints = gamma, prints
        self._market, self._oracle = market, oracle
        self._inbox, self._clock, self._tasks, self._barred = inbox, clock, tasks, barred
        self._orders = asyncio.Semaphore(ORDERS_MAX)
        self._cancels = asyncio.Semaphore(CANCELS_MAX)
        self._reads = asyncio.Semaphore(READS_MAX)
        self._listings = asyncio.Semaphore(LISTINGS_MAX)
        self._calls: set[asyncio.Task[None]] = set()
        self._known: dict[str, Market] = {}
        self._asking: set[str] = set()
        self._standings: dict[str, str] = {}
        self.stopped = asyncio.Event()

    def carry(self, command: Command) -> None:
        """Start carrying one command out."""
        match command:
            case c.Notify():
                log.log(LEVELS[command.severity], "%s: %s", command.name, command.text)
            case c.Stop():
                self.stopped.set()
            case c.FetchMarkets() | c.FetchResolution() | c.FetchPrint():  # polls: one of each
                key = str(command)
                if key not in self._asking:
                    self._asking.add(key)
                    self._start(self._poll(command, key), key)
            case _:
                self._start(self._call(command), type(command).__name__)

    def abandon(self) -> None:
        """Wait for no answer any more: what is under way is settled by the next life's reads."""
        for call in self._calls:
            call.cancel()

    def _start(self, work: Coroutine[None, None, None], name: str) -> None:
        call = self._tasks.create_task(work, name=name)
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)

    async def _poll(self, command: Command, key: str) -> None:
        try:
            await self._call(command)
        finally:
            self._asking.discard(key)

    async def _call(self, command: Command) -> None:
        async with self._lane(command):
            answers = await self._answers(command)
        for fact in answers:
            await self._inbox.put(fact)

    def _lane(self, command: Command) -> AbstractAsyncContextManager[None]:
        match command:
            case c.SignOrder() | c.PostOrder() | c.Convert():
                return self._orders
            case c.CancelOrder():
                return self._cancels
            case c.CancelAll() | c.ProbeVenue():
                return nullcontext()
            case c.FetchMarkets() | c.FetchResolution() | c.FetchPrint():
                return self._listings
            case _:
                return self._reads

    async def _answers(self, command: Command) -> Iterable[Fact]:
        match command:
            case c.SignOrder():
                return (self._clob.sign(command),)
            case c.PostOrder():
                said, news = await self._clob.place(command, self._barred)
                return (*news, said)  # what it tells of the venue first: others are waiting
            case c.CancelOrder():
                answer, heard = await self._clob.withdraw(command)
                return (*heard, answer) if command.intent_id else heard
            case c.ProbeVenue():
                return await self._clob.probe()
            case c.Subscribe():
                await self._market.subscribe(command.tokens, command.link)
                return ()
            case c.Unsubscribe():
                await self._market.unsubscribe(command.tokens, command.link)
                return ()
            case c.Reconnect():
                await self._market.reconnect(command.link, command.reason)
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
            case c.Convert():
                return (await self._chain.carry(command),)
            case c.ReadConversion():
                return (await self._chain.look(command),)
            case c.FetchBook():
                return (await self._clob.fetch_book(command),)
            case c.FetchPrint():
                sized = await self._prints.look_up(command) if self._prints else None
                return () if sized is None else (sized,)
            case c.FetchMarkets():
                return self._news(await self._gamma.markets())
            case c.FetchResolution():
                return await self._resolution(command.condition_id)
            case _:
                raise AssertionError(f"nobody carries {command}")

    async def _resolution(self, condition_id: str) -> list[Fact]:
        """The two sources that can be asked; the CLOB's word does not wait for Gamma's."""
        said = await self._clob.read_outcome(condition_id)
        if said is not None:
            await self._inbox.put(said)
        found = await self._gamma.resolution(condition_id)
        found = found or await self._gamma.standing(condition_id)
        if isinstance(found, facts.ResolutionReported):
            if self._standings.get(condition_id) == found.status:
                return []
            self._standings[condition_id] = found.status
            while len(self._standings) > MARKETS_MAX:
                del self._standings[next(iter(self._standings))]
        return [] if found is None else [found]

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

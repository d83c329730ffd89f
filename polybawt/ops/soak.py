"""The engine against an exchange that lies: is every lost frame noticed?

Our exchange and a real engine in this process, over loopback HTTP and WebSockets.  Frames are
dropped, doubled, reordered, cut short and withheld; reads are slow, refused and cut; connections
are severed, and the exchange restarts.  All the while both sides are compared, which only works
because one loop holds both: a book that the kernel calls fresh and that differs from the
exchange's for longer than the limit is an *undetected* gap.  At the end nothing is wrong any more,
the world stands still, and every book must be fresh and equal.

Times are seconds of the venue's clock unless they say real; the limit is what the watchdog
promises: a probe interval, and room for probes that are themselves lost.
"""

import asyncio
import random
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from attrs import define, field

from polybawt.core import facts
from polybawt.core.book import Levels
from polybawt.core.risk import Limits
from polybawt.core.state import Config
from polybawt.core.units import SECOND_NS
from polybawt.engine.config import EngineConfig, VenueUrls
from polybawt.engine.engine import Engine, identity, recovered
from polybawt.engine.journal import Journal
from polybawt.exchange.config import DEVELOPMENT_KEYS, ExchangeConfig
from polybawt.exchange.floor import Floor
from polybawt.exchange.server import HOST, STEP_S, application
from polybawt.exchange.worlds import chosen
from polybawt.sim.faults import Fault
from polybawt.venue.clock import Clock
from polybawt.venue.signing import Account

PROBE_S: Final = 2.0
LIMIT_S: Final = 5 * PROBE_S  # a probe may be lost, and the one after it
REST_S: Final = 30.0  # until the last doubt is settled: reads back off
WINDOW_S: Final = 120
DOWN_REAL_S: Final = 0.5
LOOK_REAL_S: Final = 0.02
START_REAL_S_MAX: Final = 30.0
CUT_EVERY_S: Final = 15.0  # a connection of the market channel, on average
RESTART_EVERY_S: Final = 60.0
FAULTS: Final = (
    Fault(kind="drop", path="/ws/", share=0.02),
    Fault(kind="duplicate", path="/ws/", share=0.02),
    Fault(kind="reorder", path="/ws/", share=0.02),
    Fault(kind="truncate", path="/ws/", share=0.01),
    Fault(kind="silence", path="/ws/market", share=0.002, seconds=15.0),
    Fault(kind="slow", method="GET", path="/book", share=0.05, seconds=0.3),
    Fault(kind="reset", method="GET", path="/book", share=0.03),
    Fault(kind="error_500", method="GET", path="/book", share=0.03),
    Fault(kind="too_many", method="GET", path="/book", share=0.01, seconds=1.0),
)
NOTICED: Final = (
    "batch_hash_mismatch", "ws_book_hash_mismatch", "rest_book_hash_mismatch",
    "best_price_mismatch", "changes_out_of_order", "books_out_of_order", "bad_input",
    "probes_differed", "forced_reconnects", "notice:link_down", "link_gaps", "missed_frames",
)  # fmt: skip
WATCHED: Final = (
    "probes", "probes_agreed", "changes_overtaken", "early_changes", "level_changes",
    "batch_hash_ok", "ws_book_hash_ok", "rest_book_hash_ok",
)  # fmt: skip

Tell = Callable[[str], None]


@define
class House:
    """One exchange over one world, whose server can end and begin again on the same port."""

    floor: Floor
    port: int = 0
    restarts: int = 0
    cuts: int = 0
    runner: web.AppRunner | None = field(default=None, repr=False)

    async def open(self) -> None:
        app = application(self.floor, "soak", asyncio.Event())
        self.runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self.runner.setup()
        await web.TCPSite(self.runner, HOST, self.port, reuse_address=True).start()
        self.port = self.runner.addresses[0][1]

    async def close(self) -> None:
        self.floor.hub.cut_all()
        if self.runner is not None:
            await self.runner.cleanup()

    async def restart(self) -> None:
        """Everybody is thrown out, and for a while nobody answers; the world goes on."""
        self.restarts += 1
        await self.close()
        await asyncio.sleep(DOWN_REAL_S)
        await self.open()

    async def pulse(self) -> None:
        while True:
            self.floor.step()
            await asyncio.sleep(STEP_S)

    async def trouble(self, lots: random.Random, rate: float) -> None:
        """Cut connections and restart, at random moments, for ever."""
        while True:
            every_s = 1 / (1 / CUT_EVERY_S + 1 / RESTART_EVERY_S)
            await asyncio.sleep(lots.expovariate(1 / every_s) / rate)
            if lots.random() < every_s / RESTART_EVERY_S:
                await self.restart()
            else:
                self.cuts += 1
                self.floor.hub.cut_all()


@define
class Compared:
    """What looking at both sides found. ``since_ns``: when a fresh book began to differ."""

    looks: int = 0
    books: int = 0
    fresh: int = 0
    undetected: int = 0
    longest_ns: int = 0
    since_ns: dict[str, int] = field(factory=dict)
    told: set[str] = field(factory=set)

    def look(self, engine: Engine, floor: Floor, limit_ns: int) -> None:
        """Compare every book that is followed, now."""
        self.looks += 1
        now_ns, state = floor.now_ns(), engine.state
        for token in state.subscribed:
            if floor.venue.market_of(token) is None:
                continue
            self.books += 1
            fresh = state.feeds[token].state == "fresh"
            self.fresh += fresh
            if not fresh or ours(engine, token) == floor.venue.levels(token):
                self.since_ns.pop(token, None)
                self.told.discard(token)
                continue
            wrong_ns = now_ns - self.since_ns.setdefault(token, now_ns)
            self.longest_ns = max(self.longest_ns, wrong_ns)
            if wrong_ns > limit_ns and token not in self.told:
                self.told.add(token)
                self.undetected += 1


def ours(engine: Engine, token: str) -> tuple[Levels, Levels]:
    """The kernel's copy of one book, in the exchange's order."""
    book = engine.state.books.get(engine.state.market_of.get(token, ""))
    return book.levels(token) if book else ((), ())


def kernel(rate: float) -> Config:
    """Nobody trades; the watchdog is quick, and patience is stretched with the clock."""

    def ns(seconds: float) -> int:
        return int(seconds * SECOND_NS)

    return Config(
        strategies=(),
        limits=Limits(book_age_ns_max=ns(3 * max(rate, 1))),
        probe_ns=ns(PROBE_S),
        poll_ns=ns(0.2 * max(rate, 1)),
        group_ns=ns(0.05 * max(rate, 1)),
        subscribe_ns=ns(WINDOW_S),
        discover_ns=ns(max(rate, 1)),
    )


async def soak(
    minutes: float, seed: int, *, rate: float = 1.0, tell: Tell = lambda _: None
) -> dict[str, Any]:
    """Run for so many real minutes; what was done, what was noticed, and what was not."""
    config = ExchangeConfig(
        accounts=2, announce=False, window_s=WINDOW_S, seed=seed, rate=rate, limits="off"
    )
    real_ns = time.time_ns()
    world = chosen(config, real_ns)
    clock = Clock(real_ns=real_ns, venue_ns=world.start_ns, rate=rate)
    house = House(Floor(config, world, clock))
    lots = random.Random(seed)  # noqa: S311 - the same troubles every time, nothing secret
    found = Compared()
    await house.open()
    with tempfile.TemporaryDirectory(prefix="soak-") as directory:
        try:
            async with _running(house, clock, Path(directory)) as engine:
                began = time.monotonic()
                house.floor.faults.add(FAULTS)
                trouble = asyncio.create_task(house.trouble(lots, rate))
                await _watch(engine, house, found, began + minutes * 60, tell)
                trouble.cancel()
                await asyncio.gather(trouble, return_exceptions=True)
                await _calm(house, rate)
                seconds = time.monotonic() - began
                await _watch(engine, house, found, time.monotonic() + REST_S / rate, lambda _: None)
                return _result(engine, house, found, seconds) | {"seed": seed, "rate": rate}
        finally:
            await house.close()


async def _calm(house: House, rate: float) -> None:
    """Nothing goes wrong any more, and the world stands still."""
    house.floor.faults.clear()
    if house.runner is None or not house.runner.addresses:  # it was cancelled while it was down
        await house.open()
    house.floor.freeze()


@asynccontextmanager
async def _running(house: House, clock: Clock, directory: Path) -> AsyncIterator[Engine]:
    """The exchange's pulse and one life of the engine; a fault of either is raised here."""
    account, config = Account(DEVELOPMENT_KEYS[0]), _engine_config(house, clock, directory)
    path = directory / "journal.sqlite"
    journal = await Journal.open(path, identity=identity(config, account))
    try:
        engine = Engine(config, journal, await recovered(journal))
        pulse = asyncio.create_task(house.pulse())
        life = asyncio.create_task(engine.run(account, lambda _: None))
        try:
            async with asyncio.timeout(START_REAL_S_MAX):
                while not _ready(engine):
                    _alive(life, pulse)
                    await asyncio.sleep(LOOK_REAL_S)
            yield engine
            _alive(life, pulse)
            engine.inbox.put_urgent(facts.StopRequested(at_ns=clock()))
            async with asyncio.timeout(START_REAL_S_MAX):
                await life
        finally:
            for task in (life, pulse):
                task.cancel()
            await asyncio.gather(life, pulse, return_exceptions=True)
    finally:
        await journal.close()


def _ready(engine: Engine) -> bool:
    """It trades, and knows the books of what it follows."""
    state = engine.state
    known = {state.feeds[token].state for token in state.subscribed}
    return state.phase == "trading" and known == {"fresh"}


def _alive(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        if task.done():
            task.result()
            raise RuntimeError(f"{task.get_name()} ended by itself")


def _engine_config(house: House, clock: Clock, directory: Path) -> EngineConfig:
    http, ws = f"http://{HOST}:{house.port}", f"ws://{HOST}:{house.port}/ws"
    return EngineConfig(
        venue=VenueUrls(
            clob_url=http,
            gamma_url=f"{http}/gamma",
            ws_market_url=f"{ws}/market",
            ws_user_url=f"{ws}/user",
            rtds_url=f"{ws}/rtds",
            prices_ws_url=f"{ws}/prices",
        ),
        state_dir=str(directory),
        clock=clock,
        kernel=kernel(clock.rate),
        tick_s=0.05 * clock.rate,
        ping_s=0.5,
        heartbeat_s=0.0,
    )


async def _watch(engine: Engine, house: House, found: Compared, until: float, tell: Tell) -> None:
    """Compare both sides again and again, and say how it goes once a second."""
    limit_ns, told_at = int(LIMIT_S * SECOND_NS), 0.0
    while (now := time.monotonic()) < until:
        found.look(engine, house.floor, limit_ns)
        if now - told_at >= 1.0:
            told_at = now
            struck = len(house.floor.faults.struck)
            tell(
                f"{until - now:.0f} s left, {struck} frames spoilt, {house.cuts} cuts, "
                f"{house.restarts} restarts, {found.undetected} undetected"
            )
        await asyncio.sleep(LOOK_REAL_S)


def _result(engine: Engine, house: House, found: Compared, seconds: float) -> dict[str, Any]:
    state, faults = engine.state, house.floor.faults
    struck = [one for one in faults.struck if one.path == "/ws/market"]
    followed = [t for t in state.subscribed if house.floor.venue.market_of(t) is not None]
    fresh = [token for token in followed if state.feeds[token].state == "fresh"]
    wrong = [t for t in fresh if ours(engine, t) != house.floor.venue.levels(t)]
    undetected = found.undetected + len(wrong)
    spoilt = Counter(one.kind for one in struck)
    count = state.counters
    return {
        "ok": not undetected and bool(fresh) and len(fresh) == len(followed),
        "seconds": round(seconds, 1),
        "limit_s": LIMIT_S,
        "exchange": {
            "frames_spoilt": dict(sorted(spoilt.items())),
            "tokens_struck": len({token for one in struck for token in one.tokens}),
            "faults": dict(sorted(faults.tally.items())),
            "connections": faults.connections,
            "cuts": house.cuts,
            "restarts": house.restarts,
        },
        "noticed": {name: count[name] for name in NOTICED if name in count},
        "watched": {name: count[name] for name in WATCHED if name in count},
        "doubts": sum(feed.mismatched for feed in state.feeds.values()),
        "looks": found.looks,
        "books_compared": found.books,
        "fresh_share": round(found.fresh / max(found.books, 1), 4),
        "longest_wrong_s": round(found.longest_ns / SECOND_NS, 2),
        "books_at_rest": len(followed),
        "fresh_at_rest": len(fresh),
        "wrong_at_rest": len(wrong),
        "undetected": undetected,
    }

"""What the engine's wire tests share: a real exchange in this process, and engines against it.

The exchange is the one that paper trading uses, on a loopback port of its own.  A test may put
answers of its own in the way of a route, and may say whatever it likes on the streams.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from polybawt.core import facts
from polybawt.core.market import Market, Side
from polybawt.core.state import Config
from polybawt.core.units import Price, Shares
from polybawt.engine.config import EngineConfig, VenueUrls
from polybawt.engine.engine import Engine, identity, recovered
from polybawt.engine.journal import Journal
from polybawt.exchange.config import DEVELOPMENT_KEYS, ExchangeConfig
from polybawt.exchange.floor import Floor
from polybawt.exchange.server import application
from polybawt.exchange.worlds import chosen
from polybawt.sim.records import Accepted, Placement, Refused, VenueOrder
from polybawt.venue.clock import Clock
from polybawt.venue.signing import Account

KEY = DEVELOPMENT_KEYS[0]
ACCOUNT = Account(KEY)
STRANGER = Account(DEVELOPMENT_KEYS[1]).address
STEP_S = 0.02
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def until(true: Callable[[], object], seconds: float = 15.0) -> None:
    """Wait for what must come true; the loop is real, so time passes meanwhile."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.005)


class Town:
    """An exchange on the wire, and its inside."""

    def __init__(self, floor: Floor) -> None:
        self.floor = floor
        self.url = ""
        self.answers: dict[tuple[str, str], deque[web.Response]] = {}
        self.spoilt: dict[tuple[str, str], deque[web.Response]] = {}
        self.holds: Callable[[web.Request], bool] = lambda _: False
        self.sockets: dict[str, asyncio.Transport] = {}
        self.asked: Counter[str] = Counter()
        self._placed = 0

    @web.middleware
    async def between(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Hold the request, or give the test's answer instead of the exchange's."""
        self.asked[f"{request.method} {request.path}"] += 1
        if isinstance(request.transport, asyncio.Transport):
            self.sockets[request.path] = request.transport
        while self.holds(request):
            await asyncio.sleep(STEP_S)
        key = request.method, request.path
        if waiting := self.answers.get(key):
            return waiting.popleft()
        answer = await handler(request)
        return spoilt.popleft() if (spoilt := self.spoilt.get(key)) else answer

    def instead(self, method: str, path: str, *answers: web.Response) -> None:
        """The exchange does not see the next requests; these are their answers."""
        self.answers[method, path] = deque(answers)

    def spoil(self, method: str, path: str, *answers: web.Response) -> None:
        """The exchange does what it is asked, and these are the answers."""
        self.spoilt[method, path] = deque(answers)

    def config(self, directory: Path, **settings: Any) -> EngineConfig:
        stream = self.url.replace("http", "ws")
        venue = VenueUrls(
            clob_url=self.url,
            gamma_url=f"{self.url}/gamma",
            ws_market_url=f"{stream}/ws/market",
            ws_user_url=f"{stream}/ws/user",
            rtds_url=f"{stream}/ws/rtds",
        )
        kernel = settings.pop("kernel", Config())
        return EngineConfig(
            venue=venue, state_dir=str(directory), kernel=kernel, tick_s=0.05, **settings
        )

    # What the exchange knows of us.

    @property
    def ours(self) -> list[VenueOrder]:
        return self.floor.venue.open_orders(ACCOUNT.address)

    @property
    def accepted(self) -> list[str]:
        orders = self.floor.account(ACCOUNT.address)["orders"]
        assert isinstance(orders, list)
        return orders

    def drift(self, engine: Engine) -> int:
        """The largest difference between the engine's ledger and the exchange's account."""
        totals = dict(self.floor.venue.holdings(ACCOUNT.address))
        cash = totals.pop("", 0) - engine.state.ledger.cash
        held = engine.state.ledger.holdings
        return max(abs(cash), *(abs(totals[t] - held.get(t, 0)) for t in totals), 0)

    # What others do.

    def take(self, order: VenueOrder, shares: int, price: int | None = None) -> None:
        """A stranger sells into one of our bids, so many millionths of a share."""
        terms = order.placement
        self._placed += 1
        self.floor.venue.grant(STRANGER, terms.token_id, Shares(shares))
        placed = self.floor.venue.place(
            Placement(
                owner=STRANGER,
                order_id=f"0x{self._placed:064x}",
                token_id=terms.token_id,
                side=Side.SELL,
                price=Price(price or terms.price),
                size=Shares(shares),
            ),
            self.floor.now_ns(),
        )
        assert not isinstance(placed, Refused), placed
        assert isinstance(placed, Accepted)

    def say_market(self, frame: bytes | str) -> None:
        self.floor.hub.to_custom(frame.encode() if isinstance(frame, str) else frame)

    def say_user(self, frame: bytes | str) -> None:
        raw = frame.encode() if isinstance(frame, str) else frame
        self.floor.hub.to_user(ACCOUNT.address, "", raw)

    def say_oracle(self, frame: bytes | str) -> None:
        raw = frame.encode() if isinstance(frame, str) else frame
        self.floor.hub.to_oracle("btc/usd", raw)


@asynccontextmanager
async def town(*, quiet: bool = True, window_s: int = 60, **settings: Any) -> AsyncIterator[Town]:
    """A running exchange; a quiet one has nobody in it but the engine and the test."""
    config = ExchangeConfig(
        accounts=2, announce=False, window_s=window_s, quiet_world=quiet, seed=7, **settings
    )
    now_ns = time.time_ns()
    world = chosen(config, now_ns)
    found = Town(Floor(config, world, Clock(real_ns=now_ns, venue_ns=world.start_ns)))
    app = application(found.floor, "token", asyncio.Event())
    app.middlewares.append(found.between)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    pulse = asyncio.create_task(_pulse(found.floor))
    try:
        yield found
    finally:
        pulse.cancel()
        found.floor.hub.cut_all()
        await runner.cleanup()


async def _pulse(floor: Floor) -> None:
    while True:
        floor.step()
        await asyncio.sleep(STEP_S)


@asynccontextmanager
async def journal_of(config: EngineConfig) -> AsyncIterator[Journal]:
    """The journal of that engine; one that is left open would keep the process."""
    path = config.directory / "journal.sqlite"
    journal = await Journal.open(path, identity=identity(config, ACCOUNT))
    try:
        yield journal
    finally:
        await journal.close()


@asynccontextmanager
async def engine(
    config: EngineConfig, *, stop: bool = True, keep_secret: Callable[[str], None] = lambda _: None
) -> AsyncIterator[Engine]:
    """One life of the engine in this process, from recovery to a graceful stop."""
    async with journal_of(config) as journal:
        alive = Engine(config, journal, await recovered(journal))
        epoch = alive.state.epoch
        running = asyncio.create_task(alive.run(ACCOUNT, keep_secret))
        try:
            await until(lambda: alive.state.epoch > epoch or running.done())
            await until(lambda: alive.state.phase == "trading" or running.done())
            yield alive
            if stop:
                alive.inbox.put_urgent(facts.StopRequested(at_ns=alive.clock()))
                async with asyncio.timeout(20):
                    await running
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def journaled(config: EngineConfig) -> list[tuple[str, bytes]]:
    """Kind and body of every fact in a journal that is closed."""
    async with journal_of(config) as journal:
        return [(entry.kind, entry.body) async for entry in journal.entries()]


def html(status: int = 200) -> web.Response:
    """What a tired gateway answers."""
    page = "<html><body>502 Bad Gateway</body></html>"
    return web.Response(text=page, status=status, content_type="text/html")


def bad(alive: Engine) -> int:
    return alive.state.counters.get("bad_input", 0)


def market_of(alive: Engine) -> Market:
    """A market that the engine follows."""
    return alive.state.markets[alive.state.market_of[next(iter(alive.state.subscribed))]]

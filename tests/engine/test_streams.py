"""The engine's connections end to end: several at once, a silent one, and one that returns."""

import asyncio
from pathlib import Path
from typing import Any

from aiohttp import web
from attrs import evolve

from polybawt.core.state import Config
from polybawt.core.units import SECOND_NS
from polybawt.engine.engine import Engine
from polybawt.sim.faults import Fault
from tests.engine.town import engine, town, until

QUIET = Config(strategies=(), subscribe_ns=600 * SECOND_NS)


def followed(alive: Engine, link: str) -> set[str]:
    """The states of the books that one connection carries."""
    state = alive.state
    return {state.feeds[token].state for token, by in state.subscribed.items() if by == link}


async def test_markets_beyond_one_connection_get_another(tmp_path: Path) -> None:
    """Each is resubscribed by itself, and falls by itself. Proves: reference 4.1."""
    kernel = evolve(QUIET, link_tokens_max=2)
    async with town() as t, engine(t.config(tmp_path, kernel=kernel)) as alive:
        await until(lambda: followed(alive, "market") == followed(alive, "market.1") == {"fresh"})
        links = dict.fromkeys(alive.state.subscribed.values())
        await until(lambda: all(followed(alive, link) == {"fresh"} for link in links))
        t.sockets["/ws/market"].close()  # that of the latest of them
        await until(lambda: [alive.state.feeds[link].losses for link in links].count(1) == 1)
        await until(lambda: all(followed(alive, link) == {"fresh"} for link in links))

        assert alive.state.feeds["market"].losses == 0
        assert sum(alive.state.feeds[link].losses for link in links) == 1


async def test_a_silent_connection_is_found_out_and_made_anew(tmp_path: Path) -> None:
    """PONG goes on and data stop: the books are read, and the connection is replaced.

    Proves: reference 6, item 9.
    """
    kernel = evolve(QUIET, probe_ns=SECOND_NS // 2, poll_ns=SECOND_NS // 4)
    async with (
        town(quiet=False) as t,
        engine(t.config(tmp_path, kernel=kernel, ping_s=0.2)) as alive,
    ):
        await until(lambda: followed(alive, "market") == {"fresh"})
        t.floor.faults.add([Fault(kind="silence", path="/ws/market", count=1, seconds=1e4)])
        await until(lambda: alive.state.counters.get("forced_reconnects", 0) > 0)
        await until(lambda: followed(alive, "market") == {"fresh"})

        assert alive.state.counters["probes_differed"] > 0
        assert alive.state.counters["notice:silent_stream"] > 0


async def test_nothing_leaves_between_a_users_reconnect_and_the_reads(tmp_path: Path) -> None:
    """Orders and trades are read first; an answer that fails is asked for again.

    Proves: faults (socket lost mid-fill), reference 6 item 11.
    """
    busy: Any = {"error": "Internal server error"}
    async with town() as t, engine(t.config(tmp_path, kernel=QUIET)) as alive:
        await until(lambda: alive.state.user_link() == "fresh")
        held = asyncio.Event()
        t.holds = lambda request: request.path == "/data/trades" and not held.is_set()
        t.instead("GET", "/data/orders", web.json_response(busy, status=500))
        fallen = alive.state.counters.get("notice:link_down", 0)
        t.sockets["/ws/user"].close()
        await until(lambda: alive.state.counters.get("notice:link_down", 0) > fallen)
        await until(lambda: alive.state.feeds["user"].state == "fresh")
        assert alive.state.user_link() == "rereading"
        held.set()
        await until(lambda: alive.state.user_link() == "fresh")


async def test_credentials_that_are_refused_bar_orders_and_end_the_dials(tmp_path: Path) -> None:
    """The venue says nothing, and cuts; three times is an answer. Proves: reference 4.3."""
    async with town() as t, engine(t.config(tmp_path, kernel=QUIET)) as alive:
        await until(lambda: alive.state.user_link() == "fresh")
        t.floor.ring.user = lambda *_: None  # type: ignore[method-assign]
        t.sockets["/ws/user"].close()
        await until(lambda: "credentials" in alive.state.breakers)
        dials = t.asked["GET /ws/user"]
        await until(lambda: alive.state.feeds["user"].state == "down")

        assert alive.state.breakers["credentials"].state == "latched"
        assert alive.state.counters["notice:credentials_refused"] == 1
        assert t.asked["GET /ws/user"] == dials


async def test_the_numbered_price_stream_feeds_the_engine(tmp_path: Path) -> None:
    """Where the configuration names it, in the place of the legacy one. Proves: reference 4.4."""
    async with town() as t:
        config = t.config(tmp_path, kernel=QUIET)
        prices = f"{t.url.replace('http', 'ws')}/ws/prices"
        config = evolve(config, venue=evolve(config.venue, prices_ws_url=prices))
        async with engine(config) as alive:
            await until(lambda: alive.state.counters.get("reports", 0) > 2)

            assert alive.state.feeds["oracle"].state == "fresh"
            assert t.asked["GET /ws/rtds"] == 0

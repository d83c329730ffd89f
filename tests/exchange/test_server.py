"""The exchange as a program: it says where it is, keeps its world moving, and stops when told."""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from polybawt.exchange.config import ExchangeConfig, exchange_config
from polybawt.exchange.main import run
from polybawt.exchange.replay import ReplayError
from polybawt.exchange.server import Card, PortTaken, serve

ROOT = Path(__file__).parents[2]
PROGRAM = """
import asyncio, sys
from polybawt.exchange.main import exchange_config, run
sys.exit(asyncio.run(run(exchange_config(seed=3, window_s=20))))
"""


class Running:
    def __init__(self, card: Card, http: aiohttp.ClientSession) -> None:
        self.card: dict[str, Any] = dict(card)
        self.http = http

    async def get(self, url: str) -> Any:
        async with self.http.get(url) as answer:
            return orjson.loads(await answer.read())


@pytest.fixture
async def running() -> AsyncIterator[Any]:
    """Starts real exchanges and stops them again."""
    tasks: list[tuple[asyncio.Task[None], asyncio.Event]] = []
    async with aiohttp.ClientSession() as http:

        async def start(config: ExchangeConfig) -> Running:
            ready: asyncio.Future[Card] = asyncio.get_running_loop().create_future()
            stopped = asyncio.Event()
            tasks.append((asyncio.create_task(serve(config, ready.set_result, stopped)), stopped))
            return Running(await asyncio.wait_for(ready, 10), http)

        yield start
        for task, stopped in tasks:
            stopped.set()
            await asyncio.wait_for(task, 10)


async def test_the_card_names_every_door(running: Any) -> None:
    one = await running(exchange_config(window_s=20))
    card = one.card

    assert await one.get(card["clob_url"] + "/version") == {"version": 2}
    listed = (await one.get(card["gamma_url"] + "/markets/keyset"))["markets"]
    assert [m["conditionId"] for m in listed] == [m["condition_id"] for m in card["markets"]]
    assert card["chain_id"] == 137
    assert card["accounts"][0]["address"] == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
    assert set(card["clock"]) == {"real_ns", "venue_ns", "rate"}
    for door in ("ws_market_url", "ws_user_url", "rtds_url", "prices_ws_url"):
        async with one.http.ws_connect(card[door]) as socket:
            assert not socket.closed


async def test_the_world_moves_by_itself(running: Any) -> None:
    """At sixty times the speed a report comes every few milliseconds of ours."""
    one = await running(exchange_config(window_s=20, speed=60))
    async with one.http.ws_connect(one.card["rtds_url"]) as socket:
        topic = {"topic": "crypto_prices_chainlink", "type": "*"}
        await socket.send_json({"action": "subscribe", "subscriptions": [topic]})
        frames = [orjson.loads((await socket.receive(timeout=10)).data) for _ in range(5)]

    seconds = [f["payload"]["timestamp"] for f in frames if f["type"] == "update"]
    assert len(seconds) >= 4
    assert [after - before for before, after in pairwise(seconds)] == [1000] * (len(seconds) - 1)


async def test_a_quiet_world_has_nobody_in_it(running: Any) -> None:
    one = await running(exchange_config(window_s=20, quiet_world=True, speed=10))
    token = one.card["markets"][-1]["yes_token"]

    book = await one.get(one.card["clob_url"] + f"/book?token_id={token}")

    assert (book["bids"], book["asks"]) == ([], [])


async def test_the_operator_stops_it(running: Any) -> None:
    one = await running(exchange_config())
    headers = {"Authorization": f"Bearer {one.card['admin_token']}"}

    async with one.http.post(one.card["admin_url"] + "/stop", headers=headers) as answer:
        assert answer.status == 200


async def test_a_taken_port_is_said_and_not_shared(running: Any) -> None:
    one = await running(exchange_config())
    port = int(one.card["clob_url"].rpartition(":")[2])

    with pytest.raises(PortTaken, match=str(port)):
        await serve(exchange_config(port=port), lambda _: None)


async def test_what_cannot_start_says_why(tmp_path: Path) -> None:
    missing = tmp_path / "none.raw.jsonl.gz"
    with pytest.raises(ReplayError, match="none"):
        await run(exchange_config(replay=str(missing)))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_the_program_in_order(number: signal.Signals) -> None:
    """It prints one line, and leaves with nothing on stderr."""
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, cwd=ROOT,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert program.stdout is not None
    card = orjson.loads(await asyncio.wait_for(program.stdout.readline(), 20))
    program.send_signal(number)
    rest, errors = await asyncio.wait_for(program.communicate(), 20)

    assert card["clock"]["real_ns"] <= time.time_ns()
    assert (rest, errors, program.returncode) == (b"", b"", 0)

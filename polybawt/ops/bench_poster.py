"""One HTTP client for ``polybawt bench rest``, in a process of its own: ours, or plain httpx.

Both carry the same signed orders through the same ``ask``, a hundred at a time; what differs is
what they stand on (decision D13).
"""

import asyncio
import importlib
import sys
import time
from typing import Any, Final

import orjson

from polybawt.ops.bench_terms import Json
from polybawt.ops.bench_wire import Caller, accepted, connected, percentile
from polybawt.venue.http import CONNECTIONS_MAX, NoAnswer, ask, http_client

PRICE: Final = 400_000
SIZE: Final = 5_000_000
PATH: Final = "/order"
WARM: Final = 2  # requests of each task before the clock starts: its connection is made


def plain(base_url: str) -> Any:
    """httpx as it comes, with as many connections as ours."""
    httpx = importlib.import_module("httpx")
    limits = httpx.Limits(
        max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_MAX
    )
    return httpx.AsyncClient(base_url=base_url, limits=limits, trust_env=False, timeout=30.0)


CLIENTS: Final = {"polybawt": http_client, "plain httpx": plain}


async def post(job: Json) -> Json:
    """Post so many orders with so many tasks; ``poor`` counts whatever was not accepted."""
    card, tasks, count = job["card"], job["tasks"], job["count"]
    caller = Caller(card["accounts"][0]["private_key"], card["chain_id"])
    line = await connected(card["clob_url"])
    await caller.login(line)
    line.close()
    token = card["markets"][0]["yes_token"]
    bodies = [
        orjson.dumps(caller.order(token, PRICE, SIZE)).decode() for _ in range(count + tasks * WARM)
    ]
    orders = iter([(body, caller.headers("POST", PATH, body)) for body in bodies])
    took_s, poor = list[float](), 0
    ready = asyncio.Barrier(tasks + 1)

    async def one() -> None:
        nonlocal poor
        body, headers = next(orders)
        begun_s = time.perf_counter()
        try:
            answer = await ask(http, "POST", PATH, headers=headers, content=body, deadline_s=60.0)
        except NoAnswer as lost:
            poor += 1
            sys.stderr.write(f"{lost}\n")
            return
        took_s.append(time.perf_counter() - begun_s)
        poor += not accepted((answer.status, answer.body))

    async def poster() -> None:
        for _ in range(WARM):
            await one()
        await ready.wait()  # all are connected
        await ready.wait()
        for _ in range(count // tasks):
            await one()

    async with CLIENTS[job["client"]](card["clob_url"]) as http, asyncio.TaskGroup() as group:
        posters = [group.create_task(poster()) for _ in range(tasks)]
        await ready.wait()
        took_s.clear()
        begun_s = time.perf_counter()
        await ready.wait()
        await asyncio.gather(*posters)
        lasted_s = time.perf_counter() - begun_s
    return {
        "per_s": len(took_s) / lasted_s,
        "p50_ms": percentile(took_s, 0.5) * 1e3,
        "p99_ms": percentile(took_s) * 1e3,
        "poor": poor,
    }


async def work() -> None:
    while line := sys.stdin.buffer.readline():
        sys.stdout.buffer.write(orjson.dumps({"result": await post(orjson.loads(line))}) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    asyncio.run(work())

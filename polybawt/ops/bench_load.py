"""The load of ``polybawt bench exchange``, a process of its own so that the exchange has a core.

Three kinds of job.  *orders*: as many single signed orders as the exchange takes.  *messages*:
traders whose batches meet in every market at once, and one subscriber that counts what it is told.
*half*: both at given rates, sent when they are due whatever became of those before, and each
answer timed from when its request was due.  Everything is signed before the clock starts.
"""

import asyncio
import gc
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

import aiohttp
import orjson
from attrs import frozen

from polybawt.core.units import MILLION
from polybawt.ops.bench_terms import Json
from polybawt.ops.bench_wire import (
    Answer,
    Caller,
    Line,
    accepted,
    all_accepted,
    connected,
    percentile,
)

SIZE: Final = 5 * MILLION
MARKETS_MAX: Final = 30  # of a lane each, and one leg of its batch
CENT: Final = 0.01  # in dollars: prices are whole cents
MEETING: Final = MILLION // 2  # where the batches meet
STEPS: Final = 41  # prices of single orders: cents from one up
LANES: Final = 4  # pairs of traders that do not wait for each other
LINES_HALF: Final = 64  # so that a late answer holds up no other
SETTLE_S: Final = 0.25  # without any message: the subscriber has heard all
TOLD_EVERY: Final = 200


@frozen
class Place:
    """A market that both traders of a lane quote in."""

    yes_token: str
    no_token: str
    neg_risk: bool


class Load:
    """The accounts of a card, logged in, and the markets that they trade."""

    def __init__(self, card: Json) -> None:
        self.card = card
        self.url: str = card["clob_url"]
        self.callers = [Caller(one["private_key"], card["chain_id"]) for one in card["accounts"]]
        self.places: list[Place] = []

    async def enter(self) -> None:
        line = await connected(self.url)
        for caller in self.callers:
            await caller.login(line)
        for market in self.card["markets"]:
            path = f"/clob-markets/{market['condition_id']}"
            terms = orjson.loads((await line.ask(self.callers[0].request("GET", path)))[1])
            if terms["mts"] <= CENT and len(self.places) < MARKETS_MAX:
                place = Place(market["yes_token"], market["no_token"], terms["nr"])
                self.places.append(place)
        line.close()

    def singles(self, count: int) -> list[bytes]:
        """Orders that rest, spread over prices below where the batches meet, and over markets."""
        caller, requests = self.callers[0], []
        for number in range(count):
            place = self.places[number % len(self.places)]
            price = (1 + number % STEPS) * 10_000
            order = caller.order(place.yes_token, price, SIZE, place.neg_risk)
            requests.append(caller.request("POST", "/order", order))
        return requests

    def rounds(self, lane: int, count: int) -> list[tuple[bytes, bytes]]:
        """Pairs of batches: the first bids in every market of a lane, the second takes it all."""
        places = self.places[lane::LANES]
        makers, takers = self.callers[1 + 2 * lane : 3 + 2 * lane]
        pairs = []
        for _ in range(count):
            bids = [makers.order(p.yes_token, MEETING, SIZE, p.neg_risk) for p in places]
            takes = [takers.order(p.no_token, MEETING, SIZE, p.neg_risk) for p in places]
            pairs.append(
                (makers.request("POST", "/orders", bids), takers.request("POST", "/orders", takes))
            )
        return pairs

    def legs(self, lane: int) -> int:
        return len(self.places[lane::LANES])


class Subscriber:
    """Counts every message of the market channel."""

    def __init__(self, load: Load) -> None:
        self._url = load.card["ws_market_url"]
        self._tokens = [t for p in load.places for t in (p.yes_token, p.no_token)]
        self.counts: Counter[str] = Counter()
        self.last_s = 0.0
        self.ready = asyncio.Event()  # the first books are here

    async def listen(self) -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(self._url, max_msg_size=0, autoclose=False) as socket,
        ):
            wanted = {
                "type": "market",
                "assets_ids": self._tokens,
                "custom_feature_enabled": True,
            }
            await socket.send_str(orjson.dumps(wanted).decode())
            async for message in socket:
                said = orjson.loads(message.data)
                if isinstance(said, list):
                    self.ready.set()
                    continue
                self.counts[said["event_type"]] += 1
                self.last_s = time.perf_counter()

    async def quiet(self) -> None:
        """Until nothing more comes."""
        heard = -1
        while heard != self.counts.total():
            heard = self.counts.total()
            await asyncio.sleep(SETTLE_S)


def tell(done: int, total: int) -> None:
    if done % TOLD_EVERY == 0:
        _say({"done": done / total})


def _say(value: Json) -> None:
    sys.stdout.buffer.write(orjson.dumps(value) + b"\n")
    sys.stdout.buffer.flush()


def _told(refused: Sequence[Answer]) -> str:
    """How many were refused, and how the first of them was; "" for none."""
    if not refused:
        return ""
    status, body = refused[0]
    return f"{len(refused)} refused, the first with {status} {body[:200].decode(errors='replace')}"


def cpu_s(pid: int) -> float:
    """Processor seconds that a process has used so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# The jobs.


async def orders(load: Load, job: Json) -> Json:
    """Single orders from a few connections, each as soon as its last was answered."""
    requests, taken, took_s = load.singles(job["count"]), 0, list[float]()
    refused: list[Answer] = []
    coming: Iterator[bytes] = iter(requests)
    lines = [await connected(load.url) for _ in range(job["lines"])]

    async def send(line: Line) -> None:
        nonlocal taken
        for request in coming:
            begun_s = time.perf_counter()
            answer = await line.ask(request)
            took_s.append(time.perf_counter() - begun_s)
            if accepted(answer):
                taken += 1
            else:
                refused.append(answer)
            tell(len(took_s), len(requests))

    used_s, begun_s = cpu_s(load.card["pid"]), time.perf_counter()
    await asyncio.gather(*map(send, lines))
    lasted_s, used_s = time.perf_counter() - begun_s, cpu_s(load.card["pid"]) - used_s
    for line in lines:
        line.close()
    return {
        "sent": len(requests),
        "refused": _told(refused),
        "per_s": taken / lasted_s,
        "p99_ms": percentile(took_s) * 1e3,
        "server_us": used_s / len(requests) * 1e6,
    }


async def messages(load: Load, job: Json) -> Json:
    """Batches as fast as they are answered; the rate at which one subscriber hears of them."""
    pairs = [load.rounds(lane, job["count"]) for lane in range(LANES)]
    subscriber = Subscriber(load)
    listening = asyncio.create_task(subscriber.listen())
    await subscriber.ready.wait()
    done, refused = 0, list[Answer]()

    async def trade(lane: int) -> None:
        nonlocal done
        line, legs = await connected(load.url), load.legs(lane)
        for pair in pairs[lane]:
            for batch in pair:
                answer = await line.ask(batch)
                if not all_accepted(answer, legs):
                    refused.append(answer)
            done += 1
            tell(done, job["count"] * LANES)
        line.close()

    used_s, begun_s = cpu_s(load.card["pid"]), time.perf_counter()
    await asyncio.gather(*map(trade, range(LANES)))
    await subscriber.quiet()
    lasted_s, used_s = subscriber.last_s - begun_s, cpu_s(load.card["pid"]) - used_s
    listening.cancel()
    heard = subscriber.counts.total()
    return {
        "heard": heard,
        "a_round": heard / job["count"],
        "per_s": heard / lasted_s,
        "orders_per_s": 2 * job["count"] * len(load.places) / lasted_s,
        "refused": _told(refused),
        "server_us": used_s / max(heard, 1) * 1e6,
    }


async def half(load: Load, job: Json) -> Json:
    """Single orders and batches at given rates for some seconds."""
    seconds, rate, rounds = job["seconds"], job["orders_per_s"], job["rounds_per_s"]
    singles = load.singles(int(rate * seconds))
    pairs = [load.rounds(lane, int(rounds * seconds)) for lane in range(LANES)]
    subscriber = Subscriber(load)
    listening = asyncio.create_task(subscriber.listen())
    await subscriber.ready.wait()
    free: asyncio.Queue[Line] = asyncio.Queue()
    for _ in range(LINES_HALF):
        free.put_nowait(await connected(load.url))
    took_s, refused = list[float](), list[Answer]()
    gc.collect()
    gc.freeze()
    begun_s = time.perf_counter()

    async def single(request: bytes, due_s: float) -> None:
        line = await free.get()
        answer = await line.ask(request)
        if not accepted(answer):
            refused.append(answer)
        took_s.append(time.perf_counter() - due_s)
        free.put_nowait(line)
        tell(len(took_s), len(singles))

    async def trade(lane: int) -> None:
        line, legs = await connected(load.url), load.legs(lane)
        for number, pair in enumerate(pairs[lane]):
            await _until(begun_s + (number + lane / LANES) / rounds)
            for batch in pair:
                answer = await line.ask(batch)
                if not all_accepted(answer, legs):
                    refused.append(answer)
        line.close()

    async with asyncio.TaskGroup() as group:
        for lane in range(LANES):
            group.create_task(trade(lane))
        for number, request in enumerate(singles):
            due_s = begun_s + number / rate
            await _until(due_s)
            group.create_task(single(request, due_s))
    lasted_s = time.perf_counter() - begun_s
    await subscriber.quiet()
    listening.cancel()
    return {
        "orders_per_s": len(singles) / lasted_s,
        "messages_per_s": subscriber.counts.total() / lasted_s,
        "p50_ms": percentile(took_s, 0.5) * 1e3,
        "p99_ms": percentile(took_s) * 1e3,
        "max_ms": max(took_s) * 1e3,
        "refused": _told(refused),
    }


async def _until(due_s: float) -> None:
    left_s = due_s - time.perf_counter()
    if left_s > 0:
        await asyncio.sleep(left_s)


JOBS: Final[dict[str, Any]] = {"orders": orders, "messages": messages, "half": half}


async def work() -> None:
    """Carry out jobs as they come, until standard input ends."""
    load: Load | None = None
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        job: Json = orjson.loads(line)
        if load is None:
            load = Load(job["card"])
            await load.enter()
        _say({"result": await JOBS[job["do"]](load, job)})


if __name__ == "__main__":
    asyncio.run(work())

"""How fast discovery reads a long listing, and how much memory it takes.

The exchange runs in a process of its own and nobody trades on it; what is measured is our client,
over loopback HTTP, from the first request to the last market read.  Memory is measured in a pass
of its own, because measuring it costs time: once as a caller that lets each page go, once as one
that keeps every market.
"""

import asyncio
import os
import sys
import time
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import orjson

from polybawt.core.facts import MarketListed
from polybawt.ops.children import spawn, stop
from polybawt.venue.gamma import Gamma
from polybawt.venue.http import http_client

MARKETS: Final = 5_000
TARGET_PER_S: Final = 1_000  # issue 4: market discovery
ROUNDS: Final = 3
READY_S_MAX: Final = 60.0
MEGABYTE: Final = 1_000_000

Json = dict[str, Any]


class ListingFailed(Exception):
    """The listing was not whole, so that its speed says nothing."""


async def measure(markets: int = MARKETS) -> Json:
    """Read a listing of so many markets some times over; the median round counts."""
    async with _exchange(markets) as card, http_client(card["gamma_url"]) as http:
        gamma = Gamma(http, time.time_ns)
        rounds = sorted([await _round_s(gamma, markets) for _ in range(ROUNDS)])
        streamed, kept = await _peak(gamma, keep=False), await _peak(gamma, keep=True)
    middle_s = rounds[ROUNDS // 2]
    return {
        "markets": markets,
        "seconds": round(middle_s, 3),
        "markets_per_s": round(markets / middle_s, 1),
        "markets_per_s_best": round(markets / rounds[0], 1),
        "peak_mb_by_page": round(streamed / MEGABYTE, 2),
        "peak_mb_all_kept": round(kept / MEGABYTE, 2),
        "target_per_s": TARGET_PER_S,
        "ok": markets / middle_s >= TARGET_PER_S,
    }


async def _round_s(gamma: Gamma, markets: int) -> float:
    began_s = time.perf_counter()
    facts = await gamma.markets()
    took_s = time.perf_counter() - began_s
    listed = sum(isinstance(fact, MarketListed) for fact in facts)
    if listed < markets or listed != len(facts):
        raise ListingFailed(f"{listed} markets of {markets}, {len(facts) - listed} other facts")
    return took_s


async def _peak(gamma: Gamma, *, keep: bool) -> int:
    """The most memory that Python held for one listing, in bytes."""
    kept = []
    tracemalloc.start()
    try:
        async for page in gamma.pages():
            if keep:
                kept.append(page)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@asynccontextmanager
async def _exchange(markets: int) -> AsyncIterator[Json]:
    arguments = ("exchange", "--quiet-world", "--limits", "off", "--window", "3600", "--leash")
    log = Path(os.devnull)
    child = await spawn((*arguments, "--markets", str(markets)), log=log)
    try:
        assert child.stdout is not None
        line = await asyncio.wait_for(child.stdout.readline(), READY_S_MAX)
        if not line:
            raise ListingFailed("the exchange did not start")
        yield orjson.loads(line)
    finally:
        await stop(child)


if __name__ == "__main__":
    sys.stdout.write(orjson.dumps(asyncio.run(measure())).decode() + "\n")

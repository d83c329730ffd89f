"""``polybawt bench sign``: signed orders per second, ours beside the two official clients'.

The clients run twice: with coincurve, and as they come by default, which signs in pure Python.
All take turns, slice by slice, and each one's best slice counts: it is the one that other work on
the machine disturbed least.
"""

import asyncio
from contextlib import AsyncExitStack
from typing import Final

from polybawt.ops.bench_terms import BenchFailed, Measure, Tell, Worker, exchange, worker

NAME: Final = "sign"
MODULE: Final = "polybawt.ops.bench_signer"
OURS: Final = "polybawt"
CLIENTS: Final = ("py-clob-client-v2", "polymarket-client")
COMPILED: Final = "eth_keys.backends.CoinCurveECCBackend"
PURE: Final = "eth_keys.backends.NativeECCBackend"
CONTENDERS: Final = (
    (OURS, COMPILED),
    *((client, backend) for backend in (COMPILED, PURE) for client in CLIENTS),
)
COMPILED_RATIO: Final = 10.0
PURE_RATIO: Final = 80.0
SLICE_S: Final = 0.1


async def sign_measures(tell: Tell, *, tiny: bool = False) -> list[Measure]:
    """``tiny`` only shows that everything works; its figures mean nothing."""
    rounds = 1 if tiny else 15
    async with exchange() as card, AsyncExitStack() as stack:
        tell("starting", 0.0)
        contenders = {
            (name, backend): await stack.enter_async_context(
                worker(MODULE, {"ECC_BACKEND_CLASS": backend})
            )
            for name, backend in CONTENDERS
        }
        await asyncio.gather(
            *(one.ask({"signer": name, "card": card}) for (name, _), one in contenders.items())
        )
        best_s = await _best(contenders, rounds, tell)
        for (name, backend), one in contenders.items():
            if not await one.ask({}):
                raise BenchFailed(f"{name} with {backend}: its order was refused")
    ours = best_s[OURS, COMPILED]
    return [
        Measure(
            name=NAME,
            metric=f"orders signed, beside {name} {how}",
            value=theirs / ours,
            unit="x",
            target=target,
            beside={"polybawt_per_s": round(1 / ours), f"{name}_per_s": round(1 / theirs)},
        )
        for backend, how, target in (
            (COMPILED, "with coincurve", COMPILED_RATIO),
            (PURE, "by default", PURE_RATIO),
        )
        for name, theirs in ((name, best_s[name, backend]) for name in CLIENTS)
    ]


async def _best(
    contenders: dict[tuple[str, str], Worker], rounds: int, tell: Tell
) -> dict[tuple[str, str], float]:
    """Each contender's seconds per order in its best slice."""
    counts = dict.fromkeys(contenders, 1)
    best_s = dict.fromkeys(contenders, float("inf"))
    for number in range(rounds + 1):
        for key, one in contenders.items():
            tell("signing", number / (rounds + 1))
            each_s = await one.ask({"count": counts[key]}) / counts[key]
            if number:  # the first tells how many make a slice
                best_s[key] = min(best_s[key], each_s)
            else:
                counts[key] = max(int(SLICE_S / each_s), 3)
    return best_s

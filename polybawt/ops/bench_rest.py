"""``polybawt bench rest``: a hundred orders in flight at once, ours beside plain httpx.

Decision D13 says that httpx carries the orders, over another transport than its own; here is why.
"""

from typing import Final

from polybawt.ops.bench_terms import BenchFailed, Json, Measure, Tell, exchange, worker

NAME: Final = "rest"
MODULE: Final = "polybawt.ops.bench_poster"
TASKS: Final = 100
PER_S: Final = 1_000
P99_MS: Final = 200.0
OURS, PLAIN = "polybawt", "plain httpx"


async def rest_measures(tell: Tell, *, tiny: bool = False) -> list[Measure]:
    """``tiny`` only shows that everything works; its figures mean nothing."""
    tasks = 5 if tiny else TASKS
    rounds = {OURS: 2, PLAIN: 1} if tiny else {OURS: 60, PLAIN: 10}
    got: dict[str, Json] = {}
    async with exchange("--collateral", "100000000") as card:
        for number, name in enumerate(rounds):
            tell(f"posting with {name}", number / len(rounds))
            async with worker(MODULE) as poster:
                job = {"client": name, "card": card, "tasks": tasks, "count": tasks * rounds[name]}
                got[name] = await poster.ask(job)
            if got[name]["poor"]:
                raise BenchFailed(f"{name}: {got[name]['poor']} orders were not accepted")
    ours, plain = got[OURS], got[PLAIN]
    return [
        Measure(
            name=NAME,
            metric=f"{tasks} orders in flight, accepted",
            value=ours["per_s"],
            unit="/s",
            target=PER_S,
            beside={"plain_httpx_per_s": round(plain["per_s"], 1)},
        ),
        Measure(
            name=NAME,
            metric=f"{tasks} orders in flight, p99",
            value=ours["p99_ms"],
            unit="ms",
            target=P99_MS,
            at_most=True,
            beside={
                "p50_ms": round(ours["p50_ms"], 1),
                "plain_httpx_p99_ms": round(plain["p99_ms"], 1),
            },
        ),
    ]

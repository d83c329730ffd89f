"""``polybawt bench exchange``: how much our exchange takes, tells, and how soon it answers.

One exchange and one load generator, each a process.  In one run: single signed orders as fast as
they are taken; batches that meet in many markets, with one subscriber to all of them; and both at
half of the targets, where the answer times are taken.
"""

from typing import Final

from polybawt.ops.bench_terms import BenchFailed, Json, Measure, Tell, exchange, worker

NAME: Final = "exchange"
ORDERS_PER_S: Final = 1_000
MESSAGES_PER_S: Final = 10_000
P99_MS: Final = 20.0
ACCOUNTS: Final = 9  # one for single orders, two for each lane of batches
LISTED: Final = 28  # markets besides the windows
LINES: Final = 16
SETTINGS: Final = (
    *("--accounts", str(ACCOUNTS), "--collateral", "100000000"),
    *("--markets", str(LISTED)),
)


async def exchange_measures(tell: Tell, *, tiny: bool = False) -> list[Measure]:
    """``tiny`` only shows that everything works; its figures mean nothing."""
    count, rounds, seconds = (60, 4, 0.5) if tiny else (6_000, 150, 8.0)
    async with (
        exchange(*SETTINGS) as card,
        worker("polybawt.ops.bench_load") as load,
    ):

        async def ask(words: str, **job: object) -> Json:
            tell(words, 0.0)
            got: Json = await load.ask({"card": card, **job}, lambda part: tell(words, part))
            if got["refused"]:
                raise BenchFailed(f"{words}: {got['refused']}")
            return got

        singles = await ask("single orders", do="orders", count=count, lines=LINES)
        told = await ask("market messages", do="messages", count=rounds)
        halved = await ask(
            "half the load",
            do="half",
            seconds=seconds,
            orders_per_s=ORDERS_PER_S / 2,
            rounds_per_s=MESSAGES_PER_S / 2 / told["a_round"],
        )
    return [
        Measure(
            name=NAME,
            metric="single signed orders accepted",
            value=singles["per_s"],
            unit="/s",
            target=ORDERS_PER_S,
            beside=_figures(singles, "p99_ms", "server_us"),
        ),
        Measure(
            name=NAME,
            metric="market messages to one subscriber",
            value=told["per_s"],
            unit="/s",
            target=MESSAGES_PER_S,
            beside=_figures(told, "heard", "orders_per_s", "server_us"),
        ),
        Measure(
            name=NAME,
            metric="p99 answer at half that load",
            value=halved["p99_ms"],
            unit="ms",
            target=P99_MS,
            at_most=True,
            beside=_figures(halved, "p50_ms", "max_ms", "orders_per_s", "messages_per_s"),
        ),
    ]


def _figures(got: Json, *names: str) -> dict[str, float | str]:
    return {name: round(got[name], 1) for name in names}

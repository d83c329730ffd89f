"""What ``polybawt bench`` measures: our own figures, each beside a target and beside others' tools.

A benchmark starts whatever it needs in processes of its own, takes some seconds, and gives
``Measure``s.  A target is a promise of this project, so missing one fails the command.  Figures
of a machine that does something else as well are worth little: the load is told with them, and
where it matters contenders take turns, so that the machine's mood strikes them alike.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from io import StringIO
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from polybawt.ops import bench_gamma, soak
from polybawt.ops.bench_exchange import exchange_measures
from polybawt.ops.bench_rest import rest_measures
from polybawt.ops.bench_sign import sign_measures
from polybawt.ops.bench_terms import BenchFailed, Measure, Tell

TINY_MARKETS: Final = 200
SOAK_SEED: Final = 7
SOAK_TOLD: Final = ("seconds", "books_compared", "longest_wrong_s", "fresh_share", "doubts")


async def gamma_measures(tell: Tell, *, tiny: bool = False) -> list[Measure]:
    """Market discovery; see ``bench_gamma``."""
    tell("reading the listing", 0.0)
    try:
        got = await bench_gamma.measure(TINY_MARKETS if tiny else bench_gamma.MARKETS)
    except bench_gamma.ListingFailed as short:
        raise BenchFailed(str(short)) from short
    return [
        Measure(
            name="gamma",
            metric="markets discovered",
            value=got["markets_per_s"],
            unit="/s",
            target=got["target_per_s"],
            beside={name: got[name] for name in ("markets", "peak_mb_by_page", "peak_mb_all_kept")},
        )
    ]


async def soak_measures(tell: Tell, *, tiny: bool = False, minutes: float = 1.0) -> list[Measure]:
    """An engine in an exchange that loses, spoils and cuts; see ``soak``."""
    found = await soak.soak(
        0.2 if tiny else minutes, SOAK_SEED, tell=lambda words: tell(words, 0.0)
    )
    beside = {name: found[name] for name in SOAK_TOLD}
    beside |= {f"{kind}_frames": n for kind, n in found["exchange"]["frames_spoilt"].items()}
    return [
        Measure(
            name="soak",
            metric="gaps that nobody noticed",
            value=found["undetected"] if found["ok"] else max(1, found["undetected"]),
            unit="",
            target=0,
            at_most=True,
            beside=beside,
        )
    ]


Bench = Callable[..., Awaitable[list[Measure]]]
BENCHES: Final[dict[str, Bench]] = {
    "exchange": exchange_measures,
    "sign": sign_measures,
    "rest": rest_measures,
    "gamma": gamma_measures,
}
AT_LENGTH: Final[dict[str, Bench]] = {"soak": soak_measures}
"""Asked for by name only, and for as many minutes as one has."""


def measured(names: Sequence[str], *, tiny: bool = False, minutes: float = 1.0) -> list[Measure]:
    """Take the benchmarks of these names, with a bar on standard error where that is a terminal.

    ``minutes`` are for those that go on for as long as one likes.
    """
    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(bar_width=24), TimeElapsedColumn()
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bars:
        return [m for name in names for m in _watched(name, bars, tiny=tiny, minutes=minutes)]


def _watched(name: str, bars: Progress, *, tiny: bool, minutes: float) -> list[Measure]:
    bar = bars.add_task(name, total=1.0)

    def tell(words: str, part: float) -> None:
        bars.update(bar, description=f"{name}: {words}", completed=part)

    async def run() -> list[Measure]:
        if name in AT_LENGTH:
            return await AT_LENGTH[name](tell, tiny=tiny, minutes=minutes)
        return await BENCHES[name](tell, tiny=tiny)

    found = asyncio.run(run())
    bars.update(bar, description=name, completed=1.0)
    return found


def good(measures: Sequence[Measure]) -> bool:
    return all(measure.ok for measure in measures)


def as_json(measures: Sequence[Measure]) -> dict[str, Any]:
    """The measures, and how busy the machine was: the load of 1, 5 and 15 minutes."""
    load = [round(each, 2) for each in os.getloadavg()]
    return {"benches": [measure.as_json() for measure in measures], "load_average": load}


def told(measures: Sequence[Measure]) -> str:
    table = Table(box=None)
    for title in ("bench", "metric"):
        table.add_column(title)
    for title in ("measured", "target", "ratio"):
        table.add_column(title, justify="right")
    table.add_column("")
    table.add_column("beside")
    for measure in measures:
        beside = ", ".join(f"{name} {value}" for name, value in measure.beside.items())
        sign = "at most " if measure.at_most else ""
        table.add_row(
            measure.name,
            measure.metric,
            f"{measure.value:,.1f} {measure.unit}",
            f"{sign}{measure.target:,g} {measure.unit}",
            f"{measure.value / measure.target:.2f}" if measure.target else "",
            "pass" if measure.ok else "FAIL",
            beside,
        )
    written = StringIO()
    Console(file=written, width=180, highlight=False).print(table)
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    lines = [line.rstrip() for line in written.getvalue().splitlines()]
    return "\n".join([*lines, f"load average {load}"])

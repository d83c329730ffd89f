"""What a person sees of a paper run: a progress line, or the terminal, and at the end a summary."""

import asyncio
import sys
from collections.abc import Mapping
from getpass import getuser
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from polybawt.core.units import micro_text
from polybawt.ops.paper import Paper

REFRESH_S: Final = 0.25
PLAIN_S: Final = 5.0
PARTING: Final = "Withdrawing what rests, and comparing our ledger with the exchange …"


async def progress(paper: Paper) -> None:
    """A line on standard error with time left and what has happened, until cancelled."""
    console = Console(stderr=True)
    run_s = paper.options.run_s
    if not console.is_terminal:
        await _plain(paper, run_s)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TimeRemainingColumn(),
        TextColumn("{task.fields[words]}"),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        bar = bars.add_task("paper", total=run_s, words="starting")
        while True:
            bars.update(bar, completed=paper.seconds, words=words(paper))
            await asyncio.sleep(REFRESH_S)


async def _plain(paper: Paper, run_s: float | None) -> None:
    """For a log file or a pipe: a line now and then."""
    while True:
        left = "" if run_s is None else f", {max(run_s - paper.seconds, 0):.0f} s left"
        print(f"paper {paper.seconds:.0f} s{left}: {words(paper)}", file=sys.stderr, flush=True)  # noqa: T201
        await asyncio.sleep(PLAIN_S)


def words(paper: Paper) -> str:
    state = paper.replica.state
    count = state.counters
    killed = "KILLED " if state.killed() else ""
    figures = (
        f"{killed}{state.phase}",
        f"{count.get('orders', 0)} orders",
        f"{count.get('fills', 0)} fills",
        f"{count.get('markets_settled', 0)} settled",
        f"P&L {micro_text(state.pnl())}",
    )
    return " · ".join(figures)


async def terminal(paper: Paper) -> None:
    """The terminal, until the operator leaves it; the run ends with it."""
    from polybawt_tui.app import TerminalApp  # noqa: PLC0415  a headless run needs no Textual

    await TerminalApp(paper.socket, getuser(), parting=PARTING).run_async()


def good(result: Mapping[str, Any]) -> bool:
    """Whether every check of the run held."""
    return (
        result["drift_micro"] == 0
        and not result["unjournaled_orders"]
        and not result["duplicate_orders"]
        and not result["counters"].get("impossible")
        and not result.get("outcomes_wrong")
        and not result.get("limits_exceeded")
        and not result.get("never_refused")
    )


def summary(result: Mapping[str, Any]) -> str:
    """The figures of a run as a table."""
    table = Table(title="paper trading", show_header=False, title_justify="left")
    names = (
        "seconds", "orders", "fills", "partial_fills", "cancels", "rejects", "markets_settled",
        "pnl_usdc", "fees_usdc", "drift_micro", "restarts", "events_per_second", "outcomes_right",
        "outcomes_wrong", "outcomes_unprovable", "limits_exceeded", "never_refused", "journal",
    )  # fmt: skip
    for name in names:
        if name in result:
            table.add_row(name.replace("_", " "), str(result[name]))
    for name, did in result.get("strategies", {}).items():
        table.add_row(name, ", ".join(f"{value} {what}" for what, value in did.items()))
    console = Console(width=100)
    with console.capture() as captured:
        console.print(table)
    verdict = (
        "all checks held" if good(result) else "A CHECK FAILED: see drift, orders and counters"
    )
    return captured.get() + verdict

"""What a person sees of a check: progress while it runs, and its finding in words."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from polybawt.proof.audit import Audit, audit
from polybawt.proof.verify import Checked, Report, verify

T = TypeVar("T")


def audited(path: Path) -> Audit:
    """Audit a journal with a bar on standard error, where that is a terminal."""
    with Progress(console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task("audit", total=None)
        return audit(path, lambda done, total: bars.update(bar, completed=done, total=total))


def verified(names: Sequence[str], *, quick: bool) -> Report:
    """Verify with progress on standard error; a line stays for each specification."""

    def check(tell: Callable[[str], None]) -> Report:
        found: list[Checked] = []
        for name in names:
            found += verify([name], tell, quick=quick).specs
            tell(f"{name}: {'DIFFERS' if found[-1].mismatches else 'holds'}")
        return Report(specs=tuple(found))

    return _watched(check)


def _watched(work: Callable[[Callable[[str], None]], T]) -> T:
    """Do something with its latest line beside a clock, on standard error."""
    console = Console(stderr=True)
    columns = SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}")
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task("")
        if console.is_terminal:
            return work(lambda line: shown.update(task, description=line))
        return work(lambda line: console.print(line, highlight=False, soft_wrap=True))


def told(found: Audit) -> str:
    figures = (
        f"{found.facts} facts, {found.epochs} lives, {found.orders} orders, "
        f"{sum(found.taken.values())} transitions along {len(found.taken)} edges"
    )
    return f"{figures}\n" + (f"GAP: {found.gap}" if found.gap else "every one of them holds")


def report_told(report: Report) -> str:
    """A table of what was held against what, and each difference below it."""
    table = Table(box=None, pad_edge=False)
    for column in ("", "states", "edges", "driven", "refusals", "pairs", "properties", "s", ""):
        table.add_column(column, justify="left" if not column else "right")
    for found in report.specs:
        table.add_row(*_row(found))
    console = Console(width=110, record=True, quiet=True)
    console.print(table)
    console.print()
    text = console.export_text(styles=False)
    wrong = [f"{found.name}: {finding}" for found in report.specs for finding in found.mismatches]
    return "\n".join([text.rstrip(), "", *wrong, "DIFFERS" if wrong else "all hold"])


def _row(found: Checked) -> tuple[str, ...]:
    counts = (
        found.states, found.edges, found.edges_driven, found.refusals_checked,
        found.bisimulation_pairs, len(found.properties),
    )  # fmt: skip
    return (
        found.name,
        *(f"{count:,}" if count else "" for count in counts),
        f"{found.seconds:.1f}",
        "DIFFERS" if found.mismatches else "holds",
    )

"""What a person sees of a check: progress while it runs, and its finding in words."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from io import StringIO
from pathlib import Path
from typing import Final, TypeVar

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from polybawt.proof import locks, readme
from polybawt.proof.audit import Audit, audit
from polybawt.proof.mutate import Score, mutate
from polybawt.proof.verify import MODELS, Checked, Report, verify

T = TypeVar("T")

PROCESSES: Final = 2  # each runs a Java of its own


def audited(path: Path) -> Audit:
    """Audit a journal with a bar on standard error, where that is a terminal."""
    with Progress(console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task("audit", total=None)
        return audit(path, lambda done, total: bars.update(bar, completed=done, total=total))


def verified(names: Sequence[str], *, quick: bool, locked: bool = True) -> Report:
    """Verify with progress on standard error, two specifications at a time."""
    if len(names) == 1:
        return _watched(lambda tell: verify(names, tell, quick=quick, locked=locked))

    def check(tell: Callable[[str], None]) -> Report:
        found: dict[str, Checked] = {}
        with ProcessPoolExecutor(PROCESSES) as pool:
            # the largest first: the last one to end should be a small one
            order = sorted(names, key=lambda name: -locks.read(MODELS, name).get("edges", 0))
            begun = {pool.submit(_alone, name, quick, locked): name for name in order}
            tell(f"0 of {len(names)} specifications checked")
            for done in as_completed(begun):
                name = begun[done]
                found[name] = done.result()
                verdict = "DIFFERS" if found[name].mismatches else "holds"
                tell(f"{len(found)} of {len(names)} specifications checked; {name} {verdict}")
        return Report(specs=tuple(found[name] for name in names))

    return _watched(check)


def scored(name: str) -> Score:
    """Break one machine and its specification, with progress on standard error."""
    return _watched(lambda tell: mutate(name, tell))


def _alone(name: str, quick: bool, locked: bool) -> Checked:
    """One specification, in a process of its own."""
    return verify([name], lambda _: None, quick=quick, locked=locked).specs[0]


def committed(report: Report) -> None:
    """Write the locks of what holds, and the README that is made of them."""
    locks.write(MODELS, report)
    readme.write()


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
    written = StringIO()
    Console(file=written, width=110).print(table)
    wrong = [f"{found.name}: {finding}" for found in report.specs for finding in found.mismatches]
    return "\n".join([written.getvalue().rstrip(), "", *wrong, "DIFFERS" if wrong else "all hold"])


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


def score_told(score: Score) -> str:
    """What was broken, what noticed, and every survivor that nobody explained."""
    lines = [
        f"{score.name} {kind.name}: {kind.mutants} mutants, {kind.killed} killed, "
        f"{len(kind.equivalent)} equivalent, {len(kind.explained)} explained, "
        f"{len(kind.survivors)} survive; {kind.score:.1%}"
        for kind in score.kinds
    ]
    for kind in score.kinds:
        lines += [f"  SURVIVES {kind.name}: {mutant}" for mutant in kind.survivors]
        lines += [
            f"  STALE {kind.name}: {mutant} does not survive any more" for mutant in kind.stale
        ]
    return "\n".join([*lines, "good" if score.good else "NOT GOOD"])

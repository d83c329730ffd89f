"""What a person sees of a check: progress while it runs, and its finding in words."""

import sys
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from polybawt.proof.audit import Audit, audit


def tell(line: str) -> None:
    """One line of progress on standard error."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201


def audited(path: Path) -> Audit:
    """Audit a journal with a bar on standard error, where that is a terminal."""
    with Progress(console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task("audit", total=None)
        return audit(path, lambda done, total: bars.update(bar, completed=done, total=total))


def told(found: Audit) -> str:
    figures = (
        f"{found.facts} facts, {found.epochs} lives, {found.orders} orders, "
        f"{sum(found.taken.values())} transitions along {len(found.taken)} edges"
    )
    return f"{figures}\n" + (f"GAP: {found.gap}" if found.gap else "every one of them holds")

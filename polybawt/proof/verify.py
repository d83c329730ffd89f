"""Checks every specification with TLC, and every machine against its specification.

Per machine: what must never happen (``X.cfg``), what must happen in the end (``XLive.cfg``),
witnesses that must fail (``XReach.cfg``: a model in which nothing goes wrong proves nothing),
and that the edges TLC took are those that Python declares and those that are committed.
"""

import re
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from attrs import field, frozen

from polybawt.proof import edges, graph, tlc
from polybawt.proof.catalogue import MIRRORS
from polybawt.proof.edges import Edge

MODELS: Final = Path(__file__).parents[2] / "models"

Progress = Callable[[str], None]

_INVARIANTS = re.compile(r"^INVARIANTS?\s+((?:\w+\s+)*\w+)\s*\Z", re.M)


@frozen(kw_only=True)
class Check:
    """One thing that was checked. ``findings`` are sentences; none means that it holds."""

    name: str
    what: str
    findings: tuple[str, ...] = ()
    states: int = 0
    steps: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        size = f", {self.states} states, {self.steps} steps" if self.states else ""
        found = "".join(f"\n    {finding}" for finding in self.findings)
        return f"{self.name}: {self.what}{size}: {'FAILS' if found else 'holds'}{found}"


@frozen(kw_only=True)
class Report:
    checks: tuple[Check, ...]
    reached: dict[str, frozenset[Edge]] = field(factory=dict, repr=False)

    @property
    def holds(self) -> bool:
        return not any(check.findings for check in self.checks)


def verify(
    names: Iterable[str], progress: Progress, models: Path = MODELS, java: str = ""
) -> Report:
    """Check the named machines; raise ``tlc.ToolsMissing`` when nothing can be checked here."""
    tools = tlc.find_tools(java)
    checks: list[Check] = []
    reached: dict[str, frozenset[Edge]] = {}
    for name in names:
        for check, found in _machine(tools, models, name):
            progress(str(check))
            checks.append(check)
            if found is not None:
                reached[name] = found
    return Report(checks=tuple(checks), reached=reached)


def _machine(
    tools: tlc.Tools, models: Path, name: str
) -> Iterable[tuple[Check, frozenset[Edge] | None]]:
    spec, mirror = models / f"{name}.tla", MIRRORS[name]
    with tempfile.TemporaryDirectory(prefix="polybawt-dump-") as place:
        dump = Path(place) / "graph.dot"
        safety = tlc.run(tools, spec, config_of(models, name), dump)
        yield _check(name, "safety", safety), None
        if safety.holds:
            found = edges.reached(graph.read(dump), mirror)
            wrong = edges.differences(found, mirror.machine.edges())
            yield Check(name=name, what=f"{len(found)} edges", findings=tuple(wrong)), found
    yield _check(name, "liveness", tlc.run(tools, spec, config_of(models, name, "Live"))), None
    for witness, config in witnesses(config_of(models, name, "Reach")):
        verdict = tlc.run(tools, spec, config)
        fails = verdict.violated == witness
        findings = () if fails else (verdict.error or f"{witness} was not violated",)
        yield Check(name=name, what=f"witness {witness}", findings=findings), None


def _check(name: str, what: str, verdict: tlc.Verdict) -> Check:
    found = verdict.error or (f"{verdict.violated} is violated" if verdict.violated else "")
    return Check(
        name=name,
        what=what,
        findings=(found,) if found else (),
        states=verdict.distinct,
        steps=verdict.generated,
        seconds=verdict.seconds,
    )


def config_of(models: Path, name: str, kind: str = "") -> str:
    return (models / f"{name}{kind}.cfg").read_text()


def witnesses(config: str) -> list[tuple[str, str]]:
    """One configuration per witness: TLC stops at the first invariant that fails."""
    listed = _INVARIANTS.search(config)
    assert listed, "a Reach configuration ends with its INVARIANTS"
    head = config[: listed.start()]
    return [(witness, f"{head}INVARIANT {witness}\n") for witness in listed[1].split()]


def lock(report: Report, models: Path = MODELS) -> None:
    """Write what TLC found, to be committed: each machine's edges and the sizes of the graphs."""
    assert report.holds, "only what holds is committed"
    for name, found in report.reached.items():
        edges.write_lock(models / "locks" / f"{name}.edges", found)
    sizes = read_sizes(models)  # of machines that this report does not speak of: as they are
    for check in report.checks:
        if check.states:
            sizes[check.name, check.what] = check.states, check.steps
    lines = (
        f"{' '.join(key)} {states} {steps}\n" for key, (states, steps) in sorted(sizes.items())
    )
    (models / "locks" / "sizes").write_text("".join(lines))


def read_sizes(models: Path = MODELS) -> dict[tuple[str, str], tuple[int, int]]:
    """States and steps by machine and kind of check, as committed."""
    sizes, path = {}, models / "locks" / "sizes"
    for line in path.read_text().splitlines() if path.exists() else ():
        name, kind, states, steps = line.split()
        sizes[name, kind] = int(states), int(steps)
    return sizes

"""How much the kit notices: everything is broken on purpose, one place at a time.

*code*: the machine's table and functions; the comparison with the specification must tell.
*spec*: the machine half of the specification; it must have another graph than the code.
*guards*: one conjunct less in any action; the specification's own properties must tell, at least
nine times of ten, or else they say too little of what the graph is.

A mutant that is provably the same is *equivalent*.  Whatever else survives is explained in
``models/survivors/NAME.toml``, or it is a finding; so is an explanation that nothing needs.
"""

import sys
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, Final

from attrs import evolve, frozen

from polybawt.core.machine import Machine, table_of
from polybawt.proof import tlc
from polybawt.proof.catalogue import MIRRORS
from polybawt.proof.explore import Code, explore
from polybawt.proof.graph import graph_of
from polybawt.proof.mirror import Mirror
from polybawt.proof.mutate_bench import Bench
from polybawt.proof.mutate_beside import Beside, Difference, Properties
from polybawt.proof.mutate_code import code_mutants
from polybawt.proof.mutate_guards import Guards, noticed
from polybawt.proof.mutate_spec import (
    Mutant,
    Source,
    guard_mutants,
    never_mutants,
    spec_mutants,
)
from polybawt.proof.spec import Spec
from polybawt.proof.verify import MODELS, config_of, listed_in

KINDS: Final = ("code", "spec", "guards")
GUARDS_MIN: Final = 0.9
TIMES_MAX: Final = 20  # what takes so many times the steps of the sound one runs away
STEPS_MIN: Final = 50_000
TOLD_EVERY: Final = 250

Progress = Callable[[str], None]


@frozen(kw_only=True)
class Kind:
    """The score of one kind of mutant; stillborn ones, which nobody can read, are not counted."""

    name: str
    killed: int = 0
    equivalent: tuple[str, ...] = ()
    explained: tuple[str, ...] = ()
    survivors: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    stillborn: int = 0
    notices: tuple[tuple[str, int], ...] = ()  # how often each property was among what noticed
    idle: tuple[str, ...] = ()  # the properties that no mutant breaks

    @property
    def mutants(self) -> int:
        return self.killed + len(self.equivalent) + len(self.explained) + len(self.survivors)

    @property
    def score(self) -> float:
        """Of those that differ, how many were killed."""
        different = self.mutants - len(self.equivalent)
        return round(self.killed / different, 4) if different else 1.0

    def as_json(self) -> dict[str, Any]:
        return {
            "mutants": self.mutants,
            "killed": self.killed,
            "equivalent": len(self.equivalent),
            "explained": len(self.explained),
            "survivors": [*self.survivors],
            "stale": [*self.stale],
            "stillborn": self.stillborn,
            "score": self.score,
            "notices": dict(self.notices),
            "idle": [*self.idle],
        }


@frozen(kw_only=True)
class Score:
    name: str
    kinds: tuple[Kind, ...]

    @property
    def good(self) -> bool:
        """Every survivor is explained, no explanation is stale, and few guards need one."""
        loose = any(kind.survivors or kind.stale for kind in self.kinds)
        return not loose and all(k.score >= GUARDS_MIN for k in self.kinds if k.name == "guards")

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "good": self.good,
            "mutants": sum(kind.mutants for kind in self.kinds),
            "killed": sum(kind.killed for kind in self.kinds),
            "equivalent": sum(len(kind.equivalent) for kind in self.kinds),
            "survivors": [f"{k.name}: {text}" for k in self.kinds for text in k.survivors],
            "stale": [f"{k.name}: {text}" for k in self.kinds for text in k.stale],
            **{kind.name: kind.as_json() for kind in self.kinds},
        }


def mutate(
    name: str,
    progress: Progress,
    models: Path = MODELS,
    java: str = "",
    *,
    kinds: Collection[str] = KINDS,
) -> Score:
    """Break one specification and its machine; a pure composition has guards alone."""
    spec, mirror, tools = Spec.read(models, name), MIRRORS.get(name), tlc.find_tools(java)
    return scored(Asked(spec, mirror, models, frozenset(kinds), tools, progress))


@frozen
class Asked:
    """What to break: a specification, its machine if it has one, and which kinds."""

    spec: Spec
    mirror: type[Mirror] | None
    models: Path
    kinds: frozenset[str]
    tools: tlc.Tools
    progress: Progress


def scored(asked: Asked) -> Score:
    """The score of each kind, and what of it is explained."""
    found = []
    if "code" in asked.kinds and asked.mirror:
        found.append(_code(asked, asked.mirror(asked.spec.constants)))
    if asked.kinds & {"spec", "guards"}:
        found += _specification(asked)
    known = _explained(asked.models, asked.spec.name)
    return Score(name=asked.spec.name, kinds=tuple(_judged(kind, known) for kind in found))


def _explained(models: Path, name: str) -> dict[tuple[str, str], str]:
    """The survivors that somebody gave a reason for: kind and text, to the reason."""
    path = models / "survivors" / f"{name}.toml"
    if not path.exists():
        return {}
    listed = tomllib.loads(path.read_text()).get("survivor", [])
    return {(s["kind"], s["mutant"]): s["reason"] for s in listed}


def _judged(kind: Kind, known: dict[tuple[str, str], str]) -> Kind:
    """Survivors with a reason are explained; reasons without a survivor are stale."""
    mine = {text for of, text in known if of == kind.name}
    explained = tuple(text for text in kind.survivors if text in mine)
    survivors = tuple(text for text in kind.survivors if text not in mine)
    stale = tuple(sorted(mine - set(explained)))
    return evolve(kind, explained=explained, survivors=survivors, stale=stale)


def _code(asked: Asked, mirror: Mirror) -> Kind:
    spec, progress = asked.spec, asked.progress
    progress(f"{spec.name}: code, exploring the sound machine")
    graph = explore(Code(spec, mirror), progress)
    if graph.digest() != graph_of(spec, asked.tools).digest():
        raise tlc.Failed(f"{spec.name}: code and specification differ: verify them first")
    bench = Bench(spec, graph, mirror)
    killed, same, survivors = 0, list[str](), list[str]()
    for number, mutant in enumerate(code_mutants(mirror)):
        if bench.notices(mutant):
            killed += 1
        else:
            (same if bench.equivalent(mutant) else survivors).append(str(mutant))
        if number % TOLD_EVERY == 0:
            progress(f"{spec.name}: code, {killed} of {number + 1} mutants killed")
    return Kind(name="code", killed=killed, equivalent=(*same,), survivors=(*survivors,))


def _specification(asked: Asked) -> list[Kind]:
    source, guards, lines = Source(asked.spec), list[Mutant](), list[Mutant]()
    if "guards" in asked.kinds:
        guards = guard_mutants(source)
    if "spec" in asked.kinds and asked.mirror:
        lines = spec_mutants(source, *_named(asked.mirror.machine))
    asked.progress(f"{asked.spec.name}: {len(lines)} edits, {len(guards)} guards to take away")
    found = _beside(asked, source, [*guards, *lines]).difference()
    kinds = []
    if lines:
        kinds.append(_spec(lines, len(guards), found))
    if guards:
        kinds.append(_guards(asked, source, guards, found))
    return kinds


def _spec(lines: list[Mutant], first: int, found: Difference) -> Kind:
    """Any other graph is not that of the code, which is that of the sound specification."""
    different = found.moving | found.stuttering
    alive = {n: m for n, m in enumerate(lines, first) if n not in found.stillborn}
    return Kind(
        name="spec",
        killed=len(alive.keys() & different),
        equivalent=tuple(str(m) for n, m in alive.items() if n not in different),
        stillborn=len(lines) - len(alive),
    )


def _guards(asked: Asked, source: Source, guards: list[Mutant], found: Difference) -> Kind:
    """Whether the properties tell; a step that changes nothing is none that they must see."""
    spec, alive = asked.spec, {n: m for n, m in enumerate(guards) if n not in found.stillborn}
    different = {n: m for n, m in alive.items() if n in found.moving | found.stuttering}
    never = dict(enumerate(never_mutants(source), len(guards)))
    stated = (listed_in(spec.config, section) for section in ("INVARIANTS", "PROPERTIES"))
    properties, live = Properties.of(source, *stated), config_of(asked.models, spec.name, "Live")
    limit = max(TIMES_MAX * found.steps, STEPS_MIN)
    by = noticed(
        Guards(source, different, never, properties, live, limit, asked.tools), asked.progress
    )
    times = Counter(what for names in by.values() for what in names)
    killed = {n for n in by if n not in never}
    left = {n: str(m) for n, m in alive.items() if n not in killed}
    return Kind(
        name="guards",
        killed=len(killed),
        equivalent=tuple(text for n, text in left.items() if n not in found.moving),
        survivors=tuple(text for n, text in left.items() if n in found.moving),
        stillborn=len(guards) - len(alive),
        notices=tuple(sorted(times.items())),
        idle=tuple(sorted(_idle(asked, evolve(spec, config=live), properties, times.keys()))),
    )


def _idle(asked: Asked, small: Spec, properties: Properties, busy: Collection[str]) -> set[str]:
    """The properties that neither notice a guard nor fail after any wrong step.

    ``small`` is the specification in the size in which it is asked what happens in the end.
    """
    quiet = {*properties.states, *properties.steps} - {*busy}
    if not quiet:
        return quiet
    source = Source(small)
    named = _named(asked.mirror.machine) if asked.mirror else ([], [])
    mutants = guard_mutants(source)
    for ours in (True, False):
        mutants += spec_mutants(source, *named, ours=ours)
    asked.progress(f"{asked.spec.name}: {len(quiet)} properties, {len(mutants)} wrong steps")
    return quiet - _beside(asked, source, mutants).seen(properties.only(quiet))


def _beside(asked: Asked, source: Source, mutants: list[Mutant]) -> Beside:
    return Beside(source, mutants, asked.tools, asked.progress)


def _named(machine: type[Machine]) -> tuple[list[str], list[str]]:
    """The states of a machine, and its guards as a specification names them."""
    guards = {g.__name__ for rows in table_of(machine).values() for row in rows for g in row[0]}
    camel = {"".join(part.capitalize() for part in name.split("_")) for name in guards}
    return sorted(str(s.id) for s in machine.states), sorted(camel)


def told(score: Score) -> Iterator[str]:
    """Every kind, what survived of it, and what could be left out of the specification."""
    for kind in score.kinds:
        yield (
            f"{score.name} {kind.name}: {kind.killed} of {kind.mutants} killed, "
            f"{len(kind.equivalent)} equivalent, {len(kind.explained)} explained, "
            f"{len(kind.survivors)} survive: {100 * kind.score:.1f} %"
        )
        yield from (f"  noticed by {what}: {times}" for what, times in kind.notices)
        yield from (f"  idle {what}" for what in kind.idle)
        yield from (f"  SURVIVES {text}" for text in kind.survivors)
        yield from (f"  STALE {text}" for text in kind.stale)
        yield from (f"  same {text}" for text in kind.equivalent if kind.name != "code")


def main(arguments: list[str]) -> int:
    """``python -m polybawt.proof.mutate NAME [code] [spec] [guards]``."""
    name, *kinds = arguments
    began = time.monotonic()
    score = mutate(name, _say, kinds=kinds or KINDS)
    print(*told(score), f"{time.monotonic() - began:.0f} s", sep="\n")  # noqa: T201
    return not score.good


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

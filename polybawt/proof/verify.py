"""Checks every specification with TLC, and every machine against its specification.

Per specification: what must never happen (``X.cfg``), what must happen in the end
(``XLive.cfg``), witnesses that must fail (``XReach.cfg``: a model in which nothing goes wrong
proves nothing).  Per machine: the graph that TLC reached is the graph that the code reaches
(``conform``), its edges are those that Python declares, and both are what is committed in
``models/locks``.  ``quick`` needs no Java: the code's own graph has the committed digest of the
specification's, and the specification is the one that was committed.
"""

import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from typing import Any, Final

from attrs import asdict, evolve, field, frozen

from polybawt.proof import edges, graph, liveness, locks, tlc, traces
from polybawt.proof.catalogue import COMPOSED, MIRRORS
from polybawt.proof.conform import conform
from polybawt.proof.drift import drift
from polybawt.proof.edges import Edge
from polybawt.proof.explore import Code, TooMany, Unplayable, explore
from polybawt.proof.graph import Graph, graph_of
from polybawt.proof.spec import Spec

MODELS: Final = Path(__file__).parents[2] / "models"
NAMES: Final = (*MIRRORS, *COMPOSED)

Progress = Callable[[str], None]
TRACES: Final = 60  # runs of the code, so many steps each, and as many spoilt ones
STEPS: Final = 40
TLC_TRACES: Final = 6  # before TLC too, which must try every world that nobody saw
TLC_STEPS: Final = 12
SEED: Final = 1

_INVARIANTS = re.compile(r"^INVARIANTS?\s+((?:\w+\s+)*\w+)\s*\Z", re.M)


@frozen(kw_only=True)
class Checked:
    """One specification: what was checked of it, and every difference as a sentence.

    ``machine``: false for a pure composition.  ``edges`` are those of TLC's graph;
    ``edges_driven`` of them the machine's, through the code; ``bisimulation_pairs`` are the
    (state, instance) pairs that machine and world were asked about.
    """

    name: str
    machine: bool
    states: int = 0
    edges: int = 0
    depth: int = 0
    seconds: float = 0.0
    properties: tuple[str, ...] = ()
    witnesses_failed_as_they_must: tuple[str, ...] = ()
    liveness_states: int = 0
    edges_driven: int = 0
    refusals_checked: int = 0
    refusals_tolerated: int = 0
    bisimulation_pairs: int = 0
    toured: int = 0
    traces: int = 0
    never_enabled: tuple[str, ...] = ()
    digest: str = ""
    mismatches: tuple[str, ...] = ()
    automaton: frozenset[Edge] = field(default=frozenset(), repr=False)

    def as_json(self) -> dict[str, Any]:
        return asdict(self, filter=lambda a, _: a.name != "automaton")


@frozen(kw_only=True)
class Report:
    specs: tuple[Checked, ...]

    @property
    def holds(self) -> bool:
        return not any(checked.mismatches for checked in self.specs)

    def as_json(self) -> dict[str, Any]:
        return {"specs": [checked.as_json() for checked in self.specs]}


def verify(
    names: Iterable[str],
    progress: Progress,
    models: Path = MODELS,
    java: str = "",
    *,
    quick: bool = False,
    locked: bool = True,
) -> Report:
    """Check the named specifications; raise ``tlc.ToolsMissing`` when TLC cannot run here.

    ``locked``: what is found must also be what is committed.
    """
    tools = None if quick else tlc.find_tools(java)
    checked = []
    for name in names:
        began = time.monotonic()
        found = (
            _with_tlc(tools, models, name, progress) if tools else _quick(models, name, progress)
        )
        wrong = locks.differences(models, found) if locked else []
        checked.append(
            evolve(
                found,
                seconds=round(time.monotonic() - began, 2),
                mismatches=(*found.mismatches, *wrong),
            )
        )
    return Report(specs=tuple(checked))


def _quick(models: Path, name: str, progress: Progress) -> Checked:
    """What can be known without TLC; of a composition, that it is the one that was checked."""
    spec = Spec.read(models, name)
    if name not in MIRRORS:
        return Checked(name=name, machine=False)
    mirror = MIRRORS[name]
    code = Code(spec, mirror(spec.constants))
    drifted = drift(spec, mirror)
    try:
        reached = explore(code, progress)
    except (TooMany, Unplayable) as cut_short:
        return Checked(name=name, machine=True, mismatches=(*drifted, str(cut_short)))
    declared = mirror.machine.edges()
    return Checked(
        name=name,
        machine=True,
        states=len(reached.states),
        edges=len(reached.edges),
        depth=graph.depth(reached),
        bisimulation_pairs=code.pairs,
        digest=reached.digest(),
        automaton=edges.reached(reached),
        mismatches=(*drifted, *edges.differences(edges.reached(reached), declared)),
    )


def _with_tlc(tools: tlc.Tools, models: Path, name: str, progress: Progress) -> Checked:
    spec, module = Spec.read(models, name), models / f"{name}.tla"
    progress(f"{name}: safety")
    safety = tlc.run(tools, module, spec.config)
    progress(f"{name}: liveness, {safety.distinct} states before")
    live = tlc.run(tools, module, config_of(models, name, "Live"))
    wrong = [*_wrong("safety", safety), *_wrong("liveness", live)]
    failed = []
    for witness, config in witnesses(config_of(models, name, "Reach")):
        progress(f"{name}: witness {witness}")
        verdict = tlc.run(tools, module, config)
        if verdict.violated == witness:
            failed.append(witness)
        else:
            wrong.append(f"witness {witness} was not violated: {verdict.error or 'it holds'}")
    found = Checked(
        name=name,
        machine=name in MIRRORS,
        states=safety.distinct,
        edges=safety.generated,
        depth=safety.depth,
        liveness_states=live.distinct,
        properties=properties(models, name),
        witnesses_failed_as_they_must=tuple(failed),
        mismatches=tuple(wrong),
    )
    if live.holds:
        progress(f"{name}: a second opinion on liveness")
        listed = listed_in(config_of(models, name, "Live"), "PROPERTIES")
        told = liveness.told(liveness.opinion(Spec.read(models, name, "Live"), listed, tools))
        found = evolve(found, mismatches=(*found.mismatches, *told))
    return _conformed(found, spec, tools, progress) if found.machine and safety.holds else found


def _conformed(found: Checked, spec: Spec, tools: tlc.Tools, progress: Progress) -> Checked:
    """The machine and its world against the graph that TLC reached."""
    progress(f"{spec.name}: the whole graph of {found.states} states")
    mirror, specified = MIRRORS[spec.name], graph_of(spec, tools)
    wrong = list(found.mismatches)
    if len(specified.states) != found.states:
        wrong.append(f"Next has {found.states} states, its instances {len(specified.states)}")
    automaton = edges.reached(specified)
    wrong += edges.differences(automaton, mirror.machine.edges())
    held = conform(spec, specified, mirror(spec.constants), progress)
    if not held.findings:  # a code that parts from the graph has runs that do
        progress(f"{spec.name}: {TRACES} traces, by the graph and by TLC")
        wrong += _traced(spec, specified, Code(spec, mirror(spec.constants)), tools)
    digest = specified.digest()
    if held.digest != digest and not held.findings:
        wrong.append(f"the code's graph has digest {held.digest}, the specification's {digest}")
    return evolve(
        found,
        edges=len(specified.edges),
        depth=graph.depth(specified),  # TLC's own is not exact when two workers share a search
        edges_driven=held.edges_driven,
        refusals_checked=held.refusals_checked,
        refusals_tolerated=held.tolerated,
        bisimulation_pairs=held.bisimulation_pairs,
        toured=held.toured,
        traces=0 if held.findings else TRACES,
        never_enabled=held.never,
        digest=digest,
        automaton=automaton,
        mismatches=(*wrong, *held.findings),
    )


def _traced(spec: Spec, specified: Graph, code: Code, tools: tlc.Tools) -> list[str]:
    """Runs of the code, and as many spoilt ones, before both judges."""
    draw = Random(SEED).randrange  # noqa: S311 - the same runs every time, nothing secret
    good = [traces.walk(code, draw, STEPS) for _ in range(TRACES)]
    spoilt = [traces.spoilt(spec, trace, draw) for trace in good if trace]
    judge = traces.Judge(specified)
    mine = {n for n, trace in enumerate([*good, *spoilt]) if judge.first_wrong(trace) is None}
    wrong = [f"trace {n} of seed {SEED} is not explained" for n in range(TRACES) if n not in mine]
    wrong += [f"a spoilt trace, {n - TRACES}, is explained" for n in mine if n >= TRACES]
    short = [trace[:TLC_STEPS] for trace in (*good[:TLC_TRACES], *spoilt[:TLC_TRACES])]
    ours = {n for n, trace in enumerate(short) if judge.first_wrong(trace) is None}
    differ = ours ^ traces.by_tlc(spec, short, tools)
    return wrong + [f"the two judges differ on short trace {n} of seed {SEED}" for n in differ]


def _wrong(what: str, verdict: tlc.Verdict) -> list[str]:
    if verdict.holds:
        return []
    return [f"{what}: {verdict.error or f'{verdict.violated} is violated'}"]


def properties(models: Path, name: str) -> tuple[str, ...]:
    """What is proved of a specification: invariants, steps, and what happens in the end."""
    listed = (
        *listed_in(config_of(models, name), "INVARIANTS"),
        *listed_in(config_of(models, name), "PROPERTIES"),
        *listed_in(config_of(models, name, "Live"), "PROPERTIES"),
    )
    return tuple(dict.fromkeys(listed))


def listed_in(config: str, section: str) -> list[str]:
    """The names under one section of a configuration."""
    found = re.search(rf"^{section}\n((?:  \w+\n)+)", config, re.M)
    return found[1].split() if found else []


def config_of(models: Path, name: str, kind: str = "") -> str:
    return (models / f"{name}{kind}.cfg").read_text()


def witnesses(config: str) -> list[tuple[str, str]]:
    """One configuration per witness: TLC stops at the first invariant that fails."""
    listed = _INVARIANTS.search(config)
    assert listed, "a Reach configuration ends with its INVARIANTS"
    head = config[: listed.start()]
    return [(witness, f"{head}INVARIANT {witness}\n") for witness in listed[1].split()]

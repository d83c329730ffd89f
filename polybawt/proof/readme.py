"""``models/README.md``, made from the machines, the specifications and the committed sizes.

Nothing in it is written by hand, so nothing in it can be out of date: a test compares it.
"""

import re
from pathlib import Path
from typing import Any, Final

from polybawt.proof import locks
from polybawt.proof.catalogue import COMPOSED, MIRRORS
from polybawt.proof.mirror import Mirror
from polybawt.proof.verify import MODELS, config_of, listed_in

HEAD: Final = """\
# The machines and their proofs

Written by `polybawt verify --lock`; do not edit. Every machine of `polybawt/core/machines/` has a
specification here with the same states, actions, parameters and guards. TLC explores the machine
together with a world that delays, repeats, loses and contradicts, and shows that the properties
below hold in every state that can be reached within the bounds.

Then code and specification are held against each other, both ways and state by state:

* **forward**: every edge of the machine half of TLC's graph, driven through the code, leads to the
  same values;
* **refusal**: every action in every state where the specification has no edge, and arguments just
  outside their domains, are refused, or lead to a declared doubt with all else untouched;
* **bisimulation**: the machine and the simulated exchange (`polybawt/sim/`, the one that paper
  trading runs on), explored breadth first, reach the same states by the same edges: one digest,
  committed in `locks/`;
* **tour** and **traces**: all transitions by real events with no state injected; runs of the code
  judged by the graph and by TLC, and as many spoilt runs, which must be refused;
* **liveness twice**: TLC's verdict, and our own search for a fair way out over the same graph; and
  no fairness that nothing needs.

A green model says little by itself. So each specification has witnesses, which must fail
(`…Reach.cfg`), and `polybawt verify --mutate NAME` breaks code and specification on purpose and
counts what notices. A mutant that survives is explained in `survivors/`.

The diagrams leave out what changes no state, and name every action that leads from one state to
another once. The tables themselves, with their guards, are the class bodies.

## How to write one

`ours == <<…>>` and `world == <<…>>` list the variables of the two halves, `state` among ours. The
actions of the machine stand between `(* the machine *)` and `(* the world`, one per action class,
with its name and its fields as parameters; guards are operators with the names of the Python
guards, tried in the same order. A choice of the world is a parameter: an action with its arguments
has one successor at most. `Ours` and `World` are the disjunctions of all instances over finite
domains, one per line; `Next` is their disjunction and `Closed`, the stuttering at rest.
A class in `polybawt/proof/mirrors/` then translates states into records and back.
"""

_EDGE = re.compile(r"\s+(\w+) --> (\w+) : (.+?)(?: \[.*\])?")


def render(models: Path = MODELS) -> str:
    """The whole text."""
    return HEAD + "".join(_section(models, name) for name in (*MIRRORS, *COMPOSED))


def write(models: Path = MODELS) -> None:
    (models / "README.md").write_text(render(models))


def _section(models: Path, name: str) -> str:
    """One specification: what it is, what was proved, within which bounds, and what was not."""
    mirror, lock = MIRRORS.get(name), locks.read(models, name)
    config, live = config_of(models, name), config_of(models, name, "Live")
    rows = [
        ("never happens", listed_in(config, "INVARIANTS"), config, lock["states"]),
        ("no step does", listed_in(config, "PROPERTIES"), config, lock["states"]),
        ("happens in the end", listed_in(live, "PROPERTIES"), live, lock["liveness_states"]),
    ]
    table = "".join(
        f"| {what} | {', '.join(f'`{p}`' for p in found)} | {_bounds(within)} | {states:,} |\n"
        for what, found, within, states in rows
        if found
    )
    seen = ", ".join(f"`{w}`" for w in listed_in(config_of(models, name, "Reach"), "INVARIANTS"))
    spec = (models / f"{name}.tla").read_text()
    return f"""
## {name}

{_introduction(name, mirror, spec)}

| proved | properties | bounds | states |
| --- | --- | --- | ---: |
{table}
{_held(mirror, lock)}Seen to be reachable: {seen}.

Not modelled: {_paragraph(spec, "Not here")}
"""


def _introduction(name: str, mirror: type[Mirror] | None, spec: str) -> str:
    if mirror is None:
        return f"How the machines play together; no machine of its own. `{name}.tla`."
    doc, place = mirror.module().__doc__ or "", mirror.module().__name__.replace(".", "/")
    counts = (
        f"{len(list(mirror.machine.states))} states, {len(mirror.actions())} actions, "
        f"{len(mirror.machine.edges())} edges"
    )
    diagrammed = f"```mermaid\n{diagram(mirror)}\n```"
    return f"{doc.splitlines()[0]} {counts}. `{place}.py`, `{name}.tla`.\n\n{diagrammed}"


def _held(mirror: type[Mirror] | None, lock: dict[str, Any]) -> str:
    """What was compared with the code, and what the machine takes on trust."""
    if mirror is None:
        return ""
    never = ", ".join(f"`{i}`" for i in lock["never"])
    rows = [
        f"Code and specification: {lock['edges']:,} edges in all, {lock['edges_driven']:,} of the "
        f"machine driven through the code, {lock['refusals_checked']:,} refusals, "
        f"{lock['bisimulation_pairs']:,} pairs of state and action asked of machine and world; "
        f"digest `{lock['digest']}`.",
        *(f"Taken on trust: `{name}`, because {why}" for name, why in mirror.believes.items()),
        *([f"Never enabled within the bounds: {never}."] if never else []),
    ]
    return "\n\n".join(rows) + "\n\n"


def diagram(mirror: type[Mirror]) -> str:
    """The library's own drawing, folded: one arrow from state to state, no loops."""
    arrows: dict[tuple[str, str], list[str]] = {}
    kept = []
    for line in format(mirror.machine, "mermaid").splitlines():
        if edge := _EDGE.fullmatch(line):
            arrows.setdefault((edge[1], edge[2]), []).append(edge[3].lower())
        elif line.strip() and not line.lstrip().startswith(("classDef", "class ")):
            kept.append(line.rstrip())
    folded = (
        f"    {source} --> {target} : {', '.join(dict.fromkeys(actions))}"
        for (source, target), actions in arrows.items()
        if source != target
    )
    return "\n".join([*kept, *folded])


def _bounds(config: str) -> str:
    constants = re.findall(r"^\s*(?:CONSTANTS? )?(\w+ = \d+)$", config, re.M)
    return ", ".join(constants) or "none"


def _paragraph(spec: str, beginning: str) -> str:
    """The paragraph of the specification's header that begins so."""
    header = "\n".join(line[2:-2].strip() for line in spec.splitlines() if line.startswith("(*"))
    found = re.search(rf"{beginning}: (.*?)(?:\n\n|\n\**\Z)", header, re.S)
    assert found, "a specification says what it leaves out"
    return " ".join(found[1].split())

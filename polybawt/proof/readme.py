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

Written by `polybawt.proof.readme`; do not edit. Every machine of `polybawt/core/machines/` has a
specification here with the same states and the same action names. TLC explores the machine
together with a world that delays, repeats, loses and contradicts, and shows that the properties
below hold in every state that can be reached within the bounds. The edges that TLC took are
committed in `locks/`; they equal, in both directions, those of the table that runs.

A green model says little by itself. So each specification has witnesses, which must fail
(`…Reach.cfg`), each carries `NothingIllegal` (whatever the world can say has a transition), and
`tests/proof/test_mutations.py` breaks guards one by one and names the property that notices.

The diagrams leave out what changes no state, and name every action that leads from one state to
another once. The tables themselves, with their guards, are the class bodies.
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

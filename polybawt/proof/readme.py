"""``models/README.md``, made from the machines, the specifications and the committed sizes.

Nothing in it is written by hand, so nothing in it can be out of date: a test compares it.
"""

import re
from pathlib import Path
from typing import Final

from polybawt.proof.catalogue import MIRRORS, Mirror
from polybawt.proof.verify import MODELS, config_of, read_sizes

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
    return HEAD + "".join(_section(models, mirror) for mirror in MIRRORS.values())


def write(models: Path = MODELS) -> None:
    (models / "README.md").write_text(render(models))


def _section(models: Path, mirror: Mirror) -> str:
    name, doc = mirror.name, mirror.module.__doc__ or ""
    spec = (models / f"{name}.tla").read_text()
    safety, live = config_of(models, name), config_of(models, name, "Live")
    sizes = read_sizes(models)
    rows = [
        ("never happens", _listed(safety, "INVARIANTS"), *sizes[name, "safety"]),
        ("no step does", _listed(safety, "PROPERTIES"), *sizes[name, "safety"]),
        ("happens in the end", _listed(live, "PROPERTIES"), *sizes[name, "liveness"]),
    ]
    table = "".join(
        f"| {what} | {', '.join(f'`{p}`' for p in properties)} | {_bounds(config)} | {states:,} |\n"
        for (what, properties, states, _), config in zip(rows, (safety, safety, live), strict=True)
    )
    seen = ", ".join(f"`{w}`" for w in _listed(config_of(models, name, "Reach"), "INVARIANTS"))
    counts = (
        f"{len(list(mirror.machine.states))} states, {len(mirror.actions)} actions, "
        f"{len(mirror.machine.edges())} edges"
    )
    return f"""
## {name}

{doc.splitlines()[0]} {counts}. `polybawt/core/machines/{name.lower()}.py`, `{name}.tla`.

```mermaid
{diagram(mirror)}
```

| proved | properties | bounds | states |
| --- | --- | --- | ---: |
{table}
Seen to be reachable: {seen}.

Not modelled: {_left_out(spec)}
"""


def diagram(mirror: Mirror) -> str:
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


def _listed(config: str, section: str) -> list[str]:
    """The names under one section of a configuration."""
    found = re.search(rf"^{section}\n((?:  \w+\n)+)", config, re.M)
    return found[1].split() if found else []


def _bounds(config: str) -> str:
    constants = re.findall(r"^\s*(?:CONSTANTS? )?(\w+ = \d+)$", config, re.M)
    return ", ".join(constants) or "none"


def _left_out(spec: str) -> str:
    """The paragraph of the specification's header that begins with ``Not here``."""
    header = "\n".join(line[2:-2].strip() for line in spec.splitlines() if line.startswith("(*"))
    found = re.search(r"Not here: (.*?)(?:\n\n|\n\**\Z)", header, re.S)
    assert found, "a specification says what it leaves out"
    return " ".join(found[1].split())

"""What was proved, as committed: nobody changes code or specification and not the other.

``models/locks/X.edges`` is the automaton, a line per edge; ``X.json`` the size and the digest of
the whole graph, and a digest of the specification without its comments.
"""

import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polybawt.proof import edges

if TYPE_CHECKING:
    from polybawt.proof.verify import Checked, Report

_COMMENT = re.compile(r"\\\*[^\n]*|\(\*.*?\*\)", re.S)
SIZES = ("states", "edges", "depth", "digest")


def differences(models: Path, found: "Checked") -> list[str]:
    """Where what was found is not what is committed."""
    lock = read(models, found.name)
    if not lock:
        return [f"{found.name} has no lock: `polybawt verify {found.name} --lock` writes it"]
    wrong = []
    if lock["text"] != text_digest(models, found.name):
        wrong.append("the specification is not the one that was committed: see --lock")
    wrong += [
        f"{size} {getattr(found, size)}, committed {lock[size]}"
        for size in SIZES
        if getattr(found, size) and getattr(found, size) != lock[size]
        if found.digest or size != "depth"  # TLC's own is not exact
    ]
    committed = models / "locks" / f"{found.name}.edges"
    if found.automaton and committed.exists():
        wrong += edges.differences(edges.read_lock(committed), found.automaton)
    return wrong


def write(models: Path, report: "Report") -> None:
    """Commit what holds."""
    assert report.holds, "only what holds is committed"
    for found in report.specs:
        if found.automaton:
            edges.write_lock(models / "locks" / f"{found.name}.edges", found.automaton)
        lock = {size: getattr(found, size) for size in (*SIZES, "liveness_states", "edges_driven")}
        lock |= {"refusals_checked": found.refusals_checked}
        lock |= {"bisimulation_pairs": found.bisimulation_pairs, "never": found.never_enabled}
        lock |= {"text": text_digest(models, found.name)}
        path = models / "locks" / f"{found.name}.json"
        path.write_text(json.dumps(lock, indent=1, sort_keys=True) + "\n")


def read(models: Path, name: str) -> dict[str, Any]:
    path = models / "locks" / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


def text_digest(models: Path, name: str) -> str:
    """Of module and configurations, without comments and layout."""
    texts = [(models / f"{name}.tla").read_text()]
    texts += [(models / f"{name}{kind}.cfg").read_text() for kind in ("", "Live", "Reach")]
    bare = " ".join(" ".join(_COMMENT.sub("", text).split()) for text in texts)
    return hashlib.sha256(bare.encode()).hexdigest()

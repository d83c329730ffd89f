"""Every specification is checked again, and what is committed is what TLC finds."""

from pathlib import Path

import pytest

from polybawt.proof import edges, readme, tlc, verify
from polybawt.proof.catalogue import MIRRORS


@pytest.fixture
def checker() -> None:
    """Skips, with the reason, where TLC cannot run."""
    try:
        tlc.find_tools()
    except tlc.ToolsMissing as missing:
        pytest.skip(str(missing))


@pytest.mark.parametrize("name", MIRRORS)
def test_the_specification_holds_and_is_what_is_committed(name: str, checker: None) -> None:
    """Safety, liveness, witnesses that fail, edges equal both ways.  Proves: P3.5."""
    said: list[str] = []

    report = verify.verify([name], said.append)

    assert report.holds, "\n".join(said)
    assert report.reached[name] == edges.read_lock(verify.MODELS / "locks" / f"{name}.edges")
    sizes = verify.read_sizes()
    for check in report.checks:
        if check.states:
            assert sizes[name, check.what] == (check.states, check.steps)
    assert len(said) == len(report.checks) >= 4


def copied(tmp_path: Path, name: str) -> Path:
    for file in verify.MODELS.glob(f"{name}*"):
        (tmp_path / file.name).write_text(file.read_text())
    return tmp_path


def test_a_broken_specification_is_reported_in_words(tmp_path: Path, checker: None) -> None:
    """A PONG that makes fresh, and a witness that cannot be reached, are both findings."""
    models = copied(tmp_path, "Feed")
    spec = models / "Feed.tla"
    stays, wakes = (f"  /\\ state' = {to} /\\ last' = \"Pong\"" for to in ("state", '"fresh"'))
    tame = spec.read_text().replace("NeverFreshOffline  == ", "NeverFreshOffline  == TRUE \\/ ")
    spec.write_text(tame.replace(stays, wakes))
    (models / "FeedReach.cfg").write_text("SPECIFICATION Spec\nINVARIANTS\n  NeverFreshOffline\n")

    report = verify.verify(["Feed"], lambda _: None, models)

    findings = [(check.what, *check.findings) for check in report.checks if check.findings]
    assert not report.holds
    assert findings[0][0] == "safety"
    assert ("witness NeverFreshOffline", "NeverFreshOffline was not violated") in findings
    assert "Feed: safety: FAILS\n" in str(report.checks[0])
    with pytest.raises(AssertionError, match="only what holds"):
        verify.lock(report, models)


def test_a_locked_report_is_read_back(tmp_path: Path) -> None:
    """Writing the locks is how a changed automaton is committed."""
    (tmp_path / "locks").mkdir()
    found = frozenset({("open", "cool", "half_open")})
    checks = (
        verify.Check(name="Breaker", what="safety", states=64, steps=386),
        verify.Check(name="Breaker", what="1 edges"),
    )

    verify.lock(verify.Report(checks=checks, reached={"Breaker": found}), tmp_path)

    assert edges.read_lock(tmp_path / "locks" / "Breaker.edges") == found
    assert verify.read_sizes(tmp_path) == {("Breaker", "safety"): (64, 386)}


def test_each_witness_is_run_alone() -> None:
    """TLC stops at the first invariant that fails."""
    config = "SPECIFICATION Spec\nCONSTANT Size = 2\nINVARIANTS\n  A\n  B\n"

    assert verify.witnesses(config) == [
        ("A", "SPECIFICATION Spec\nCONSTANT Size = 2\nINVARIANT A\n"),
        ("B", "SPECIFICATION Spec\nCONSTANT Size = 2\nINVARIANT B\n"),
    ]


@pytest.mark.parametrize("name", MIRRORS)
def test_every_property_of_a_specification_is_checked_or_witnessed(name: str) -> None:
    """A property that no configuration names is decoration."""
    spec = (verify.MODELS / f"{name}.tla").read_text()
    properties = spec.rpartition("LiveSpec ==")[2]
    stated = {
        line.split()[0]
        for line in properties.splitlines()
        if "==" in line and line[:1].isalpha() and not line.startswith("MODULE")
    }
    configured = " ".join(verify.config_of(verify.MODELS, name, k) for k in ("", "Live", "Reach"))

    assert stated <= set(configured.split())


def test_the_readme_is_up_to_date(tmp_path: Path) -> None:
    """Run ``polybawt.proof.readme.write()`` after a machine or a specification changed."""
    committed = (verify.MODELS / "README.md").read_text()

    assert committed == readme.render()
    (tmp_path / "locks").symlink_to(verify.MODELS / "locks")
    for file in verify.MODELS.glob("*.[tc]*"):
        (tmp_path / file.name).symlink_to(file)
    readme.write(tmp_path)
    assert committed == (tmp_path / "README.md").read_text()

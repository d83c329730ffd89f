"""Every specification is checked again, and what is committed is what is found."""

import re
import shutil
from pathlib import Path

import pytest
from attrs import evolve

from polybawt.proof import edges, locks, readme, verify
from polybawt.proof.catalogue import MIRRORS
from polybawt.proof.drift import drift
from polybawt.proof.mirrors.trade import TradeMirror
from polybawt.proof.spec import Spec
from polybawt.proof.values import Value, Values

SMALL = "Trade"  # the specification that is checked soonest


@pytest.mark.parametrize("name", verify.NAMES)
def test_what_is_committed_is_of_this_specification_and_this_code(name: str) -> None:
    """Nobody changes one without the other; the whole graph is `polybawt verify --quick`."""
    lock = locks.read(verify.MODELS, name)

    assert lock["text"] == locks.text_digest(verify.MODELS, name)
    if name in MIRRORS:
        assert [*drift(Spec.read(verify.MODELS, name), MIRRORS[name])] == []
        committed = edges.read_lock(verify.MODELS / "locks" / f"{name}.edges")
        assert edges.differences(committed, MIRRORS[name].machine.edges()) == []


def test_a_specification_and_its_code_are_checked_whole(checker: None) -> None:
    """Safety, liveness twice, witnesses, and the graph both ways.  Proves: P3.5."""
    said: list[str] = []

    (found,) = verify.verify([SMALL], said.append).specs

    assert found.mismatches == ()
    told = found.as_json()
    assert told["name"] == SMALL
    assert told["machine"] is True
    for counted in ("states", "edges", "depth", "edges_driven", "refusals_checked", "traces"):
        assert told[counted] > 0, counted
    assert told["bisimulation_pairs"] >= told["edges"]
    assert len(told["witnesses_failed_as_they_must"]) >= 3
    assert found.digest == locks.read(verify.MODELS, SMALL)["digest"]
    assert "automaton" not in told
    assert any("liveness" in line for line in said)


def test_without_java_the_code_alone_has_the_committed_digest() -> None:
    (found,) = verify.verify([SMALL], lambda _: None, quick=True).specs

    assert found.mismatches == ()
    assert found.digest == locks.read(verify.MODELS, SMALL)["digest"]
    assert found.depth == locks.read(verify.MODELS, SMALL)["depth"]


def test_a_code_that_its_world_cannot_follow_is_a_gap_and_no_crash(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Astonished(TradeMirror):
        def offers(self, name: str, arguments: tuple[Value, ...], at: Values) -> bool:
            raise AssertionError

    monkeypatch.setitem(MIRRORS, SMALL, Astonished)
    report = verify.verify([SMALL], lambda _: None, quick=True)

    assert not report.holds
    assert "the world cannot follow the code" in report.specs[0].mismatches[0]


def copied(tmp_path: Path, name: str, *changes: tuple[str, str]) -> Path:
    """The specification in a place of its own, with changes."""
    (tmp_path / "locks").mkdir()
    for path in (*verify.MODELS.glob(f"{name}*.*"), *verify.MODELS.glob(f"locks/{name}.*")):
        shutil.copy(path, tmp_path / path.relative_to(verify.MODELS))
    spec = tmp_path / f"{name}.tla"
    for old, new in changes:
        assert old in spec.read_text(), old
        spec.write_text(spec.read_text().replace(old, new))
    return tmp_path


def test_a_changed_specification_is_noticed_without_java(tmp_path: Path) -> None:
    models = copied(tmp_path, SMALL, ('state\' = "mined"', 'state\' = "matched"'))

    (found,) = verify.verify([SMALL], lambda _: None, models, quick=True).specs

    assert found.mismatches == ("the specification is not the one that was committed: see --lock",)


def test_a_comment_or_a_blank_changes_no_specification(tmp_path: Path) -> None:
    models = copied(tmp_path, SMALL, ("EXTENDS", "\\* as ever\n\nEXTENDS  "))

    assert locks.text_digest(models, SMALL) == locks.text_digest(verify.MODELS, SMALL)


def test_a_broken_specification_is_told_by_its_properties_and_by_the_code(
    tmp_path: Path, checker: None
) -> None:
    """A retry that is called a match: no money moves wrongly, yet it is another machine."""
    models = copied(tmp_path, SMALL, ('state\' = "retrying"', 'state\' = "matched"'))

    report = verify.verify([SMALL], lambda _: None, models, locked=False)

    found = "\n".join(report.specs[0].mismatches)
    assert not report.holds
    assert "declared in Python, never taken in the model" in found
    assert 'Retry: the code differs: state is "retrying", not "matched"' in found
    with pytest.raises(AssertionError, match="only what holds"):
        locks.write(models, report)


def test_a_witness_that_holds_is_a_finding(tmp_path: Path, checker: None) -> None:
    """A model in which nothing goes wrong proves nothing."""
    models = copied(tmp_path, SMALL, ("NeverVoided         == ", "NeverVoided == TRUE \\/ "))

    (found,) = verify.verify([SMALL], lambda _: None, models, locked=False).specs

    assert found.mismatches == ("witness NeverVoided was not violated: it holds",)


def test_what_is_locked_is_read_back_and_a_difference_is_told(tmp_path: Path) -> None:
    """Writing the locks is how a changed automaton is committed."""
    models = copied(tmp_path, SMALL)
    automaton = frozenset({("seen", "match", "matched")})
    found = verify.Checked(
        name=SMALL, machine=True, states=7, edges=9, depth=3, digest="ab", automaton=automaton
    )

    assert len(locks.differences(models, found)) > 4
    locks.write(models, verify.Report(specs=(found,)))

    assert locks.differences(models, found) == []
    assert edges.read_lock(models / "locks" / f"{SMALL}.edges") == automaton
    assert locks.differences(models, evolve(found, states=8)) == ["states 8, committed 7"]
    (models / "locks" / f"{SMALL}.json").unlink()
    assert "has no lock" in locks.differences(models, found)[0]


def test_each_witness_is_run_alone() -> None:
    """TLC stops at the first invariant that fails."""
    config = "SPECIFICATION Spec\nCONSTANT Size = 2\nINVARIANTS\n  A\n  B\n"

    assert verify.witnesses(config) == [
        ("A", "SPECIFICATION Spec\nCONSTANT Size = 2\nINVARIANT A\n"),
        ("B", "SPECIFICATION Spec\nCONSTANT Size = 2\nINVARIANT B\n"),
    ]


@pytest.mark.parametrize("name", verify.NAMES)
def test_every_property_of_a_specification_is_checked_or_witnessed(name: str) -> None:
    """A property that no configuration names is decoration."""
    text = (verify.MODELS / f"{name}.tla").read_text()
    definitions = Spec.read(verify.MODELS, name).definitions
    after = text.rpartition("LiveSpec ==")[2]
    stated = [d for d in definitions if re.search(rf"^{d}(\(.*\))? *==", after, re.M)]
    kinds = ("", "Live", "Reach")
    used = {w for k in kinds for w in verify.config_of(verify.MODELS, name, k).split()}
    for definition in reversed(stated):  # what a property is made of stands before it
        if definition in used:
            used |= set(re.findall(r"\w+", definitions[definition].body))

    assert [d for d in stated if d not in used] == []


def test_the_readme_is_up_to_date(tmp_path: Path) -> None:
    """Run ``polybawt.proof.readme.write()`` after a machine or a specification changed."""
    committed = (verify.MODELS / "README.md").read_text()

    assert committed == readme.render()
    (tmp_path / "locks").symlink_to(verify.MODELS / "locks")
    for file in verify.MODELS.glob("*.[tc]*"):
        (tmp_path / file.name).symlink_to(file)
    readme.write(tmp_path)
    assert committed == (tmp_path / "README.md").read_text()

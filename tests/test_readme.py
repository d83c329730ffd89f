"""What the README prints runs as printed."""

import re
import tomllib
from pathlib import Path

import pytest

import polybawt
from polybawt import order
from polybawt.core.machines.order import Order, OrderMachine
from polybawt.sim.faults import KINDS, read_faults

README = (Path(__file__).parents[1] / "README.md").read_text()


def block(language: str, containing: str) -> str:
    """The one block of code that holds these words."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.M | re.S)
    (found,) = [text for of, text in blocks if of == language and containing in text]
    return str(found)


def test_an_order_is_stepped_through_a_lost_answer_and_a_late_fill(
    capsys: pytest.CaptureFixture[str],
) -> None:
    exec(block("python", "OrderMachine.step"), {})

    assert capsys.readouterr().out.splitlines() == block("", "Timeout -> unknown").splitlines()


def test_a_machine_of_ones_own_is_held_against_a_specification_of_ones_own(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    checker: None,
) -> None:
    (tmp_path / "Door.tla").write_text(block("tla", "MODULE Door"))
    (tmp_path / "Door.cfg").write_text("SPECIFICATION Spec\n")
    monkeypatch.chdir(tmp_path)
    code = block("python", "hold(")

    exec(code, {"__name__": "door"})
    exec(code.replace("knocks += 1", "knocks += 2"), {"__name__": "door"})

    same, *differs = capsys.readouterr().out.splitlines()
    assert same == "one graph"
    assert "Knock: the code differs: knocks is 2, not 1; after nothing" in differs


def test_the_machines_are_a_library() -> None:
    """Record, machine and actions, for every machine there is, without knowing where they live."""
    assert polybawt.Order is Order
    assert polybawt.OrderMachine is OrderMachine
    assert polybawt.order is order
    places = (Path(polybawt.__file__).parent / "core" / "machines").glob("[a-z]*.py")
    for place in places:
        module = getattr(polybawt, place.stem)
        name = "".join(part.capitalize() for part in place.stem.split("_"))
        assert getattr(polybawt, name) is getattr(module, name)
        assert getattr(polybawt, f"{name}Machine") is getattr(module, f"{name}Machine")


@pytest.mark.parametrize("name", ["Nothing", "NothingMachine", "nothing"])
def test_what_is_no_machine_is_no_attribute(name: str) -> None:
    with pytest.raises(AttributeError, match=f"polybawt has no {name}"):
        getattr(polybawt, name)


def test_the_faults_that_are_printed_are_faults() -> None:
    rules = read_faults(tomllib.loads(block("toml", "[[fault]]")), "README.md")

    assert [rule.kind for rule in rules] == ["answer_lost", "drop"]
    for kind in KINDS:
        assert kind in README

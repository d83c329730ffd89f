"""The automaton that was proved is the automaton that runs: no Java needed."""

from pathlib import Path

import pytest

from polybawt.proof import edges
from polybawt.proof.catalogue import MIRRORS
from polybawt.proof.graph import Graph
from polybawt.proof.mirror import Mirror
from polybawt.proof.spec import Spec
from polybawt.proof.values import Function, Value
from polybawt.proof.verify import MODELS

each_machine = pytest.mark.parametrize("mirror", MIRRORS.values(), ids=lambda mirror: mirror.name)


@each_machine
def test_the_table_has_the_edges_that_the_specification_has(mirror: type[Mirror]) -> None:
    """Both ways: a dead edge is as much a difference as a missing one.  Proves: P3.5."""
    specified = edges.read_lock(MODELS / "locks" / f"{mirror.name}.edges")

    assert edges.differences(specified, mirror.machine.edges()) == []


def test_a_difference_is_told_in_words_with_its_direction() -> None:
    declared, specified = {("a", "go", "b"), ("a", "go", "c")}, {("a", "go", "b"), ("b", "go", "b")}

    assert edges.differences(specified, declared) == [
        "a go c: declared in Python, never taken in the model",
        "b go b: taken in the model, not declared in Python",
    ]


MODULE = (
    "ours == <<state>>\nCool(p) == p\nPass == 1\nOurs == \\E p \\in 1..2 : Cool(p)\nWorld == Pass\n"
)
SPEC = Spec("X", MODULE, "")


def test_only_the_actions_of_the_machine_count() -> None:
    """What the world does is no edge of ours, even when our state stays the same."""
    graph = Graph(SPEC, [("open",), ("half_open",)], [(0, 0, 1), (0, 2, 0)], (0,))

    assert {("open", "cool", "half_open")} == edges.reached(graph)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("open", "shut"), ("open", "half_open")),
        (Function({1: "open", 2: "shut"}), Function({1: "open", 2: "half_open"})),
    ],
)
def test_of_several_machines_the_one_that_is_named_has_the_edge(
    before: Value, after: Value
) -> None:
    """A function of processes: the first parameter says whose state it is."""
    graph = Graph(SPEC, [(before,), (after,)], [(0, 1, 1)], (0,))

    assert {("shut", "cool", "half_open")} == edges.reached(graph)


def test_a_lock_is_sorted_lines_and_survives_being_written(tmp_path: Path) -> None:
    """A reviewer sees a changed automaton as a changed line."""
    lock, found = tmp_path / "X.edges", {("b", "go", "a"), ("a", "go", "b")}

    edges.write_lock(lock, found)

    assert lock.read_text() == "a go b\nb go a\n"
    assert edges.read_lock(lock) == found

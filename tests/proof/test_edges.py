"""The automaton that was proved is the automaton that runs: no Java needed."""

from pathlib import Path

import pytest

from polybawt.proof import edges
from polybawt.proof.catalogue import MIRRORS, Mirror
from polybawt.proof.graph import Graph
from polybawt.proof.verify import MODELS

each_machine = pytest.mark.parametrize("mirror", MIRRORS.values(), ids=lambda mirror: mirror.name)


@each_machine
def test_the_table_has_the_edges_that_the_specification_has(mirror: Mirror) -> None:
    """Both ways: a dead edge is as much a difference as a missing one.  Proves: P3.5."""
    specified = edges.read_lock(MODELS / "locks" / f"{mirror.name}.edges")

    assert edges.differences(specified, mirror.machine.edges()) == []


def test_a_difference_is_told_in_words_with_its_direction() -> None:
    declared, specified = {("a", "go", "b"), ("a", "go", "c")}, {("a", "go", "b"), ("b", "go", "b")}

    assert edges.differences(specified, declared) == [
        "a go c: declared in Python, never taken in the model",
        "b go b: taken in the model, not declared in Python",
    ]


def test_only_the_actions_of_the_machine_count() -> None:
    """What the world does is no edge of ours, even when our state stays the same."""
    states = {1: {"state": '"open"'}, 2: {"state": '"half_open"'}}
    graph = Graph(states, [(1, "Cool", 2), (1, "Pass", 1), (2, "Closed", 2)], (1,))

    assert {("open", "cool", "half_open")} == edges.reached(graph, MIRRORS["Breaker"])


def test_a_lock_is_sorted_lines_and_survives_being_written(tmp_path: Path) -> None:
    """A reviewer sees a changed automaton as a changed line."""
    lock, found = tmp_path / "X.edges", {("b", "go", "a"), ("a", "go", "b")}

    edges.write_lock(lock, found)

    assert lock.read_text() == "a go b\nb go a\n"
    assert edges.read_lock(lock) == found

"""TLC's own text of a state graph is read exactly."""

from pathlib import Path

from polybawt.proof import graph
from polybawt.proof.spec import Spec
from polybawt.proof.values import Function

MODULE = """
ours == <<state, said>>
world == <<lied>>
Sign == TRUE
Say(what) == TRUE
Ours ==
  \\/ Sign
World ==
  \\/ \\E what \\in {"live", "refused"} : Say(what)
Next == Ours \\/ World \\/ Closed
"""
DUMP = r"""strict digraph DiskGraph {
nodesep=0.35;
subgraph cluster_graph {
color="white";
-6790123456789 [label="/\\ said = {}\n/\\ state = \"intent\"\n/\\ lied = FALSE",style = filled]
42 -> -6790123456789 [label="I2",color="black",fontcolor="black"];
-6790123456789 -> 42 [label="I0",color="black",fontcolor="black"];
42 -> 42 [label="Closed",color="black",fontcolor="black"];
42 [label="/\\ said = {\"live\", \"refused\"}\n/\\ state = \"signed\"\n/\\ lied = TRUE"];
{rank = same; -6790123456789;}
}
}
"""
SPEC = Spec("X", MODULE, "")


def dumped(tmp_path: Path) -> Path:
    path = tmp_path / "graph.dot"
    path.write_text(DUMP)
    return path


def test_a_dump_gives_states_edges_and_beginnings(tmp_path: Path) -> None:
    read = graph.read(dumped(tmp_path), SPEC)

    assert SPEC.variables == ("lied", "said", "state")
    assert read.states == [
        (False, frozenset(), "intent"),
        (True, frozenset({"live", "refused"}), "signed"),
    ]
    assert read.edges == [(1, 2, 0), (0, 0, 1)]  # to rest is no edge
    assert read.initial == (0,)
    assert read.values(1) == {"lied": True, "said": {"live", "refused"}, "state": "signed"}
    assert str(SPEC.instances[2]) == 'Say("refused")'


def test_a_function_that_ends_in_a_text_does_not_end_its_state(tmp_path: Path) -> None:
    r"""``\"b\"]`` has a quote and a bracket as the end of a label has."""
    path = tmp_path / "graph.dot"
    path.write_text(DUMP.replace("said = {}", r"said = [a |-> \"b\"]"))

    read = graph.read(path, SPEC)

    assert read.values(0) == {"lied": False, "said": Function({"a": "b"}), "state": "intent"}


def test_a_variable_more_is_read_beside(tmp_path: Path) -> None:
    few = Spec("X", MODULE.replace("world == <<lied>>", "world == <<>>"), "")

    read, flags = graph.read_with(dumped(tmp_path), few, "lied")

    assert read.states[0] == (frozenset(), "intent")
    assert flags == [False, True]


def test_the_way_to_a_state_is_a_shortest_one(tmp_path: Path) -> None:
    """What is told of a difference is how to get there."""
    long = graph.Graph(
        SPEC, [(n,) for n in range(4)], [(0, 0, 1), (1, 0, 2), (2, 0, 3), (0, 1, 2)], (0,)
    )

    assert long.way(3, long.routes()) == [(0, 1, 2), (2, 0, 3)]
    assert long.way(0, long.routes()) == []
    assert graph.depth(long) == 3

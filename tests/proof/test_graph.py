"""TLC's own text of a state graph is read exactly."""

from pathlib import Path

from polybawt.proof import graph

DUMP = r"""strict digraph DiskGraph {
nodesep=0.35;
subgraph cluster_graph {
color="white";
-6790123456789 [label="/\\ said = {}\n/\\ state = \"intent\"\n/\\ lied = FALSE",style = filled]
42 -> -6790123456789 [label="Sign",color="black",fontcolor="black"];
-6790123456789 -> 42 [label="Sign",color="black",fontcolor="black"];
42 [label="/\\ said = {\"live\", \"refused\"}\n/\\ state = \"signed\"\n/\\ lied = TRUE"];
{rank = same; -6790123456789;}
}
}
"""


def test_a_dump_gives_states_edges_and_beginnings(tmp_path: Path) -> None:
    dump = tmp_path / "graph.dot"
    dump.write_text(DUMP)

    read = graph.read(dump)

    assert read.states == {
        -6790123456789: {"said": "{}", "state": '"intent"', "lied": "FALSE"},
        42: {"said": '{"live", "refused"}', "state": '"signed"', "lied": "TRUE"},
    }
    assert read.edges == [(42, "Sign", -6790123456789), (-6790123456789, "Sign", 42)]
    assert read.initial == (-6790123456789,)

"""The state graph that TLC explored, as it dumped it with ``-dump dot,actionlabels``.

Every node carries its whole state, every edge the name of its action; values stay the texts
that TLC printed.
"""

import re
from pathlib import Path

from attrs import frozen

Node = int

_EDGE = re.compile(r'(-?\d+) -> (-?\d+) \[label="(\w*)"')
_NODE = re.compile(r'(-?\d+) \[label="(.*?)"(,style = filled)?\]')
_VARIABLE = re.compile(r"/\\\\ (\w+) = ")


@frozen
class Graph:
    states: dict[Node, dict[str, str]]
    edges: list[tuple[Node, str, Node]]
    initial: tuple[Node, ...]


def read(dump: Path) -> Graph:
    """Read a dump; lines that are neither node nor edge are Graphviz's own."""
    states: dict[Node, dict[str, str]] = {}
    edges: list[tuple[Node, str, Node]] = []
    initial: list[Node] = []
    with dump.open() as lines:
        for line in lines:
            if edge := _EDGE.match(line):
                edges.append((int(edge[1]), edge[3], int(edge[2])))
            elif node := _NODE.match(line):
                states[int(node[1])] = _variables(node[2])
                if node[3]:
                    initial.append(int(node[1]))
    return Graph(states, edges, tuple(initial))


def _variables(label: str) -> dict[str, str]:
    r"""A label is ``/\\ a = 1\n/\\ b = \"x\"``, as Graphviz escapes it."""
    parts = _VARIABLE.split(label)
    values = (text.replace("\\n", " ").replace('\\"', '"').strip() for text in parts[2::2])
    return dict(zip(parts[1::2], values, strict=True))

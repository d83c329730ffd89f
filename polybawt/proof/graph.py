"""A reachable graph, whoever explored it: TLC (as it dumped it) or the code (``explore``).

Two graphs are the same when they have the same initial states and the same edges, whatever
order they were found in.  Then they have the same digest, which is what is committed.
"""

import re
import tempfile
from collections import deque
from hashlib import blake2b
from pathlib import Path

from attrs import frozen

from polybawt.proof import tlc
from polybawt.proof.spec import DRIVER, Spec
from polybawt.proof.values import Value, parse, text

Node = int
Edge = tuple[Node, int, Node]  # source, number of the instance, target
State = tuple[Value, ...]  # in the order of ``Graph.variables``

BITS = 128
_EDGE = re.compile(r'(-?\d+) -> (-?\d+) \[label="(\w*)"')
_NODE = re.compile(r'(-?\d+) \[label="((?:[^"\\]|\\.)*)"(,style = filled)?\]')
_VARIABLE = re.compile(r"/\\\\ (\w+) = ")


@frozen
class Graph:
    """Nodes are the positions of their states; edges at rest (``Closed``) are left out."""

    spec: Spec
    states: list[State]
    edges: list[Edge]
    initial: tuple[Node, ...]

    def values(self, node: Node) -> dict[str, Value]:
        return dict(zip(self.spec.variables, self.states[node], strict=True))

    def digest(self) -> str:
        """The same for equal graphs, whatever order they are in; 128 bits in hex."""
        texts: list[dict[Value, bytes]] = [{} for _ in self.spec.variables]
        hashes = []
        for state in self.states:
            line = []
            for known, value in zip(texts, state, strict=True):
                if value not in known:
                    known[value] = text(value).encode()
                line.append(known[value])
            hashes.append(_hash(b"\n".join(line)))
        labels = [f" {instance} ".encode() for instance in self.spec.instances]
        total = sum(int.from_bytes(_hash(b"initial" + hashes[node])) for node in self.initial)
        for source, instance, target in self.edges:
            total += int.from_bytes(_hash(hashes[source] + labels[instance] + hashes[target]))
        return f"{total % (1 << BITS):032x}"

    def routes(self) -> list[tuple[Node, int] | None]:
        """For every node the last step of a shortest way to it; none leads to an initial one."""
        leaving = self.leaving()
        routes: list[tuple[Node, int] | None] = [None] * len(self.states)
        seen, todo = set(self.initial), deque(self.initial)
        while todo:
            node = todo.popleft()
            for instance, target in leaving[node]:
                if target not in seen:
                    seen.add(target)
                    routes[target] = node, instance
                    todo.append(target)
        return routes

    def leaving(self) -> list[list[tuple[int, Node]]]:
        """The edges by their source."""
        leaving: list[list[tuple[int, Node]]] = [[] for _ in self.states]
        for source, instance, target in self.edges:
            leaving[source].append((instance, target))
        return leaving

    def way(self, node: Node, routes: list[tuple[Node, int] | None]) -> list[Edge]:
        """A shortest way from an initial state to ``node``."""
        steps: list[Edge] = []
        while step := routes[node]:
            steps.append((step[0], step[1], node))
            node = step[0]
        return steps[::-1]


def depth(graph: Graph) -> int:
    """How many states the longest of the shortest ways has, as TLC counts it."""
    after: list[list[Node]] = [[] for _ in graph.states]
    for source, _, target in graph.edges:
        after[source].append(target)
    far = dict.fromkeys(graph.initial, 1)
    todo = deque(graph.initial)
    while todo:
        node = todo.popleft()
        for target in after[node]:
            if target not in far:
                far[target] = far[node] + 1
                todo.append(target)
    return max(far.values(), default=0)


def graph_of(spec: Spec, tools: tlc.Tools | None = None) -> Graph:
    """The whole graph of a specification as TLC explores it, every edge with its instance."""
    text, config = spec.driver()
    texts = {f"{spec.name}.tla": spec.module, f"{spec.name}{DRIVER}.tla": text}
    with tempfile.TemporaryDirectory(prefix="polybawt-dump-") as place:
        dump = Path(place) / "graph.dot"
        verdict = tlc.check(tools or tlc.find_tools(), texts, config, dump)
        if not verdict.holds:
            raise tlc.Failed(f"{spec.name}: {verdict.violated or verdict.error}")
        return read(dump, spec)


def read(dump: Path, spec: Spec) -> Graph:
    """What TLC dumped of a specification's driver (``-dump dot,actionlabels``)."""
    return read_with(dump, spec)[0]


def read_with(dump: Path, spec: Spec, flags: str = "") -> tuple[Graph, list[Value]]:
    """The same, and for every state the value of a variable that is none of the specification."""
    nodes: dict[str, Node] = {}
    states: list[State] = []
    flagged: list[Value] = []
    initial: list[Node] = []
    raw: list[tuple[str, int, str]] = []
    with dump.open() as lines:
        for line in lines:
            if edge := _EDGE.match(line):
                instance = spec.instance(edge[3])
                if instance is not None:
                    raw.append((edge[1], instance, edge[2]))
            elif node := _NODE.match(line):
                if node[3]:
                    initial.append(len(states))
                nodes[node[1]] = len(states)
                values = _variables(node[2])
                states.append(tuple(values[name] for name in spec.variables))
                if flags:
                    flagged.append(values[flags])
    edges = [(nodes[source], instance, nodes[target]) for source, instance, target in raw]
    return Graph(spec, states, edges, tuple(initial)), flagged


def _variables(label: str) -> dict[str, Value]:
    r"""A label is ``/\\ a = 1\n/\\ b = \"x\"``, as Graphviz escapes it."""
    parts = _VARIABLE.split(label)
    values = (part.replace("\\n", " ").replace('\\"', '"').strip() for part in parts[2::2])
    return {name: parse(value) for name, value in zip(parts[1::2], values, strict=True)}


def _hash(content: bytes) -> bytes:
    return blake2b(content, digest_size=BITS // 8).digest()

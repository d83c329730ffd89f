"""Holds code against a specification's graph: forward, refusal, bisimulation, tour.

*forward*: every edge of the machine half, driven through the code, leads where it leads there.
*refusal*: what has no edge is refused; an input that the specification knows to be impossible
may also be ignored, or lead to a declared doubt with all else untouched.  *bisimulation*: machine
and simulated world reach the same states by the same edges, from the same beginnings, both ways.
*tour*: all of it once more by real events from the initial state, with no state injected.

A difference is a sentence that ends in the events that lead to it, to be pasted into a test.
"""

import sys
from collections.abc import Iterable, Iterator

from attrs import frozen

from polybawt.proof.drift import drift
from polybawt.proof.explore import Code, Progress, TooMany, Unplayable, explore, fickle
from polybawt.proof.graph import Edge, Graph, Node, State
from polybawt.proof.mirror import ChartMirror, Mirror
from polybawt.proof.spec import Instance, Spec
from polybawt.proof.values import Value, text

FINDINGS_MAX = 5  # per kind: the first ones tell the story
ASKED_AGAIN = 500  # states, with nothing remembered: about half a second


@frozen(kw_only=True)
class Conformance:
    """What was held against what, and each difference as a sentence."""

    edges_driven: int
    refusals_checked: int
    tolerated: int
    bisimulation_pairs: int
    toured: int
    digest: str
    findings: tuple[str, ...] = ()
    never: tuple[str, ...] = ()  # instances that nothing ever enables


def conform(
    spec: Spec, specified: Graph, mirror: Mirror | ChartMirror, progress: Progress
) -> Conformance:
    """Every comparison of one machine with the graph that TLC found."""
    code = Code(spec, mirror)
    relation = Relation(specified, code)
    findings = [*drift(spec, mirror)] if isinstance(mirror, Mirror) else []
    progress(f"{spec.name}: forward, {len(relation.edges)} transitions of the machine half")
    findings += relation.faults
    findings += first(forward(relation, code))
    progress(f"{spec.name}: refusal")
    refusals = Refusals(relation, code)
    findings += first(refusals.findings())
    progress(f"{spec.name}: tour")
    toured = Tour(relation, code)
    findings += first(toured.findings())
    progress(f"{spec.name}: exploring the code")
    try:
        reached = explore(code, progress)
    except (TooMany, Unplayable) as cut_short:
        findings.append(str(cut_short))
        reached = Graph(spec, [], [], ())
    else:
        findings += first(differences(specified, reached))
        again = max(len(reached.states) // ASKED_AGAIN, 1)
        findings += first(fickle(Code(spec, mirror), reached, again))
    return Conformance(
        edges_driven=relation.size,
        refusals_checked=refusals.checked,
        tolerated=refusals.tolerated,
        bisimulation_pairs=code.pairs,
        toured=toured.steps,
        digest=reached.digest(),
        findings=tuple(findings),
        never=tuple(relation.never()),
    )


def first(findings: Iterator[str]) -> list[str]:
    """The first few, and the fact that there are more."""
    told = [finding for _, finding in zip(range(FINDINGS_MAX + 1), findings, strict=False)]
    return [*told[:FINDINGS_MAX], "and more of this kind"] if len(told) > FINDINGS_MAX else told


class Relation:
    """The machine half of a graph: (our half and what is heard, instance) to our half after."""

    def __init__(self, graph: Graph, code: Code) -> None:
        self.graph, self.routes, self.size = graph, graph.routes(), 0
        self.edges: dict[tuple[State, int], tuple[State, Node]] = {}
        self.faults: list[str] = []
        self.states: dict[State, Node] = {}
        places = [graph.spec.variables.index(name) for name in graph.spec.ours]
        self._taken: set[int] = set()
        for node, state in enumerate(graph.states):
            self.states.setdefault(code.seen_by_us(state), node)
        for source, instance, target in graph.edges:
            self._taken.add(instance)
            ours = tuple(graph.states[target][place] for place in places)
            if not graph.spec.instances[instance].ours:
                if ours != tuple(graph.states[source][place] for place in places):
                    self.fault(source, instance, "an action of the world changes our half")
                continue
            self.size += 1
            key = code.seen_by_us(graph.states[source]), instance
            known = self.edges.setdefault(key, (ours, source))
            if known[0] != ours:
                self.fault(source, instance, "the specification is no function of our half")

    def fault(self, node: Node, instance: int, what: str) -> None:
        if len(self.faults) < FINDINGS_MAX:
            self.faults.append(self.told(node, instance, what))

    def told(self, node: Node, instance: int | Instance, what: str) -> str:
        """A sentence about one step, and the way to where it is taken."""
        action = self.graph.spec.instances[instance] if isinstance(instance, int) else instance
        return f"{action}: {what}; after {way(self.graph, node, self.routes)}"

    def never(self) -> list[str]:
        """The instances that no reachable state enables."""
        return [str(i) for n, i in enumerate(self.graph.spec.instances) if n not in self._taken]


def forward(relation: Relation, code: Code) -> Iterator[str]:
    """Every edge of the machine half through the code."""
    for (_, instance), (wanted, node) in relation.edges.items():
        stepped = code.step_of_ours(relation.graph.states[node], instance)
        if stepped is None:
            yield relation.told(node, instance, "specified, refused by the code")
            continue
        got = tuple(stepped[0][name] for name in code.spec.ours)
        if got != wanted:
            wrong = _changes(code.spec.ours, wanted, got)
            yield relation.told(node, instance, f"the code differs: {wrong}")


class Refusals:
    """Every state of our half with every instance that has no edge from it, and some worse."""

    def __init__(self, relation: Relation, code: Code) -> None:
        self.relation, self.code = relation, code
        self.checked = self.tolerated = 0

    def findings(self) -> Iterator[str]:
        code, relation = self.code, self.relation
        for number, instance in enumerate(code.spec.instances):
            if not instance.ours or instance.name in code.mirror.believes:
                continue
            for seen, node in relation.states.items():
                if (seen, number) not in relation.edges:
                    at = relation.graph.values(node)
                    yield from self._one(node, at, instance, code.step_of_ours(
                        relation.graph.states[node], number
                    ))  # fmt: skip
        for instance in hostile(code.spec):
            for node in relation.states.values():
                at = relation.graph.values(node)
                stepped = code.mirror.step(at, instance.name, instance.arguments)
                yield from self._one(node, at, instance, stepped)

    def _one(
        self, node: Node, at: dict[str, Value], instance: Instance, stepped: object
    ) -> Iterator[str]:
        self.checked += 1
        if stepped is None:
            return
        assert isinstance(stepped, tuple)
        ours: dict[str, Value] = stepped[0]
        changed = {name for name in self.code.spec.ours if ours[name] != at[name]}
        if changed <= {"state"} and (not changed or ours["state"] in self.code.mirror.doubts):
            self.tolerated += 1
            return
        names = self.code.spec.ours
        wrong = _changes(names, [at[name] for name in names], [ours[name] for name in names])
        yield self.relation.told(node, instance, f"not specified, believed by the code: {wrong}")


def hostile(spec: Spec) -> Iterator[Instance]:
    """Instances of our actions with a number just outside of its domain."""
    by_name: dict[str, list[Instance]] = {}
    for instance in spec.instances:
        if instance.ours:
            by_name.setdefault(instance.name, []).append(instance)
    seen = {(i.name, i.arguments) for i in spec.instances}
    for name, instances in by_name.items():
        for place in range(len(instances[0].arguments)):
            values = {i.arguments[place] for i in instances}
            numbers = [v for v in values if isinstance(v, int) and not isinstance(v, bool)]
            if len(numbers) != len(values):
                continue
            for instance in instances:
                for wrong in (min(numbers) - 1, max(numbers) + 1):
                    given = list(instance.arguments)
                    given[place] = wrong
                    if (name, tuple(given)) not in seen:
                        seen.add((name, tuple(given)))
                        yield Instance(name, tuple(given), ours=True)


class Tour:
    """Walks from the initial states that take every transition of our half by real events."""

    def __init__(self, relation: Relation, code: Code) -> None:
        self.relation, self.code = relation, code
        self.steps = self.walks = 0

    def findings(self) -> Iterator[str]:
        left = set(self.relation.edges)
        leaving, routes = self.relation.graph.leaving(), self.relation.routes
        graph = self.relation.graph
        for key, (_, node) in reversed(self.relation.edges.items()):  # deep ones cover others
            if key not in left:
                continue
            walk = graph.way(node, routes)
            at = node
            while step := self._new(at, leaving[at], left):
                walk.append(step)
                at = step[2]
            for source, instance, _ in walk:
                left.discard((self.code.seen_by_us(graph.states[source]), instance))
            yield from self._walked(walk)

    def _new(
        self, at: Node, leaving: list[tuple[int, Node]], left: set[tuple[State, int]]
    ) -> Edge | None:
        seen = self.code.seen_by_us(self.relation.graph.states[at])
        for instance, target in leaving:
            if (seen, instance) in left:
                left.discard((seen, instance))
                return at, instance, target
        return None

    def _walked(self, walk: list[Edge]) -> Iterator[str]:
        graph, mirror, spec = self.relation.graph, self.code.mirror, self.code.spec
        self.walks += 1
        record = mirror.record(graph.values(walk[0][0]))
        for source, instance, target in walk:
            action = spec.instances[instance]
            if not action.ours:
                continue
            self.steps += 1
            stepped = mirror.advance(record, action.name, action.arguments, graph.values(source))
            if stepped is None:
                yield self.relation.told(source, instance, "on tour, refused by the code")
                return
            record, ours, _ = stepped
            wanted = graph.values(target)
            wrong = _changes(
                spec.ours, [wanted[v] for v in spec.ours], [ours[v] for v in spec.ours]
            )
            if wrong:
                yield self.relation.told(source, instance, f"on tour, the code differs: {wrong}")
                return


def differences(specified: Graph, reached: Graph) -> Iterator[str]:
    """Where two graphs part, each with the way to it; none when they are the same."""
    theirs = {state: node for node, state in enumerate(specified.states)}
    mine = {state: node for node, state in enumerate(reached.states)}
    wanted = {specified.states[node] for node in specified.initial}
    got = {reached.states[node] for node in reached.initial}
    for state in wanted ^ got:
        who = "specification" if state in wanted else "code"
        yield f"only the {who} begins with {_shown(specified.spec, state)}"
    routes, leaving = specified.routes(), specified.leaving()
    taken = reached.leaving()
    for state, node in theirs.items():
        if state not in mine:
            continue  # the step that leads there is told
        there = {instance: specified.states[target] for instance, target in leaving[node]}
        here = {instance: reached.states[target] for instance, target in taken[mine[state]]}
        if len(there) < len(leaving[node]):
            yield f"an instance has two successors; after {way(specified, node, routes)}"
        for instance in sorted(there.keys() | here.keys()):
            action = specified.spec.instances[instance]
            if there.get(instance) == here.get(instance):
                continue
            if instance not in here:
                what = "specified, not possible in the code"
            elif instance not in there:
                what = "possible in the code, not specified"
            else:
                names = specified.spec.variables
                what = f"the code differs: {_changes(names, there[instance], here[instance])}"
            yield f"{action}: {what}; after {way(specified, node, routes)}"


def way(graph: Graph, node: Node, routes: list[tuple[Node, int] | None]) -> str:
    """The events that lead to a node."""
    steps = [str(graph.spec.instances[instance]) for _, instance, _ in graph.way(node, routes)]
    return ", ".join(steps) or "nothing"


def _changes(names: Iterable[str], wanted: Iterable[Value], got: Iterable[Value]) -> str:
    return ", ".join(
        f"{name} is {text(mine)}, not {text(theirs)}"
        for name, theirs, mine in zip(names, wanted, got, strict=True)
        if mine != theirs
    )


def _shown(spec: Spec, state: State) -> str:
    return ", ".join(f"{n} = {text(v)}" for n, v in zip(spec.variables, state, strict=True))


def main(names: list[str]) -> int:
    """``python -m polybawt.proof.conform Order``: one specification against its code, at once."""
    from polybawt.proof.catalogue import MIRRORS  # noqa: PLC0415
    from polybawt.proof.graph import graph_of  # noqa: PLC0415
    from polybawt.proof.verify import MODELS  # noqa: PLC0415

    bad = 0
    for name in names:
        spec = Spec.read(MODELS, name)
        found = conform(spec, graph_of(spec), MIRRORS[name](spec.constants), print)
        print(f"{name}: {found}")  # noqa: T201
        print(*(f"  {finding}" for finding in found.findings), sep="\n")  # noqa: T201
        bad += bool(found.findings)
    return bad


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

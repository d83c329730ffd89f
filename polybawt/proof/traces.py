"""From code to specification: what was seen of a run, and whether the specification allows it.

A trace is what an observer of the machine sees: each action with its arguments, and our half
after it.  The world stays hidden, so a trace is allowed when *some* world explains it.  Two judges
that share nothing: a search over the graph, and TLC itself, for many traces in one run.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from attrs import frozen

from polybawt.proof import tlc
from polybawt.proof.explore import Code
from polybawt.proof.graph import Graph, Node, State
from polybawt.proof.spec import Spec
from polybawt.proof.values import Function, Value, text

Seen = tuple[int, State]  # number of the instance, our half after it
Trace = tuple[Seen, ...]
Choose = Callable[[int], int]
"""One of so many: who drives a walk (a seeded generator, or Hypothesis)."""

_ACCEPTED: Final = re.compile(r"\"ACCEPTED\", (\d+)")


def walk(code: Code, choose: Choose, steps: int) -> Trace:
    """Run machine and world for so many steps, and tell what was seen of the machine."""
    begin = code.initial()
    state, seen = begin[choose(len(begin))], list[Seen]()
    for _ in range(steps):
        ways = [*code.ways(state)]
        if not ways:
            break
        taken, state = ways[choose(len(ways))]
        if code.spec.instances[taken].ours:
            seen.append((taken, _ours(code.spec, state)))
    return tuple(seen)


def _ours(spec: Spec, state: State) -> State:
    return tuple(state[spec.variables.index(name)] for name in spec.ours)


def spoilt(spec: Spec, trace: Trace, choose: Choose) -> Trace:
    """The same trace, but for one step after which the machine is in no state of its."""
    number, place = choose(len(trace)), spec.ours.index("state")
    instance, ours = trace[number]
    changed = instance, (*ours[:place], _nowhere(ours[place]), *ours[place + 1 :])
    return (*trace[:number], changed, *trace[number + 1 :])


def _nowhere(state: Value) -> Value:
    """A state that no machine has; of several machines, the first is in it."""
    match state:
        case Function():
            return state.but(next(iter(state)), "nowhere")
        case tuple():
            return ("nowhere", *state[1:])
    return "nowhere"


@frozen
class Known:
    """Where a run may be: every node that explains what was seen so far."""

    nodes: frozenset[Node]


class Judge:
    """Holds traces against a graph: the world's steps are silent."""

    def __init__(self, graph: Graph) -> None:
        spec = graph.spec
        self._ours = [_ours(spec, state) for state in graph.states]
        self._silent: list[list[Node]] = [[] for _ in graph.states]
        self._told: dict[tuple[Node, int], Node] = {}
        for source, instance, target in graph.edges:
            if spec.instances[instance].ours:
                self._told[source, instance] = target
            elif target != source:
                self._silent[source].append(target)
        self._initial = graph.initial
        self._after: dict[tuple[Known, Seen], Known] = {}

    def begin(self) -> Known:
        return self._closed(self._initial)

    def after(self, known: Known, seen: Seen) -> Known:
        """Where it may be once this was seen; nowhere when nothing explains it."""
        if (known, seen) not in self._after:
            instance, ours = seen
            targets = (self._told.get((node, instance)) for node in known.nodes)
            fits = (node for node in targets if node is not None and self._ours[node] == ours)
            self._after[known, seen] = self._closed(fits)
        return self._after[known, seen]

    def first_wrong(self, trace: Trace) -> int | None:
        """The number of the first step that no world explains; ``None`` when all is explained."""
        known = self.begin()
        for number, seen in enumerate(trace):
            known = self.after(known, seen)
            if not known.nodes:
                return number
        return None

    def _closed(self, nodes: Iterable[Node]) -> Known:
        found = set(nodes)
        todo = [*found]
        while todo:
            for target in self._silent[todo.pop()]:
                if target not in found:
                    found.add(target)
                    todo.append(target)
        return Known(frozenset(found))


def by_tlc(spec: Spec, traces: Sequence[Trace], tools: tlc.Tools) -> set[int]:
    """Which of the traces TLC explains, all in one run."""
    name = f"{spec.name}Traces"
    rows = (
        "<<" + ", ".join(f"<<{n}, <<{', '.join(map(text, ours))}>>>>" for n, ours in trace) + ">>"
        for trace in traces
    )
    steps = "\n".join(
        f"  \\/ (TraceTold[1] = {number}) /\\ {instance}"
        for number, instance in enumerate(spec.instances)
        if instance.ours
    )
    primed = ", ".join(f"{variable}'" for variable in spec.ours)
    module = f"""---- MODULE {name} ----
EXTENDS {spec.name}, TLC, Sequences, Integers
VARIABLES traceOf, traceAt
TraceAll == <<
{(", " + chr(10)).join(rows)} >>
TraceTold == TraceAll[traceOf][traceAt + 1]
TraceStep ==
{steps}
TraceInit == Init /\\ (traceOf \\in 1..Len(TraceAll)) /\\ (traceAt = 0)
TraceNext ==
  /\\ traceAt < Len(TraceAll[traceOf])
  /\\ UNCHANGED traceOf
  /\\ \\/ World /\\ UNCHANGED traceAt
     \\/ TraceStep /\\ (traceAt' = traceAt + 1) /\\ (<<{primed}>> = TraceTold[2])
TraceSpec == TraceInit /\\ [][TraceNext]_<<vars, traceOf, traceAt>>
TraceExplained == (traceAt = Len(TraceAll[traceOf])) => PrintT(<<"ACCEPTED", traceOf>>)
====
"""
    constants = "".join(f"CONSTANT {n} = {value}\n" for n, value in spec.constants.items())
    config = f"SPECIFICATION TraceSpec\n{constants}INVARIANT TraceExplained\n"
    texts = {f"{spec.name}.tla": spec.module, f"{name}.tla": module}
    verdict = tlc.check(tools, texts, config, deadlock=False)
    if not verdict.holds:
        raise tlc.Failed(f"{name}: {verdict.violated or verdict.error}")
    return {int(found) - 1 for found in _ACCEPTED.findall(verdict.text)}

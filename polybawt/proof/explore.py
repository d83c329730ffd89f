"""Explores the code: machine and simulated world together, breadth first, without TLC.

Every action instance of the specification is tried in every state that is found.  Our half is
stepped by the machine's own table, once per (our half, what the action carries, instance), and
remembered: it is a function.  The world half is asked each time.
"""

from collections import deque
from collections.abc import Callable

from polybawt.proof.graph import Graph, Node, State
from polybawt.proof.mirror import ChartMirror, Mirror
from polybawt.proof.spec import Spec
from polybawt.proof.values import Value, Values

STATES_MAX = 400_000
TOLD_EVERY = 5_000

Progress = Callable[[str], None]


class TooMany(Exception):
    """The code reaches more states than any specification here has: it runs away."""


class Code:
    """Machine and world as one system over the states of a specification."""

    def __init__(self, spec: Spec, mirror: Mirror | ChartMirror) -> None:
        self.spec, self.mirror = spec, mirror
        at = {name: place for place, name in enumerate(spec.variables)}
        self._seen_by_us = [at[name] for name in (*spec.ours, *mirror.heard)]
        self._known: dict[tuple[State, int], tuple[Values, object] | None] = {}
        self.pairs = 0

    def initial(self) -> list[State]:
        return [self.state(values) for values in self.mirror.initial()]

    def state(self, values: Values) -> State:
        return tuple(values[name] for name in self.spec.variables)

    def values(self, state: State) -> dict[str, Value]:
        return dict(zip(self.spec.variables, state, strict=True))

    def seen_by_us(self, state: State) -> State:
        """Our half and what actions carry: all that a step of ours depends on."""
        return tuple(state[place] for place in self._seen_by_us)

    def step_of_ours(self, state: State, instance: int) -> tuple[Values, object] | None:
        """Our half after an action, whether or not the world can let it happen."""
        key = self.seen_by_us(state), instance
        if key not in self._known:
            action = self.spec.instances[instance]
            self._known[key] = self.mirror.step(self.values(state), action.name, action.arguments)
        return self._known[key]

    def after(self, state: State, instance: int, at: Values) -> State | None:
        """The one successor by an instance, or ``None``; ``at`` is the state by name."""
        self.pairs += 1
        action, mirror = self.spec.instances[instance], self.mirror
        if not action.ours:
            moved = mirror.moves(action.name, action.arguments, at)
            return None if moved is None else self.state({**at, **moved})
        if not mirror.offers(action.name, action.arguments, at):
            return None
        stepped = self.step_of_ours(state, instance)
        if stepped is None:
            return None
        ours, outputs = stepped
        felt = mirror.felt(action.name, action.arguments, at, ours, outputs)
        return self.state({**at, **ours, **felt})


def explore(code: Code, progress: Progress = lambda _: None) -> Graph:
    """Everything that can be reached; raise ``TooMany`` when there is no end of it."""
    nodes: dict[State, Node] = {}
    states: list[State] = []
    edges = []
    todo: deque[Node] = deque()

    def node_of(state: State) -> Node:
        if state not in nodes:
            nodes[state] = len(states)
            states.append(state)
            todo.append(nodes[state])
            if len(states) > STATES_MAX:
                raise TooMany(f"{code.spec.name}: more than {STATES_MAX} states")
        return nodes[state]

    initial = tuple(dict.fromkeys(node_of(state) for state in code.initial()))
    instances = range(len(code.spec.instances))
    while todo:
        node = todo.popleft()
        state = states[node]
        at = code.values(state)
        for instance in instances:
            after = code.after(state, instance, at)
            if after is not None:
                edges.append((node, instance, node_of(after)))
        if (node + 1) % TOLD_EVERY == 0:
            progress(f"{code.spec.name}: {len(states)} states of the code, {len(todo)} to go")
    return Graph(code.spec, states, edges, initial)

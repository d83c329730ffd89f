"""Explores the code: machine and simulated world together, breadth first, without TLC.

Every action instance of the specification is tried in every state that is found.  Our half is
stepped by the machine's own table, once per (our half, what the action carries, instance), and
remembered: it is a function.  The world half is asked each time.
"""

from collections.abc import Callable, Iterator

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
        numbered = [*enumerate(spec.instances)]
        self._ours = [n for n, i in numbered if i.ours]
        self._world = [(n, i.name, i.arguments) for n, i in numbered if not i.ours]

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
        return self._stepped((self.seen_by_us(state), instance), state)

    def _stepped(self, key: tuple[State, int], state: State) -> tuple[Values, object] | None:
        if key not in self._known:
            action = self.spec.instances[key[1]]
            self._known[key] = self.mirror.step(self.values(state), action.name, action.arguments)
        return self._known[key]

    def after(self, state: State, instance: int, at: Values) -> State | None:
        """The one successor by an instance, or ``None``; ``at`` is the state by name."""
        action, mirror = self.spec.instances[instance], self.mirror
        if action.ours:
            return self._felt((self.seen_by_us(state), instance), state, at)
        moved = mirror.moves(action.name, action.arguments, at)
        return None if moved is None else self.state({**at, **moved})

    def _felt(self, key: tuple[State, int], state: State, at: Values) -> State | None:
        action, mirror = self.spec.instances[key[1]], self.mirror
        if not mirror.offers(action.name, action.arguments, at):
            return None
        stepped = self._stepped(key, state)
        if stepped is None:
            return None
        ours, outputs = stepped
        felt = mirror.felt(action.name, action.arguments, at, ours, outputs)
        return self.state({**at, **ours, **felt})

    def ways(self, state: State) -> Iterator[tuple[int, State]]:
        """Every instance that can happen in a state, with its one successor."""
        at, seen, mirror = self.values(state), self.seen_by_us(state), self.mirror
        for number in self._ours:
            after = self._felt((seen, number), state, at)
            if after is not None:
                yield number, after
        for number, name, arguments in self._world:
            moved = mirror.moves(name, arguments, at)
            if moved is not None:
                yield number, self.state({**at, **moved})
        self.pairs += len(self.spec.instances)


def explore(code: Code, progress: Progress = lambda _: None) -> Graph:
    """Everything that can be reached; raise ``TooMany`` when there is no end of it."""
    nodes: dict[State, Node] = {}
    states: list[State] = []
    edges = []

    def node_of(state: State) -> Node:
        node = nodes.setdefault(state, len(states))
        if node == len(states):
            states.append(state)
            if len(states) > STATES_MAX:
                raise TooMany(f"{code.spec.name}: more than {STATES_MAX} states")
        return node

    initial = tuple(dict.fromkeys(node_of(state) for state in code.initial()))
    for node, state in enumerate(states):  # which grows
        edges += [(node, instance, node_of(after)) for instance, after in code.ways(state)]
        if (node + 1) % TOLD_EVERY == 0:
            left = len(states) - node - 1
            progress(f"{code.spec.name}: {len(states)} states of the code, {left} to go")
    return Graph(code.spec, states, edges, initial)

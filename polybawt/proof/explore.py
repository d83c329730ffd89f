"""Explores the code: machine and simulated world together, breadth first, without TLC.

Every action instance of the specification is tried in every state that is found.  Our half is
stepped by the machine's own table, once per (our half, what the action carries, instance).  The
world half is asked once per instance and values of the variables that its answer depends on,
which is found out and not declared (``recall``).  ``Code`` itself remembers steps of ours only.
"""

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from polybawt.core.machine import IllegalAction
from polybawt.proof.graph import Graph, Node, State
from polybawt.proof.mirror import ChartMirror, Mirror
from polybawt.proof.recall import Answers, Delta, Numbering, Numbers
from polybawt.proof.spec import Instance, Spec
from polybawt.proof.values import Value, Values

STATES_MAX = 400_000
TOLD_EVERY = 5_000

Progress = Callable[[str], None]


class TooMany(Exception):
    """The code reaches more states than any specification here has: it runs away."""


class Unplayable(Exception):
    """The world that a mirror plays cannot go on from what the code did; says after what."""


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


class Remembering:
    """A code that is asked nothing twice: each answer is kept by what it depends on."""

    def __init__(self, code: Code) -> None:
        spec, self.code = code.spec, code
        self.numbering = Numbering(spec.variables)
        ours = *spec.ours, *code.mirror.heard
        self._seen_by_us = [self.numbering.places[name] for name in ours]
        self._halves: dict[Numbers, int] = {}
        self._ours: list[tuple[int, Answers, dict[int, Answers | None]]] = []
        self._world: list[tuple[int, Answers]] = []
        for number, instance in enumerate(spec.instances):
            ask = self._offers if instance.ours else self._moves
            answers = Answers(self.numbering, partial(ask, number))
            if instance.ours:
                self._ours.append((number, answers, {}))
            else:
                self._world.append((number, answers))

    def ways(self, state: Numbers) -> Iterator[tuple[int, Numbers]]:
        """Every instance that can happen in a state, with its one successor."""
        seen = tuple([state[place] for place in self._seen_by_us])
        half = self._halves.setdefault(seen, len(self._halves))
        for number, offers, steps in self._ours:
            if not offers.about(state):
                continue
            if half not in steps:
                steps[half] = self._stepped(number, state)
            if felt := steps[half]:
                yield number, after(state, felt.about(state))
        for number, moves in self._world:
            moved = moves.about(state)
            if moved is not None:
                yield number, after(state, moved)
        self.code.pairs += len(self.code.spec.instances)

    def _offers(self, number: int, at: Values) -> bool:
        action = self.code.spec.instances[number]
        with self._playing(action):
            return self.code.mirror.offers(action.name, action.arguments, at)

    def _stepped(self, number: int, state: Numbers) -> Answers | None:
        """What a step of ours changes, also of the world; ``None`` when it is refused."""
        stepped = self.code.step_of_ours(self.numbering.read(state), number)
        return stepped and Answers(self.numbering, partial(self._felt, number, stepped))

    def _felt(self, number: int, stepped: tuple[Values, object], at: Values) -> Delta:
        action, (ours, outputs) = self.code.spec.instances[number], stepped
        with self._playing(action):
            felt = self.code.mirror.felt(action.name, action.arguments, at, ours, outputs)
        return self.numbering.delta({**ours, **felt})

    def _moves(self, number: int, at: Values) -> Delta | None:
        action = self.code.spec.instances[number]
        with self._playing(action):
            moved = self.code.mirror.moves(action.name, action.arguments, at)
        return None if moved is None else self.numbering.delta(moved)

    @contextmanager
    def _playing(self, action: Instance) -> Iterator[None]:
        try:
            yield
        except (AssertionError, IllegalAction) as e:
            frame = traceback.extract_tb(e.__traceback__)[-1]
            where = f"{Path(frame.filename).name}:{frame.lineno}: {frame.line}"
            raise Unplayable(f"{action}: the world cannot follow the code: {where}") from e


def after(state: Numbers, changed: Delta) -> Numbers:
    """The same state, but for what changed."""
    new = [*state]
    for place, number in changed:
        new[place] = number
    return tuple(new)


def explore(code: Code, progress: Progress = lambda _: None) -> Graph:
    """Everything that can be reached; raise ``TooMany`` when there is no end of it.

    Raise ``Unplayable`` when the world of the mirror takes what the code did for impossible.
    """
    remembering = Remembering(code)
    numbering = remembering.numbering
    nodes: dict[Numbers, Node] = {}
    states: list[Numbers] = []
    edges = []

    def node_of(state: Numbers) -> Node:
        node = nodes.setdefault(state, len(states))
        if node == len(states):
            states.append(state)
            if len(states) > STATES_MAX:
                raise TooMany(f"{code.spec.name}: more than {STATES_MAX} states")
        return node

    initial = tuple(dict.fromkeys(node_of(numbering.state(state)) for state in code.initial()))
    for node, state in enumerate(states):  # which grows
        edges += [(node, number, node_of(after)) for number, after in remembering.ways(state)]
        if (node + 1) % TOLD_EVERY == 0:
            left = len(states) - node - 1
            progress(f"{code.spec.name}: {len(states)} states of the code, {left} to go")
    return Graph(code.spec, [numbering.read(state) for state in states], edges, initial)


def fickle(code: Code, reached: Graph, every: int = 1) -> Iterator[str]:
    """Where the code answers otherwise when it is asked again, with nothing of the world kept.

    ``every`` how many states one is asked about.
    """
    leaving = reached.leaving()
    for node in range(0, len(reached.states), every):
        remembered = {n: reached.states[target] for n, target in leaving[node]}
        asked = dict(code.ways(reached.states[node]))
        for number in sorted(remembered.keys() | asked.keys()):
            if remembered.get(number) != asked.get(number):
                yield f"{code.spec.instances[number]}: the mirror answers now so, now otherwise"

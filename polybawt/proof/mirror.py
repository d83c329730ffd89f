"""How a machine, and the world around it, is asked what a specification says of them.

A *mirror* stands between the two: it turns our half of a specification's state into a record and
an action's instance into an object, and reads off what the step made of them.  It also plays the
world half, with the simulated exchange wherever that can be asked.  The kit then explores code and
specification side by side; a mirror decides nothing and keeps nothing.

``Mirror`` is for the machines of this project, ``ChartMirror`` for any python-statemachine class.
"""

import sys
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any, ClassVar

from statemachine import StateChart
from statemachine.exceptions import TransitionNotAllowed
from statemachine.model import Model

from polybawt.core.machine import (
    Action,
    Fact,
    IllegalAction,
    Machine,
    Outputs,
    Record,
    Table,
    name_of,
    table_of,
    take,
)
from polybawt.proof.spec import Spec
from polybawt.proof.values import Value, Values

Step = tuple[dict[str, Value], Any]
"""Our half after a step, and what came out of it."""


class World:
    """A world that lets everything happen and does nothing: the machine alone."""

    constants: Mapping[str, int]

    def initial(self) -> Iterable[Values]:
        """The initial states, whole."""
        raise NotImplementedError(f"{type(self).__name__} names no initial state")

    def offers(self, name: str, arguments: tuple[Value, ...], at: Values) -> bool:
        """Whether the world can let this action of ours happen now."""
        return True

    def felt(
        self, name: str, arguments: tuple[Value, ...], at: Values, ours: Values, outputs: Any
    ) -> Values:
        """The world's variables that this step of ours changes."""
        return {}

    def moves(self, name: str, arguments: tuple[Value, ...], at: Values) -> Values | None:
        """What an action of the world changes, or ``None`` when it cannot happen now."""
        return None


class Mirror(World):
    """One machine of the project, and its world."""

    name: ClassVar[str]
    machine: ClassVar[type[Machine]]
    heard: ClassVar[tuple[str, ...]] = ()
    doubts: ClassVar[frozenset[str]] = frozenset()
    believes: ClassVar[Mapping[str, str]] = {}
    left_out: ClassVar[frozenset[str]] = frozenset()
    renamed: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    def __init__(self, constants: Mapping[str, int], table: Table | None = None) -> None:
        """``table`` in the place of the machine's own: for mutants."""
        self.constants = constants
        self.table = table_of(self.machine) if table is None else table

    @classmethod
    def module(cls) -> ModuleType:
        """Where the machine is declared."""
        return sys.modules[cls.machine.__module__]

    @classmethod
    def actions(cls) -> dict[str, type[Action]]:
        """Every action class of the module, by its name in the table."""
        base: type[Action] = cls.module().Action
        return {
            name_of(found.__name__): found
            for found in vars(cls.module()).values()
            if isinstance(found, type) and issubclass(found, base) and found is not base
        }

    # Our half.

    def record(self, at: Values) -> Record:
        """Our half of a state as a record."""
        raise NotImplementedError(f"{type(self).__name__} makes no records")

    def action(self, name: str, arguments: tuple[Value, ...], at: Values) -> Fact:
        """One instance as an object; only ``ours`` and ``heard`` of ``at`` may be looked at."""
        raise NotImplementedError(f"{type(self).__name__} makes no actions")

    def ours(self, at: Values, record: Record, outputs: Outputs) -> dict[str, Value]:
        """Our half after a step from ``at`` that led to ``record`` and gave ``outputs``."""
        raise NotImplementedError(f"{type(self).__name__} reads nothing off")

    def advance(
        self, record: Any, name: str, arguments: tuple[Value, ...], at: Values
    ) -> tuple[Any, dict[str, Value], Any] | None:
        """One step of a living record; ``None`` when it was refused, which changes nothing."""
        try:
            after, outputs = take(self.table, record, self.action(name, arguments, at))
        except (IllegalAction, AssertionError):
            return None
        return after, self.ours(at, after, outputs), outputs

    def step(self, at: Values, name: str, arguments: tuple[Value, ...]) -> Step | None:
        """One step from a state of the specification; ``None`` when it was refused."""
        stepped = self.advance(self.record(at), name, arguments, at)
        return None if stepped is None else stepped[1:]


class ChartMirror(World):
    """Any flat python-statemachine class whose model's attributes are the variables of ``ours``.

    The event of an action is its name in snake case, and its arguments are passed by the names
    that the specification gives its parameters.  ``model`` makes a fresh model, on which
    the values of a state are set.  A world half, if there is one, is played by a subclass.
    """

    heard: ClassVar[tuple[str, ...]] = ()
    doubts: ClassVar[frozenset[str]] = frozenset()
    believes: ClassVar[Mapping[str, str]] = {}

    def __init__(
        self, spec: Spec, chart: type[StateChart[Any]], model: Callable[[], Any] = Model
    ) -> None:
        self.spec, self.chart, self.model = spec, chart, model
        self.constants = spec.constants

    def initial(self) -> Iterable[Values]:
        """What a fresh model holds once its machine has started."""
        model = self.model()
        self.chart(model)
        return [self._read(model)]

    def record(self, at: Values) -> Any:
        model = self.model()
        for name in self.spec.ours:
            setattr(model, name, at[name])
        return model

    def advance(
        self, record: Any, name: str, arguments: tuple[Value, ...], at: Values
    ) -> tuple[Any, dict[str, Value], Any] | None:
        """One step of a chart that is woken up on a model."""
        parameters = self.spec.definitions[name].parameters
        given: dict[str, Any] = dict(zip(parameters, arguments, strict=True))
        try:
            outputs = self.chart(record).send(name_of(name), **given)
        except (TransitionNotAllowed, AssertionError):
            return None
        return record, self._read(record), outputs

    def step(self, at: Values, name: str, arguments: tuple[Value, ...]) -> Step | None:
        """One step from a state of the specification; ``None`` when it was refused."""
        stepped = self.advance(self.record(at), name, arguments, at)
        return None if stepped is None else stepped[1:]

    def _read(self, model: Any) -> dict[str, Value]:
        return {name: getattr(model, name) for name in self.spec.ours}

"""The one way PolyBawt runs a state machine: record and action in, record and outputs out.

A machine is *declared* as a ``python-statemachine`` class whose body is only a table.  The
library validates the declaration; a table compiled from it takes the steps, because the
interpreter costs a hundred times more and does exactly the same (shown state by action by
guard value in ``tests/core/test_machine.py``).  Guards and effects are module functions of
``(record, action)``; nothing in them does anything, everything is returned.
"""

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, TypeVar, cast

from attrs import evolve, frozen
from statemachine import StateChart


@frozen(kw_only=True)
class Record:
    """What a machine steps: a frozen record that names its own state."""

    state: str


@frozen(kw_only=True)
class Fact:
    """Something that happened. ``at_ns`` is when the engine learned of it, ns UTC."""

    at_ns: int = 0


@frozen(kw_only=True)
class Action(Fact):
    """A fact that is an event of exactly one machine."""


@frozen(kw_only=True)
class Command:
    """Something the shell must do. Only the shell does anything."""


R = TypeVar("R", bound=Record)
Output = Command | Fact
Outputs = tuple[Output, ...]
Guard = Callable[[Any, Any], bool]
Effect = Callable[[Any, Any], tuple[Any, Outputs]]
Row = tuple[tuple[Guard, ...], Effect | None, str]
Table = dict[tuple[str, str], tuple[Row, ...]]


class IllegalAction(Exception):
    """A machine was sent an action that its present state does not allow."""

    def __init__(self, record: Record, action: Fact) -> None:
        super().__init__(f"{type(action).__name__} is illegal in {record.state}: {record}")
        self.record, self.action = record, action


class Cell:
    """The state name, lent to the library when it interprets a step itself."""

    state: str | None = None


class Machine(StateChart[Cell]):
    """A transition table. Every option is spelt out: the library's defaults may change."""

    allow_event_without_transition = False  # an illegal action is a bug, never a no-op
    catch_errors_as_events = False  # a failed assertion must stop the engine
    atomic_configuration_update = True  # guards see the old state until the step is whole
    enable_self_transition_entries = False  # we use no entry or exit actions at all

    @classmethod
    def step(cls, record: R, action: Fact) -> tuple[R, Outputs]:
        """Take the one transition that ``action`` enables, or raise ``IllegalAction``."""
        return take(table_of(cls), record, action)

    @classmethod
    def allows(cls, record: Record, action: Fact) -> bool:
        """Whether ``step`` would take a transition."""
        return any(
            all(guard(record, action) for guard in row[0]) for row in cls.rows(record, action)
        )

    @classmethod
    def rows(cls, record: Record, action: Fact) -> tuple[Row, ...]:
        """The transitions to try, first match first."""
        return table_of(cls).get((record.state, name_of(type(action).__name__)), ())

    @classmethod
    def final(cls) -> frozenset[str]:
        """The states that nothing leaves."""
        return frozenset(state.id for state in cls.states if state.final)

    @classmethod
    def edges(cls) -> set[tuple[str, str, str]]:
        """Every declared (state, action, next state): what the TLA+ mirror must agree with."""
        return {
            (state, action, target)
            for (state, action), rows in table_of(cls).items()
            for _, _, target in rows
        }


def take(table: Table, record: R, action: Fact) -> tuple[R, Outputs]:
    """One step by a table: the first row whose guards hold, or ``IllegalAction``."""
    for guards, effect, target in table.get((record.state, name_of(type(action).__name__)), ()):
        if all(guard(record, action) for guard in guards):
            after, outputs = effect(record, action) if effect else (record, ())
            return cast(R, evolve(after, state=target)), outputs
    raise IllegalAction(record, action)


@cache
def name_of(action: str) -> str:
    """``CancelDone`` in Python and in TLA+ is ``cancel_done`` in the table."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", action).lower()


@cache
def table_of(cls: type[Machine]) -> Table:
    """The declaration as a table: (state, action) to its rows, first match first."""
    table: Table = {}
    for state in cls.states:
        for transition in state.transitions:
            guards = tuple(_functions(transition.cond))
            effects = [*_functions(transition.on)]
            assert len(effects) <= 1, f"{cls.__name__}: {transition} has more than one effect"
            row = (guards, effects[0] if effects else None, str(transition.target.id))
            for event in str(transition.event).split():
                key = str(state.id), event
                table[key] = (*table.get(key, ()), row)
    return table


def _functions(specs: Iterable[Any]) -> Iterable[Any]:
    """The plain functions behind the library's callback specs, in declaration order."""
    for spec in specs:
        if spec.is_convention:
            continue
        assert callable(spec.func), f"{spec} is not a module function"
        yield spec.func

"""What ``Machine`` promises: the compiled table is the library's interpreter, only faster."""

import inspect
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import attrs
import pytest
from attrs import frozen
from statemachine import State
from statemachine.exceptions import TransitionNotAllowed

from polybawt.core.machine import (
    Cell,
    Fact,
    IllegalAction,
    Machine,
    Outputs,
    Record,
    name_of,
    table_of,
)  # fmt: skip
from polybawt.proof.catalogue import MIRRORS
from polybawt.proof.mirror import Mirror

BANNED = {"event", "state", "target", "source", "model", "machine", "transition", "event_data"}

each_machine = pytest.mark.parametrize("mirror", MIRRORS.values(), ids=lambda mirror: mirror.name)


@pytest.fixture
def fresh_tables() -> Iterator[None]:
    """Tables compiled while functions are replaced must not outlive the test."""
    table_of.cache_clear()
    yield
    table_of.cache_clear()


def filled_in(action: type[Fact]) -> Fact:
    """An action with something in every field; stubs never look at it."""
    values = {bool: False, str: "x"}
    return action(**{f.name: values.get(f.type, 1) for f in attrs.fields(action)})


def specs_of(machine: type[Machine]) -> Iterator[Any]:
    """The library's own references to our guards and effects."""
    for state in machine.states:
        for transition in state.transitions:
            for spec in (*transition.cond, *transition.on):
                if not spec.is_convention:
                    yield spec


def replace_functions(
    machine: type[Machine],
    monkeypatch: pytest.MonkeyPatch,
    stub: Callable[[Callable[..., Any], bool], Callable[..., Any]],
) -> None:
    """Put a stub with the original's signature in the place of every guard and effect.

    The library passes arguments by name, so a stub must ask for the same names.
    """
    guards = {s.func for state in machine.states for t in state.transitions for s in t.cond}
    for spec in specs_of(machine):
        original = spec.func
        replaced = stub(original, original in guards)
        replaced.__signature__ = inspect.signature(original)  # type: ignore[attr-defined]
        replaced.__qualname__ = f"{original.__module__}.{original.__qualname__}"
        replaced.__name__ = original.__name__
        monkeypatch.setattr(spec, "func", replaced)


def interpreted(machine: Machine, record: Record, action: Fact) -> tuple[str, Any]:
    """One step of python-statemachine's own interpreter: the state it reaches, and its result."""
    machine.model.state = record.state
    result = machine.send(name_of(type(action).__name__), record, action)
    reached = machine.model.state
    assert reached is not None
    return reached, result


@each_machine
def test_the_table_steps_exactly_as_the_library_does(
    mirror: type[Mirror], monkeypatch: pytest.MonkeyPatch, fresh_tables: None
) -> None:
    """For every state, action and value of every guard: same choice, same target, same refusal.

    Only this makes the declaration, which people read, the program, which runs.
    """
    holds: dict[str, bool] = {}
    calls: list[tuple[str, Any, Any]] = []

    def stub(original: Callable[..., Any], is_guard: bool) -> Callable[..., Any]:
        name = original.__name__

        def guard(*given: Any) -> bool:
            assert isinstance(given[0], Record), name
            assert isinstance(given[1], Fact), name
            return holds[name]

        def effect(*given: Any) -> tuple[Record, Outputs]:
            calls.append((name, *given))
            return given[0], ()

        return guard if is_guard else effect

    replace_functions(mirror.machine, monkeypatch, stub)
    library, cases = mirror.machine(Cell()), 0
    for state, (event, action_class) in product(mirror.machine.states, mirror.actions().items()):
        record, action = Record(state=state.id), filled_in(action_class)
        rows = mirror.machine.rows(record, action)
        names = sorted({guard.__name__ for row in rows for guard in row[0]})
        for values in product((False, True), repeat=len(names)):
            holds.update(zip(names, values, strict=True))
            calls.clear()
            case = (state.id, event, dict(holds))
            try:
                after, outputs = mirror.machine.step(record, action)
            except IllegalAction:
                assert not mirror.machine.allows(record, action), case
                with pytest.raises(TransitionNotAllowed):
                    interpreted(library, record, action)
                assert not calls, case
                assert library.model.state == state.id, case
            else:
                assert mirror.machine.allows(record, action), case
                ours = [*calls]
                calls.clear()
                reached, result = interpreted(library, record, action)
                assert (after.state, ours) == (reached, calls), case
                assert result == ((record, outputs) if ours else None), case
                assert len(ours) <= 1, case
            if library.is_terminated:
                library = mirror.machine(Cell())
            cases += 1
    assert cases >= len(mirror.machine.states) * len(mirror.actions())


class Burst(Exception): ...


@each_machine
def test_whatever_raises_leaves_no_trace(
    mirror: type[Mirror], monkeypatch: pytest.MonkeyPatch, fresh_tables: None
) -> None:
    """A failed assertion in a guard or an effect leaves no half step, in library and table alike.

    For every state, action and value of every guard, each callback fails once.
    """
    holds: dict[str, bool] = {}
    fails: dict[str, bool] = {}

    def stub(original: Callable[..., Any], is_guard: bool) -> Callable[..., Any]:
        name = original.__name__

        def guard(*_: Any) -> bool:
            if name in fails:
                raise Burst
            return holds[name]

        def effect(*given: Any) -> tuple[Record, Outputs]:
            if name in fails:
                raise Burst
            return given[0], ()

        return guard if is_guard else effect

    replace_functions(mirror.machine, monkeypatch, stub)
    library, bursts = mirror.machine(Cell()), 0
    for state, action_class in product(mirror.machine.states, mirror.actions().values()):
        record, action = Record(state=state.id), filled_in(action_class)
        rows = mirror.machine.rows(record, action)
        guards = sorted({guard.__name__ for row in rows for guard in row[0]})
        effects = sorted({row[1].__name__ for row in rows if row[1]})
        for values in product((False, True), repeat=len(guards)):
            holds.update(zip(guards, values, strict=True))
            for failing in (*guards, *effects):
                fails.clear()
                fails[failing] = True
                library = library if not library.is_terminated else mirror.machine(Cell())
                try:
                    mirror.machine.step(record, action)
                except Burst:
                    bursts += 1
                    with pytest.raises(Burst):
                        interpreted(library, record, action)
                    assert record.state == library.model.state == state.id
                except IllegalAction:
                    with pytest.raises(TransitionNotAllowed):
                        interpreted(library, record, action)
                else:
                    interpreted(library, record, action)
    assert bursts > 0


@each_machine
def test_every_action_class_is_an_event_and_every_event_an_action_class(
    mirror: type[Mirror],
) -> None:
    """An event without a class could never be sent; a class without an event is always illegal."""
    assert set(mirror.actions()) == {event for _, event in table_of(mirror.machine)}
    assert set(mirror.actions()) == {str(event.id) for event in mirror.machine.events}


@each_machine
def test_no_guard_or_effect_asks_for_a_name_the_library_fills_in(mirror: type[Mirror]) -> None:
    """The library injects by name: a parameter called ``state`` would get *its* state object."""
    for spec in specs_of(mirror.machine):
        parameters = inspect.signature(spec.func).parameters
        assert not set(parameters) & BANNED, spec.func
        assert len(parameters) == 2, spec.func
        assert spec.func.__module__ == mirror.module().__name__, spec.func


@each_machine
def test_the_machine_spells_out_the_strict_options(mirror: type[Mirror]) -> None:
    """The library's defaults swallow errors and ignore illegal events."""
    machine = mirror.machine
    assert machine.allow_event_without_transition is False
    assert machine.catch_errors_as_events is False
    assert machine.atomic_configuration_update is True
    assert machine.enable_self_transition_entries is False


@each_machine
def test_a_state_never_hides_behind_an_action_of_the_same_name(mirror: type[Mirror]) -> None:
    """A class attribute of the same name would silently replace the other."""
    states = {str(state.id) for state in mirror.machine.states}
    assert not states & set(mirror.actions())
    assert {source for source, _, _ in mirror.machine.edges()} == states - mirror.machine.final()


@frozen(kw_only=True)
class Lamp(Record):
    turns: int = 0
    state: str = "off"


@frozen(kw_only=True)
class Turn(Fact): ...


@frozen(kw_only=True)
class Break(Fact): ...


def worn(lamp: Lamp, _: Fact) -> bool:
    return lamp.turns == 2


def count(lamp: Lamp, turn: Turn) -> tuple[Lamp, Outputs]:
    return attrs.evolve(lamp, turns=lamp.turns + 1), (turn,)


class LampMachine(Machine):
    off = State(initial=True)
    on = State()
    broken = State(final=True)

    turn = broken.from_(off, cond=worn)
    turn |= on.from_(off, on=count)
    turn |= off.from_(on)


def test_the_first_row_whose_guards_hold_is_taken() -> None:
    """Most specific first is how a table is read; nothing else decides."""
    assert LampMachine.step(Lamp(turns=1), Turn()) == (Lamp(turns=2, state="on"), (Turn(),))
    assert LampMachine.step(Lamp(turns=2), Turn()) == (Lamp(turns=2, state="broken"), ())


def test_an_illegal_action_carries_what_was_sent_where() -> None:
    """The one line an engineer gets to see must say which action met which record."""
    lamp, action = Lamp(state="broken"), Turn()

    with pytest.raises(IllegalAction, match=r"Turn is illegal in broken: Lamp\(") as caught:
        LampMachine.step(lamp, action)

    assert caught.value.record is lamp
    assert caught.value.action is action
    assert not LampMachine.allows(lamp, action)
    assert LampMachine.allows(Lamp(), action)


def test_an_unheard_of_action_is_illegal_not_ignored() -> None:
    """Silently dropping a message is how money is lost."""
    with pytest.raises(IllegalAction):
        LampMachine.step(Lamp(), Break())


def test_the_step_never_changes_the_record_it_was_given() -> None:
    """Whoever holds the old record still sees the old world."""
    lamp = Lamp()

    LampMachine.step(lamp, Turn())

    assert lamp == Lamp(turns=0, state="off")


def test_final_states_and_edges_are_read_off_the_declaration() -> None:
    assert LampMachine.final() == {"broken"}
    assert LampMachine.edges() == {
        ("off", "turn", "broken"),
        ("off", "turn", "on"),
        ("on", "turn", "off"),
    }


@pytest.mark.parametrize(
    ("action", "event"),
    [("CancelDone", "cancel_done"), ("Fill", "fill"), ("SoldVoid", "sold_void")],
)
def test_one_name_in_three_grammars(action: str, event: str) -> None:
    assert event == name_of(action)


def test_a_transition_with_two_effects_is_refused_when_compiled() -> None:
    """The library would run both and hand back a list; a step has one result."""

    class Twice(Machine):
        a = State(initial=True)
        b = State(final=True)
        go = b.from_(a, on=[count, lambda lamp, turn: (lamp, ())])

    with pytest.raises(AssertionError, match="more than one effect"):
        table_of(Twice)


def test_a_guard_given_by_name_is_refused_when_compiled() -> None:
    """A name would be looked up at run time, on whatever object happens to carry it."""

    class Named(Machine):
        a = State(initial=True)
        b = State(final=True)
        go = b.from_(a, cond="ready")

    with pytest.raises(AssertionError, match="not a module function"):
        table_of(Named)

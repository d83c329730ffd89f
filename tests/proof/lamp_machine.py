"""The lamp as a machine of this project, with its mirror: small enough to break in every place."""

from collections.abc import Iterable
from typing import ClassVar

from attrs import evolve, frozen
from statemachine import State

from polybawt.core import machine
from polybawt.core.machine import Fact, Machine, Outputs, Record
from polybawt.proof.mirror import Mirror
from polybawt.proof.values import Value, Values

LASTS = 3


@frozen(kw_only=True)
class Lamp(Record):
    turns: int = 0
    turned_by: str = ""
    state: str = "off"


@frozen(kw_only=True)
class Action(machine.Action): ...


@frozen(kw_only=True)
class Turn(Action):
    who: str = ""


@frozen(kw_only=True)
class Mend(Action):
    lasting: bool


def worn(lamp: Lamp, _: Turn) -> bool:
    return lamp.turns + 1 >= LASTS


def sound(lamp: Lamp, turn: Turn) -> bool:
    return not worn(lamp, turn)


def count(lamp: Lamp, turn: Turn) -> tuple[Lamp, Outputs]:
    return evolve(lamp, turns=lamp.turns + 1, turned_by=turn.who), ()


def renew(lamp: Lamp, mend: Mend) -> tuple[Lamp, Outputs]:
    return evolve(lamp, turns=0 if mend.lasting else 1), ()


class LampMachine(Machine):
    off = State(initial=True)
    on = State()
    broken = State()

    turn = broken.from_(off, on, cond=worn, on=count)
    turn |= on.from_(off, cond=sound, on=count)
    turn |= off.from_(on, on=count)

    mend = off.from_(broken, on=renew)


class LampMirror(Mirror):
    name = "Lamp"
    machine: ClassVar[type[Machine]] = LampMachine
    left_out: ClassVar[frozenset[str]] = frozenset({"who"})

    def record(self, at: Values) -> Record:
        turns = at["turns"]
        assert isinstance(turns, int)
        return Lamp(state=str(at["state"]), turns=turns)

    def action(self, name: str, arguments: tuple[Value, ...], at: Values) -> Fact:
        return Turn() if name == "Turn" else Mend(lasting=bool(arguments[0]))

    def ours(self, at: Values, record: Record, outputs: Outputs) -> dict[str, Value]:
        assert isinstance(record, Lamp)
        return {"state": record.state, "turns": record.turns}

    def initial(self) -> Iterable[Values]:
        return [{"state": "off", "turns": 0, "near": False}]

    def offers(self, name: str, arguments: tuple[Value, ...], at: Values) -> bool:
        return bool(at["near"]) or name != "Turn"

    def moves(self, name: str, arguments: tuple[Value, ...], at: Values) -> Values | None:
        return {"near": arguments[0]} if arguments[0] != at["near"] else None

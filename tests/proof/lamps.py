"""A lamp of somebody else's making: a python-statemachine class with its own data and world."""

from collections.abc import Iterable
from pathlib import Path

from statemachine import State, StateMachine

from polybawt.proof import ChartMirror, Spec
from polybawt.proof.values import Value, Values

MODELS = Path(__file__).parent / "lamp"


class Worn:
    """How the lamp is kept: its state, and how often it was turned."""

    def __init__(self) -> None:
        self.state: str | None = None
        self.turns = 0


class Lamp(StateMachine):
    off = State(initial=True)
    on = State()
    broken = State()

    turn = (
        off.to(broken, cond="worn") | off.to(on) | on.to(broken, cond="worn") | on.to(off)
    )  # fmt: skip
    mend = broken.to(off)

    def worn(self) -> bool:
        return bool(self.model.turns + 1 >= 3)

    def on_turn(self) -> None:
        self.model.turns += 1

    def on_mend(self, lasting: bool) -> None:
        self.model.turns = 0 if lasting else 1


class LampMirror(ChartMirror):
    """The lamp and the hand."""

    def __init__(self, spec: Spec, lamp: type[StateMachine] = Lamp) -> None:
        super().__init__(spec, lamp, Worn)

    def initial(self) -> Iterable[Values]:
        return [{"state": "off", "turns": 0, "near": False}]

    def offers(self, name: str, arguments: tuple[Value, ...], at: Values) -> bool:
        return bool(at["near"]) or name != "Turn"

    def moves(self, name: str, arguments: tuple[Value, ...], at: Values) -> Values | None:
        return {"near": arguments[0]} if arguments[0] != at["near"] else None

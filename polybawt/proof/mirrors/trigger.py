"""``Trigger`` and its world, as models/Trigger.tla has them.

Three records live at once: two tokens', and their condition's.  ``together`` moves two of them.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from polybawt.core.machine import Fact, IllegalAction, Machine, take
from polybawt.core.machines import trigger
from polybawt.core.machines.trigger import Trigger, TriggerMachine, together
from polybawt.core.units import Price
from polybawt.proof.mirror import Mirror
from polybawt.proof.values import Function, Value, Values

THRESHOLD: Final = Price(900_000)
CONDITION: Final = "both"
KEYS: Final = ("up", "down", CONDITION)
ORDERS: Final = ("first", "second", "third")
DEAD: Final = frozenset({"refused", "void"})

Triggers = Mapping[str, Trigger]


class TriggerMirror(Mirror):
    name = "Trigger"
    machine: ClassVar[type[Machine]] = TriggerMachine
    left_out = frozenset({"reason"})
    renamed: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "token": ("token_id",),
        "intent": ("intent_id",),
    }

    def record(self, at: Values) -> Any:
        state, holder = _function(at["state"]), _function(at["holder"])
        return {
            key: Trigger(
                scope="condition" if key == CONDITION else "token",
                subject=key,
                threshold=THRESHOLD,
                intent_id=str(holder[key]),
                state=str(state[key]),
            )
            for key in KEYS
        }

    def action(self, name: str, arguments: tuple[Value, ...], at: Values) -> Fact:
        token, intent = map(str, arguments)
        about: dict[str, Any] = {
            "token_id": token,
            "condition_id": CONDITION,
            "threshold": THRESHOLD,
            "intent_id": intent,
        }
        match name:
            case "Claim":
                return trigger.Claim(**about)
            case "Unanswered":
                return trigger.Unanswered(**about)
            case "Fire":
                return trigger.Fire(**about)
            case "Release":
                return trigger.Release(**about, reason="refused")
        raise AssertionError(name)

    def advance(
        self, record: Triggers, name: str, arguments: tuple[Value, ...], at: Values
    ) -> tuple[Triggers, dict[str, Value], Any] | None:
        token, action = str(arguments[0]), self.action(name, arguments, at)
        assert isinstance(action, trigger.Action)
        try:
            pair = together(
                record[token], record[CONDITION], action, lambda r, a: take(self.table, r, a)
            )
        except (IllegalAction, AssertionError):
            return None
        after = {**record, token: pair[0], CONDITION: pair[1]}
        seen: dict[str, Value] = {
            "state": Function({key: of.state for key, of in after.items()}),
            "holder": Function({key: of.intent_id for key, of in after.items()}),
        }
        return after, seen, ()

    def initial(self) -> Iterable[Values]:
        return [
            {
                "state": Function(dict.fromkeys(KEYS, "armed")),
                "holder": Function(dict.fromkeys(KEYS, "")),
                "order": Function(dict.fromkeys(ORDERS, "none")),
                "signal": Function(dict.fromkeys(ORDERS, "")),
            }
        ]

    def offers(self, name: str, arguments: tuple[Value, ...], at: Values) -> bool:
        """An order is made once; what is said of it is true, and said of its token."""
        token, intent = arguments
        signal, fate = _function(at["signal"])[intent], _function(at["order"])[intent]
        match name:
            case "Claim":
                return signal == ""
            case "Fire":
                return signal == token and fate == "live"
            case "Release":
                return signal == token and fate in DEAD
        return signal == token

    def felt(
        self, name: str, arguments: tuple[Value, ...], at: Values, ours: Values, outputs: Any
    ) -> Values:
        if name != "Claim":
            return {}
        token, intent = arguments
        signal, order = _function(at["signal"]), _function(at["order"])
        return {"signal": signal.but(intent, token), "order": order.but(intent, "queued")}

    def moves(self, name: str, arguments: tuple[Value, ...], at: Values) -> Values | None:
        """The shell, the network and the venue with one order; a crash, with all."""
        order = _function(at["order"])
        if name == "Crash":
            dropped = {i: "dropped" if fate == "queued" else fate for i, fate in order.items()}
            return {"order": Function(dropped)}
        intent = arguments[0]
        match name, order[intent]:
            case "Leave", "queued":
                return {"order": order.but(intent, "sent")}
            case "Take", "sent":
                return {"order": order.but(intent, "live")}
            case "Refuse", "queued" | "sent":
                return {"order": order.but(intent, "refused")}
            case "Expire", "sent" | "dropped":
                return {"order": order.but(intent, "void")}
        return None


def _function(value: Value) -> Function:
    assert isinstance(value, Function)
    return value

"""The kill switch: anybody fires it, only an operator with a reason arms it again.

While it is ``fired`` no order leaves, and the end of whatever rests is asked for again and again:
a cancel may be lost, and what was on its way when the kill came rests only later.  It is
``drained`` once the venue lists nothing of ours and every record of ours has ended.  That is a
belief: it goes on looking, and what is found to rest after all fires it again.  It lives in the
journal like everything: no crash and no restart leads out of it.

Not here: cancels by id and what each order is told (``kill``), and breakers, which time closes.

Spec: models/KillSwitch.tla.  Source: exchange reference 1.9; section 6, items 1, 3 and 19.
"""

from attrs import evolve, frozen
from statemachine import State

from polybawt.core import machine
from polybawt.core.commands import CancelAll, ReadOpenOrders
from polybawt.core.machine import Machine, Outputs, Record


@frozen(kw_only=True)
class KillSwitch(Record):
    """``source``, ``reason`` and ``actor`` are of what fired it first, or of what armed it.

    ``source`` is "" while it is armed; ``since_ns`` is when it was fired, first, or armed;
    ``asked_ns`` is when the venue was last asked.
    """

    since_ns: int = 0
    asked_ns: int = 0
    source: str = ""
    reason: str = ""
    actor: str = ""
    state: str = "armed"

    @property
    def why(self) -> str:
        """What fired it, "" while it is armed."""
        return "" if self.state == "armed" else f"{self.source}: {self.reason}"


@frozen(kw_only=True)
class Action(machine.Action):
    """There is one kill switch, so its actions name none."""


@frozen(kw_only=True)
class Fire(Action):
    """``source``: file, signal, terminal, api."""

    source: str
    reason: str
    actor: str


@frozen(kw_only=True)
class Ask(Action):
    """Time has passed; the venue is asked again when that was ``every_ns``."""

    every_ns: int


@frozen(kw_only=True)
class Drain(Action):
    """The venue was asked what rests: whether it lists any, and whether a record is open."""

    listed: bool
    unended: bool


@frozen(kw_only=True)
class Rest(Action):
    """Something of ours rests, or may: the venue lists it, or its record is open."""


@frozen(kw_only=True)
class Reset(Action):
    """An operator arms it again, and says why."""

    actor: str
    reason: str


def due(switch: KillSwitch, ask: Ask) -> bool:
    return ask.at_ns - switch.asked_ns >= ask.every_ns


def quiet(_: KillSwitch, drain: Drain) -> bool:
    return not drain.listed and not drain.unended


def explained(_: KillSwitch, reset: Reset) -> bool:
    return bool(reset.actor.strip() and reset.reason.strip())


def fire(switch: KillSwitch, fire: Fire) -> tuple[KillSwitch, Outputs]:
    fired = evolve(
        switch,
        since_ns=fire.at_ns,
        asked_ns=fire.at_ns,
        source=fire.source,
        reason=fire.reason,
        actor=fire.actor,
    )
    return fired, (CancelAll(),)


def withdraw(switch: KillSwitch, action: Rest) -> tuple[KillSwitch, Outputs]:
    return evolve(switch, asked_ns=action.at_ns), (CancelAll(),)


def ask_again(switch: KillSwitch, ask: Ask) -> tuple[KillSwitch, Outputs]:
    return evolve(switch, asked_ns=ask.at_ns), (CancelAll(), ReadOpenOrders())


def look_again(switch: KillSwitch, ask: Ask) -> tuple[KillSwitch, Outputs]:
    return evolve(switch, asked_ns=ask.at_ns), (ReadOpenOrders(),)


def arm(switch: KillSwitch, reset: Reset) -> tuple[KillSwitch, Outputs]:
    armed = KillSwitch(since_ns=reset.at_ns, reason=reset.reason, actor=reset.actor)
    return evolve(armed, asked_ns=switch.asked_ns), ()


class KillSwitchMachine(Machine):
    armed = State(initial=True)
    fired = State()
    drained = State()

    fire = fired.from_(armed, on=fire)
    fire |= fired.from_(fired)  # the first reason stands
    fire |= drained.from_(drained)

    ask = fired.from_(fired, cond=due, on=ask_again)
    ask |= drained.from_(drained, cond=due, on=look_again)

    drain = drained.from_(fired, cond=quiet)

    rest = fired.from_(drained, on=withdraw)
    rest |= fired.from_(fired)  # its end was asked for, and will be again

    reset = armed.from_(fired, drained, cond=explained, on=arm)
    reset |= armed.from_(armed)
    reset |= fired.from_(fired)  # nobody said why
    reset |= drained.from_(drained)

"""``KillSwitch`` and its world, as models/KillSwitch.tla has them.

Whether an order may be wanted or sent, and what our records say of it after something was heard,
is asked of the real kernel; what lands, rests, ends and is listed, of a simulated venue.  The lane,
the network and the process that may die between them are played here.
"""

from collections.abc import Iterable
from typing import Any, ClassVar, Final

from attrs import evolve

from polybawt.core.commands import CancelAll, ReadOpenOrders
from polybawt.core.machine import Fact, IllegalAction, Machine, Outputs, Record, take
from polybawt.core.machines import kill_switch
from polybawt.core.machines.kill_switch import KillSwitch, KillSwitchMachine
from polybawt.proof.mirror import Mirror
from polybawt.proof.mirrors import session_world as around
from polybawt.proof.mirrors.reading import but, number, of, words
from polybawt.proof.mirrors.session_world import Resting
from polybawt.proof.values import Value, Values

EVERY_NS: Final = 10
NOW_NS: Final = 1_000


class KillSwitchMirror(Mirror):
    name = "KillSwitch"
    machine: ClassVar[type[Machine]] = KillSwitchMachine
    heard = ("due",)
    left_out: ClassVar = frozenset({"reason", "actor", "every_ns"})
    renamed: ClassVar = {"explained": ("actor", "reason")}

    # Our half.

    def record(self, at: Values) -> Record:
        state, source = str(at["state"]), str(at["first"])
        return KillSwitch(
            state=state, source=source, reason="fire", actor="al", since_ns=NOW_NS, asked_ns=NOW_NS
        )

    def action(self, name: str, arguments: tuple[Value, ...], at: Values) -> Fact:
        match name, *arguments:
            case "Fire", str(source):
                return kill_switch.Fire(source=source, reason="drill", actor="jo")
            case "Ask", *_:
                return kill_switch.Ask(every_ns=EVERY_NS)
            case "Drain", bool(listed), bool(unended):
                return kill_switch.Drain(listed=listed, unended=unended)
            case "Rest", *_:
                return kill_switch.Rest()
            case "Reset", bool(explained):
                return kill_switch.Reset(actor="jo", reason="checked" if explained else " ")
        raise AssertionError(f"no action {name}{arguments}")

    def advance(
        self, record: Any, name: str, arguments: tuple[Value, ...], at: Values
    ) -> tuple[Any, dict[str, Value], Any] | None:
        """At the moment at which so much time has passed as the world says."""
        now_ns = record.asked_ns + (EVERY_NS if at["due"] else EVERY_NS - 1)
        try:
            action = evolve(self.action(name, arguments, at), at_ns=now_ns)
            after, outputs = take(self.table, record, action)
            check(record, action, after, outputs)
        except (IllegalAction, AssertionError):
            return None
        return after, self.ours(at, after, outputs), outputs

    def ours(self, at: Values, record: Record, outputs: Outputs) -> dict[str, Value]:
        assert isinstance(record, KillSwitch)
        assert (record.why == "") == (record.state == "armed"), record
        return {"state": record.state, "first": record.source}

    # The world.

    def initial(self) -> Iterable[Values]:
        none: Value = ("none",) * self.constants["Count"]
        yield {
            **self.ours({}, KillSwitch(), ()), "due": False, "told": none, "held": False,
            "read": "none", "crashes": 0, "sent": False, "order": none,
        }  # fmt: skip

    def offers(self, name: str, arguments: tuple[Value, ...], at: Values) -> bool:
        told, read = words(at, "told"), at["read"]
        unended = any(around.open_by_record(said) for said in told)
        match name, *arguments:
            case "Drain", listed, left:
                answered = read in ("empty", "some")
                return answered and (listed, left) == (read == "some", unended)
            case "Rest", *_:
                return read == "some" or unended
        return True

    def felt(
        self, name: str, arguments: tuple[Value, ...], at: Values, ours: Values, outputs: Outputs
    ) -> Values:
        """Commands wait in the lane or go out, and an answer is used up."""
        felt: dict[str, Value] = {}
        if CancelAll() in outputs:
            felt |= {"held": True, "due": False}
        if ReadOpenOrders() in outputs:
            felt |= {"read": "asked", "due": False}
        if name == "Drain" or (name == "Rest" and at["read"] == "some"):
            felt |= {"read": "none"}
        return felt

    def moves(self, name: str, arguments: tuple[Value, ...], at: Values) -> Values | None:
        match name, *arguments:
            case "Withdraw", bool(done) if at["sent"]:
                left = around.swept(there(at)) if done else there(at).rests
                return {"sent": False, "order": without(at, left, "cancelled")}
            case _, int(o):
                return self._order(name, o, at)
            case "Leave", *_:
                return {"held": False, "sent": True} if at["held"] else None
            case "Answer", *_ if at["read"] == "asked":
                return {"read": "some" if around.listed(there(at)) else "empty"}
            case "Lapse", *_:
                return {"read": "none"}
            case "Pass", *_:
                return {"due": True}
            case "Crash", *_:
                return self._crash(at)
        return None

    def _crash(self, at: Values) -> Values | None:
        """What waited in the process is gone with it."""
        crashes = number(at, "crashes")
        if crashes == self.constants["CrashesMax"]:
            return None
        order = tuple("over" if where == "lane" else where for where in words(at, "order"))
        return {"crashes": crashes + 1, "held": False, "read": "none", "order": order}

    def _order(self, name: str, o: int, at: Values) -> Values | None:
        where, told, state = of(at, "order", o), of(at, "told", o), str(at["state"])
        leaves = around.leaves("trading", state)
        match name, where:
            case "Want", _ if told == "none":
                wanted = around.wanted(("none",), "trading", state) == 1
                return {**put(at, o, "lane"), **tell(at, o, "open")} if wanted else None
            case "Send", "lane" if leaves:
                return put(at, o, "wire")
            case "Halt", "lane" if not leaves:
                return {**put(at, o, "over"), **tell(at, o, around.after("halt"))}
            case "Land", "wire" if around.lands(there(at), o):
                return put(at, o, "rests")
            case "Refuse", "wire":  # or lost on its way
                return put(at, o, "over")
            case "Deceive", "wire" if around.lands(there(at), o):
                assert around.after("refusal") == "ended"
                return {**put(at, o, "rests"), **tell(at, o, "deceived")}
            case "End", "rests" if around.taken(there(at), o):
                return put(at, o, "over")
            case "Learn", "over" | "cancelled" if told == "open":
                return tell(at, o, around.after("closed"))
            case "Forget", "over" | "cancelled" if told != "open":
                return {**put(at, o, "none"), **tell(at, o, "none")}
        return None


def check(before: KillSwitch, action: Fact, after: KillSwitch, outputs: Outputs) -> None:
    """What the specification leaves out: times, and who said why."""
    assert after.asked_ns == (action.at_ns if outputs else before.asked_ns)
    match action:
        case kill_switch.Fire() if before.state == "armed":
            fired = (action.at_ns, action.source, action.reason, action.actor)
            assert fired == (after.since_ns, after.source, after.reason, after.actor)
        case kill_switch.Reset() if after.state != before.state:
            armed = (action.at_ns, "", action.reason, action.actor)
            assert armed == (after.since_ns, after.source, after.reason, after.actor)
        case _:
            unsaid = evolve(after, state=before.state, asked_ns=before.asked_ns)
            assert unsaid == before


def there(at: Values) -> Resting:
    """Our orders at the venue, as far as it has any."""
    return Resting(
        frozenset(o for o, where in enumerate(words(at, "order"), 1) if where == "rests")
    )


def without(at: Values, left: frozenset[int], end: str) -> Value:
    """Where every order is when no others than these rest any more."""
    where = enumerate(words(at, "order"), 1)
    return tuple(end if now == "rests" and o not in left else now for o, now in where)


def put(at: Values, o: int, where: str) -> dict[str, Value]:
    return {"order": but(at, "order", o, where)}


def tell(at: Values, o: int, said: str) -> dict[str, Value]:
    return {"told": but(at, "told", o, said)}

"""``Lease`` and its world, as models/Lease.tla has them: store, rival, exchange and time.

Time is told in ticks that are left, so a record is made for a fixed moment; on tour, where the
record lives on, the moment is read off it.  Who may write something new is asked of ``may_trade``.
"""

from collections.abc import Iterable
from typing import Any, ClassVar, Final

from attrs import evolve

from polybawt.core.machine import Fact, IllegalAction, Machine, Outputs, take
from polybawt.core.machines import lease as le
from polybawt.proof.mirror import Mirror
from polybawt.proof.values import Value, Values

TICK_NS: Final = 10
NOW_NS: Final = 1_000
ENDED: Final = frozenset({"deposed", "released"})
EXPOSED: Final = frozenset({"journaled", "live"})
ANSWERS: Final = frozenset({"Grant", "Refuse", "Timeout", "Renewed"})
PLAIN: Final[dict[str, type[le.Action]]] = {
    "Acquire": le.Acquire, "Refuse": le.Refuse, "Timeout": le.Timeout, "TakenOver": le.TakenOver,
    "Renew": le.Renew, "Renewed": le.Renewed, "Lapse": le.Lapse, "Fenced": le.Fenced,
    "Release": le.Release,
}  # fmt: skip


class LeaseMirror(Mirror):
    name = "Lease"
    machine: ClassVar[type[Machine]] = le.LeaseMachine
    heard = ("sure", "hope", "offer")
    left_out = frozenset({"epoch"})  # of a grant: the world's ``offer``
    believes: ClassVar[dict[str, str]] = {
        "Refuse": "who is told that another leads steps down, whatever its clock says",
        "Fenced": "the store's fence is the last word",
    }

    # Our half.

    def record(self, at: Values) -> le.Lease:
        """Our view at ``NOW_NS``."""
        holds = at["mine"] and at["state"] not in ENDED
        return le.Lease(
            process="a",
            ttl_ns=self.constants["Ttl"] * TICK_NS,
            margin_ns=self.constants["Margin"] * TICK_NS,
            epoch=_number(at, "mine"),
            asked_ns=NOW_NS + _ns(at, "hope") - self._term_ns if at["asking"] else None,
            deadline_ns=NOW_NS + _ns(at, "sure") if holds else 0,
            state=str(at["state"]),
        )

    def action(self, name: str, arguments: tuple[Value, ...], at: Values) -> Fact:
        if name == "Grant":
            return le.Grant(process="a", epoch=_number(at, "offer"), at_ns=NOW_NS)
        return PLAIN[name](process="a", at_ns=NOW_NS)

    def advance(
        self, record: Any, name: str, arguments: tuple[Value, ...], at: Values
    ) -> tuple[Any, dict[str, Value], Any] | None:
        now_ns = self._now_ns(record, at)
        try:
            action = evolve(self.action(name, arguments, at), at_ns=now_ns)
            after, outputs = take(self.table, record, action)
        except (IllegalAction, AssertionError):
            return None
        return after, self._read(after, now_ns), outputs

    def ours(self, at: Values, record: Any, outputs: Outputs) -> dict[str, Value]:
        return self._read(record, NOW_NS)

    def _read(self, lease: le.Lease, now_ns: int) -> dict[str, Value]:
        """Our half, and the ticks that are left by it."""
        asking = lease.asked_ns is not None
        return {
            "state": lease.state,
            "mine": lease.epoch,
            "asking": asking,
            "sure": max(0, lease.deadline_ns - now_ns) // TICK_NS,
            "hope": max(0, lease.offered_until_ns - now_ns) // TICK_NS if asking else 0,
        }

    def _now_ns(self, lease: le.Lease, at: Values) -> int:
        """The moment at which a record has so much time left; no tick left is any time later."""
        by_deadline = lease.deadline_ns - _ns(at, "sure") if lease.deadline_ns else 0
        by_answer = lease.offered_until_ns - _ns(at, "hope") if lease.asked_ns is not None else 0
        return max(by_deadline, by_answer)

    @property
    def _term_ns(self) -> int:
        return (self.constants["Ttl"] - self.constants["Margin"]) * TICK_NS

    # The world half.

    def initial(self) -> Iterable[Values]:
        yield {
            "state": "standby", "mine": 0, "asking": False, "sure": 0, "hope": 0, "call": "none",
            "offer": 0, "newest": 0, "left": 0, "theirs": 0, "reading": False,
            "order": ("none",) * self.constants["Epochs"], "counted": frozenset(),
        }  # fmt: skip

    def offers(self, name: str, arguments: tuple[Value, ...], at: Values) -> bool:
        if name == "TakenOver":
            return at["reading"] is True
        if name == "Fenced":
            return _life(at, _number(at, "mine")) == "refused"
        return at["call"] == {"Refuse": "no", "Renewed": "yes"}.get(name, at["call"])

    def felt(
        self, name: str, arguments: tuple[Value, ...], at: Values, ours: Values, outputs: Any
    ) -> Values:
        """Commands go out, answers are used up, and who ends forgets what it counted."""
        felt: dict[str, Value] = {}
        if name in ANSWERS or ours["state"] in ENDED:
            felt["call"] = "none"
        if name == "TakenOver" or ours["state"] in ENDED:
            felt["reading"] = False
        if name in ("Grant", "Timeout"):
            felt["offer"] = 0
        for output in outputs:
            if isinstance(output, le.AskLease):
                felt["call"] = "asked"
            elif isinstance(output, le.TakeOver):
                felt["reading"] = True
            elif isinstance(output, le.ReleaseLease):
                felt["call"] = "release"
        if ours["state"] in ENDED:
            felt["counted"] = frozenset()
        elif name == "TakenOver" and ours["state"] == "leading":
            felt["counted"] = _counted(at) | _exposed(at)
        return felt

    def moves(self, name: str, arguments: tuple[Value, ...], at: Values) -> Values | None:
        if arguments:
            epoch, *_ = arguments
            assert isinstance(epoch, int)
            return _moved(name, epoch, at)
        if name == "Tick":
            return {clock: max(0, _number(at, clock) - 1) for clock in ("left", "sure", "hope")}
        if name in ("Write", "Compete"):
            return self._asked_to_append(name, at)
        return self._store(name, at)

    def _store(self, name: str, at: Values) -> Values | None:
        """Compare and set: a request under no epoch wants a new one."""
        newest, mine, theirs = (_number(at, v) for v in ("newest", "mine", "theirs"))
        ttl, free = self.constants["Ttl"], at["left"] == 0
        given = {"newest": newest + 1, "left": ttl}
        left = free and newest < self.constants["Epochs"]
        theirs_is_newest = theirs == newest
        asked, renews = at["call"] == "asked", mine > 0
        moves: dict[str, tuple[bool, Values]] = {
            "Give": (
                asked and not renews and left, {**given, "call": "yes", "offer": newest + 1}
            ),
            "Prolong": (asked and renews and mine == newest, {"left": ttl, "call": "yes"}),
            "Deny": (asked and (mine != newest if renews else not free), {"call": "no"}),
            "Free": (at["call"] == "release" and mine == newest, {"left": 0, "call": "none"}),
            "Take": (left, {**given, "theirs": newest + 1}),
            "Keep": (theirs > 0 and theirs_is_newest, {"left": ttl}),
            "Leave": (theirs_is_newest, {"left": 0}),
        }  # fmt: skip
        possible, changed = moves[name]
        return changed if possible else None

    def _asked_to_append(self, name: str, at: Values) -> Values | None:
        """A leader counts what it knows to be exposed; the rival has just looked."""
        counted = _counted(at) if name == "Write" else _exposed(at)
        epoch = _number(at, "mine" if name == "Write" else "theirs")
        if name == "Write" and not le.may_trade(self.record(at), NOW_NS):
            return None
        if _life(at, epoch) != "none" or len(counted) >= self.constants["Limit"]:
            return None
        asked = {"order": _becomes(at, epoch, "asked")}
        return {**asked, "counted": counted | {epoch}} if name == "Write" else asked


def _moved(name: str, epoch: int, at: Values) -> Values | None:
    """What becomes of what was written under an epoch."""
    life, current = _life(at, epoch), epoch == at["newest"]
    if name == "Learn":
        known = epoch in _counted(at) and life == "over"
        return {"counted": _counted(at) - {epoch}} if known else None
    possible, then = {
        "Append": (life == "asked" and current, "journaled"),
        "Fence": (life == "asked" and not current, "refused"),
        "Push": (life == "journaled", "live"),
        "End": (life in EXPOSED, "over"),
    }[name]
    return {"order": _becomes(at, epoch, then)} if possible else None


def _number(at: Values, name: str) -> int:
    value = at[name]
    assert isinstance(value, int), name
    return value


def _ns(at: Values, name: str) -> int:
    return _number(at, name) * TICK_NS


def _orders(at: Values) -> tuple[Value, ...]:
    order = at["order"]
    assert isinstance(order, tuple)
    return order


def _life(at: Values, epoch: int) -> Value:
    """What became of what was written under ``epoch``; 0 is none."""
    return _orders(at)[epoch - 1] if epoch else ""


def _becomes(at: Values, epoch: int, life: str) -> tuple[Value, ...]:
    return (*_orders(at)[: epoch - 1], life, *_orders(at)[epoch:])


def _exposed(at: Values) -> frozenset[Value]:
    return frozenset(n for n, life in enumerate(_orders(at), 1) if life in EXPOSED)


def _counted(at: Values) -> frozenset[Value]:
    counted = at["counted"]
    assert isinstance(counted, frozenset)
    return counted

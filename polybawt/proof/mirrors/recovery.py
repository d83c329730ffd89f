"""``Recovery`` and its world, as models/Recovery.tla has them.

What a start asks, what becomes of an order when something is heard of it, and whether one may be
wanted, signed or sent is asked of the real kernel; whether it lands, matches or ends, of a
simulated venue.  The network between, the clocks, and what nothing was heard about yet
(``doubt``) are played here.  The three reads of the account are one here: read 0.
"""

from collections.abc import Iterable
from typing import Any, ClassVar, Final

from attrs import evolve

from polybawt.core.commands import Stop as Leave
from polybawt.core.machine import Fact, IllegalAction, Machine, Outputs, Record, take
from polybawt.core.machines import recovery
from polybawt.core.machines.recovery import Awaited, Query, Recovery, RecoveryMachine
from polybawt.proof.mirror import Mirror
from polybawt.proof.mirrors import session_world as around
from polybawt.proof.mirrors.reading import but, each, number, numbers, of, words
from polybawt.proof.mirrors.session_world import Journal, Resting
from polybawt.proof.values import Value, Values

NOW_NS: Final = 1_000
EVERY_NS: Final = 10
MOST_NS: Final = 20
ACCOUNT: Final = "account"


class RecoveryMirror(Mirror):
    name = "Recovery"
    machine: ClassVar[type[Machine]] = RecoveryMachine
    heard = ("late", "overdue", "disk", "booked")
    left_out: ClassVar = frozenset({"reads", "every_ns", "quiet", "most_ns"})
    believes: ClassVar = {"Arrive": "no session knows which of its questions were lost"}

    # Our half.

    def record(self, at: Values) -> Record:
        return Recovery(
            epoch=number(at, "life"),
            awaited=tuple(
                Awaited(read=name(r), asked_ns=NOW_NS) for r in sorted(numbers(at, "awaited"))
            ),
            since_ns=NOW_NS,
            state=str(at["state"]),
        )

    def action(self, name_: str, arguments: tuple[Value, ...], at: Values) -> Fact:
        match name_, *arguments:
            case "Start", int(epoch):
                assert epoch <= self.constants["Lives"], "the specification ends there"
                reads, _ = around.restarted(journal(at))
                return recovery.Start(epoch=epoch, reads=tuple(name(r) for r in asked(reads)))
            case "Arrive", int(read):
                return recovery.Arrive(read=name(read))
            case "Ask", int(read):
                return recovery.Ask(read=name(read), every_ns=EVERY_NS)
            case "Stop", *_:
                return recovery.Stop()
            case "Rest", *_:
                return recovery.Rest(quiet=around.quiet(journal(at)), most_ns=MOST_NS)
        raise AssertionError(f"no action {name_}{arguments}")

    def advance(
        self, record: Any, name_: str, arguments: tuple[Value, ...], at: Values
    ) -> tuple[Any, dict[str, Value], Any] | None:
        """At the moment at which so much time has passed as the world says."""
        try:
            action = self.action(name_, arguments, at)
            now_ns = self._moment(record, action, at)
            action = evolve(action, at_ns=now_ns)
            after, outputs = take(self.table, record, action)
            check(record, action, after)
        except (IllegalAction, AssertionError):
            return None
        return after, self.ours(at, after, outputs), outputs

    def _moment(self, session: Recovery, action: Fact, at: Values) -> int:
        match action:
            case recovery.Ask(read=read):
                asked_ns = {known.read: known.asked_ns for known in session.awaited}
                late = read_of(read) in numbers(at, "late")
                return asked_ns.get(read, 0) + (EVERY_NS if late else EVERY_NS - 1)
            case recovery.Rest():
                return session.since_ns + (MOST_NS if at["overdue"] else MOST_NS - 1)
        return session.since_ns + 1

    def ours(self, at: Values, record: Record, outputs: Outputs) -> dict[str, Value]:
        assert isinstance(record, Recovery)
        return {
            "state": record.state,
            "life": record.epoch,
            "awaited": frozenset(read_of(known.read) for known in record.awaited),
        }

    # The world.

    def initial(self) -> Iterable[Values]:
        count = self.constants["Count"]
        new: dict[str, Value] = {
            "disk": "none", "booked": 0, "held": False, "wire": "none", "venue": "none",
            "past": False,
        }  # fmt: skip
        orders: dict[str, Value] = {what: (value,) * count for what, value in new.items()}
        sets: dict[str, Value] = dict.fromkeys(("late", "lost", "doubt"), frozenset())
        yield {**self.ours({}, Recovery(), ()), **orders, **sets, "overdue": False, "kill": False}

    def offers(self, name_: str, arguments: tuple[Value, ...], at: Values) -> bool:
        return name_ != "Arrive" or arguments[0] not in numbers(at, "lost")

    def felt(
        self, name_: str, arguments: tuple[Value, ...], at: Values, ours: Values, outputs: Outputs
    ) -> Values:
        late, lost, doubt = (numbers(at, what) for what in ("late", "lost", "doubt"))
        match name_, *arguments:
            case "Start", *_:
                reads, after = around.restarted(journal(at))
                assert asked(reads) == queried(outputs)
                gone = {"refused": "gone"}
                return {
                    "late": frozenset(),
                    "lost": frozenset(),
                    "doubt": frozenset(asked(reads)),
                    "overdue": False,
                    **written(after),
                    "held": (False,) * len(after),
                    "wire": tuple(gone.get(w, w) for w in words(at, "wire")),
                }
            case "Arrive", int(read):
                return {"doubt": doubt - {read}}
            case "Ask", int(read):
                assert queried(outputs) == [read]
                return {"late": late - {read}, "lost": lost - {read}}
            case "Rest", *_:
                assert outputs == (Leave(),)
                return {"overdue": False}
        return {}

    def moves(self, name_: str, arguments: tuple[Value, ...], at: Values) -> Values | None:
        match name_, *arguments:
            case "Fire", *_:
                return {"kill": True}
            case "Tire", *_:
                return {"overdue": True} if at["state"] == "stopping" else None
            case "Fail", int(read):
                awaited = numbers(at, "awaited")
                return {"lost": numbers(at, "lost") | {read}} if read in awaited else None
            case "Wait", int(read):
                lost = numbers(at, "lost")
                return {"late": numbers(at, "late") | {read}} if read in lost else None
            case _, int(o):
                if name_ in ("Want", "Sign", "Abandon", "Send", "Halt"):
                    return self._leaving(name_, o, at)
                if name_ in HEARS:
                    return self._hearing(name_, o, at)
                return self._network(name_, o, at)
        raise AssertionError(f"no action {name_}{arguments}")

    def _leaving(self, name_: str, o: int, at: Values) -> Values | None:
        """From a wish to the wire, or not; a process that has stopped does nothing any more."""
        said, phase = journal(at), str(at["state"])
        kill = "fired" if at["kill"] else "armed"
        intended, held = said[o - 1] == "intent", of(at, "held", o)
        leaves, stopped = around.leaves(phase, kill), phase == "stopped"
        put_back = {"held": but(at, "held", o, False)}
        match name_:
            case "Want":
                made = around.wanted(said, phase, kill, self.constants["Limit"])
                return {"disk": but(at, "disk", o, "intent")} if made == o else None
            case "Sign" if intended and leaves:
                return {"disk": but(at, "disk", o, "open"), "held": but(at, "held", o, True)}
            case "Abandon" if intended and not leaves and not stopped:
                return {"disk": but(at, "disk", o, "ended")}
            case "Send" if held and leaves:
                return {**put_back, "wire": but(at, "wire", o, "sent")}
            case "Halt" if held and not leaves and not stopped:
                return {**put_back, **written(around.heard(said, o, "halt"))}
        return None

    def _hearing(self, name_: str, o: int, at: Values) -> Values | None:
        """What became of an order is heard, and journaled if it is news."""
        venue, wire, past = (of(at, what, o) for what in ("venue", "wire", "past"))
        said = journal(at)
        may_be = {
            "Reject": wire == "refused",
            "Book": venue == "filled",
            "Close": venue == "over",
            "Miss": said[o - 1] == "open" and venue == "none",  # others are not asked about
        }
        if not may_be[name_] or at["state"] == "stopped":
            return None
        what = HEARS[name_] + (" past its end" if name_ == "Miss" and past else "")
        after = around.heard(said, o, what)
        if after == said and name_ in ("Book", "Miss"):  # booked once; absence is no proof yet
            return None
        answered = {"wire": but(at, "wire", o, "gone")} if name_ == "Reject" else {}
        return {**written(after), **answered}

    def _network(self, name_: str, o: int, at: Values) -> Values | None:
        """What is on its way, and what the venue makes of it."""
        wire, venue, past = (of(at, what, o) for what in ("wire", "venue", "past"))
        disk = of(at, "disk", o)
        known = frozenset({o}) if venue != "none" else frozenset[int]()
        rests = frozenset({o}) if venue == "rests" else frozenset[int]()
        there = Resting(rests, known - rests)
        sent, gone = wire == "sent", {"wire": but(at, "wire", o, "gone")}
        match name_:
            case "Repeat" if wire in ("gone", "refused") and disk == "open":
                return {"wire": but(at, "wire", o, "sent")}
            case "Lose" if sent:
                return gone
            case "Accept" if sent and not known and around.lands(there, o, past is True):
                return {**gone, "venue": but(at, "venue", o, "rests")}
            case "Refuse" if sent and not known:  # late, or for any reason of the venue's
                return {"wire": but(at, "wire", o, "refused")}
            case "Match" if rests and around.taken(there, o):
                return {"venue": but(at, "venue", o, "filled")}
            case "End" if rests and around.withdrawn(there, o):
                return {"venue": but(at, "venue", o, "over")}
            case "Expire" if disk in ("intent", "open"):
                ends = rests and o not in around.expired(there)
                over = {"venue": but(at, "venue", o, "over")} if ends else {}
                return {"past": but(at, "past", o, True), **over}
        return None


HEARS: Final = {"Reject": "refusal", "Book": "fill", "Close": "closed", "Miss": "missing"}


def check(before: Recovery, action: Fact, after: Recovery) -> None:
    """What the specification leaves out: when it came to where it is, and when it asked."""
    began = isinstance(action, recovery.Start)
    turned = began or after.state != before.state
    assert after.since_ns == (action.at_ns if turned else before.since_ns)
    anew = {action.read} if isinstance(action, recovery.Ask) else set[str]()
    asked_ns = {known.read: known.asked_ns for known in before.awaited}
    for known in after.awaited:
        again = began or known.read in anew
        assert known.asked_ns == (action.at_ns if again else asked_ns[known.read])


def name(read: int) -> str:
    """A read as the engine calls it."""
    return f"order:i{read}" if read else ACCOUNT


def read_of(name_: str) -> int:
    return int(name_.removeprefix("order:i")) if name_.startswith("order:") else 0


def asked(reads: Iterable[str]) -> list[int]:
    """The reads of a start; those of the account are one."""
    return sorted({read_of(read) for read in reads})


def queried(outputs: Outputs) -> list[int]:
    """The reads that a step of ours asks for."""
    return sorted(read_of(output.read) for output in outputs if isinstance(output, Query))


def journal(at: Values) -> Journal:
    """``disk`` and ``booked`` together."""
    pairs = zip(words(at, "disk"), each(at, "booked"), strict=True)
    return tuple("booked" if fill else said for said, fill in pairs)


def written(after: Journal) -> dict[str, Value]:
    return {
        "disk": tuple("ended" if said == "booked" else said for said in after),
        "booked": tuple(int(said == "booked") for said in after),
    }

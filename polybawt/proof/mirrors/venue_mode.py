"""``VenueMode`` and its world, as models/VenueMode.tla has them.

Time is the record's: an action comes before or after its pause, and a fresh answer is one to what
was sent after its last news.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from polybawt.core.machine import Fact, IllegalAction, Machine, Outputs, Record, take
from polybawt.core.machines import venue_mode
from polybawt.core.machines.venue_mode import Probing, VenueMode, VenueModeMachine
from polybawt.proof.mirror import Mirror
from polybawt.proof.values import Value, Values

NEEDS: Final = {"plain": 3, "post_only": 2, "cancel": 1}
LEVELS: Final = {"running": 3, "post_only": 2, "cancel_only": 1, "restarting": 0, "disabled": 0}
OUTAGES: Final = frozenset({"unknown", "restarting", "disabled"})

Request = tuple[str, str]
Flight = frozenset[Request]


class VenueModeMirror(Mirror):
    name = "VenueMode"
    machine: ClassVar[type[Machine]] = VenueModeMachine
    heard = ("rested",)
    left_out = frozenset({"retry_ns", "reason"})
    renamed: ClassVar[Mapping[str, tuple[str, ...]]] = {"fresh": ("sent_ns",)}

    def record(self, at: Values) -> VenueMode:
        return VenueMode(
            name="clob",
            silences_max=self.constants["SilencesMax"],
            silences=int(str(at["silences"])),
            state=str(at["state"]),
        )

    def action(self, name: str, arguments: tuple[Value, ...], at: Values) -> Fact:
        return self._action(self.record(at), name, arguments, at)

    def _action(
        self, mode: VenueMode, name: str, arguments: tuple[Value, ...], at: Values
    ) -> venue_mode.Action:
        """It comes before or after the record's pause, and answers what was sent before or after
        the record's news.
        """
        at_ns = max(mode.next_ns, mode.since_ns + 2) if at["rested"] else mode.next_ns - 1
        always: dict[str, Any] = {"name": "clob", "at_ns": at_ns}
        sent_ns = mode.since_ns + bool(arguments and arguments[-1] is True)
        match name, arguments:
            case "Begin", ():
                return venue_mode.Begin(**always)
            case "Issue", (request,):
                return venue_mode.Issue(**always, request=str(request))
            case "Probe", (request,):
                return venue_mode.Probe(**always, request=str(request))
            case "Answered", (request, _):
                return venue_mode.Answered(**always, request=str(request), sent_ns=sent_ns)
            case "Refused", (named, _):
                return venue_mode.Refused(**always, mode=str(named), sent_ns=sent_ns)
            case "Silence", (_,):
                return venue_mode.Silence(**always, sent_ns=sent_ns)
            case "Reconciled", (_,):
                return venue_mode.Reconciled(**always, sent_ns=sent_ns)
        raise AssertionError(name)

    def ours(self, at: Values, record: Record, outputs: Outputs) -> dict[str, Value]:
        assert isinstance(record, VenueMode)
        return {"state": record.state, "silences": record.silences}

    def advance(
        self, record: Any, name: str, arguments: tuple[Value, ...], at: Values
    ) -> tuple[Any, dict[str, Value], Any] | None:
        """What the world feels of a step is in the record's times: they are passed on to it."""
        action = self._action(record, name, arguments, at)
        try:
            after, outputs = take(self.table, record, action)
        except (IllegalAction, AssertionError):
            return None
        news, rested = after.since_ns == action.at_ns, after.next_ns <= action.at_ns
        return after, self.ours(at, after, outputs), (news, rested, outputs)

    def initial(self) -> Iterable[Values]:
        begun: dict[str, Value] = {"state": "unknown", "silences": 0, "flight": frozenset()}
        return [
            {**begun, "venue": venue, "best": level, "rested": True, "settled": False}
            for venue, level in LEVELS.items()
        ]

    def offers(self, name: str, arguments: tuple[Value, ...], at: Values) -> bool:
        """A request needs room; a fresh answer must be there to be heard, an old one may be."""
        match name:
            case "Begin":
                return True
            case "Issue":
                return len(_flight(at)) + 1 < self.constants["Flying"]
            case "Probe":
                return len(_flight(at)) < self.constants["Flying"]
        return arguments[-1] is False or bool(_answers(name, arguments) & _flight(at))

    def felt(
        self, name: str, arguments: tuple[Value, ...], at: Values, ours: Values, outputs: Any
    ) -> Values:
        flight, (news, rested, made) = _flight(at), outputs
        if name == "Begin":
            return _outage(at) | {"flight": frozenset(), "rested": rested}
        if name in ("Issue", "Probe"):
            probing = [output.request for output in made if isinstance(output, Probing)]
            assert probing == ([arguments[0]] if name == "Probe" else [])
            return {"flight": flight | {(str(arguments[0]), "")}, "rested": rested}
        heard = _answers(name, arguments) & flight
        if not news:
            return {"flight": flight - heard} if arguments[-1] is True else {}
        felt: dict[str, Value] = {"flight": frozenset(), "rested": rested}
        if name in ("Refused", "Silence"):
            outage = ours["state"] in OUTAGES
            felt |= _outage(at) if outage else {"best": LEVELS[str(at["venue"])]}
        if name == "Reconciled":
            felt["settled"] = {said for _, said in heard} == {"whole"}
        return felt

    def moves(self, name: str, arguments: tuple[Value, ...], at: Values) -> Values | None:
        match name, arguments:
            case "Turn", (mode,):
                level, best = LEVELS[str(mode)], int(str(at["best"]))
                return {"venue": mode, "best": max(level, best)}
            case "Pass", ():
                return {"rested": True}
        flight, request = _flight(at), str(arguments[0])
        if (request, "") not in flight:
            return None
        lost = name == "Lose"
        said = ("any", "lost") if lost else _said(request, str(at["venue"]), at["best"] != 0)
        return {"flight": (flight - {(request, "")}) | {said}}


def _flight(at: Values) -> Flight:
    flight = at["flight"]
    assert isinstance(flight, frozenset)
    return flight  # type: ignore[return-value]  # the specification's TypeOK says so


def _answers(name: str, arguments: tuple[Value, ...]) -> Flight:
    """What can be heard as this action; of a read, either."""
    match name:
        case "Answered":
            return frozenset({(str(arguments[0]), "took")})
        case "Refused":
            return frozenset({("any", str(arguments[0]))})
        case "Silence":
            return frozenset({("any", "lost")})
        case "Reconciled":
            return frozenset({("read", "whole"), ("read", "early")})
    raise AssertionError(name)


def _said(request: str, venue: str, over: bool) -> Request:
    """What the venue makes of a request."""
    if request == "read":
        return "read", "whole" if over else "early"
    if LEVELS[venue] >= NEEDS[request]:
        return request, "took"
    return "any", venue


def _outage(at: Values) -> dict[str, Value]:
    return {"best": LEVELS[str(at["venue"])], "settled": False}

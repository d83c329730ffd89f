"""``Feed`` and its world, as models/Feed.tla has them.

Times are counted in steps of one, from whatever the record holds: the last read was sent when it
began to be what it is, or just before.  The world is a stream whose comings and goings are told
later and in order, a source whose messages may get lost, and one read of the whole.
"""

from collections.abc import Iterable
from typing import Any, ClassVar, Final, cast

from polybawt.core.machine import Fact, IllegalAction, Machine, Outputs, Record, take
from polybawt.core.machines import feed
from polybawt.core.machines.feed import Feed, FeedMachine
from polybawt.proof.mirror import Mirror
from polybawt.proof.values import Value, Values

NOW_NS: Final = 10**12
QUIET_NS: Final = 10**9  # longer than any walk has steps
NAME: Final = "1"
TELLINGS_MAX: Final = 2
DOUBTS: Final = ("suspect", "stale")  # in which the kernel asks for the whole
PLAIN: Final = {
    action.__name__: action
    for action in (feed.Connect, feed.Change, feed.Pong, feed.Verify, feed.Quiet)
}


class FeedMirror(Mirror):
    name = "Feed"
    machine: ClassVar[type[Machine]] = FeedMachine
    heard: ClassVar[tuple[str, ...]] = ("asked", "quiet")
    doubts = frozenset({"stale"})
    left_out = frozenset({"reason"})
    renamed: ClassVar[dict[str, tuple[str, ...]]] = {"read": ("asked_ns",)}

    # Our half.

    def record(self, at: Values) -> Feed:
        heard_ns = NOW_NS - QUIET_NS if at["quiet"] else NOW_NS
        return Feed(name=NAME, heard_ns=heard_ns, since_ns=NOW_NS, state=cast(str, at["state"]))

    def action(self, name: str, arguments: tuple[Value, ...], at: Values) -> Fact:
        return _action(self.record(at), name, arguments, at)

    def advance(
        self, record: Any, name: str, arguments: tuple[Value, ...], at: Values
    ) -> tuple[Any, dict[str, Value], Any] | None:
        """A living record has times of its own: the action is at its time, not at ``NOW_NS``.

        In the place of outputs, of which it has none, the record after the step is handed on.
        """
        try:
            after, outputs = take(self.table, record, _action(record, name, arguments, at))
        except (IllegalAction, AssertionError):
            return None
        return after, self.ours(at, after, outputs), after

    def ours(self, at: Values, record: Record, outputs: Outputs) -> dict[str, Value]:
        assert not outputs, outputs
        return {"state": record.state}

    # The world half.

    def initial(self) -> Iterable[Values]:
        return [
            {
                "state": Feed(name=NAME).state,
                "asked": False,
                "quiet": True,
                "link": False,
                "due": (),
                "copy": "none",
                "answer": "none",
            }
        ]

    def offers(self, name: str, arguments: tuple[Value, ...], at: Values) -> bool:
        match name:
            case "Connect":
                return bool(at["link"] or at["due"])
            case "Snapshot" if arguments[0]:
                return at["answer"] != "none"
            case "Quiet":
                return bool(at["quiet"])
        return True

    def felt(
        self, name: str, arguments: tuple[Value, ...], at: Values, ours: Values, outputs: Any
    ) -> Values:
        """When it turned and when it heard stand in the record after the step."""
        before, after = self.record(at), outputs
        now_ns = _now_ns(before, at)
        felt: dict[str, Value] = {
            "asked": _asked_ns(before, at) >= after.since_ns,
            "quiet": now_ns - after.heard_ns >= QUIET_NS,
        }
        match name:
            case "Connect":
                past = "none" if at["answer"] == "none" else "past"
                felt |= {"copy": "none", "answer": past, "due": _told(at, "up")}
            case "Lose":
                felt |= {"due": _told(at, "down")}
            case "Snapshot":
                read = arguments[0]
                if after.heard_ns == now_ns:  # it was taken
                    felt["copy"] = "whole" if not read or at["answer"] == "good" else "wrong"
                if read:
                    felt["answer"] = "none"
        return felt

    def moves(self, name: str, arguments: tuple[Value, ...], at: Values) -> Values | None:
        due = cast("tuple[Value, ...]", at["due"])
        room = len(due) < TELLINGS_MAX
        match name:
            case "Raise":
                return {"link": True, "due": (*due, "up")} if room and not at["link"] else None
            case "Drop":
                return {"link": False, "due": (*due, "down")} if room and at["link"] else None
            case "Miss":
                copy = "wrong" if at["copy"] == "whole" else at["copy"]
                answer = "behind" if at["answer"] == "good" else at["answer"]
                return {"copy": copy, "answer": answer}
            case "Hush":
                return {"quiet": True}
            case "Ask":
                free = at["state"] in DOUBTS and at["answer"] == "none"
                return {"answer": "good", "asked": True} if free else None
            case "Ignore":
                return {"answer": "none"}
        raise AssertionError(f"{name} is no action of the world")


def _action(record: Feed, name: str, arguments: tuple[Value, ...], at: Values) -> feed.Action:
    now_ns = _now_ns(record, at)
    match name:
        case "Snapshot":
            asked_ns = _asked_ns(record, at) if arguments[0] else None
            return feed.Snapshot(at_ns=now_ns, name=NAME, asked_ns=asked_ns)
        case "Mismatch":
            return feed.Mismatch(at_ns=now_ns, name=NAME, reason="hash")
        case "Lose":
            return feed.Lose(at_ns=now_ns, name=NAME, reason="closed")
    return PLAIN[name](at_ns=now_ns, name=NAME)


def _now_ns(record: Feed, at: Values) -> int:
    """A time that is as long after the last sign of life, and after all else."""
    quiet_ns = QUIET_NS if at["quiet"] else 0
    return max(record.heard_ns + quiet_ns, record.since_ns) + 1


def _asked_ns(record: Feed, at: Values) -> int:
    """When the last read was sent: as early, or as late, as its place in the order allows."""
    return record.since_ns if at["asked"] else record.since_ns - 1


def _told(at: Values, what: str) -> tuple[Value, ...]:
    due = cast("tuple[Value, ...]", at["due"])
    return due[1:] if due[:1] == (what,) else due

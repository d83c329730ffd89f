"""``Breaker`` and its world, as models/Breaker.tla has them.

Times are counted in steps of one, from whatever the record holds: a record of the specification
turned ``age`` ago and probed ``rest`` ago.  The world is a clock, something that is well or not,
and what was said of it before and since the breaker turned.
"""

from collections.abc import Iterable
from typing import Any, ClassVar, Final, cast

from polybawt.core.machine import Fact, IllegalAction, Machine, Outputs, Record, take
from polybawt.core.machines import breaker
from polybawt.core.machines.breaker import Breaker, BreakerMachine
from polybawt.proof.mirror import Mirror
from polybawt.proof.values import Value, Values

NOW_NS: Final = 1_000
NAME: Final = "venue"


class BreakerMirror(Mirror):
    name = "Breaker"
    machine: ClassVar[type[Machine]] = BreakerMachine
    heard: ClassVar[tuple[str, ...]] = ("age", "rest")
    left_out = frozenset({"reason", "actor"})
    renamed: ClassVar[dict[str, tuple[str, ...]]] = {"before": ("asked_ns",)}

    # Our half.

    def record(self, at: Values) -> Breaker:
        return Breaker(
            name=NAME,
            failures_max=self.constants["FailuresMax"],
            cool_ns=self.constants["Cooling"],
            failures=cast(int, at["failures"]),
            since_ns=NOW_NS - cast(int, at["age"]),
            probed_ns=NOW_NS - cast(int, at["rest"]),
            state=cast(str, at["state"]),
        )

    def action(self, name: str, arguments: tuple[Value, ...], at: Values) -> Fact:
        return self._action(self.record(at), name, arguments, at)

    def advance(
        self, record: Any, name: str, arguments: tuple[Value, ...], at: Values
    ) -> tuple[Any, dict[str, Value], Any] | None:
        """A living record has times of its own: the action is at its time, not at ``NOW_NS``.

        In the place of outputs, of which it has none, the record after the step is handed on.
        """
        try:
            after, outputs = take(self.table, record, self._action(record, name, arguments, at))
        except (IllegalAction, AssertionError):
            return None
        return after, self.ours(at, after, outputs), after

    def _action(
        self, record: Breaker, name: str, arguments: tuple[Value, ...], at: Values
    ) -> breaker.Action:
        now_ns = self._now_ns(record, at)
        match name, arguments:
            case "Failure", (bool(before),):
                asked_ns = record.since_ns if before else now_ns
                return breaker.Failure(at_ns=now_ns, name=NAME, asked_ns=asked_ns, reason="500")
            case "Success", (bool(before),):
                asked_ns = record.since_ns if before else now_ns
                return breaker.Success(at_ns=now_ns, name=NAME, asked_ns=asked_ns)
            case "Cool", ():
                return breaker.Cool(at_ns=now_ns, name=NAME)
            case "Probe", ():
                return breaker.Probe(at_ns=now_ns, name=NAME)
            case "Latch", ():
                return breaker.Latch(at_ns=now_ns, name=NAME, actor="file", reason="drawdown")
            case "Reset", ():
                return breaker.Reset(at_ns=now_ns, name=NAME, actor="ops", reason="checked")
        raise AssertionError(f"{name}{arguments} is no action")

    @staticmethod
    def _now_ns(record: Breaker, at: Values) -> int:
        """A time that is so long after both: each counts no further than the cooling time."""
        turned_ns = record.since_ns + cast(int, at["age"])
        return max(turned_ns, record.probed_ns + cast(int, at["rest"]))

    def ours(self, at: Values, record: Record, outputs: Outputs) -> dict[str, Value]:
        assert isinstance(record, Breaker)
        assert not outputs, outputs
        failures = min(record.failures, self.constants["FailuresMax"] + 1)
        return {"state": record.state, "failures": failures}

    # The world half.

    def initial(self) -> Iterable[Values]:
        new = Breaker(name=NAME, failures_max=1, cool_ns=1)
        cooling = self.constants["Cooling"]
        return [
            {
                "state": new.state,
                "failures": new.failures,
                "age": cooling,
                "rest": cooling,
                "well": well,
                "said": frozenset(),
                "stale": frozenset(),
            }
            for well in (False, True)
        ]

    def offers(self, name: str, arguments: tuple[Value, ...], at: Values) -> bool:
        answer = {"Failure": "bad", "Success": "good"}.get(name)
        return answer is None or answer in _set(at["stale" if arguments[0] else "said"])

    def felt(
        self, name: str, arguments: tuple[Value, ...], at: Values, ours: Values, outputs: Any
    ) -> Values:
        """How long ago it turned and probed stands in the record after the step."""
        before, after, cooling = self.record(at), outputs, self.constants["Cooling"]
        felt: dict[str, Value] = {
            "age": min(NOW_NS - after.since_ns, cooling),
            "rest": min(NOW_NS - after.probed_ns, cooling),
        }
        if name == "Probe":
            return {**felt, "said": _set(at["said"]) | {_answer(at)}}
        if after.since_ns != before.since_ns:
            felt |= {"said": frozenset(), "stale": _set(at["stale"]) | _set(at["said"])}
        return felt

    def moves(self, name: str, arguments: tuple[Value, ...], at: Values) -> Values | None:
        match name:
            case "Ask":  # the risk gate lets it pass; half open, it would be a probe
                if self.record(at).bars(NOW_NS) or at["state"] == "half_open":
                    return None
                heard_in = "said" if at["age"] else "stale"
                return {heard_in: _set(at[heard_in]) | {_answer(at)}}
            case "Pass":
                cooling = self.constants["Cooling"]
                return {v: min(cast(int, at[v]) + 1, cooling) for v in ("age", "rest")}
            case "Change":
                return {"well": not at["well"]}
        raise AssertionError(f"{name} is no action of the world")


def _answer(at: Values) -> str:
    return "good" if at["well"] else "bad"


def _set(value: Value) -> frozenset[Value]:
    assert isinstance(value, frozenset), value
    return value

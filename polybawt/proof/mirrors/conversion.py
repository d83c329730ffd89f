"""``Conversion`` and its world, as models/Conversion.tla has them.

The venue and its chain are those of paper trading: a fresh one is brought to where the conversion
is, by real calls, and asked once more.  What is mined stays mined there: that a mined one fails
is ours to imagine, and so is the network.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any, ClassVar, Final, cast

from attrs import evolve

from polybawt.core.commands import Convert
from polybawt.core.machine import Fact, IllegalAction, Machine, Outputs, Record, take
from polybawt.core.machines import conversion
from polybawt.core.machines.conversion import (
    LANDS_NS,
    SPLIT,
    Booked,
    Conversion,
    ConversionMachine,
    Ended,
    Part,
    Unbooked,
    doubtful,
)
from polybawt.core.market import Market, Side
from polybawt.core.units import MILLION, Price, Shares, Usdc
from polybawt.proof.mirror import Mirror
from polybawt.proof.values import Value, Values
from polybawt.sim.records import Refused
from polybawt.sim.transactions import SetRequest, reverts
from polybawt.sim.venue import Venue

ID: Final = "c1"
TRANSACTION: Final = "t1"
ASKED_NS: Final = 10 * LANDS_NS
OWNER: Final = "0x" + "11" * 20
MARKET: Final = Market(
    condition_id="0xc", slug="m", question="?", yes_token="1", no_token="2",  # noqa: S106
    tick=Price(10_000), min_size=Shares(5_000_000),
)  # fmt: skip
HALF: Final = Usdc(MILLION // 2)
PARTS: Final = tuple(
    Part(token_id=t, condition_id="0xc", side=Side.BUY, shares=Shares(MILLION), notional=HALF)
    for t in MARKET.tokens
)
REQUEST: Final = SetRequest(
    owner=OWNER, kind=SPLIT, condition_ids=("0xc",), amount=Shares(MILLION), nonce="n"
)
SEEN: Final = {
    "SeenMoving": "moving",
    "SeenMined": "mined",
    "SeenConfirmed": "confirmed",
    "SeenFailed": "failed",
}
ACKS: Final = {"AckTaken": "taken", "AckDeclined": "declined", "AckLost": "lost"}
CHAIN: Final = {"Include": "mined", "Finalise": "confirmed", "Revert": "failed"}
SPELT: Final = {"NEW": "moving", "EXECUTED": "moving"}


class ConversionMirror(Mirror):
    name = "Conversion"
    machine: ClassVar[type[Machine]] = ConversionMachine
    heard = ("window",)
    left_out = frozenset({"reason", "transaction_id"})

    # Our half.

    def record(self, at: Values) -> Conversion:
        state = cast(str, at["state"])
        lost_ns = ASKED_NS if at["doubt"] else 0  # or so long ago that it cannot land any more
        return Conversion(
            conversion_id=ID,
            strategy="arbitrage",
            kind=SPLIT,
            condition_ids=("0xc",),
            amount=Shares(MILLION),
            parts=PARTS,
            transaction_id=TRANSACTION if state in ("taken", "mined") else "",
            asking=bool(at["asking"]),
            asked_ns=ASKED_NS,
            lost_ns=lost_ns,
            state=state,
        )

    def action(self, name: str, arguments: tuple[Value, ...], at: Values) -> Fact:
        action, at_ns = getattr(conversion, name), ASKED_NS
        if name == "AskAgain":  # what it doubts was given up when it was asked
            at_ns += 0 if at["window"] else LANDS_NS
        about: dict[str, Any] = {"at_ns": at_ns, "conversion_id": ID}
        if name == "AckTaken":
            about["transaction_id"] = TRANSACTION
        if name in ("Drop", "AckDeclined", "AckLost", "SeenFailed"):
            about["reason"] = "so"
        return cast(Fact, action(**about))

    def advance(
        self, record: Any, name: str, arguments: tuple[Value, ...], at: Values
    ) -> tuple[Any, dict[str, Value], Any] | None:
        """Time goes on from where the record is: what it doubts was given up when it was asked."""
        action = self.action(name, arguments, at)
        since_ns = record.asked_ns - ASKED_NS
        try:
            action = evolve(action, at_ns=action.at_ns + since_ns)
            after, outputs = take(self.table, record, action)
        except (IllegalAction, AssertionError):
            return None
        return after, self.ours(at, after, outputs), outputs

    def ours(self, at: Values, record: Record, outputs: Outputs) -> dict[str, Value]:
        assert isinstance(record, Conversion)
        return {
            "state": record.state,
            "asking": record.asking,
            "doubt": doubtful(record, conversion.AckDeclined(conversion_id=ID, reason="")),
            "booked": cast(int, at["booked"]) + _times(outputs, Booked),
            "reversed": cast(int, at["reversed"]) + _times(outputs, Unbooked),
            "told": _told(cast(str, at["told"]), outputs),
        }

    # The world half.

    def initial(self) -> Iterable[Values]:
        return [
            {
                "state": "wanted",
                "asking": False,
                "doubt": False,
                "booked": 0,
                "reversed": 0,
                "told": "",
                "road": "none",
                "late": False,
                "window": False,
                "chain": "none",
                "said": frozenset(),
            }
        ]

    def offers(self, name: str, arguments: tuple[Value, ...], at: Values) -> bool:
        if name in ACKS:
            return at["road"] == ACKS[name]
        return name not in SEEN or SEEN[name] in _set(at["said"])

    def felt(
        self, name: str, arguments: tuple[Value, ...], at: Values, ours: Values, outputs: Any
    ) -> Values:
        if any(isinstance(output, Convert) for output in outputs):
            return {"road": "out"}
        if name == "AckLost":
            return {"road": "none", "window": True}
        return {"road": "none"} if name in ACKS else {}

    def moves(self, name: str, arguments: tuple[Value, ...], at: Values) -> Values | None:
        """The network with what is on the road, and the venue and its chain with the rest."""
        road, chain, said = at["road"], str(at["chain"]), _set(at["said"])
        match name:
            case "Take" | "Decline" if road == "out":
                answered = _asked(chain, rich=name == "Take")
                if (name == "Decline") != (answered is None):
                    return None
                if answered is None:
                    return {"road": "declined"}
                return {"road": "taken", "chain": answered, "said": said | {"moving"}}
            case "Lose" if road in ("out", "taken", "declined"):
                return {"road": "lost", "late": bool(at["late"]) or road == "out"}
            case "Land" if at["late"] and chain == "none":
                landed = _asked(chain, rich=True)
                assert landed is not None
                return {"late": False, "chain": landed, "said": said | {landed}}
            case "Lapse" if at["window"] and road != "lost":
                return {"window": False, "late": False}
            case "Include" | "Finalise" | "Revert":
                moved = _moved(chain, CHAIN[name])
                return None if moved is None else {"chain": moved, "said": said | {moved}}
        return None


@cache
def _asked(chain: str, *, rich: bool) -> str | None:
    """Where it is after one more request; ``None``: it was declined."""
    venue = _venue(rich=rich) if chain == "none" else _brought(chain)
    answer = venue.transact(REQUEST, 0)
    if isinstance(answer, Refused):
        return None
    return SPELT.get(answer.state, answer.state.lower())


@cache
def _moved(chain: str, to: str) -> str | None:
    """Where a transaction is after one more step; ``None``: no course leads there."""
    if chain == "mined" and to == "failed":
        return to  # a block that did not last: the simulated chain has none
    if chain not in ("moving", "mined") or (chain, to) == ("moving", "confirmed"):
        return None
    if (chain, to) == ("mined", "mined"):
        return None
    venue = _brought(chain, failing=to == "failed")
    venue.advance(2 if to == "mined" else 3)
    found = venue.transaction(_sent(venue))
    assert found is not None
    return SPELT.get(found.state, found.state.lower())


def _venue(*, rich: bool) -> Venue:
    venue = Venue(mine_ns=2, confirm_ns=1)
    venue.list_market(MARKET, 0)
    if rich:
        venue.deposit(OWNER, Usdc(MILLION))
    return venue


def _brought(chain: str, *, failing: bool = False) -> Venue:
    """A venue where the transaction is there."""
    venue = _venue(rich=True)
    if failing or chain == "failed":
        venue.doom(lambda _: None, lambda _: reverts(2))
    venue.transact(REQUEST, 0)
    venue.advance({"moving": 1, "mined": 2, "confirmed": 3, "failed": 3}[chain])
    return venue


def _sent(venue: Venue) -> str:
    """Its id: the venue answers a name that it knows with it."""
    answer = venue.transact(REQUEST, 0)
    assert not isinstance(answer, Refused)
    return answer.transaction_id


def _told(before: str, outputs: Outputs) -> str:
    """Which end was told, and whether it was one only."""
    ends = [output for output in outputs if isinstance(output, Ended)]
    if not ends:
        return before
    return "twice" if before or len(ends) > 1 else "done" if ends[0].done else "failed"


def _times(outputs: Outputs, told: type[Fact]) -> int:
    return sum(isinstance(output, told) for output in outputs)


def _set(value: Value) -> frozenset[Value]:
    assert isinstance(value, frozenset), value
    return value

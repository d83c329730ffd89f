"""``Order`` and its world, as models/Order.tla has them.

The venue half is the simulated ``Venue`` itself (``order_venue``).  The network between is played
here: copies and requests under way, and what was once said and may be heard again.  So is what
the simulated venue is too honest for: a read that is stale, a count that is behind its matches,
an order that was filled and is called cancelled.

Source: exchange reference 1.7 to 1.10, 3.5 and 6.
"""

from collections.abc import Iterable
from typing import Any, ClassVar, Final

from polybawt.core.commands import CancelOrder, PostOrder
from polybawt.core.machine import Fact, Machine, Outputs, Record
from polybawt.core.machines import order
from polybawt.core.machines.order import Order, OrderMachine
from polybawt.core.units import Shares
from polybawt.proof.mirror import Mirror
from polybawt.proof.mirrors.order_venue import (
    AT_NS,
    EARLIER,
    ID,
    ORDER_ID,
    PAYLOAD,
    UNIT,
    WORDS,
    Call,
    Found,
    Situation,
    a_record,
    after,
    bought,
    marketable,
    passed,
    record_of,
    released,
    removed,
    submitted,
    unwelcome,
    withdrawn,
)
from polybawt.proof.values import Value, Values

HEARD: Final = {kind.__name__: word for kind, word in WORDS.items()}
OPEN: Final = ("delayed", "resting")
COPIES_MAX: Final = 2
POST: Final = PostOrder(intent_id=ID, order_id=ORDER_ID, payload=PAYLOAD)  # the signed bytes
CANCEL: Final = CancelOrder(intent_id=ID, order_id=ORDER_ID)


class OrderMirror(Mirror):
    name = "Order"
    machine: ClassVar[type[Machine]] = OrderMachine
    heard = ("clock",)
    left_out: ClassVar = frozenset({"order_id", "payload", "reason"})
    renamed: ClassVar = {"known": ("trade_id",)}

    def record(self, at: Values) -> Record:
        return a_record(str(at["state"]), number(at, "filled"), self.constants["Size"])

    def action(self, name: str, arguments: tuple[Value, ...], at: Values) -> Fact:
        match name, *arguments:
            case "Sign", *_:
                return order.Sign(intent_id=ID, order_id=ORDER_ID, payload=PAYLOAD)
            case "Reject", *_:
                return order.Reject(intent_id=ID, reason="400 no")
            case "Fill", int(shares), bool(known):
                assert at["filled"] or not known, "there is none to repeat"
                trade_id = EARLIER if known else f"t{at['filled']}"
                return order.Fill(intent_id=ID, trade_id=trade_id, shares=Shares(shares * UNIT))
            case "ReadOpen", int(matched), bool(delayed):
                counted = Shares(matched * UNIT)
                return order.ReadOpen(intent_id=ID, matched=counted, delayed=delayed)
            case "ReadClosed", int(matched), str(outcome):
                counted = Shares(matched * UNIT)
                return order.ReadClosed(intent_id=ID, matched=counted, outcome=outcome)
        kind: type[order.Action] = getattr(order, name)
        return kind(at_ns=AT_NS[str(at["clock"])], intent_id=ID)

    def ours(self, at: Values, record: Record, outputs: Outputs) -> dict[str, Value]:
        assert isinstance(record, Order)
        return {
            "state": record.state if identified(record) and remembers(record) else "nameless",
            "filled": units(record.filled),
            "reserved": units(record.open_size),
        }

    def advance(
        self, record: Any, name: str, arguments: tuple[Value, ...], at: Values
    ) -> tuple[Any, dict[str, Value], Any] | None:
        """A count that no record can hold is refused aloud: to ignore it would hide it."""
        advanced = super().advance(record, name, arguments, at)
        if advanced is None or name not in ("ReadOpen", "ReadClosed"):
            return advanced
        after, ours, outputs = advanced
        counted = isinstance(arguments[0], int) and 0 <= arguments[0] <= self.constants["Size"]
        return after, ours if counted else {**ours, "state": "credulous"}, outputs

    # The world: the network, and the venue behind it.

    def initial(self) -> Iterable[Values]:
        ours = self.ours({}, a_record("intent", 0, self.constants["Size"]), ())
        network: Values = {"sent": False, "copies": 0, "asked": False, "said": frozenset()}
        venue: Values = {"book": "none", "executed": 0, "landed": 0, "clock": "before"}
        return [{**ours, **network, **venue, "misled": False}]

    def situation(self, at: Values) -> Situation:
        size, executed = self.constants["Size"], number(at, "executed")
        return Situation(size, str(at["book"]), executed, str(at["clock"]))

    def can_arrive(self, at: Values) -> bool:
        """One copy is under way, and the venue would take it."""
        return bool(at["copies"]) and self.called(at, submitted).landed > number(at, "landed")

    def offers(self, name: str, arguments: tuple[Value, ...], at: Values) -> bool:
        if name in HEARD:
            return HEARD[name] in said_at(at)
        match name, *arguments:
            case (("Timeout" | "ReadMissing"), *_):
                return at["sent"] is True
            case "CancelTimeout", *_:
                return at["asked"] is True
            case "Fill", int(shares), bool(known):  # any trade may be reported again
                booked = number(at, "filled")
                return shares <= (booked if known else number(at, "executed") - booked)
            case "Ended", *_:
                return isinstance(record_of(self.situation(at)), order.ReadClosed)
            case "ReadOpen", int(count), delayed:  # its status and its count may be stale
                known = ("delayed" if delayed else "live") in said_at(at)
                return known and count <= number(at, "executed")
            case "ReadClosed", int(count), outcome:  # its count may be behind
                truth = record_of(self.situation(at))
                if not isinstance(truth, order.ReadClosed):
                    return False
                known = truth.outcome == outcome or at["book"] == "filled"  # reference 6, 14
                return known and count * UNIT <= truth.matched
            case "Close", *_:
                booked = at["filled"] == at["executed"]
                return booked and at["book"] not in OPEN and not self.can_arrive(at)
        return True  # our own commands

    def felt(
        self, name: str, arguments: tuple[Value, ...], at: Values, ours: Values, outputs: Outputs
    ) -> Values:
        felt: dict[str, Value] = {}
        if posts := sum(output == POST for output in outputs):
            felt |= {"sent": True, "copies": number(at, "copies") + posts}
        if CANCEL in outputs:
            felt |= {"asked": True}
        if self.misleads(name, arguments, at):
            felt |= {"misled": True}
        return felt

    def misleads(self, name: str, arguments: tuple[Value, ...], at: Values) -> bool:
        """Whether what is heard now is not, or not all, of what is."""
        match name:
            case "Reject":
                taken = at["book"] not in ("none", "invalid") or at["executed"] != 0
                return taken or self.can_arrive(at)
            case "ReadClosed":
                return arguments[0] != at["executed"]
            case "ReadMissing":
                return at["clock"] == "past" and at["book"] != "none"
        return False

    def moves(self, name: str, arguments: tuple[Value, ...], at: Values) -> Values | None:
        """The network moves by itself, the venue when it is called."""
        copies = number(at, "copies")
        match name:
            case "Lose":
                return {"copies": copies - 1} if copies else None
            case "SendAgain":
                waiting = at["state"] == "submitted" and at["book"] == "none"
                return {"copies": copies + 1} if waiting and copies < COPIES_MAX else None
            case "WithdrawAll":
                return {"asked": True} if at["sent"] else None
            case "Refuse" if copies:
                return {**told(at, self.called(at, unwelcome)), "copies": copies - 1}
            case "Arrive" if copies:
                found = self.called(at, marketable if arguments[0] else submitted)
                landed = found.landed > number(at, "landed")
                return {**told(at, found), "copies": 0} if landed else None
            case "Withdraw" if at["asked"]:
                found, answer = self.called(at, withdrawn), str(arguments[0])
                if answer == "withdrawn" and at["book"] == "filled":  # reference 6, 19
                    return {"said": said_at(at) | {answer}}
                return told(at, found) if answer in found.said else None
            case "Pass":
                later = "ended" if at["clock"] == "before" else "past"
                return {**told(at, self.called(at, passed)), "clock": later}
        return self.venue_moves(name, arguments, at)

    def venue_moves(self, name: str, arguments: tuple[Value, ...], at: Values) -> Values | None:
        """What the venue does of itself, for somebody else, or with what landed before."""
        match name, *arguments:
            case "Recognise", *_:
                found = self.called(at, submitted)
                return told(at, found) if "duplicate" in found.said else None
            case "Misreport", *_:
                return told(at, self.called(at, unwelcome)) if at["landed"] else None
            case "Release", *_:
                found = self.called(at, released)
                return told(at, found) if found.book != at["book"] else None
            case "Match", int(shares):
                found = bought(self.situation(at), shares)
                filled = found.executed == number(at, "executed") + shares
                return told(at, found) if filled else None
            case "Remove", str(outcome):
                found = removed(self.situation(at), outcome)
                return told(at, found) if found.book != at["book"] else None
        return None

    def called(self, at: Values, call: Call) -> Found:
        return after(self.situation(at), call)


def number(at: Values, name: str) -> int:
    value = at[name]
    assert isinstance(value, int), (name, value)
    return value


def said_at(at: Values) -> frozenset[Value]:
    said = at["said"]
    assert isinstance(said, frozenset)
    return said


def told(at: Values, found: Found) -> dict[str, Value]:
    """The venue as it was found, and what it said for ever after."""
    return {
        "book": found.book,
        "executed": found.executed,
        "landed": found.landed,
        "said": said_at(at) | found.said,
    }


def units(shares: Shares) -> int:
    whole, rest = divmod(shares, UNIT)
    assert not rest, shares
    return whole


def identified(record: Order) -> bool:
    """It is signed with an identity and bytes of its own, or was never to be sent."""
    unsigned = record.state in ("intent", "rejected", "closed") and not record.filled
    return unsigned or (record.order_id, record.payload) == (ORDER_ID, PAYLOAD)


def remembers(record: Order) -> bool:
    """It knows a trade of what it booked, by which a repeated one is told."""
    return bool(record.trade_ids) == bool(record.filled)

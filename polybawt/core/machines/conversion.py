"""The life of one conversion at the contracts: a set into dollars, or back, or a redemption.

A request is journaled before it leaves and carries a name of its own, so that the same request
again is the same transaction.  Where no answer came it is *unknown*: it is asked for again, by
the same name, until the venue says what became of it; silence ends nothing.  And a refusal ends
it only where no earlier request of it can still land: one that was lost may be on its way for
``LANDS_NS`` after we gave it up.

What it moves is booked when it is first known to be mined, and taken back, once, should it fail
after that.  Until then all that it will use is held back: shares cannot be sold, and cash
cannot be spent, that a request on its way may take.

Spec: models/Conversion.tla.  Source: exchange reference 3.1 and 5.3; quantitative reference 5.2.
"""

from typing import Final

from attrs import evolve, frozen
from statemachine import State

from polybawt.core import machine
from polybawt.core.commands import Convert
from polybawt.core.machine import Fact, Machine, Outputs, Record
from polybawt.core.market import Side
from polybawt.core.units import SECOND_NS, Shares, Usdc

SPLIT, MERGE, REDEEM, CONVERT = "split", "merge", "redeem", "convert"
KINDS: Final = (SPLIT, MERGE, REDEEM, CONVERT)
LANDS_NS: Final = 120 * SECOND_NS  # how long a request that we gave up may still reach the venue
SENT: Final = frozenset({"submitted", "unknown", "taken", "mined"})
HOLDING: Final = frozenset({"wanted", "submitted", "unknown", "taken"})
ENDED: Final = frozenset({"confirmed", "failed"})


@frozen(kw_only=True)
class Part:
    """What it moves of one token, and what that is worth of its dollars."""

    token_id: str
    condition_id: str
    side: Side
    shares: Shares
    notional: Usdc


@frozen(kw_only=True)
class Conversion(Record):
    """``amount``: sets, or NO shares of each condition; a redemption is of all, and says 0.

    The dollars that it brings are what its sales are worth less its purchases: exact.
    """

    conversion_id: str
    strategy: str
    kind: str
    condition_ids: tuple[str, ...]
    amount: Shares
    parts: tuple[Part, ...] = ()
    created_ns: int = 0
    transaction_id: str = ""
    asking: bool = False
    asked_ns: int = 0
    lost_ns: int = 0
    state: str = "wanted"

    @property
    def name(self) -> str:
        """By which the venue knows it again; no two journals share one."""
        return f"{self.conversion_id}-{self.created_ns}"

    @property
    def brings(self) -> Usdc:
        """Dollars; below zero when it takes them."""
        signs = ((-1 if part.side is Side.BUY else 1, part.notional) for part in self.parts)
        return Usdc(sum(sign * notional for sign, notional in signs))

    @property
    def takes(self) -> Usdc:
        """Dollars that must be there while it is on its way."""
        return Usdc(max(0, -self.brings) if self.state in HOLDING else 0)

    def giving(self, token_id: str) -> Shares:
        """Shares that must be there while it is on its way."""
        given = (p.shares for p in self.parts if (p.token_id, p.side) == (token_id, Side.SELL))
        return Shares(sum(given) if self.state in HOLDING else 0)

    def buying(self, token_id: str = "") -> Usdc:
        """What it may still put into a token, or into all of them."""
        bought = (part for part in self.parts if part.side is Side.BUY)
        put = sum(part.notional for part in bought if token_id in ("", part.token_id))
        return Usdc(put if self.state in HOLDING else 0)


@frozen(kw_only=True)
class Action(machine.Action):
    conversion_id: str


@frozen(kw_only=True)
class Submit(Action): ...


@frozen(kw_only=True)
class Drop(Action):
    """It is not to be had any more, and never left."""

    reason: str


@frozen(kw_only=True)
class AskAgain(Action):
    """The same request, by the same name: what became of it?"""


@frozen(kw_only=True)
class AckTaken(Action):
    """The venue has it."""

    transaction_id: str


@frozen(kw_only=True)
class AckDeclined(Action):
    """This request moves nothing."""

    reason: str


@frozen(kw_only=True)
class AckLost(Action):
    """No answer came, or none that means anything; or the process died that waited for it."""

    reason: str


@frozen(kw_only=True)
class SeenMoving(Action): ...


@frozen(kw_only=True)
class SeenMined(Action): ...


@frozen(kw_only=True)
class SeenConfirmed(Action): ...


@frozen(kw_only=True)
class SeenFailed(Action):
    reason: str


@frozen(kw_only=True)
class Booked(Fact):
    """It moved, provisionally: for the positions and the ledger."""

    conversion_id: str
    parts: tuple[Part, ...]


@frozen(kw_only=True)
class Unbooked(Fact):
    """It did not, after all."""

    conversion_id: str
    parts: tuple[Part, ...]


@frozen(kw_only=True)
class Ended(Fact):
    """It came to rest; not ``done``: nothing of it moved."""

    conversion_id: str
    done: bool
    reason: str = ""


def idle(conversion: Conversion, _: AskAgain) -> bool:
    return not conversion.asking


def awaited(conversion: Conversion, _: AckTaken | AckDeclined | AckLost) -> bool:
    """Every request has one answer, and only one is under way at a time."""
    return conversion.asking


def doubtful(conversion: Conversion, _: AckDeclined) -> bool:
    """Whether an earlier request could still land when this one was made; 0: none was lost."""
    return conversion.asked_ns - conversion.lost_ns < LANDS_NS


def ask(conversion: Conversion, action: Submit | AskAgain) -> tuple[Conversion, Outputs]:
    request = Convert(
        conversion_id=conversion.conversion_id,
        kind=conversion.kind,
        condition_ids=conversion.condition_ids,
        amount=conversion.amount,
        name=conversion.name,
    )
    return evolve(conversion, asking=True, asked_ns=action.at_ns), (request,)


def know(conversion: Conversion, ack: AckTaken) -> tuple[Conversion, Outputs]:
    return evolve(conversion, asking=False, transaction_id=ack.transaction_id), ()


def hear(conversion: Conversion, _: AckDeclined) -> tuple[Conversion, Outputs]:
    return evolve(conversion, asking=False), ()


def lose(conversion: Conversion, ack: AckLost) -> tuple[Conversion, Outputs]:
    return evolve(conversion, asking=False, lost_ns=ack.at_ns), ()


def _ended(conversion: Conversion, at_ns: int, done: bool, reason: str = "") -> Ended:
    return Ended(at_ns=at_ns, conversion_id=conversion.conversion_id, done=done, reason=reason)


def give_up(
    conversion: Conversion, action: Drop | AckDeclined | SeenFailed
) -> tuple[Conversion, Outputs]:
    ended = _ended(conversion, action.at_ns, done=False, reason=action.reason)
    return evolve(conversion, asking=False), (ended,)


def book(conversion: Conversion, seen: SeenMined | SeenConfirmed) -> tuple[Conversion, Outputs]:
    told = Booked(at_ns=seen.at_ns, conversion_id=conversion.conversion_id, parts=conversion.parts)
    return conversion, (told,)


def finish(conversion: Conversion, seen: SeenConfirmed) -> tuple[Conversion, Outputs]:
    return conversion, (_ended(conversion, seen.at_ns, done=True),)


def book_and_finish(conversion: Conversion, seen: SeenConfirmed) -> tuple[Conversion, Outputs]:
    return conversion, (*book(conversion, seen)[1], *finish(conversion, seen)[1])


def take_back(conversion: Conversion, seen: SeenFailed) -> tuple[Conversion, Outputs]:
    told = Unbooked(
        at_ns=seen.at_ns, conversion_id=conversion.conversion_id, parts=conversion.parts
    )
    return conversion, (told, *give_up(conversion, seen)[1])


class ConversionMachine(Machine):
    wanted = State(initial=True)
    submitted = State()
    unknown = State()
    taken = State()
    mined = State()
    confirmed = State(final=True)
    failed = State(final=True)

    submit = submitted.from_(wanted, on=ask)
    drop = failed.from_(wanted, on=give_up)

    ask_again = unknown.from_(unknown, cond=idle, on=ask)

    ack_taken = taken.from_(submitted, unknown, cond=awaited, on=know)

    ack_declined = failed.from_(submitted, cond=awaited, on=give_up)
    ack_declined |= unknown.from_(unknown, cond=[awaited, doubtful], on=hear)
    ack_declined |= failed.from_(unknown, cond=awaited, on=give_up)

    ack_lost = unknown.from_(submitted, unknown, cond=awaited, on=lose)

    seen_moving = taken.from_(taken)
    seen_moving |= mined.from_(mined)  # a late answer

    seen_mined = mined.from_(taken, on=book)
    seen_mined |= mined.from_(mined)

    seen_confirmed = confirmed.from_(taken, on=book_and_finish)
    seen_confirmed |= confirmed.from_(mined, on=finish)

    seen_failed = failed.from_(taken, on=give_up)
    seen_failed |= failed.from_(mined, on=take_back)

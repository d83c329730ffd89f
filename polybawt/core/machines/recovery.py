"""The life of one engine session: it agrees with the venue, trades, and ends in order.

A process takes over a journal at its start, whatever the one before it was doing.  It asks the
venue about the account and about every order that may be there, and trades only when each of
these reads has ``arrived``; what was lost is asked for again.  Asked to stop it withdraws what
rests, and stops when everything has ended, or when that takes too long: the next life will know.

Not here: what the answers mean (``reconcile``), and who may be that process (``lease``).

Spec: models/Recovery.tla.  Source: architecture D4, D5 and D8.
"""

from attrs import evolve, frozen
from statemachine import State

from polybawt.core import machine
from polybawt.core.commands import Stop as Leave
from polybawt.core.machine import Fact, Machine, Outputs, Record


@frozen(kw_only=True)
class Awaited:
    """A read that trading waits for: ``account`` ones by their name, ``order:<intent id>``."""

    read: str
    asked_ns: int


@frozen(kw_only=True)
class Recovery(Record):
    """``epoch`` counts the processes of this journal from 1; ``since_ns`` is of this state."""

    epoch: int = 0
    since_ns: int = 0
    awaited: tuple[Awaited, ...] = ()
    state: str = "starting"


@frozen(kw_only=True)
class Action(machine.Action):
    """There is one session, so its actions name none."""


@frozen(kw_only=True)
class Start(Action):
    """A process took over the journal; ``reads`` is all that it has to ask."""

    epoch: int
    reads: tuple[str, ...]


@frozen(kw_only=True)
class Arrive(Action):
    """A read is answered, or what it asked about has ended meanwhile."""

    read: str


@frozen(kw_only=True)
class Ask(Action):
    """Time has passed; a read is asked for again when that was ``every_ns``."""

    read: str
    every_ns: int


@frozen(kw_only=True)
class Stop(Action): ...


@frozen(kw_only=True)
class Rest(Action):
    """Stopping: whether all our orders have ended, and how long we would wait for that."""

    quiet: bool
    most_ns: int


@frozen(kw_only=True)
class Query(Fact):
    """A read has to be asked for now."""

    read: str


def newer(session: Recovery, start: Start) -> bool:
    return start.epoch > session.epoch


def all_arrived(session: Recovery, arrive: Arrive) -> bool:
    return all(awaited.read == arrive.read for awaited in session.awaited)


def late(session: Recovery, ask: Ask) -> bool:
    return any(
        awaited.read == ask.read and ask.at_ns - awaited.asked_ns >= ask.every_ns
        for awaited in session.awaited
    )


def may_leave(session: Recovery, rest: Rest) -> bool:
    return rest.quiet or rest.at_ns - session.since_ns >= rest.most_ns


def begin(session: Recovery, start: Start) -> tuple[Recovery, Outputs]:
    awaited = tuple(Awaited(read=read, asked_ns=start.at_ns) for read in start.reads)
    after = evolve(session, epoch=start.epoch, since_ns=start.at_ns, awaited=awaited)
    return after, tuple(Query(at_ns=start.at_ns, read=read) for read in start.reads)


def receive(session: Recovery, arrive: Arrive) -> tuple[Recovery, Outputs]:
    rest = tuple(awaited for awaited in session.awaited if awaited.read != arrive.read)
    return evolve(session, awaited=rest), ()


def trade(session: Recovery, arrive: Arrive) -> tuple[Recovery, Outputs]:
    return evolve(session, awaited=(), since_ns=arrive.at_ns), ()


def ask_again(session: Recovery, ask: Ask) -> tuple[Recovery, Outputs]:
    awaited = tuple(
        evolve(known, asked_ns=ask.at_ns) if known.read == ask.read else known
        for known in session.awaited
    )
    return evolve(session, awaited=awaited), (Query(at_ns=ask.at_ns, read=ask.read),)


def turn(session: Recovery, action: Action) -> tuple[Recovery, Outputs]:
    return evolve(session, since_ns=action.at_ns), ()


def leave(session: Recovery, rest: Rest) -> tuple[Recovery, Outputs]:
    return evolve(session, since_ns=rest.at_ns), (Leave(),)


class RecoveryMachine(Machine):
    starting = State(initial=True)
    reconciling = State()
    trading = State()
    stopping = State()
    stopped = State()

    start = reconciling.from_(
        starting, reconciling, trading, stopping, stopped, cond=newer, on=begin
    )

    arrive = trading.from_(reconciling, cond=all_arrived, on=trade)
    arrive |= reconciling.from_(reconciling, on=receive)
    arrive |= starting.from_(starting)  # nobody waits for it
    arrive |= trading.from_(trading)  # an answer that came twice, or to another question
    arrive |= stopping.from_(stopping, on=receive)
    arrive |= stopped.from_(stopped, on=receive)

    ask = reconciling.from_(reconciling, cond=late, on=ask_again)

    stop = stopping.from_(starting, reconciling, trading, on=turn)
    stop |= stopping.from_(stopping)
    stop |= stopped.from_(stopped)

    rest = stopped.from_(stopping, cond=may_leave, on=leave)

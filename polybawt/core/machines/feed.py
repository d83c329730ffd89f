"""How far one stream of knowledge can be trusted: a link, or one token's book.

``silent`` has never spoken and is not healthy; ``fresh`` may be traded on; ``suspect`` spoke
and was wrong (its hash did not fit) until a whole new book arrives; ``stale`` has been quiet
with a dead link for too long; ``down`` has no link.  A PONG keeps a fresh feed fresh, and never
makes one fresh: it is no data.

What a stream says comes in order, and never from a link whose loss was told: one task reads one
socket.  What we *asked* for can come from any time, so it says when it was asked; a book that
was asked for before the present doubt, or on an earlier link, is older and decides nothing.

Spec: models/Feed.tla.  Source: exchange reference 4.1 and 4.2, section 6 items 9 and 21.
"""

from attrs import evolve, frozen
from statemachine import State

from polybawt.core import machine
from polybawt.core.machine import Machine, Outputs, Record


@frozen(kw_only=True)
class Feed(Record):
    """``heard_ns``: last data or, once fresh, last sign of life. Counters only grow.

    ``since_ns``: when it last began to be what it is; repeated doubts are one.
    """

    name: str
    heard_ns: int = 0
    since_ns: int = 0
    verified: int = 0
    mismatched: int = 0
    losses: int = 0
    state: str = "down"


@frozen(kw_only=True)
class Action(machine.Action):
    name: str


@frozen(kw_only=True)
class Connect(Action): ...


@frozen(kw_only=True)
class Snapshot(Action):
    """All of it arrived at once, and fits: from the stream, or asked for at ``asked_ns``."""

    asked_ns: int | None = None


@frozen(kw_only=True)
class Change(Action):
    """A part of it arrived."""


@frozen(kw_only=True)
class Pong(Action):
    """The link answered."""


@frozen(kw_only=True)
class Verify(Action):
    """Its hash agrees with the venue's."""


@frozen(kw_only=True)
class Mismatch(Action):
    reason: str


@frozen(kw_only=True)
class Quiet(Action):
    """Neither data nor a sign of life for the limit."""


@frozen(kw_only=True)
class Lose(Action):
    reason: str


def older(feed: Feed, snapshot: Snapshot) -> bool:
    """In the moment the doubt arose it was asked for because of it."""
    return snapshot.asked_ns is not None and snapshot.asked_ns < feed.since_ns


def hear(feed: Feed, action: Action) -> tuple[Feed, Outputs]:
    return evolve(feed, heard_ns=action.at_ns), ()


def begin(feed: Feed, action: Action) -> tuple[Feed, Outputs]:
    return evolve(feed, heard_ns=action.at_ns, since_ns=action.at_ns), ()


def verify(feed: Feed, action: Verify) -> tuple[Feed, Outputs]:
    return evolve(feed, verified=feed.verified + 1), ()


def distrust(feed: Feed, action: Mismatch) -> tuple[Feed, Outputs]:
    return evolve(feed, mismatched=feed.mismatched + 1, since_ns=action.at_ns), ()


def distrust_still(feed: Feed, _: Mismatch) -> tuple[Feed, Outputs]:
    return evolve(feed, mismatched=feed.mismatched + 1), ()


def lose(feed: Feed, action: Lose) -> tuple[Feed, Outputs]:
    return evolve(feed, losses=feed.losses + 1, since_ns=action.at_ns), ()


def since(feed: Feed, action: Action) -> tuple[Feed, Outputs]:
    return evolve(feed, since_ns=action.at_ns), ()


class FeedMachine(Machine):
    down = State(initial=True)
    silent = State()
    fresh = State()
    suspect = State()
    stale = State()

    connect = silent.from_(down, silent, fresh, suspect, stale, on=since)

    snapshot = silent.from_(silent, cond=older)
    snapshot |= fresh.from_(fresh, cond=older)
    snapshot |= suspect.from_(suspect, cond=older)
    snapshot |= stale.from_(stale, cond=older)
    snapshot |= fresh.from_(silent, suspect, stale, on=begin)
    snapshot |= fresh.from_(fresh, on=hear)
    snapshot |= down.from_(down)  # read by REST while the stream is away: it will not stay true

    change = fresh.from_(fresh, on=hear)
    change |= silent.from_(silent)  # a part of what we never saw whole
    change |= suspect.from_(suspect)
    change |= stale.from_(stale)
    change |= down.from_(down)

    pong = fresh.from_(fresh, on=hear)
    pong |= silent.from_(silent)
    pong |= suspect.from_(suspect)
    pong |= stale.from_(stale)
    pong |= down.from_(down)

    verify = fresh.from_(fresh, on=verify)
    verify |= silent.from_(silent)
    verify |= suspect.from_(suspect)
    verify |= stale.from_(stale)
    verify |= down.from_(down)

    mismatch = suspect.from_(fresh, silent, stale, on=distrust)
    mismatch |= suspect.from_(suspect, on=distrust_still)  # it was asked for already
    mismatch |= down.from_(down)

    quiet = stale.from_(fresh, on=since)
    quiet |= stale.from_(stale)
    quiet |= silent.from_(silent)
    quiet |= suspect.from_(suspect)
    quiet |= down.from_(down)

    lose = down.from_(silent, fresh, suspect, stale, on=lose)
    lose |= down.from_(down)

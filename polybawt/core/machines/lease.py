"""Who may write the journal: one process's view of the lease.

Several processes may run for one journal; its store gives the lease to one of them at a time, for
``ttl_ns``, each time under a new *epoch*.  Nobody can be sure to hold it, only to have held it: so
the holder stops by its own clock, ``margin_ns`` before the store would give it to another, counted
from when it *asked*, not from when it heard.  Two gates, and neither is enough: ``may_write`` here,
which a paused process may have passed long ago, and the store, which looks at the epoch in the
transaction that appends.  The exchange fences nothing; what a deposed leader still sends is
harmless, because it was journaled under a valid epoch and its successor counts it as exposed.

A lease that ran out is not lost yet: if the store renews it, nobody else has written meanwhile, and
we take over once more, from ourselves.  ``deposed`` and ``released`` end the process; one that is
started again is another process.

How to run it: a request has one answer, yes (``Grant``, ``Renewed``), no (``Refuse``) or silence
(``Timeout``); after silence its connection is closed.  ``at_ns`` is from one steady clock that runs
on while the machine sleeps (CLOCK_BOOTTIME), for a request the moment *before* it is sent.

Not here: the journal's store, and what taking over consists of (recovery).

Spec: models/Lease.tla.  Source: architecture, decisions D4 and D8.
"""

from attrs import evolve, frozen
from statemachine import State

from polybawt.core import machine
from polybawt.core.machine import Command, Machine, Outputs, Record


@frozen(kw_only=True)
class Lease(Record):
    process: str
    ttl_ns: int
    margin_ns: int
    epoch: int = 0
    asked_ns: int | None = None
    deadline_ns: int = 0
    state: str = "standby"

    @property
    def offered_until_ns(self) -> int:
        """Until when we were to hold it, if the request that is unanswered were granted."""
        assert self.asked_ns is not None, "nothing was asked"
        return self.asked_ns + self.ttl_ns - self.margin_ns


WRITING = frozenset({"taking_over", "leading"})


def may_write(lease: Lease, now_ns: int) -> bool:
    """Whether a record may be appended to the journal; asked before each, and the store again."""
    return lease.state in WRITING and now_ns < lease.deadline_ns


def may_trade(lease: Lease, now_ns: int) -> bool:
    """Whether something new may be journaled that leaves the house; before each send, too."""
    return lease.state == "leading" and now_ns < lease.deadline_ns


@frozen(kw_only=True)
class AskLease(Command):
    """Ask the store for the lease: for a new epoch, or with ``epoch`` for more time."""

    process: str
    epoch: int = 0


@frozen(kw_only=True)
class TakeOver(Command):
    """Read all that was journaled before ``epoch``, and reconcile; answered by ``TakenOver``."""

    process: str
    epoch: int


@frozen(kw_only=True)
class ReleaseLease(Command):
    """Tell the store that nobody need wait for our time to run out. No answer is awaited."""

    process: str
    epoch: int


@frozen(kw_only=True)
class Action(machine.Action):
    process: str


@frozen(kw_only=True)
class Acquire(Action): ...


@frozen(kw_only=True)
class Grant(Action):
    epoch: int


@frozen(kw_only=True)
class Refuse(Action):
    """Another holds the lease; or, to its holder, holds it now."""


@frozen(kw_only=True)
class Timeout(Action):
    """No answer came: the store may have done what we asked, or not."""


@frozen(kw_only=True)
class TakenOver(Action):
    """Every order of our predecessors that can still do something is known and counted."""


@frozen(kw_only=True)
class Renew(Action):
    """Ask for more time, while there is some left, or to find out who leads."""


@frozen(kw_only=True)
class Renewed(Action): ...


@frozen(kw_only=True)
class Lapse(Action):
    """Our own deadline has passed."""


@frozen(kw_only=True)
class Fenced(Action):
    """The store refused an append of ours: there is a newer epoch."""


@frozen(kw_only=True)
class Release(Action):
    """We stop, in order. What is still on its way to the store is fenced like all else."""


def asked(lease: Lease, _: Action) -> bool:
    return lease.asked_ns is not None


def unasked(lease: Lease, _: Renew) -> bool:
    return lease.asked_ns is None


def newer(lease: Lease, grant: Grant) -> bool:
    return grant.epoch > lease.epoch


def in_time(lease: Lease, answer: Grant | Renewed) -> bool:
    return answer.at_ns < lease.offered_until_ns


def run_out(lease: Lease, lapse: Lapse) -> bool:
    return lapse.at_ns >= lease.deadline_ns


def ask(lease: Lease, asking: Acquire | Renew) -> tuple[Lease, Outputs]:
    after = evolve(lease, asked_ns=asking.at_ns)
    return after, (AskLease(process=lease.process, epoch=lease.epoch),)


def forget(lease: Lease, _: Action) -> tuple[Lease, Outputs]:
    return evolve(lease, asked_ns=None), ()


def prolong(lease: Lease, _: Renewed) -> tuple[Lease, Outputs]:
    """An answer that comes too late makes a deadline that has passed."""
    return evolve(lease, asked_ns=None, deadline_ns=lease.offered_until_ns), ()


def resume(lease: Lease, renewed: Renewed) -> tuple[Lease, Outputs]:
    held, _ = prolong(lease, renewed)
    return held, (TakeOver(process=held.process, epoch=held.epoch),)


def hold(lease: Lease, grant: Grant) -> tuple[Lease, Outputs]:
    until_ns = lease.offered_until_ns
    held = evolve(lease, epoch=grant.epoch, asked_ns=None, deadline_ns=until_ns)
    return held, (TakeOver(process=held.process, epoch=held.epoch),)


def give_back(lease: Lease, release: Release) -> tuple[Lease, Outputs]:
    after = evolve(lease, asked_ns=None, deadline_ns=release.at_ns)
    return after, (ReleaseLease(process=lease.process, epoch=lease.epoch),)


class LeaseMachine(Machine):
    standby = State(initial=True)
    acquiring = State()
    taking_over = State()
    leading = State()
    lapsed = State()
    deposed = State(final=True)
    released = State(final=True)

    acquire = acquiring.from_(standby, on=ask)

    grant = taking_over.from_(acquiring, cond=[newer, in_time], on=hold)
    grant |= standby.from_(acquiring, cond=newer, on=forget)  # too late: it runs out by itself

    refuse = standby.from_(acquiring, on=forget)
    refuse |= deposed.from_(taking_over, leading, lapsed, on=forget)

    timeout = standby.from_(acquiring, cond=asked, on=forget)
    timeout |= taking_over.from_(taking_over, cond=asked, on=forget)
    timeout |= leading.from_(leading, cond=asked, on=forget)
    timeout |= lapsed.from_(lapsed, cond=asked, on=forget)

    taken_over = leading.from_(taking_over)
    taken_over |= lapsed.from_(lapsed)  # done, but too late: it is done again

    renew = taking_over.from_(taking_over, cond=unasked, on=ask)
    renew |= leading.from_(leading, cond=unasked, on=ask)
    renew |= lapsed.from_(lapsed, cond=unasked, on=ask)

    renewed = taking_over.from_(taking_over, cond=asked, on=prolong)
    renewed |= leading.from_(leading, cond=asked, on=prolong)
    renewed |= taking_over.from_(lapsed, cond=[asked, in_time], on=resume)  # nobody wrote meanwhile
    renewed |= lapsed.from_(lapsed, cond=asked, on=forget)  # too late to be of use

    lapse = lapsed.from_(taking_over, leading, cond=run_out)

    fenced = deposed.from_(taking_over, leading, lapsed, on=forget)

    release = released.from_(taking_over, leading, lapsed, on=give_back)

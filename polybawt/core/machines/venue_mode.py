"""What the venue lets us do now, as far as its answers prove it.

The venue is running, takes post-only orders only, takes cancels only, restarts, or is disabled;
and it does not say so until something is asked of it.  So a mode is *news*: it comes with an
answer, and every answer says when its request was sent.  What was asked before the last news
decides nothing any more, whatever it says.  A mode is left by an answer that it would not have
given, never by time; time only lets one *probe* out, the one request that can bring such an
answer, and the next one not before a pause.  Silence proves nothing; too much of it, and we no
longer know (``unknown``), as after a start.

After anything that may have taken orders from the book (a restart, a halt, our own absence) the
venue's answer only leads to ``reconciling``: first our orders are read, by a read that was sent
after that answer.  Then one order goes as a probe (``reopening``), and its answer tells the mode.

Cancels are never held back: the worst that they can meet is the same refusal.

Not here: which answer means what (venue/wire_rest.py), and what a refusal did to its order.

Spec: models/VenueMode.tla.  Source: exchange reference 1.14 (exchange modes), 3.5 and 6 item 5.
"""

from typing import Final

from attrs import evolve, frozen
from statemachine import State

from polybawt.core import machine
from polybawt.core.machine import Fact, Machine, Outputs, Record

RETRY_NS_MAX: Final = 600 * 10**9
"""No venue's advice keeps us waiting for longer; the longest seen is the 120 s of post-only."""
DOUBLINGS_MAX: Final = 16
NAME: Final = "clob"  # of the one venue that there is


@frozen(kw_only=True)
class VenueMode(Record):
    """``since_ns``: the last news; what was sent until then tells nothing more.

    ``next_ns``: no probe before. ``pause_ns`` doubles with every probe since the last good news,
    up to ``pause_ns_max``; it must be longer than a request may take, or two probes are out at
    once. The official advice for 425 begins at 1 to 2 s and caps at 30 s (reference 1.14).
    """

    name: str
    silences_max: int = 3
    pause_ns: int = 8 * 10**9
    pause_ns_max: int = 32 * 10**9
    since_ns: int = 0
    next_ns: int = 0
    probes: int = 0
    silences: int = 0
    reason: str = ""
    state: str = "unknown"


@frozen(kw_only=True)
class Action(machine.Action):
    name: str


@frozen(kw_only=True)
class Begin(Action):
    """An engine process takes over: what the one before it heard is old."""


@frozen(kw_only=True)
class Issue(Action):
    """A request leaves in the way of business; ``request``: plain, post_only or cancel."""

    request: str


@frozen(kw_only=True)
class Probe(Action):
    """A request leaves to find out; ``request``: plain, post_only, cancel or read."""

    request: str


@frozen(kw_only=True)
class Answered(Action):
    """The venue dealt with a request of this kind: it was let in, done or not."""

    request: str
    sent_ns: int


@frozen(kw_only=True)
class Refused(Action):
    """An answer that names a mode; ``retry_ns``: the venue's own advice, 0 for none."""

    mode: str
    sent_ns: int
    retry_ns: int = 0
    reason: str = ""


@frozen(kw_only=True)
class Silence(Action):
    """No answer, or none that proves anything."""

    sent_ns: int


@frozen(kw_only=True)
class Reconciled(Action):
    """Our orders agree with the venue's; ``sent_ns``: when the first of the reads was sent."""

    sent_ns: int


@frozen(kw_only=True)
class Probing(Fact):
    """One request of this kind is to be sent, to see what the venue makes of it."""

    name: str
    request: str


def fresh(mode: VenueMode, answer: Answered | Refused | Silence | Reconciled) -> bool:
    """Its request was sent after the last news."""
    return answer.sent_ns > mode.since_ns


def rested(mode: VenueMode, probe: Probe) -> bool:
    return probe.at_ns >= mode.next_ns


def cancels(_: VenueMode, action: Issue | Probe | Answered) -> bool:
    return action.request == "cancel"


def reads(_: VenueMode, probe: Probe) -> bool:
    return probe.request == "read"


def takes(_: VenueMode, action: Issue | Probe | Answered) -> bool:
    """It is an order that takes, or may: what only a running venue accepts."""
    return action.request == "plain"


def rests(_: VenueMode, action: Issue | Probe | Answered) -> bool:
    """It is an order that can only rest."""
    return action.request == "post_only"


def restarts(_: VenueMode, refused: Refused) -> bool:
    return refused.mode == "restarting"


def disables(_: VenueMode, refused: Refused) -> bool:
    return refused.mode == "disabled"


def lets_cancel(_: VenueMode, refused: Refused) -> bool:
    return refused.mode == "cancel_only"


def lets_rest(_: VenueMode, refused: Refused) -> bool:
    return refused.mode == "post_only"


def lasts(mode: VenueMode, _: Silence) -> bool:
    """This silence is one too many."""
    return mode.silences + 1 >= mode.silences_max


def pause(mode: VenueMode) -> int:
    """How long to wait after this many probes that brought nothing."""
    return min(mode.pause_ns << min(mode.probes, DOUBLINGS_MAX), mode.pause_ns_max)


def ask(mode: VenueMode, probe: Probe) -> tuple[VenueMode, Outputs]:
    probing = Probing(at_ns=probe.at_ns, name=mode.name, request=probe.request)
    after = evolve(mode, next_ns=probe.at_ns + pause(mode), probes=mode.probes + 1)
    return after, (probing,)


def improve(mode: VenueMode, action: Action) -> tuple[VenueMode, Outputs]:
    """Good news: the next probe may leave at once."""
    after = evolve(
        mode, since_ns=action.at_ns, next_ns=action.at_ns, probes=0, silences=0, reason=""
    )
    return after, ()


def forget(mode: VenueMode, action: Begin | Silence) -> tuple[VenueMode, Outputs]:
    after, _ = improve(mode, action)
    return evolve(after, reason="silence" if isinstance(action, Silence) else "start"), ()


def shut(mode: VenueMode, refused: Refused) -> tuple[VenueMode, Outputs]:
    """Bad news: wait as we were advised, and not less than the pause."""
    wait = max(pause(mode), min(refused.retry_ns, RETRY_NS_MAX))
    at_ns, reason = refused.at_ns, refused.reason or refused.mode
    after = evolve(mode, since_ns=at_ns, next_ns=at_ns + wait, silences=0, reason=reason)
    return after, ()


def half_open(mode: VenueMode, answered: Answered) -> tuple[VenueMode, Outputs]:
    """An order rests: better than it was, and whether more is allowed is asked after a pause."""
    after, _ = improve(mode, answered)
    return evolve(after, next_ns=answered.at_ns + pause(after)), ()


def hear(mode: VenueMode, _: Answered) -> tuple[VenueMode, Outputs]:
    return evolve(mode, silences=0), ()


def count(mode: VenueMode, _: Silence) -> tuple[VenueMode, Outputs]:
    return evolve(mode, silences=mode.silences + 1), ()


class VenueModeMachine(Machine):
    unknown = State(initial=True)
    running = State()
    post_only = State()
    cancel_only = State()
    restarting = State()
    disabled = State()
    reconciling = State()
    reopening = State()

    begin = unknown.from_(
        unknown, running, post_only, cancel_only, restarting, disabled, reconciling, reopening,
        on=forget,
    )  # fmt: skip

    issue = running.from_(running)
    issue |= post_only.from_(post_only, cond=rests)
    issue |= post_only.from_(post_only, cond=cancels)
    issue |= unknown.from_(unknown, cond=cancels)
    issue |= cancel_only.from_(cancel_only, cond=cancels)
    issue |= restarting.from_(restarting, cond=cancels)
    issue |= disabled.from_(disabled, cond=cancels)
    issue |= reconciling.from_(reconciling, cond=cancels)
    issue |= reopening.from_(reopening, cond=cancels)

    probe = unknown.from_(unknown, cond=[rested, cancels], on=ask)
    probe |= restarting.from_(restarting, cond=[rested, cancels], on=ask)
    probe |= disabled.from_(disabled, cond=[rested, cancels], on=ask)
    probe |= reconciling.from_(reconciling, cond=[rested, reads], on=ask)
    probe |= reopening.from_(reopening, cond=[rested, takes], on=ask)
    probe |= reopening.from_(reopening, cond=[rested, rests], on=ask)
    probe |= cancel_only.from_(cancel_only, cond=[rested, takes], on=ask)
    probe |= cancel_only.from_(cancel_only, cond=[rested, rests], on=ask)
    probe |= post_only.from_(post_only, cond=[rested, takes], on=ask)

    answered = reconciling.from_(unknown, restarting, disabled, cond=[fresh, cancels], on=improve)
    answered |= running.from_(reopening, cancel_only, post_only, cond=[fresh, takes], on=improve)
    answered |= post_only.from_(reopening, cancel_only, cond=[fresh, rests], on=half_open)
    answered |= running.from_(running, cond=fresh, on=hear)
    answered |= post_only.from_(post_only, cond=fresh, on=hear)
    answered |= unknown.from_(unknown)  # from here on: late, or what every mode allows
    answered |= running.from_(running)
    answered |= post_only.from_(post_only)
    answered |= cancel_only.from_(cancel_only)
    answered |= restarting.from_(restarting)
    answered |= disabled.from_(disabled)
    answered |= reconciling.from_(reconciling)
    answered |= reopening.from_(reopening)

    refused = restarting.from_(
        unknown, running, post_only, cancel_only, restarting, disabled, reconciling, reopening,
        cond=[fresh, restarts], on=shut,
    )  # fmt: skip
    refused |= disabled.from_(
        unknown, running, post_only, cancel_only, restarting, disabled, reconciling, reopening,
        cond=[fresh, disables], on=shut,
    )  # fmt: skip
    refused |= cancel_only.from_(
        running, post_only, cancel_only, reopening, cond=[fresh, lets_cancel], on=shut
    )
    refused |= post_only.from_(
        running, post_only, cancel_only, reopening, cond=[fresh, lets_rest], on=shut
    )
    refused |= unknown.from_(unknown)  # from here on: late
    refused |= running.from_(running)
    refused |= post_only.from_(post_only)
    refused |= cancel_only.from_(cancel_only)
    refused |= restarting.from_(restarting)
    refused |= disabled.from_(disabled)
    refused |= reconciling.from_(reconciling)
    refused |= reopening.from_(reopening)

    silence = unknown.from_(running, post_only, cond=[fresh, lasts], on=forget)
    silence |= running.from_(running, cond=fresh, on=count)
    silence |= post_only.from_(post_only, cond=fresh, on=count)
    silence |= unknown.from_(unknown)  # from here on: late, or of a probe, whose pause goes on
    silence |= running.from_(running)
    silence |= post_only.from_(post_only)
    silence |= cancel_only.from_(cancel_only)
    silence |= restarting.from_(restarting)
    silence |= disabled.from_(disabled)
    silence |= reconciling.from_(reconciling)
    silence |= reopening.from_(reopening)

    reconciled = reopening.from_(reconciling, cond=fresh, on=improve)
    reconciled |= unknown.from_(unknown)  # from here on: read before the last news, or once more
    reconciled |= running.from_(running)
    reconciled |= post_only.from_(post_only)
    reconciled |= cancel_only.from_(cancel_only)
    reconciled |= restarting.from_(restarting)
    reconciled |= disabled.from_(disabled)
    reconciled |= reconciling.from_(reconciling)
    reconciled |= reopening.from_(reopening)


def may_post(mode: VenueMode, post_only: bool) -> bool:
    """Whether an order may leave in the way of business; as a probe, see ``may_probe``."""
    request = "post_only" if post_only else "plain"
    return VenueModeMachine.allows(mode, Issue(name=mode.name, request=request))


def may_cancel(mode: VenueMode) -> bool:
    """Always: shown in models/VenueMode.tla, not assumed."""
    return VenueModeMachine.allows(mode, Issue(name=mode.name, request="cancel"))


def may_probe(mode: VenueMode, request: str, at_ns: int) -> bool:
    """Whether one such request (plain, post_only, cancel, read) may leave now to find out."""
    return VenueModeMachine.allows(mode, Probe(name=mode.name, at_ns=at_ns, request=request))

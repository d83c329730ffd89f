"""The leave that an order needs of the venue: its mode, our pulse, its clock, its tick.

Asked when an order is wanted, when it is signed, and once more at the socket, where only what
came meanwhile counts.  Where the mode allows only a probe, the first order that is signed is the
probe.  Cancels need no leave, and that they need none is the machine's to say.

A journal of before these rules is replayed without them (``Config.rules``).  Who hears the news
is ``contact``.

Source: exchange reference 1.13, 1.14, 2.2, 3.4 and 6 items 5, 18 and 26.
"""

from typing import Final

from polybawt.core.machine import Outputs
from polybawt.core.machines import venue_mode
from polybawt.core.machines.order import Order
from polybawt.core.machines.venue_mode import VenueModeMachine, may_post, may_probe
from polybawt.core.market import InvalidOrder
from polybawt.core.state import State
from polybawt.core.units import MS_NS

EXCUSES: Final = ("not sent", "425 ", "429 ", "503 ")
TRADING: Final = frozenset({"running", "post_only"})


def step(state: State, action: venue_mode.Issue | venue_mode.Probe) -> Outputs:
    """Something leaves; that does not change the mode."""
    state.mode, outputs = VenueModeMachine.step(state.mode, action)
    return outputs


def why_not(state: State, post_only: bool) -> str:
    """Why no such order may leave now, "" when it may: in business, or as a probe."""
    if not state.config.rules:
        return ""
    mode, request = state.mode, "post_only" if post_only else "plain"
    if not may_post(mode, post_only) and not may_probe(mode, request, state.now_ns):
        return f"venue is {mode.state}"
    return silent(state) or off(state)


def let_go(state: State, record: Order) -> tuple[str, Outputs]:
    """An order is about to be submitted: why it may not, or the step that lets it go."""
    if why := why_not(state, record.post_only) or unfit(state, record):
        return why, ()
    if not state.config.rules:
        return "", ()
    name, request = state.mode.name, "post_only" if record.post_only else "plain"
    issue = venue_mode.Issue(name=name, request=request, at_ns=state.now_ns)
    if VenueModeMachine.allows(state.mode, issue):
        return "", step(state, issue)
    probe = venue_mode.Probe(name=name, request=request, at_ns=state.now_ns)
    return "", step(state, probe)


def unfit(state: State, record: Order) -> str:
    """Its terms were right under another tick."""
    market = state.markets.get(record.condition_id)
    if market is None or not state.config.rules:
        return ""
    try:
        market.check(record.price, record.size)
    except InvalidOrder as wrong:
        return str(wrong)
    return ""


def held(state: State, intent_id: str) -> str:
    """Asked at the socket: why a submitted order may not leave after all, "" when it may.

    Its leave was given when it was submitted, be it as a probe; only what came since counts.
    """
    if barred := state.barred():
        return barred
    record = state.orders.get(intent_id)
    if record is None or not state.config.rules:
        return ""
    since_ns = state.timers.get(f"order:{intent_id}", record.created_ns)
    if state.mode.since_ns > since_ns and not may_post(state.mode, record.post_only):
        return f"venue is {state.mode.state}"
    return silent(state) or off(state) or unfit(state, record)


def let_in(state: State, before: Order) -> Outputs:
    """An order whose fate was open turns out to rest: the venue takes such orders.

    Its answer may be lost; a push or its record says the same.  It left after it was created.
    """
    if not state.config.rules or before.state not in ("submitted", "unknown"):
        return ()
    request = "post_only" if before.post_only else "plain"
    return (
        venue_mode.Answered(
            at_ns=state.now_ns,
            name=state.mode.name,
            request=request,
            sent_ns=before.created_ns,
        ),
    )


def excused(state: State, reason: str) -> bool:
    """A refusal that says nothing of the order: not sent, too many, or not now."""
    if not state.config.rules:
        return False
    return not blames_venue(state) or reason.startswith(EXCUSES) or "post-only mode" in reason


def issue_cancel(state: State) -> Outputs:
    """Cancels are always let go; that they are is the machine's to say."""
    if not state.config.rules:
        return ()
    cancel = venue_mode.Issue(name=state.mode.name, request="cancel", at_ns=state.now_ns)
    return step(state, cancel)


def blames_venue(state: State) -> bool:
    """Whether silence is a fault to count: not while we know that the venue is not itself."""
    return not state.config.rules or state.mode.state in TRADING


def silent(state: State) -> str:
    """Why our pulse lets no order out, "" when it does, or when nobody counts it."""
    contact, most_ns = state.contact, state.config.heartbeat_ns_max
    if not contact.beat_ns:
        return "no heartbeat was acknowledged" if contact.missed_ns else ""
    since_ns = state.now_ns - contact.beat_ns
    return f"no heartbeat for {since_ns // MS_NS} ms" if since_ns > most_ns else ""


def off(state: State) -> str:
    """Why the clock lets no order out: it is off by more than the limit, beyond all doubt."""
    contact = state.contact
    least_ns = max(contact.low_ns, -contact.high_ns, 0)
    if least_ns <= state.config.clock_off_ns_max:
        return ""
    way = "ahead of" if contact.low_ns > 0 else "behind"
    return f"the venue's clock is {least_ns // MS_NS} ms {way} ours"

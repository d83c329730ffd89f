"""What we hear of the venue itself: its mode, our pulse there, its clock, its version.

The mode is a machine, and this is its owner.  While nothing may leave, time sends a cancel of
what does not exist, to see whether it is let in; after an outage our orders and trades are read
whole, by reads that were sent after the venue's first good answer, before any order goes.

The other three are simple: heartbeats that nobody acknowledges, a clock that is off by more than
an order's end can bear, a protocol that we do not speak.  Each stops new orders, never a cancel.
What an order needs of all this stands in ``leave``.

Source: exchange reference 1.13, 1.14, 2.2, 3.5, 6 items 5, 24 and 26.
"""

from typing import Final

from attrs import evolve

from polybawt.core import breakers, execution, facts, links
from polybawt.core.commands import ProbeVenue
from polybawt.core.leave import off, silent
from polybawt.core.machine import Outputs
from polybawt.core.machines import venue_mode
from polybawt.core.machines.venue_mode import VenueModeMachine, may_probe
from polybawt.core.state import Contact, State
from polybawt.core.units import SECOND_NS

VERSION_SPOKEN: Final = 2  # of the CLOB
LAPSE_NS: Final = 10 * SECOND_NS  # without a beat for so long, the venue withdraws all (1.13)
BLIND: Final = frozenset({"unknown", "restarting", "disabled"})
SEVERITIES: Final = {"restarting": "warning", "disabled": "critical", "cancel_only": "critical"}


# The mode.


def turn(state: State, action: venue_mode.Action) -> Outputs:
    """Step the mode; a change is told, and a restart is no fault of the breaker's."""
    before = state.mode
    if action.name != before.name or not VenueModeMachine.allows(before, action):
        return execution.impossible(state, before, action)
    state.mode, outputs = VenueModeMachine.step(before, action)
    after = state.mode
    if after.state == before.state:
        return outputs
    state.count(f"mode:{after.state}")
    text = f"venue is {after.state}" + (f": {after.reason}" if after.reason else "")
    told = state.notify(SEVERITIES.get(after.state, "info"), f"venue_{after.state}", text)
    if after.state in BLIND and isinstance(action, venue_mode.Refused):
        return (*outputs, told, *breakers.heal(state, "venue", action.sent_ns))
    return (*outputs, told)


def begin(state: State) -> Outputs:
    """A new process: nobody has told it anything, and its heartbeats are a new chain."""
    state.contact = Contact()
    if not state.config.rules:
        return ()
    return turn(state, venue_mode.Begin(name=state.mode.name, at_ns=state.now_ns))


def probing(state: State, fact: venue_mode.Probing) -> Outputs:
    """A probe is to leave; where it is an order, that order is on its way already."""
    match fact.request:
        case "cancel":
            return (ProbeVenue(),)
        case "read":
            return links.reread(state)
        case _:
            return ()


def tick(state: State) -> Outputs:
    """Time lets a probe out, where none needs an order; and a missing pulse is told."""
    if not state.config.rules:
        return ()
    outputs = _pulse(state)
    request = "cancel" if state.mode.state in BLIND else "read"
    if state.now_ns > state.mode.since_ns and may_probe(state.mode, request, state.now_ns):
        probe = venue_mode.Probe(name=state.mode.name, request=request, at_ns=state.now_ns)
        outputs += turn(state, probe)
    return outputs


def whole_read(state: State, which: str, sent_ns: int) -> Outputs:
    """Our orders, or all our recent trades, were read whole; with both we agree again."""
    contact = state.contact
    if which == "orders":
        contact = evolve(contact, orders_ns=max(contact.orders_ns, sent_ns))
    else:
        contact = evolve(contact, trades_ns=max(contact.trades_ns, sent_ns))
    state.contact = contact
    first_ns = min(contact.orders_ns, contact.trades_ns)
    if state.mode.state != "reconciling" or first_ns <= state.mode.since_ns:
        return ()
    agreed = venue_mode.Reconciled(name=state.mode.name, sent_ns=first_ns, at_ns=state.now_ns)
    return turn(state, agreed)


# The pulse.


def beat(state: State, fact: facts.Heartbeat) -> Outputs:
    """A heartbeat was acknowledged, or was not."""
    contact = state.contact
    if not fact.accepted:
        state.contact = evolve(contact, missed_ns=contact.missed_ns or fact.at_ns)
        state.count("heartbeats_missed")
        text = f"heartbeat: {fact.reason or 'not acknowledged'}"
        return (state.notify("warning", "heartbeat_missed", text),)
    state.count("heartbeats")
    lapsed = contact.beat_ns and fact.sent_ns - contact.beat_ns > LAPSE_NS
    state.contact = evolve(
        contact, beat_ns=max(contact.beat_ns, fact.sent_ns), missed_ns=0, pulse_told=False
    )
    if not lapsed:
        return ()
    text = "heartbeats are acknowledged again; the venue has withdrawn what rested meanwhile"
    return (state.notify("warning", "heartbeat_back", text), *links.reread(state))


def _pulse(state: State) -> Outputs:
    """Said once: no order leaves, and the venue will withdraw what rests."""
    contact = state.contact
    why = "" if contact.pulse_told else silent(state)
    if not why:
        return ()
    state.contact = evolve(contact, pulse_told=True)
    text = f"{why}: no order leaves, and the venue withdraws what rests"
    return (state.notify("critical", "heartbeat_lost", text),)


# Clock and version.


def clock_read(state: State, fact: facts.ClockRead) -> Outputs:
    """How far the venue's clock is from ours, between two bounds."""
    before = off(state)
    state.contact = evolve(state.contact, low_ns=fact.low_ns, high_ns=fact.high_ns)
    after = off(state)
    if after and not before:
        return (state.notify("critical", "clock_off", f"{after}: no order leaves"),)
    if before and not after:
        return (state.notify("info", "clock_good", "the clock is within its limit again"),)
    return ()


def version_read(state: State, fact: facts.VersionRead) -> Outputs:
    if fact.version == VERSION_SPOKEN:
        return ()
    reason = f"the venue speaks version {fact.version}, we speak {VERSION_SPOKEN}"
    return execution.stop_for_version(state, reason)

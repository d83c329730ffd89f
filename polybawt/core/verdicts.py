"""Who has said how a market ended, and whether that is enough to pay.

Two voices must agree: our own observation and one of the venue's, or two of those that the venue
has (its stream, Gamma, the CLOB, the chain).  Where a second one stays away for
``sources_ns_max``, the CLOB's or the chain's alone is enough; Gamma's or the stream's is not, for
they copy, and not while any of them contradicts it.  An operator is a voice like the others.
How far the oracle is with a market (proposed, disputed, reset) is told and decides nothing, and
after the payout nothing does: another word then is an alarm.

Source: exchange reference 5.1 and 5.3.
"""

from typing import Final

from polybawt.core import facts
from polybawt.core.machine import Outputs
from polybawt.core.machines.settlement import Settlement
from polybawt.core.market import Market
from polybawt.core.state import State
from polybawt.core.units import Usdc

SOURCE_MAX: Final = 32  # characters of a source's name, or of its word, that are kept
SOURCES_MAX: Final = 8
SETTLING: Final = frozenset({"clob", "chain"})  # they pay what they say
DISPUTED: Final = frozenset({"disputed", "challenged"})
SEVERITIES: Final = {"disputed": "critical", "challenged": "critical", "reset": "warning"}


def heard(state: State, fact: facts.MarketResolved) -> None:
    """Keep the newest word of each source."""
    said = state.verdicts.setdefault(fact.condition_id, {})
    source = fact.source[:SOURCE_MAX]
    if source in said or len(said) < SOURCES_MAX:
        said[source] = _word(fact.yes_payout, fact.no_payout)
    state.timers.setdefault(f"verdict:{fact.condition_id}", state.now_ns)


def _word(yes_payout: Usdc | None, no_payout: Usdc | None) -> str:
    return f"{yes_payout}/{no_payout}"


def vouched(state: State, condition_id: str) -> bool:
    """Whether enough voices agree on what is published; the end of a conflict is enough."""
    current = state.settlements[condition_id]
    if current.decided_by:
        return True
    said = state.verdicts.get(condition_id, {})
    published = _word(current.yes_payout, current.no_payout)
    agreeing = {source for source, word in said.items() if word == published}
    if len(agreeing) + bool(current.observed) >= state.config.sources_min:
        return True
    waited_ns = state.now_ns - state.timers.get(f"verdict:{condition_id}", state.now_ns)
    alone = len(agreeing) == len(said) and not SETTLING.isdisjoint(agreeing)
    return alone and waited_ns > state.config.sources_ns_max


def accepted(state: State, request: facts.DecideRequested) -> Outputs:
    """An operator confirms what one source alone has published."""
    condition = request.condition_id
    state.verdicts.setdefault(condition, {})["operator"] = _word(
        request.yes_payout, request.no_payout
    )
    text = f"{condition} confirmed by {request.actor}: {request.reason}"
    return (state.notify("critical", "outcome_confirmed", text),)


def wants_a_voice(state: State, request: facts.DecideRequested) -> bool:
    """Whether what is published is what the operator names, and lacks no more than a voice."""
    known = state.settlements.get(request.condition_id)
    if known is None or known.state != "resolved" or vouched(state, known.condition_id):
        return False
    return (known.yes_payout, known.no_payout) == (request.yes_payout, request.no_payout)


def flipped(state: State, paid: Settlement, fact: facts.MarketResolved) -> Outputs:
    """Another word after the payout: nothing is paid again, whatever anybody says."""
    if (fact.yes_payout, fact.no_payout) == (paid.yes_payout, paid.no_payout):
        state.count("repeats")
        return ()
    state.count("flips")
    says = _word(fact.yes_payout, fact.no_payout)
    text = (
        f"{fact.source} says {says} of {fact.condition_id},"
        f" which paid {_word(paid.yes_payout, paid.no_payout)}"
    )
    return (state.notify("critical", "outcome_flipped", text),)


def stands(state: State, fact: facts.ResolutionReported) -> Outputs:
    """How far the oracle is with a market: told whenever it changes."""
    condition, status = fact.condition_id, fact.status.lower()[:SOURCE_MAX]
    if condition not in state.markets or state.settlements[condition].state == "paid":
        return ()
    before = state.standings.get(condition, "")
    if before in DISPUTED | {"reset"} and status in ("requested", "proposed"):
        status = "reset"  # the first dispute throws it back to a second proposal (5.3)
    if status == before:
        return ()
    state.standings[condition] = status
    text = f"{state.markets[condition].slug} is {status} ({fact.source})"
    return (state.notify(SEVERITIES.get(status, "info"), "outcome_standing", text),)


def forget(state: State, market: Market) -> None:
    """A market leaves memory."""
    state.verdicts.pop(market.condition_id, None)
    state.standings.pop(market.condition_id, None)
    for timer in ("verdict", "paid"):
        state.timers.pop(f"{timer}:{market.condition_id}", None)

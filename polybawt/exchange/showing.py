"""How a market stands right now, put together from the venue, its trades and its oracle.

Source: exchange reference 5.1 and 5.3.
"""

from typing import Final

from polybawt.core.units import MILLION
from polybawt.exchange.directory import Entry
from polybawt.exchange.floor import Floor
from polybawt.exchange.wire.gamma import Shown
from polybawt.sim.oracle import GAMMA, Question

POSED: Final = "posed"  # nobody has asked the oracle yet, and Gamma says nothing


def shown(floor: Floor, entry: Entry) -> Shown:
    """What Gamma shows of one market besides its terms."""
    directory, condition_id = floor.publisher.directory, entry.market.condition_id
    group = directory.group_of(entry)
    bids, asks = floor.venue.levels(entry.market.yes_token)
    resting = [price * size for price, size in bids]
    resting += [(MILLION - price) * size for price, size in asks]
    ended = entry.resolved
    status, statuses = _asked(floor.venue.question(condition_id), paid=ended is not None)
    return Shown(
        gamma_id=entry.gamma_id,
        created_ns=entry.created_ns,
        listed_ns=entry.listed_ns,
        event=group.terms,
        index=group.entries.index(entry),
        best_bid=bids[-1][0] if bids else None,
        best_ask=asks[-1][0] if asks else None,
        last_price=floor.publisher.last_price(condition_id),
        volume=entry.volume,
        volume_day=entry.volume_day(floor.now_ns()),
        liquidity=sum(resting) // MILLION,
        payouts=(ended.yes_payout, ended.no_payout) if ended else None,
        resolved_ns=ended.now_ns if ended else 0,
        status=status,
        statuses=statuses,
    )


def _asked(question: Question | None, paid: bool) -> tuple[str, tuple[str, ...]]:
    """How far the oracle is. A verdict is told together with its payment, not before."""
    if question is None:
        return "", ()
    states = (*question.past, question.state)
    if question.resolved and not paid:
        states = question.past
    told = tuple(GAMMA[state] for state in states if state != POSED)
    return (told[-1] if told else ""), told

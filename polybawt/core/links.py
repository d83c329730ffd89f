"""The connections: what follows when a stream came, answered, was lost, or is refused.

A connection of the market channel takes the books of its tokens along.  The user channel replays
nothing, so after each return our orders and trades are read, and until both are known no new
order leaves.  Credentials that the venue refuses are told once and shut a breaker, which opens by
itself when a user channel lasts.

Source: exchange reference 4.1, 4.3 and 4.4; section 6, items 9 to 11.
"""

from typing import Final

from polybawt.core import breakers, facts
from polybawt.core.commands import ReadOpenOrders, ReadTrades
from polybawt.core.machine import Outputs
from polybawt.core.machines import breaker, feed
from polybawt.core.market_data import feed_step
from polybawt.core.state import State
from polybawt.core.units import SECOND_NS

REREAD_S: Final = 120  # trades are read again from this long before the last known match
CREDENTIALS: Final = "credentials"
READS: Final = ("trades", "open_orders")


def link(state: State, fact: facts.LinkUp | facts.LinkHeard | facts.LinkDown) -> Outputs:
    """A stream came, went, or answered; the tokens that it carries go with it."""
    carried = [token for token, by in state.subscribed.items() if by == fact.link]
    names = [fact.link, *carried]
    match fact:
        case facts.LinkUp():
            for name in names:
                feed_step(state, feed.Connect(at_ns=fact.at_ns, name=name))
            _renumber(state, carried)
            return reread(state) if fact.link == "user" else ()
        case facts.LinkHeard():
            for name in names:
                feed_step(state, feed.Pong(at_ns=fact.at_ns, name=name))
            return _user_answers(state, fact) if fact.link == "user" else ()
        case facts.LinkDown():
            for name in names:
                feed_step(state, feed.Lose(at_ns=fact.at_ns, name=name, reason=fact.reason))
            text = f"{fact.link} stream lost: {fact.reason}"
            return (state.notify("warning", "link_down", text),)


def _renumber(state: State, carried: list[str]) -> None:
    """A new connection begins a new order of messages."""
    for token in carried:
        if book := state.books.get(state.market_of.get(token, "")):
            view = book.views[token]
            view.stream_ms, view.missed_ns, view.expected = 0, 0, ""
            view.bid, view.ask = None, None


def _user_answers(state: State, fact: facts.LinkHeard) -> Outputs:
    """The user channel speaks only when something happens to us: its PONG is all there is."""
    lasted_ns = fact.at_ns - state.feeds["user"].since_ns
    fresh = state.feeds["user"].state == "fresh"
    feed_step(state, feed.Snapshot(at_ns=fact.at_ns, name="user"))
    shut = CREDENTIALS in state.breakers and state.breakers[CREDENTIALS].state == "latched"
    if not shut or not fresh or lasted_ns < state.config.refused_clear_ns:
        return ()
    reason = "the user channel lasts"
    action = breaker.Reset(at_ns=fact.at_ns, name=CREDENTIALS, actor="engine", reason=reason)
    return breakers.turn(state, action)


def refused(state: State, fact: facts.LinkRefused) -> Outputs:
    """Our credentials are not taken: without that stream we would trade blind."""
    text = f"{fact.link} stream: {fact.reason}"
    notice = state.notify("critical", "credentials_refused", text)
    if fact.link != "user":
        return (notice,)
    latch = breaker.Latch(at_ns=fact.at_ns, name=CREDENTIALS, actor="venue", reason=fact.reason)
    return (notice, *breakers.turn(state, latch))


def gap(state: State, fact: facts.LinkGap) -> Outputs:
    """Numbered frames are missing; nothing replays them."""
    state.count("link_gaps")
    state.count("missed_frames", max(fact.missed, 0))
    text = f"{fact.link} stream: {fact.missed} frames of {fact.channel[:40]} are missing"
    return (state.notify("warning", "link_gap", text),)


# Reading again.


def reread(state: State) -> Outputs:
    """Read our orders and recent trades again: nothing is trusted that a reconnect may hide."""
    state.rereads = dict.fromkeys(READS, True)
    state.timers["reread"] = state.now_ns
    return ReadTrades(after_s=reread_since_s(state)), ReadOpenOrders()


def reread_answered(state: State, read: str) -> None:
    state.rereads.pop(read, None)


def reread_since_s(state: State) -> int:
    """Before the last match we know of, and before any that has not settled."""
    known = (state.last_match_s, state.now_ns // SECOND_NS)
    return max(0, min(*known, *(trade.match_s for trade in state.unsettled())) - REREAD_S)


def tick(state: State) -> Outputs:
    """What a reconnect may have hidden and no read has shown is asked for again."""
    if not state.rereads or not state.due("reread", 2 * state.config.poll_ns):
        return ()
    asked = {"trades": ReadTrades(after_s=reread_since_s(state)), "open_orders": ReadOpenOrders()}
    return tuple(asked[read] for read in state.rereads)

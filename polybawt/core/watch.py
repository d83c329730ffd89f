"""The watchdog: what a stream does not say.

A connection that answers every PING may still have lost a subscription, a frame, or all of them.
So a book of which nothing was heard for a while is read: if it agrees with ours, quiet is not
dead; if not, the stream kept something from us, the book is fetched, and a connection that does
so to several markets is made anew.  So is one that never spoke at all.  Rates are bounded: a few
reads per tick, one reconnect of a connection per probe interval.

Source: architecture D12; exchange reference section 6, items 9, 10 and 21.
"""

from collections.abc import Iterable
from typing import Final

from polybawt.core import facts, market_data
from polybawt.core.book import Book, TokenView
from polybawt.core.commands import FetchBook, Reconnect
from polybawt.core.machine import Outputs
from polybawt.core.machines import feed
from polybawt.core.state import State

PROBES_MAX: Final = 10  # reads per tick
CONDITION_CHARS_MIN: Final = 4


def tick(state: State) -> Outputs:
    """Tokens whose book and link are silent are stale; those in doubt are fetched whole."""
    outputs: Outputs = ()
    probes = 0
    for token, link in state.subscribed.items():
        book = state.books.get(state.market_of.get(token, ""))
        view = book.views[token] if book else None
        match state.feeds[token].state:
            case "fresh" if state.book_age_ns(token) > state.config.limits.book_age_ns_max:
                quiet = feed.Quiet(at_ns=state.now_ns, name=token)
                outputs += market_data.feed_step(state, quiet)
            case "fresh" if view and probes < PROBES_MAX and _unheard(state, view):
                view.probed_ns, probes = state.now_ns, probes + 1
                state.count("probes")
                outputs += (FetchBook(token_id=token),)
            case "stale" | "suspect" if book:
                outputs += market_data.refetch(state, book, token)
            case "silent" if _waited(state, token):
                outputs += _never_spoke(state, token, link)
            case _:
                pass
    return (*outputs, *_silent_links(state))


def _unheard(state: State, view: TokenView) -> bool:
    return state.now_ns - max(view.heard_ns, view.probed_ns) >= state.config.probe_ns


def _waited(state: State, token: str) -> bool:
    return state.now_ns - state.feeds[token].since_ns >= state.config.probe_ns


def _never_spoke(state: State, token: str, link: str) -> Outputs:
    """No first book came: it was lost, or the venue sends none to so full a connection; read it.

    Where the connection has not said anything at all, a book would not stay true.
    """
    if state.feeds[link].state != "fresh":
        return _reconnect(state, link, "it has never said anything")
    if not state.due(f"refetch:{token}", state.config.probe_ns):
        return ()
    return (FetchBook(token_id=token),)


def _silent_links(state: State) -> Outputs:
    """Connections that keep silent about several markets at once."""
    missed: dict[str, set[str]] = {}
    for token, link in state.subscribed.items():
        condition_id = state.market_of.get(token, "")
        book = state.books.get(condition_id)
        if book and _kept_from_us(state, book.views[token]):
            missed.setdefault(link, set()).add(condition_id)
    outputs: Outputs = ()
    for link, markets in missed.items():
        tokens = [token for token, by in state.subscribed.items() if by == link]
        followed = {state.market_of.get(token, "") for token in tokens}
        if len(markets) >= min(state.config.silent_markets_max, len(followed)):
            _acquit(state, link)
            reason = f"it kept the changes of {len(markets)} markets from us"
            outputs += _reconnect(state, link, reason)
    return outputs


def _kept_from_us(state: State, view: TokenView) -> bool:
    """A read showed a change, and a poll interval later the stream has still not spoken of it."""
    age_ns = state.now_ns - view.missed_ns
    return view.missed_ns > 0 and state.config.poll_ns <= age_ns < 3 * state.config.probe_ns


def _acquit(state: State, link: str) -> None:
    for token, by in state.subscribed.items():
        if by == link and (book := state.books.get(state.market_of.get(token, ""))):
            book.views[token].missed_ns = 0


def _reconnect(state: State, link: str, reason: str) -> Outputs:
    if state.feeds[link].state == "down" or not state.due(
        f"reconnect:{link}", state.config.probe_ns
    ):
        return ()
    state.count("forced_reconnects")
    notice = state.notify("warning", "silent_stream", f"{link} stream: {reason}")
    return (notice, Reconnect(link=link, reason=reason))


def garbled(state: State, fact: facts.BadInput) -> Outputs:
    """A frame of the market channel could not be read: what did it say, and of whom?

    Of the market whose id can still be read in it, or else perhaps of any.
    """
    if fact.source != "market":
        return ()
    named = [
        condition_id
        for condition_id in state.books
        if len(condition_id) >= CONDITION_CHARS_MIN and condition_id in fact.excerpt
    ]
    outputs: Outputs = ()
    for condition_id in named:
        outputs += _doubt_all(state, state.books[condition_id])
    if not named and state.due("garbled", state.config.poll_ns):
        _probe_soon(state.books.values())
    return outputs


def _doubt_all(state: State, book: Book) -> Outputs:
    outputs: Outputs = ()
    for token in book.views:
        if state.feeds[token].state == "fresh":
            outputs += market_data.doubt(state, book, token, "a message of it cannot be read")
    return outputs


def _probe_soon(books: Iterable[Book]) -> None:
    """The next ticks read them, a few at a time."""
    for book in books:
        for view in book.views.values():
            view.heard_ns = view.probed_ns = 0

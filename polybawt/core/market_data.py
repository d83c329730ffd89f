"""Books and the feeds that carry them: what arrived, and whether it may be traded on.

A group of changes is proven by its hash and its best prices once the group is whole: when a
change of another time arrives for the token, or when nothing came for a while.  A book that does
not fit, or whose messages came out of order, is suspect until the venue served a whole one that
does.  What a stream does *not* say is found out in ``watch``; the coming and going of the
connections themselves stands in ``links``.

Source: exchange reference 4.1 and 4.2; data-and-quant 0.1.
"""

from typing import Final

from attrs import evolve

from polybawt.core import execution, facts, prints
from polybawt.core.book import Book, TokenView
from polybawt.core.commands import FetchBook, Subscribe, Unsubscribe
from polybawt.core.machine import Outputs
from polybawt.core.machines import feed
from polybawt.core.machines.feed import Feed, FeedMachine
from polybawt.core.market import Market, valid_tick
from polybawt.core.state import State
from polybawt.core.units import MS_NS, InvalidAmount, Price, parse_micro

LAG_MS_MAX: Final = 60_000
PERSISTS_NS: Final = 500 * MS_NS  # between two books that cross themselves
BACKOFF_DOUBLINGS_MAX: Final = 4  # of the time between two reads of one book


def feed_step(state: State, action: feed.Action) -> Outputs:
    """Step one feed; a change of its state is told to the operators."""
    before = state.feeds.get(action.name) or Feed(name=action.name)
    after, outputs = FeedMachine.step(before, action)
    state.feeds[action.name] = after
    if after.state != before.state and after.state in ("suspect", "stale"):
        why = action.reason if isinstance(action, feed.Mismatch) else "quiet"
        text = f"{action.name[:20]} is {after.state}: {why}"
        return (*outputs, state.notify("warning", f"feed_{after.state}", text))
    return outputs


def subscribe(state: State, market: Market) -> Outputs:
    """Follow a market on the first connection that has room for both of its tokens."""
    carried = list(state.subscribed.values())
    room = state.config.link_tokens_max - len(market.tokens)
    number = next(n for n in range(len(carried) + 1) if carried.count(link_name(n)) <= max(room, 0))
    link = link_name(number)
    state.feeds.setdefault(link, Feed(name=link))
    for token in market.tokens:
        state.subscribed[token] = link
        if state.feeds[link].state != "down":
            feed_step(state, feed.Connect(at_ns=state.now_ns, name=token))
    return (Subscribe(tokens=market.tokens, link=link),)


def link_name(number: int) -> str:
    return f"market.{number}" if number else "market"


def unsubscribe(state: State, market: Market) -> Outputs:
    links = {t: state.subscribed.pop(t) for t in market.tokens if t in state.subscribed}
    for token in links:
        feed_step(state, feed.Lose(at_ns=state.now_ns, name=token, reason="market ended"))
    return tuple(
        Unsubscribe(tokens=tuple(t for t in links if links[t] == link), link=link)
        for link in dict.fromkeys(links.values())
    )


def market_for(state: State, condition_id: str, token_id: str) -> Market | None:
    """The known market of a message; None (counted) when it is about something else."""
    market = state.markets.get(state.market_of.get(token_id, ""))
    if market is None or market.condition_id != condition_id:
        state.count("unknown_token")
        return None
    return market


# Whole books.


def snapshot(state: State, fact: facts.BookSnapshot) -> Outputs:
    """Take a whole book, unless what we have, or why we doubt it, is newer; its hash must fit."""
    market = market_for(state, fact.condition_id, fact.token_id)
    if market is None:
        return ()
    book = state.books.setdefault(market.condition_id, Book(market))
    outputs = tuple(o for token in market.tokens for o in close_group(state, book, token))
    current = state.feeds[fact.token_id]
    followed = current.state in ("fresh", "suspect", "stale")
    lag_ms = _lag_ms(book, fact, current) if followed else 0
    read = fact.source == "rest"
    if read and lag_ms > 0:
        state.count("older_books")
        return outputs
    whole = feed.Snapshot(at_ns=fact.at_ns, name=fact.token_id, asked_ns=fact.asked_ns)
    if feed.older(current, whole):
        state.count("older_books")
        return outputs
    if read and fact.asked_ns is not None and current.state == "fresh":
        return (*outputs, *compared(state, book, fact))
    if not _taken(state, book, fact):
        reason = f"{fact.source} book at {fact.timestamp_ms} does not have its hash"
        return (*outputs, *doubt(state, book, fact.token_id, reason))
    if 0 < lag_ms <= LAG_MS_MAX:
        state.count("books_out_of_order")
        reason = f"a book of {fact.timestamp_ms} came {lag_ms} ms after a later message"
        return (*outputs, *doubt(state, book, fact.token_id, reason))
    feed_step(state, whole)
    feed_step(state, feed.Verify(at_ns=fact.at_ns, name=fact.token_id))
    outputs += _tick_of(state, market, fact.tick)
    if not read:  # an answer to a question is no sign of life of the stream
        link = state.subscribed.get(fact.token_id, "market")
        feed_step(state, feed.Snapshot(at_ns=fact.at_ns, name=link))
        book.views[fact.token_id].refetches = 0
    return (*outputs, *execution.decide(state, market.condition_id))


def _lag_ms(book: Book, fact: facts.BookSnapshot, current: Feed) -> int:
    """How far a book is behind what we have of either token."""
    lag_ms = max(view.timestamp_ms for view in book.views.values()) - fact.timestamp_ms
    if current.state == "suspect" and lag_ms > LAG_MS_MAX:
        return 0  # no read lags that far: what is wrong is the stamp of what we distrust
    return lag_ms


def _taken(state: State, book: Book, fact: facts.BookSnapshot) -> bool:
    """Make it our copy of both tokens; whether it has its hash."""
    _retext(book, fact)
    book.replace(fact.token_id, fact.bids, fact.asks)
    view = book.views[fact.token_id]
    view.timestamp_ms = fact.timestamp_ms
    if fact.source == "rest":
        view.heard_ns = fact.at_ns
    else:
        spoken(view, fact.timestamp_ms, fact.at_ns)
    fits = book.digest(fact.token_id, fact.timestamp_ms) == fact.hash
    fits = _uncrossed(state, book, proven=fits) and fits
    state.count(f"{fact.source}_book_hash_{'ok' if fits else 'mismatch'}")
    return fits


def _retext(book: Book, fact: facts.BookSnapshot) -> None:
    """What is hashed beside the levels, as the venue writes it."""
    book.min_size = fact.min_size or book.min_size
    book.tick = fact.tick or book.tick
    book.version = fact.version or book.version
    book.last_trade = book.last_trade if fact.last_trade is None else fact.last_trade


def compared(state: State, book: Book, fact: facts.BookSnapshot) -> Outputs:
    """A read of a book that we believe in: quiet is not dead if it agrees with ours.

    If it does not, the stream kept something from us.  What was read was asked for before that
    doubt, and proves nothing of the time after it: the book is asked for once more.  Where every
    level agrees it is only a text that we did not have, such as that of a lost print.
    """
    view = book.views[fact.token_id]
    view.probed_ns = fact.at_ns
    if book.levels(fact.token_id) == (fact.bids, fact.asks):
        _retext(book, fact)
    if book.digest(fact.token_id, fact.timestamp_ms) == fact.hash:
        state.count("probes_agreed")
        view.heard_ns, view.missed_ns = fact.at_ns, 0
        return feed_step(state, feed.Snapshot(at_ns=fact.at_ns, name=fact.token_id))
    state.count("probes_differed")
    view.missed_ns = fact.at_ns
    reason = f"the stream did not say what a read shows at {fact.timestamp_ms}"
    return doubt(state, book, fact.token_id, reason)


# Changes.


def changed(state: State, fact: facts.PriceChanged) -> Outputs:
    """Apply one message of level changes; what it says at its end is checked later."""
    book = state.books.get(fact.condition_id)
    if book is None or any(change.token_id not in book.views for change in fact.changes):
        state.count("early_changes")  # no whole book yet: a part of it means nothing
        return ()
    outputs: Outputs = ()
    behind: set[str] = set()
    for token in dict.fromkeys(change.token_id for change in fact.changes):
        view = book.views[token]
        if view.timestamp_ms != fact.timestamp_ms:
            outputs += close_group(state, book, token)
        if 0 < view.timestamp_ms - fact.timestamp_ms <= LAG_MS_MAX:
            behind.add(token)
            outputs += _behind(state, book, token, fact)
    for change in fact.changes:
        if change.token_id in behind:
            continue
        book.set_level(change.token_id, change.side, change.price, change.size)
        view = book.views[change.token_id]
        view.timestamp_ms, view.expected = fact.timestamp_ms, change.hash
        view.bid, view.ask, view.expected_since_ns = change.best_bid, change.best_ask, fact.at_ns
        spoken(view, fact.timestamp_ms, fact.at_ns)
        feed_step(state, feed.Change(at_ns=fact.at_ns, name=change.token_id))
    state.count("level_changes", len(fact.changes))
    return (*outputs, *execution.decide(state, fact.condition_id))


def _behind(state: State, book: Book, token_id: str, fact: facts.PriceChanged) -> Outputs:
    """A change that is older than our book is not applied: it would take back what came since.

    Older than a read, it was on its way meanwhile; older than the stream itself, the order of
    messages is broken, and nobody knows what else is missing.
    """
    view = book.views[token_id]
    if fact.timestamp_ms >= view.stream_ms:
        state.count("changes_overtaken")
        spoken(view, fact.timestamp_ms, fact.at_ns)
        return ()
    state.count("changes_out_of_order")
    reason = f"a change of {fact.timestamp_ms} came after one of {view.stream_ms}"
    return doubt(state, book, token_id, reason)


def spoken(view: TokenView, stamp_ms: int, at_ns: int) -> None:
    """The stream said something of this token."""
    view.stream_ms, view.heard_ns, view.missed_ns = stamp_ms, at_ns, 0


def close_group(state: State, book: Book, token_id: str) -> Outputs:
    """The group of changes is whole: is the book what the venue says it is now?"""
    view = book.views[token_id]
    if not view.unproven:
        return ()
    expected, bid, ask = view.expected, view.bid, view.ask
    view.expected, view.bid, view.ask = "", None, None
    proven = bool(expected) and book.digest(token_id, view.timestamp_ms) == expected
    wrong = "" if _uncrossed(state, book, proven=proven) else "crosses itself"
    if expected:
        fits = proven and not wrong
        state.count(f"batch_hash_{'ok' if fits else 'mismatch'}")
        wrong = "" if fits else wrong or "does not have its hash"
    ours = book.best_bid(token_id), book.best_ask(token_id)
    if not wrong and any(s is not None and s != o for s, o in zip((bid, ask), ours, strict=True)):
        state.count("best_price_mismatch")
        wrong = f"has best prices {ours}, not {(bid, ask)}"
    if not wrong:
        view.refetches = 0
        return feed_step(state, feed.Verify(at_ns=state.now_ns, name=token_id))
    reason = f"after the changes of {view.timestamp_ms} our copy {wrong}"
    return doubt(state, book, token_id, reason)


# Doubt.


def _uncrossed(state: State, book: Book, *, proven: bool) -> bool:
    """Whether a book may be believed that asks for less than it bids: a fault of the data, first.

    Such a market is matched at once; so it is believed only where a later whole book, proven by
    its hash as the first one was, shows it still (quantitative reference 0.2).
    """
    timer = f"crossed:{book.market.condition_id}"
    if not book.crossed():
        if proven:
            state.timers.pop(timer, None)
        return True
    if not proven:
        return False
    state.count("crossed_books")
    first_ns = state.timers.setdefault(timer, state.now_ns)
    persists = state.now_ns - first_ns >= PERSISTS_NS
    state.count("crossings_believed", persists)
    return persists


def doubt(state: State, book: Book, token_id: str, reason: str) -> Outputs:
    """Something is wrong with our copy: nobody trades on it until a whole one came."""
    action = feed.Mismatch(at_ns=state.now_ns, name=token_id, reason=reason)
    return (*feed_step(state, action), *refetch(state, book, token_id))


def refetch(state: State, book: Book, token_id: str) -> Outputs:
    """Ask for a whole book: at once, after one poll interval, and then ever less often."""
    view = book.views[token_id]
    doublings = min(max(view.refetches - 1, 0), BACKOFF_DOUBLINGS_MAX)
    if not state.due(f"refetch:{token_id}", state.config.poll_ns << doublings):
        return ()
    view.refetches += 1
    return (FetchBook(token_id=token_id),)


# What else the market channel says.


def traded(state: State, fact: facts.LastTrade) -> Outputs:
    """A public print: the book's hash covers its text."""
    market = market_for(state, fact.condition_id, fact.token_id)
    if market is None:
        return ()
    if fact.source == "rest":
        prints.complete(state, market, fact)
        return ()
    prints.follow(state, market, fact)
    if book := state.books.get(market.condition_id):
        newest = max(view.timestamp_ms for view in book.views.values())
        if fact.timestamp_ms > newest:  # the groups before it were hashed with the old text
            outputs = tuple(o for token in market.tokens for o in close_group(state, book, token))
            book.last_trade = fact.price_text
            return outputs
        book.last_trade = fact.price_text
    return ()


def tick_changed(state: State, fact: facts.TickSizeChanged) -> Outputs:
    market = market_for(state, fact.condition_id, fact.token_id)
    if market is None:
        return ()
    outputs: Outputs = ()
    if book := state.books.get(market.condition_id):  # what came before is hashed with the old one
        outputs = tuple(o for token in market.tokens for o in close_group(state, book, token))
    return (*outputs, *_retick(state, market, fact.tick))


def _tick_of(state: State, market: Market, text: str) -> Outputs:
    """A whole book that has its hash tells the tick too: its change may have been missed."""
    if not text or not state.config.rules:
        return ()
    try:
        tick = Price(parse_micro(text))
    except InvalidAmount:
        return ()
    if tick == market.tick or not valid_tick(tick):
        return ()
    outputs = _retick(state, market, tick)
    state.books[market.condition_id].tick = text  # as served: it is hashed
    return outputs


def _retick(state: State, market: Market, tick: Price) -> Outputs:
    market = evolve(market, tick=tick)
    state.markets[market.condition_id] = market
    text = f"{market.slug}: tick is {tick}"
    if book := state.books.get(market.condition_id):
        book.retick(market)
    return (state.notify("info", "tick_changed", text),)

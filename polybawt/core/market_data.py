"""Books and the feeds that carry them: what arrived, and whether it may be traded on.

A group of changes is proven by its hash once the group is whole: when a change of another time
arrives for the token, or when nothing came for a while.  A book that does not fit is suspect
until the venue served a whole one that does.

Source: exchange reference 4.1 and 4.2; data-and-quant 0.1.
"""

from attrs import evolve

from polybawt.core import execution, facts
from polybawt.core.book import Book
from polybawt.core.commands import FetchBook, ReadOpenOrders, ReadTrades, Subscribe, Unsubscribe
from polybawt.core.machine import Outputs
from polybawt.core.machines import feed
from polybawt.core.machines.feed import Feed, FeedMachine
from polybawt.core.market import Market
from polybawt.core.state import State
from polybawt.core.units import SECOND_NS

LAG_MS_MAX = 60_000
REREAD_S = 120  # trades are read again from this long before the last known match


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


def link(state: State, fact: facts.LinkUp | facts.LinkHeard | facts.LinkDown) -> Outputs:
    """A stream came, went, or answered; the tokens behind the market stream go with it."""
    names = [fact.link, *(state.subscribed if fact.link == "market" else ())]
    outputs: Outputs = ()
    match fact:
        case facts.LinkUp():
            for name in names:
                feed_step(state, feed.Connect(at_ns=fact.at_ns, name=name))
            if fact.link == "user":
                outputs = reread(state)  # no replay on the user channel: read what was missed
        case facts.LinkHeard():
            for name in names:
                feed_step(state, feed.Pong(at_ns=fact.at_ns, name=name))
            if fact.link == "user":  # it speaks only when something happens to us
                feed_step(state, feed.Snapshot(at_ns=fact.at_ns, name=fact.link))
        case facts.LinkDown():
            for name in names:
                feed_step(state, feed.Lose(at_ns=fact.at_ns, name=name, reason=fact.reason))
            text = f"{fact.link} stream lost: {fact.reason}"
            outputs = (state.notify("warning", "link_down", text),)
    return outputs


def reread(state: State) -> Outputs:
    """Read our orders and recent trades again: nothing is trusted that a reconnect may hide."""
    return ReadTrades(after_s=reread_since_s(state)), ReadOpenOrders()


def reread_since_s(state: State) -> int:
    """Before the last match we know of, and before any that has not settled."""
    known = (state.last_match_s, state.now_ns // SECOND_NS)
    return max(0, min(*known, *(trade.match_s for trade in state.unsettled())) - REREAD_S)


def subscribe(state: State, market: Market) -> Outputs:
    for token in market.tokens:
        state.subscribed[token] = True
        if state.feeds["market"].state != "down":
            feed_step(state, feed.Connect(at_ns=state.now_ns, name=token))
    return (Subscribe(tokens=market.tokens),)


def unsubscribe(state: State, market: Market) -> Outputs:
    tokens = tuple(token for token in market.tokens if state.subscribed.pop(token, False))
    for token in tokens:
        feed_step(state, feed.Lose(at_ns=state.now_ns, name=token, reason="market ended"))
    return (Unsubscribe(tokens=tokens),) if tokens else ()


def market_for(state: State, condition_id: str, token_id: str) -> Market | None:
    """The known market of a message; None (counted) when it is about something else."""
    market = state.markets.get(state.market_of.get(token_id, ""))
    if market is None or market.condition_id != condition_id:
        state.count("unknown_token")
        return None
    return market


def snapshot(state: State, fact: facts.BookSnapshot) -> Outputs:
    """Take a whole book, unless what we have, or why we doubt it, is newer; its hash must fit."""
    market = market_for(state, fact.condition_id, fact.token_id)
    if market is None:
        return ()
    book = state.books.setdefault(market.condition_id, Book(market))
    outputs = tuple(o for token in market.tokens for o in close_group(state, book, token))
    view = book.views[fact.token_id]
    newest = max(other.timestamp_ms for other in book.views.values())
    followed = state.feeds[fact.token_id].state in ("fresh", "suspect", "stale")
    read = fact.source == "rest"  # what the stream says comes in order, and is newer
    lag_ms = newest - fact.timestamp_ms
    if state.feeds[fact.token_id].state == "suspect" and lag_ms > LAG_MS_MAX:
        lag_ms = 0  # no read lags that far: what is wrong is the stamp of what we distrust
    if read and followed and lag_ms > 0:
        state.count("older_books")
        return outputs
    whole = feed.Snapshot(at_ns=fact.at_ns, name=fact.token_id, asked_ns=fact.asked_ns)
    if feed.older(state.feeds[fact.token_id], whole):
        state.count("older_books")
        return outputs
    book.min_size = fact.min_size or book.min_size
    book.tick = fact.tick or book.tick
    book.version = fact.version or book.version
    book.last_trade = book.last_trade if fact.last_trade is None else fact.last_trade
    book.replace(fact.token_id, fact.bids, fact.asks)
    view.timestamp_ms = fact.timestamp_ms
    fits = book.digest(fact.token_id, fact.timestamp_ms) == fact.hash and not book.crossed()
    state.count(f"{fact.source}_book_hash_{'ok' if fits else 'mismatch'}")
    name, at_ns = fact.token_id, fact.at_ns
    if not fits:
        reason = f"{fact.source} book at {fact.timestamp_ms} does not have its hash"
        outputs += feed_step(state, feed.Mismatch(at_ns=at_ns, name=name, reason=reason))
        return (*outputs, *refetch(state, fact.token_id))
    feed_step(state, whole)
    feed_step(state, feed.Verify(at_ns=at_ns, name=name))
    if not read:  # an answer to a question is no sign of life of the stream
        feed_step(state, feed.Snapshot(at_ns=at_ns, name="market"))
    return (*outputs, *execution.decide(state, market.condition_id))


def changed(state: State, fact: facts.PriceChanged) -> Outputs:
    """Apply one message of level changes; what it says at its end is checked later."""
    book = state.books.get(fact.condition_id)
    if book is None or any(change.token_id not in book.views for change in fact.changes):
        state.count("early_changes")  # no whole book yet: a part of it means nothing
        return ()
    outputs: Outputs = ()
    for token in dict.fromkeys(change.token_id for change in fact.changes):
        if book.views[token].timestamp_ms != fact.timestamp_ms:
            outputs += close_group(state, book, token)
    for change in fact.changes:
        book.set_level(change.token_id, change.side, change.price, change.size)
        view = book.views[change.token_id]
        view.timestamp_ms, view.expected = fact.timestamp_ms, change.hash
        view.expected_since_ns = fact.at_ns
        feed_step(state, feed.Change(at_ns=fact.at_ns, name=change.token_id))
    state.count("level_changes", len(fact.changes))
    return (*outputs, *execution.decide(state, fact.condition_id))


def close_group(state: State, book: Book, token_id: str) -> Outputs:
    """The group of changes is whole: does the book have the hash that came with it?"""
    view = book.views[token_id]
    expected, view.expected = view.expected, ""
    if not expected:
        return ()
    fits = book.digest(token_id, view.timestamp_ms) == expected and not book.crossed()
    state.count(f"batch_hash_{'ok' if fits else 'mismatch'}")
    if fits:
        return feed_step(state, feed.Verify(at_ns=state.now_ns, name=token_id))
    reason = f"changes at {view.timestamp_ms} do not lead to their hash"
    action = feed.Mismatch(at_ns=state.now_ns, name=token_id, reason=reason)
    return (*feed_step(state, action), *refetch(state, token_id))


def refetch(state: State, token_id: str) -> Outputs:
    """Ask for a whole book, at most once per poll interval."""
    if state.due(f"refetch:{token_id}", state.config.poll_ns):
        return (FetchBook(token_id=token_id),)
    return ()


def traded(state: State, fact: facts.LastTrade) -> Outputs:
    """A public print: the book's hash covers its text."""
    market = market_for(state, fact.condition_id, fact.token_id)
    if market is None:
        return ()
    state.count("prints")
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
    market = evolve(market, tick=fact.tick)
    state.markets[market.condition_id] = market
    text = f"{market.slug}: tick is {fact.tick}"
    if book := state.books.get(market.condition_id):
        book.retick(market)
    return (state.notify("info", "tick_changed", text),)

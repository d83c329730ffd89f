"""What the engine's knowledge is worth: feeds, breakers, and outcomes that are still awaited."""

from collections.abc import Sequence
from typing import Final

from polybawt.core.kill import NAME as KILL
from polybawt.core.machines.breaker import Breaker
from polybawt.core.machines.feed import Feed
from polybawt.core.machines.settlement import Settlement
from polybawt.core.market import Market
from polybawt.core.state import LINKS, State
from polybawt.core.units import MILLION
from polybawt_tui.names import market_text
from polybawt_tui.picture import Picture, Sheet, active_markets, worst_feed
from polybawt_tui.text import Column, Row, Span, age, price, printable, reference, shares, table
from polybawt_tui.theme import BREAKERS, FEEDS, SETTLEMENTS

FEED_COLUMNS: Final = (
    Column("feed", 13, grows=True),
    Column("state", 12),
    Column("age", 5, ">"),
    Column("proven", 6, ">"),
    Column("wrong", 5, ">"),
    Column("lost", 4, ">", rank=1),
)
BREAKER_COLUMNS: Final = (
    Column("breaker", 8),
    Column("state", 12),
    Column("since", 6, ">"),
    Column("why", 10, grows=True),
)
SETTLEMENT_COLUMNS: Final = (
    Column("market", 13),
    Column("state", 12),
    Column("for", 6, ">"),
    Column("evidence", 14, grows=True),
    Column("held", 9, ">", rank=1),
    Column("close", 10, ">", rank=2),
    Column("strike", 10, ">", rank=2),
)
KNOWN_BREAKERS: Final = ("venue",)


def feeds(picture: Picture, width: int, height: int) -> Sheet:
    """The links, then one line for the two books of each market: the worse of them speaks."""
    state = picture.state
    lines = [_feed(picture, name, [name]) for name in LINKS]
    for market in active_markets(state):
        lines.append(_feed(picture, market_text(market), list(market.tokens), market))
    fresh, count, worst = worst_feed(state)
    note: Span = (f"{fresh} of {count} fresh", "warn" if worst else "muted")
    if not picture.present:
        note = ("unknown: the engine is not heard", "warn")
    return Sheet(note=(note,), rows=table(FEED_COLUMNS, lines, width))


def _feed(
    picture: Picture, label: str, names: list[str], market: Market | None = None
) -> Sequence[Span]:
    known = [picture.state.feeds.get(name) or Feed(name=name, state="silent") for name in names]
    rank = list(FEEDS)
    worst = min(known, key=lambda feed: rank.index(feed.state))
    glyph, word, role = FEEDS[worst.state]
    if not picture.present:
        glyph, word, role = "?", f"was {word}", "muted"
    if market is not None and len({feed.state for feed in known}) > 1:
        word = f"{word} {'Up' if worst.name == market.yes_token else 'Dn'}"
    oldest = min(feed.heard_ns for feed in known)
    wrong = sum(feed.mismatched for feed in known)
    losses = sum(feed.losses for feed in known)
    calm = "" if role == "ok" else role
    return (
        (label, ""),
        (f"{glyph} {word}", calm or "ok"),
        (age(picture.now_ns - oldest) if oldest else "never", "" if calm else "muted"),
        (f"{sum(feed.verified for feed in known):,}" if market else "-", "muted"),
        (f"{wrong:,}" if market else "-", "warn" if wrong else "muted"),
        (f"{losses:,}", "muted"),
    )


def breakers(picture: Picture, width: int, height: int) -> Sheet:
    state = picture.state
    names = dict.fromkeys([*KNOWN_BREAKERS, *state.breakers])
    switch = state.kill
    who = ", ".join(part for part in (switch.actor, switch.why or switch.reason) if part)
    lines = [_tripwire(picture, KILL, switch.state, switch.since_ns, who)]
    for name in names:
        if breaker := state.breakers.get(name):
            why = _why(breaker)
            lines.append(_tripwire(picture, name, breaker.state, breaker.since_ns, why))
        else:
            lines.append(_tripwire(picture, name, "never", 0, ""))
    return Sheet(rows=table(BREAKER_COLUMNS, lines, width))


def _tripwire(picture: Picture, name: str, state: str, since_ns: int, why: str) -> Sequence[Span]:
    glyph, word, role = BREAKERS[state]
    since = age(picture.now_ns - since_ns) if since_ns else "-"
    return (
        (printable(name), ""),
        (f"{glyph} {word}", role),
        (since, "muted"),
        (printable(why), ""),
    )


def _why(breaker: Breaker) -> str:
    fails = f"{breaker.failures} of {breaker.failures_max} failures" if breaker.failures else ""
    return ", ".join(part for part in (breaker.actor, fails, breaker.reason) if part)


def settlements(picture: Picture, width: int, height: int) -> Sheet:
    """Markets that have ended and not paid. No outcome is shown that nobody has said."""
    state = picture.state
    rank = list(SETTLEMENTS)
    waiting = sorted(
        (s for s in state.settlements.values() if s.state in SETTLEMENTS),
        key=lambda s: (rank.index(s.state), s.condition_id),
    )
    paid = state.counters.get("settlement:paid", 0)
    note: Row = ((f"{len(waiting)} waiting, {paid} paid", "muted"),)
    if not waiting:
        return Sheet(note=note, rows=[(("  nothing waits", "muted"),)])
    lines = [_settlement(picture, settlement) for settlement in waiting]
    return Sheet(note=note, rows=table(SETTLEMENT_COLUMNS, lines, width))


def _settlement(picture: Picture, settlement: Settlement) -> Sequence[Span]:
    state = picture.state
    market = state.markets.get(settlement.condition_id)
    glyph, word, role = SETTLEMENTS[settlement.state]
    waited = age(picture.now_ns - market.end_ns) if market else "?"
    return (
        (market_text(market, settlement.condition_id), ""),
        (f"{glyph} {word}", role),
        (waited, "muted"),
        (_evidence(settlement), ""),
        (_held(state, market), "muted"),
        (reference(settlement.close_e18), "muted"),
        (reference(settlement.strike_e18), "muted"),
    )


def _evidence(settlement: Settlement) -> str:
    """Who has said what: the oracle that we saw, and the venue."""
    said = []
    if settlement.observed:
        said.append(f"saw {'Up' if settlement.observed == 'yes' else 'Dn'}")
    if settlement.yes_payout is not None:
        said.append(f"pays {_payee(settlement.yes_payout)}")
    return " ".join(said) or "none yet"


def _payee(yes_payout: int) -> str:
    return {MILLION: "Up", 0: "Dn"}.get(yes_payout, f"Up {price(yes_payout)}")


def _held(state: State, market: Market | None) -> str:
    if market is None:
        return "?"
    parts = []
    for token, name in zip(market.tokens, ("Up", "Dn"), strict=True):
        position = state.positions.get(token)
        if position is not None and position.shares:
            parts.append(f"{name} {shares(position.shares)}")
    return " ".join(parts) or "-"

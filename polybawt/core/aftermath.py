"""Follows each fill for half a minute, to learn what it was worth; see ``signals.markouts``.

A mid counts only while the book is fresh; a fill whose market is over is followed no further.
"""

from typing import Final

from attrs import evolve

from polybawt.core.machines import trade
from polybawt.core.signals.markouts import HORIZONS_S, Markout, Watched, key_of
from polybawt.core.state import State

WATCHED_MAX: Final = 1_000


def filled(state: State, fact: trade.Filled) -> None:
    """One of our fills, at the mid of its moment; without a mid there is nothing to compare."""
    book = state.books.get(fact.condition_id)
    mid = book.mid(fact.leg.token_id) if book else None
    if mid is None or len(state.watched) >= WATCHED_MAX:
        state.count("fills_not_watched")
        return
    state.watched.append(
        Watched(leg=fact.leg, condition_id=fact.condition_id, filled_ns=state.now_ns, mid=mid)
    )


def tick(state: State) -> None:
    """Every horizon that has come."""
    if state.watched:
        looked = (_look(state, one) for one in state.watched)
        state.watched = [one for one in looked if one is not None]


def _look(state: State, one: Watched) -> Watched | None:
    while state.now_ns >= one.due_ns:
        token = one.leg.token_id
        book = state.books.get(one.condition_id)
        mid = book.mid(token) if book and state.book_fresh(token) else None
        if mid is None:
            state.count("markouts_missed")
        else:
            key = key_of(one.leg, HORIZONS_S[one.done])
            state.markouts[key] = state.markouts.get(key, Markout()).seen(one, mid)
        if one.done + 1 == len(HORIZONS_S):
            return None
        one = evolve(one, done=one.done + 1)
    return one

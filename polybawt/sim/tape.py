"""A recorded session, played as a world.

A ``Session`` plays the raw frames of a recording back at their own pace and, in step with them,
lets one account without limit rest exactly what the recorded books rest.  So an order of ours
waits in the recorded queue and trades against the recorded flow by ordinary matching, while what
is *published* stays the recorded bytes.  It invents nothing: where the recording is silent,
nothing happens, and a recorded level that we took is back when the recording sets it again.
"""

from typing import Final

from polybawt.core.market import Side
from polybawt.core.units import SECOND_NS, Shares
from polybawt.sim.recording import HUSH_NS, Moment, RecordedBook, Recording
from polybawt.sim.records import LevelSet, RawFrame, Report
from polybawt.sim.venue import Venue

TAPE_OWNER: Final = "0x7a9e000000000000000000000000000000007a9e"
MINE_NS: Final = 2 * SECOND_NS
CONFIRM_NS: Final = 3 * SECOND_NS


class Session:
    """One recorded session. ``rest_book`` serves the newest REST body received so far."""

    recorded = True

    def __init__(self, recording: Recording, *, taker_delay_ns: int = 0) -> None:
        assert recording.moments, "an empty recording is no session"
        self.start_ns = recording.moments[0].at_ns - HUSH_NS
        self.end_ns: int | None = recording.moments[-1].at_ns
        self.venue = Venue(mine_ns=MINE_NS, confirm_ns=CONFIRM_NS, taker_delay_ns=taker_delay_ns)
        self.venue.adopt(TAPE_OWNER, unlimited=True)
        for market in recording.markets.values():
            self.venue.list_market(market, self.start_ns)
        self._moments = recording.moments
        self._next = 0
        self._bodies: dict[str, str] = {}
        self._as_of_ms: dict[str, int] = {}

    def step(self, now_ns: int) -> list[Report | RawFrame]:
        published: list[Report | RawFrame] = []
        while self._next < len(self._moments) and self._moments[self._next].at_ns <= now_ns:
            moment = self._moments[self._next]
            self._next += 1
            self.play(moment)
            if moment.frame is not None:
                published.append(moment.frame)
        self.venue.advance(now_ns)
        return published

    def rest_book(self, token_id: str) -> str | None:
        return self._bodies.get(token_id)

    def play(self, moment: Moment) -> None:
        """Bring the venue's book to what was recorded at this moment."""
        for book in moment.books:
            if moment.body:
                self._bodies[book.token_id] = moment.body
            stale = moment.body and book.timestamp_ms < self._as_of_ms.get(book.condition_id, 0)
            if not stale:  # REST bodies may be older than what the stream has told since
                self._reset(book, moment.at_ns)
        known = [change for change in moment.changes if self.venue.market_of(change[0])]
        self.venue.set_levels(TAPE_OWNER, known, moment.at_ns)
        for change in known:
            market = self.venue.market_of(change[0])
            assert market is not None, change
            self._as_of_ms[market.condition_id] = moment.timestamp_ms

    def _reset(self, book: RecordedBook, now_ns: int) -> None:
        """Replace all levels of a token: what goes goes first, so nothing crosses by accident."""
        if self.venue.market_of(book.token_id) is None:
            return
        self._as_of_ms[book.condition_id] = book.timestamp_ms
        kept = {(side, price) for _, side, price, _ in book.levels}
        bids, asks = self.venue.levels(book.token_id)
        gone: list[LevelSet] = [
            (book.token_id, side, price, Shares(0))
            for side, levels in ((Side.BUY, bids), (Side.SELL, asks))
            for price, _ in levels
            if (side, price) not in kept
        ]
        self.venue.set_levels(TAPE_OWNER, [*gone, *book.levels], now_ns)

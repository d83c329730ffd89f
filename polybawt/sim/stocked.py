"""The paper world with a long tail: its running windows, and a catalogue of other markets.

A market of the catalogue costs its record and an empty book; nobody visits it, so it costs no
time until its end.  Then it is closed and what the seed says is proposed to the oracle, which
accepts it when nobody has disputed it in time.

Source: exchange reference 5.3.
"""

from collections.abc import Iterable
from contextlib import suppress
from heapq import heapify, heappop
from typing import Final

from polybawt.sim import oracle
from polybawt.sim.catalogue import Listing, comes_true
from polybawt.sim.records import Told
from polybawt.sim.world import World, WorldTerms

POSED: Final = "posed"


class Stocked(World):
    """``events`` names what the catalogue's markets belong to, by the id of the event."""

    def __init__(self, terms: WorldTerms, listings: Iterable[Listing], start_ns: int) -> None:
        super().__init__(terms, start_ns)
        self._due: list[tuple[int, str, bool]] = []  # time, market, whether it comes true
        for listing in listings:
            self.events[listing.event.event_id] = listing.event
            outcomes = comes_true(terms.seed, listing)
            for market, yes in zip(listing.markets, outcomes, strict=True):
                self.venue.list_market(market, start_ns)
                self._due.append((market.end_ns, market.condition_id, yes))
        heapify(self._due)

    def step(self, now_ns: int) -> list[Told]:
        told = super().step(now_ns)
        while self._due and self._due[0][0] <= now_ns:
            _, condition_id, yes = heappop(self._due)
            self._end(condition_id, yes, now_ns)
        return told

    def _end(self, condition_id: str, yes: bool, now_ns: int) -> None:
        """Close it at its end and propose how it ended, unless somebody was faster."""
        question = self.venue.question(condition_id)
        if question is None or question.state != POSED:
            return
        self.venue.close(condition_id, now_ns)
        payouts = oracle.YES if yes else oracle.NO
        with suppress(oracle.NotNow):  # an operator may have named another winner of its event
            self.venue.ask_oracle(condition_id, "propose", now_ns, payouts=payouts)

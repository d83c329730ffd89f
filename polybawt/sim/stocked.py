"""The paper world with a long tail: its running windows, and a catalogue of other markets.

A market of the catalogue costs its record and an empty book; nobody visits it, so it costs no
time until its end.  Then it is closed, and when the time for a challenge has passed it resolves
as the seed says.

Source: exchange reference 5.3.
"""

from collections.abc import Iterable
from heapq import heapify, heappop, heappush
from typing import Final

from polybawt.core.units import MILLION, SECOND_NS, Usdc
from polybawt.sim.catalogue import EventTerms, Listing, comes_true
from polybawt.sim.records import RawFrame, Report
from polybawt.sim.world import World, WorldTerms

CHALLENGE_NS: Final = 7_200 * SECOND_NS  # from the end to the payment, when nobody objects


class Stocked(World):
    """``events`` names what the catalogue's markets belong to, by the id of the event."""

    def __init__(self, terms: WorldTerms, listings: Iterable[Listing], start_ns: int) -> None:
        super().__init__(terms, start_ns)
        self.events: dict[str, EventTerms] = {}
        self._due: list[tuple[int, str, bool]] = []  # time, market, whether it comes true
        for listing in listings:
            self.events[listing.event.event_id] = listing.event
            outcomes = comes_true(terms.seed, listing)
            for market, yes in zip(listing.markets, outcomes, strict=True):
                self.venue.list_market(market, start_ns)
                self._due.append((market.end_ns, market.condition_id, yes))
        heapify(self._due)

    def step(self, now_ns: int) -> list[Report | RawFrame]:
        told = super().step(now_ns)
        while self._due and self._due[0][0] <= now_ns:
            self._end(*heappop(self._due), now_ns)
        return told

    def _end(self, due_ns: int, condition_id: str, yes: bool, now_ns: int) -> None:
        """Close it at its end; pay it when nobody objected."""
        if self.venue.markets[condition_id].accepting_orders:
            self.venue.close(condition_id, now_ns)
            heappush(self._due, (due_ns + CHALLENGE_NS, condition_id, yes))
            return
        payouts = Usdc(MILLION if yes else 0), Usdc(0 if yes else MILLION)
        self.venue.resolve(condition_id, *payouts, now_ns)

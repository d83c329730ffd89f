"""Which markets there are and were: by number, name and token, and by the event they belong to.

Listing order is Gamma's order, and the number a market gets then is its id at Gamma.  A market
stays findable when the venue has forgotten it, for as long as its result is kept; how many results
are kept is the publisher's decision.  Terms that change (a strike, a tick, an end) are read from
the venue, never copied.

Source: exchange reference 5.1.
"""

from bisect import bisect_right, insort
from collections.abc import Iterator, Mapping
from typing import Final

from attrs import define, field

from polybawt.core.market import Market
from polybawt.core.units import MILLION, SECOND_NS
from polybawt.sim.catalogue import EventTerms
from polybawt.sim.records import Event, Printed, Resolved
from polybawt.sim.venue import Venue

FIRST_GAMMA_ID: Final = 1_000_000
HOUR_NS: Final = 3_600 * SECOND_NS
HOURS_OF_DAY: Final = 24
CRYPTO: Final = "crypto"
SERIES_TAGS: Final = (CRYPTO, "crypto-prices", "up-or-down", "recurring")


@define(eq=False)
class Entry:
    """One market: ``market`` is its record at listing, ``terms`` of the directory the current.

    ``volume`` is in millionths of a dollar, at the price of the taker's token.
    """

    number: int
    market: Market
    event_number: int
    listed_ns: int
    resolved: Resolved | None = None
    volume: int = 0
    hours: dict[int, int] = field(factory=dict)  # volume by hour, of the last day

    def volume_day(self, now_ns: int) -> int:
        """What was traded in this hour and the 23 before it."""
        first = now_ns // HOUR_NS - HOURS_OF_DAY
        return sum(dollars for hour, dollars in self.hours.items() if hour > first)

    def printed(self, event: Printed) -> None:
        dollars, hour = event.price * event.shares // MILLION, event.now_ns // HOUR_NS
        self.volume += dollars
        self.hours[hour] = self.hours.get(hour, 0) + dollars
        while len(self.hours) > HOURS_OF_DAY:
            del self.hours[next(iter(self.hours))]

    @property
    def gamma_id(self) -> str:
        return str(self.number)

    @property
    def created_ns(self) -> int:
        return self.market.created_ns or self.listed_ns


@define(eq=False)
class Group:
    """One event and its markets, in the order of listing."""

    terms: EventTerms
    number: int
    entries: list[Entry] = field(factory=list)


class Directory:
    """``events`` are those whose terms are known beforehand; others are named by their market."""

    def __init__(self, venue: Venue, events: Mapping[str, EventTerms]) -> None:
        self._venue, self._events = venue, events
        self._entries: dict[str, Entry] = {}
        self._by_number: dict[int, Entry] = {}
        self._numbers: list[int] = []
        self._by_name: dict[str, str] = {}  # slugs and tokens to conditions
        self._groups: dict[int, Group] = {}
        self._group_numbers: list[int] = []
        self._group_names: dict[str, int] = {}
        self._listed_ever = 0

    # What happens.

    def add(self, market: Market, now_ns: int) -> Entry:
        number = FIRST_GAMMA_ID + self._listed_ever
        self._listed_ever += 1
        group = self._group_for(market, number)
        entry = Entry(number, market, group.number, now_ns)
        group.entries.append(entry)
        self._entries[market.condition_id] = entry
        self._by_number[number] = entry
        self._numbers.append(number)
        for name in (market.slug, *market.tokens):
            self._by_name[name] = market.condition_id
        return entry

    def _group_for(self, market: Market, number: int) -> Group:
        terms = self._events.get(market.event_id) or _named_by(market, number)
        event_number = int(terms.event_id)
        group = self._groups.get(event_number)
        if group is None:
            group = self._groups[event_number] = Group(terms, event_number)
            insort(self._group_numbers, event_number)
            self._group_names[terms.slug] = event_number
        return group

    def hear(self, event: Event) -> None:
        """Count what is traded: to sum up a busy market's trades for every page is too slow."""
        if isinstance(event, Printed) and event.condition_id in self._entries:
            self._entries[event.condition_id].printed(event)

    def end(self, event: Resolved) -> None:
        entry = self._entries.get(event.market.condition_id)
        if entry is not None:
            entry.resolved = event

    def forget(self, condition_id: str) -> None:
        entry = self._entries.pop(condition_id, None)
        if entry is None:
            return
        del self._by_number[entry.number]
        self._numbers.remove(entry.number)
        for name in (entry.market.slug, *entry.market.tokens):
            self._by_name.pop(name, None)
        group = self._groups[entry.event_number]
        group.entries.remove(entry)
        if not group.entries:
            del self._groups[group.number]
            self._group_numbers.remove(group.number)
            self._group_names.pop(group.terms.slug, None)

    # What is known.

    def entry(self, condition_id: str) -> Entry | None:
        return self._entries.get(condition_id)

    def named(self, name: str) -> Entry | None:
        """The market of a slug or a token."""
        return self._entries.get(self._by_name.get(name, ""))

    def numbered(self, number: int) -> Entry | None:
        return self._by_number.get(number)

    def terms(self, entry: Entry) -> Market:
        """A market as it is now, or as it was when the venue forgot it."""
        known = self._venue.markets.get(entry.market.condition_id)
        if known is not None:
            return known
        return entry.resolved.market if entry.resolved else entry.market

    def after(self, number: int = 0) -> Iterator[Entry]:
        """All markets with a higher number, in order."""
        for following in self._numbers[bisect_right(self._numbers, number) :]:
            yield self._by_number[following]

    def group(self, number: int) -> Group | None:
        return self._groups.get(number)

    def group_of(self, entry: Entry) -> Group:
        return self._groups[entry.event_number]

    def group_named(self, slug: str) -> Group | None:
        return self._groups.get(self._group_names.get(slug, -1))

    def groups_after(self, number: int = 0) -> Iterator[Group]:
        for following in self._group_numbers[bisect_right(self._group_numbers, number) :]:
            yield self._groups[following]


def _named_by(market: Market, number: int) -> EventTerms:
    """The event of a market that stands alone: it is called as its market is."""
    event_id = market.event_id if market.event_id.isdecimal() else str(number)
    if not market.symbol:
        tags = market.tags or ((market.category,) if market.category else ())
        return EventTerms(
            event_id=event_id, slug=market.slug, title=market.question,
            category=market.category, tags=tags,
        )  # fmt: skip
    minutes = (market.end_ns - market.start_ns) // SECOND_NS // 60
    coin = market.symbol.partition("/")[0]
    return EventTerms(
        event_id=event_id,
        slug=market.slug,
        title=market.question,
        category=CRYPTO,
        tags=(*SERIES_TAGS, coin, *([f"{minutes}m"] if minutes else [])),
        series=market.slug.rsplit("-", 1)[0],
    )

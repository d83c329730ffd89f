"""A venue's long tail: thousands of listed questions that almost nobody trades.

Discovery, series and correlation limits need something to be discovered, grouped and told apart.
Here it is invented from a seed: politics, weather, sports and the rest, single questions and
neg-risk events of which exactly one question comes true, both protocol versions.  Every event is
made from its own number, so a longer catalogue begins with the shorter one.  Which of them come
true is settled here too, by ``comes_true``; listing and ending them is the business of ``stocked``.

Source: exchange reference 3.2 (ids), 3.6 (fees), 5.1 and 5.3; forms of titles as recorded.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from random import Random
from typing import Final

from attrs import field, frozen

from polybawt.core.market import FeeSchedule, Market
from polybawt.core.units import MILLION, SECOND_NS, Price, Shares
from polybawt.sim import topics
from polybawt.sim.topics import FEES_MICRO, TOPICS, Topic

MARKETS_MAX: Final = 20_000
FIRST_EVENT_ID: Final = 100_000
DAY_NS: Final = 86_400 * SECOND_NS
DAYS_AHEAD_MAX: Final = 365
DAYS_AGO_MAX: Final = 90
V2_EVERY: Final = 4  # every fourth event is of Protocol V2
FINE_TICKS: Final = 0.2  # of all events: their tick is 0.001
TITLE_SLUG_MAX: Final = 90

BINARY, NEG_RISK = 1 << 248, 2 << 248  # position modules, reference 3.2
ZEROS: Final = ((1 << 64) - 1) << 40  # bits 40 to 103 of a position
EVENT_BITS: Final = 24  # outcome and question: zero in the id of an event


@frozen(kw_only=True)
class EventTerms:
    """What an event says of itself; its markets are named by ``labels``, in their order."""

    event_id: str
    slug: str
    title: str
    category: str
    tags: tuple[str, ...]
    labels: tuple[str, ...] = ()
    series: str = ""


@frozen
class Listing:
    """One event with its markets: one of them, or the neg-risk questions of a choice."""

    event: EventTerms
    markets: tuple[Market, ...]


@frozen
class _Ids:
    condition_id: str
    yes_token: str
    no_token: str
    neg_risk_id: str = ""


@frozen(kw_only=True)
class _Plan:
    """One event before its markets are written out."""

    number: int
    name: str  # what its ids are made from
    topic: Topic
    words: Mapping[str, str] = field(factory=dict)
    labels: tuple[str, ...] = ()
    created_ns: int = 0
    end_ns: int = 0
    tick: Price = Price(10_000)

    @property
    def version(self) -> str:
        return "v2" if self.number % V2_EVERY == V2_EVERY - 1 else "v1"


def catalogue(seed: str, count: int, now_ns: int) -> Iterator[Listing]:
    """Exactly ``count`` markets, in events; the last event is cut short where it must be."""
    assert 0 <= count <= MARKETS_MAX, count
    today_ns = now_ns // DAY_NS * DAY_NS
    number, left = 0, count
    while left > 0:
        listing = _listing(_planned(seed, number, today_ns), left)
        left -= len(listing.markets)
        number += 1
        yield listing


def _planned(seed: str, number: int, today_ns: int) -> _Plan:
    lots = Random(f"event {number} of {seed}")
    topic = lots.choice(TOPICS)
    end_ns = today_ns + lots.randint(1, DAYS_AHEAD_MAX) * DAY_NS
    words = {name: lots.choice(pool) for name, pool in sorted(topic.pools.items())}
    if "other" in words:  # two sides of a match
        rest = [one for one in topic.pools["other"] if one != words["team"]]
        words["other"] = lots.choice(rest)
    most = len(topic.labels)
    taken = lots.randint(min(3, most), most)
    first = lots.randint(0, most - taken)
    return _Plan(
        number=number,
        name=f"{seed}/event/{number}",
        topic=topic,
        words={**words, **_dates(end_ns)},
        labels=topic.labels[first : first + taken],
        created_ns=today_ns - lots.randint(1, DAYS_AGO_MAX * 86_400) * SECOND_NS,
        end_ns=end_ns,
        tick=Price(1_000 if lots.random() < FINE_TICKS else 10_000),
    )


def _dates(end_ns: int) -> dict[str, str]:
    end = datetime.fromtimestamp(end_ns // SECOND_NS, UTC)
    month = topics.MONTHS[end.month - 1]
    return {"day": f"{month} {end.day}", "month": month, "year": str(end.year)}


def _listing(plan: _Plan, most: int) -> Listing:
    title = plan.topic.title.format_map(plan.words)
    labels = plan.labels[:most]
    event = EventTerms(
        event_id=str(FIRST_EVENT_ID + plan.number),
        slug=f"{slugged(title)}-{plan.number}",
        title=title,
        category=plan.topic.category,
        tags=plan.topic.tags,
        labels=labels,
        series=plan.topic.series,
    )
    if not labels:
        return Listing(event, (_market(plan, event, title, event.slug, _single_ids(plan)),))
    markets = []
    for index, label in enumerate(labels):
        question = plan.topic.question.format_map({**plan.words, "label": label})
        slug = f"{slugged(question)}-{plan.number}-{index}"
        markets.append(_market(plan, event, question, slug, _choice_ids(plan, index)))
    return Listing(event, tuple(markets))


def _market(plan: _Plan, event: EventTerms, question: str, slug: str, ids: _Ids) -> Market:
    return Market(
        condition_id=ids.condition_id,
        slug=slug,
        question=question,
        yes_token=ids.yes_token,
        no_token=ids.no_token,
        tick=plan.tick,
        min_size=Shares(5 * MILLION),
        fees=FeeSchedule(rate_micro=FEES_MICRO[plan.topic.category]),
        neg_risk=bool(ids.neg_risk_id),
        version=plan.version,
        end_ns=plan.end_ns,
        event_id=event.event_id,
        neg_risk_id=ids.neg_risk_id,
        category=event.category,
        tags=event.tags,
        resolution_source=plan.topic.source,
        created_ns=plan.created_ns,
    )


def slugged(title: str) -> str:
    """A title as the venue puts it into an address."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:TITLE_SLUG_MAX].rstrip("-")


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")


def _position(module: int, name: str) -> int:
    """A position with question and outcome zero: a module, a random part, the fixed zeros."""
    random_part = _number(name) & ((1 << 248) - 1)
    return module | (random_part & ~ZEROS) >> EVENT_BITS << EVENT_BITS


def _of_position(base: int, neg_risk_id: str = "") -> _Ids:
    return _Ids(f"0x{base >> 8:062x}00", str(base), str(base | 1), neg_risk_id)


def _single_ids(plan: _Plan) -> _Ids:
    if plan.version == "v2":
        return _of_position(_position(BINARY, plan.name))
    return _v1_ids(plan.name, "")


def _choice_ids(plan: _Plan, index: int) -> _Ids:
    """The questions of one event differ in the bits above the outcome."""
    if plan.version == "v2":
        base = _position(NEG_RISK, plan.name)
        return _of_position(base | index << 8, f"0x{base:064x}")
    return _v1_ids(f"{plan.name}/{index}", f"0x{_number(f'choice {plan.name}') >> 8:062x}00")


def _v1_ids(name: str, neg_risk_id: str) -> _Ids:
    condition_id = f"0x{_number(f'condition of {name}'):064x}"
    return _Ids(condition_id, str(_number(f"yes {name}")), str(_number(f"no {name}")), neg_risk_id)


def comes_true(seed: str, listing: Listing) -> tuple[bool, ...]:
    """How the world turns out: exactly one of a choice, anything for a single question."""
    lot = _number(f"outcome of {seed}/{listing.event.event_id}")
    if len(listing.markets) == 1 and not listing.markets[0].neg_risk:
        return (lot % 2 == 0,)
    winner = lot % len(listing.markets)
    return tuple(index == winner for index in range(len(listing.markets)))

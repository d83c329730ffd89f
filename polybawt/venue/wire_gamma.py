"""Gamma's market objects: what a market is, and what it paid.

Gamma writes lists as JSON *inside* texts, numbers as doubles, and flags that disagree.  A market
is read whole or not at all: one whose tick, tokens or fees are unclear is refused rather than
completed by guess.  A payout is believed only from a closed market whose resolution is final;
a proposed, disputed or unknown one is no payout (finding C1).

Source: exchange reference 3.2, 3.6, 5.1, 5.3 and 5.4; recorded answers.
"""

import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from polybawt.core.facts import MarketResolved, ResolutionReported
from polybawt.core.market import FeeSchedule, Market
from polybawt.core.units import MILLION, SECOND_NS, Shares, Usdc, parse_micro, parse_scaled
from polybawt.venue import wire
from polybawt.venue.wire import Fields, Misread
from polybawt.venue.wire_stream import NO_WORDS, YES_WORDS, tick_of

FINAL_STATUSES: Final = frozenset({"resolved", "settled"})
VERSION: Final = re.compile(r"v[1-9]\d?")  # of the protocol a market trades by (0.1)
EXPONENT_MAX: Final = 4
TEXT_MAX: Final = 500
TAG_MAX: Final = 60
TAGS_MAX: Final = 20
CATEGORIES: Final = frozenset(
    {
        "politics", "sports", "crypto", "weather", "economics", "finance", "tech", "culture",
        "geopolitics", "mentions", "science", "business",
    }
)  # fmt: skip
"""The top tags of the venue's own navigation, which are also what its fees go by (3.6)."""

_SLUG: Final = re.compile(r"([a-z0-9]{1,10})-updown-(\d{1,3})([mh])-(\d{9,11})")
_STREAM: Final = re.compile(
    r"https://data\.chain\.link/streams/([a-z0-9]{1,10})-usd(?:-twap-(\d{1,4})s-streams)?/?"
)
_UNITS_S: Final = {"m": 60, "h": 3600}


def market(row: Fields) -> Market:
    """One market object of Gamma, or ``Misread``."""
    yes, no = _in_order(row, _tokens(row))
    if yes == no:
        raise Misread("both outcomes have the same token")
    slug = wire.ident(row, "slug")
    start_ns, end_ns = _times(row, slug)
    symbol, lookback_s = _symbol(row, slug)
    return Market(
        condition_id=wire.ident(row, "conditionId"),
        slug=slug,
        question=wire.text(row, "question")[:TEXT_MAX],
        yes_token=yes,
        no_token=no,
        tick=tick_of(row, "orderPriceMinTickSize"),
        min_size=Shares(wire.required(row, "orderMinSize")),
        fees=_fees(row),
        neg_risk=wire.flag(row, "negRisk"),
        version=_version(row),
        symbol=symbol,
        start_ns=start_ns,
        end_ns=end_ns,
        twap_lookback_s=lookback_s,
        strike_e18=_strike(row),
        accepting_orders=tradeable(row),
        event_id=_event_id(row),
        neg_risk_id=wire.text(row, "negRiskMarketID")[: wire.IDENT_MAX],
        category=category(row),
        tags=tags(row),
        resolution_source=wire.text(row, "resolutionSource")[:TEXT_MAX],
        created_ns=_instant(row, "createdAt"),
    )


def tags(row: Fields) -> tuple[str, ...]:
    """The slugs of its tags, in Gamma's order, each once; () when the listing was without."""
    slugs = (wire.text(wire.fields(tag), "slug").lower() for tag in wire.array(row, "tags"))
    found = dict.fromkeys(sys.intern(slug) for slug in slugs if 0 < len(slug) <= TAG_MAX)
    return tuple(found)[:TAGS_MAX]


def category(row: Fields) -> str:
    """What it is about, as a slug: stated on old markets, on others a tag or the fees say it."""
    stated = wire.text(row, "category").lower().replace(" ", "-")[:TAG_MAX]
    if stated:
        return sys.intern(stated)
    for slug in tags(row):
        if slug in CATEGORIES:
            return slug
    named = wire.text(row, "feeType").partition("_fees")[0]
    return sys.intern(named) if named in CATEGORIES else ""


def tradeable(row: Fields) -> bool:
    """All four flags together: ``closed`` and ``acceptingOrders`` can disagree (5.1)."""
    open_for_orders = all(
        wire.flag(row, name) for name in ("active", "acceptingOrders", "enableOrderBook")
    )
    return open_for_orders and not wire.flag(row, "closed") and not wire.flag(row, "archived")


def resolution(row: Fields, now_ns: int) -> MarketResolved | None:
    """What each share pays, once that is final; None while it is not."""
    status = wire.text(row, "resolutionStatus" if _version(row) == "v2" else "umaResolutionStatus")
    if not wire.flag(row, "closed") or status.lower() not in FINAL_STATUSES:
        return None
    prices = _strings(row, "outcomePrices")
    yes, no = (parse_micro(price) for price in _in_order(row, prices))
    split = yes == no == MILLION // 2
    if not split and {yes, no} != {0, MILLION}:
        raise Misread(f"outcome prices {yes} and {no} are no payout")
    if split and wire.flag(row, "negRisk"):
        raise Misread("a neg-risk market cannot split")
    return MarketResolved(
        condition_id=wire.ident(row, "conditionId"),
        yes_payout=Usdc(yes),
        no_payout=Usdc(no),
        source="gamma",
        at_ns=now_ns,
    )


def standing(row: Fields, now_ns: int) -> ResolutionReported | None:
    """How far the oracle is, in its own word; v2's own word says no more than resolved or not."""
    status = wire.text(row, "umaResolutionStatus") or wire.text(row, "resolutionStatus")
    if not status or status.lower() in FINAL_STATUSES:
        return None
    return ResolutionReported(
        condition_id=wire.ident(row, "conditionId"),
        status=wire.ident({"status": status}, "status"),
        source="gamma",
        at_ns=now_ns,
    )


def _version(row: Fields) -> str:
    """A version that we do not trade is told as it is: the risk gate refuses it by name."""
    version = wire.text(row, "version") or "v1"  # before 2026-10 the field did not exist
    if not VERSION.fullmatch(version):
        raise Misread(f"unknown version {wire.excerpt(version)!r}")
    return version


def _tokens(row: Fields) -> Sequence[str]:
    tokens = _strings(row, "positionIds" if _version(row) == "v2" else "clobTokenIds")
    if not all(token.isascii() and token.isdecimal() for token in tokens):
        raise Misread("a token is no decimal number")
    return tokens


def _strings(row: Fields, key: str) -> Sequence[str]:
    """A list of texts, which Gamma sends as a list or as JSON within a text."""
    value: Any = row.get(key)
    if isinstance(value, str):
        value = wire.decode(value)
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise Misread(f"{key} is no list of texts")
    return value


def _in_order(row: Fields, values: Sequence[str]) -> tuple[str, str]:
    """The value of "yes" (or "up") first. Gamma lists it first too, but says so by name."""
    outcomes = _strings(row, "outcomes")
    if len(outcomes) != 2 or len(values) != 2:
        raise Misread(f"not a market of two outcomes: {len(outcomes)} and {len(values)}")
    first, second = (outcome.upper() for outcome in outcomes)
    if first in NO_WORDS and second in YES_WORDS:
        return values[1], values[0]
    return values[0], values[1]


def _fees(row: Fields) -> FeeSchedule:
    schedule = row.get("feeSchedule")
    if row.get("feesEnabled") is False:
        return FeeSchedule()
    if schedule is None:
        if wire.flag(row, "feesEnabled") or wire.text(row, "feeType"):
            raise Misread("fees without a schedule")
        return FeeSchedule()
    terms = wire.fields(schedule)
    if terms.get("takerOnly") is False:
        raise Misread("a fee schedule that charges makers")
    rate, exponent = wire.required(terms, "rate"), wire.required(terms, "exponent")
    if rate > MILLION or exponent % MILLION or exponent > EXPONENT_MAX * MILLION:
        raise Misread(f"fee rate {rate} with exponent {exponent} millionths")
    return FeeSchedule(rate_micro=rate, exponent=exponent // MILLION)


def _times(row: Fields, slug: str) -> tuple[int, int]:
    """Start and end, ns UTC: as stated, else as the slug of the series names them."""
    named_start, named_end = 0, 0
    if series := _SLUG.fullmatch(slug):
        named_start = int(series[4]) * SECOND_NS
        named_end = named_start + int(series[2]) * _UNITS_S[series[3]] * SECOND_NS
    start = _instant(row, "eventStartTime") or named_start
    end = _instant(row, "endDate") or named_end
    if start and end and start >= end:
        raise Misread("the market ends before it starts")
    return start, end


def _instant(row: Fields, key: str) -> int:
    """ISO 8601 as ns UTC; 0 when absent."""
    value = wire.text(row, key)
    if not value:
        return 0
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise Misread(f"{key} is no time: {wire.excerpt(value)!r}") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1000


def _symbol(row: Fields, slug: str) -> tuple[str, int]:
    """The Chainlink symbol of an up/down market and the seconds of its average, or "" and 0.

    A stated resolution source decides: an hourly market that resolves on Binance has no symbol,
    for the price we follow is not the one it settles on (finding C2).
    """
    if {word.upper() for word in _strings(row, "outcomes")} != {"UP", "DOWN"}:
        return "", 0
    config = row.get("cryptoMarketConfig")
    terms = config if isinstance(config, dict) else {}
    lookback_s = wire.whole(terms, "twapLookbackSeconds") if terms.get("twapEnabled") else 0
    source = wire.text(row, "resolutionSource").lower()
    if source:
        stream = _STREAM.fullmatch(source)
        return (f"{stream[1]}/usd", lookback_s or int(stream[2] or 0)) if stream else ("", 0)
    series = _SLUG.fullmatch(slug)
    asset = series[1] if series else wire.text(terms, "asset").lower().removesuffix("/usd")
    return (f"{asset}/usd", lookback_s) if asset else ("", 0)


def _event_id(row: Fields) -> str:
    """Gamma sends the event's id as text, in some answers as a number."""
    events = wire.array(row, "events")
    if not events:
        return ""
    value = wire.fields(events[0]).get("id")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)[: wire.IDENT_MAX]
    return wire.text(wire.fields(events[0]), "id")[: wire.IDENT_MAX]


def _strike(row: Fields) -> int:
    """The price to beat, in 10^-18 dollars; 0 while it is not published."""
    events = wire.array(row, "events")
    if not events:
        return 0
    known = wire.fields(wire.fields(events[0]).get("eventMetadata") or {})
    exact = wire.whole(known, "strikeE18")  # our own exchange adds the exact number
    if exact:
        return exact
    beat = known.get("priceToBeat")
    if beat in (None, ""):
        return 0
    strike = parse_scaled(beat, 18)
    if strike <= 0:
        raise Misread("a price to beat that is not positive")
    return strike

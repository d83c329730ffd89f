"""Markets, events, tags and series as Gamma describes them: what there is, and how it ended.

Gamma encodes three lists as JSON *strings* and writes times as ISO text.  The strike stands
where the venue puts it, ``events[0].eventMetadata.priceToBeat``, and beside it, exactly, as
``strikeE18``, which is ours alone.  A market names its event without the event's markets, an event
its markets without themselves again.

Source: exchange reference 3.6, 5.1 and 5.4; keys as recorded.
"""

from functools import lru_cache
from typing import Final
from zlib import crc32

import orjson
from attrs import frozen

from polybawt.core.market import Market
from polybawt.core.units import MILLION, SECOND_NS, Price, Usdc, micro_text
from polybawt.exchange.wire import gamma_shapes as shapes
from polybawt.exchange.wire import texts
from polybawt.exchange.wire.texts import BASE_FEE_BPS, number, outcomes
from polybawt.sim.catalogue import EventTerms

E18_DIGITS: Final = 18
OUTCOME_ZERO: Final = "00"  # an oracle request is about all outcomes: its last byte names none
REBATES: Final = {"crypto": 0.2, "sports": 0.15}  # of the taker's fee (reference 3.6)
REBATE: Final = 0.25
FEE_TYPES: Final = {"crypto": "crypto_fees_v2", "sports": "sports_fees_v3"}
TAG_IDS: Final = {
    "crypto": 21, "crypto-prices": 1312, "up-or-down": 102127, "recurring": 101757,
    "5m": 102892, "economic-policy": 101800, "politics": 2, "sports": 1,
}  # fmt: skip
"""As recorded, the last two as known from the venue's own addresses; others are made up."""

Row = dict[str, object]

iso = lru_cache(maxsize=8_192)(texts.iso)  # a page of a hundred markets has five hundred times


@frozen(kw_only=True)
class Shown:
    """What is shown of a market besides its terms; ``payouts`` are None until it has resolved.

    ``status`` and ``statuses`` are the oracle's steps in Gamma's words; amounts in millionths.
    """

    gamma_id: str
    created_ns: int
    listed_ns: int
    event: EventTerms
    index: int = 0  # among the markets of its event
    best_bid: Price | None = None
    best_ask: Price | None = None
    last_price: str = ""
    volume: int = 0
    volume_day: int = 0
    liquidity: int = 0
    payouts: tuple[Usdc, Usdc] | None = None
    resolved_ns: int = 0
    status: str = ""
    statuses: tuple[str, ...] = ()


def gamma_market(market: Market, shown: Shown, *, tags: bool = False, event: bool = True) -> Row:
    """Gamma's market object."""
    resolved = shown.payouts is not None
    known: Row = {
        "id": shown.gamma_id,
        "version": market.version,
        "question": market.question,
        "conditionId": market.condition_id,
        "slug": market.slug,
        "description": market.question,
        "resolutionSource": source(market),
        "outcomes": _encoded(outcomes(market)),
        **_prices(shown),
        **_tokens(market),
        **_sums(shown),
        "closed": resolved,
        "acceptingOrders": market.accepting_orders,
        "negRisk": market.neg_risk,
        "orderPriceMinTickSize": number(market.tick),
        "orderMinSize": number(market.min_size),
        "makerBaseFee": BASE_FEE_BPS,
        "takerBaseFee": BASE_FEE_BPS,
        **_fee_schedule(market, shown.event),
        **_crypto_config(market),
        **_dates(market, shown),
        **_oracle(market, shown),
        **_choice(market, shown),
    }
    if event:
        known["events"] = [_event_of_market(market, shown)]
    if tags:
        known["tags"] = [tag(slug) for slug in shown.event.tags]
    return {**shapes.MARKET, **known}


def gamma_event(event: EventTerms, pairs: list[tuple[Market, Shown]], open_interest: int) -> Row:
    """Gamma's event object with its markets."""
    first, shown = pairs[0]
    closed = all(each.payouts is not None for _, each in pairs)
    ends = max(market.end_ns for market, _ in pairs)
    known: Row = {
        **_event_head(first, shown),
        "endDate": iso(ends),
        "closed": closed,
        "volume": number(sum(each.volume for _, each in pairs)),
        "volume24hr": number(sum(each.volume_day for _, each in pairs)),
        "liquidity": number(sum(each.liquidity for _, each in pairs)),
        "liquidityClob": number(sum(each.liquidity for _, each in pairs)),
        "openInterest": number(open_interest),
        "markets": [gamma_market(market, each, event=False) for market, each in pairs],
        "tags": [tag(slug) for slug in event.tags],
    }
    if closed:
        known["closedTime"] = iso(max(each.resolved_ns for _, each in pairs))
    return {**shapes.EVENT, **known}


@lru_cache(maxsize=1_024)
def tag(slug: str) -> Row:
    return {**shapes.TAG, "id": str(tag_id(slug)), "label": _label(slug), "slug": slug}


def tag_id(slug: str) -> int:
    return TAG_IDS.get(slug) or 200_000 + crc32(slug.encode()) % 800_000


def series(slug: str) -> Row:
    return {
        **shapes.SERIES, "id": str(series_id(slug)), "ticker": slug, "slug": slug,
        "title": _label(slug),
    }  # fmt: skip


def series_id(slug: str) -> int:
    return 20_000 + crc32(slug.encode()) % 80_000_000


def source(market: Market) -> str:
    """Where its outcome will be read: as stated, else the price stream of its symbol."""
    if market.resolution_source or not market.symbol:
        return market.resolution_source
    pair = market.symbol.replace("/", "-")
    window = f"-twap-{market.twap_lookback_s}s-streams" if market.twap_lookback_s else ""
    return f"https://data.chain.link/streams/{pair}{window}"


def question_id(market: Market, index: int) -> str:
    """The id that the oracle knows it by; those of a choice are numbered in their last byte."""
    if market.version == "v1" and len(market.neg_risk_id) == 66:
        return f"{market.neg_risk_id[:-2]}{index:02x}"
    return market.condition_id


# The parts.


def _event_head(market: Market, shown: Shown) -> Row:
    event, created = shown.event, iso(shown.created_ns)
    return {
        "id": event.event_id,
        "ticker": event.slug,
        "slug": event.slug,
        "title": event.title,
        "description": event.title,
        "category": event.category,
        "resolutionSource": source(market),
        "startDate": created,
        "creationDate": created,
        "createdAt": created,
        "updatedAt": created,
        "negRisk": market.neg_risk,
        "enableNegRisk": market.neg_risk,
        "eventMetadata": _strike(market),
        **({"negRiskMarketID": market.neg_risk_id} if market.neg_risk_id else {}),
        **({"startTime": iso(market.start_ns)} if market.start_ns else {}),
        **({"series": [series(event.series)], "seriesSlug": event.series} if event.series else {}),
    }


def _event_of_market(market: Market, shown: Shown) -> Row:
    ends = {"endDate": iso(market.end_ns), "closed": shown.payouts is not None}
    return {**shapes.EVENT, **_event_head(market, shown), **ends}


def _strike(market: Market) -> Row:
    """``priceToBeat`` as an exact JSON number, and the same in 10^-18 dollars as text."""
    if not market.strike_e18:
        return {}
    digits = str(market.strike_e18).rjust(E18_DIGITS + 1, "0")
    exact = f"{digits[:-E18_DIGITS]}.{digits[-E18_DIGITS:]}".rstrip("0").rstrip(".")
    return {"priceToBeat": orjson.Fragment(exact), "strikeE18": str(market.strike_e18)}


def _crypto_config(market: Market) -> Row:
    if not market.symbol:
        return {}
    return {
        "cryptoMarketConfig": {
            "id": market.slug,
            "asset": market.symbol.partition("/")[0],
            "duration": (market.end_ns - market.start_ns) // SECOND_NS,
            "twapEnabled": market.twap_lookback_s > 0,
            "twapLookbackSeconds": market.twap_lookback_s,
        }
    }


def _fee_schedule(market: Market, event: EventTerms) -> Row:
    fees = market.fees
    if not fees.rate_micro:
        return {"feesEnabled": False}
    category = event.category
    return {
        "feesEnabled": True,
        "feeType": FEE_TYPES.get(category, f"{category or 'general'}_fees"),
        "feeSchedule": {
            "exponent": fees.exponent,
            "rate": number(fees.rate_micro),
            "takerOnly": True,
            "rebateRate": REBATES.get(category, REBATE),
        },
    }


def _prices(shown: Shown) -> Row:
    bid, ask = shown.best_bid, shown.best_ask
    spread = None if bid is None or ask is None else ask - bid
    listed = {"bestBid": bid, "bestAsk": ask, "spread": spread}
    prices: Row = {name: number(price or 0) for name, price in listed.items()}
    if shown.last_price:
        prices["lastTradePrice"] = orjson.Fragment(shown.last_price)
    pair = shown.payouts or _middle(bid, ask)
    return {"outcomePrices": _encoded(tuple(micro_text(price) for price in pair)), **prices}


def _middle(bid: Price | None, ask: Price | None) -> tuple[int, int]:
    """Midpoints while it trades; an empty side counts as its end of the scale."""
    middle = ((bid or 0) + (MILLION if ask is None else ask)) // 2
    return middle, MILLION - middle


def _sums(shown: Shown) -> Row:
    volume, liquidity = number(shown.volume), number(shown.liquidity)
    return {
        "volume": micro_text(shown.volume),
        "volumeNum": volume,
        "volumeClob": volume,
        "volume24hr": number(shown.volume_day),
        "volume24hrClob": number(shown.volume_day),
        "liquidity": micro_text(shown.liquidity),
        "liquidityNum": liquidity,
        "liquidityClob": liquidity,
    }


def _tokens(market: Market) -> Row:
    if market.version == "v2":
        return {"clobTokenIds": _encoded(()), "positionIds": list(market.tokens)}
    return {"clobTokenIds": _encoded(market.tokens)}


def _oracle(market: Market, shown: Shown) -> Row:
    """How far its resolution has come. v2 has its own word beside the oracle's (5.1)."""
    resolved = shown.payouts is not None
    known: Row = {
        "questionID": question_id(market, shown.index),
        "umaResolutionStatuses": _encoded(shown.statuses),
    }
    if market.version == "v2":
        known["resolutionStatus"] = "resolved" if resolved else "active"
        known["requestId"] = (market.neg_risk_id or market.condition_id)[:-2] + OUTCOME_ZERO
        known["onchainEventId"] = market.neg_risk_id
    status = "resolved" if resolved and market.version == "v1" else shown.status
    if status:
        known["umaResolutionStatus"] = status
    if resolved:
        known["closedTime"] = iso(shown.resolved_ns)
        known["automaticallyResolved"] = True
    return known


def _choice(market: Market, shown: Shown) -> Row:
    """What a market adds that is one question of a choice."""
    labels = shown.event.labels
    if not labels:
        return {}
    return {
        "groupItemTitle": labels[shown.index] if shown.index < len(labels) else "",
        "groupItemThreshold": str(shown.index),
        "negRiskMarketID": market.neg_risk_id,
        "negRiskRequestID": market.condition_id,
    }


def _dates(market: Market, shown: Shown) -> Row:
    created, listed, ends = iso(shown.created_ns), iso(shown.listed_ns), iso(market.end_ns)
    return {
        "startDate": created,
        "createdAt": created,
        "updatedAt": listed,
        "acceptingOrdersTimestamp": created,
        "startDateIso": created[:10],
        "endDate": ends,
        "endDateIso": ends[:10],
        **({"eventStartTime": iso(market.start_ns)} if market.start_ns else {}),
    }


def _encoded(texts: tuple[str, ...]) -> str:
    return "[" + ", ".join(f'"{text}"' for text in texts) + "]"


def _label(slug: str) -> str:
    return slug.replace("-", " ").title()

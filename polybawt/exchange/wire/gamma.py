"""Markets as Gamma describes them: discovery, strike and resolution in one object.

Gamma encodes three lists as JSON *strings* and writes times as ISO text.  The strike stands
where the venue puts it, ``events[0].eventMetadata.priceToBeat``, and beside it, exactly, as
``strikeE18``, which is ours alone.

Source: exchange reference 5.1 and 5.4; keys as recorded.
"""

from typing import Final

import orjson

from polybawt.core.market import Market
from polybawt.core.units import SECOND_NS, micro_text
from polybawt.exchange.wire.markets import Standing, event_message, middle
from polybawt.exchange.wire.texts import BASE_FEE_BPS, iso, number, outcomes

E18_DIGITS: Final = 18
REBATE_RATE: Final = 0.2
CRYPTO_FEES: Final = "crypto_fees_v2"


def _strike(market: Market) -> dict[str, object]:
    """``priceToBeat`` as an exact JSON number, and the same in 10^-18 dollars as text."""
    if not market.strike_e18:
        return {}
    digits = str(market.strike_e18).rjust(E18_DIGITS + 1, "0")
    exact = f"{digits[:-E18_DIGITS]}.{digits[-E18_DIGITS:]}".rstrip("0").rstrip(".")
    return {"priceToBeat": orjson.Fragment(exact), "strikeE18": str(market.strike_e18)}


def _event(market: Market, standing: Standing) -> dict[str, object]:
    event: dict[str, object] = {
        **event_message(market, standing.gamma_id),
        "resolutionSource": _source(market),
        "startDate": iso(standing.listed_ns),
        "endDate": iso(market.end_ns),
        "active": True,
        "closed": standing.payouts is not None,
        "archived": False,
        "enableOrderBook": True,
        "negRisk": market.neg_risk,
        "eventMetadata": _strike(market),
    }
    if market.symbol:
        series = market.slug.rsplit("-", 1)[0]
        event["series"] = [{"id": series, "ticker": series, "slug": series}]
    return event


def _source(market: Market) -> str:
    pair = market.symbol.replace("/", "-")
    window = f"-twap-{market.twap_lookback_s}s-streams" if market.twap_lookback_s else ""
    return f"https://data.chain.link/streams/{pair}{window}" if pair else ""


def _crypto_config(market: Market) -> dict[str, object]:
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


def _fee_schedule(market: Market) -> dict[str, object]:
    fees = market.fees
    if not fees.rate_micro:
        return {"feesEnabled": False}
    return {
        "feesEnabled": True,
        "feeType": CRYPTO_FEES if market.symbol else "general_fees",
        "feeSchedule": {
            "exponent": fees.exponent,
            "rate": number(fees.rate_micro),
            "takerOnly": True,
            "rebateRate": REBATE_RATE,
        },
    }


def _prices(market: Market, standing: Standing) -> dict[str, object]:
    bid, ask = standing.best_bid, standing.best_ask
    listed = {
        "bestBid": number(bid) if bid is not None else None,
        "bestAsk": number(ask) if ask is not None else None,
        "spread": number(ask - bid) if bid is not None and ask is not None else None,
    }
    pair = standing.payouts or middle(standing)
    return {
        "outcomePrices": _encoded([micro_text(price) for price in pair]),
        **{name: value if value is not None else 0 for name, value in listed.items()},
    }


def _tokens(market: Market) -> dict[str, object]:
    if market.version == "v2":
        return {"clobTokenIds": _encoded([]), "positionIds": list(market.tokens)}
    return {"clobTokenIds": _encoded(list(market.tokens))}


def _encoded(texts: list[str]) -> str:
    return "[" + ", ".join(f'"{text}"' for text in texts) + "]"


def gamma_market(market: Market, standing: Standing) -> dict[str, object]:
    """Gamma's market object: discovery, strike and resolution in one."""
    resolved = standing.payouts is not None
    known: dict[str, object] = {
        "id": standing.gamma_id,
        "version": market.version,
        "question": market.question,
        "conditionId": market.condition_id,
        "questionID": market.condition_id,
        "slug": market.slug,
        "description": market.question,
        "resolutionSource": _source(market),
        "outcomes": _encoded(list(outcomes(market))),
        **_prices(market, standing),
        **_tokens(market),
        "active": True,
        "closed": resolved,
        "acceptingOrders": market.accepting_orders,
        "enableOrderBook": True,
        "negRisk": market.neg_risk,
        "orderPriceMinTickSize": number(market.tick),
        "orderMinSize": number(market.min_size),
        "makerBaseFee": BASE_FEE_BPS,
        "takerBaseFee": BASE_FEE_BPS,
        **_fee_schedule(market),
        **_crypto_config(market),
        **_dates(market, standing),
        "umaResolutionStatuses": "[]",
        "events": [_event(market, standing)],
    }
    if resolved:
        known |= {
            "closedTime": iso(standing.resolved_ns),
            ("resolutionStatus" if market.version == "v2" else "umaResolutionStatus"): "resolved",
            "automaticallyResolved": True,
        }
    return {**SHAPE, **known}


def _dates(market: Market, standing: Standing) -> dict[str, object]:
    listed, ends = iso(standing.listed_ns), iso(market.end_ns)
    return {
        "startDate": listed,
        "createdAt": listed,
        "updatedAt": listed,
        "acceptingOrdersTimestamp": listed,
        "startDateIso": listed[:10],
        "endDate": ends,
        "endDateIso": ends[:10],
        **({"eventStartTime": iso(market.start_ns)} if market.start_ns else {}),
    }


SHAPE: Final[dict[str, object]] = {
    "liquidity": "0",
    "liquidityNum": 0,
    "liquidityClob": 0,
    "image": "",
    "icon": "",
    "marketMakerAddress": "",
    "new": False,
    "featured": False,
    "archived": False,
    "restricted": True,
    "groupItemThreshold": "0",
    "hasReviewedDates": True,
    "comboStatus": "disabled",
    "ready": False,
    "funded": False,
    "cyom": False,
    "competitive": 0,
    "pagerDutyNotificationEnabled": False,
    "approved": True,
    "rewardsMinSize": 50,
    "rewardsMaxSpread": 4.5,
    "automaticallyActive": True,
    "clearBookOnStart": False,
    "showGmpSeries": False,
    "showGmpOutcome": False,
    "manualActivation": False,
    "negRiskOther": False,
    "pendingDeployment": False,
    "deploying": False,
    "rfqEnabled": False,
    "holdingRewardsEnabled": False,
    "requiresTranslation": False,
    "makerRebatesFeeShareBps": 10_000,
}
"""Keys the venue always sends and that mean nothing here (recorded 2026-06)."""

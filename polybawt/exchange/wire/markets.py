"""Markets as the CLOB describes them: new and resolved on the stream, and by condition id.

Fields that no market here can have differently are constants of the shape; what the venue knows
comes from ``Market`` and ``Standing``.  Gamma's much larger description is in ``gamma``.

Source: exchange reference 1.3, 1.4 and 4.1; keys as recorded.
"""

from typing import Final

import orjson
from attrs import frozen

from polybawt.core.market import Market
from polybawt.core.units import MILLION, SECOND_NS, Price, Usdc, micro_text
from polybawt.exchange.wire.texts import (
    BASE_FEE_BPS,
    iso,
    number,
    outcome_of,
    outcomes,
)
from polybawt.sim.records import Printed


@frozen(kw_only=True)
class Standing:
    """What is known of a market besides its terms; payouts are None until it has resolved."""

    gamma_id: str
    listed_ns: int
    best_bid: Price | None = None
    best_ask: Price | None = None
    payouts: tuple[Usdc, Usdc] | None = None
    resolved_ns: int = 0
    delay_ns: int = 0  # how long marketable orders are held


# The stream.


def new_market(market: Market, gamma_id: str, timestamp_ms: int) -> bytes:
    tokens, fees = list(market.tokens), market.fees
    return orjson.dumps(
        {
            "id": gamma_id,
            "question": market.question,
            "market": market.condition_id,
            "slug": market.slug,
            "description": market.question,
            "assets_ids": tokens,
            "outcomes": list(outcomes(market)),
            "event_message": event_message(market, gamma_id),
            "timestamp": str(timestamp_ms),
            "event_type": "new_market",
            "tags": [],
            "condition_id": market.condition_id,
            "active": False,
            "clob_token_ids": tokens,
            "sports_market_type": "",
            "line": "",
            "game_start_time": "",
            "order_price_min_tick_size": micro_text(market.tick),
            "group_item_title": "",
            "taker_base_fee": str(BASE_FEE_BPS),
            "fees_enabled": fees.rate_micro > 0,
            "fee_schedule": {
                "exponent": str(fees.exponent),
                "rate": micro_text(fees.rate_micro),
                "taker_only": True,
                "rebate_rate": "0.2",
            },
        }
    )


def market_resolved(market: Market, gamma_id: str, winner: str, timestamp_ms: int) -> bytes:
    """``winner`` is a token id, or "" when both share."""
    return orjson.dumps(
        {
            "id": gamma_id,
            "market": market.condition_id,
            "assets_ids": list(market.tokens),
            "winning_asset_id": winner,
            "winning_outcome": outcome_of(market, winner) if winner else "",
            "event_message": event_message(market, gamma_id),
            "timestamp": str(timestamp_ms),
            "event_type": "market_resolved",
            "tags": [],
        }
    )


def event_message(market: Market, gamma_id: str) -> dict[str, str]:
    return {
        "id": gamma_id,
        "ticker": market.slug,
        "slug": market.slug,
        "title": market.question,
        "description": market.question,
    }


# The CLOB's own.


def clob_market(market: Market, standing: Standing) -> dict[str, object]:
    """GET /clob-markets/{id}: everything a trader needs, under short keys."""
    seconds_delay = standing.delay_ns // SECOND_NS
    return {
        "r": {"mi": 50, "ma": 4.5, "moas": 4},
        "t": [
            {"t": token_id, "o": outcome}
            for token_id, outcome in zip(market.tokens, outcomes(market), strict=True)
        ],
        "c": market.condition_id,
        "mos": number(market.min_size),
        "mts": number(market.tick),
        "mbf": BASE_FEE_BPS,
        "tbf": BASE_FEE_BPS,
        "ao": market.accepting_orders,
        "nr": market.neg_risk,
        "cbos": False,
        "aot": iso(standing.listed_ns),
        "ibce": True,
        "itode": standing.delay_ns > 0,
        "fd": {
            "r": number(market.fees.rate_micro),
            "e": market.fees.exponent,
            "to": True,
        },
        "v": market.version,
        **({"sd": seconds_delay} if seconds_delay else {}),
    }


def full_market(market: Market, standing: Standing) -> dict[str, object]:
    """GET /markets/{condition_id}."""
    prices = standing.payouts or middle(standing)
    resolved = standing.payouts is not None
    return {
        "enable_order_book": True,
        "active": True,
        "closed": resolved,
        "archived": False,
        "accepting_orders": market.accepting_orders,
        "accepting_order_timestamp": iso(standing.listed_ns),
        "minimum_order_size": number(market.min_size),
        "minimum_tick_size": number(market.tick),
        "condition_id": market.condition_id,
        "question_id": market.condition_id,
        "question": market.question,
        "description": market.question,
        "market_slug": market.slug,
        "end_date_iso": iso(market.end_ns),
        "game_start_time": None,
        "seconds_delay": standing.delay_ns // SECOND_NS,
        "fpmm": "",
        "maker_base_fee": BASE_FEE_BPS,
        "taker_base_fee": BASE_FEE_BPS,
        "notifications_enabled": False,
        "neg_risk": market.neg_risk,
        "neg_risk_market_id": market.neg_risk_id,
        "neg_risk_request_id": "",
        "icon": "",
        "image": "",
        "rewards": {"rates": None, "min_size": 50, "max_spread": 4.5},
        "is_50_50_outcome": resolved and prices[0] == prices[1],
        "tokens": [
            {
                "token_id": token_id,
                "outcome": outcome,
                "price": number(price),
                "winner": resolved and price == MILLION,
            }
            for token_id, outcome, price in zip(
                market.tokens, outcomes(market), prices, strict=True
            )
        ],
        "tags": ["Crypto"] if market.symbol else [],
    }


SIMPLE: Final = (
    "condition_id", "rewards", "tokens", "active", "closed", "archived", "accepting_orders",
)  # fmt: skip


def simplified_market(market: Market, standing: Standing) -> dict[str, object]:
    """The short form of GET /simplified-markets."""
    full = full_market(market, standing)
    return {key: full[key] for key in SIMPLE}


def activity(market: Market, printed: Printed, taker: str) -> dict[str, object]:
    """One trade of GET /markets/live-activity/{id}; profiles are the site's, so they are blank."""
    return {
        "event_type": "trade",
        "market": {
            "condition_id": market.condition_id,
            "asset_id": printed.token_id,
            "question": market.question,
            "icon": "",
            "slug": market.slug,
        },
        "user": {
            "address": taker,
            "username": "",
            "profile_picture": "",
            "optimized_profile_picture": "",
            "pseudonym": "",
        },
        "side": printed.side.value,
        "size": micro_text(printed.shares),
        "fee_rate_bps": "0",
        "price": micro_text(printed.price),
        "outcome": outcome_of(market, printed.token_id),
        "outcome_index": int(printed.token_id == market.no_token),
        "transaction_hash": printed.tx_hash,
        "timestamp": str(printed.now_ns // SECOND_NS),
    }


def middle(standing: Standing) -> tuple[Usdc, Usdc]:
    """Midpoints while it trades; an empty side counts as its end of the scale."""
    bid = standing.best_bid or 0
    ask = MILLION if standing.best_ask is None else standing.best_ask
    middle = (bid + ask) // 2
    return Usdc(middle), Usdc(MILLION - middle)

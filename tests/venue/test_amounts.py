"""Prices of orders that take, as the official suites assert them."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from polybawt.core.market import FeeSchedule, Side
from polybawt.core.units import MILLION, Price, Shares, Usdc, parse_micro
from polybawt.venue.amounts import affordable, market_price


def test_a_market_price_is_that_of_the_level_which_fills(
    recorded: Callable[[str], Path],
) -> None:
    """Best price last: walked from the wrong end, an order would pay the worst price there is."""
    for row in json.loads(recorded("vectors/market_price.json").read_text())["cases"]:
        levels = [
            (Price(parse_micro(level["price"])), Shares(parse_micro(level["size"])))
            for level in row["levels"]
        ]
        side, whole = Side(row["fn"].upper()), row["order_type"] == "FOK"
        expected = None if row["expected"] == "no match" else parse_micro(row["expected"])

        assert expected == market_price(side, levels, parse_micro(row["amount"]), whole), row


def test_what_is_affordable_with_fees_is_what_both_official_clients_say(
    recorded: Callable[[str], Path],
) -> None:
    """105 cases; where they end beyond a millionth, ours is the next one down."""
    cases = json.loads(recorded("vectors/fee_adjust_buy.json").read_text())["cases"]
    for case in cases:
        ours = affordable(
            Usdc(parse_micro(case["amount"])),
            Usdc(parse_micro(case["balance"])),
            Price(parse_micro(case["price"])),
            FeeSchedule(
                rate_micro=parse_micro(case["fee_rate"]), exponent=int(case["fee_exponent"])
            ),
            builder_rate_micro=parse_micro(case["builder_taker_fee_rate"]),
            slippage_percent=case["fee_slippage"],
        )
        exact = Decimal(repr(case["adjusted"])) * MILLION
        assert -Decimal("1.001") < ours - exact <= Decimal("0.001"), case
    assert len(cases) == 105

"""Prices of orders that take, as the official suites assert them."""

import json
from collections.abc import Callable
from pathlib import Path

from polybawt.core.market import Side
from polybawt.core.units import Price, Shares, parse_micro
from polybawt.venue.amounts import market_price


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

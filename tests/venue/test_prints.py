"""The size that a print came without, as the venue's index has it."""

from typing import Any

import pytest

from polybawt.core import facts
from polybawt.core.commands import FetchPrint
from polybawt.core.market import Side
from polybawt.core.units import Price, Shares
from polybawt.venue.backoff import Backoff
from polybawt.venue.prints import Prints
from tests.venue.loopback import Say, Scripted, scripted

NOW = 1_700_000_100_000_000_000
MS = 1_700_000_000_400
ASKED = FetchPrint(condition_id="0xc0", token_id="11", price=Price(930_000), timestamp_ms=MS)
ROW: dict[str, Any] = {
    "condition_id": "0xc0",
    "token_id": "11",
    "side": "BUY",
    "size": 50.0,
    "price": 0.93,
    "timestamp": 1_700_000_000,
}


def page(*rows: dict[str, Any]) -> Say:
    return Say(body={"data": [ROW | row for row in rows], "pagination": {}})


async def looked_up(*steps: Say | str) -> tuple[object, Scripted]:
    async with scripted(steps) as venue:
        prints = Prints(venue.http, lambda: NOW, Backoff(0.0, 0.0))
        return await prints.look_up(ASKED), venue


async def test_the_size_of_a_print_is_found_in_the_index() -> None:
    """It answers as the print that was asked for, so that it is recognised. Proves: G3."""
    found, venue = await looked_up(page({}))

    assert found == facts.LastTrade(
        at_ns=NOW, condition_id="0xc0", token_id="11", price=Price(930_000), price_text="",
        shares=Shares(50_000_000), side=Side.BUY, timestamp_ms=MS, source="rest",
    )  # fmt: skip
    assert venue.heard[0].path == "/v2/trades"
    assert venue.heard[0].query["condition_id"] == "0xc0"
    assert int(venue.heard[0].query["start"]) <= MS // 1000 <= int(venue.heard[0].query["end"])


@pytest.mark.parametrize(
    "other", [{"token_id": "22"}, {"price": 0.94}, {"timestamp": 1_700_000_003}]
)
async def test_another_trade_is_not_taken_for_it(other: dict[str, Any]) -> None:
    """The index lags: then it is unknown for a while longer, and asked again."""
    found, _ = await looked_up(page(other))

    assert found is None


async def test_of_two_that_fit_alike_it_is_the_smaller() -> None:
    """What is not known for sure is not made large."""
    found, _ = await looked_up(page({"size": 70}, {"size": 3.5}, {"size": 1, "price": 0.5}))

    assert isinstance(found, facts.LastTrade)
    assert found.shares == Shares(3_500_000)


@pytest.mark.parametrize(
    "answer",
    [
        Say(status=404, body={"error": "no"}),
        Say(body=b"not json"),
        Say(body=b"[]"),
        Say(body={"data": 7}),
        page({"size": "many"}),
        page({"side": "HOLD"}),
        page({"token_id": ""}),
        page({"price": True}),
    ],
)
async def test_what_cannot_be_understood_is_a_failed_read(answer: Say) -> None:
    """Never a crash, never a guess."""
    found, _ = await looked_up(answer)

    assert isinstance(found, facts.ReadFailed)
    assert found.what == "FetchPrint"

"""Prices in every form they are asked for, and what they were."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from polybawt.core.units import MILLION, Usdc
from tests.exchange.house import FED, START_NS, UPDOWN, Hall, Trader

YES, NO = UPDOWN.tokens
START_S = START_NS // 10**9
Recorded = Callable[[str], Path]


async def quoted(hall: Hall) -> Trader:
    """The maker of a bid of 0.48 and an ask of 0.52 on the first token."""
    maker = await hall.trader(1)
    await maker.place(UPDOWN, YES, "BUY", "0.48", "10")
    await maker.place(UPDOWN, NO, "BUY", "0.48", "20")
    hall.after(1)
    return maker


async def posted(hall: Hall, path: str, rows: object) -> Any:
    answer = await hall.client.post(path, data=json.dumps(rows))
    assert answer.status == 200, await answer.text()
    return orjson.loads(await answer.read())


async def history(hall: Hall, token: str, **query: str) -> list[dict[str, Any]]:
    points: list[dict[str, Any]] = (await hall.get("/prices-history", market=token, **query))[
        "history"
    ]
    return points


# In lists.


async def test_prices_are_mapped_by_token_and_side(hall: Hall) -> None:
    await quoted(hall)
    wanted = [
        {"token_id": YES, "side": "BUY"},
        {"token_id": YES, "side": "SELL"},
        {"token_id": NO, "side": "SELL"},
    ]

    assert await posted(hall, "/prices", wanted) == {
        YES: {"BUY": "0.48", "SELL": "0.52"},
        NO: {"SELL": "0.52"},
    }


async def test_middles_and_spreads_are_mapped_by_token(hall: Hall) -> None:
    await quoted(hall)
    wanted = [{"token_id": YES}, {"token_id": NO}]

    assert await posted(hall, "/midpoints", wanted) == {YES: "0.5", NO: "0.5"}
    assert await posted(hall, "/spreads", wanted) == {YES: "0.04", NO: "0.04"}


async def test_tokens_without_a_price_are_left_out_of_a_list(hall: Hall) -> None:
    """One dead token among five hundred must not hide the others."""
    await quoted(hall)
    wanted = [{"token_id": token, "side": "BUY"} for token in ("12", FED.yes_token, YES)]

    assert await posted(hall, "/prices", wanted) == {YES: {"BUY": "0.48"}}
    assert await posted(hall, "/midpoints", wanted) == {YES: "0.5"}
    assert await posted(hall, "/spreads", wanted) == {YES: "0.04"}
    assert await posted(hall, "/last-trades-prices", wanted) == []


@pytest.mark.parametrize(
    "path", ["/books", "/prices", "/midpoints", "/spreads", "/last-trades-prices"]
)
@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ({}, "Invalid payload"),
        ([1], "Invalid payload"),
        ([{"token_id": 1, "side": "BUY"}], "Invalid token id"),
        ([{"side": "BUY"}], "Invalid token id"),
        ([{"token_id": "1", "side": "BUY"}] * 501, "Payload exceeds the limit"),
    ],
)
async def test_a_malformed_list_is_refused(hall: Hall, path: str, rows: object, text: str) -> None:
    answer = await hall.client.post(path, data=json.dumps(rows))

    assert (answer.status, await answer.json()) == (400, {"error": text})


@pytest.mark.parametrize("side", ["", "BOTH", 1, None])
async def test_a_price_of_no_side_is_refused(hall: Hall, side: object) -> None:
    answer = await hall.client.post("/prices", json=[{"token_id": YES, "side": side}])

    assert (answer.status, await answer.json()) == (400, {"error": "Invalid side"})


# The last trade.


async def test_the_last_trade_is_told_by_its_price_and_the_takers_side(hall: Hall) -> None:
    await quoted(hall)
    before = await hall.get("/last-trade-price", token_id=YES)
    taker = await hall.trader(0)
    await taker.place(UPDOWN, YES, "BUY", "0.52", "6")

    assert before == {"price": "0.5", "side": ""}
    assert await hall.get("/last-trade-price", token_id=YES) == {"price": "0.52", "side": "BUY"}
    assert await posted(hall, "/last-trades-prices", [{"token_id": YES}]) == [
        {"token_id": YES, "price": "0.52", "side": "BUY"}
    ]
    hall.after(1)
    book = await hall.get("/book", token_id=NO)
    assert book["last_trade_price"] == "0.520"  # as recorded: both tokens say the same


async def test_the_last_trade_of_an_unknown_token_is_refused(hall: Hall) -> None:
    answer = await hall.client.get("/last-trade-price", params={"token_id": "12"})

    assert answer.status == 404


# History.


async def test_history_is_looked_at_by_the_minute_and_ends_with_now(hall: Hall) -> None:
    maker = await quoted(hall)
    hall.after(60_000)
    await maker.ask("DELETE", "/cancel-all")
    await maker.place(UPDOWN, YES, "BUY", "0.60", "10")
    await maker.place(UPDOWN, NO, "BUY", "0.36", "10")
    hall.after(60_000)
    hall.after(90_000)

    assert await history(hall, YES, interval="max") == [
        {"t": START_S + 60, "p": 0.5},
        {"t": START_S + 120, "p": 0.62},
        {"t": START_S + 180, "p": 0.62},
        {"t": START_S + 210, "p": 0.62},
    ]
    assert [point["p"] for point in await history(hall, NO, interval="max")] == [
        0.5, 0.38, 0.38, 0.38,
    ]  # fmt: skip


async def test_fidelity_and_range_choose_the_points(hall: Hall) -> None:
    await quoted(hall)
    for _ in range(20):
        hall.after(60_000)

    coarse = await history(hall, YES, interval="max", fidelity="5")
    ranged = await history(hall, YES, startTs=str(START_S + 300), endTs=str(START_S + 420))
    hour = await history(hall, YES, interval="1h", fidelity="10")

    assert [p["t"] - START_S for p in coarse] == [300, 600, 900, 1200, 1200]
    assert [p["t"] - START_S for p in ranged] == [300, 360, 420]
    assert [p["t"] - START_S for p in hour] == [600, 1200, 1200]


async def test_a_wide_spread_shows_the_last_trade_instead_of_the_middle(hall: Hall) -> None:
    """The middle of nothing is no price; the venue shows what was last paid."""
    maker, taker = await hall.trader(1), await hall.trader(0)
    await maker.place(UPDOWN, NO, "BUY", "0.30", "10")
    await taker.place(UPDOWN, YES, "BUY", "0.70", "10")
    await maker.place(UPDOWN, YES, "BUY", "0.10", "10")
    await maker.place(UPDOWN, NO, "BUY", "0.10", "10")
    hall.after(60_000)

    assert (await history(hall, YES, interval="max"))[0] == {"t": START_S + 60, "p": 0.7}
    assert (await history(hall, NO, interval="max"))[0]["p"] == 0.3


async def test_a_resolved_market_ends_at_its_payout(hall: Hall) -> None:
    await quoted(hall)
    hall.after(60_000)
    hall.world.venue.resolve(
        UPDOWN.condition_id, Usdc(MILLION), Usdc(0), hall.clock.now_ns + 30 * 10**9
    )
    hall.after(600_000)

    points = await history(hall, YES, interval="max")

    assert points[-1] == {"t": START_S + 90, "p": 1}


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"interval": "max"}, "Invalid token id"),
        ({"market": "x", "interval": "max"}, "Invalid token id"),
        ({"market": YES}, "Invalid payload"),
        ({"market": YES, "interval": "1y"}, "Invalid payload"),
        ({"market": YES, "interval": "max", "fidelity": "0"}, "Invalid payload"),
        ({"market": YES, "interval": "max", "fidelity": "-1"}, "Invalid payload"),
        ({"market": YES, "startTs": "soon"}, "Invalid payload"),
        ({"market": YES, "startTs": "9" * 40}, "Invalid payload"),
    ],
)
async def test_history_of_nothing_is_refused(hall: Hall, query: dict[str, str], text: str) -> None:
    answer = await hall.client.get("/prices-history", params=query)

    assert (answer.status, await answer.json()) == (400, {"error": text})


async def test_a_token_that_nobody_lists_has_no_history(hall: Hall) -> None:
    assert await history(hall, "12", interval="max") == []


async def test_history_has_the_recorded_shape(hall: Hall, recorded: Recorded) -> None:
    theirs = orjson.loads(
        recorded("rest/crypto_updown_2026-06/clob_prices_history.json").read_bytes()
    )
    await quoted(hall)
    hall.after(60_000)

    ours = await hall.get("/prices-history", market=YES, interval="max")

    assert list(ours) == list(theirs)
    assert {key: type(value) for key, value in ours["history"][0].items()} == {
        key: type(value) for key, value in theirs["history"][0].items()
    }

"""The operator's view: exact integers, and only with the token."""

from typing import Any

import pytest
from aiohttp import WSMsgType

from polybawt.core.units import MILLION
from tests.exchange.house import UPDOWN, Hall

TOKEN = {"Authorization": "Bearer admin"}


async def account(hall: Hall, address: str) -> Any:
    return await (await hall.client.get(f"/admin/account/{address}", headers=TOKEN)).json()


async def test_an_account_is_shown_to_the_millionth(hall: Hall) -> None:
    """What an engine's ledger is compared with, total and settled."""
    maker, taker = await hall.trader(1), await hall.trader(0)
    await maker.place(UPDOWN, UPDOWN.no_token, "BUY", "0.5", "10")
    filled = (await taker.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.5", "10"))[1]["orderID"]
    resting = (await taker.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "10"))[1]["orderID"]

    seen = await account(hall, taker.address.lower())

    spent = 5 * MILLION + 175_000
    assert seen == {
        "address": taker.address,
        "collateral": 1_000 * MILLION - spent,
        "tokens": {UPDOWN.yes_token: 10 * MILLION},
        "settled": {"collateral": 1_000 * MILLION, "tokens": {UPDOWN.yes_token: 0}},
        "open_orders": [resting],
        "orders": [filled, resting],
        "unsettled_trades": 1,
    }
    hall.after(5_000)
    assert (await account(hall, taker.address))["unsettled_trades"] == 0


async def test_a_refused_order_was_never_accepted(hall: Hall) -> None:
    trader = await hall.trader()
    await trader.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "1")

    assert (await account(hall, trader.address))["orders"] == []


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer nope"}, {"Authorization": "é"}])
async def test_without_the_token_nothing_is_shown_or_stopped(
    hall: Hall, headers: dict[str, str]
) -> None:
    seen = await hall.client.get("/admin/account/0x0", headers=headers)
    stopped = await hall.client.post("/admin/stop", headers=headers)

    assert (seen.status, stopped.status) == (401, 401)


async def test_an_address_that_is_none_is_refused(hall: Hall) -> None:
    answer = await hall.client.get("/admin/account/0x12", headers=TOKEN)

    assert answer.status == 400


async def test_every_stream_can_be_cut(hall: Hall) -> None:
    """As a network does it: without a word, and whoever is cut may come back."""
    socket = await hall.client.ws_connect("/ws/market")
    assert (await hall.client.post("/admin/cut")).status == 401
    answer = await hall.client.post("/admin/cut", headers=TOKEN)

    assert (answer.status, await answer.json()) == (200, {"cut": True})
    assert (await socket.receive()).type in (WSMsgType.CLOSED, WSMsgType.CLOSE, WSMsgType.ERROR)
    again = await hall.client.ws_connect("/ws/market")
    await again.send_str("PING")
    assert (await again.receive()).data == "PONG"

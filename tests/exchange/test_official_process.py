"""The official clients against ``polybawt exchange`` as anybody starts it: a process, a real clock.

What each client can do is tested beside, over a world that stands still; here is that the card
which the exchange prints is all that they need, also for the wallet that the current client
chooses by itself.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from polybawt.ops.bench_terms import Json, exchange
from tests.exchange.official import entrance_by_card, every

second: Any = pytest.importorskip("py_clob_client_v2.client")
types: Any = pytest.importorskip("py_clob_client_v2.clob_types")


@pytest.fixture
async def card() -> AsyncIterator[Json]:
    async with exchange("--json") as card:
        yield card


async def test_its_card_is_all_that_both_clients_need(
    card: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The current client is given no wallet: it takes the account's deposit wallet."""
    account, token = card["accounts"][0], card["markets"][0]["yes_token"]
    deposit = next(w["address"] for w in account["wallets"] if w["signature_type"] == 3)

    async with entrance_by_card(monkeypatch, card) as client:
        placed = await client.place_limit_order(asset_id=token, price="0.4", size="10", side="BUY")
        (order,) = await every(client.list_open_orders())
        wallet = client.wallet

    def work() -> Any:
        other = second.ClobClient(card["clob_url"], card["chain_id"], account["private_key"])
        other.set_api_creds(other.create_or_derive_api_key())
        terms = types.OrderArgsV2(token_id=token, price=0.3, size=10, side="BUY")
        return other.create_and_post_order(terms), other.cancel_all()

    posted, cancelled = await asyncio.to_thread(work)

    assert placed.ok
    assert (order.id, order.maker_address, wallet) == (placed.order_id, deposit, deposit)
    assert posted["status"] == "live"
    assert sorted(cancelled["canceled"]) == sorted([placed.order_id, posted["orderID"]])

"""Keys that end, keys that only read, keys of builders, and accounts that may do less."""

from typing import Any

import orjson
import pytest

from polybawt.core.units import MILLION
from polybawt.exchange.config import DEVELOPMENT_KEYS
from polybawt.exchange.refusal import RequestRefused
from polybawt.exchange.sidekeys import OF_ONE_MAX, SideKeys
from polybawt.venue.signing import hmac_signature
from tests.exchange.conftest import Open
from tests.exchange.house import UPDOWN, Hall, StillWorld, Trader, config, wallet_of

BAD_KEY = 401, {"error": "Unauthorized/Invalid api key"}


async def read_with(hall: Hall, trader: Trader, key: str, path: str, **query: str) -> Any:
    headers = {"POLY_READONLY_API_KEY": key, "POLY_ADDRESS": trader.address}
    answer = await hall.client.get(path, headers=headers, params=query)
    return answer.status, orjson.loads(await answer.read())


# Deleting.


async def test_a_deleted_key_is_unauthorized_from_then_on(hall: Hall) -> None:
    """A leaked key must be good for nothing, also not for getting itself back."""
    trader = await hall.trader()

    assert await trader.ask("DELETE", "/auth/api-key") == (200, "OK")
    assert await trader.ask("GET", "/data/orders") == BAD_KEY
    assert (await trader.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "10")) == BAD_KEY
    again = await hall.client.post("/auth/api-key", headers=trader.l1_headers())
    derived = await hall.client.get("/auth/derive-api-key", headers=trader.l1_headers())
    assert (again.status, derived.status) == (400, 400)
    fresh = await hall.client.post("/auth/api-key", headers=trader.l1_headers(nonce=1))
    assert fresh.status == 200


async def test_the_dead_man_switch_outlives_its_key(hall: Hall) -> None:
    """Orders stay when their key goes; somebody must still end them."""
    trader = await hall.trader()
    await trader.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "10")
    await trader.ask("POST", "/v1/heartbeats", {"heartbeat_id": ""})
    await trader.ask("DELETE", "/auth/api-key")
    open_before = len(hall.floor.venue.open_orders(trader.address))
    hall.after(10_000)

    assert open_before == 1
    assert hall.floor.venue.open_orders(trader.address) == []


# Reading only.


async def test_a_readonly_key_reads_and_does_not_trade(hall: Hall) -> None:
    trader = await hall.trader()
    order = (await trader.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "10"))[1]["orderID"]
    status, made = await trader.ask("POST", "/auth/readonly-api-key")
    key = made["apiKey"]

    assert status == 200
    assert (await trader.ask("GET", "/auth/readonly-api-keys"))[1] == [key]
    assert (await read_with(hall, trader, key, "/data/orders"))[1]["data"][0]["id"] == order
    for path in ("/data/trades", "/notifications", f"/data/order/{order}"):
        assert (await read_with(hall, trader, key, path))[0] == 200
    balance = await read_with(
        hall, trader, key, "/balance-allowance", asset_type="COLLATERAL", signature_type="0"
    )
    assert balance[1]["balance"] == "1000000000"
    headers = {"POLY_READONLY_API_KEY": key, "POLY_ADDRESS": trader.address}
    cancel = await hall.client.delete("/cancel-all", headers=headers)
    assert (cancel.status, await cancel.json()) == BAD_KEY
    pretending = headers | {"POLY_API_KEY": key, "POLY_TIMESTAMP": "1"}
    assert (await hall.client.delete("/cancel-all", headers=pretending)).status == 401


async def test_a_readonly_key_is_good_for_its_own_address_until_it_is_deleted(hall: Hall) -> None:
    trader, other = await hall.trader(0), await hall.trader(1)
    key = (await trader.ask("POST", "/auth/readonly-api-key"))[1]["apiKey"]

    assert await read_with(hall, other, key, "/data/orders") == BAD_KEY
    foreign = await other.ask("DELETE", "/auth/readonly-api-key", {"key": key})
    assert foreign == (404, {"error": "api key not found"})
    assert await trader.ask("DELETE", "/auth/readonly-api-key", {"key": key}) == (200, "OK")
    assert await read_with(hall, trader, key, "/data/orders") == BAD_KEY
    assert (await trader.ask("DELETE", "/auth/readonly-api-key", {"key": 5}))[0] == 400


# Builders.


async def test_a_builder_key_is_made_listed_and_revoked(hall: Hall) -> None:
    trader = await hall.trader()
    status, made = await trader.ask("POST", "/auth/builder-api-key")
    before = (await trader.ask("GET", "/auth/builder-api-key"))[1]

    revoked = await trader.ask("DELETE", "/auth/builder-api-key")
    after = (await trader.ask("GET", "/auth/builder-api-key"))[1]

    assert (status, set(made)) == (200, {"key", "secret", "passphrase"})
    assert before == [{"key": made["key"], "createdAt": "2026-06-08T00:00:00Z", "revokedAt": None}]
    assert revoked == (200, "OK")
    assert after[0]["revokedAt"] == "2026-06-08T00:00:00Z"


async def test_a_builder_key_revokes_itself_and_no_other(hall: Hall) -> None:
    trader = await hall.trader()
    made = [(await trader.ask("POST", "/auth/builder-api-key"))[1] for _ in range(2)]
    path = "/auth/builder-api-key"
    headers = {
        "POLY_BUILDER_API_KEY": made[0]["key"],
        "POLY_BUILDER_PASSPHRASE": made[0]["passphrase"],
        "POLY_BUILDER_TIMESTAMP": "1700000000",
        "POLY_BUILDER_SIGNATURE": hmac_signature(
            made[0]["secret"], "1700000000", "DELETE", path, None
        ),
    }

    forged = await hall.client.delete(path, headers=headers | {"POLY_BUILDER_SIGNATURE": "x"})
    first = await hall.client.delete(path, headers=headers)
    again = await hall.client.delete(path, headers=headers)

    assert (forged.status, first.status, again.status) == (401, 200, 401)
    listed = (await trader.ask("GET", path))[1]
    assert [row["revokedAt"] is None for row in listed] == [False, True]


def test_there_is_a_limit_to_the_side_keys_of_an_address() -> None:
    keys = SideKeys()
    for _ in range(OF_ONE_MAX):
        keys.add_reader("0x1")
        keys.add_builder("0x1", 1)

    with pytest.raises(RequestRefused):
        keys.add_reader("0x1")
    with pytest.raises(RequestRefused):
        keys.add_builder("0x1", 1)


# Restrictions.


async def restricted(hall: Hall, trader: Trader, restriction: object) -> int:
    answer = await hall.client.post(
        "/admin/restrict",
        json={"address": trader.address, "restriction": restriction},
        headers={"Authorization": "Bearer admin"},
    )
    return answer.status


async def test_a_closed_only_account_may_sell_and_cancel_and_not_buy(hall: Hall) -> None:
    trader = await hall.trader()
    resting = (await trader.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "10"))[1]["orderID"]
    hall.world.venue.grant(trader.address, UPDOWN.yes_token, 10_000_000)  # type: ignore[arg-type]
    before = await trader.ask("GET", "/auth/ban-status/closed-only")
    await restricted(hall, trader, "closed_only")

    bought = await trader.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.3", "10")
    other = await trader.place(UPDOWN, UPDOWN.no_token, "BUY", "0.3", "10")
    sold = await trader.place(UPDOWN, UPDOWN.yes_token, "SELL", "0.6", "10")

    words = {"error": f"'{trader.address}' address in closed only mode"}
    assert before == (200, {"closed_only": False})
    assert await trader.ask("GET", "/auth/ban-status/closed-only") == (200, {"closed_only": True})
    assert bought == other == (400, words)
    assert (sold[0], sold[1]["status"]) == (200, "live")
    assert (await trader.ask("DELETE", "/order", {"orderID": resting}))[1]["canceled"] == [resting]


async def test_a_banned_account_places_nothing_until_it_is_let_in_again(hall: Hall) -> None:
    trader, other = await hall.trader(0), await hall.trader(1)
    await restricted(hall, trader, "banned")

    refused = await trader.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.3", "10")
    free = await other.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.3", "10")
    await restricted(hall, trader, "none")

    assert refused == (400, {"error": f"'{trader.address}' address banned"})
    assert free[0] == 200
    assert (await trader.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.3", "10"))[0] == 200


async def test_to_restrict_a_wallet_is_to_restrict_its_account(opened: Open) -> None:
    """Else a banned wallet's owner would trade on from the next one."""
    wallet = wallet_of(0, 1, collateral=100 * MILLION)
    hall = await opened(StillWorld(UPDOWN), config(wallets=(wallet,)))
    trader = await hall.trader()
    answer = await hall.client.post(
        "/admin/restrict",
        json={"address": wallet.address, "restriction": "banned"},
        headers={"Authorization": "Bearer admin"},
    )

    refused = await trader.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.3", "10")

    assert (await answer.json())["address"] == trader.address
    assert refused == (400, {"error": f"'{trader.address}' address banned"})


@pytest.mark.parametrize("restriction", ["", "jailed", None, 5, ["banned"]])
async def test_a_restriction_that_is_none_is_refused(hall: Hall, restriction: object) -> None:
    assert await restricted(hall, Trader(hall, DEVELOPMENT_KEYS[0]), restriction) == 400


async def test_only_the_operator_restricts(hall: Hall) -> None:
    answer = await hall.client.post("/admin/restrict", json={})

    assert answer.status == 401

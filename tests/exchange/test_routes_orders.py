"""The limits as clients meet them: headers with every answer, 429 where it is enforced."""

from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from polybawt.exchange.config import InvalidConfig, exchange_config
from tests.exchange.conftest import Open
from tests.exchange.house import START_NS, UPDOWN, Hall, StillWorld, Trader, config

YES = UPDOWN.yes_token
UNKNOWN = "0x" + "ab" * 32


async def limited(opened: Open, limits: str, **other: Any) -> tuple[Hall, Trader]:
    hall = await opened(StillWorld(UPDOWN), config(limits=limits, **other))
    return hall, await hall.trader()


async def sent(
    trader: Trader, method: str, path: str, body: object = None
) -> tuple[int, Any, Mapping[str, str]]:
    """Status, answer and headers of one signed request."""
    text = "" if body is None else orjson.dumps(body).decode()
    answer = await trader.hall.client.request(
        method, path, data=text.encode() or None, headers=trader.l2_headers(method, path, text)
    )
    return answer.status, orjson.loads(await answer.read()), answer.headers


def an_order(trader: Trader) -> dict[str, Any]:
    return trader.limit(UPDOWN, YES, "BUY", "0.01", "5")


# The buckets of a signer.


async def test_an_enforced_bucket_refuses_and_says_when_to_come_back(opened: Open) -> None:
    hall, trader = await limited(opened, "enforce")
    for _ in range(60):
        assert (await sent(trader, "POST", "/order", an_order(trader)))[0] == 200

    status, answer, headers = await sent(trader, "POST", "/order", an_order(trader))
    hall.after(1_000)

    assert (status, answer) == (429, {"error": "Too Many Requests"})
    assert headers["Poly-RateLimit-Remaining"] == "0"
    assert headers["Poly-RateLimit-Reset"] == str(START_NS // 10**9 + 1)
    assert headers["Poly-RateLimit-Tier"] == "Standard"
    assert headers["Retry-After"] == "1"
    assert (await sent(trader, "POST", "/order", an_order(trader)))[0] == 200
    assert len(hall.floor.venue.open_orders(trader.address)) == 61


async def test_by_default_an_empty_bucket_only_warns(opened: Open) -> None:
    """When enforcement begins is not known; a client should see the warning before it does."""
    hall = await opened(StillWorld(UPDOWN), config())
    trader = await hall.trader()
    headers = [(await sent(trader, "POST", "/order", an_order(trader)))[2] for _ in range(61)]

    assert ["Poly-RateLimit-Warning" in each for each in headers] == [False] * 60 + [True]
    assert len(hall.floor.venue.open_orders(trader.address)) == 61


async def test_without_limits_there_are_no_headers(opened: Open) -> None:
    _, trader = await limited(opened, "off")

    _, _, headers = await sent(trader, "POST", "/order", an_order(trader))

    assert not [name for name in headers if name.startswith("Poly-")]


async def test_a_batch_is_charged_by_its_length_and_refused_as_a_whole(opened: Open) -> None:
    hall, trader = await limited(opened, "enforce")
    seen = []
    for _ in range(5):
        legs = [an_order(trader) for _ in range(15)]
        status, _, headers = await sent(trader, "POST", "/orders", legs)
        seen.append((status, headers["Poly-RateLimit-Remaining"]))

    assert seen == [(200, "45"), (200, "30"), (200, "15"), (200, "0"), (429, "0")]
    assert len(hall.floor.venue.open_orders(trader.address)) == 60


async def test_refused_orders_cost_as_much_as_others(opened: Open) -> None:
    """The limiter comes before the venue looks at what an order says."""
    _, trader = await limited(opened, "enforce")
    status, _, headers = await sent(trader, "POST", "/order", {"no": "order"})

    assert (status, headers["Poly-RateLimit-Remaining"]) == (400, "59")


async def test_cancels_cost_one_for_each_id_and_all_of_them_what_they_were(opened: Open) -> None:
    _, trader = await limited(opened, "enforce")
    for _ in range(7):
        await sent(trader, "POST", "/order", an_order(trader))
    remaining = []
    for method, path, body in (
        ("DELETE", "/order", {"orderID": UNKNOWN}),
        ("DELETE", "/orders", [UNKNOWN] * 9),
        ("DELETE", "/cancel-market-orders", {"market": UNKNOWN}),
        ("DELETE", "/cancel-all", None),
    ):
        status, _, headers = await sent(trader, method, path, body)
        assert status == 200
        remaining.append(headers["Poly-RateLimit-Remaining"])

    assert remaining == ["119", "110", "109", "101"]  # the last: one, and seven orders


async def test_a_refused_cancel_all_cancels_nothing(opened: Open) -> None:
    hall, trader = await limited(opened, "enforce")
    await sent(trader, "POST", "/order", an_order(trader))
    await sent(trader, "DELETE", "/orders", [UNKNOWN] * 500)

    status, _, headers = await sent(trader, "DELETE", "/cancel-all")

    assert (status, headers["Poly-RateLimit-Remaining"]) == (429, "-380")
    assert len(hall.floor.venue.open_orders(trader.address)) == 1


async def test_a_higher_tier_has_more(opened: Open) -> None:
    _, trader = await limited(opened, "enforce", tier="Elite")

    _, _, headers = await sent(trader, "POST", "/order", an_order(trader))

    assert headers["Poly-RateLimit-Remaining"] == "899"
    assert headers["Poly-RateLimit-Tier"] == "Elite"


async def test_a_forged_request_spends_nobodys_tokens(opened: Open) -> None:
    """Else anybody could use up anybody's bucket by knowing an address."""
    hall, trader = await limited(opened, "enforce")
    for _ in range(70):
        headers = trader.l2_headers("POST", "/order", "") | {"POLY_SIGNATURE": "x"}
        answer = await hall.client.post("/order", headers=headers, data=b"{}")
        assert answer.status == 401

    assert (await sent(trader, "POST", "/order", an_order(trader)))[0] == 200


# The windows of an address.


@pytest.mark.parametrize("limits", ["warn", "enforce"])
async def test_an_address_that_asks_too_often_is_refused_for_a_while(
    opened: Open, limits: str
) -> None:
    hall, trader = await limited(opened, limits)
    query = {"asset_type": "COLLATERAL"}
    seen = [(await trader.ask("GET", "/balance-allowance/update", **query))[0] for _ in range(60)]
    other = await trader.ask("GET", "/balance-allowance", **query)
    answer = await hall.client.get("/balance-allowance/update", params=query)
    hall.after(20_000)

    assert seen == [200] * 50 + [429] * 10
    assert other[0] == 200
    assert (answer.status, await answer.json()) == (429, {"error": "Too Many Requests"})
    assert answer.headers["Retry-After"] == "11"
    assert (await trader.ask("GET", "/balance-allowance/update", **query))[0] == 200


async def test_the_operator_is_never_limited(opened: Open) -> None:
    hall, _ = await limited(opened, "enforce")
    hall.floor._windows._of.clear()  # type: ignore[union-attr]
    for _ in range(3):
        await hall.client.get("/admin/faults", headers={"Authorization": "Bearer admin"})

    assert hall.floor._windows._of["127.0.0.1"] == {}  # type: ignore[union-attr]


@pytest.mark.parametrize("setting", [{"limits": "some"}, {"tier": "Gold "}])
def test_an_unknown_limit_or_tier_is_refused_by_name(setting: dict[str, str]) -> None:
    with pytest.raises(InvalidConfig, match=next(iter(setting))):
        exchange_config(**setting)  # type: ignore[arg-type]


# What is asked about orders.


async def test_no_order_scores_where_there_are_no_rewards(hall: Hall) -> None:
    trader = await hall.trader()
    order = (await trader.place(UPDOWN, YES, "BUY", "0.4", "10"))[1]["orderID"]

    assert await trader.ask("GET", "/order-scoring", order_id=order) == (200, {"scoring": False})
    assert await trader.ask("POST", "/orders-scoring", [order, UNKNOWN]) == (
        200, {order: False, UNKNOWN: False},
    )  # fmt: skip
    for refused in (
        await trader.ask("GET", "/order-scoring", order_id="5"),
        await trader.ask("POST", "/orders-scoring", [5]),
        await trader.ask("POST", "/orders-scoring", {}),
        await trader.ask("POST", "/orders-scoring", [UNKNOWN] * 1001),
    ):
        assert (refused[0], list(refused[1])) == (400, ["error"])


async def test_there_are_no_orders_from_before(hall: Hall) -> None:
    trader = await hall.trader()

    assert await trader.ask("GET", "/data/pre-migration-orders") == (
        200, {"limit": 500, "count": 0, "next_cursor": "LTE=", "data": []},
    )  # fmt: skip

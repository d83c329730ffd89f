"""Notices: what really happened to an account, once, and not for ever."""

from typing import Any

import pytest

from polybawt.core.market import Side
from polybawt.core.units import MILLION, Price, Shares, Usdc
from polybawt.exchange.notices import OF_ONE_MAX
from polybawt.sim.faults import Fault
from polybawt.sim.records import Placement
from tests.exchange.conftest import Open
from tests.exchange.house import UPDOWN, Hall, StillWorld, Trader, config, wallet_of

YES, NO = UPDOWN.tokens
CANCELED, FILLED, RESOLVED, FAILED = 1, 2, 4, 8


async def told(trader: Trader, **query: str) -> list[dict[str, Any]]:
    status, rows = await trader.ask("GET", "/notifications", **query)
    assert status == 200, rows
    found: list[dict[str, Any]] = rows
    return found


async def met(hall: Hall) -> tuple[Trader, Trader]:
    """A maker of ten and a taker of six of them."""
    maker, taker = await hall.trader(1), await hall.trader(0)
    await maker.place(UPDOWN, NO, "BUY", "0.48", "10")
    await taker.place(UPDOWN, YES, "BUY", "0.55", "6")
    return maker, taker


async def test_both_sides_of_a_fill_are_told_in_their_own_terms(hall: Hall) -> None:
    maker, taker = await met(hall)
    trade = (await taker.ask("GET", "/data/trades"))[1]["data"][0]

    made, took = (await told(maker))[0], (await told(taker))[0]

    assert (made["type"], took["type"]) == (FILLED, FILLED)
    assert made["owner"] == maker.credentials.key
    assert took["payload"] == {
        "order_id": trade["taker_order_id"],
        "asset_id": YES,
        "market": UPDOWN.condition_id,
        "side": "BUY",
        "type": "GTC",
        "price": "0.52",
        "original_size": "6",
        "matched_size": "6",
        "remaining_size": "0",
        "outcome": "Up",
        "outcome_index": 0,
        "transaction_hash": trade["transaction_hash"],
        "trade_id": trade["id"],
        "question": UPDOWN.question,
        "market_slug": UPDOWN.slug,
        "icon": "",
        "image": "",
        "eventSlug": UPDOWN.slug,
        "seriesSlug": "",
    }
    payload = made["payload"]
    assert (payload["asset_id"], payload["price"], payload["outcome_index"]) == (NO, "0.48", 1)
    assert (payload["matched_size"], payload["remaining_size"]) == ("6", "4")


async def test_a_fill_is_told_once_however_it_settles(hall: Hall) -> None:
    _, taker = await met(hall)
    hall.after(60_000)

    assert [notice["type"] for notice in await told(taker)] == [FILLED]


async def test_a_fill_that_failed_on_chain_is_told_as_such(opened: Open) -> None:
    """The fill is void; who only reads notices must hear of it too."""
    fault = Fault(kind="fail_settlement", count=1)
    hall = await opened(StillWorld(UPDOWN), config(faults=(fault,)))
    _, taker = await met(hall)
    hall.after(60_000)

    assert [notice["type"] for notice in await told(taker)] == [FAILED, FILLED]


async def test_orders_that_a_resolution_ends_are_told_and_so_is_the_resolution(hall: Hall) -> None:
    maker, _ = await met(hall)
    hall.after(10_000)
    hall.world.venue.resolve(UPDOWN.condition_id, Usdc(0), Usdc(MILLION), hall.clock.now_ns)
    hall.after(1)

    ended, canceled, _ = await told(maker)

    assert (ended["type"], canceled["type"]) == (RESOLVED, CANCELED)
    assert ended["payload"]["condition_id"] == UPDOWN.condition_id
    assert [token["winner"] for token in ended["payload"]["tokens"]] == [False, True]
    assert canceled["payload"]["remaining_size"] == "4"
    assert canceled["payload"]["trade_id"] == ""


async def test_dropped_notices_are_gone_and_others_stay(hall: Hall) -> None:
    maker, taker = await met(hall)
    await taker.place(UPDOWN, YES, "BUY", "0.55", "6")
    newest, oldest = await told(taker)
    foreign = (await told(maker))[0]

    status, answer = await taker.ask(
        "DELETE", "/notifications", ids=f"{newest['id']},{foreign['id']}"
    )

    assert (status, answer) == (200, "OK")
    assert await told(taker) == [oldest]
    assert foreign in await told(maker)


@pytest.mark.parametrize("ids", ["", "x", "1,,2", "-1", "9" * 40, ",".join(["1"] * 1001)])
async def test_a_malformed_list_of_notices_is_refused(hall: Hall, ids: str) -> None:
    trader = await hall.trader()

    status, answer = await trader.ask("DELETE", "/notifications", ids=ids)

    assert (status, list(answer)) == (400, ["error"])


async def test_notices_belong_to_the_address_that_traded(opened: Open) -> None:
    wallet = wallet_of(0, 1, collateral=100 * MILLION)
    hall = await opened(StillWorld(UPDOWN), config(wallets=(wallet,)))
    _, taker = await met(hall)

    assert len(await told(taker, signature_type="0")) == 1
    assert await told(taker, signature_type="1") == []
    assert (await taker.ask("GET", "/notifications", signature_type="7"))[0] == 400


async def test_notices_are_bounded_in_number_and_age(hall: Hall) -> None:
    """Nobody has to read them, so nobody may fill the memory with them."""
    trader = await hall.trader()
    for _ in range(OF_ONE_MAX + 10):
        placed = hall.floor.place(
            trader.limit(UPDOWN, YES, "BUY", "0.4", "10"),
            hall.floor.ring.find(trader.credentials.key),  # type: ignore[arg-type]
        )
        hall.world.venue.cancel(trader.address, str(placed["orderID"]), hall.clock.now_ns)
    hall.after(1)
    kept = await told(trader)
    hall.after(48 * 3_600_000)

    assert len(kept) == OF_ONE_MAX
    assert [row["id"] for row in kept] == sorted((row["id"] for row in kept), reverse=True)
    assert await told(trader) == []


async def test_nothing_is_kept_for_addresses_that_nobody_reads(hall: Hall) -> None:
    """The crowd of the simulation trades all day; it has no key and no use for notices."""
    venue, now_ns = hall.world.venue, hall.clock.now_ns
    venue.deposit("a stranger", Usdc(100 * MILLION))
    stranger = Placement(
        owner="a stranger", order_id="1", token_id=NO, side=Side.BUY, price=Price(480_000),
        size=Shares(10 * MILLION),
    )  # fmt: skip
    venue.place(stranger, now_ns)
    taker = await hall.trader()
    await taker.place(UPDOWN, YES, "BUY", "0.55", "6")
    venue.cancel("a stranger", "1", now_ns)
    hall.after(1)

    assert hall.floor.notices.read("a stranger", now_ns) == []
    assert [notice["type"] for notice in await told(taker)] == [FILLED]

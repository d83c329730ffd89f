"""Splitting, merging, redeeming and converting over the wire, for whoever proves a key."""

from typing import Any

import pytest

from polybawt.core.units import MILLION, Shares
from polybawt.sim import contracts
from polybawt.sim.faults import Fault
from polybawt.venue.http import http_client
from polybawt.venue.onchain import Declined, Onchain, Taken, TransactionRead, Unclear
from tests.exchange.conftest import Open
from tests.exchange.house import (
    FED,
    UPDOWN,
    Hall,
    StillWorld,
    Trader,
    a_market,
    config,
    wallet_of,
)

CONDITION = {"condition_id": UPDOWN.condition_id}


async def sent(trader: Trader, kind: str, **body: Any) -> dict[str, Any]:
    status, answer = await trader.ask("POST", f"/chain/{kind}", body)
    assert status == 200, answer
    return dict(answer)


async def refused(trader: Trader, kind: str, body: object) -> tuple[int, str]:
    status, answer = await trader.ask("POST", f"/chain/{kind}", body)
    return status, answer["error"]


async def state(trader: Trader, transaction_id: str) -> dict[str, Any]:
    status, answer = await trader.ask("GET", f"/chain/transaction/{transaction_id}")
    assert status == 200, answer
    return dict(answer)


def held(hall: Hall, trader: Trader) -> dict[str, int]:
    return hall.floor.venue.holdings(trader.address)


async def test_a_split_is_answered_at_once_and_confirmed_later(hall: Hall) -> None:
    """The states are the relayer's, and so are the bodies (unified SDK, relayer models)."""
    trader = await hall.trader()
    answer = await sent(trader, "split", **CONDITION, amount="25000000")
    states = []
    for _ in range(6):
        states.append((await state(trader, answer["transactionID"]))["state"])
        hall.after(1_000)

    assert set(answer) == {"transactionID", "transactionHash", "state"}
    assert answer["state"] == "STATE_NEW"
    assert states == [
        "STATE_NEW", "STATE_EXECUTED", "STATE_MINED", "STATE_MINED", "STATE_MINED",
        "STATE_CONFIRMED",
    ]  # fmt: skip
    assert held(hall, trader) == {
        "": 975 * MILLION, UPDOWN.yes_token: 25 * MILLION, UPDOWN.no_token: 25 * MILLION,
    }  # fmt: skip
    record = await state(trader, answer["transactionID"])
    assert record["transaction_hash"] == answer["transactionHash"]
    assert record["error_msg"] is None
    assert (record["type"], record["amount"]) == ("split", "25000000")


async def test_a_merge_gives_the_dollars_back(hall: Hall) -> None:
    trader = await hall.trader()
    await sent(trader, "split", **CONDITION, amount=25 * MILLION)
    hall.after(5_000)
    await sent(trader, "merge", **CONDITION, amount="25000000")
    hall.after(5_000)

    assert held(hall, trader) == {"": 1_000 * MILLION}


async def test_a_failed_transaction_says_so_and_moved_nothing(hall: Hall) -> None:
    """A fault on request: failure is a state, not an error of the answer."""
    trader = await hall.trader()
    hall.floor.faults.add([Fault(kind="fail_transaction", seconds=1.0, count=1)])
    answer = await sent(trader, "split", **CONDITION, amount="25000000")
    hall.after(5_000)
    record = await state(trader, answer["transactionID"])

    assert record["state"] == "STATE_FAILED"
    assert record["error_msg"] == contracts.FAILED
    assert held(hall, trader) == {"": 1_000 * MILLION}
    assert hall.floor.faults.tally["fail_transaction"] == 1


async def test_a_lost_answer_can_be_asked_for_again(hall: Hall) -> None:
    """Same request, same nonce: one transaction, however often it is posted. Proves: H5."""
    trader = await hall.trader()
    body = {**CONDITION, "amount": "1000000", "nonce": "41"}
    first, again = await sent(trader, "split", **body), await sent(trader, "split", **body)
    other = await sent(trader, "split", **(body | {"nonce": "42"}))
    hall.after(5_000)

    assert first["transactionID"] == again["transactionID"] != other["transactionID"]
    assert held(hall, trader)[UPDOWN.yes_token] == 2 * MILLION


async def test_no_shares_of_an_event_are_converted(opened: Open) -> None:
    """Two NO of three questions become one dollar and one YES of the third."""
    event = [
        a_market(f"q{n}", neg_risk=True, symbol="", neg_risk_id="0xe", event_id="7")
        for n in range(3)
    ]
    hall = await opened(StillWorld(*event))
    trader = await hall.trader()
    for market in event[:2]:
        hall.floor.venue.grant(trader.address, market.no_token, Shares(10 * MILLION))
    named = [market.condition_id for market in event[:2]]
    await sent(trader, "convert", condition_ids=named, amount="10000000")
    hall.after(5_000)

    assert held(hall, trader) == {"": 1_010 * MILLION, event[2].yes_token: 10 * MILLION}


async def test_a_resolved_market_is_redeemed_by_whoever_holds_it(opened: Open) -> None:
    """Where the venue does not redeem by itself."""
    world = StillWorld(UPDOWN)
    world.venue._closing._auto_redeem = False
    hall = await opened(world)
    trader = await hall.trader()
    await sent(trader, "split", **CONDITION, amount="10000000")
    hall.after(5_000)
    early = await refused(trader, "redeem", CONDITION)
    headers = {"Authorization": "Bearer admin"}
    body = {**CONDITION, "action": "report", "yes": "1"}
    await hall.client.post("/admin/resolution", json=body, headers=headers)
    answer = await sent(trader, "redeem", **CONDITION)
    hall.after(5_000)

    assert early == (400, contracts.UNRESOLVED)
    assert (await state(trader, answer["transactionID"]))["state"] == "STATE_CONFIRMED"
    assert held(hall, trader) == {"": 1_000 * MILLION}


async def test_a_wallet_of_the_account_has_its_own_purse(opened: Open) -> None:
    """``signature_type`` names who pays, as with orders."""
    wallet = wallet_of(0, 3, collateral=50 * MILLION)
    hall = await opened(told=config(wallets=(wallet,)))
    trader = await hall.trader()
    answer = await sent(trader, "split", **CONDITION, amount="50000000", signature_type=3)
    hall.after(5_000)

    assert hall.floor.venue.total(wallet.address, UPDOWN.no_token) == 50 * MILLION
    assert (await state(trader, answer["transactionID"]))["state"] == "STATE_CONFIRMED"
    assert (await refused(trader, "split", {**CONDITION, "amount": "1", "signature_type": 1}))[
        0
    ] == 400


async def test_only_its_own_account_can_read_a_transaction(hall: Hall) -> None:
    one, other = await hall.trader(0), await hall.trader(1)
    answer = await sent(one, "split", **CONDITION, amount="1000000")
    path = f"/chain/transaction/{answer['transactionID']}"

    assert (await other.ask("GET", path))[0] == 404
    assert (await one.ask("GET", "/chain/transaction/none"))[0] == 404
    assert (await hall.client.get(path)).status == 401
    assert (await hall.client.post("/chain/split", json=CONDITION)).status == 401


@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        ("steal", {**CONDITION, "amount": "1"}, "Invalid payload"),
        ("split", [], "Invalid payload"),
        ("split", {**CONDITION}, "Invalid payload"),
        ("split", {**CONDITION, "amount": "-1"}, "Invalid payload"),
        ("split", {**CONDITION, "amount": 1.5}, "Invalid payload"),
        ("split", {**CONDITION, "amount": True}, "Invalid payload"),
        ("split", {**CONDITION, "amount": "9" * 19}, "Invalid payload"),
        ("split", {**CONDITION, "amount": "1", "nonce": 5}, "Invalid payload"),
        ("split", {**CONDITION, "amount": "1", "to": "0x"}, "Invalid payload"),
        ("split", {**CONDITION, "amount": "1", "signature_type": "0"}, "Invalid payload"),
        ("split", {**CONDITION, "condition_ids": [], "amount": "1"}, "Invalid payload"),
        ("split", {"condition_ids": [5], "amount": "1"}, "Invalid payload"),
        ("split", {"condition_id": "0x", "amount": "1"}, contracts.UNKNOWN_CONDITION),
        ("split", {**CONDITION, "amount": "0"}, contracts.NO_AMOUNT),
        ("split", {**CONDITION, "amount": "1000000001"}, contracts.TOO_LITTLE),
        ("merge", {**CONDITION, "amount": "1"}, contracts.TOO_LITTLE),
        ("convert", {**CONDITION, "amount": "1"}, contracts.NOT_CONVERTIBLE),
        ("convert", {"condition_id": FED.condition_id, "amount": "1"}, contracts.NOT_CONVERTIBLE),
    ],
)
async def test_what_cannot_be_is_refused_in_words(
    hall: Hall, kind: str, body: object, text: str
) -> None:
    """Never a 500 of ours."""
    trader = await hall.trader()

    assert await refused(trader, kind, body) == (400, text)
    assert held(hall, trader) == {"": 1_000 * MILLION}


# The engine's own adapter.


async def test_our_adapter_splits_merges_and_reads_what_became_of_it(hall: Hall) -> None:
    """What one side writes the other reads; a lost answer is asked for again. Proves: H5"""
    trader = await hall.trader()
    http = http_client(str(hall.client.make_url("/")).rstrip("/"))
    chain = Onchain(http, trader.address, trader.credentials, clock=hall.clock)
    hall.floor.faults.add([Fault(kind="answer_lost", path="/chain/split", count=1)])
    lost = await chain.split(UPDOWN.condition_id, Shares(9 * MILLION), "1")
    taken = await chain.split(UPDOWN.condition_id, Shares(9 * MILLION), "1")
    assert isinstance(taken, Taken)
    early = await chain.transaction(taken.transaction_id)
    hall.after(5_000)
    late = await chain.transaction(taken.transaction_id)
    too_much = await chain.merge(UPDOWN.condition_id, Shares(10 * MILLION), "2")
    merged = await chain.merge(UPDOWN.condition_id, Shares(9 * MILLION), "3")
    unpaid = await chain.redeem(UPDOWN.condition_id, "4")
    alone = await chain.convert((UPDOWN.condition_id,), Shares(MILLION), "5")
    missing = await chain.transaction("none")
    hall.after(5_000)
    await http.aclose()

    assert isinstance(lost, Unclear)
    assert isinstance(early, TransactionRead)
    assert isinstance(late, TransactionRead)
    assert (early.state, early.final) == ("NEW", False)
    assert (late.state, late.done) == ("CONFIRMED", True)
    assert isinstance(merged, Taken)
    assert too_much == Declined(f"400 {contracts.TOO_LITTLE}")
    assert unpaid == Declined(f"400 {contracts.UNRESOLVED}")
    assert alone == Declined(f"400 {contracts.NOT_CONVERTIBLE}")
    assert isinstance(missing, Declined)
    assert held(hall, trader) == {"": 1_000 * MILLION}

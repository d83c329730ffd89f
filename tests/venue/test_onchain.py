"""Requests to the contracts: what is sent, and what each answer means."""

from typing import Any

import orjson
import pytest

from polybawt.core import facts
from polybawt.core.commands import Convert, ReadConversion
from polybawt.core.machine import Fact
from polybawt.core.machines import conversion
from polybawt.core.units import SECOND_NS, Shares
from polybawt.venue.backoff import Backoff
from polybawt.venue.onchain import (
    Declined,
    Onchain,
    Taken,
    TransactionRead,
    Unclear,
)
from polybawt.venue.signing import Credentials, hmac_signature
from tests.venue.loopback import GARBAGE, RESET, Say, Scripted, scripted

SECRET = "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHg="
KEYS = Credentials(key="key", secret=SECRET, passphrase="pass")
NEW = {"transactionID": "t-1", "transactionHash": "0xab", "state": "STATE_NEW"}


def onchain(server: Scripted, **other: Any) -> Onchain:
    return Onchain(
        server.http, "0xme", KEYS, clock=lambda: 1_700_000_000 * SECOND_NS,
        backoff=Backoff(0.0, 0.0), **other,
    )  # fmt: skip


async def test_each_operation_names_what_it_wants_and_proves_who_asks() -> None:
    """The bytes that are signed are the bytes that are sent."""
    async with scripted([Say(200, NEW)] * 4) as server:
        chain = onchain(server, signature_type=3)
        answers = [
            await chain.split("0xc", Shares(5_000_000), "1"),
            await chain.merge("0xc", Shares(5_000_000), "2"),
            await chain.redeem("0xc", "3"),
            await chain.convert(("0xc", "0xd"), Shares(7), "4"),
        ]

    assert answers == [Taken("t-1", "NEW")] * 4
    assert [(one.method, one.path) for one in server.heard] == [
        ("POST", "/chain/split"), ("POST", "/chain/merge"), ("POST", "/chain/redeem"),
        ("POST", "/chain/convert"),
    ]  # fmt: skip
    bodies = [orjson.loads(one.body) for one in server.heard]
    assert [body.pop("nonce") for body in bodies] == ["1", "2", "3", "4"]
    assert {body.pop("signature_type") for body in bodies} == {3}
    assert bodies == [
        {"condition_ids": ["0xc"], "amount": "5000000"},
        {"condition_ids": ["0xc"], "amount": "5000000"},
        {"condition_ids": ["0xc"]},
        {"condition_ids": ["0xc", "0xd"], "amount": "7"},
    ]
    for one in server.heard:
        expected = hmac_signature(SECRET, "1700000000", "POST", one.path, one.body)
        assert one.headers["POLY_SIGNATURE"] == expected


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (Say(200, NEW | {"state": "STATE_MINED"}), Taken("t-1", "MINED")),
        (Say(400, {"error": "wallet busy"}), Declined("400 wallet busy")),
        (Say(401, {"error": "Unauthorized/Invalid api key"}),
         Declined("401 Unauthorized/Invalid api key")),
        (Say(429, {"error": "Too Many Requests"}), Declined("429 Too Many Requests")),
        (Say(200, NEW | {"state": "STATE_LOST"}), Unclear),
        (Say(200, NEW | {"transactionID": ""}), Unclear),
        (Say(200, {}), Unclear),
        (Say(200, b"<html>"), Unclear),
        (Say(400, b"<html>"), Unclear),
        (Say(500, {"error": "Internal server error"}), Unclear),
        (RESET, Unclear),
        (GARBAGE, Unclear),
        (Say(200, NEW, cut=True), Unclear),
    ],
)  # fmt: skip
async def test_an_answer_is_yes_no_or_unknown(step: Say | str, expected: Any) -> None:
    """Money may have moved whenever nobody said that it has not; it is asked once. Proves: H5"""
    async with scripted([step, Say(200, NEW)]) as server:
        answer = await onchain(server).split("0xc", Shares(1), "1")

        assert len(server.heard) == 1
    assert answer == expected or isinstance(answer, expected if isinstance(expected, type) else ())


@pytest.mark.parametrize(
    ("record", "expected", "final", "done"),
    [
        ({"state": "STATE_EXECUTED", "transaction_hash": None, "error_msg": None},
         TransactionRead(transaction_id="t-1", state="EXECUTED", tx_hash="", error=""),
         False, False),
        ({"state": "STATE_CONFIRMED", "transaction_hash": "0xab"},
         TransactionRead(transaction_id="t-1", state="CONFIRMED", tx_hash="0xab", error=""),
         True, True),
        ({"state": "STATE_FAILED", "transaction_hash": "0xab", "error_msg": "reverted"},
         TransactionRead(transaction_id="t-1", state="FAILED", tx_hash="0xab", error="reverted"),
         True, False),
    ],
)  # fmt: skip
async def test_a_transaction_is_read_until_it_is_final(
    record: dict[str, Any], expected: TransactionRead, final: bool, done: bool
) -> None:
    """A lost read is simply repeated."""
    async with scripted([RESET, Say(500, b""), Say(200, record)]) as server:
        got = await onchain(server).transaction("t-1")

    assert got == expected
    assert isinstance(got, TransactionRead)
    assert (got.final, got.done) == (final, done)
    assert {one.path for one in server.heard} == {"/chain/transaction/t-1"}


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([Say(404, {"error": "transaction not found"})], Declined("404 transaction not found")),
        ([Say(404, b"<html>")], Unclear),
        ([Say(200, {"state": 5})], Unclear),
        ([RESET] * 4, Unclear),
    ],
)
async def test_a_read_that_says_nothing_is_no_proof(steps: list[Say | str], expected: Any) -> None:
    async with scripted(steps) as server:
        got = await onchain(server).transaction("t-1")

    assert got == expected or isinstance(got, expected if isinstance(expected, type) else ())


CONVERT = Convert(
    conversion_id="c1", kind="merge", condition_ids=("0xc",), amount=Shares(7), name="c1-9"
)
NOW = {"at_ns": 1_700_000_000 * SECOND_NS, "conversion_id": "c1"}


@pytest.mark.parametrize(
    ("answer", "means"),
    [
        (Say(200, NEW), conversion.AckTaken(**NOW, transaction_id="t-1")),
        (Say(400, {"error": "too little"}), conversion.AckDeclined(**NOW, reason="400 too little")),
    ],
)
async def test_what_the_kernel_asks_is_answered_in_its_words(answer: Say, means: Fact) -> None:
    """The name of a request is its nonce: the same again is the same transaction."""
    async with scripted([answer]) as server:
        assert await onchain(server).carry(CONVERT) == means
    assert orjson.loads(server.heard[0].body)["nonce"] == "c1-9"


async def test_silence_is_told_as_silence() -> None:
    async with scripted([RESET]) as server:
        answer = await onchain(server).carry(CONVERT)
    assert isinstance(answer, conversion.AckLost)


@pytest.mark.parametrize(
    ("state", "means"),
    [
        ("STATE_NEW", conversion.SeenMoving(**NOW)),
        ("STATE_EXECUTED", conversion.SeenMoving(**NOW)),
        ("STATE_MINED", conversion.SeenMined(**NOW)),
        ("STATE_CONFIRMED", conversion.SeenConfirmed(**NOW)),
        ("STATE_FAILED", conversion.SeenFailed(**NOW, reason="reverted")),
        ("STATE_INVALID", conversion.SeenFailed(**NOW, reason="reverted")),
    ],
)
async def test_how_far_it_is_is_told_by_the_state(state: str, means: Fact) -> None:
    body = {"state": state, "transaction_hash": "0x1", "error_msg": "reverted"}
    async with scripted([Say(200, body)]) as server:
        read = ReadConversion(conversion_id="c1", transaction_id="t-1")
        assert await onchain(server).look(read) == means


async def test_a_transaction_that_is_not_found_is_a_read_that_failed() -> None:
    """It may be shown later: nothing is concluded from that it is not shown."""
    async with scripted([Say(404, {"error": "transaction not found"})]) as server:
        read = ReadConversion(conversion_id="c1", transaction_id="t-1")
        assert isinstance(await onchain(server).look(read), facts.ReadFailed)

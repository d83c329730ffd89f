"""The CLOB adapter against a real server that says, or fails to say, anything at all."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from attrs import evolve

from polybawt.core import commands, facts
from polybawt.core.machines import order, venue_mode
from polybawt.core.market import Side
from polybawt.core.units import Price, Shares
from polybawt.venue import signing
from polybawt.venue.backoff import Backoff
from polybawt.venue.clob import Clob
from polybawt.venue.limits import Limits, Rates
from polybawt.venue.login import VenueRefused, VenueUnreachable
from tests.venue.loopback import GARBAGE, RESET, SILENCE, Say, Scripted, scripted

KEY = "0x" + "11" * 32
NOW_NS = 1_700_000_000_000_000_000
SECRET = base64.urlsafe_b64encode(b"x" * 32).decode()
CREDENTIALS: dict[str, object] = {"apiKey": "k-1", "secret": SECRET, "passphrase": "hush"}
TOKEN = "25070934348813416902477876984955073880416401960631253331845590271167412497744"
SIGN = commands.SignOrder(
    intent_id="i-1",
    condition_id="0xc0",
    token_id=TOKEN,
    side=Side.BUY,
    price=Price(520_000),
    size=Shares(10_000_000),
    expiration_s=1_700_000_240,
    post_only=True,
    salt=12_345,
    timestamp_ms=1_700_000_000_000,
    neg_risk=False,
    version="v1",
)
ID = "0x108756d21f0386517dbe158f7be8e4c4d2412c5a04d1b456c7c69e851d58377c"  # reference 3.3
POST = commands.PostOrder(intent_id="i-1", order_id=ID, payload='{"order":"signed"}')
CANCEL = commands.CancelOrder(intent_id="i-1", order_id=ID)
READ = commands.ReadOrder(intent_id="i-1", order_id=ID)
HTML = "<!DOCTYPE html><html><title>Attention Required! | Cloudflare</title></html>"


@asynccontextmanager
async def clob_with(
    *steps: Say | str, deadline_s: float = 5.0, **options: Any
) -> AsyncIterator[tuple[Clob, Scripted]]:
    """A client that has logged in, at a server that will answer with ``steps``."""
    async with scripted([Say(200, CREDENTIALS)]) as server:
        clob = Clob(
            server.http,
            signing.Account(KEY),
            chain_id=137,
            clock=lambda: NOW_NS,
            backoff=Backoff(0.0, 0.0),
            deadline_s=deadline_s,
            **options,
        )
        await clob.login()
        server.heard.clear()
        server.then(*steps)
        yield clob, server


def accepted(status: str = "live", **more: object) -> dict[str, object]:
    return {"success": True, "errorMsg": "", "orderID": ID, "status": status, **more}


def error(words: str, **more: object) -> dict[str, object]:
    return {"error": words, **more}


ACK, DELAYED, REJECT = order.AckLive, order.AckDelayed, order.Reject
DUPLICATE, TIMEOUT = order.Duplicate, order.Timeout

PLACEMENTS: list[tuple[Say | str, type[order.Action]]] = [
    # 1.7: accepted
    (Say(200, accepted("live", makingAmount="", takingAmount="")), ACK),
    (Say(200, accepted("matched", makingAmount="5.2", tradeIDs=["t"])), ACK),
    (Say(200, accepted("delayed")), DELAYED),
    (Say(200, accepted("LIVE")), ACK),
    (Say(200, accepted(errorMsg=None)), ACK),
    (Say(200, accepted(orderID="0x" + ID[2:].upper())), ACK),
    # 1.7: neither yes nor no
    (Say(200, accepted("unmatched")), TIMEOUT),
    (Say(200, accepted("resting-somehow")), TIMEOUT),
    (Say(200, accepted("live", success=False)), TIMEOUT),
    (Say(200, accepted(orderID="0x" + "ab" * 32)), TIMEOUT),
    (Say(200, accepted(orderID=17)), TIMEOUT),
    # 1.7: refused inside a 200, whatever the status says
    (Say(200, accepted("live", errorMsg="not enough balance / allowance")), REJECT),
    (Say(200, accepted("delayed", success=False, errorMsg="post-only mode", orderID="")), REJECT),
    (Say(200, accepted("live", orderID="")), REJECT),
    (Say(200, accepted(errorMsg=f"order {ID} is invalid. Duplicated.")), DUPLICATE),
    (Say(200, accepted(errorMsg="order match delayed due to market conditions")), TIMEOUT),
    # 1.14, global
    (Say(401, error("Unauthorized/Invalid api key")), REJECT),
    (Say(401, error("Invalid L1 Request headers")), REJECT),
    (Say(403, HTML), REJECT),
    (Say(404, error("market not found")), REJECT),
    (Say(425, "service not ready"), REJECT),
    (Say(425, b""), REJECT),
    (Say(429, error("Too Many Requests"), {"Retry-After": "1"}), REJECT),
    (Say(400, error("context canceled")), TIMEOUT),
    # 1.14, payload and identity
    (Say(400, error("Invalid order payload")), REJECT),
    (Say(400, error("the order owner has to be the owner of the API KEY")), REJECT),
    (Say(400, error("the order signer address has to be the address of the API KEY")), REJECT),
    (Say(400, error("'0xabc' address banned")), REJECT),
    (Say(400, error("'0xabc' address in closed only mode")), REJECT),
    (Say(400, error("maker address not allowed, please use the deposit wallet flow")), REJECT),
    (Say(400, error("order_version_mismatch")), REJECT),
    (Say(400, error("invalid order version, please use the latest clob-client")), REJECT),
    # 1.14, price, size, balance, expiry
    (Say(400, error(f"order {ID} is invalid. Price (0.555) breaks minimum tick size")), REJECT),
    (Say(400, error(f"order {ID} is invalid. Size (1) lower than the minimum: 5")), REJECT),
    (Say(400, error("invalid amount for a marketable BUY order ($0.5), min size: $1")), REJECT),
    (Say(400, error("invalid amounts, the market buy orders maker amount supports …")), REJECT),
    (Say(400, error(f"order {ID} is invalid. Duplicated.")), DUPLICATE),
    (Say(400, error("not enough balance / allowance")), REJECT),
    (Say(400, error("the allowance is not enough -> spender: 0x")), REJECT),
    (Say(400, error("invalid expiration")), REJECT),
    (Say(400, error("invalid nonce")), REJECT),
    (Say(400, error("order canceled in the CTF exchange contract")), REJECT),
    # 1.14, crossing, delay, FOK, FAK, market
    (Say(400, error("invalid post-only order: order crosses book")), REJECT),
    (Say(400, error(f"order {ID} crosses the book")), REJECT),
    (Say(400, error("order match delayed due to market conditions")), TIMEOUT),
    (Say(400, error("order couldn't be fully filled. FOK orders are …")), REJECT),
    (Say(400, error("no orders found to match with FAK order. FAK …")), REJECT),
    (Say(400, error("the market is not yet ready to process new orders")), REJECT),
    # 1.14, HTTP 500: only the first is a sure refusal
    (Say(500, error("order timed out")), REJECT),
    (Say(500, error("could not insert order")), TIMEOUT),
    (Say(500, error("could not run the execution")), TIMEOUT),
    (Say(500, error("there are no matching orders")), TIMEOUT),
    (Say(500, error("FOK orders are filled or killed")), TIMEOUT),
    (Say(500, error("the trade contains rounding issues")), TIMEOUT),
    (Say(500, error("Internal server error")), TIMEOUT),
    # 1.14, modes
    (
        Say(503, error("post-only mode: only post-only orders …", code="post_only_mode")),
        REJECT,
    ),
    (Say(503, error("Trading is currently cancel-only. New orders are not accepted …")), REJECT),
    (Say(503, error("Trading is currently disabled. Check polymarket.com …")), REJECT),
    (Say(503, error("trading is disabled")), REJECT),
    (Say(503, error("upstream connect error")), TIMEOUT),
    (Say(502, HTML), TIMEOUT),
    (Say(504, b""), TIMEOUT),
    # bodies that are not the venue's
    (Say(200, HTML), TIMEOUT),
    (Say(200, b""), TIMEOUT),
    (Say(200, b"null"), TIMEOUT),
    (Say(200, b'{"success":true,"orderID":"0x10'), TIMEOUT),
    (Say(200, {"status": "ok"}), TIMEOUT),
    (Say(200, []), TIMEOUT),
    (Say(201, accepted()), TIMEOUT),
    (Say(302, b"", {"Location": "/elsewhere"}), TIMEOUT),
    (Say(400, HTML), TIMEOUT),
    (Say(400, b""), TIMEOUT),
    (Say(400, {"error": {"nested": "duplicated"}}), TIMEOUT),
    (Say(408, error("request timeout")), TIMEOUT),
    # no answer
    (RESET, TIMEOUT),
    (SILENCE, TIMEOUT),
    (GARBAGE, TIMEOUT),
    (Say(200, accepted(), cut=True), TIMEOUT),
]


@pytest.mark.parametrize(("step", "expected"), PLACEMENTS, ids=lambda x: repr(x)[:90])
async def test_an_answer_to_an_order_is_yes_no_or_unknown(
    step: Say | str, expected: type[order.Action]
) -> None:
    """A refusal that is none gets the order signed twice; an acceptance that is none hides a loss.

    Proves: H5, P1.2, A-exec, P3.4
    """
    async with clob_with(step, deadline_s=0.2 if step == SILENCE else 5.0) as (clob, server):
        fact = await clob.post(POST)

        assert expected is type(fact), fact
        assert (fact.intent_id, fact.at_ns) == ("i-1", NOW_NS)
        assert len(server.heard) == 1  # never sent again by the adapter itself


async def test_a_refusal_says_why_with_its_status_and_code() -> None:
    """Modes of the venue are told from mistakes of ours by these words."""
    body = error("post-only mode: only post-only orders and cancels", code="post_only_mode")
    async with clob_with(Say(503, body), Say(425, b"")) as (clob, _):
        mode, restart = await clob.post(POST), await clob.post(POST)

        assert isinstance(mode, order.Reject)
        assert mode.reason.startswith("503 post_only_mode: post-only mode")
        assert isinstance(restart, order.Reject)
        assert restart.reason.startswith("425 ")


async def test_an_order_is_signed_once_and_posted_byte_for_byte() -> None:
    """The id is known before sending, and what is sent is what was journaled.

    Proves: H5, P1.2, P3.4
    """
    async with clob_with(Say(200, accepted())) as (clob, server):
        signed = clob.sign(SIGN)
        post = commands.PostOrder(intent_id="i-1", order_id=signed.order_id, payload=signed.payload)
        await clob.post(post)

        assert signed.order_id == ID
        assert server.heard[0].body == signed.payload
        body = json.loads(signed.payload)
        assert body["order"].pop("signature").startswith("0x73d74092")  # reference 3.3
        assert body == {
            "order": {
                "salt": 12_345,
                "maker": "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A",
                "signer": "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A",
                "tokenId": TOKEN,
                "makerAmount": "5200000",
                "takerAmount": "10000000",
                "side": "BUY",
                "expiration": "1700000240",
                "signatureType": 0,
                "timestamp": "1700000000000",
                "metadata": "0x" + "00" * 32,
                "builder": "0x" + "00" * 32,
            },
            "owner": "k-1",
            "orderType": "GTD",
            "deferExec": False,
            "postOnly": True,
        }


async def test_a_request_proves_itself_over_its_exact_bytes() -> None:
    """The venue recomputes the HMAC over what it received. Reference 2.2's own vectors."""
    post = commands.PostOrder(intent_id="i-1", order_id=ID, payload='{"a":1}')
    async with clob_with(Say(200, accepted()), Say(200, {"data": []})) as (clob, server):
        await clob.post(post)
        await clob.read_open_orders()

        sent, asked = (request.headers for request in server.heard)
        assert sent["POLY_SIGNATURE"] == "31s0aVvi3EOg33HH5o7yBt2tQB3d41PDdG-mS2lj9wc="
        assert asked["POLY_SIGNATURE"] == "QCC2girr8LEUViBR3EqelUGGHnKKyMQH4LEgmlFcRW8="
        assert (sent["POLY_TIMESTAMP"], sent["POLY_API_KEY"]) == ("1700000000", "k-1")
        assert sent["POLY_PASSPHRASE"] == "hush"


async def test_a_deposit_wallet_is_maker_and_signer_of_its_orders() -> None:
    """New accounts can place no other kind (reference 0.6 and 2.3)."""
    wallet = "0x" + "22" * 20
    async with clob_with(signature_type=signing.POLY_1271, funder=wallet) as (clob, _):
        signed = clob.sign(SIGN)

        terms = json.loads(signed.payload)["order"]
        assert (terms["maker"], terms["signer"], terms["signatureType"]) == (wallet, wallet, 3)
        assert signed.order_id.endswith("4c2b3c43822894188cf1a2675ec5fbc26e"[-20:])


# Login.


async def test_a_login_derives_the_key_that_exists() -> None:
    """Creating fails for every account that ever logged in."""
    async with scripted([Say(400, error("Could not create api key")), Say(200, CREDENTIALS)]) as s:
        clob = Clob(s.http, signing.Account(KEY), chain_id=137, clock=lambda: NOW_NS)
        credentials = await clob.login()

        assert credentials.key == "k-1"
        assert [(request.method, request.path) for request in s.heard] == [
            ("POST", "/auth/api-key"),
            ("GET", "/auth/derive-api-key"),
        ]
        assert s.heard[0].headers["POLY_SIGNATURE"].startswith("0x0f08c184141f23f6")  # 2.1


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([Say(401, error("Invalid L1 Request headers"))], VenueRefused),
        ([Say(403, HTML)], VenueRefused),
        ([Say(400, error("no")), Say(400, error("Could not derive api key!"))], VenueRefused),
        ([RESET], VenueUnreachable),
        ([Say(200, HTML)], VenueUnreachable),
        ([Say(200, {"apiKey": "k-1", "secret": "hush"})], VenueUnreachable),
    ],
    ids=str,
)
async def test_a_login_that_fails_says_so_and_shows_no_secret(
    steps: list[Say | str], expected: type[Exception]
) -> None:
    """At start-up there is nobody to tell by a fact: refused and unreachable are two errors."""
    async with scripted(steps) as s:
        clob = Clob(s.http, signing.Account(KEY), chain_id=137, clock=lambda: NOW_NS)
        with pytest.raises(expected) as failure:
            await clob.login()

        assert "hush" not in str(failure.value)
        assert "11111111" not in str(failure.value)


# Cancels.


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (Say(200, {"canceled": [ID], "not_canceled": {}}), order.CancelDone),
        (Say(200, {"canceled": [ID]}), order.CancelDone),
        (
            Say(200, {"canceled": [], "not_canceled": {ID: "Order already matched"}}),
            order.CancelRefused,
        ),
        (Say(200, {"canceled": [], "not_canceled": {}}), order.CancelTimeout),
        (Say(200, {"canceled": ["0xother"], "not_canceled": None}), order.CancelTimeout),
        (Say(200, {"ok": True}), order.CancelTimeout),
        (Say(200, {"canceled": "all"}), order.CancelTimeout),
        (Say(200, HTML), order.CancelTimeout),
        (Say(400, error("Invalid orderID")), order.CancelRefused),
        (Say(425, "service not ready"), order.CancelRefused),
        (Say(500, error("Internal server error")), order.CancelTimeout),
        (RESET, order.CancelTimeout),
    ],
    ids=lambda x: repr(x)[:80],
)
async def test_a_cancel_is_done_refused_or_unknown(
    step: Say | str, expected: type[order.Action]
) -> None:
    """A cancel that is believed too easily leaves an orphan on the book. Proves: H6, P1.5"""
    # aiohttp repeats a DELETE by itself when an idle connection turns out to be closed
    async with clob_with(step, step) as (clob, server):
        fact = await clob.cancel(CANCEL)

        assert expected is type(fact), fact
        assert server.heard[0].body == json.dumps({"orderID": ID}, separators=(",", ":"))


async def test_a_mass_cancel_reports_each_order_and_what_was_left() -> None:
    """The kill switch must know what still stands. Proves: emergency, kill"""
    body = {"canceled": ["0xa", "0xb"], "not_canceled": {"0xc": "Order already matched"}}
    async with clob_with(Say(200, body), Say(503, HTML), RESET, RESET) as (clob, _):
        told = await clob.cancel_all()
        failed = (*await clob.cancel_all(), *await clob.cancel_all())

        kinds = [(push.order_id, push.kind) for push in told if isinstance(push, facts.OrderPushed)]
        assert kinds == [("0xa", "CANCELLATION"), ("0xb", "CANCELLATION")]
        assert isinstance(told[2], facts.ReadFailed)
        assert "0xc" in told[2].reason
        assert [type(fact) for fact in failed] == [facts.ReadFailed, venue_mode.Silence] * 2


# Reads.


def record(status: str, matched: str = "0", size: str = "10", order_id: str = ID) -> Say:
    fields: dict[str, object] = {"id": order_id, "status": status, "original_size": size}
    return Say(200, {**fields, "size_matched": matched, "market": "0xc0", "price": "0.5"})


def ends(outcome: str, matched: int) -> order.ReadClosed:
    return order.ReadClosed(intent_id="i-1", at_ns=NOW_NS, outcome=outcome, matched=Shares(matched))


def rests(matched: int, delayed: bool = False) -> order.ReadOpen:
    return order.ReadOpen(intent_id="i-1", at_ns=NOW_NS, delayed=delayed, matched=Shares(matched))


MISSING = order.ReadMissing(intent_id="i-1", at_ns=NOW_NS)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (record("LIVE"), rests(0)),
        (record("ORDER_STATUS_LIVE", "2.5"), rests(2_500_000)),
        (record("live", ""), rests(0)),
        (record("DELAYED"), rests(0, delayed=True)),
        (record("UNMATCHED"), rests(0)),
        (record("MATCHED", "10"), ends("cancelled", 10_000_000)),
        (record("MATCHED", "4"), ends("cancelled", 4_000_000)),
        (record("CANCELED"), ends("cancelled", 0)),
        (record("CANCELED_MARKET_RESOLVED", "1"), ends("cancelled", 1_000_000)),
        (record("CANCELED_EXPIRED_ORDER"), ends("expired", 0)),
        (record("CANCELED_BY_A_NEW_REASON"), ends("cancelled", 0)),
        (record("INVALID"), ends("rejected", 0)),
        (Say(404, error("order not found")), MISSING),
        (Say(404, b""), MISSING),
        (Say(200, b""), MISSING),
        (Say(200, b"null"), MISSING),
        (record("SOMETHING_NEW"), None),
        (record("LIVE", "11"), None),
        (record("LIVE", "-1"), None),
        (record("LIVE", size="NaN"), None),
        (record("LIVE", order_id="0xother"), None),
        (Say(404, HTML), None),
        (Say(200, HTML), None),
        (Say(400, error("Invalid orderID")), None),
        (Say(401, error("Unauthorized/Invalid api key")), None),
    ],
    ids=lambda x: repr(x)[:80],
)
async def test_a_record_is_believed_by_its_sizes(step: Say, expected: order.Action | None) -> None:
    """Absence is absence now, and MATCHED may be a part that ended; the rest is no answer.

    Proves: A-exec, B-exec
    """
    async with clob_with(step) as (clob, _):
        fact = await clob.read_order(READ)

        if expected is None:
            assert isinstance(fact, facts.ReadFailed)
            assert fact.what == "ReadOrder"
        else:
            assert fact == expected


async def test_a_read_is_tried_again_and_then_given_up() -> None:
    """Reads are safe to repeat; their number is bounded. Proves: M2"""
    troubles: list[Say | str] = [Say(425, "x"), Say(429, "x", {"Retry-After": "0"}), Say(502, HTML)]
    async with clob_with(*troubles, record("LIVE")) as (clob, server):
        assert await clob.read_order(READ) == rests(0)
        assert len(server.heard) == 4
    async with clob_with(*[Say(500, b"")] * 4) as (clob, server):
        fact = await clob.read_order(READ)

        assert isinstance(fact, facts.ReadFailed)
        assert fact.reason == f"GET /data/order/{ID}: 500, after 4 attempts"


async def test_open_orders_are_read_over_all_pages() -> None:
    """Half a list would look like lost orders. Proves: recovery"""
    pages = [
        Say(200, {"data": [{"id": "0xa"}, {"id": "0xb"}], "next_cursor": "Mg=="}),
        Say(200, {"data": [{"id": "0xc"}], "next_cursor": "LTE="}),
    ]
    async with clob_with(*pages) as (clob, server):
        assert await clob.read_open_orders() == facts.OpenOrdersRead(
            order_ids=("0xa", "0xb", "0xc"), sent_ns=NOW_NS, at_ns=NOW_NS
        )
        assert [request.query["next_cursor"] for request in server.heard] == ["MA==", "Mg=="]


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (Say(200, {"data": [{"id": ""}], "next_cursor": "LTE="}), "id is missing or empty"),
        (Say(200, {"data": [17], "next_cursor": "LTE="}), "expected an object, not int"),
        (Say(200, {"orders": []}), "the page has no rows"),
        (Say(200, {"data": [], "next_cursor": "MA=="}), "the venue repeats a page"),
        (Say(200, HTML), "not JSON"),
        (Say(401, error("Unauthorized/Invalid api key")), "401 Unauthorized/Invalid api key"),
    ],
    ids=lambda x: repr(x)[:80],
)
async def test_a_list_that_is_not_whole_is_no_list(step: Say, reason: str) -> None:
    """An order missing from a broken page is not gone."""
    async with clob_with(step) as (clob, _):
        failed = await clob.read_open_orders()

        assert isinstance(failed, facts.ReadFailed)
        assert failed.reason.startswith(reason)


TRADE: dict[str, object] = {
    "id": "t-1",
    "taker_order_id": "0xtaker",
    "market": "0xc0",
    "asset_id": "1",
    "side": "BUY",
    "size": "10",
    "price": "0.52",
    "status": "TRADE_STATUS_CONFIRMED",
    "match_time": "1700000001",
    "maker_orders": [
        {
            "order_id": ID,
            "asset_id": "2",
            "matched_amount": "4",
            "price": "0.48",
            "side": "BUY",
        }
    ],
}


async def test_trades_are_read_whole_or_said_not_to_be() -> None:
    """A read counts as complete only when every one of its trades was understood."""
    page = {"data": [TRADE], "next_cursor": "LTE="}
    broken = {"data": [TRADE, {**TRADE, "size": "-1"}], "next_cursor": "LTE="}
    command = commands.ReadTrades(condition_id="0xc0", after_s=1_600_000_000)
    async with clob_with(Say(200, page), Say(200, broken)) as (clob, server):
        whole, part = await clob.read_trades(command), await clob.read_trades(command)

        assert server.heard[0].query == {
            "market": "0xc0",
            "after": "1600000000",
            "next_cursor": "MA==",
        }
        trade, done = whole
        assert isinstance(trade, facts.TradeReported)
        assert (trade.status, trade.source, trade.makers[0].token_id) == ("CONFIRMED", "read", "2")
        assert done == facts.TradesRead(condition_id="0xc0", count=1, sent_ns=NOW_NS, at_ns=NOW_NS)
        kinds = [facts.TradeReported, facts.BadInput, facts.ReadFailed]
        assert [type(fact) for fact in part] == kinds


@pytest.mark.parametrize(
    ("command", "asset_type"),
    [
        (commands.ReadBalance(), "COLLATERAL"),
        (commands.ReadBalance(token_id="1"), "CONDITIONAL"),
        (commands.ReadBalance(token_id="1", version="v2"), "CONDITIONAL-V2"),
    ],
    ids=str,
)
async def test_a_balance_is_read_in_millionths(
    command: commands.ReadBalance, asset_type: str
) -> None:
    """Reference 1.12: six-decimal integers already. Proves: P2.4"""
    bad = [Say(200, {"balance": "1.5"}), Say(200, {}), Say(400, error("Invalid asset type"))]
    async with clob_with(Say(200, {"balance": "12500000", "allowances": {}}), *bad) as (clob, s):
        held = await clob.read_balance(command)

        assert held == facts.BalanceRead(
            token_id=command.token_id, amount=12_500_000, sent_ns=NOW_NS, at_ns=NOW_NS
        )
        assert s.heard[0].query["asset_type"] == asset_type
        for _ in bad:
            assert isinstance(await clob.read_balance(command), facts.ReadFailed)


async def test_a_balance_in_doubt_is_refreshed_first() -> None:
    """The venue's copy of it can be minutes old; should it not renew it, the copy is read.

    Proves: P2.4.
    """
    steps = [
        Say(200, ""),
        Say(200, {"balance": "7"}),
        Say(400, error("no")),
        Say(200, {"balance": "8"}),
    ]
    async with clob_with(*steps) as (clob, server):
        held = [await clob.read_balance(commands.ReadBalance(refresh=True)) for _ in range(2)]

        assert [fact.amount for fact in held if isinstance(fact, facts.BalanceRead)] == [7, 8]
        assert [request.path for request in server.heard] == [
            "/balance-allowance/update", "/balance-allowance",
        ] * 2  # fmt: skip


def closed(first: object, second: object, **more: object) -> dict[str, object]:
    tokens = [
        {"token_id": "1", "outcome": "Up", "winner": first},
        {"token_id": "2", "outcome": "Down", "winner": second},
    ]
    return {"condition_id": "0xc0", "closed": True, "tokens": tokens, **more}


@pytest.mark.parametrize(
    ("body", "paid"),
    [
        (closed(True, False), 1_000_000),
        (closed(False, True), 0),
        ({**closed(True, False), "tokens": closed(True, False)["tokens"][::-1]}, 1_000_000),  # type: ignore[index]
        (closed(False, False, is_50_50_outcome=True), 500_000),
        (closed(False, False), None),
        (closed(True, False, closed=False), None),
    ],
)
async def test_the_clob_names_the_winner_of_a_closed_market(
    body: dict[str, object], paid: int | None
) -> None:
    """A second voice beside Gamma and the stream (5.3); closed is not yet paid. Proves: C1"""
    async with clob_with(Say(200, body)) as (clob, server):
        said = await clob.read_outcome("0xc0")

        assert server.heard[0].path == "/markets/0xc0"
        if paid is None:
            assert said is None
        else:
            assert isinstance(said, facts.MarketResolved)
            assert (said.yes_payout, said.no_payout) == (paid, 1_000_000 - paid)
            assert said.source == "clob"


@pytest.mark.parametrize(
    "odd",
    [
        Say(404, error("x")),
        Say(200, closed(True, True)),
        Say(200, closed(True, False, is_50_50_outcome=True)),
        Say(200, closed(True, False, condition_id="0xc1")),
        Say(200, closed(True, False, tokens=[])),
        Say(200, []),
        Say(200, "x"),
    ],
)
async def test_an_odd_record_of_a_market_pays_nothing(odd: Say) -> None:
    """Proves: C1."""
    async with clob_with(odd) as (clob, _):
        assert isinstance(await clob.read_outcome("0xc0"), facts.ReadFailed)


async def test_a_book_is_that_of_the_token_asked_for() -> None:
    """A proxy that answers for another token would price the wrong thing. Proves: absurd prices"""
    body: dict[str, object] = {
        "market": "0xc0",
        "asset_id": "1",
        "timestamp": "1700000000000",
        "hash": "53950cfe",
        "bids": [{"price": "0.48", "size": "30"}],
        "asks": [],
        "min_order_size": "5",
        "tick_size": "0.01",
        "neg_risk": False,
        "last_trade_price": "0.500",
    }
    wrong = [Say(200, {**body, "asset_id": "2"}), Say(200, {**body, "bids": [{"price": "-1"}]})]
    none = Say(404, error("No orderbook exists for the requested token id"))
    async with clob_with(Say(200, body), *wrong, Say(200, HTML), none) as (clob, server):
        answers = [await clob.fetch_book(commands.FetchBook(token_id="1")) for _ in range(5)]

        book = answers[0]
        assert isinstance(book, facts.BookSnapshot)
        assert (book.source, book.last_trade, book.min_size) == ("rest", "0.500", "5")
        assert book.asked_ns is not None
        assert book.asked_ns <= book.at_ns  # it is as old as the question
        kinds = [facts.BadInput] * 3 + [facts.ReadFailed]
        assert [type(answer) for answer in answers[1:]] == kinds
        assert "POLY_API_KEY" not in server.heard[0].headers


async def test_the_heartbeat_chain_is_taken_up_again_where_the_venue_says() -> None:
    """A lost beat may have counted; without recovery every order would be cancelled."""
    steps: list[Say | str] = [
        Say(200, {"heartbeat_id": "h-1"}),
        RESET,
        Say(400, {"error_msg": "Invalid Heartbeat ID", "heartbeat_id": "h-2"}),
        Say(200, {"heartbeat_id": "h-3"}),
        Say(500, HTML),
    ]
    async with clob_with(*steps) as (clob, server):
        beats = [await clob.heartbeat() for _ in range(4)]

        assert beats == [True, False, True, False]
        sent = [json.loads(request.body)["heartbeat_id"] for request in server.heard]
        assert sent == ["", "h-1", "h-1", "h-2", "h-3"]


async def test_the_venues_clock_is_read() -> None:
    """Signatures carry it, and the allowed skew is not documented."""
    async with clob_with(Say(200, b"1700000001\n"), Say(200, b"soon")) as (clob, _):
        assert await clob.server_time_ns() == 1_700_000_001_000_000_000
        assert isinstance(await clob.server_time_ns(), facts.ReadFailed)


def test_a_size_that_would_be_rounded_is_never_signed() -> None:
    """Another size is another order than the one that was journaled."""
    clob = Clob(None, signing.Account(KEY), chain_id=137, clock=lambda: 0)  # type: ignore[arg-type]
    with pytest.raises(AssertionError):
        clob.sign(evolve(SIGN, size=Shares(10_001)))


# What an answer tells of the venue.

RESTING = evolve(POST, payload='{"order":"signed","postOnly":true}')
CLOSED = "Trading is currently disabled. Check polymarket.com for updates"
CANCEL_ONLY = "Trading is currently cancel-only. New orders are not accepted, but cancels are …"
POST_ONLY = "post-only mode: only post-only orders and cancels are allowed"


def taken(request: str) -> venue_mode.Answered:
    return venue_mode.Answered(name="clob", request=request, sent_ns=NOW_NS, at_ns=NOW_NS)


def named(answer: Say, mode: str, wait_s: int = 0) -> tuple[Say, str, int]:
    return answer, mode, wait_s


@pytest.mark.parametrize(
    ("step", "mode", "wait_s"),
    [
        named(Say(425, "service not ready"), "restarting"),
        named(Say(425, b"", {"Retry-After": "7"}), "restarting", 7),
        named(Say(425, HTML), "restarting"),
        named(
            Say(503, error(POST_ONLY, code="post_only_mode", retry_after_seconds=79)),
            "post_only",
            79,
        ),
        named(Say(503, error(POST_ONLY), {"Retry-After": "79"}), "post_only", 79),
        named(Say(503, error("x", code="post_only_mode", retry_after_seconds=-4)), "post_only"),
        named(Say(503, error("x", code="post_only_mode", retry_after_seconds="x")), "post_only"),
        named(Say(503, error("x", code="post_only_mode", retry_after_seconds=1e9)), "post_only"),
        named(Say(200, accepted(errorMsg=POST_ONLY, orderID="")), "post_only"),
        named(Say(503, error(CANCEL_ONLY)), "cancel_only"),
        named(Say(503, error(CLOSED)), "disabled"),
        named(Say(503, error("trading is disabled")), "disabled"),
    ],
    ids=lambda x: repr(x)[:90],
)
async def test_a_refusal_names_the_venues_mode(step: Say, mode: str, wait_s: int) -> None:
    """By status, then code, then text, with the wait that was advised. Source: 1.14."""
    async with clob_with(step) as (clob, _):
        said, (news,) = await clob.place(POST)

        assert isinstance(said, order.Reject)
        assert isinstance(news, venue_mode.Refused)
        assert (news.mode, news.retry_ns) == (mode, wait_s * 10**9)
        assert (news.name, news.sent_ns, news.at_ns) == ("clob", NOW_NS, NOW_NS)


@pytest.mark.parametrize(
    ("step", "news"),
    [
        (Say(200, accepted("live")), (taken("post_only"),)),
        (Say(200, accepted("matched")), (taken("post_only"),)),
        (Say(200, accepted("delayed")), (taken("post_only"),)),
        (Say(400, error("invalid post-only order: order crosses book")), (taken("post_only"),)),
        # refused for its own sake: perhaps before anybody asked for the mode
        (Say(400, error("not enough balance / allowance")), ()),
        (Say(400, error(f"order {ID} is invalid. Duplicated.")), ()),
        (Say(401, error("Unauthorized/Invalid api key")), ()),
        (Say(403, HTML), ()),
        (Say(404, error("market not found")), ()),
        (Say(429, error("Too Many Requests"), {"Retry-After": "9"}), ()),
        (Say(400, error(CANCEL_ONLY)), ()),  # not the status of a mode
    ],
    ids=lambda x: repr(x)[:90],
)
async def test_an_answer_tells_that_the_venue_takes_such_orders(
    step: Say, news: tuple[object, ...]
) -> None:
    """What was let in as far as the book was let in; anything else is no news of the mode."""
    async with clob_with(step) as (clob, _):
        assert (await clob.place(RESTING))[1] == news


@pytest.mark.parametrize("step", [Say(500, b""), Say(503, HTML), Say(200, b""), RESET], ids=str)
async def test_an_answer_that_proves_nothing_is_silence(step: Say | str) -> None:
    silence = venue_mode.Silence(name="clob", sent_ns=NOW_NS, at_ns=NOW_NS)
    steps = [step, step, step] if step == RESET else [step, step]
    async with clob_with(*steps) as (clob, _):
        assert (await clob.place(POST))[1] == (silence,)
        assert (await clob.withdraw(CANCEL))[1] == (silence,)


@pytest.mark.parametrize(
    ("step", "news"),
    [
        (Say(200, {"canceled": [ID]}), "took"),
        (Say(200, {"canceled": [], "not_canceled": {ID: "Order already matched"}}), "took"),
        (Say(425, "service not ready"), "restarting"),
        (Say(503, error(CLOSED)), "disabled"),
        (Say(503, error(CANCEL_ONLY)), "silence"),  # a mode that allows cancels: not believed
        (Say(503, error(POST_ONLY, code="post_only_mode")), "silence"),
        (Say(400, error("Invalid orderID")), ""),
        (Say(401, error("Unauthorized/Invalid api key")), ""),
        (Say(429, error("Too Many Requests")), ""),
    ],
    ids=lambda x: repr(x)[:80],
)
async def test_a_cancel_tells_whether_cancels_are_taken(step: Say, news: str) -> None:
    """In business, as a probe, and for everything at once: the same words mean the same."""
    async with clob_with(step, step, step) as (clob, server):
        told = [(await clob.withdraw(CANCEL))[1], await clob.probe()]
        told.append(tuple(f for f in await clob.cancel_all() if isinstance(f, venue_mode.Action)))
        for heard in told:
            match heard:
                case (venue_mode.Answered(request="cancel"),):
                    assert news == "took"
                case (venue_mode.Refused() as refusal,):
                    assert news == refusal.mode
                case (venue_mode.Silence(),):
                    assert news == "silence"
                case _:
                    assert (heard, news) == ((), "")
        assert server.heard[1].body == json.dumps({"orderID": "0x" + "00" * 32}).replace(" ", "")


# Limits.


@asynccontextmanager
async def limited(*steps: Say | str, **rates: Any) -> AsyncIterator[tuple[Clob, Scripted, Limits]]:
    limits = Limits(Rates(order_wait_s=0.0, wait_s=0.0, **rates), now_ns=lambda: 0)
    async with clob_with(*steps, limits=limits) as (clob, server):
        yield clob, server, limits


async def test_an_order_that_would_wait_too_long_is_certainly_not_sent() -> None:
    """Answered as refused, with the reason; nothing of it reaches the venue. Source: 1.15."""
    async with limited(*[Say(200, accepted())] * 60) as (clob, server, _):
        for _ in range(60):
            assert isinstance(await clob.post(POST), order.AckLive)
        late, news = await clob.place(POST)
        cancels = Say(200, {"canceled": [ID]})
        server.then(cancels)

        assert isinstance(late, order.Reject)
        assert late.reason.startswith("not sent: its turn")
        assert news == ()
        assert len(server.heard) == 60
        assert isinstance(await clob.cancel(CANCEL), order.CancelDone)  # it has a line of its own


async def test_a_429_holds_the_line_it_was_for() -> None:
    """And no other: cancels and reads go on."""
    tired = Say(429, error("Too Many Requests"), {"Retry-After": "30"})
    steps = [tired, Say(200, {"canceled": [ID]}), Say(200, {"data": []})]
    async with limited(*steps) as (clob, server, _):
        first, second = await clob.post(POST), await clob.post(POST)

        assert isinstance(first, order.Reject)
        assert first.reason.startswith("429")
        assert isinstance(second, order.Reject)
        assert second.reason.startswith("not sent")
        assert isinstance(await clob.cancel(CANCEL), order.CancelDone)
        assert isinstance(await clob.read_open_orders(), facts.OpenOrdersRead)
        assert len(server.heard) == 3


async def test_a_mass_cancel_waits_for_nobody_and_is_paid_for() -> None:
    """It costs one, and one for each order that it ended. Source: 1.15."""
    ended = Say(200, {"canceled": [f"0x{n}" for n in range(150)], "not_canceled": {}})
    async with limited(ended, ended) as (clob, server, _):
        await clob.cancel_all()
        late = await clob.cancel(CANCEL)
        assert isinstance(late, order.CancelRefused)
        assert late.reason.startswith("not sent")
        await clob.cancel_all()

        assert [request.path for request in server.heard] == ["/cancel-all"] * 2


async def test_the_venues_headers_are_heard() -> None:
    """Its own count and our tier."""
    headers = {"Poly-RateLimit-Remaining": "0", "Poly-RateLimit-Tier": "Gold"}
    warned = Say(200, accepted(), headers | {"Poly-RateLimit-Warning": "true"})
    async with limited(warned) as (clob, server, limits):
        await clob.post(POST)

        assert (limits.tier, limits.warnings) == ("gold", 1)
        assert isinstance(await clob.post(POST), order.Reject)
        assert len(server.heard) == 1


async def test_reads_wait_in_line_and_say_when_it_is_too_long() -> None:
    rows = [Say(200, {"data": []})]
    async with limited(*rows, queries_per_s=1, queries_burst=1) as (clob, server, _):
        assert isinstance(await clob.read_open_orders(), facts.OpenOrdersRead)
        late = await clob.read_open_orders()

        assert isinstance(late, facts.ReadFailed)
        assert "its turn is in" in late.reason
        assert len(server.heard) == 1


async def test_a_read_is_not_repeated_earlier_than_the_venue_asked() -> None:
    """A minute is too long to wait for: the caller hears no, and asks when it asks again."""
    async with clob_with(Say(429, b"", {"Retry-After": "60"})) as (clob, server):
        failed = await clob.read_open_orders()

        assert isinstance(failed, facts.ReadFailed)
        assert "asked to wait for 60 s" in failed.reason
        assert len(server.heard) == 1


async def test_an_order_is_asked_once_more_at_the_socket() -> None:
    """And gives its turn back when it may not leave."""
    async with limited(Say(200, accepted())) as (clob, server, _):
        for _ in range(100):
            said, news = await clob.place(POST, lambda intent_id: f"{intent_id} is held")
            assert (said.reason, news) == ("not sent: i-1 is held", ())  # type: ignore[union-attr]
        assert isinstance(await clob.post(POST), order.AckLive)
        assert len(server.heard) == 1


async def test_terms_that_cannot_be_signed_end_their_order() -> None:
    """A token that is no number must not end the engine. Proves: faults."""
    async with clob_with() as (clob, _):
        wrong = clob.sign(evolve(SIGN, token_id="no number"))
        other = clob.sign(evolve(SIGN, version="v3"))

        assert isinstance(wrong, order.Abort)
        assert isinstance(other, order.Abort)
        assert "neither v1 nor v2" in other.reason


# The clock and the version.


async def test_what_is_signed_is_dated_by_the_venues_clock() -> None:
    """A clock that is 100 s behind is found in one reading, and its requests are still taken.

    Source: 2.2.
    """
    theirs = NOW_NS // 10**9 + 100
    async with clob_with(Say(200, str(theirs)), Say(200, {"data": []})) as (clob, server):
        measured = await clob.measure_clock()
        await clob.read_open_orders()

        assert measured == facts.ClockRead(low_ns=100 * 10**9, high_ns=101 * 10**9, at_ns=NOW_NS)
        assert server.heard[1].headers["POLY_TIMESTAMP"] == str(theirs)


@pytest.mark.parametrize(
    "step", [Say(200, b"soon"), Say(200, b""), Say(425, b"17"), Say(200, b"9" * 13), RESET], ids=str
)
async def test_a_time_that_is_none_changes_nothing(step: Say | str) -> None:
    rows = Say(200, {"data": []})
    async with clob_with(*([step, step] if step == RESET else [step]), rows) as (clob, server):
        assert isinstance(await clob.measure_clock(), facts.ReadFailed)
        await clob.read_open_orders()
        assert server.heard[-1].headers["POLY_TIMESTAMP"] == "1700000000"


@pytest.mark.parametrize(
    ("step", "version"),
    [
        (Say(200, {"version": 2}), 2),
        (Say(200, {"version": "9" * 30}), 2**31),
        (Say(200, {"version": "x"}), None),
        (Say(200, {}), None),
        (Say(200, HTML), None),
        (Say(403, HTML), None),
    ],
    ids=lambda x: repr(x)[:60],
)
async def test_the_version_is_read_or_said_not_to_be(step: Say, version: int | None) -> None:
    async with clob_with(step) as (clob, _):
        read = await clob.read_version()
        if version is None:
            assert isinstance(read, facts.ReadFailed)
        else:
            assert read == facts.VersionRead(version=version, at_ns=NOW_NS)


# Secrets.


async def test_no_secret_is_in_what_anybody_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """Logs, reprs, facts, reasons and errors, also when the venue says them back to us.

    Proves: A-sec, P3.1
    """
    said = ["hush", SECRET, "11" * 32]
    with caplog.at_level("DEBUG"):
        async with clob_with(
            Say(200, accepted()), Say(400, error("no")), Say(500, b""), RESET, Say(200, b"x")
        ) as (clob, _):
            told: list[object] = [clob, clob.credentials, await clob.post(POST)]
            told += [await clob.post(POST), await clob.post(POST), await clob.post(POST)]
            told += [await clob.heartbeat(), clob.sign(SIGN), signing.Account(KEY)]
            told += [clob._headers, vars(clob)["_account"], vars(clob)["_credentials"]]
    shown = caplog.text + "".join(repr(one) for one in told)

    for secret in said:
        assert secret not in shown

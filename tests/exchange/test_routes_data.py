"""The Data API: what owners hold and did, and how markets stand, as an indexer tells it."""

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import orjson
import pytest

from polybawt.core.units import MILLION, SECOND_NS, Usdc
from polybawt.exchange import indexer as indexing
from polybawt.sim.oracle import NO, YES
from polybawt.sim.venue import Venue
from tests.exchange.conftest import Open
from tests.exchange.house import (
    CANARY,
    FED,
    START_NS,
    UPDOWN,
    Hall,
    StillWorld,
    Trader,
    a_market,
    config,
)

Json = dict[str, Any]
Recorded = Callable[[str], Path]
SETTLED_MS = 10_000
NEG_RISK_ID = "0x" + "ab" * 31 + "00"
CHOICE = [
    a_market(f"choice {n}", neg_risk=True, neg_risk_id=NEG_RISK_ID, event_id="4711", symbol="")
    for n in range(3)
]


async def data(hall: Hall, path: str, **query: str) -> Any:
    """The rows of an answer, which must be whole."""
    answer = await hall.get(f"/data-api/v2/{path}", **query)
    assert set(answer) == {"data", "pagination"}
    return answer["data"]


async def traded(hall: Hall, settled: bool = True) -> tuple[Trader, Trader]:
    """A maker who holds 10 NO at 0.48, and a taker who holds 10 YES at 0.52."""
    maker, taker = await hall.trader(1), await hall.trader(0)
    await maker.place(UPDOWN, UPDOWN.no_token, "BUY", "0.48", "30")
    await taker.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.52", "10")
    hall.after(SETTLED_MS if settled else 1)
    return maker, taker


class Asking(StillWorld):
    """A world in which holders have to ask for what they are due."""

    def __init__(self) -> None:
        super().__init__()
        self.venue = Venue(mine_ns=2 * SECOND_NS, confirm_ns=3 * SECOND_NS, auto_redeem=False)
        for market in (UPDOWN, *CHOICE):
            self.venue.list_market(market, START_NS)


async def sent(hall: Hall, trader: Trader, kind: str, body: Json) -> None:
    status, told = await trader.ask("POST", f"/chain/{kind}", body)
    assert status == 200, told
    hall.after(SETTLED_MS)


# Positions.


async def test_a_position_is_told_with_its_cost_and_worth(hall: Hall) -> None:
    maker, taker = await traded(hall)
    await maker.place(UPDOWN, UPDOWN.no_token, "SELL", "0.5", "10")
    hall.after(1)

    (row,) = await data(hall, "positions", user=taker.address)
    (other,) = await data(hall, "positions", user=maker.address.lower())

    assert (row["proxy_wallet"], row["token_id"]) == (taker.address, UPDOWN.yes_token)
    assert (row["current_size"], row["avg_price"], row["entry_cost_usdc"]) == (10, 0.52, 5.2)
    assert row["entry_fees_usdc"] == 0.17472
    assert row["current_price"] == 0.51  # YES: bid 0.50, ask 0.52
    assert (row["current_value"], row["unrealized_pnl"], row["realized_pnl"]) == (5.1, -0.1, 0)
    assert (row["status"], row["redeemable"], row["mergeable"]) == ("OPEN", False, False)
    assert (row["outcome"], row["opposite_outcome"]) == ("Up", "Down")
    assert row["opposite_token_id"] == UPDOWN.no_token
    assert (other["token_id"], other["avg_price"], other["outcome_index"]) == (
        UPDOWN.no_token, 0.48, 1,
    )  # fmt: skip


async def test_a_match_is_no_position_before_it_is_mined(hall: Hall) -> None:
    """The indexer reads blocks: what failed on chain was never there."""
    _, taker = await traded(hall, settled=False)

    assert await data(hall, "positions", user=taker.address) == []
    assert await data(hall, "trades") == []
    hall.after(SETTLED_MS)
    assert len(await data(hall, "positions", user=taker.address)) == 1


async def test_the_indexer_lags_the_venue_by_as_much_as_it_was_told_to(opened: Open) -> None:
    """It is for audit, not for decisions (reference 5.2)."""
    hall = await opened(None, config(indexer_lag_ns=60 * SECOND_NS))
    _, taker = await traded(hall)
    before = [
        await data(hall, path, user=taker.address) for path in ("positions", "trades", "activity")
    ]
    held = await data(hall, "holders", condition_id=UPDOWN.condition_id)
    hall.after(60_000)

    assert before == [[], [], []]
    assert [one["holders"] for one in held] == [[], []]
    assert len(await data(hall, "positions", user=taker.address)) == 1
    held = await data(hall, "holders", condition_id=UPDOWN.condition_id)
    assert [[h["amount"] for h in one["holders"]] for one in held] == [[10], [10]]


async def test_a_resolved_position_is_redeemable_until_it_is_redeemed(opened: Open) -> None:
    """Winner and loser alike: only the payout differs. Proves: C1, P0.1"""
    hall = await opened(Asking())
    maker, taker = await traded(hall)
    hall.world.venue.resolve(UPDOWN.condition_id, Usdc(MILLION), Usdc(0), hall.clock.now_ns)
    hall.after(1)

    (won,) = await data(hall, "positions", user=taker.address, status="REDEEMABLE")
    (lost,) = await data(hall, "positions", user=maker.address, status="REDEEMABLE_LOST")
    none = await data(hall, "positions", user=taker.address, status="REDEEMABLE_LOST")
    await sent(hall, taker, "redeem", {"condition_id": UPDOWN.condition_id})
    (closed,) = await data(hall, "positions", user=taker.address, status="CLOSED")
    (redeemed, bought) = await data(hall, "activity", user=taker.address)

    assert (won["status"], won["redeemable"], won["current_value"]) == ("REDEEMABLE", True, 10)
    assert (lost["status"], lost["current_value"], lost["total_pnl"]) == ("REDEEMABLE", 0, -4.8)
    assert none == []
    assert (closed["current_size"], closed["realized_pnl"], closed["total_size"]) == (0, 4.8, 10)
    assert await data(hall, "positions", user=taker.address) == []
    assert (redeemed["type"], redeemed["usdc_size"], redeemed["size"]) == ("REDEEM", 10, 10)
    assert (bought["type"], bought["usdc_size"], bought["price"]) == ("TRADE", 5.2, 0.52)


async def test_the_venue_redeems_by_itself_where_it_does(hall: Hall) -> None:
    _, taker = await traded(hall)
    hall.world.venue.resolve(UPDOWN.condition_id, Usdc(MILLION), Usdc(0), hall.clock.now_ns)
    hall.after(1)

    (row,) = await data(hall, "positions", user=taker.address, status="CLOSED")
    kinds = [one["type"] for one in await data(hall, "activity", user=taker.address)]

    assert (row["status"], row["realized_pnl"]) == ("CLOSED", 4.8)
    assert kinds == ["REDEEM", "TRADE"]


async def test_both_sides_of_a_market_can_be_merged(opened: Open) -> None:
    hall = await opened(Asking())
    _, taker = await traded(hall)
    body = {"condition_id": UPDOWN.condition_id, "amount": str(4 * MILLION)}
    await sent(hall, taker, "split", body)

    pair = await data(hall, "positions", user=taker.address, status="MERGEABLE")
    await sent(hall, taker, "merge", body)
    after = await data(hall, "positions", user=taker.address, sort_by="TOKENS")
    kinds = [one["type"] for one in await data(hall, "activity", user=taker.address)]

    assert sorted((row["current_size"], row["status"]) for row in pair) == [
        (4, "OPEN"),
        (14, "OPEN"),
    ]
    assert [row["current_size"] for row in after] == [10]
    assert kinds == ["MERGE", "SPLIT", "TRADE"]


async def test_converted_no_becomes_yes_of_the_others(opened: Open) -> None:
    """Two NO of three are worth a dollar and one YES of the third."""
    hall = await opened(Asking())
    trader = await hall.trader(0)
    for market in CHOICE[:2]:
        body = {"condition_id": market.condition_id, "amount": str(6 * MILLION)}
        await sent(hall, trader, "split", body)
    ids = [market.condition_id for market in CHOICE[:2]]
    await sent(hall, trader, "convert", {"condition_ids": ids, "amount": str(6 * MILLION)})

    rows = await data(hall, "positions", user=trader.address)
    sizes = {row["token_id"]: row["current_size"] for row in rows}
    venue = hall.world.venue
    held = {
        token: n / MILLION for token, n in venue.holdings(trader.address).items() if token and n
    }

    assert sizes == held == {market.yes_token: 6 for market in CHOICE}
    (converted,) = await data(hall, "activity", user=trader.address, type="CONVERSION")
    assert converted["usdc_size"] == 6
    given = await data(hall, "positions", user=trader.address, status="CLOSED")
    assert [(row["realized_pnl"], row["avg_price"]) for row in given] == [(0, 0.5)] * 2


async def test_dust_is_hidden_unless_asked_for(opened: Open) -> None:
    hall = await opened(Asking())
    trader = await hall.trader(0)
    body = {"condition_id": UPDOWN.condition_id, "amount": str(MILLION // 20)}
    await sent(hall, trader, "split", body)

    assert await data(hall, "positions", user=trader.address) == []
    small = await data(hall, "positions", user=trader.address, filter_amount="0.01")
    assert {row["current_size"] for row in small} == {0.05}
    by_value = {"filter_type": "CASH", "filter_amount": "0.03"}
    assert await data(hall, "positions", user=trader.address, **by_value) == []


async def test_positions_are_sorted_filtered_and_paged(hall: Hall) -> None:
    maker, taker = await traded(hall)
    await maker.place(CANARY, CANARY.no_token, "BUY", "0.9", "20")
    await taker.place(CANARY, CANARY.yes_token, "BUY", "0.1", "20")
    hall.after(SETTLED_MS)
    query = {"user": taker.address, "sort_by": "TOKENS"}

    first = await hall.get("/data-api/v2/positions", **query, limit="1")
    cursor = first["pagination"]["next_cursor"]
    second = await hall.get("/data-api/v2/positions", **query, limit="1", cursor=cursor)
    rising = await data(hall, "positions", **query, sort_direction="ASC")
    named = await data(hall, "positions", user=taker.address, condition_id=CANARY.condition_id)
    titled = await data(hall, "positions", user=taker.address, title="canary")
    everybody = await data(hall, "positions", condition_id=CANARY.condition_id)

    assert first["pagination"] == {"limit": 1, "offset": 0, "has_more": True, "next_cursor": cursor}
    assert second["pagination"]["next_cursor"] is None
    assert [r["current_size"] for r in first["data"] + second["data"]] == [20, 10]
    assert [row["current_size"] for row in rising] == [10, 20]
    assert [row["slug"] for row in named] == [row["slug"] for row in titled] == [CANARY.slug]
    assert {row["proxy_wallet"] for row in everybody} == {maker.address, taker.address}


async def test_a_portfolio_is_worth_its_positions(hall: Hall) -> None:
    _, taker = await traded(hall)
    fed = {"condition_id": FED.condition_id}

    assert await data(hall, "value", user=taker.address) == {
        "proxy_wallet": taker.address, "value": 5.2,
    }  # fmt: skip
    assert (await data(hall, "value", user=taker.address, **fed))["value"] == 0


async def test_the_sums_of_an_owner_grow_step_by_step(hall: Hall) -> None:
    hall.after(1_800_000)
    _, taker = await traded(hall)
    hall.after(3 * 3_600_000)

    told = await data(hall, "user-pnl", user=taker.address, fidelity="1h", interval="1d")

    points = told["points"]
    assert (told["interval"], told["fidelity"], told["source_fidelity"]) == ("1d", "1h", "1h")
    assert [point["trade_count"] for point in points] == [0, 1, 1, 1, 1]
    assert [point["unrealized_pnl"] is None for point in points] == [True] * 4 + [False]
    assert (points[-1]["volume"], points[-1]["volume_usdc"], points[-1]["fees"]) == (
        10, 5.2, 0.17472,
    )  # fmt: skip
    assert points[-1]["deposits"] == 1000


# Trades.


async def test_trades_are_takers_unless_makers_are_asked_for(hall: Hall) -> None:
    maker, taker = await traded(hall)

    (row,) = await data(hall, "trades")
    both = await data(hall, "trades", taker_only="false", condition_id=UPDOWN.condition_id)

    assert (row["proxy_wallet"], row["side"], row["size"], row["price"]) == (
        taker.address, "BUY", 10, 0.52,
    )  # fmt: skip
    assert (row["slug"], row["outcome"], row["timestamp"]) == (
        UPDOWN.slug, "Up", START_NS // SECOND_NS,
    )  # fmt: skip
    assert [(one["proxy_wallet"], one["price"]) for one in both] == [
        (taker.address, 0.52), (maker.address, 0.48),
    ]  # fmt: skip
    assert await data(hall, "trades", user=maker.address) == []
    assert len(await data(hall, "trades", user=maker.address, taker_only="False")) == 1
    for empty in (
        {"side": "SELL"},
        {"filter_amount": "11"},
        {"filter_amount": "5.3", "filter_type": "CASH"},
        {"condition_id": FED.condition_id},
        {"end": str(START_NS // SECOND_NS - 1)},
        {"start": str(START_NS // SECOND_NS + 1)},
        {"event_id": "99"},
    ):
        assert await data(hall, "trades", **empty) == [], empty


async def test_pages_of_trades_show_one_moment(hall: Hall) -> None:
    """Trades that come in between must not push older ones onto the next page twice."""
    maker, taker = await hall.trader(1), await hall.trader(0)
    await maker.place(UPDOWN, UPDOWN.no_token, "BUY", "0.48", "100")
    for _ in range(3):
        await taker.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.52", "5")
        hall.after(SETTLED_MS)
    first = await hall.get("/data-api/v2/trades", limit="2")
    await taker.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.52", "7")
    hall.after(SETTLED_MS)

    cursor = first["pagination"]["next_cursor"]
    rest = await hall.get("/data-api/v2/trades", limit="2", cursor=cursor)

    times = [row["timestamp"] for row in first["data"] + rest["data"]]
    assert times == sorted(set(times), reverse=True)
    assert (len(times), rest["pagination"]["has_more"]) == (3, False)
    assert len(await data(hall, "trades")) == 4


async def test_deposits_are_told_when_asked_for(hall: Hall) -> None:
    _, taker = await traded(hall)
    bare = {"user": taker.address, "exclude_deposits_withdrawals": "False"}

    rows = await data(hall, "activity", **bare, sort_direction="ASC")

    assert [(row["type"], row["usdc_size"]) for row in rows] == [("DEPOSIT", 1000), ("TRADE", 5.2)]
    assert [r["type"] for r in await data(hall, "activity", **bare, type="TRADE,MERGE")] == [
        "TRADE"
    ]


async def test_what_the_venue_forgets_is_remembered_up_to_a_bound(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A closed position outlives its market at the venue, but not without end. Proves: C5"""
    maker, taker = await traded(hall)
    hall.world.venue.resolve(UPDOWN.condition_id, Usdc(MILLION), Usdc(0), hall.clock.now_ns)
    hall.after(1)
    hall.after(3_600_000)

    assert UPDOWN.condition_id not in hall.world.venue.markets
    (row,) = await data(hall, "positions", user=taker.address, status="CLOSED")
    assert (row["realized_pnl"], len(await data(hall, "trades"))) == (4.8, 1)

    monkeypatch.setattr(indexing, "ENDED_MAX", 1)
    await maker.place(FED, FED.no_token, "BUY", "0.4", "10")
    await taker.place(FED, FED.yes_token, "BUY", "0.6", "10")
    hall.after(SETTLED_MS)
    assert [row["slug"] for row in await data(hall, "trades")] == [FED.slug]


# Markets.


async def test_holders_are_what_the_chain_says(hall: Hall) -> None:
    maker, taker = await traded(hall)
    only = {"condition_id": UPDOWN.condition_id}

    yes, no = await data(hall, "holders", **only, include_pnl="true")

    assert (yes["token_id"], no["token_id"]) == UPDOWN.tokens
    assert [(h["proxy_wallet"], h["amount"]) for h in yes["holders"]] == [(taker.address, 10)]
    assert [(h["proxy_wallet"], h["avg_price"]) for h in no["holders"]] == [(maker.address, 0.48)]
    assert [one["holders"] for one in await data(hall, "holders", **only, min_balance="11")] == [
        [], [],
    ]  # fmt: skip


async def test_interest_and_volume_follow_the_trades(hall: Hall) -> None:
    await traded(hall)
    row = await hall.get(f"/gamma/markets/slug/{UPDOWN.slug}")
    event_id = row["events"][0]["id"]

    assert await data(hall, "oi", condition_id=UPDOWN.condition_id) == [
        {"condition_id": UPDOWN.condition_id, "value": 10}
    ]
    assert await data(hall, "oi") == [{"condition_id": "GLOBAL", "value": 10}]
    assert await data(hall, "live-volume", event_id=event_id) == {
        "taker_volume_total": 10,
        "conditions": [{"condition_id": UPDOWN.condition_id, "taker_volume": 10}],
    }


async def test_a_price_history_is_given_for_either_token(hall: Hall) -> None:
    await traded(hall)
    hall.after(120_000)

    yes = await data(hall, "prices-history", token_id=UPDOWN.yes_token, interval="1h")
    no = await data(
        hall, "prices-history", token_id=UPDOWN.no_token, start=str(START_NS // SECOND_NS),
        bucket_seconds="60",
    )  # fmt: skip
    now_s = str(hall.clock.now_ns // SECOND_NS)
    last = await data(hall, "prices-history", token_id=UPDOWN.yes_token, as_of=now_s)

    assert {row["price"] for row in yes} == {0.52}
    assert {row["price"] for row in no} == {0.48}
    assert [(row["price"], row["resolution_seconds"]) for row in last] == [(0.52, 0)]
    assert await data(hall, "prices-history", token_id="17", interval="max") == []


async def test_a_price_history_is_made_of_trades_where_none_is_kept(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A catalogue is longer than the memory of prices."""
    monkeypatch.setattr("polybawt.exchange.history.MARKETS_MAX", 1)
    hall = await opened(StillWorld(UPDOWN, FED))
    await traded(hall)

    yes = await data(hall, "prices-history", token_id=UPDOWN.yes_token, interval="max")
    no = await data(hall, "prices-history", token_id=UPDOWN.no_token, interval="1h")

    assert [(row["timestamp"], row["price"]) for row in yes] == [(START_NS // SECOND_NS, 0.52)]
    assert [row["price"] for row in no] == [0.48]


async def test_a_resolution_is_told_step_by_step(hall: Hall) -> None:
    """The payout stands only at the end. Proves: C1, P0.1"""
    venue, seen = hall.world.venue, []
    for action, payouts in (("propose", YES), ("dispute", None), ("propose", NO)):
        venue.ask_oracle(FED.condition_id, action, hall.clock.now_ns, payouts=payouts)
        hall.after(1)
        (row,) = await data(hall, "resolutions", condition_id=FED.condition_id)
        seen.append((row["status"], row["proposed_price"], row["reproposed_price"], row["payouts"]))
    hall.after(7_200_000)
    (final,) = await data(hall, "resolutions", question_id=FED.condition_id)
    (untouched,) = await data(hall, "resolutions", condition_id=UPDOWN.condition_id)

    assert seen == [
        ("proposed", 1, None, None), ("challenged", None, None, None),
        ("reproposed", None, 0, None),
    ]  # fmt: skip
    assert (final["status"], final["payouts"], final["price"]) == ("resolved", [0, MILLION], 0)
    assert (final["reporter"], final["was_disputed"]) == ("UMA_OO", True)
    assert (untouched["status"], untouched["payouts"]) == ("posed", None)


async def test_tokens_say_what_they_are(opened: Open) -> None:
    hall = await opened(StillWorld(UPDOWN, CANARY, *CHOICE))
    (yes,) = await data(hall, "tokens", token_id=UPDOWN.yes_token)
    pair = await data(hall, "tokens", condition=CANARY.condition_id)
    (second,) = await data(hall, "tokens", token_id=CHOICE[1].no_token)

    assert (yes["module"], yes["outcome"], yes["resolved"]) == ("v1_ctf", "Up", False)
    assert [row["token_id"] for row in pair] == list(CANARY.tokens)
    assert {row["module"] for row in pair} == {"binary"}
    assert (second["question_index"], second["event_id"]) == (1, 4711)
    assert second["neg_risk_market_id"] == NEG_RISK_ID
    assert await data(hall, "tokens", token_id="17") == []


async def test_everything_is_approved(hall: Hall) -> None:
    trader = await hall.trader(0)

    told = await data(hall, "approvals", user=trader.address)

    assert (told["address"], told["chain_id"]) == (trader.address, 137)
    assert all(row["approved"] for row in told["contracts"])
    assert {row["standard"] for row in told["contracts"]} == {"ERC20", "ERC1155"}


# Refusals and shapes.


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("value", "user"),
        ("value?user=0x12", "user"),
        ("activity", "user"),
        ("activity?user=0x" + "11" * 20 + "&type=GIFT", "type"),
        ("positions", "user"),
        ("positions?condition_id=" + FED.condition_id + "&status=MERGEABLE", "user"),
        ("positions?user=0x" + "11" * 20 + "&status=LOST", "status"),
        ("positions?user=0x" + "11" * 20 + "&filter_amount=-1", "filter_amount"),
        ("positions?user=0x" + "11" * 20 + "&filter_amount=nan", "filter_amount"),
        ("positions?user=0x" + "11" * 20 + "&sort_by=LUCK", "sort_by"),
        ("trades?condition_id=0x12", "condition_id"),
        ("trades?condition_id=" + ",".join(f"0x{n:064x}" for n in range(21)), "condition_id"),
        ("trades?condition_id=" + FED.condition_id + "&event_id=1", "event_id"),
        ("trades?event_id=first", "event_id"),
        ("trades?limit=0", "limit"),
        ("trades?limit=-1", "limit"),
        ("trades?cursor=zz", "cursor"),
        ("trades?cursor=W10=", "cursor"),
        ("trades?start=soon", "start"),
        ("trades?taker_only=perhaps", "taker_only"),
        ("holders", "condition_id"),
        ("live-volume", "event_id"),
        ("prices-history", "token_id"),
        ("prices-history?token_id=x&interval=1h", "token_id"),
        ("prices-history?token_id=1", "interval"),
        ("prices-history?token_id=1&interval=1h&start=5", "interval"),
        ("prices-history?token_id=1&interval=1h&bucket_seconds=5", "bucket_seconds"),
        ("prices-history?token_id=1&start=5", "start"),
        ("resolutions", "condition_id"),
        ("tokens", "token_id"),
        ("tokens?token_id=abc", "token_id"),
        ("approvals", "user"),
        ("user-pnl?user=0x" + "11" * 20 + "&fidelity=1s", "fidelity"),
    ],
)
async def test_a_refusal_names_the_parameter(hall: Hall, path: str, parameter: str) -> None:
    answer = await hall.client.get(f"/data-api/v2/{path}")
    body = orjson.loads(await answer.read())

    assert answer.status == 400
    assert set(body) == {"error", "code", "retryable", "trace_id", "parameter"}
    assert (body["parameter"], body["retryable"]) == (parameter, False)
    assert len(body["trace_id"]) == 32


async def test_version_one_is_gone(hall: Hall) -> None:
    """Retired 2026-10-24 (reference 0)."""
    for path in ("/data-api/positions", "/data-api/trades"):
        assert (await hall.client.get(path)).status == 404


async def test_rows_say_what_the_recorded_ones_said(hall: Hall, recorded: Recorded) -> None:
    """Version 2 renames and adds, but what a reader of version 1 knew is still told."""
    _, taker = await traded(hall)
    renamed = {
        "asset": "token_id", "size": "current_size", "initialValue": "entry_cost_usdc",
        "cashPnl": "unrealized_pnl", "curPrice": "current_price", "totalBought": "total_size",
        "oppositeAsset": "opposite_token_id",
    }  # fmt: skip
    for name, path in (("positions", "positions"), ("trades", "trades"), ("activity", "activity")):
        theirs = orjson.loads(
            recorded(f"rest/crypto_updown_2026-06/data_{name}.json").read_bytes()
        )[0]
        (ours,) = await data(hall, path, user=taker.address)
        names = renamed if name == "positions" else {"asset": "token_id"}
        wanted = {names.get(key, snake(key)) for key in theirs}
        assert wanted <= set(ours), name


def snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


async def test_the_venues_own_sdk_reads_every_row(opened: Open) -> None:
    """Strict models of the unified client."""
    models = pytest.importorskip("polymarket.models.data")
    hall = await opened(Asking())
    maker, taker = await traded(hall)
    await sent(
        hall, taker, "split", {"condition_id": UPDOWN.condition_id, "amount": str(4 * MILLION)}
    )
    hall.world.venue.resolve(UPDOWN.condition_id, Usdc(MILLION), Usdc(0), hall.clock.now_ns)
    hall.after(1)
    await sent(hall, taker, "redeem", {"condition_id": UPDOWN.condition_id})
    user, only = {"user": taker.address}, {"condition_id": UPDOWN.condition_id}
    closed = {"user": taker.address, "status": "CLOSED"}
    ids = ",".join(market.condition_id for market in (UPDOWN, *CHOICE))

    read = [
        models.Position.parse_response_list(await data(hall, "positions", **closed)),
        models.Position.parse_response_list(await data(hall, "positions", user=maker.address)),
        models.Trade.parse_response_list(await data(hall, "trades", taker_only="false")),
        models.MetaHolder.parse_response_list(await data(hall, "holders", **only)),
        models.OpenInterest.parse_response_list(await data(hall, "oi")),
        models.Resolution.parse_response_list(await data(hall, "resolutions", condition_id=ids)),
        models.TokenReference.parse_response_list(await data(hall, "tokens", condition=ids)),
        models.PriceHistoryPoint.parse_response_list(
            await data(hall, "prices-history", token_id=UPDOWN.yes_token, interval="max")
        ),
    ]
    parse = models.activity.parse_activities
    deeds = parse(await data(hall, "activity", **user, exclude_deposits_withdrawals="false"))
    models.PortfolioValue.parse_response(await data(hall, "value", **user))
    models.UserPnlSeries.parse_response(await data(hall, "user-pnl", **user))
    models.LiveVolume.parse_response(await data(hall, "live-volume", event_id="4711"))

    assert all(read)
    assert [type(deed).__name__ for deed in deeds] == [
        "RedeemActivity", "SplitActivity", "TradeActivity", "DepositActivity",
    ]  # fmt: skip


async def test_the_venues_own_sdk_finds_nothing_left_to_approve(hall: Hall) -> None:
    spec = pytest.importorskip("polymarket._internal.actions.relayer.approvals")
    environment = pytest.importorskip("polymarket._internal.environment")
    trader = await hall.trader(0)
    body = await hall.get("/data-api/v2/approvals", user=trader.address)

    asked = spec.build_get_trading_approvals_state_spec(
        wallet=trader.address, config=environment.PRODUCTION_CONFIG
    )

    assert asked.parse(body).is_fully_approved


NONSENSE = (
    "", "0", "-1", "x", "true", "null", "1e309", "nan", "%00", "\u0661", "9" * 40, "[]", "WzFd",
    "a,b,,c", "0x", "0x" + "f" * 62, "0x" + "f" * 40, "OPEN", "1", "W29wXQ==", "WzEsMV0=",
)  # fmt: skip
PARAMETERS = (
    "user", "condition_id", "condition", "event_id", "token_id", "question_id", "status", "type",
    "limit", "cursor", "start", "end", "as_of", "interval", "fidelity", "bucket_seconds", "side",
    "sort_by", "sort_direction", "filter_type", "filter_amount", "min_balance", "include_pnl",
    "taker_only", "title",
)  # fmt: skip
PATHS = (
    "positions", "trades", "activity", "value", "user-pnl", "holders", "oi", "live-volume",
    "prices-history", "resolutions", "approvals", "tokens",
)  # fmt: skip


async def test_no_query_is_answered_by_a_crash(hall: Hall) -> None:
    """Each parameter with each absurd value, beside good ones. Proves: faults"""
    _, taker = await traded(hall)
    good = {"user": taker.address, "token_id": UPDOWN.yes_token, "interval": "1h"}
    for number, (name, value) in enumerate(product(PARAMETERS, NONSENSE)):
        path = PATHS[number % len(PATHS)]
        answer = await hall.client.get(f"/data-api/v2/{path}", params={**good, name: value})
        body = orjson.loads(await answer.read())
        assert answer.status in (200, 400), (path, name, value)
        assert answer.status == 200 or body["parameter"], (path, name, value)

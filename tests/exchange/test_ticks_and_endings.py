"""What a venue does to a market while clients look on: its tick changes, its question is decided.

And the oddities of the user channel that come with settlement, each on request.
"""

from typing import Any

import orjson
import pytest

from polybawt.core.facts import TickSizeChanged, TradeReported
from polybawt.core.units import MILLION, SECOND_NS
from polybawt.sim.faults import Fault
from polybawt.venue.wire_stream import market_facts, user_facts
from tests.exchange.conftest import Open
from tests.exchange.house import FED, UPDOWN, Hall, StillWorld
from tests.exchange.test_streams import (
    Socket,
    hash_of,
    heard,
    market_socket,
    quiet_until_pong,
    user_socket,
)

ADMIN = {"Authorization": "Bearer admin"}
ID = UPDOWN.condition_id


async def order(hall: Hall, path: str, **body: Any) -> tuple[int, Any]:
    answer = await hall.client.post(f"/admin/{path}", json=body, headers=ADMIN)
    return answer.status, await answer.json()


# Ticks.


async def test_a_new_tick_is_told_for_both_tokens_and_shown_everywhere(hall: Hall) -> None:
    """Stream, book, tick-size, both market calls; and the next hash is over the new tick."""
    trader = await hall.trader()
    await trader.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "10")
    hall.after(1)
    socket = await market_socket(hall, *UPDOWN.tokens)
    before = (await heard(socket))[0][0]
    status, _ = await order(hall, "tick", condition_id=ID, tick="0.001")
    hall.after(1)
    told = await quiet_until_pong(socket)

    assert status == 200
    assert [frame["event_type"] for frame in told] == ["tick_size_change"] * 2
    assert {frame["asset_id"] for frame in told} == set(UPDOWN.tokens)
    assert set(told[0]) == {
        "market", "asset_id", "old_tick_size", "new_tick_size", "timestamp", "event_type",
    }  # fmt: skip
    assert {(f["old_tick_size"], f["new_tick_size"]) for f in told} == {("0.01", "0.001")}
    book = await hall.get("/book", token_id=UPDOWN.yes_token)
    assert (book["tick_size"], book["bids"]) == ("0.001", [{"price": "0.4", "size": "10"}])
    assert book["hash"] == hash_of(book) != before["hash"]
    assert book["timestamp"] == told[0]["timestamp"]
    size = await hall.get("/tick-size", token_id=UPDOWN.no_token)
    assert size == {"minimum_tick_size": 0.001}
    assert (await hall.get(f"/clob-markets/{ID}"))["mts"] == 0.001
    assert (await hall.get(f"/markets/{ID}"))["minimum_tick_size"] == 0.001
    (gamma,) = await hall.get("/gamma/markets", condition_ids=ID)
    assert gamma["orderPriceMinTickSize"] == 0.001


async def test_a_new_tick_admits_finer_prices_and_an_old_one_is_refused_in_words(
    hall: Hall,
) -> None:
    """The engine that cached a tick learns it here at the latest (failure 18)."""
    trader = await hall.trader()
    early = await trader.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.405", "10")
    await order(hall, "tick", condition_id=ID, tick="0.001")
    fine = await trader.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.405", "10")
    await order(hall, "tick", condition_id=ID, tick="0.01")
    late = await trader.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.415", "10")

    for status, answer in (early, late):
        assert status == 400
        assert answer["error"].endswith("breaks minimum tick size rule: 0.01")
    assert fine[1]["status"] == "live"
    open_orders = (await trader.ask("GET", "/data/orders"))[1]["data"]
    assert [row["price"] for row in open_orders] == ["0.405"]


async def test_changes_after_a_new_tick_hash_over_it(hall: Hall) -> None:
    """A client that applies what it is told can still prove its book (D12)."""
    trader = await hall.trader()
    socket = await market_socket(hall, UPDOWN.yes_token)
    await heard(socket)
    await order(hall, "tick", condition_id=ID, tick="0.001")
    await trader.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "10")
    hall.after(1)
    tick, change = await quiet_until_pong(socket)

    book = await hall.get("/book", token_id=UPDOWN.yes_token)
    assert tick["event_type"] == "tick_size_change"
    assert change["price_changes"][0]["hash"] == book["hash"] == hash_of(book)


async def test_our_own_adapter_understands_a_new_tick(hall: Hall) -> None:
    socket = await market_socket(hall, UPDOWN.yes_token)
    await heard(socket)
    await order(hall, "tick", condition_id=ID, tick="0.0025")
    hall.after(1)
    message = await socket.receive(timeout=5)

    (fact,) = market_facts(message.data, 1)
    assert isinstance(fact, TickSizeChanged)
    assert (fact.token_id, fact.tick) == (UPDOWN.yes_token, 2_500)


@pytest.mark.parametrize(
    "body",
    [{}, {"condition_id": ID}, {"condition_id": ID, "tick": "0.02"},
     {"condition_id": "0x", "tick": "0.01"}, {"condition_id": [], "tick": {}}],
)  # fmt: skip
async def test_an_impossible_tick_is_refused(hall: Hall, body: dict[str, Any]) -> None:
    assert (await order(hall, "tick", **body))[0] == 400
    assert (await hall.client.post("/admin/tick", json=body)).status == 401


# Resolution.


async def resolution(hall: Hall, action: str, market: str = ID, **body: Any) -> tuple[int, Any]:
    return await order(hall, "resolution", condition_id=market, action=action, **body)


async def test_a_dispute_is_seen_at_every_place_where_clients_look(hall: Hall) -> None:
    """Proposed, disputed, proposed again, resolved: in Gamma's words, with nothing paid early."""
    seen = []
    for action, body in (
        ("propose", {"yes": "1", "challenge_s": 60}),
        ("dispute", {}),
        ("propose", {"yes": "0", "challenge_s": 60}),
    ):
        assert (await resolution(hall, action, **body))[0] == 200
        (gamma,) = await hall.get("/gamma/markets", condition_ids=ID)
        seen.append((gamma["umaResolutionStatus"], gamma["umaResolutionStatuses"], gamma["closed"]))
    socket = await market_socket(hall, *UPDOWN.tokens, custom_feature_enabled=True)
    await heard(socket)
    hall.after(59_999)
    quiet = await quiet_until_pong(socket)
    hall.after(1)
    told = [f for f in await quiet_until_pong(socket) if f["event_type"] == "market_resolved"]

    assert [status for status, _, _ in seen] == ["proposed", "disputed", "proposed"]
    assert seen[-1][1].count("proposed") == 2
    assert not any(closed for _, _, closed in seen)
    assert quiet == []
    assert [f["winning_asset_id"] for f in told] == [UPDOWN.no_token]
    (gamma,) = await hall.get("/gamma/markets", condition_ids=ID)
    assert (gamma["closed"], gamma["umaResolutionStatus"]) == (True, "resolved")
    tokens = (await hall.get(f"/markets/{ID}"))["tokens"]
    assert [token["winner"] for token in tokens] == [False, True]


async def test_a_vote_may_say_half_and_half(hall: Hall) -> None:
    """Each share pays half a dollar, and nobody has won."""
    trader = await hall.trader()
    hall.floor.venue.grant(trader.address, UPDOWN.yes_token, 10 * MILLION)
    for action in ("propose", "dispute", "propose", "dispute"):
        await resolution(hall, action, **({"yes": "1"} if action == "propose" else {}))
    status, answer = await resolution(hall, "vote", yes="0.5")

    assert (status, answer["state"], answer["payouts"]) == (200, "resolved", [500_000, 500_000])
    assert hall.floor.venue.holdings(trader.address) == {"": 1_005 * MILLION}
    market = await hall.get(f"/markets/{ID}")
    assert market["is_50_50_outcome"]
    assert [token["winner"] for token in market["tokens"]] == [False, False]


async def test_a_late_flip_is_refused(hall: Hall) -> None:
    """After the verdict there is nothing left to say. Proves: P2.2."""
    await resolution(hall, "report", yes="1")
    answers = [await resolution(hall, a, yes="0") for a in ("report", "propose", "vote")]
    answers.append(await resolution(hall, "dispute"))

    assert [status for status, _ in answers] == [400] * 4
    assert all("resolved" in answer["error"] for _, answer in answers)


@pytest.mark.parametrize(
    ("market", "action", "body"),
    [
        (ID, "settle", {}), (ID, "dance", {}), (ID, "dispute", {}), (ID, "propose", {}),
        (ID, "propose", {"yes": "0.3"}), (ID, "report", {"yes": "2"}),
        (ID, "report", {"yes": "x"}), (ID, "report", {"yes": [1]}),
        (ID, "propose", {"yes": "1", "challenge_s": "long"}),
        (ID, "propose", {"yes": "1", "challenge_s": -1}),
        (FED.condition_id, "report", {"yes": "0.5"}), ("0x", "report", {"yes": "1"}),
    ],
)  # fmt: skip
async def test_an_impossible_step_is_refused_in_words(
    hall: Hall, market: str, action: str, body: dict[str, Any]
) -> None:
    status, answer = await resolution(hall, action, market, **body)

    assert (status, bool(answer["error"])) == (400, True)
    question = hall.floor.venue.question(ID)
    assert question is not None
    assert question.state == "posed"


async def test_a_resolution_can_be_kept_from_the_stream(hall: Hall) -> None:
    """It may never arrive (rs-clob-client#226): the other places still say it."""
    hall.floor.faults.add([Fault(kind="withhold_resolved")])
    socket = await market_socket(hall, *UPDOWN.tokens, custom_feature_enabled=True)
    await heard(socket)
    await resolution(hall, "report", yes="1")

    assert not any(f["event_type"] == "market_resolved" for f in await quiet_until_pong(socket))
    assert hall.floor.faults.tally["withhold_resolved"] == 1
    assert (await hall.get(f"/markets/{ID}"))["tokens"][0]["winner"]


# The taker's delay, per market.


async def test_each_market_says_how_long_it_holds_a_taker(opened: Open) -> None:
    """Milliseconds are ``itode`` alone; whole seconds are ``seconds_delay`` too."""
    world = StillWorld()
    for market, delay_ns in ((UPDOWN, 250 * 10**6), (FED, 3 * SECOND_NS)):
        world.venue.list_market(market, world.start_ns, delay_ns)
    hall = await opened(world)
    short = [await hall.get(f"/clob-markets/{m.condition_id}") for m in (UPDOWN, FED)]
    full = [await hall.get(f"/markets/{m.condition_id}") for m in (UPDOWN, FED)]

    assert [(one["itode"], one.get("sd", 0)) for one in short] == [(True, 0), (True, 3)]
    assert [one["seconds_delay"] for one in full] == [0, 3]


async def test_a_delayed_order_cannot_be_cancelled_and_matches_when_its_time_is_up(
    opened: Open,
) -> None:
    """``delayed`` is a live state: exposure, not a kill (failure 8)."""
    world = StillWorld()
    world.venue.list_market(UPDOWN, world.start_ns, 250 * 10**6)
    hall = await opened(world)
    maker, taker = await hall.trader(1), await hall.trader(0)
    await maker.place(UPDOWN, UPDOWN.no_token, "BUY", "0.5", "10")
    _, answer = await taker.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.5", "10")
    one = (await taker.ask("DELETE", "/order", {"orderID": answer["orderID"]}))[1]
    everything = (await taker.ask("DELETE", "/cancel-all"))[1]
    hall.after(250)
    _, record = await taker.ask("GET", f"/data/order/{answer['orderID']}")

    assert (answer["status"], answer["makingAmount"]) == ("delayed", "0")
    assert one["canceled"] == everything["canceled"] == []
    assert set(one["not_canceled"]) == set(everything["not_canceled"]) == {answer["orderID"]}
    assert (record["status"], record["size_matched"]) == ("MATCHED", "10")


# Settlement, and how oddly it is told.


async def matched(hall: Hall) -> tuple[Any, Socket]:
    """A taker with a trade, and its user stream."""
    maker, taker = await hall.trader(1), await hall.trader(0)
    socket = await user_socket(hall, taker)
    await maker.place(UPDOWN, UPDOWN.no_token, "BUY", "0.5", "10")
    await taker.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.5", "10")
    return taker, socket


def trades(frames: list[Any]) -> list[Any]:
    return [frame for frame in frames if frame["event_type"] == "trade"]


async def test_a_match_that_is_not_sent_yet_says_so_at_rest_and_only_there(hall: Hall) -> None:
    """MATCHED_NOT_BROADCASTED is REST's own step (reference 1.8)."""
    hall.floor.faults.add([Fault(kind="late_broadcast", seconds=10.0)])
    taker, socket = await matched(hall)
    rest, pushed = [], trades(await quiet_until_pong(socket))
    for wait_ms in (0, 10_000, 10_000, 10_000):
        hall.after(wait_ms)
        rest.append((await taker.ask("GET", "/data/trades"))[1]["data"][0]["status"])
    pushed += trades(await quiet_until_pong(socket))

    assert rest == [
        "TRADE_STATUS_MATCHED_NOT_BROADCASTED", "TRADE_STATUS_MATCHED", "TRADE_STATUS_MINED",
        "TRADE_STATUS_CONFIRMED",
    ]  # fmt: skip
    assert [frame["status"] for frame in pushed] == ["MATCHED", "MATCHED", "MINED", "CONFIRMED"]


@pytest.mark.parametrize(
    ("kind", "statuses"),
    [
        ("fail_settlement", ["MATCHED", "RETRYING", "FAILED"]),
        ("retry_settlement", ["MATCHED", "RETRYING", "MINED", "CONFIRMED"]),
    ],
)
async def test_every_step_of_a_troubled_settlement_is_pushed(
    hall: Hall, kind: str, statuses: list[str]
) -> None:
    hall.floor.faults.add([Fault(kind=kind)])
    _, socket = await matched(hall)
    hall.after(10_000)

    pushed = trades(await quiet_until_pong(socket))
    assert [frame["status"] for frame in pushed] == statuses
    assert len({frame["id"] for frame in pushed}) == 1


@pytest.mark.parametrize(
    ("kind", "spelt"),
    [
        ("matchtime", lambda f: "match_time" not in f and f["matchtime"].isdigit()),
        ("empty_decimals", lambda f: f["fee_rate_bps"] == f["last_update"] == ""),
        ("no_maker_orders", lambda f: "maker_orders" not in f),
        ("seconds", lambda f: len(f["timestamp"]) == 10),
    ],
)
async def test_our_own_adapter_reads_a_trade_however_oddly_it_is_told(
    hall: Hall, kind: str, spelt: Any
) -> None:
    """Each of them was seen in the wild (reference 4.3; failures 12 to 15)."""
    hall.floor.faults.add([Fault(kind=kind, path="/ws/user")])
    _, socket = await matched(hall)
    (odd,) = trades(await quiet_until_pong(socket))
    hall.floor.faults.clear()
    hall.after(2_000)
    plain = trades(await quiet_until_pong(socket))[0]

    assert spelt(odd)
    facts = [user_facts(orjson.dumps(frame), 1)[0] for frame in (odd, plain)]
    assert all(isinstance(fact, TradeReported) for fact in facts)
    first, second = facts
    assert isinstance(first, TradeReported)
    assert isinstance(second, TradeReported)
    assert (first.trade_id, first.shares, first.match_s) == (
        second.trade_id, second.shares, second.match_s,
    )  # fmt: skip

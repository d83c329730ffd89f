"""Faults happen on the wire as they were asked for, and nothing else does."""

from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from polybawt.core.units import SECOND_NS
from polybawt.exchange.config import InvalidConfig, exchange_config
from polybawt.exchange.mishaps import Frames
from polybawt.sim.faults import Fault, Faults
from tests.exchange.house import START_NS, UPDOWN, Hall, Trader

LOST = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)
ADMIN = {"Authorization": "Bearer admin"}


async def strike(hall: Hall, **rule: Any) -> None:
    answer = await hall.client.post("/admin/faults", json={"fault": [rule]}, headers=ADMIN)
    assert answer.status == 200, await answer.text()


async def order_of(trader: Trader) -> Any:
    return trader.limit(UPDOWN, UPDOWN.yes_token, "BUY", "0.40", "10")


def booked(hall: Hall, trader: Trader) -> int:
    return len(hall.floor.venue.open_orders(trader.address))


@pytest.mark.parametrize(
    ("kind", "rests"), [("answer_lost", 1), ("reset", 0), ("late", 1), ("slow", 1)]
)
async def test_a_connection_ends_before_or_after_the_order_is_booked(
    hall: Hall, kind: str, rests: int
) -> None:
    """The same silence to the client, and two different truths at the venue."""
    trader = await hall.trader()
    order = await order_of(trader)
    await strike(hall, kind=kind, method="POST", path="/order", count=1, seconds=0.01)

    if kind == "slow":
        assert (await trader.ask("POST", "/order", order))[0] == 200
    else:
        with pytest.raises(LOST):
            await trader.ask("POST", "/order", order)
    hall.after(10)
    status, again = await trader.ask("POST", "/order", order)

    assert booked(hall, trader) == 1
    if rests:
        assert (status, "Duplicated" in again["error"]) == (400, True)
    else:
        assert (status, again["status"]) == (200, "live")


@pytest.mark.parametrize(("kind", "rests"), [("error_500", 0), ("error_500_done", 1)])
async def test_an_error_says_nothing_of_what_was_done(hall: Hall, kind: str, rests: int) -> None:
    trader = await hall.trader()
    await strike(hall, kind=kind, path="/order", count=1)

    status, body = await trader.ask("POST", "/order", await order_of(trader))

    assert (status, body) == (500, {"error": "could not run the execution"})
    assert booked(hall, trader) == rests


async def test_too_many_says_when_to_come_again(hall: Hall) -> None:
    await strike(hall, kind="too_many", path="/book", seconds=7)
    answer = await hall.client.get("/book", params={"token_id": UPDOWN.yes_token})

    assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
    assert await answer.json() == {"error": "Too Many Requests"}


async def test_the_clock_and_the_balance_are_what_they_are_shown_to_be(hall: Hall) -> None:
    trader = await hall.trader()
    query = {"asset_type": "COLLATERAL"}
    before = await trader.ask("GET", "/balance-allowance", **query)
    await strike(hall, kind="wrong_clock", seconds=90, count=1)
    await strike(hall, kind="stale_balance", count=1)
    hall.floor.venue.deposit(trader.address, 5_000_000)  # type: ignore[arg-type]

    assert await hall.get("/time") == START_NS // SECOND_NS + 90
    assert await hall.get("/time") == START_NS // SECOND_NS
    assert await trader.ask("GET", "/balance-allowance", **query) == before
    assert await trader.ask("GET", "/balance-allowance", **query) != before


@pytest.mark.parametrize(
    ("kind", "ends"), [("fail_settlement", "FAILED"), ("retry_settlement", "CONFIRMED")]
)
async def test_a_trade_is_voided_or_sent_again(hall: Hall, kind: str, ends: str) -> None:
    buyer, seller = await hall.trader(0), await hall.trader(1)
    await strike(hall, kind=kind, seconds=1, count=1)
    await seller.place(UPDOWN, UPDOWN.no_token, "BUY", "0.60", "10")
    await buyer.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.40", "10")

    hall.after(1_000)
    (trade,) = hall.floor.venue.trades(buyer.address)
    assert trade.status == "RETRYING"
    hall.after(4_000)
    (trade,) = hall.floor.venue.trades(buyer.address)
    assert trade.status == ends


async def test_a_socket_that_only_answers_ping(hall: Hall) -> None:
    """PONG is no data: the worst of silences is the one that looks alive."""
    maker = await hall.trader()
    async with hall.client.ws_connect("/ws/market") as socket:
        await socket.send_json({"type": "market", "assets_ids": [UPDOWN.yes_token]})
        assert orjson.loads((await socket.receive()).data)[0]["event_type"] == "book"
        await strike(hall, kind="silence", path="/ws/market", count=1, seconds=10)
        await maker.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.40", "10")
        await socket.send_str("PING")
        assert (await socket.receive()).data == "PONG"
        hall.after(10_000)
        await maker.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.39", "10")
        heard = orjson.loads((await socket.receive()).data)
    assert "0.39" in str(heard)
    assert hall.floor.faults.tally["silence"] == 1


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        ("drop", [b"two", b"three"]),
        ("duplicate", [b"one!", b"one!", b"two", b"three"]),
        ("truncate", [b"on", b"two", b"three"]),
        ("reorder", [b"two", b"one!", b"three"]),
        ("silence", []),
    ],
)
def test_a_frame_is_lost_doubled_cut_or_overtaken(kind: str, sent: list[bytes]) -> None:
    frames = Frames(Faults([Fault(kind=kind, count=1)], 1, START_NS), lambda: START_NS, "/ws/user")

    assert [out for frame in (b"one!", b"two", b"three") for out in frames.sent(frame)] == sent


def test_the_exchange_knows_which_frames_it_spoilt() -> None:
    """A soak asks whether the client noticed: each loss is noted, with the tokens it was about."""
    faults = Faults([Fault(kind="drop", count=1), Fault(kind="silence", count=1)], 1, START_NS)
    first, second = (Frames(faults, lambda: START_NS, "/ws/market") for _ in range(2))
    frame = b'{"price_changes":[{"asset_id":"7"},{"asset_id":"8"}],"event_type":"price_change"}'
    for stream in (first, second, second):
        stream.sent(frame)

    assert [(s.kind, s.connection) for s in faults.struck] == [
        ("drop", 1),
        ("silence", 2),
        ("silenced", 2),
    ]
    assert {(s.event, s.tokens) for s in faults.struck} == {("price_change", ("7", "8"))}


async def test_faults_are_listed_counted_and_cleared(hall: Hall) -> None:
    await strike(hall, kind="too_many", path="/book", count=1)
    await hall.client.get("/book", params={"token_id": UPDOWN.yes_token})
    listed = await (await hall.client.get("/admin/faults", headers=ADMIN)).json()
    cleared = await (await hall.client.delete("/admin/faults", headers=ADMIN)).json()
    wrong = await hall.client.post("/admin/faults", json={"fault": 1}, headers=ADMIN)

    assert listed["fault"][0]["kind"] == "too_many"
    assert listed["tally"] == cleared["tally"] == {"too_many": 1}
    assert cleared["fault"] == []
    assert wrong.status == 400
    assert (await hall.client.get("/admin/faults")).status == 401


def test_a_file_of_faults_is_read_or_told_what_is_wrong_with_it(tmp_path: Path) -> None:
    path = tmp_path / "faults.toml"
    path.write_text('[[fault]]\nkind = "drop"\nshare = 0.01\n')
    assert exchange_config(faults=str(path)).faults == (Fault(kind="drop", share=0.01),)
    path.write_text('[[fault]]\nkind = "rust"\n')
    with pytest.raises(InvalidConfig, match="fault 1: kind is one of"):
        exchange_config(faults=str(path))
    path.write_text("[[fault")
    with pytest.raises(InvalidConfig, match="faults: "):
        exchange_config(faults=str(path))
    with pytest.raises(InvalidConfig, match="No such file"):
        exchange_config(faults=str(tmp_path / "none"))

"""The dead-man switch: silence cancels, a stale beat is told the right one."""

from tests.exchange.house import UPDOWN, Hall


async def test_silence_cancels_every_order_of_the_key(hall: Hall) -> None:
    """An engine that died must not leave orders behind."""
    trader, other = await hall.trader(0), await hall.trader(1)
    for each in (trader, other):
        await each.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "10")
    await trader.ask("POST", "/v1/heartbeats", {"heartbeat_id": ""})
    hall.after(9_999)
    alive = (await trader.ask("GET", "/data/orders"))[1]["count"]
    hall.after(1)

    assert alive == 1
    assert (await trader.ask("GET", "/data/orders"))[1]["count"] == 0
    assert (await other.ask("GET", "/data/orders"))[1]["count"] == 1  # never armed


async def test_each_beat_buys_ten_seconds(hall: Hall) -> None:
    trader = await hall.trader()
    await trader.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "10")
    beat = ""
    for _ in range(5):
        _, answer = await trader.ask("POST", "/v1/heartbeats", {"heartbeat_id": beat})
        beat = answer["heartbeat_id"]
        hall.after(9_000)

    assert (await trader.ask("GET", "/data/orders"))[1]["count"] == 1


async def test_a_stale_beat_is_told_the_expected_one(hall: Hall) -> None:
    """An answer may be lost after the beat was accepted; the chain must be resumable."""
    trader = await hall.trader()
    _, first = await trader.ask("POST", "/v1/heartbeats", {"heartbeat_id": ""})

    status, refused = await trader.ask("POST", "/v1/heartbeats", {"heartbeat_id": ""})
    resumed, _ = await trader.ask(
        "POST", "/v1/heartbeats", {"heartbeat_id": refused["heartbeat_id"]}
    )

    assert status == 400
    assert refused["error_msg"] == refused["error"] == "Invalid Heartbeat ID"
    assert refused["heartbeat_id"] == first["heartbeat_id"]
    assert resumed == 200


async def test_a_lapsed_switch_is_armed_again_by_the_next_beat(hall: Hall) -> None:
    trader = await hall.trader()
    _, first = await trader.ask("POST", "/v1/heartbeats", {"heartbeat_id": None})
    hall.after(60_000)
    await trader.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "10")
    hall.after(60_000)
    unarmed = (await trader.ask("GET", "/data/orders"))[1]["count"]
    await trader.ask("POST", "/v1/heartbeats", {"heartbeat_id": first["heartbeat_id"]})
    hall.after(10_000)

    assert unarmed == 1
    assert (await trader.ask("GET", "/data/orders"))[1]["count"] == 0


async def test_a_malformed_beat_is_refused(hall: Hall) -> None:
    trader = await hall.trader()

    for body in ("[]", '{"heartbeat_id":5}', "{"):
        assert (await trader.ask("POST", "/v1/heartbeats", body))[0] == 400


async def test_a_beat_without_an_id_winds_the_same_switch(hall: Hall) -> None:
    """Old clients send no id, and are as dead when they fall silent."""
    trader = await hall.trader()
    await trader.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "10")
    for _ in range(3):
        assert await trader.ask("POST", "/heartbeats") == (200, {"status": "ok"})
        hall.after(9_000)
    alive = (await trader.ask("GET", "/data/orders"))[1]["count"]
    hall.after(1_000)

    assert alive == 1
    assert (await trader.ask("GET", "/data/orders"))[1]["count"] == 0


async def test_a_beat_without_an_id_leaves_the_chain_of_ids_alone(hall: Hall) -> None:
    trader = await hall.trader()
    _, first = await trader.ask("POST", "/v1/heartbeats", {"heartbeat_id": ""})
    await trader.ask("POST", "/heartbeats")

    status, _ = await trader.ask("POST", "/v1/heartbeats", first)

    assert status == 200

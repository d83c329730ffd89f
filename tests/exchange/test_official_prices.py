"""The official client's price streams against ours: the numbered one, and the legacy topics."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from polybawt.exchange.wire import live
from polybawt.sim.faults import Fault
from polybawt.sim.records import Quoted, Report
from tests.exchange.house import START_NS, Hall
from tests.exchange.official import Enter, entrance, subscribed

specs: Any = pytest.importorskip("polymarket.streams._specs")

E18 = 10**18
START_MS = START_NS // 10**6


@pytest.fixture
async def enter(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Enter]:
    async with entrance(monkeypatch) as entering:
        yield entering


def tell(hall: Hall, *values: int) -> None:
    for value in values:
        at_ms = START_MS + value
        hall.world.coming = [
            Report("btc/usd", value * E18 + 1, at_ms),
            Quoted("twap", "btc/usd", value * E18 + 2, at_ms, 60),
            Quoted("binance", "btcusdt", value * E18, at_ms),
        ]
        hall.after(1)


async def until(known: Callable[[], bool]) -> None:
    for _ in range(5_000):
        if known():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never came to that")


async def taken(stream: Any, count: int) -> list[Any]:
    got = []
    async with asyncio.timeout(10):
        async for event in stream:
            got.append(event)
            if len(got) == count:
                return got
    raise AssertionError("the stream ended")


@pytest.mark.parametrize(
    ("spec", "topic", "digit"),
    [("CryptoPriceSpec", "prices.crypto", 1), ("CryptoTwapPriceSpec", "prices.crypto.twap", 2)],
)
async def test_it_authenticates_subscribes_and_counts(
    hall: Hall, enter: Enter, spec: str, topic: str, digit: int
) -> None:
    """Snapshot, then updates, every digit, dense numbers; and a gap where a frame was lost."""
    client = await enter(hall)
    tell(hall, 5, 6)

    async with subscribed(client, getattr(specs, spec)(symbols=["btcusd"])) as stream:
        tell(hall, 7)
        hall.floor.faults.add([Fault(kind="drop", path="/ws/prices", count=1)])
        tell(hall, 8, 9)
        snapshot, first, last = await taken(stream, 3)

    assert [snapshot.type, first.type, last.type] == ["subscribe", "update", "update"]
    assert {snapshot.topic, first.topic} == {topic}
    assert [point.value for point in snapshot.payload.data] == [
        Decimal(f"{n}.{digit:018d}") for n in (5, 6)
    ]
    assert first.payload.value == Decimal(f"7.{digit:018d}")
    assert first.payload.timestamp == datetime.fromtimestamp((START_MS + 7) / 1_000, UTC)
    assert [snapshot.seq, first.seq, last.seq] == [live.FIRST_SEQ + n for n in (0, 1, 3)]


async def test_its_legacy_topics_are_served_too(hall: Hall, enter: Enter) -> None:
    """Deprecated there and perhaps removed (reference 9), but old clients live long."""
    client = await enter(hall)
    wanted = [
        specs.CryptoPricesSpec(topic="prices.crypto.binance", symbols=["btcusdt"]),
        specs.CryptoPricesSpec(topic="prices.crypto.chainlink", symbols=["btc/usd"]),
        specs.CryptoPricesChainlinkTwapSpec(window_seconds=60, symbols=["btc/usd"]),
    ]
    for spec in wanted:
        async with subscribed(client, spec) as stream:
            await until(lambda: any(one.wanted for one in hall.floor.hub._oracle))
            tell(hall, 7)
            (update,) = await taken(stream, 1)
        await until(lambda: not any(one.wanted for one in hall.floor.hub._oracle))

        assert update.topic.startswith("prices.crypto")
        assert round(update.payload.value) == 7

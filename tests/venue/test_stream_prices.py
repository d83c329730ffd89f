"""The numbered price stream against a real server: what is missing is known, not guessed."""

import asyncio
import json
from typing import Any

from websockets.asyncio.server import ServerConnection

from polybawt.core import facts
from polybawt.venue.links import PricesLink
from tests.venue.test_stream import CREDENTIALS, NOW, hears, venue_with
from tests.venue.test_stream import Venue as Venue

E18 = 10**18


def frame(seq: int, symbol: str = "btcusd", **other: Any) -> str:
    """One report as reference 4.4 has it."""
    payload = {
        "symbol": symbol,
        "source": "chainlink",
        "value": 76_175.5,
        "full_accuracy_value": "76175.500000000000000001",
        "timestamp": 1_777_384_395_000 + 1_000 * seq,
    } | other.pop("payload", {})
    whole = {"v": 1, "channel": "price.crypto", "seq": seq, "ts": 1_777_384_396_000}
    return json.dumps(whole | other | {"payload": payload})


def link() -> PricesLink:
    return PricesLink(credentials=CREDENTIALS)


def told(raw: str, into: PricesLink) -> tuple[object, ...]:
    return into.facts(raw, NOW, ("btc/usd",))


async def test_it_proves_itself_and_then_names_its_symbols() -> None:
    """The order of the first two frames is the venue's. Proves: reference 4.4."""
    box: list[Venue] = []
    async with venue_with(link(), hears(box, 2, '{"op":"authed","rid":"auth"}', frame(1))) as venue:
        box.append(venue)
        await venue.stream.subscribe(["btc/usd"])
        await venue.next(facts.LinkUp)
        auth, asked = await venue.frame(), await venue.frame()
        report = await venue.next(facts.OracleReported)

        proof = {"apiKey": "k-1", "secret": "hush", "passphrase": "hush"}
        assert auth == {"op": "auth", "auth": proof, "rid": "auth"}
        assert asked == {
            "op": "subscribe",
            "subscriptions": [{"channel": "price.crypto", "filter": {"symbol": "btcusd"}}],
            "rid": "subscribe",
        }
        assert (report.symbol, report.value_e18) == ("btc/usd", 76_175_500_000_000_000_000_001)
        assert report.exact


async def test_a_gap_is_told_and_mended_by_a_new_connection() -> None:
    """Numbers begin anew there, with what the last two minutes held. Proves: gap detection."""
    box: list[Venue] = []
    first = hears(box, 2, frame(7), frame(10))
    async with venue_with(link(), first, hears(box, 2, frame(1), frame(2))) as venue:
        box.append(venue)
        await venue.stream.subscribe(["btc/usd"])
        await venue.next(facts.LinkUp)
        await venue.next(facts.OracleReported)
        gap = await venue.next(facts.LinkGap)
        assert (await venue.next(facts.OracleReported)).report_ms
        await venue.next(facts.LinkDown)
        await venue.next(facts.LinkUp)
        again = [await venue.next(facts.OracleReported) for _ in range(2)]

        assert gap == facts.LinkGap(link="oracle", channel="price.crypto", missed=2, at_ns=NOW)
        assert len(again) == 2  # and no gap between 10 and 1


def test_what_the_venue_dropped_for_us_is_a_gap_too() -> None:
    """A slow reader is told how much it missed, and the numbers go on."""
    prices = link()
    told(frame(1), prices)
    gap, report = told(frame(2, dropped=5), prices)

    assert isinstance(gap, facts.LinkGap)
    assert gap.missed == 5
    assert isinstance(report, facts.OracleReported)


def test_a_new_connection_counts_anew() -> None:
    """Else its first gaps would hide below the numbers of the one before."""
    prices = link()
    told(frame(10), prices)
    prices.opening(("btc/usd",))
    said = [fact for seq in (1, 4) for fact in told(frame(seq), prices)]

    assert [f.missed for f in said if isinstance(f, facts.LinkGap)] == [2]


def test_a_frame_that_comes_twice_or_late_is_no_gap() -> None:
    prices = link()
    said = [fact for seq in (1, 3, 3, 2, 4) for fact in told(frame(seq), prices)]

    assert [f.missed for f in said if isinstance(f, facts.LinkGap)] == [1]
    assert prices.last == {"price.crypto": 4}


def test_another_sources_price_never_passes_for_the_settlement_price() -> None:
    """Nor an old one that is carried forward, nor another symbol's. Proves: C2."""
    prices = link()
    others = [
        frame(1, payload={"source": "binance"}),
        frame(2, payload={"is_carried_forward": True}),
        frame(3, symbol="ethusd"),
        frame(4, payload={"source": None}),
        '{"op":"subscribed","rid":"subscribe","channel":"price.crypto"}',
    ]

    assert [told(raw, prices) for raw in others] == [()] * 5


def test_a_snapshot_is_what_was_missed() -> None:
    """A subscription begins with the last two minutes, each report exact and of its second."""
    points = [
        {"timestamp": 1_777_384_395_000 + 1_000 * n, "value": 1.5, "full_accuracy_value": f"{n}.5"}
        for n in (1, 2)
    ]
    past = {"symbol": "btcusd", "source": "chainlink", "data": points}
    whole = {"v": 1, "channel": "price.crypto", "seq": 1, "ts": 1, "snapshot": True}
    raw = json.dumps(whole | {"payload": past})

    assert [
        (f.value_e18, f.exact, f.symbol)
        for f in told(raw, link())
        if isinstance(f, facts.OracleReported)
    ] == [(E18 * 3 // 2, True, "btc/usd"), (E18 * 5 // 2, True, "btc/usd")]


async def test_a_refusal_that_keeps_the_connection_open_is_one_too() -> None:
    """The venue answers a wrong key in words, and waits: we would listen to nothing."""
    box: list[Venue] = []
    words = json.dumps({"op": "error", "rid": "auth", "code": "auth_invalid"})
    async with venue_with(link(), hears(box, 2, words)) as venue:
        box.append(venue)
        await venue.stream.subscribe(["btc/usd"])
        await venue.next(facts.LinkUp)
        await venue.next(facts.LinkDown)

        assert (await venue.next(facts.LinkRefused)).link == "oracle"


def test_a_double_is_not_exact() -> None:
    """Where the exact text is missing only the double is left (reference 4.4)."""
    (report,) = told(frame(1, payload={"full_accuracy_value": None}), link())

    assert isinstance(report, facts.OracleReported)
    assert (report.value_e18, report.exact) == (761_755 * E18 // 10, False)


def test_nonsense_is_bad_input_and_nothing_else() -> None:
    """Proves: BadInput (never a crash)."""
    wrong = [
        frame(1)[:40],
        "[]",
        frame(1, v=2),
        frame(-1),
        frame(1, payload={"timestamp": "x"}),
        frame(1, payload={"value": -1, "full_accuracy_value": None}),
        json.dumps({"op": "error", "code": "bad_channel"}),
        json.dumps({"v": 1, "channel": "price.crypto", "seq": 1, "payload": 5}),
    ]

    kinds = [[type(fact) for fact in told(raw, link())] for raw in wrong]
    assert kinds == [[facts.BadInput]] * len(wrong)


async def test_a_refusal_in_words_is_one_at_once() -> None:
    """Close code 4001 needs no counting. Proves: reference 4.4."""
    box: list[Venue] = []

    async def refuses(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.close(4001, "auth")

    async with venue_with(link(), refuses) as venue:
        box.append(venue)
        await venue.stream.subscribe(["btc/usd"])
        await venue.next(facts.LinkUp)
        await venue.next(facts.LinkDown)
        refused = await venue.next(facts.LinkRefused)

        assert refused.link == "oracle"
        assert "hush" not in refused.reason


async def test_its_ping_is_a_frame_of_its_own() -> None:
    """Text PING means nothing here; the unified client sends an operation."""
    box: list[Venue] = []

    async def answers(socket: ServerConnection) -> None:
        for _ in range(2):
            await socket.recv()
        async for raw in socket:
            assert json.loads(raw) == {"op": "ping"}
            await socket.send('{"op":"pong"}')

    async with venue_with(link(), answers, ping_s=0.005) as venue:
        box.append(venue)
        await venue.stream.subscribe(["btc/usd"])
        up = await asyncio.wait_for(venue.told.get(), 10)
        heard = [await asyncio.wait_for(venue.told.get(), 10) for _ in range(5)]

        assert isinstance(up, facts.LinkUp)
        assert heard == [facts.LinkHeard(link="oracle", at_ns=NOW)] * 5

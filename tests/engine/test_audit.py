"""Who listens sees what is; who speaks may say three things; who does neither is cut."""

import asyncio
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from polybawt.core.codec import encode
from polybawt.core.facts import (
    ApproveRequested,
    DecideRequested,
    DeclineRequested,
    FlattenRequested,
    KillRequested,
    ResetRequested,
    StopRequested,
    Tick,
)
from polybawt.core.machine import Fact
from polybawt.core.state import State
from polybawt.core.units import Usdc
from polybawt.engine import audit
from polybawt.engine.audit import AuditStream

KILL = b'{"kind":"KillRequested","fact":{"actor":"jo","reason":"x","source":"terminal"}}\n'


class House:
    """A stream without an engine behind it: facts are ticks, and what was said is noted."""

    def __init__(self, path: Path, **settings: Any) -> None:
        self.seq, self.said, self.busy, self.between = 0, list[Fact](), False, True
        self.stream = AuditStream(path, self._hello, self._say, lambda: 5, **settings)

    def _hello(self) -> bytes:
        return audit.hello(self.seq, State(), mode="paper") if self.between else b""

    def _say(self, fact: Fact) -> bool:
        self.said.append(fact)
        return not self.busy

    def tell(self, facts: int = 1, text: bytes = b"") -> None:
        lines = []
        for _ in range(facts):
            self.seq += 1
            kind, body = encode(Tick(at_ns=self.seq))
            lines.append(audit.line(self.seq, kind, body + text))
        self.stream.publish(lines)


class Guest:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def hears(self) -> Any:
        async with asyncio.timeout(5):
            return orjson.loads(await self.reader.readline())

    async def says(self, line: bytes) -> Any:
        self.writer.write(line)
        return await self.hears()

    async def gone(self) -> bool:
        """Whether the house hung up."""
        async with asyncio.timeout(5):
            try:
                return await self.reader.read() is not None
            except ConnectionError:
                return True


@asynccontextmanager
async def house(tmp_path: Path, **settings: Any) -> AsyncIterator[House]:
    opened = House(tmp_path / "audit.sock", **settings)
    serving = asyncio.create_task(opened.stream.serve())
    async with asyncio.timeout(5):
        while not (tmp_path / "audit.sock").exists():
            await asyncio.sleep(0)
    yield opened
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


async def guest(at: House) -> Guest:
    """One that is connected and, unless the house is busy, has been greeted."""
    found = Guest(*await asyncio.open_unix_connection(at.stream.path))
    if at.between:
        assert (await found.hears())["seq"] == at.seq
    return found


async def test_the_state_comes_first_and_then_every_fact_in_order(tmp_path: Path) -> None:
    """Dense numbers: a listener sees at once when it missed one. Proves: D9."""
    async with house(tmp_path) as h:
        h.tell(3)
        listener = Guest(*await asyncio.open_unix_connection(h.stream.path))
        first = await listener.hears()
        h.tell(2)
        heard = [await listener.hears(), await listener.hears()]

    assert (first["protocol"], first["seq"], first["mode"]) == (1, 3, "paper")
    assert first["state"] == {}  # all defaults
    assert heard == [{"seq": n, "kind": "Tick", "fact": {"at_ns": n}} for n in (4, 5)]


async def test_nobody_is_greeted_while_a_batch_is_being_made_durable(tmp_path: Path) -> None:
    """The state would hold facts that are then told again, and the picture would be wrong."""
    async with house(tmp_path) as h:
        h.between = False  # the kernel has stepped, the journal has not confirmed
        late = await guest(h)
        for _ in range(20):
            await asyncio.sleep(0)
        h.between = True
        h.tell(2)
        first = await late.hears()
        h.tell()

        assert first["seq"] == 2
        assert (await late.hears())["seq"] == 3


@pytest.mark.parametrize(
    ("line", "fact"),
    [
        (KILL, KillRequested(at_ns=5, actor="jo", reason="x", source="terminal")),
        (
            b'{"kind":"ResetRequested","fact":{"actor":"jo","reason":"ok","breaker":"kill"}}\n',
            ResetRequested(at_ns=5, actor="jo", reason="ok", breaker="kill"),
        ),
        (
            b'{"kind":"ApproveRequested","fact":{"actor":"jo","approval_id":"a1","terms":"t"}}\n',
            ApproveRequested(at_ns=5, actor="jo", approval_id="a1", terms="t"),
        ),
        (
            b'{"kind":"DeclineRequested","fact":{"actor":"jo","approval_id":"a1"}}\n',
            DeclineRequested(at_ns=5, actor="jo", approval_id="a1"),
        ),
        (
            b'{"kind":"FlattenRequested","fact":{"actor":"jo","reason":"enough"}}\n',
            FlattenRequested(at_ns=5, actor="jo", reason="enough"),
        ),
        (
            b'{"kind":"StopRequested","fact":{"actor":"jo","at_ns":99}}\n',
            StopRequested(at_ns=5, actor="jo"),
        ),
        (
            b'{"kind":"DecideRequested","fact":{"actor":"jo","reason":"ok","condition_id":"0xc",'
            b'"yes_payout":0,"no_payout":1000000}}\n',
            DecideRequested(
                at_ns=5,
                actor="jo",
                reason="ok",
                condition_id="0xc",
                yes_payout=Usdc(0),
                no_payout=Usdc(1_000_000),
            ),
        ),
    ],
)
async def test_an_operator_may_say_four_things(tmp_path: Path, line: bytes, fact: Fact) -> None:
    """The time is the engine's, whatever was said. Proves: kill, emergency."""
    async with house(tmp_path) as h:
        answer = await (await guest(h)).says(line)

        assert answer == {"accepted": type(fact).__name__, "seq": None}
        assert h.said == [fact]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"kind":"PriceChanged","fact":{"condition_id":"c","timestamp_ms":1,"changes":[]}}\n',
         "PriceChanged is not for operators"),
        (b'{"kind":"Tick","fact":{}}\n', "Tick is not for operators"),
        (b'{"kind":"BalanceRead","fact":{"token_id":"","amount":1}}\n', "not for operators"),
        (b'{"kind":"Nothing","fact":{}}\n', "unknown fact 'Nothing'"),
        (b'{"kind":"KillRequested","fact":{"actor":"jo"}}\n', "not understood"),
        (b'{"kind":"StopRequested","fact":{"actor":"jo","more":1}}\n', "not understood"),
        (b'{"kind":"StopRequested","fact":[]}\n', "not understood"),
        (b'{"kind":"StopRequested"}\n', "not understood"),
        (b'["StopRequested"]\n', "not understood"),
        (b"\n", "not understood"),
        (b"kill!\n", "not understood"),
        (b"\xff\xfe\x00\x01\n", "not understood"),
        (b'{"kind":' + b"[" * 5_000 + b"\n", "not understood"),
    ],
)  # fmt: skip
async def test_all_else_is_refused_and_the_stream_goes_on(
    tmp_path: Path, line: bytes, why: str
) -> None:
    """A client must not be able to tell the kernel of prices, money or time.

    Proves: B-mon, A-sec.
    """
    async with house(tmp_path) as h:
        listener = await guest(h)
        answer = await listener.says(line)
        assert why in answer["refused"]
        assert h.said == []

        assert (await listener.says(KILL))["accepted"] == "KillRequested"
        h.tell()
        assert (await listener.hears())["seq"] == 1


async def test_a_line_without_end_is_refused_and_its_speaker_cut(tmp_path: Path) -> None:
    """Memory is bounded, and the others do not notice. Proves: C5."""
    async with house(tmp_path) as h:
        other, endless = await guest(h), await guest(h)
        answer = await endless.says(b"x" * (audit.LINE_MAX + 2))
        assert "a line of more than 65536 bytes" in answer["refused"]
        assert await endless.gone()
        h.tell()

        assert (await other.hears())["seq"] == 1


async def test_what_the_engine_is_too_busy_to_hear_is_refused(tmp_path: Path) -> None:
    """Never "accepted" and then forgotten. Proves: kill."""
    async with house(tmp_path) as h:
        h.busy = True

        assert "say it again" in (await (await guest(h)).says(KILL))["refused"]


async def test_a_listener_that_never_reads_is_cut(tmp_path: Path) -> None:
    """At once, for closing would wait for it to read. The others do not notice. Proves: C5, D9."""
    async with house(tmp_path, behind_max=100_000) as h:
        deaf = await guest(h)
        deaf.writer.transport.pause_reading()  # type: ignore[attr-defined]
        reader = await guest(h)
        ours = set(h.stream._listeners)
        for seq in range(1, 51):
            h.tell(text=b" " * 20_000)
            assert (await reader.hears())["seq"] == seq
        (cut,) = ours - h.stream._listeners
        assert cut.transport.get_write_buffer_size() == 0
        deaf.writer.transport.resume_reading()  # type: ignore[attr-defined]

        assert await deaf.gone()


async def test_a_speaker_that_never_reads_its_answers_is_not_heard_further(tmp_path: Path) -> None:
    """Its answers must not pile up in our memory. Proves: C5."""
    async with house(tmp_path) as h:
        rude = await guest(h)
        rude.writer.transport.pause_reading()  # type: ignore[attr-defined]
        for _ in range(40):
            rude.writer.write(b'{"kind":"Nothing","fact":{}}\n' * 1_000)
            for _ in range(50):
                await asyncio.sleep(0)
        (writer,) = h.stream._listeners

        assert writer.transport.get_write_buffer_size() < 300_000
        rude.writer.transport.abort()


async def test_a_listener_that_breaks_off_is_forgotten(tmp_path: Path) -> None:
    """It left without reading what it was told; the others do not notice."""
    async with house(tmp_path) as h:
        other = await guest(h)
        broken = Guest(*await asyncio.open_unix_connection(h.stream.path))
        broken.writer.transport.pause_reading()  # type: ignore[attr-defined]
        async with asyncio.timeout(5):
            while len(h.stream._listeners) < 2:
                await asyncio.sleep(0)
        h.tell()
        broken.writer.transport.abort()
        async with asyncio.timeout(5):
            while len(h.stream._listeners) == 2:
                await asyncio.sleep(0)

        assert (await other.hears())["seq"] == 1


async def test_more_listeners_than_allowed_are_told_so(tmp_path: Path) -> None:
    """Proves: C5."""
    async with house(tmp_path) as h:
        guests = [await guest(h) for _ in range(audit.LISTENERS_MAX)]
        late = Guest(*await asyncio.open_unix_connection(h.stream.path))
        assert await late.hears() == {"refused": "too many listeners"}
        guests[0].writer.close()
        async with asyncio.timeout(5):
            while len(h.stream._listeners) == audit.LISTENERS_MAX:
                await asyncio.sleep(0)

        await guest(h)


async def test_the_socket_is_its_owners_alone_and_goes_with_the_engine(tmp_path: Path) -> None:
    """Whoever can speak there can stop the engine. Proves: A-sec, B-mon."""
    async with house(tmp_path) as h:
        assert stat.S_IMODE(h.stream.path.stat().st_mode) == 0o600

    assert not h.stream.path.exists()


async def test_a_socket_that_a_crash_left_behind_is_replaced(tmp_path: Path) -> None:
    """Proves: recovery."""
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / "audit.sock"))
    left.close()
    async with house(tmp_path) as h:
        async with asyncio.timeout(5):
            while stat.S_IMODE(h.stream.path.stat().st_mode) != 0o600:
                await asyncio.sleep(0)

        await guest(h)


async def test_the_end_waits_for_nobody(tmp_path: Path) -> None:
    """A terminal that is attached, or hangs, must not keep the engine from ending."""
    async with house(tmp_path) as h:
        listener, deaf = await guest(h), await guest(h)
        deaf.writer.transport.pause_reading()  # type: ignore[attr-defined]

    assert await listener.gone()

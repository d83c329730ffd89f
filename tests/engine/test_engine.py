"""Whole lives of the engine against a real exchange over the real wire."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from attrs import evolve

from polybawt.core import facts
from polybawt.core.codec import decode, decode_state, encode_state
from polybawt.core.facts import BadInput, BalanceRead, Tick
from polybawt.core.kernel import step
from polybawt.core.machines import order
from polybawt.core.risk import Limits
from polybawt.core.state import Config, State
from polybawt.core.strategies.value import Value
from polybawt.core.units import MILLION, MS_NS, SECOND_NS, Usdc
from polybawt.engine.config import EngineConfig
from polybawt.engine.engine import Engine, recorded, recovered
from polybawt.engine.journal import JournalError, Row
from polybawt.ops.paper import toml
from polybawt.venue.clob import Clob
from tests.engine.town import ACCOUNT, KEY, Town, engine, html, journal_of, journaled, town, until

pytestmark = pytest.mark.xdist_group("wire")

MOST = Usdc(1_000 * MILLION)
RICH = Config(
    limits=Limits(
        token_exposure_max=Usdc(400 * MILLION),
        total_exposure_max=MOST,
        condition_exposure_max=MOST,
        event_exposure_max=MOST,
        class_exposure_max=MOST,
        joint_exposure_max=MOST,
    ),
    strategies=(
        Value(kelly_micro=20 * MILLION, order_notional_max=Usdc(250 * MILLION), exposure_max=MOST),
    ),
)
LOT = 5 * MILLION


async def resting(t: Town) -> Any:
    """One of our orders that rests at the exchange and is large."""
    await until(lambda: any(o.placement.size > 100 * MILLION for o in t.ours))
    return next(o for o in t.ours if o.placement.size > 100 * MILLION)


async def agree(t: Town, alive: Engine) -> None:
    """Until our ledger is the exchange's account, to the millionth."""
    await until(lambda: t.drift(alive) == 0)


# The journal and the state.


async def test_what_is_recovered_is_what_was(tmp_path: Path) -> None:
    """From the newest snapshot, from an older one and from the first fact: the same bytes.

    Proves: recovery, P2.5.
    """
    async with town() as t:
        config = t.config(tmp_path, kernel=RICH, snapshot_facts=40)
        async with engine(config) as alive:
            t.take(await resting(t), LOT)
            await until(lambda: alive.state.counters.get("fills", 0) and alive.journal.seq > 100)
        lived = encode_state(alive.state)
    async with journal_of(config) as journal:
        kept = await journal.snapshots()
        assert len(kept) == 2
        assert encode_state(await recovered(journal)) == lived
        for seq, state in [(kept[1][0], decode_state(kept[1][1])), (0, State())]:
            async for entry in journal.entries(after=seq):
                step(state, decode(entry.kind, entry.body))

            assert encode_state(state) == lived


async def test_a_replay_wants_the_orders_that_were_signed(tmp_path: Path) -> None:
    """Every signed payload of the run has the terms that the replayed intent has.

    Proves: P2.5, H5.
    """
    async with town(quiet=False, window_s=10) as t:
        config = t.config(tmp_path)
        async with engine(config) as alive:
            await until(lambda: alive.state.counters.get("orders", 0) >= 8)
    state, signed = State(), 0
    for kind, body in await journaled(config):
        fact = decode(kind, body)
        step(state, fact)
        if isinstance(fact, order.Sign):
            signed += 1
            terms = json.loads(fact.payload)["order"]
            intent = state.orders[fact.intent_id]
            assert (terms["tokenId"], terms["side"]) == (intent.token_id, intent.side)
            assert int(terms["takerAmount"]) == intent.size
            assert int(terms["makerAmount"]) * MILLION == intent.price * intent.size
            assert fact.order_id == intent.order_id

    assert signed >= 8
    assert set(t.accepted) <= set(state.intent_of) | set(state.forgotten)


async def test_a_snapshot_of_another_version_is_replaced_by_the_facts(tmp_path: Path) -> None:
    """It only saves time. Proves: recovery."""
    async with town() as t:
        config = t.config(tmp_path)
        async with engine(config) as alive:
            await until(lambda: t.ours)
    async with journal_of(config) as journal:
        await journal.keep_snapshot(journal.seq, b'{"colour":"red"}')

        assert encode_state(await recovered(journal)) == encode_state(alive.state)


async def test_a_fact_of_another_version_is_told_with_its_number(tmp_path: Path) -> None:
    """Nothing is guessed, and nothing trades."""
    async with town() as t, journal_of(t.config(tmp_path)) as journal:
        await journal.append([(1, "Tick", b'{"at_ns":1}'), (2, "Sneezed", b"{}")])

        with pytest.raises(JournalError, match="fact 2 is of another version"):
            await recovered(journal)


async def test_what_no_journal_can_hold_is_bad_input(tmp_path: Path) -> None:
    """A balance beyond 64 bits must not end the engine, nor reach the kernel unrecorded."""
    fact, (at_ns, kind, body) = recorded(BalanceRead(at_ns=7, token_id="", amount=10**30))

    assert isinstance(fact, BadInput)
    assert (at_ns, kind) == (7, "BadInput")
    assert decode(kind, body) == fact
    assert recorded(Tick(at_ns=1)) == (Tick(at_ns=1), (1, "Tick", b'{"at_ns":1}'))


async def test_when_the_journal_is_full_nothing_leaves_that_is_not_in_it(tmp_path: Path) -> None:
    """The process ends; listeners and the exchange know only what is durable. Proves: H5, P3.4."""
    async with town() as t:
        config = t.config(tmp_path)
        heard = list[int]()

        async def until_full() -> None:
            async with engine(config) as alive:
                path = tmp_path / "audit.sock"
                reader, writer = await asyncio.open_unix_connection(path, limit=1 << 24)
                pages = await (await alive.journal._db.execute("PRAGMA page_count")).fetchone()
                assert pages is not None
                await alive.journal._db.execute(f"PRAGMA max_page_count={pages[0] + 4}")
                while line := await reader.readline():
                    heard.append(orjson.loads(line)["seq"])
                writer.close()

        with pytest.raises(ExceptionGroup) as ended:
            await until_full()
        assert "full" in str(ended.value.exceptions[0])
        durable = await journaled(config)
        ids = {orjson.loads(body)["order_id"] for kind, body in durable if kind == "Sign"}

        assert len(durable) >= heard[-1]
        assert heard[1:] == list(range(heard[0] + 1, heard[-1] + 1))
        assert set(t.accepted) <= ids


async def test_whoever_connects_is_told_each_fact_once(tmp_path: Path) -> None:
    """Also in the middle of a batch: the state counts its facts, and they are as many as told."""
    async with town() as t, engine(t.config(tmp_path)) as alive:
        append = alive.journal.append

        async def slowly(rows: Sequence[Row]) -> int:
            await asyncio.sleep(0.05)  # as a disk may be; the kernel has stepped already
            return await append(rows)

        alive.journal.append = slowly  # type: ignore[method-assign]
        for _ in range(10):
            reader, writer = await asyncio.open_unix_connection(
                tmp_path / "audit.sock", limit=1 << 24
            )
            first = orjson.loads(await reader.readline())
            then = orjson.loads(await reader.readline())
            writer.close()

            assert first["state"]["counters"]["facts"] == first["seq"]
            assert then["seq"] == first["seq"] + 1


async def test_the_credentials_are_secrets_from_their_first_moment(tmp_path: Path) -> None:
    """The log is told of them before anything is sent with them. Proves: A-sec, P3.1."""
    kept = list[str]()
    async with town() as t, engine(t.config(tmp_path), keep_secret=kept.append):
        ring = t.floor.ring
        (key,) = [k for k in ring._by_key.values() if k.address == ACCOUNT.address]

        assert kept == [key.credentials.secret, key.credentials.passphrase]


# Stopping and killing.


async def child(config: EngineConfig, code: str = "") -> asyncio.subprocess.Process:
    """The engine as its own process, its log in the state directory."""
    path = Path(config.state_dir) / "engine.toml"
    path.parent.mkdir(exist_ok=True)
    urls = {n: getattr(config.venue, n) for n in type(config.venue).__annotations__}
    path.write_text(toml({"state_dir": config.state_dir, "venue": urls}))
    start = ["-c", code + "import sys; from polybawt.cli import main; sys.exit(main())"]
    with (path.parent / "engine.log").open("ab") as log:
        return await asyncio.create_subprocess_exec(
            sys.executable, *(start if code else ["-m", "polybawt"]),
            "engine", "--config", str(path), "--json",
            env={**os.environ, "POLYBAWT_PRIVATE_KEY": KEY},
            stdout=asyncio.subprocess.PIPE, stderr=log,
        )  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_withdraws_every_order_and_ends_well(
    tmp_path: Path, number: signal.Signals
) -> None:
    """Ctrl-C and the service manager: nothing of ours is left behind. Proves: recovery."""
    async with town() as t:
        process = await child(t.config(tmp_path))
        await until(lambda: len(t.ours) >= 2)
        process.send_signal(number)
        async with asyncio.timeout(15):
            said, _ = await process.communicate()
        summary = json.loads(said)

        assert process.returncode == 0
        assert t.ours == []
        assert summary["open_orders"] == []
        assert summary["orders"] == len(t.accepted)
        assert set(summary) >= {
            "epoch", "orders", "fills", "cancels", "pnl_usdc", "journal", "events_per_second"
        }  # fmt: skip
        assert f"asked by {number.name}" in (tmp_path / "engine.log").read_text()
        assert not (tmp_path / "audit.sock").exists()


async def test_stopping_waits_for_no_answer_that_does_not_come(tmp_path: Path) -> None:
    """Reads that hang, and answers with no room left for them, must not keep the process."""
    async with town() as t:
        config = t.config(tmp_path, kernel=Config(discover_ns=200 * MS_NS))
        async with engine(config) as alive:
            await until(lambda: t.ours)
            t.holds = lambda request: request.path.startswith("/gamma")
            asked = t.asked["GET /gamma/markets/keyset"]
            await until(lambda: t.asked["GET /gamma/markets/keyset"] > asked)
            async with asyncio.timeout(5):
                alive.inbox.put_urgent(facts.StopRequested(at_ns=alive.clock()))
                await until(lambda: alive.state.phase == "stopped")

        assert t.ours == []


async def test_the_kill_file_ends_all_orders_within_a_second_and_for_good(tmp_path: Path) -> None:
    """It works without any client, survives a restart, and outlives a reset while it is there.

    Proves: kill, emergency.
    """
    async with town() as t:
        config = t.config(tmp_path)
        async with engine(config) as alive:
            await until(lambda: len(t.ours) >= 2)
            (tmp_path / "KILL").touch()
            await until(lambda: alive.state.killed() and not t.ours, seconds=1.0)
            last = len(t.accepted)
            reset = facts.ResetRequested(at_ns=0, breaker="kill", actor="jo", reason="oops")
            alive.inbox.put_urgent(evolve(reset, at_ns=alive.clock()))
            await until(lambda: not alive.state.killed())
            await until(alive.state.killed, seconds=1.0)
            await until(lambda: not t.ours)
            last = len(t.accepted)
        async with engine(config) as again:
            assert "KILL is there" in again.state.killed()
            seen = again.state.counters["facts"]
            await until(lambda: again.state.counters["facts"] > seen + 30)
            assert len(t.accepted) == last

            (tmp_path / "KILL").unlink()
            again.inbox.put_urgent(evolve(reset, at_ns=again.clock()))
            await until(lambda: t.ours)


async def test_a_signal_fires_the_kill_and_the_process_goes_on(tmp_path: Path) -> None:
    """``kill -USR1`` works when no client does, and is not a stop. Proves: kill, emergency."""
    async with town() as t:
        process = await child(t.config(tmp_path))
        await until(lambda: len(t.ours) >= 2)
        process.send_signal(signal.SIGUSR1)
        await until(lambda: not t.ours)
        last = len(t.accepted)
        asked = t.asked.total()
        await until(lambda: t.asked.total() > asked + 2)  # it lives, and looks what rests
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(15):
            said, _ = await process.communicate()

        assert json.loads(said)["killed"] == "signal: SIGUSR1 was sent"
        assert len(t.accepted) == last


async def test_a_kill_that_was_not_reset_survives_without_its_file(tmp_path: Path) -> None:
    """After it fires no new order leaves, ever, until an operator resets it. Proves: kill."""
    async with town() as t:
        config = t.config(tmp_path)
        async with engine(config) as alive:
            await until(lambda: t.ours)
            kill = facts.KillRequested(
                at_ns=alive.clock(), actor="jo", reason="lunch", source="terminal"
            )
            alive.inbox.put_urgent(kill)
            await until(lambda: alive.state.killed() and not t.ours)
            last = len(t.accepted)
        async with engine(config) as again:
            seen = again.state.counters["facts"]
            await until(lambda: again.state.counters["facts"] > seen + 30)

            assert again.state.killed() == "terminal: lunch"
            assert len(t.accepted) == last


async def test_a_heartbeat_that_is_not_taken_is_told(tmp_path: Path) -> None:
    """The venue will withdraw our orders: the operator should know why. Proves: faults."""
    async with town() as t:
        t.instead("POST", "/v1/heartbeats", html(500), html())
        async with engine(t.config(tmp_path, heartbeat_s=0.1)) as alive:
            await until(lambda: not t.answers["POST", "/v1/heartbeats"])
            await until(lambda: t.asked["POST /v1/heartbeats"] >= 4)

            assert alive.state.counters["heartbeats_missed"] == 2
            assert "heartbeat: not acknowledged" in [n.text for n in alive.state.notices]


async def test_no_heartbeat_is_sent_when_none_is_wanted(tmp_path: Path) -> None:
    """A replay at a thousand cannot keep up with them."""
    async with town() as t, engine(t.config(tmp_path, heartbeat_s=0.0)):
        await until(lambda: t.ours)

        assert t.asked["POST /v1/heartbeats"] == 0


# Fills and faults.


async def test_fifty_fills_at_once_are_each_booked_once(tmp_path: Path) -> None:
    """Cash and shares agree with the exchange's account. Proves: C3, C4, P0.3, load."""
    async with town() as t, engine(t.config(tmp_path, kernel=RICH)) as alive:
        rest = await resting(t)
        for _ in range(50):
            t.take(rest, LOT)
        await until(lambda: alive.state.counters.get("fills", 0) >= 50)
        await agree(t, alive)

        assert alive.state.counters["fills"] == 50
        assert alive.state.ledger.holdings[rest.placement.token_id] == 50 * LOT
        assert "impossible" not in alive.state.counters


async def test_a_market_that_ends_pays_what_the_venue_published(tmp_path: Path) -> None:
    """From the fill to the payout, and our cash is the exchange's. Proves: C1, P0.1, A-port."""
    async with town(window_s=10) as t, engine(t.config(tmp_path)) as alive:
        await until(lambda: t.ours)
        fill = t.ours[0]
        t.take(fill, LOT)
        await until(lambda: alive.state.counters.get("fills", 0) == 1)
        held = fill.condition_id
        await until(lambda: alive.state.settlements[held].state == "paid", seconds=40)
        await agree(t, alive)

        assert fill.placement.token_id not in alive.state.ledger.holdings
        assert alive.state.counters["markets_settled"] >= 1
        assert "impossible" not in alive.state.counters


async def test_fills_while_the_stream_is_lost_are_read_afterwards(tmp_path: Path) -> None:
    """The user channel has no replay. Proves: faults."""
    async with town() as t, engine(t.config(tmp_path, kernel=RICH)) as alive:
        rest = await resting(t)
        t.take(rest, LOT)
        t.floor.hub.cut_all()
        for _ in range(9):
            t.take(rest, LOT)
        await until(lambda: alive.state.counters.get("notice:link_down", 0) >= 1)
        await until(lambda: alive.state.counters.get("fills", 0) >= 10)
        await agree(t, alive)

        assert alive.state.ledger.holdings[rest.placement.token_id] == 10 * LOT


async def test_an_order_whose_answer_is_foreign_is_looked_for_and_found(tmp_path: Path) -> None:
    """It did arrive. Neither failed nor accepted until its record was read. Proves: A-exec, H5."""
    async with town() as t:
        t.spoil("POST", "/order", *[html() for _ in range(4)])
        async with engine(t.config(tmp_path)) as alive:
            await until(
                lambda: t.spoilt["POST", "/order"] == t.spoilt["POST", "/order"].__class__()
            )
            await until(lambda: alive.state.counters.get("order:unknown", 0) >= 1)
            await until(lambda: all(o.state != "unknown" for o in alive.state.orders.values()))

            assert len(set(t.accepted)) == len(t.accepted)
            assert set(t.accepted) <= set(alive.state.intent_of) | set(alive.state.forgotten)
        assert t.ours == []


async def test_a_bug_in_an_adapter_ends_the_process_and_the_next_recovers(tmp_path: Path) -> None:
    """There is no state in which the engine limps on. Proves: recovery, C3."""
    bug = (
        "from polybawt.venue.clob import Clob\n"
        "async def place(self, c, held): raise RuntimeError('a bug')\n"
        "Clob.place = place\n"
    )
    async with town() as t:
        config = t.config(tmp_path)
        process = await child(config, bug)
        async with asyncio.timeout(15):
            said, _ = await process.communicate()
        assert process.returncode == 1
        assert said == b""
        lines = [json.loads(line) for line in (tmp_path / "engine.log").read_text().splitlines()]
        assert "RuntimeError: a bug" in lines[-1]["fault"]
        assert t.accepted == []

        config = evolve(config, kernel=Config(stop_ns_max=SECOND_NS))
        async with engine(config) as again:
            orders = again.state.orders.values()
            doubt = {o.state for o in orders if not o.reason.startswith("not sent")}

            assert again.state.epoch == 2
            # what was sent may still arrive: counted in full until its end; what was held back
            # while the venue had not answered the first was never sent
            assert "unknown" in doubt <= {"unknown", "rejected"}
            assert again.state.total_exposure() > 0


async def test_a_fault_in_one_task_ends_them_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every task is owned, and its failure is seen. Proves: C3, M6, P0.4."""

    async def beat(_: Clob) -> bool:
        raise LookupError("no heart")

    monkeypatch.setattr(Clob, "heartbeat", beat)
    before = asyncio.all_tasks()
    async with town() as t:
        with pytest.raises(ExceptionGroup) as ended:
            async with engine(t.config(tmp_path)):
                pass
        assert isinstance(ended.value.exceptions[0], LookupError)
    await asyncio.sleep(0)
    left = {task for task in asyncio.all_tasks() - before if "Stream" in repr(task)}

    assert left == set()


async def test_a_second_engine_on_the_same_directory_is_refused(tmp_path: Path) -> None:
    """Proves: P3.2."""
    async with town() as t:
        config = t.config(tmp_path)
        async with engine(config) as alive:
            await until(lambda: t.ours)
            process = await child(config)
            said, _ = await process.communicate()

            assert process.returncode == 2
            assert "another engine is using it" in json.loads(said)["error"]
            assert alive.state.phase == "trading"


async def test_a_crash_is_recovered_before_anything_is_sent(tmp_path: Path) -> None:
    """Orders that rested are known again, and withdrawn at the end. Proves: recovery."""
    async with town() as t:
        config = t.config(tmp_path)
        async with engine(config, stop=False) as alive:
            await until(lambda: len(t.ours) >= 2)
        before = {o.placement.order_id for o in t.ours}
        assert before
        async with engine(config) as again:
            assert again.state.epoch == 2
            assert before <= set(again.state.intent_of)
            assert again.state.counters.get("orphans", 0) == 0
        assert t.ours == []
        assert alive.state.epoch == 1

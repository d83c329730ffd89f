"""The engine: one task that owns the kernel, and the tasks around it that wait for the world.

Take facts from the inbox; step the kernel; make the facts durable; only then publish them and
carry out what follows.  A crash between any two of these loses nothing that was acted on.  If
anything fails that we did not expect, the process ends, and the next one recovers from the
journal: there is no state in which the engine limps on.
"""

import asyncio
import logging
import os
import signal
import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from polybawt.core import facts, leave
from polybawt.core.codec import NotDecodable, decode, decode_state, encode, encode_state
from polybawt.core.kernel import step
from polybawt.core.machine import Fact
from polybawt.core.state import State
from polybawt.core.units import micro_text
from polybawt.engine import audit, figures, pulse
from polybawt.engine.config import SOCKET, EngineConfig
from polybawt.engine.inbox import Inbox
from polybawt.engine.journal import Journal, JournalError, Row
from polybawt.engine.shell import Shell
from polybawt.venue.clob import Clob
from polybawt.venue.gamma import Gamma
from polybawt.venue.http import http_client
from polybawt.venue.limits import Limits
from polybawt.venue.links import MarketLink, OracleLink, PricesLink, UserLink
from polybawt.venue.onchain import Onchain
from polybawt.venue.prints import Prints
from polybawt.venue.signing import Account
from polybawt.venue.stream import Stream, Streams

BATCH_MAX: Final = 512  # facts in one commit
KILL_FILE: Final = "KILL"
KILL_SIGNAL: Final = signal.SIGUSR1
KILL_POLL_S: Final = 0.25

log = logging.getLogger("polybawt.engine")


async def recovered(journal: Journal) -> State:
    """The state as of the journal's end: the newest snapshot, and every fact since."""
    began = time.monotonic()
    seq, state = await _kept(journal)
    replayed = 0
    async for entry in journal.entries(after=seq):
        try:
            fact = decode(entry.kind, entry.body)
        except NotDecodable as e:
            raise JournalError(f"{journal.path}: fact {entry.seq} is of another version") from e
        step(state, fact)
        replayed += 1
    if journal.seq:
        took = time.monotonic() - began
        log.info(
            "recovered %d facts, %d after the snapshot, in %.2f s", journal.seq, replayed, took
        )
    return state


async def _kept(journal: Journal) -> tuple[int, State]:
    """The newest snapshot that this version can read; else the state before the first fact."""
    for seq, body in await journal.snapshots():
        try:
            return seq, decode_state(body)
        except NotDecodable:
            log.warning("the snapshot of fact %d is of another version", seq)
    return 0, State()


def recorded(fact: Fact) -> tuple[Fact, Row]:
    """A fact and its row; one that has none (a number beyond 64 bits) is bad input."""
    try:
        return fact, (fact.at_ns, *encode(fact))
    except TypeError as wrong:
        said = "".join(c if c.isprintable() else "?" for c in repr(fact)[:200])
        bad = facts.BadInput(at_ns=fact.at_ns, source="journal", reason=str(wrong), excerpt=said)
        return bad, (bad.at_ns, *encode(bad))


class Engine:
    """One life of the process over one journal."""

    def __init__(self, config: EngineConfig, journal: Journal, state: State) -> None:
        self.config, self.journal, self.state = config, journal, state
        self.clock, self.inbox = config.clock, Inbox()
        self._snapshot_at = journal.seq
        self._began_facts = journal.seq
        self._began = time.monotonic()
        self._stop_asked = self._in_flight = False

    async def run(self, account: Account, keep_secret: Callable[[str], None]) -> None:
        """Trade until asked to stop; every task is owned, and the first fault ends all."""
        config = self.config
        settings = config.account
        stream = audit.AuditStream(
            config.directory / SOCKET, self._hello, self.inbox.put_urgent, self.clock
        )
        async with (
            http_client(config.venue.clob_url) as http,
            http_client(config.venue.gamma_url) as site,
            http_client(config.venue.data_url or config.venue.gamma_url) as archive,
        ):
            clob = Clob(
                http,
                account,
                chain_id=config.venue.chain_id,
                clock=self.clock,
                signature_type=settings.signature_type,
                funder=settings.funder or None,
                limits=Limits(config.rates, self.clock.rate, self.clock),
            )
            first = await pulse.first_look(clob)
            credentials = await clob.login()
            keep_secret(credentials.secret)
            keep_secret(credentials.passphrase)
            hear, ping_s = self.inbox.put, config.ping_s
            urls, clock = config.venue, self.clock

            def connection(name: str) -> Stream:
                link = MarketLink(name=name)
                return Stream(urls.ws_market_url, link, clock, hear, ping_s=ping_s)

            market = Streams(connection)
            user = Stream(
                urls.ws_user_url,
                UserLink(credentials),
                clock,
                hear,
                ping_s=ping_s,
                early_drops_max=config.early_drops_max,
            )
            prices = PricesLink(credentials=credentials) if urls.prices_ws_url else OracleLink()
            oracle = Stream(urls.prices_ws_url or urls.rtds_url, prices, clock, hear, ping_s=ping_s)
            async with asyncio.TaskGroup() as tasks:
                shell = Shell(
                    clob=clob,
                    chain=Onchain(
                        http,
                        account.address,
                        credentials,
                        clock=self.clock,
                        signature_type=settings.signature_type,
                    ),
                    gamma=Gamma(site, self.clock),
                    prints=Prints(archive, self.clock) if config.venue.data_url else None,
                    market=market,
                    oracle=oracle,
                    inbox=self.inbox,
                    clock=self.clock,
                    tasks=tasks,
                    barred=lambda intent_id: leave.held(self.state, intent_id),
                )
                self._listen_for_signals()
                kernel = pulse.kernel_config(config.kernel, clock, config.heartbeat_s)
                started = facts.Started(
                    at_ns=self.clock(), epoch=self.state.epoch + 1, config=kernel
                )
                say = self.inbox.put_urgent
                for fact in (started, *first):
                    say(fact)
                around = [
                    tasks.create_task(work, name=name)
                    for name, work in (
                        ("market stream", market.run()),
                        ("user stream", user.run()),
                        ("oracle stream", oracle.run()),
                        ("ticks", self._tick()),
                        ("heartbeat", pulse.beats(clob, clock, config.heartbeat_s, say)),
                        ("clock and version", pulse.looks(clob, say)),
                        ("kill file", self._watch_kill_file()),
                        ("audit stream", stream.serve()),
                    )
                ]
                await self._drive(shell, stream)
                shell.abandon()
                for task in around:
                    task.cancel()
        await self.journal.keep_snapshot(self.journal.seq, encode_state(self.state))

    async def _drive(self, shell: Shell, stream: audit.AuditStream) -> None:
        """The single writer."""
        while not shell.stopped.is_set():
            batch = [recorded(fact) for fact in await self.inbox.take(BATCH_MAX)]
            rows = [row for _, row in batch]
            commands = [command for fact, _ in batch for command in step(self.state, fact)]
            first = self.journal.seq + 1
            self._in_flight = True
            await self.journal.append(rows)
            self._in_flight = False
            stream.publish(
                [audit.line(first + i, kind, body) for i, (_, kind, body) in enumerate(rows)]
            )
            for command in commands:
                shell.carry(command)
            if self.journal.seq - self._snapshot_at >= self.config.snapshot_facts:
                self._snapshot_at = self.journal.seq
                await self.journal.keep_snapshot(self.journal.seq, encode_state(self.state))

    def _hello(self) -> bytes:
        """Nothing while the state is ahead of the journal."""
        if self._in_flight:
            return b""
        clock = self.clock
        return audit.hello(
            self.journal.seq,
            self.state,
            mode=self.config.mode,
            engine=self.config.name,
            clock={"real_ns": clock.real_ns, "venue_ns": clock.venue_ns, "rate": clock.rate},
        )

    async def _tick(self) -> None:
        pause = self.clock.real_seconds(self.config.tick_s)
        while True:
            await self.inbox.put(facts.Tick(at_ns=self.clock()))
            await asyncio.sleep(pause)

    async def _watch_kill_file(self) -> None:
        """As long as the file is there nothing trades: a reset does not outlive the next look."""
        path = self.config.directory / KILL_FILE
        while True:
            there = os.path.exists(path)  # noqa: ASYNC240  one stat of a local file
            if there and not self.state.killed():
                self.inbox.put_urgent(
                    facts.KillRequested(
                        at_ns=self.clock(),
                        actor="operator",
                        reason=f"{path.name} is there",
                        source="file",
                    )
                )
            await asyncio.sleep(KILL_POLL_S)

    def _listen_for_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._ask_to_stop, number.name)
        loop.add_signal_handler(KILL_SIGNAL, self._fire, KILL_SIGNAL.name)

    def _fire(self, name: str) -> None:
        """Unlike a stop, it outlives the process until an operator resets it."""
        kill = facts.KillRequested(
            at_ns=self.clock(), actor="operator", reason=f"{name} was sent", source="signal"
        )
        self.inbox.put_urgent(kill)

    def _ask_to_stop(self, actor: str) -> None:
        if not self._stop_asked:
            stop = facts.StopRequested(at_ns=self.clock(), actor=actor)
            self._stop_asked = self.inbox.put_urgent(stop)

    def summary(self) -> dict[str, Any]:
        """What came of it, for machines: amounts in decimal text or millionths as named."""
        seconds = max(time.monotonic() - self._began, 1e-9)
        return {
            **outcome(self.state),
            "journal": str(self.journal.path),
            "journal_seq": self.journal.seq,
            "events_per_second": round((self.journal.seq - self._began_facts) / seconds, 1),
            "inbox_deepest": self.inbox.deepest,
        }


def outcome(state: State) -> dict[str, Any]:
    """The figures of a run, from the state alone: a replica says the same."""
    count: Mapping[str, int] = state.counters
    settlements = {c: (s.state, s.observed) for c, s in state.settlements.items()}
    return {
        "epoch": state.epoch,
        "orders": count.get("orders", 0),
        "fills": count.get("fills", 0),
        "partial_fills": count.get("partial_fills", 0),
        "cancels": count.get("order:cancelled", 0),
        "rejects": count.get("rejects", 0),
        "refused": count.get("refused", 0),
        "markets_settled": count.get("markets_settled", 0),
        "pnl_usdc": micro_text(state.pnl()),
        "fees_usdc": micro_text(state.ledger.fees),
        "cash_micro": state.ledger.cash,
        "holdings_micro": state.ledger.holdings,
        "open_orders": [order.order_id for order in state.open_orders()],
        "killed": state.killed(),
        "settlements": settlements,
        "strategies": figures.by_strategy(state),
        "refusals": figures.refusals(state),
        "counters": dict(sorted(count.items())),
    }


def identity(config: EngineConfig, account: Account) -> str:
    """Whose journal it is: a paper account is another one than the same address with money."""
    host = urlsplit(config.venue.clob_url).hostname
    return f"{config.account.funder or account.address} on chain {config.venue.chain_id} at {host}"


async def run(
    config: EngineConfig, account: Account, keep_secret: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """Recover, trade, stop; returns the summary. ``keep_secret`` is told what no log may show."""
    path = config.directory / "journal.sqlite"
    journal = await Journal.open(path, identity=identity(config, account))
    try:
        state = await recovered(journal)
        engine = Engine(config, journal, state)
        await engine.run(account, keep_secret)
        return engine.summary()
    finally:
        await journal.close()


__all__ = ["Engine", "JournalError", "identity", "outcome", "recorded", "recovered", "run"]

"""Paper trading: our own exchange, the real engine, the real wire, one command.

Two child processes, an exchange on a loopback port and an engine against it, and this one,
which watches through the audit stream, starts the engine again when it dies, and at the end
compares our ledger with the exchange's own account, to the millionth.  Nothing of the trading
happens here.
"""

import asyncio
import json
import signal
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, Final

from attrs import define, field, frozen

from polybawt.core.risk import CHECKS
from polybawt.core.state import State
from polybawt.core.units import SECOND_NS
from polybawt.engine.engine import outcome
from polybawt.engine.figures import refusals
from polybawt.engine.replica import Change, Replica
from polybawt.exchange.config import DEVELOPMENT_KEYS
from polybawt.ops.children import spawn, stop
from polybawt.ops.exposed import most_exposed
from polybawt.ops.operators import Operator
from polybawt.ops.presets import PRESETS, VALUE, WINDOW_S, Preset
from polybawt.ops.recordings import Recording
from polybawt.venue.http import NoAnswer, ask, http_client
from polybawt.venue.signing import Account

READY_S_MAX: Final = 30.0
SETTLE_S_MAX: Final = 15.0
LEAVE_S_MAX: Final = 90.0
RESTARTS_MAX: Final = 100
TRADING_RATE_MAX: Final = 20.0  # beyond it no order could live long enough to be answered
LEAD_S: Final = 3.0  # a recording waits so long for the engine to be there
TAIL_S: Final = 3.0


class PaperError(Exception):
    """The run could not be made; the text says what failed and where its log is."""


@frozen(kw_only=True)
class Options:
    """``duration_s`` None runs until asked to stop; ``speed`` None fits the recording into it."""

    state_dir: Path
    seed: int = 1
    duration_s: float | None = None
    recording: Recording | None = None
    speed: float | None = None
    headless: bool = True
    preset: Preset = PRESETS["value"]

    @property
    def rate(self) -> float:
        """Seconds of the venue's time in one real second."""
        if self.recording is None:
            return 1.0
        if self.speed is not None:
            return self.speed
        if self.duration_s is None:
            return 1.0
        return max(1.0, self.recording.seconds / max(self.duration_s - LEAD_S - TAIL_S, 1.0))

    @property
    def run_s(self) -> float | None:
        """How long to run in real seconds; a recording that is not cut short runs to its end."""
        if self.duration_s is None and self.recording is not None:
            return LEAD_S + self.recording.seconds / self.rate + TAIL_S
        return self.duration_s


@define
class Life:
    """What this process knows of the engine's lives."""

    engine: asyncio.subprocess.Process | None = None
    lives: int = 0
    born: float = 0.0
    recoveries_s: list[float] = field(factory=list)
    ending: bool = False


class Paper:
    def __init__(self, options: Options) -> None:
        self.options = options
        self.directory = options.state_dir
        self.replica = Replica()
        self.life = Life()
        self.urls: dict[str, Any] = {}
        self._stop = asyncio.Event()
        self._began = 0.0

    @property
    def socket(self) -> Path:
        return self.directory / "audit.sock"

    def ask_to_stop(self) -> None:
        self._stop.set()

    async def run(self, watch: Callable[["Paper"], Coroutine[None, None, None]]) -> dict[str, Any]:
        """Start all, let ``watch`` show it until it returns or time is up, stop all; the result."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.ask_to_stop)
        try:
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            exchange = await self._start_exchange()
        except OSError as e:
            raise PaperError(f"{self.directory}: cannot be used: {e.strerror}") from e
        try:
            self._began = time.monotonic()
            async with asyncio.TaskGroup() as tasks:
                keeper = tasks.create_task(self._keep_engine(), name="engine keeper")
                follow = self.replica.follow(self.socket, self._changed)
                follower = tasks.create_task(follow, name="replica")
                watcher = tasks.create_task(watch(self), name="watch")
                timer = tasks.create_task(self._until_time(), name="timer")
                guard = tasks.create_task(exchange.wait(), name="exchange")
                operator = self._operator()
                duties = {"approving": operator.approving, "adversary": operator.adversary}
                duty = duties.get(self.options.preset.operator, operator.nothing)
                desk = tasks.create_task(duty(), name="operator")
                done, _ = await asyncio.wait(
                    (watcher, timer, keeper, guard), return_when=asyncio.FIRST_COMPLETED
                )
                operator.leave()
                if not done & {keeper, guard}:
                    await asyncio.wait({desk}, timeout=LEAVE_S_MAX)
                desk.cancel()
                settled = await self._settle() if not done & {keeper, guard} else False
                self.life.ending = True
                summary = await self._stop_engine()  # None when it failed: told once all have ended
                for task in (keeper, follower, watcher, timer, guard):
                    task.cancel()
            if guard in done:
                raise PaperError(f"the exchange ended; see {self.directory / 'exchange.log'}")
            if summary is None:
                raise PaperError(f"the engine failed; see {self.directory / 'engine.log'}")
            account = await self._account()
        finally:
            if self.life.engine is not None:
                await stop(self.life.engine)
            await stop(exchange)
        result = self._result(summary, account, settled)
        return result | self._shown()

    # Starting.

    async def _start_exchange(self) -> asyncio.subprocess.Process:
        options = self.options
        arguments = ["exchange", "--json", "--leash", "--seed", str(options.seed)]
        arguments += ["--window", str(WINDOW_S)]
        if options.recording:
            arguments += ["--replay", str(options.recording.path), "--speed", str(options.rate)]
            arguments += ["--lead", str(LEAD_S)]
        arguments += options.preset.exchange
        log = self.directory / "exchange.log"
        child = await spawn(arguments, log=log)
        assert child.stdout is not None
        try:
            line = await asyncio.wait_for(child.stdout.readline(), READY_S_MAX)
            self.urls = _object(line)
            if "clob_url" not in self.urls:  # it says instead why it did not start
                raise ValueError(line)
        except (TimeoutError, ValueError) as e:
            await stop(child)
            raise PaperError(f"the exchange did not start; see {log}") from e
        return child

    async def _keep_engine(self) -> None:
        """Start the engine, and again whenever it dies; returns when that is hopeless."""
        config = self.directory / "engine.toml"
        config.write_text(toml(self._engine_config()), encoding="utf-8")
        while self.life.lives <= RESTARTS_MAX:
            self.life.born, self.life.lives = time.monotonic(), self.life.lives + 1
            self.life.engine = await spawn(
                ["engine", "--config", str(config), "--json", "--leash"],
                log=self.directory / "engine.log",
                environment={"POLYBAWT_PRIVATE_KEY": DEVELOPMENT_KEYS[0]},
            )
            (self.directory / "engine.pid").write_text(str(self.life.engine.pid), encoding="utf-8")
            code = await self.life.engine.wait()
            if self.life.ending:
                await asyncio.Event().wait()  # the end is being dealt with elsewhere
            if code >= 0:
                return  # it ended by itself, which it does when it must not go on

    def _changed(self, change: Change) -> None:
        """Note how long each life of the engine took from its start until it traded."""
        state, life = self.replica.state, self.life
        timed = len(life.recoveries_s) >= life.lives
        if not timed and state.phase == "trading" and state.epoch >= life.lives:
            life.recoveries_s.append(round(time.monotonic() - life.born, 3))

    def _engine_config(self) -> dict[str, Any]:
        rate, urls = self.options.rate, self.urls
        names = (
            "clob_url", "gamma_url", "data_url", "ws_market_url", "ws_user_url", "rtds_url",
            "chain_id",
        )  # fmt: skip
        return {
            "state_dir": str(self.directory),
            "name": "paper",
            "heartbeat_s": 5.0 if rate <= TRADING_RATE_MAX else 0.0,
            "venue": {name: urls[name] for name in names},
            "clock": urls["clock"],
            "kernel": self._kernel(),
            **self.options.preset.engine,
        }

    def _kernel(self) -> Mapping[str, Any]:
        if self.options.recording is not None:
            return kernel_settings(self.options.rate, recorded=True)
        return self.options.preset.kernel

    # Ending.

    async def _until_time(self) -> None:
        run_s = self.options.run_s
        try:
            await asyncio.wait_for(self._stop.wait(), run_s)
        except TimeoutError:
            return

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began if self._began else 0.0

    def _operator(self) -> Operator:
        def pid() -> int | None:
            return self.life.engine.pid if self.life.engine else None

        return Operator(self.replica, self._admin, pid)

    async def _settle(self) -> bool:
        """Stop the world, not the venue, and wait until both sides have said all they know."""
        calm = time.monotonic() + self.options.preset.calm_s
        until = calm + SETTLE_S_MAX
        try:
            await self._admin("POST", "/freeze")
            while time.monotonic() < until:
                account, ours = await self._account(), outcome(self.replica.state)
                same = not account["unsettled_trades"] and not drift(ours, account)
                if same and time.monotonic() >= calm:
                    return True
                await asyncio.sleep(0.1)
        except PaperError:  # the exchange is gone; the last look at the account will say so
            return False
        return False

    async def _stop_engine(self) -> dict[str, Any] | None:
        """Ask the engine to end, and take its summary; None when it did not end well."""
        engine = self.life.engine
        if engine is None:
            return None
        assert engine.stdout is not None
        code = await stop(engine, signal.SIGINT)
        said = await engine.stdout.read()
        return None if code else _object(said)

    async def _account(self) -> dict[str, Any]:
        address = Account(DEVELOPMENT_KEYS[0]).address
        return await self._admin("GET", f"/account/{address}")

    async def _admin(
        self, method: str, path: str, said: Mapping[str, object] | None = None
    ) -> dict[str, Any]:
        token = self.urls["admin_token"]
        async with http_client(self.urls["admin_url"]) as http:
            try:
                headers = {"Authorization": f"Bearer {token}"}
                text = None if said is None else json.dumps(said)
                answer = await ask(http, method, path, headers=headers, content=text)
                if answer.status != 200:
                    raise PaperError(f"{method} {path}: the exchange answered {answer.status}")
                return _object(answer.body)
            except (NoAnswer, ValueError) as e:
                log = self.directory / "exchange.log"
                raise PaperError(f"the exchange does not answer ({e}); see {log}") from e

    def _result(
        self, summary: Mapping[str, Any], account: Mapping[str, Any], settled: bool
    ) -> dict[str, Any]:
        settlements = summary["settlements"]
        result = {key: value for key, value in summary.items() if key != "settlements"}
        result["drift_micro"] = drift(summary, account)
        result["settled"] = settled
        result["restarts"] = self.life.lives - 1
        result["recoveries_s"] = self.life.recoveries_s
        result["unjournaled_orders"] = sorted(self._unjournaled(account))
        result["duplicate_orders"] = len(account["orders"]) - len(set(account["orders"]))
        result["seconds"] = round(self.seconds, 1)
        if self.options.recording and self.options.recording.outcomes:
            result |= judged(self.options.recording.outcomes, settlements)
        return result

    def _shown(self) -> dict[str, Any]:
        """What a preset is to show: how much of each limit was used, and what was refused."""
        preset = self.options.preset
        if not preset.operator:
            return {}
        used = most_exposed(self.directory / "journal.sqlite")
        shown: dict[str, Any] = {
            "preset": preset.name,
            "exposed": used,
            "limits_exceeded": sum(of["exceeded"] for of in used.values()),
        }
        if preset.operator == "adversary":
            count = refusals(self.replica.state)
            shown["refused_by"] = {name: count.get(name, 0) for name, _ in CHECKS}
            shown["never_refused"] = [n for n, times in shown["refused_by"].items() if not times]
        return shown

    def _unjournaled(self, account: Mapping[str, Any]) -> set[str]:
        """Orders the exchange took from us that our journal does not know: must be none."""
        state: State = self.replica.state
        return set(account["orders"]) - set(state.intent_of) - set(state.forgotten)


def drift(summary: Mapping[str, Any], account: Mapping[str, Any]) -> int:
    """The largest difference between our ledger and the exchange's account, in millionths."""
    ours: Mapping[str, int] = summary["holdings_micro"]
    theirs: Mapping[str, int] = account["tokens"]
    tokens = set(ours) | set(theirs)
    gaps = [abs(ours.get(token, 0) - theirs.get(token, 0)) for token in tokens]
    cash: int = summary["cash_micro"] - account["collateral"]
    return max(abs(cash), *gaps, 0)


def _object(text: bytes) -> dict[str, Any]:
    """One JSON object that another process said."""
    said = json.loads(text)
    if not isinstance(said, dict):
        raise ValueError(f"no object: {text[:80]!r}")
    return said


def judged(
    recorded: Mapping[str, str], settlements: Mapping[str, tuple[str, str]]
) -> dict[str, int]:
    """Our own outcomes against the recorded ones; what we could not prove is counted apart."""
    said = {c: settlements[c][1] for c in recorded if c in settlements}
    right = sum(said.get(c) == outcome for c, outcome in recorded.items())
    silent = sum(not said.get(c) for c in recorded)
    wrong = len(recorded) - right - silent
    return {"outcomes_right": right, "outcomes_wrong": wrong, "outcomes_unprovable": silent}


def kernel_settings(rate: float, recorded: bool = False) -> dict[str, Any]:
    """The kernel's patience, stretched where recorded time runs faster than any wire answers."""
    strategy = {**VALUE, "enabled": rate <= TRADING_RATE_MAX}
    if not recorded:
        return {"strategies": [strategy]}
    waits = {
        "end_grace_ns": 2, "submit_ns_max": 15, "poll_ns": 1, "group_ns": 0.15, "discover_ns": 5,
        "resolve_poll_ns": 5, "stop_ns_max": 12, "breaker_cool_ns": 5, "reconcile_ns": 30,
        "payout_grace_ns": 30, "sources_ns_max": 30,
    }  # fmt: skip
    stretched = {name: int(seconds * SECOND_NS * rate) for name, seconds in waits.items()}
    report_s = max(90.0, rate)  # two streams of one recording arrive within a real second
    stretched["close_report_ns_max"] = int(report_s * SECOND_NS)
    stretched["subscribe_ns"] = 7 * 86_400 * SECOND_NS  # recorded long before they began
    stretched["probe_ns"] = 7 * 86_400 * SECOND_NS  # few books were recorded: reads would find none
    ages = {"book_age_ns_max": 3, "oracle_age_ns_max": 5}
    limits = {name: int(seconds * SECOND_NS * rate) for name, seconds in ages.items()}
    away = {"disconnect_ns": 30, "oracle_dead_ns": 3_600}
    tiers = {name: int(seconds * SECOND_NS * rate) for name, seconds in away.items()}
    return {"strategies": [strategy], "limits": limits, "tiers": tiers, **stretched}


def toml(table: Mapping[str, Any], prefix: str = "") -> str:
    """A nested table as TOML: scalars first, then tables, then arrays of tables."""
    lines, tables = [], []
    for key, value in table.items():
        name = f"{prefix}{key}"
        match value:
            case Mapping():
                tables.append(f"\n[{name}]\n{toml(value, name + '.')}")
            case [Mapping(), *_]:
                tables += [f"\n[[{name}]]\n{toml(entry, name + '.')}" for entry in value]
            case _:
                lines.append(f"{key} = {json.dumps(value)}\n")
    return "".join([*lines, *tables])

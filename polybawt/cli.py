"""The commands: ``polybawt …``, ``polybawt-engine``, ``polybawt-tui``.

Each teaches by ``--help``, speaks JSON by ``--json``, and exits 0 when all is good, 1 when a
check failed, 2 when it was asked for something impossible.  Rooms are imported when their
command is used.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from getpass import getuser
from pathlib import Path
from typing import Any, Final, NoReturn

MINUTES_MAX: Final = 24 * 60
GOOD: Final = 0
FAILED: Final = 1
USAGE: Final = 2

DESCRIPTION: Final = """\
Trade the Polymarket prediction market with explicit, checked state machines.

Begin with paper trading: an exchange of our own on this machine, the real engine, no money.

  polybawt paper                              watch it in the terminal
  polybawt paper --headless --duration 60     one minute, then a summary
  polybawt exchange                           only the exchange, for any Polymarket client
"""

PAPER: Final = """\
Start an exchange on this machine and the real engine against it, over HTTP and WebSocket.

  polybawt paper                                        until you quit, in the terminal
  polybawt paper --headless --duration 60 --seed 7      one minute in the world of that seed
  polybawt paper --headless --replay session.raw.jsonl.gz --speed 10
                                                        a recorded session, ten times as fast
  polybawt paper --headless --duration 60 --replay settlement/
                                                        a recorded day of settlements in a minute
  polybawt paper --headless --duration 120 --preset all-strategies
                                                        every strategy there is, side by side
  polybawt paper --headless --duration 120 --world adversarial
                                                        until every check has refused something
Ctrl-C stops gracefully: orders are withdrawn, our ledger is compared with the exchange's
account, and the summary is printed. A difference of one millionth makes the exit code 1.
"""

ENGINE: Final = """\
The engine alone, without a terminal, against the exchange that the configuration names.

  polybawt-engine --config engine.toml

The private key is read from the environment variable the configuration names
(POLYBAWT_PRIVATE_KEY unless it says otherwise); it is never written anywhere.
Addresses beyond this machine are real money and need --live.
"""


EXCHANGE: Final = """\
Serve Polymarket's REST and WebSocket protocol on one loopback port, until Ctrl-C. The first
line of output is a JSON object that says where everything is.

  polybawt exchange --port 8080 --seed 7
  polybawt exchange --replay session.raw.jsonl.gz --speed 10
"""


class UsageError(Exception):
    """What was asked for cannot be done; the text says what and where."""


def fail(text: str, as_json: bool, code: int = USAGE) -> int:
    """Tell what is wrong in one line, and in JSON too when asked for."""
    print(f"polybawt: {text}", file=sys.stderr, flush=True)  # first: who reads the JSON may end us
    if as_json:
        print(json.dumps({"error": text}))
    return code


class Parser(argparse.ArgumentParser):
    """One whose complaints are errors like all others; ``--help`` shows the descriptions as is."""

    def __init__(self, prog: str | None = None, description: str | None = None) -> None:
        shape = argparse.RawDescriptionHelpFormatter
        super().__init__(prog, description=description, formatter_class=shape, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see {self.prog} --help")


def _parser() -> Parser:
    parser = Parser("polybawt", description=DESCRIPTION)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, words: str, long: str) -> argparse.ArgumentParser:
        return _with_json(commands.add_parser(name, help=words, description=long))

    paper = command("paper", "trade on our own exchange, on this machine", PAPER)
    paper.add_argument("--headless", action="store_true", help="no terminal, a progress line")
    paper.add_argument("--duration", type=seconds, metavar="S", help="stop after S seconds")
    paper.add_argument("--seed", type=int, default=1, help="which world (1)")
    paper.add_argument("--replay", type=Path, metavar="PATH", help="a recorded session or day")
    paper.add_argument("--speed", type=seconds, metavar="X", help="recorded seconds per second")
    paper.add_argument("--state", type=Path, metavar="DIR", help="where journal and logs go")
    paper.add_argument(
        "--preset", choices=("value", "all-strategies"), default="value", help="who trades (value)"
    )
    paper.add_argument(
        "--world", choices=("paper", "adversarial"), default="paper", help="and where (paper)"
    )
    paper.set_defaults(run=paper_command)

    exchange = command("exchange", "the simulated exchange alone", EXCHANGE)
    exchange.add_argument("--port", type=int, default=0, help="0 takes a free one (0)")
    exchange.add_argument("--seed", type=int, default=1, help="which world (1)")
    exchange.add_argument("--replay", type=Path, metavar="PATH", help="a recorded session or day")
    exchange.add_argument("--speed", type=seconds, default=1.0, metavar="X", help="time's rate (1)")
    exchange.add_argument("--accounts", type=int, default=2, help="development accounts (2)")
    exchange.add_argument("--collateral", default="1000", metavar="USD", help="of each (1000)")
    exchange.add_argument(
        "--window", type=int, default=300, metavar="S", help="a market's life (300)"
    )
    exchange.add_argument(
        "--lead", type=float, default=0.0, metavar="S", help="wait S before a recording begins (0)"
    )
    exchange.add_argument("--faults", metavar="FILE", help="what goes wrong, in TOML")
    exchange.add_argument("--quiet-world", action="store_true", help="nobody else trades")
    exchange.add_argument(
        "--markets", type=int, default=0, metavar="N", help="listed besides the windows (0)"
    )
    exchange.add_argument(
        "--neg-risk", type=int, default=0, metavar="N", help="neg-risk events open at a time (0)"
    )
    exchange.add_argument(
        "--unknown-versions", type=int, default=0, metavar="N", help="in every N-th market (0)"
    )
    exchange.add_argument(
        "--twap", type=int, default=0, metavar="S", help="settle by an average of 30 or 60 s (0)"
    )
    exchange.add_argument("--coarse-ticks", action="store_true", help="ticks stay as they are")
    exchange.add_argument("--manual-redeem", action="store_true", help="winners ask to be paid")
    exchange.add_argument(
        "--indexer-lag", type=float, default=0.0, metavar="S", help="of the Data API (0)"
    )
    exchange.add_argument(
        "--limits",
        choices=("off", "warn", "enforce"),
        default="warn",
        help="of requests; signers' buckets only warn unless enforced (warn)",
    )
    exchange.add_argument(
        "--tier", default="Standard", metavar="NAME", help="of every signer's limits (Standard)"
    )
    exchange.add_argument("--leash", action="store_true", help=argparse.SUPPRESS)
    exchange.set_defaults(run=exchange_command)

    engine = command("engine", "the engine alone (also: polybawt-engine)", ENGINE)
    _engine_options(engine)

    preflight = command("preflight", "whether this configuration could trade", PREFLIGHT)
    preflight.add_argument(
        "--config", type=Path, default=Path("engine.toml"), metavar="FILE", help="(engine.toml)"
    )
    preflight.set_defaults(run=preflight_command)

    audit = command("audit", "hold a journal against the specifications", AUDIT)
    audit.add_argument("journal", type=Path, metavar="JOURNAL", help="a journal.sqlite")
    audit.set_defaults(run=audit_command)

    verify = command("verify", "check every specification and every machine against it", VERIFY)
    verify.add_argument("names", nargs="*", metavar="NAME", help="Order, Trade, … (all)")
    verify.add_argument("--quick", action="store_true", help="what needs no Java, in seconds")
    verify.add_argument(
        "--lock", action="store_true", help="write down what holds, to be committed"
    )
    verify.add_argument("--mutate", default="", metavar="NAME", help="how much the checks notice")
    verify.set_defaults(run=verify_command)

    bench = command("bench", "measure our own figures beside their targets", BENCH)
    bench.add_argument(
        "names", nargs="*", metavar="NAME", help="exchange, sign, rest, gamma (all); soak"
    )
    bench.add_argument("--minutes", type=float, default=1.0, help="how long a soak lasts")
    bench.add_argument("--tiny", action="store_true", help=argparse.SUPPRESS)
    bench.set_defaults(run=bench_command)

    ctl = command("ctl", "say one thing to a running engine", CTL)
    ctl.add_argument("action", metavar="ACTION", help="status, kill, reset, stop, …")
    ctl.add_argument("--state", type=Path, required=True, metavar="DIR", help="state directory")
    ctl.add_argument("--reason", default="", help="why; goes into the journal")
    ctl.add_argument("--actor", default=getuser(), help="who; goes into the journal")
    ctl.add_argument("--breaker", default="kill", metavar="NAME", help="which one a reset is for")
    ctl.add_argument("--id", default="", dest="approval_id", help="of an approval")
    ctl.add_argument("--terms", default="", help="of an approval, word for word as shown")
    ctl.set_defaults(run=ctl_command)

    tui = command("tui", "a terminal onto a running engine (also: polybawt-tui)", TUI)
    _tui_options(tui)
    return parser


PREFLIGHT: Final = """\
Ask the venue and this machine everything that trading depends on: wallet, credentials, balance,
allowances, versions, clock, geoblock, streams, disk. Nothing is ever ordered or cancelled; the
account's API key is made if it has none. Exits 1 when a check fails.

  polybawt preflight --config engine.toml
"""

AUDIT: Final = """\
Play a journal again, fact by fact: its hashes, every transition against the committed edges of
the specifications, and every signed order against what the kernel decides. Names the first that
does not hold.

  polybawt audit state/mine/journal.sqlite
"""

VERIFY: Final = """\
Check every specification with TLC, and every machine against its specification: the graph that
TLC reaches is the graph that the code reaches, state by state, edge by edge, refusal by refusal.
Exits 1 at the first difference, told as the events that lead to it. Needs the extra "proof", or
a Java and the jar of TLC.

  polybawt verify                 all of them, a few minutes
  polybawt verify Order Trade     these two
  polybawt verify --quick         only what needs no Java: the code against the committed digests
  polybawt verify --lock          and write models/locks and models/README.md, to be committed
  polybawt verify --mutate Trade  break code and specification on purpose, and count what notices
"""

BENCH: Final = """\
Measure, each in processes of its own and beside a target: what the exchange takes, tells and how
soon it answers; how fast orders are signed, beside the official clients; a hundred orders in
flight, beside plain httpx; market discovery. Exits 1 when a target is missed. For the figures of
a quiet machine, use a quiet machine: the load average is told with them.

  polybawt bench                 all of them, about a minute
  polybawt bench exchange sign   these two; sign needs the extra "dev"
  polybawt bench soak --minutes 30   an engine while frames are lost, spoilt and cut: did it notice?
"""

CTL: Final = """\
Say one thing to a running engine through its audit stream, and see what it is then.

  polybawt ctl status --state DIR                      how it is
  polybawt ctl kill --state DIR --reason "smells bad"  nothing leaves; all is withdrawn
  polybawt ctl reset --state DIR --reason "was nothing"              arm the kill again
  polybawt ctl reset --state DIR --breaker daily_loss --reason "..."  close one breaker
  polybawt ctl stop --state DIR                        withdraw what rests, and end
"""

TUI: Final = """\
Attach a terminal to a running engine through its audit stream. Any number may be attached;
leaving one does not stop the engine.

  polybawt tui --state DIR       the engine whose state directory is DIR
"""


def _with_json(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    return parser


def _engine_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="TOML")
    parser.add_argument("--live", action="store_true", help="allow addresses beyond this machine")
    parser.add_argument("--leash", action="store_true", help=argparse.SUPPRESS)
    parser.set_defaults(run=engine_command)


def _tui_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--state", type=Path, required=True, metavar="DIR", help="state directory")
    parser.set_defaults(run=tui_command)


def seconds(text: str) -> float:
    """A number above zero."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number


def main(
    arguments: Sequence[str] | None = None, parser: argparse.ArgumentParser | None = None
) -> int:
    arguments = sys.argv[1:] if arguments is None else arguments
    as_json = "--json" in arguments
    if not __debug__:
        return fail("assertions are part of the engine: run without python -O", as_json)
    try:
        options = (parser or _parser()).parse_args(arguments)
        code: int = options.run(options)
        sys.stdout.flush()
    except UsageError as e:
        return fail(str(e), as_json)
    except KeyboardInterrupt:  # before anything had begun that could be stopped gracefully
        return fail("interrupted", as_json, FAILED)
    except BrokenPipeError:  # nobody reads the result; Python would flush, and complain, once more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return code


def engine_main() -> int:
    """``polybawt-engine``."""
    parser = Parser("polybawt-engine", description=ENGINE)
    _engine_options(_with_json(parser))
    return main(parser=parser)


def tui_main() -> int:
    """``polybawt-tui``."""
    parser = Parser("polybawt-tui", description=TUI)
    _tui_options(_with_json(parser))
    return main(parser=parser)


# The commands.


def paper_command(options: argparse.Namespace) -> int:
    from polybawt.engine.config import unfit
    from polybawt.ops import watching
    from polybawt.ops.paper import Options, Paper, PaperError
    from polybawt.ops.presets import chosen
    from polybawt.ops.recordings import NotARecording, recording

    try:
        recorded = recording(options.replay) if options.replay else None
    except NotARecording as e:
        raise UsageError(str(e)) from e
    if options.speed is not None and recorded is None:
        raise UsageError("--speed is for --replay: the paper world runs in real time")
    try:
        preset = chosen(options.preset, options.world, recorded=recorded is not None)
    except ValueError as e:
        raise UsageError(str(e)) from e
    state = options.state or Path("state") / time.strftime("paper-%Y%m%d-%H%M%S", time.gmtime())
    if why := unfit(state.absolute()):
        raise UsageError(f"--state: {why}")
    if state.exists() and not state.is_dir():
        raise UsageError(f"{state}: is no directory")
    if (state / "journal.sqlite").exists():
        raise UsageError(
            f"{state}: holds the journal of an exchange that is gone with its run; "
            "name another directory with --state"
        )
    headless = options.headless or not sys.stdout.isatty()

    async def run() -> dict[str, Any]:
        paper = Paper(
            Options(
                state_dir=state.absolute(),
                seed=options.seed,
                duration_s=options.duration,
                recording=recorded,
                speed=options.speed,
                headless=headless,
                preset=preset,
            )
        )
        return await paper.run(watching.progress if headless else watching.terminal)

    try:
        result = asyncio.run(run())
    except PaperError as e:
        return fail(str(e), options.json, FAILED)
    print(json.dumps(result) if options.json else watching.summary(result))
    return GOOD if watching.good(result) else FAILED


def exchange_command(options: argparse.Namespace) -> int:
    from polybawt.exchange.config import InvalidConfig, exchange_config
    from polybawt.exchange.main import run
    from polybawt.exchange.replay import ReplayError
    from polybawt.exchange.server import PortTaken
    from polybawt.ops import logs
    from polybawt.ops.children import leash

    logs.configure()
    if options.leash:
        leash()
    try:
        config = exchange_config(
            port=options.port,
            seed=options.seed,
            replay=str(options.replay) if options.replay else None,
            speed=options.speed,
            accounts=options.accounts,
            collateral=options.collateral,
            window_s=options.window,
            lead_s=options.lead,
            quiet_world=options.quiet_world,
            markets=options.markets,
            neg_risk_events=options.neg_risk,
            unknown_version_every=options.unknown_versions,
            twap_lookback_s=options.twap,
            fine_ticks=not options.coarse_ticks,
            auto_redeem=not options.manual_redeem,
            indexer_lag_s=options.indexer_lag,
            faults=options.faults,
            limits=options.limits,
            tier=options.tier,
        )
        return asyncio.run(run(config))
    except (InvalidConfig, PortTaken, ReplayError) as e:
        raise UsageError(str(e)) from e


def engine_command(options: argparse.Namespace) -> int:
    from attrs import evolve

    from polybawt.engine import engine
    from polybawt.engine.config import ConfigError, live_hosts, load
    from polybawt.engine.journal import JournalError
    from polybawt.ops import logs
    from polybawt.ops.children import leash
    from polybawt.venue.login import VenueRefused, VenueUnreachable
    from polybawt.venue.signing import Account, InvalidKey

    logs.configure()
    if options.leash:
        leash()
    try:
        config = load(options.config)
        if (hosts := live_hosts(config.venue)) and not options.live:
            raise UsageError(f"{', '.join(hosts)}: not this machine; real money needs --live")
        name = config.account.private_key_env
        key = os.environ.get(name, "")
        if not key:
            raise UsageError(f"{name} is not set: put the private key of the account there")
        logs.keep_secret(key)
        config = evolve(config, mode="live" if hosts else config.mode)  # what is shown is true
        summary = asyncio.run(engine.run(config, Account(key), logs.keep_secret))
    except (ConfigError, InvalidKey, JournalError) as e:
        raise UsageError(str(e)) from e
    except (VenueRefused, VenueUnreachable) as e:
        return fail(str(e), options.json, FAILED)
    print(json.dumps(summary) if options.json else _figures(summary))
    return GOOD


def preflight_command(options: argparse.Namespace) -> int:
    from polybawt.engine.config import ConfigError, load
    from polybawt.ops import logs, preflight
    from polybawt.venue.contracts import UnknownChain, contracts
    from polybawt.venue.signing import Account, InvalidKey

    try:
        config = load(options.config)
        contracts(config.venue.chain_id)
        name = config.account.private_key_env
        key = os.environ.get(name, "")
        if not key:
            raise UsageError(f"{name} is not set: put the private key of the account there")
        logs.keep_secret(key)
        account = Account(key)
    except (ConfigError, InvalidKey, UnknownChain) as e:
        raise UsageError(str(e)) from e
    checks = asyncio.run(preflight.preflight(config, account, preflight.progress))
    print(json.dumps(preflight.as_json(checks)) if options.json else preflight.told(checks))
    return GOOD if all(check.ok for check in checks) else FAILED


def audit_command(options: argparse.Namespace) -> int:
    from polybawt.ops import checking
    from polybawt.proof.audit import NotAJournal

    try:
        found = checking.audited(options.journal)
    except NotAJournal as e:
        raise UsageError(str(e)) from e
    result = {
        "facts": found.facts,
        "epochs": found.epochs,
        "orders": found.orders,
        "transitions": sum(found.taken.values()),
        "edges": found.taken,
        "gap": found.gap,
    }
    print(json.dumps(result) if options.json else checking.told(found))
    return GOOD if found.good else FAILED


def verify_command(options: argparse.Namespace) -> int:
    from polybawt.ops import checking
    from polybawt.proof.tlc import Failed, ToolsMissing
    from polybawt.proof.verify import NAMES

    if options.quick and (options.lock or options.mutate):
        raise UsageError("--quick finds out too little for --lock or --mutate")
    if unknown := [name for name in (*options.names, options.mutate) if name not in ("", *NAMES)]:
        raise UsageError(f"{', '.join(unknown)}: not among {', '.join(NAMES)}")
    try:
        if options.mutate:
            score = checking.scored(options.mutate)
            print(json.dumps(score.as_json()) if options.json else checking.score_told(score))
            return GOOD if score.good else FAILED
        report = checking.verified(
            options.names or NAMES, quick=options.quick, locked=not options.lock
        )
    except (ToolsMissing, Failed) as e:
        raise UsageError(str(e)) from e
    if options.lock and report.holds:
        checking.committed(report)
    print(json.dumps(report.as_json()) if options.json else checking.report_told(report))
    return GOOD if report.holds else FAILED


def bench_command(options: argparse.Namespace) -> int:
    from polybawt.ops import bench
    from polybawt.ops.bench_terms import BenchFailed

    known = (*bench.BENCHES, *bench.AT_LENGTH)
    if unknown := [name for name in options.names if name not in known]:
        raise UsageError(f"{', '.join(unknown)}: not among {', '.join(known)}")
    if not 0 < options.minutes <= MINUTES_MAX:
        raise UsageError(f"--minutes: {options.minutes:g} is not above 0 and at most {MINUTES_MAX}")
    try:
        names = options.names or list(bench.BENCHES)
        measures = bench.measured(names, tiny=options.tiny, minutes=options.minutes)
    except BenchFailed as e:
        raise UsageError(str(e)) from e
    print(json.dumps(bench.as_json(measures)) if options.json else bench.told(measures))
    return GOOD if bench.good(measures) else FAILED


def ctl_command(options: argparse.Namespace) -> int:
    from polybawt.ops import ctl

    known = ("status", *ctl.ACTIONS)
    if options.action not in known:
        raise UsageError(f"{options.action}: not among {', '.join(known)}")
    fields = {"actor": options.actor} | ({"reason": options.reason} if options.reason else {})
    needs = ctl.ACTIONS[options.action].needs if options.action != "status" else ()
    for name in needs:
        if not getattr(options, name):
            raise UsageError(f"{options.action} needs --{name.removeprefix('approval_')}")
        fields[name] = getattr(options, name)
    try:
        if options.action == "status":
            result = asyncio.run(ctl.look(options.state))
        else:
            result = asyncio.run(ctl.say(options.state, options.action, fields))
    except ctl.CtlError as e:
        return fail(str(e), options.json, FAILED)
    if options.json:
        print(json.dumps(result))
    else:
        print("\n".join(f"{name:14} {value}" for name, value in result.items()))
    return GOOD if result.get("accepted", True) else FAILED


def tui_command(options: argparse.Namespace) -> int:
    from polybawt_tui.app import run

    socket = options.state / "audit.sock"
    if not socket.exists():
        raise UsageError(f"{socket}: no engine is running there")
    return run(socket, getuser())


def _figures(summary: dict[str, Any]) -> str:
    plain = {k: v for k, v in summary.items() if isinstance(v, int | float | str)}
    return "\n".join(f"{name:20} {value}" for name, value in plain.items())

"""Every command teaches, and every complaint is one line that says what and where."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from polybawt import cli
from polybawt.engine.journal import Journal

KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
VENUE = """
[venue]
clob_url = "http://127.0.0.1:9"
gamma_url = "http://127.0.0.1:9/gamma"
ws_market_url = "ws://127.0.0.1:9/ws/market"
ws_user_url = "ws://127.0.0.1:9/ws/user"
rtds_url = "ws://127.0.0.1:9/ws/rtds"
"""


def written(tmp_path: Path, text: str = VENUE, state: str = "s") -> str:
    path = tmp_path / "engine.toml"
    path.write_text(f'state_dir = "{tmp_path / state}"\n{text}')
    return str(path)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run a command that must be refused, plainly and in JSON; gives its words."""
    assert cli.main(arguments) == cli.USAGE
    plain = capsys.readouterr()
    assert plain.out == ""
    assert plain.err.count("\n") == 1
    assert plain.err.startswith("polybawt: ")
    if arguments:
        assert cli.main([*arguments, "--json"]) == cli.USAGE
        told = json.loads(capsys.readouterr().out)
        assert told == {"error": plain.err.removeprefix("polybawt: ").strip()}
    return plain.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "the following arguments are required: COMMAND; see polybawt --help"),
        (["fly"], "invalid choice: 'fly'"),
        (["paper", "--colour", "red"], "unrecognized arguments: --colour red"),
        (["paper", "--duration", "soon"], "'soon' is not a number above 0; see polybawt paper"),
        (["paper", "--duration", "-1"], "'-1' is not a number above 0"),
        (["paper", "--duration", "nan"], "'nan' is not a number above 0"),
        (["paper", "--seed", "x"], "argument --seed: invalid int value: 'x'"),
        (["paper", "--speed", "2"], "--speed is for --replay"),
        (["paper", "--replay", "nothing.raw.jsonl.gz"], "nothing.raw.jsonl.gz: is no recorded"),
        (["paper", "--replay", "nothing"], "nothing: give a recorded session"),
        (["paper", "--head"], "unrecognized arguments: --head"),
        (["exchange", "--port", "99999"], "port: 99999 is not between 0 and 65535"),
        (["exchange", "--accounts", "0"], "accounts: 0 is not between"),
        (["exchange", "--collateral", "much"], "collateral: 'much' is not a decimal number"),
        (["exchange", "--window", "1"], "window_s: 1 is not between"),
        (
            ["paper", "--preset", "all-strategies", "--world", "adversarial"],
            "--preset: the adversarial world has strategies of its own",
        ),
        (["paper", "--preset", "best"], "invalid choice: 'best'"),
        (["exchange", "--unknown-versions", "-1"], "unknown_version_every: -1 is not between 0"),
        (["exchange", "--speed", "1e9"], "speed: 1000000000.0 is not above 0 and at most"),
        (["engine"], "the following arguments are required: --config; see polybawt engine --help"),
        (["engine", "--config", "nothing.toml"], "nothing.toml: cannot be read"),
        (["tui"], "the following arguments are required: --state"),
        (["tui", "--state", "nowhere"], "nowhere/audit.sock: no engine is running there"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    """What and where, exit 2, nothing on standard output but JSON when asked. Proves: A-obs."""
    assert words in refused(capsys, *arguments)


def test_a_garbled_recording_is_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Proves: faults."""
    path = tmp_path / "a.raw.jsonl.gz"
    path.write_bytes(b"\x1f\x8b garbage")

    assert "a.raw.jsonl.gz: is no recorded session" in refused(
        capsys, "paper", "--replay", str(path)
    )


def test_a_state_directory_with_a_journal_is_refused_for_paper(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its exchange is gone, so its orders would be looked for in vain."""
    (tmp_path / "journal.sqlite").write_bytes(b"")

    assert "holds the journal of an exchange that is gone" in refused(
        capsys, "paper", "--state", str(tmp_path)
    )


def test_a_state_directory_that_cannot_be_one_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file, or a path that no socket fits into."""
    (tmp_path / "file").write_text("")

    assert "file: is no directory" in refused(capsys, "paper", "--state", str(tmp_path / "file"))
    assert "too long for a socket" in refused(
        capsys, "paper", "--state", str(tmp_path / ("d" * 100))
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("colour = 1\n" + VENUE, "extra fields found (colour)"),
        (VENUE + 'chain_id = "x"\n', "expected int, not 'x' @ venue.chain_id"),
        ("[venue\n", "is not TOML"),
        (VENUE.replace("http://127.0.0.1:9/gamma", "https://gamma-api.polymarket.com"),
         "gamma-api.polymarket.com: not this machine; real money needs --live"),
        (VENUE, "POLYBAWT_PRIVATE_KEY is not set"),
        (VENUE + '[account]\nprivate_key_env = "MY_KEY"\n', "MY_KEY is not set"),
    ],
)  # fmt: skip
def test_an_engine_that_must_not_start_does_not(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    words: str,
) -> None:
    """Wrong settings, money without saying so, no key. Proves: P3.1, A-sec."""
    monkeypatch.delenv("POLYBAWT_PRIVATE_KEY", raising=False)
    told = refused(capsys, "engine", "--config", written(tmp_path, text))

    assert words in told
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize("key", ["0x12", "zz" * 32, "0" * 64, "f" * 64])
def test_a_key_that_is_none_is_refused_and_not_repeated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    """It may be a real one with a letter too many. Proves: A-sec, P3.1."""
    monkeypatch.setenv("POLYBAWT_PRIVATE_KEY", key)

    assert key not in refused(capsys, "engine", "--config", written(tmp_path))


async def test_the_journal_of_another_account_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a process of its own: an engine runs its own loop. Proves: recovery."""
    journal = await Journal.open(tmp_path / "s" / "journal.sqlite", identity="somebody else")
    await journal.close()
    ran = run("engine", "--config", written(tmp_path), "--json", POLYBAWT_PRIVATE_KEY=KEY)

    assert ran.returncode == 2
    assert "belongs to somebody else, not to 0xf39F" in json.loads(ran.stdout)["error"]
    assert "Traceback" not in ran.stderr


def test_a_venue_that_does_not_answer_is_told_and_is_no_usage_error(tmp_path: Path) -> None:
    """Exit 1: the command was right, the world is not. Proves: faults."""
    ran = run("engine", "--config", written(tmp_path), "--json", POLYBAWT_PRIVATE_KEY=KEY)

    assert ran.returncode == 1
    assert "/version" in json.loads(ran.stdout)["error"]
    assert "Traceback" not in ran.stderr
    assert KEY[2:] not in ran.stderr + ran.stdout


def run(*arguments: str, flags: tuple[str, ...] = (), **environment: str) -> Any:
    command = [sys.executable, *flags, "-m", "polybawt", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


def test_it_refuses_to_run_without_its_assertions() -> None:
    """They are checks of our own mistakes, in production too. Proves: style 25."""
    ran = run("paper", "--json", flags=("-O",))

    assert ran.returncode == 2
    assert "run without python -O" in json.loads(ran.stdout)["error"]
    assert "Traceback" not in ran.stderr


def test_a_module_run_is_the_command() -> None:
    ran = run("fly")

    assert ran.returncode == 2
    assert ran.stderr.startswith("polybawt: argument COMMAND: invalid choice: 'fly'")


@pytest.mark.parametrize("command", ["", "paper", "exchange", "engine", "tui"])
def test_help_teaches_by_example(capsys: pytest.CaptureFixture[str], command: str) -> None:
    """An example that can be typed is worth a page."""
    with pytest.raises(SystemExit) as left:
        cli.main([command, "--help"] if command else ["--help"])
    told = capsys.readouterr().out

    assert left.value.code == 0
    assert any(line.startswith("  polybawt") for line in told.splitlines())
    assert f"usage: polybawt {command}".strip() in told


@pytest.mark.parametrize(
    ("entry", "name", "wants"),
    [(cli.engine_main, "polybawt-engine", "--config"), (cli.tui_main, "polybawt-tui", "--state")],
)
def test_the_other_entry_points_speak_of_themselves(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    entry: Any,
    name: str,
    wants: str,
) -> None:
    """``polybawt-engine --help`` must not send one to ``polybawt engine``."""
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as left:
        entry()
    assert left.value.code == 0
    assert f"usage: {name} [-h]" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", [name])

    assert entry() == 2
    assert f"required: {wants}; see {name} --help" in capsys.readouterr().err


def test_a_result_that_nobody_reads_is_no_traceback() -> None:
    """``polybawt … | head`` is normal."""
    code = (
        "import sys; from polybawt import cli;"
        "cli.engine_command = lambda _: print('x' * 100_000) or 0;"
        "sys.exit(cli.main(['engine', '--config', 'x']))"
    )
    reader, writer = os.pipe()
    os.close(reader)
    ran = subprocess.run(
        [sys.executable, "-c", code], stdout=writer, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writer)

    assert (ran.returncode, ran.stderr) == (1, "")

"""One line of JSON per record, and no secret in any of them."""

import json
import logging
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from polybawt.ops import logs

KEY = "0x" + "11" * 32
SECRET = 'c2VjcmV0"\\é-c2VjcmV0'  # what JSON escapes must be found too


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[Any]]]:
    """Logs go to a file for one test; gives its lines as objects."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    monkeypatch.setattr(logs, "_secrets", set())
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    path = tmp_path / "logs" / "engine.log"
    logs.configure(path)

    def lines() -> list[Any]:
        return [json.loads(line) for line in path.read_text().splitlines()]

    yield lines
    for handler in root.handlers:
        handler.close()
    root.handlers[:] = before
    root.setLevel(level)


def raised() -> Exception:
    try:
        raise ValueError(f"bad key {KEY} and {SECRET}")
    except ValueError as wrong:
        return wrong


def test_every_record_is_one_line_of_json(log: Callable[[], list[Any]]) -> None:
    """A reader needs no rules about quotes or line ends. Proves: A-obs."""
    logging.getLogger("polybawt.x").warning("two\nlines, %s, and %r", "ünï", "\x00")
    (line,) = log()

    assert line["message"] == "two\nlines, ünï, and '\\x00'"
    assert (line["level"], line["logger"]) == ("warning", "polybawt.x")
    assert line["real_ns"] > 10**18


@pytest.mark.parametrize("form", [KEY, KEY[2:], KEY.upper().replace("0X", "0x"), SECRET])
def test_a_secret_never_appears(log: Callable[[], list[Any]], form: str, tmp_path: Path) -> None:
    """Not in the message, its arguments, or a traceback. Proves: A-sec, P3.1."""
    logs.keep_secret(form)
    logger = logging.getLogger("polybawt.x")
    logger.info("it is " + form)
    logger.info("it is %s, in %s", form, {"key": form})
    try:
        raise ValueError(f"bad: {form}")
    except ValueError:
        logger.exception("failed")
    told = log()

    assert len(told) == 3
    assert form not in json.dumps(told, ensure_ascii=False)
    assert form not in "".join(str(v) for line in told for v in line.values())
    assert told[0]["message"].endswith("***")
    assert "***" in told[2]["fault"]


def test_a_record_that_cannot_be_formatted_is_told_and_keeps_its_secret() -> None:
    """logging itself would print the arguments as they are. Proves: A-sec."""
    logs.keep_secret(KEY)
    wrong = logging.LogRecord("x", logging.INFO, "f", 1, "wrong %d", (KEY,), None)

    assert json.loads(logs.JsonLines().format(wrong))["message"] == "wrong %d ('***',)"


def test_a_key_is_known_in_small_letters_too(log: Callable[[], list[Any]]) -> None:
    """``bytes.hex`` writes small letters, whatever the operator wrote."""
    logs.keep_secret("0x" + "AB" * 32)
    logging.getLogger().info("hex %s", (b"\xab" * 32).hex())

    assert log()[0]["message"] == "hex ***"


def test_a_short_text_is_no_secret(log: Callable[[], list[Any]]) -> None:
    """An empty passphrase must not blank out every line."""
    logs.keep_secret("")
    logs.keep_secret("abc")
    logging.getLogger().info("abc")

    assert log()[0]["message"] == "abc"


def test_what_ends_the_process_is_a_line_too(log: Callable[[], list[Any]]) -> None:
    """Python's own traceback would tell what the exception holds. Proves: A-sec."""
    logs.keep_secret(KEY)
    fault = raised()
    sys.excepthook(type(fault), fault, fault.__traceback__)
    (line,) = log()

    assert (line["level"], line["message"]) == ("critical", "unexpected")
    assert "ValueError: bad key ***" in line["fault"]
    assert KEY[2:] not in line["fault"]


def test_the_libraries_are_quiet(log: Callable[[], list[Any]]) -> None:
    """They would log every request, with its headers."""
    logging.getLogger("httpx").info("GET")
    logging.getLogger("websockets.client").debug("> TEXT")
    logging.getLogger("aiosqlite").info("x")

    assert log() == []


def test_the_file_is_its_owners_alone(log: Callable[[], list[Any]], tmp_path: Path) -> None:
    """Proves: A-sec."""
    file = tmp_path / "logs" / "engine.log"

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_without_a_file_it_is_standard_error(tmp_path: Path) -> None:
    """Standard output belongs to results."""
    code = "from polybawt.ops import logs; logs.configure(); logs.keep_secret('s' * 9); 1/0"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert ran.returncode == 1
    assert ran.stdout == ""
    assert json.loads(ran.stderr)["message"] == "unexpected"
    assert "ZeroDivisionError" in json.loads(ran.stderr)["fault"]

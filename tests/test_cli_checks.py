"""``polybawt audit`` and ``polybawt verify`` as an operator and a machine use them."""

import asyncio
import json
from pathlib import Path

import pytest

from polybawt.cli import main
from polybawt.core import facts
from polybawt.core.codec import encode
from polybawt.core.machine import Fact
from polybawt.core.machines import order
from polybawt.engine.journal import Journal
from polybawt.proof.tlc import ToolsMissing, find_tools


def journal(path: Path, *story: Fact) -> Path:
    async def write() -> None:
        opened = await Journal.open(path / "journal.sqlite", identity="137:0x0")
        await opened.append([(fact.at_ns, *encode(fact)) for fact in story])
        await opened.close()

    asyncio.run(write())
    return path / "journal.sqlite"


STARTED = facts.Started(at_ns=10, epoch=1)


def test_a_good_journal_is_told_in_words_and_in_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = journal(tmp_path, STARTED, facts.LinkUp(at_ns=11, link="user"))

    assert main(["audit", str(path)]) == 0
    assert "every one of them holds" in capsys.readouterr().out
    assert main(["audit", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["facts"], told["epochs"], told["orders"], told["gap"]) == (2, 1, 0, "")
    assert told["edges"]["Feed down connect silent"] == 1


def test_a_gap_fails_the_check_and_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    never = order.Sign(at_ns=12, intent_id="i1", order_id="0xaa", payload="{}")
    path = journal(tmp_path, STARTED, never)

    assert main(["audit", str(path), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["gap"].startswith("fact 2 (Sign)")
    assert main(["audit", str(path)]) == 1
    assert "GAP: fact 2 (Sign)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["audit", "nowhere.sqlite"], "nowhere.sqlite: no such file"),
        (["verify", "Unicorn"], "Unicorn: not among Approval"),
    ],
)
def test_what_cannot_be_checked_is_told_with_code_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--json"]) == 2
    said = capsys.readouterr()
    assert words in json.loads(said.out)["error"]
    assert words in said.err


def test_a_machine_is_verified(capsys: pytest.CaptureFixture[str]) -> None:
    """The smallest of them; all are checked in tests/proof."""
    try:
        find_tools()
    except ToolsMissing as e:
        pytest.skip(str(e))

    assert main(["verify", "Trade", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    (spec,) = told["specs"]
    assert (spec["name"], spec["machine"], spec["mismatches"]) == ("Trade", True, [])
    assert {
        "states", "edges", "depth", "seconds", "properties", "witnesses_failed_as_they_must",
        "edges_driven", "refusals_checked", "bisimulation_pairs", "digest",
    } <= spec.keys()  # fmt: skip
    assert main(["verify", "Trade", "--quick"]) == 0
    assert "all hold" in capsys.readouterr().out


def test_what_is_quick_finds_out_too_little_to_be_written_down(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["verify", "--quick", "--lock"]) == 2
    assert "too little" in capsys.readouterr().err

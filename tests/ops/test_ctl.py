"""One word to a running engine, from the shell."""

import asyncio
import json
from pathlib import Path

import pytest

from polybawt import cli
from polybawt.ops import ctl
from tests.engine.town import engine, town, until

pytestmark = pytest.mark.xdist_group("wire")


async def test_an_operator_looks_kills_and_resets(tmp_path: Path) -> None:
    """Each is told as the engine has folded it.  Proves: kill, emergency."""
    async with town() as t, engine(t.config(tmp_path)) as alive:
        await until(lambda: t.ours)
        seen = await ctl.look(tmp_path)
        assert (seen["phase"], seen["killed"]) == ("trading", "")
        assert seen["open_orders"] > 0

        killed = await ctl.say(tmp_path, "kill", {"actor": "ann", "reason": "lunch"})
        assert killed["accepted"] is True
        assert killed["killed"] == alive.state.killed() == "api: lunch"
        await until(lambda: not t.ours)

        again = await ctl.say(
            tmp_path, "reset", {"actor": "ann", "reason": "back", "breaker": "kill"}
        )
        assert again["killed"] == ""
        assert alive.state.kill.actor == "ann"


async def test_what_the_engine_does_not_take_is_told_with_its_reason(tmp_path: Path) -> None:
    async with town() as t, engine(t.config(tmp_path)):
        refused = await ctl.say(tmp_path, "kill", {"reason": "x", "colour": "red"})
        assert refused["accepted"] is False
        assert "not understood" in refused["why"]


async def test_without_an_engine_it_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(ctl.CtlError, match=r"audit\.sock: .*is an engine running there\?"):
        await ctl.look(tmp_path)


def test_the_command_wants_a_reason_and_tells_machines_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit codes: 2 for what cannot be asked, 1 for what was not done."""
    assert cli.main(["ctl", "kill", "--state", str(tmp_path)]) == cli.USAGE
    assert "--reason" in capsys.readouterr().err
    assert cli.main(["ctl", "dance", "--state", str(tmp_path)]) == cli.USAGE
    capsys.readouterr()
    assert cli.main(["ctl", "status", "--state", str(tmp_path), "--json"]) == cli.FAILED
    assert "is an engine running there?" in json.loads(capsys.readouterr().out)["error"]


async def test_the_command_shows_the_engine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with town() as t, engine(t.config(tmp_path)):
        code = await asyncio.to_thread(cli.main, ["ctl", "status", "--state", str(tmp_path)])
        shown = capsys.readouterr().out

        assert code == cli.GOOD
        assert "phase" in shown
        assert "exposure_usdc" in shown

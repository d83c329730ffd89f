"""The whole terminal, driven by keys, fed by real facts through a real socket."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from polybawt.core.codec import encode_state
from polybawt.engine.replica import Replica
from polybawt_tui.__main__ import main
from polybawt_tui.app import TerminalApp
from polybawt_tui.confirm import KillDialog, ResetDialog
from polybawt_tui.dialogs import Dialog, HelpDialog
from polybawt_tui.plan import NAMES
from tests.tui.scene import Scene, busy, day, market
from tests.tui.server import AuditServer

Terminal = Pilot[None]


def screen_text(terminal: Terminal) -> str:
    """What stands on the screen, cell by cell."""
    app = terminal.app
    strips = app.screen._compositor.render_strips(app.size)
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


async def until(terminal: Terminal, truth: Callable[[], object], seconds: float = 10.0) -> None:
    """Let the app run, and paint, until ``truth()`` holds."""
    try:
        async with asyncio.timeout(seconds):
            while not truth():
                await terminal.pause(0.01)
    except TimeoutError:
        raise AssertionError(screen_text(terminal)) from None


async def shows(terminal: Terminal, words: str) -> None:
    await until(terminal, lambda: words in screen_text(terminal))


def of(terminal: Terminal) -> TerminalApp:
    assert isinstance(terminal.app, TerminalApp)
    return terminal.app


async def type_in(terminal: Terminal, words: str) -> None:
    await terminal.press(*("space" if letter == " " else letter for letter in words))


@asynccontextmanager
async def terminal_on(
    tmp_path: Path, scene: Scene, size: tuple[int, int] = (120, 40), **options: Any
) -> AsyncIterator[tuple[Terminal, AuditServer]]:
    async with AuditServer(tmp_path / "audit.sock", scene, **options) as server:
        app = TerminalApp(server.path, "jo", Replica(now_ns=lambda: server.real_ns))
        async with app.run_test(size=size, notifications=True) as terminal:
            await until(terminal, lambda: app.replica.connected)
            await shows(terminal, "Books")
            yield terminal, server


async def test_the_main_layout_shows_all_of_it(tmp_path: Path) -> None:
    """120x40: every panel, the state and the age of everything."""
    scene = busy()
    async with terminal_on(tmp_path, scene) as (terminal, _):
        await shows(terminal, "Settling")
        shown = screen_text(terminal)

    for words in (
        "PAPER", "TRADING", "polybawt-1", "feeds ● 11/11", "breakers ● 1 closed", "UTC",
        "1 UNKNOWN", "Books", "btc 12:00 5m", "sol 12:00 15m", "strike", "◆", "Orders", "? UNKNOWN",
        "Profit and limits", "equity", "exposure", "/120.00", "Positions", "entry", "mark", "Feeds",
        "oracle", "● fresh", "Breakers", "● armed", "Settling", "btc 11:56 4m", "Events",
        "whole state taken over", "k Kill", "R Reset", "f Freeze", "? Help", "q Quit", "tab Panel",
    ):  # fmt: skip
        assert words in shown
    assert all(len(line) == 120 for line in shown.splitlines())


async def test_a_small_terminal_shows_what_matters_most(tmp_path: Path) -> None:
    """80x24 works, and Tab reaches what had no room."""
    async with terminal_on(tmp_path, busy(), size=(80, 24)) as (terminal, _):
        await shows(terminal, "Events")
        first = screen_text(terminal)
        seen = set()
        for _ in NAMES:
            await terminal.press("tab")
            await until(terminal, lambda: any(p.has_focus for p in of(terminal).panels.values()))
            await terminal.pause()
            seen |= {name for name, panel in of(terminal).panels.items() if panel.display}

    for words in ("PAPER", "TRADING", "UNKNOWN", "equity", "exposure", "◆", "k Kill", "q Quit"):
        assert words in first
    assert len(first.splitlines()) == 24
    assert seen == set(NAMES)


async def test_the_terminal_folds_what_the_engine_does(tmp_path: Path) -> None:
    """Its state equals the engine's, fact by fact. Proves: D9."""
    scene = day(10)
    async with terminal_on(tmp_path, scene) as (terminal, server):
        for _ in range(5):
            scene.pass_time(1, fill_chance=0.5)
            server.publish()
            await until(terminal, lambda: of(terminal).replica.seq == len(scene.facts))
            assert encode_state(of(terminal).replica.state) == encode_state(scene.state)


async def test_the_kill_needs_the_word_and_a_reason_and_shows_its_proof(tmp_path: Path) -> None:
    """One key opens it, no single key fires it; VERIFIED is the engine's own state.

    Proves: kill.
    """
    scene = busy()
    left = sum(1 for _ in scene.state.open_orders())
    scene.deaf = True
    async with terminal_on(tmp_path, scene) as (terminal, server):
        await terminal.press("k")
        await shows(terminal, f"{left} open orders")
        await shows(terminal, "nothing is sold")
        await type_in(terminal, "kill")
        await terminal.press("enter")
        await shows(terminal, "the word is KILL")
        assert server.said == []
        of(terminal).screen.query_one("#word", Input).value = "KILL"
        await terminal.press("enter")
        await shows(terminal, "say why")
        assert server.said == []
        await type_in(terminal, "oracle looks wrong")
        await terminal.press("enter")
        await shows(terminal, "LATCHED ✓")
        half = screen_text(terminal)
        scene.deaf = False
        scene.pass_time(12)
        server.publish()
        await shows(terminal, "VERIFIED ✓")
        await shows(terminal, f"{left} of {left} ended")
        await terminal.press("escape")
        await shows(terminal, "no order is open")

    fact = {"actor": "jo", "reason": "oracle looks wrong", "source": "terminal"}
    assert server.said == [{"kind": "KillRequested", "fact": fact}]
    assert "VERIFIED …" in half
    assert not any(scene.state.open_orders())


async def test_escape_leaves_the_kill_and_nothing_was_sent(tmp_path: Path) -> None:
    """A wrong key is taken back by the most natural one."""
    async with terminal_on(tmp_path, day(10)) as (terminal, server):
        await terminal.press("k")
        await type_in(terminal, "KILL")
        await terminal.press("escape")
        await until(terminal, lambda: not isinstance(terminal.app.screen, KillDialog))
        assert of(terminal).pending is None
    assert server.said == []


async def test_a_refused_kill_says_so(tmp_path: Path) -> None:
    """Nothing is worse than a kill that one believes in."""
    async with terminal_on(tmp_path, day(10)) as (terminal, server):
        server.refuses = "not now"
        await _kill(terminal)
        await shows(terminal, "KILL REFUSED")
        await shows(terminal, "not now")


async def test_a_kill_whose_answer_was_lost_is_unknown_until_the_facts_say(tmp_path: Path) -> None:
    """It may have been heard. When it was, the stream tells. Proves: A-exec."""
    scene = day(10)
    async with terminal_on(tmp_path, scene) as (terminal, server):
        server.mute = True
        await _kill(terminal)
        await until(terminal, lambda: server.said)
        server.drop()
        await shows(terminal, "it may have been heard")
        await until(terminal, lambda: of(terminal).replica.connected)
        scene.kill(actor="jo", reason="drill of the day")
        server.publish()
        await shows(terminal, "LATCHED ✓")


async def _kill(terminal: Terminal) -> None:
    await terminal.press("exclamation_mark")
    await until(terminal, lambda: isinstance(terminal.app.screen, KillDialog))
    await type_in(terminal, "KILL")
    await terminal.press("tab")
    await type_in(terminal, "drill of the day")
    await terminal.press("enter")


async def test_a_reset_needs_the_breakers_name_and_a_long_reason(tmp_path: Path) -> None:
    """Getting riskier is slower than getting safer. Proves: A-risk."""
    scene = day(10)
    scene.kill()
    async with terminal_on(tmp_path, scene) as (terminal, server):
        await shows(terminal, "KILLED")
        await terminal.press("R")
        await until(terminal, lambda: isinstance(terminal.app.screen, ResetDialog))
        await type_in(terminal, "kill")
        await terminal.press("tab")
        await type_in(terminal, "short")
        await terminal.press("enter")
        await shows(terminal, "12 letters or more")
        assert server.said == []
        await type_in(terminal, " drill is over")
        await terminal.press("enter")
        await shows(terminal, "CLOSED ✓")
        await shows(terminal, "VERIFIED ✓")

    fact = {"actor": "jo", "breaker": "kill", "reason": "short drill is over"}
    assert server.said == [{"kind": "ResetRequested", "fact": fact}]
    assert scene.state.killed() == ""


async def test_a_gap_is_refused_told_and_healed(tmp_path: Path) -> None:
    """Nothing is guessed, and the operator knows that something was missed."""
    scene = day(10)
    async with terminal_on(tmp_path, scene) as (terminal, server):
        scene.pass_time(3)
        server.tell(len(scene.facts), scene.facts[-1])
        await until(terminal, lambda: server.greeted == 2)
        await until(terminal, lambda: of(terminal).replica.connected)
        await shows(terminal, "expected fact")
        await shows(terminal, "whole state taken over again")
        assert encode_state(of(terminal).replica.state) == encode_state(scene.state)


async def test_without_a_link_the_screen_is_the_past_and_says_how_old(tmp_path: Path) -> None:
    """Dimmed, dated, nothing healthy; the way out without a link is on the screen."""
    scene = day(10)
    async with terminal_on(tmp_path, scene) as (terminal, server):
        await shows(terminal, "● fresh")
        await server.__aexit__()
        await shows(terminal, "NO LINK")
        server.real_ns += 14_000_000_000
        await shows(terminal, "NO LINK 14s")
        await shows(terminal, "14s old  ")
        await shows(terminal, "was fresh")
        shown = screen_text(terminal)
        rows = of(terminal).panels["feeds"]
        await terminal.press("k")
        await shows(terminal, "nothing can be sent from here")
        await type_in(terminal, "KILL")
        await terminal.press("tab")
        await type_in(terminal, "no link")
        await terminal.press("enter")
        await shows(terminal, "nothing was sent")
        assert of(terminal).pending is None

    assert rows._past
    assert "● fresh" not in shown
    assert "feeds ? unknown" in shown
    assert "touch " in shown


async def test_without_an_engine_it_opens_and_waits(tmp_path: Path) -> None:
    """No engine is a screen that says so, not an exit code."""
    app = TerminalApp(tmp_path / "audit.sock", "jo")
    async with app.run_test(size=(120, 40)) as terminal:
        await shows(terminal, "no engine answers")
        scene = Scene().open()
        async with AuditServer(tmp_path / "audit.sock", scene):
            await shows(terminal, "TRADING")


async def test_hostile_text_is_shown_letter_by_letter(tmp_path: Path) -> None:
    """Nothing that came from the venue is rendered as markup. Proves: B-mon."""
    scene = Scene().open()
    scene.list_market(market("btc/usd", 0, 5, question="[red]x[/red] \x1b[2J \u202eabc"))
    scene.pass_time(35)
    async with terminal_on(tmp_path, scene, size=(200, 50)) as (terminal, server):
        scene.kill(reason="[blink]why[/blink]")
        server.publish()
        await shows(terminal, "KILL asked by jo (terminal): [blink]why[/blink]")
        await terminal.press("z")
        await shows(terminal, "[red]x[/red] ·[2J ·abc")
        assert "\x1b" not in screen_text(terminal)


async def test_freeze_holds_the_panels_and_not_the_strip(tmp_path: Path) -> None:
    """One can read a row that would move, and still sees that the engine was killed."""
    scene = day(20)
    async with terminal_on(tmp_path, scene) as (terminal, server):
        await terminal.press("f")
        await shows(terminal, "FROZEN")
        before = of(terminal).panels["orders"].plain
        scene.kill()
        server.publish()
        await shows(terminal, "KILLED")
        assert of(terminal).panels["orders"].plain == before
        await terminal.press("f")
        await until(terminal, lambda: of(terminal).panels["orders"].plain != before)


async def test_up_and_down_choose_the_market_of_the_ladder(tmp_path: Path) -> None:
    """The ladder follows the operator, never the other way round."""
    async with terminal_on(tmp_path, day(40)) as (terminal, _):
        await shows(terminal, "╌╌ btc 12:00 5m")
        await terminal.press("down", "down")
        await shows(terminal, "╌╌ eth 12:00 15m")
        await terminal.press("up")
        await shows(terminal, "╌╌ btc 12:00 15m")


async def test_the_screen_is_saved_where_the_operator_says(tmp_path: Path) -> None:
    """A picture for a colleague."""
    target = tmp_path / "now.svg"
    async with terminal_on(tmp_path, day(5)) as (terminal, _):
        await terminal.press("s")
        await until(terminal, lambda: isinstance(terminal.app.screen, Dialog))
        terminal.app.screen.query_one(Input).value = str(target)
        await terminal.press("enter")
        await until(terminal, target.exists)
        await until(terminal, lambda: not isinstance(terminal.app.screen, Dialog))
        await terminal.press("s")
        await until(terminal, lambda: isinstance(terminal.app.screen, Dialog))
        terminal.app.screen.query_one(Input).value = str(tmp_path / "[b]no" / "folder.svg")
        await terminal.press("enter")
        await shows(terminal, "not saved")

    assert target.read_text(encoding="utf-8").startswith("<svg")


async def test_a_picture_may_fall_due_while_a_dialog_is_being_made(tmp_path: Path) -> None:
    """The repaint timer asks nobody; it found a dialog without its rows, and ended the terminal."""
    async with terminal_on(tmp_path, day(5)) as (terminal, _):
        terminal.app.push_screen(HelpDialog())
        terminal.app.flush()
        await shows(terminal, "holds no truth")


async def test_help_names_every_key(tmp_path: Path) -> None:
    """One screen, one page of help."""
    async with terminal_on(tmp_path, day(5), size=(80, 24)) as (terminal, _):
        await terminal.press("question_mark")
        await shows(terminal, "holds no truth")
        shown = screen_text(terminal)

    for words in (
        "kill:",
        "reset a breaker",
        "approve",
        "outcome",
        "freeze",
        "next panel",
        "scroll",
        "SVG",
        "runs on",
    ):
        assert words in shown


async def test_leaving_sends_nothing_and_says_that_the_engine_runs_on(tmp_path: Path) -> None:
    """The terminal can be ended at any time."""
    async with terminal_on(tmp_path, day(5)) as (terminal, server):
        await terminal.press("q")
        await until(terminal, lambda: not terminal.app.is_running)
        assert "runs on" in str(terminal.app._exit_renderables)
    assert server.said == []


@pytest.mark.parametrize("seed", [1, 2])
async def test_no_stray_keys_ever_send_a_command(tmp_path: Path, seed: int) -> None:
    """A cat on the keyboard kills nothing and resets nothing."""
    lots = random.Random(seed)
    keys = [
        "k", "exclamation_mark", "R", "f", "z", "tab", "shift+tab", "s", "question_mark", "escape",
        "enter", "up", "down", "pageup", "end", "space", "y", "K", "I", "L", "x", "backspace",
        "a", "d", "o", "1",
    ]  # fmt: skip
    async with terminal_on(tmp_path, day(5)) as (terminal, server):
        of(terminal)._save = lambda name: None  # type: ignore[method-assign]  # no files here
        for _ in range(60):
            await terminal.press(lots.choice(keys))
        assert terminal.app.is_running
    assert server.said == []


async def test_live_money_looks_unlike_paper(tmp_path: Path) -> None:
    """An operator knows whose money it is without reading."""
    async with terminal_on(tmp_path, Scene().open(), mode="live") as (terminal, _):
        await shows(terminal, " LIVE ")
        roles = dict(of(terminal).query_one("#strip").drawn[0])  # type: ignore[attr-defined]

    assert roles[" LIVE "] == "live"


async def test_a_picture_is_made_without_a_terminal(tmp_path: Path) -> None:
    """The README's pictures are generated, so they cannot go stale."""
    target = tmp_path / "picture.svg"
    async with AuditServer(tmp_path / "audit.sock", day(5)) as server:
        options = ["--socket", str(server.path), "--screenshot", str(target), "--size", "80x24"]
        code = await asyncio.to_thread(main, [*options, "--after", "0.1", "--actor", "jo"])

    assert code == 0
    assert "PAPER" in target.read_text(encoding="utf-8")

"""What an operator decides in the terminal: a proposed trade, and an outcome in conflict."""

from pathlib import Path

from attrs import evolve

from polybawt.core import facts
from polybawt.core.market import Market, Side
from polybawt.core.strategies import Intent
from polybawt.core.units import MILLION, SECOND_NS, Price, Shares, Usdc
from polybawt_tui.approve import ApproveDialog, DecideDialog, DeclineDialog
from tests.tui.scene import Scene, day
from tests.tui.test_app import of, shows, terminal_on, type_in, until

EVIL = "Rain?\x1b[31m [bold]x[/bold]"


def proposing(question: str = "") -> Scene:
    """A day in which one trade waits for a human."""
    scene = day(10)
    listed = next(m for m in scene.markets if m.condition_id in scene.state.books)
    if question:
        scene.state.markets[listed.condition_id] = evolve(listed, question=question)
    scene.feed(wish(scene, listed))
    assert list(scene.state.approvals) == ["a1"], scene.state.notices[-1]
    return scene


def wish(scene: Scene, listed: Market) -> Intent:
    """To rest well below the market, so that a moving book does not take it back."""
    return Intent(
        at_ns=scene.now_ns,
        strategy="value",
        condition_id=listed.condition_id,
        token_id=listed.yes_token,
        side=Side.BUY,
        price=Price(50_000),
        size=Shares(20 * MILLION),
        post_only=True,
        lifetime_s=60,
        approval=True,
    )


async def test_a_proposed_trade_is_shown_with_its_time_and_approved(tmp_path: Path) -> None:
    """The terms that were shown go with the yes, and what came of it is on the screen.

    Proves: A-strat.
    """
    scene = proposing()
    terms = scene.state.approvals["a1"].terms
    async with terminal_on(tmp_path, scene) as (terminal, server):
        await shows(terminal, "to approve a1: BUY 20 YES at 0.05 resting")
        await terminal.press("a")
        await until(terminal, lambda: isinstance(terminal.app.screen, ApproveDialog))
        await shows(terminal, "5m00s left")
        await type_in(terminal, "a9")
        await terminal.press("tab")
        await type_in(terminal, "looks fine")
        await terminal.press("enter")
        await shows(terminal, "the id is one of: a1")
        assert server.said == []
        await terminal.press("shift+tab", "backspace")
        await type_in(terminal, "1")
        await terminal.press("enter")
        await shows(terminal, "USED ✓")
        await shows(terminal, "VERIFIED ✓")

    fact = {"actor": "jo", "approval_id": "a1", "terms": terms, "reason": "looks fine"}
    assert server.said == [{"kind": "ApproveRequested", "fact": fact}]
    assert scene.state.approvals["a1"].state == "used"
    assert any(o.size == 20 * MILLION for o in scene.state.orders.values())


async def test_a_no_is_sent_and_shown(tmp_path: Path) -> None:
    scene = proposing()
    async with terminal_on(tmp_path, scene) as (terminal, server):
        await terminal.press("d")
        await until(terminal, lambda: isinstance(terminal.app.screen, DeclineDialog))
        await type_in(terminal, "a1")
        await terminal.press("tab")
        await type_in(terminal, "no")
        await terminal.press("enter")
        await shows(terminal, "say why")
        await type_in(terminal, " thanks")
        await terminal.press("enter")
        await shows(terminal, "DECLINED ✓")

    fact = {"actor": "jo", "approval_id": "a1", "reason": "no thanks"}
    assert server.said == [{"kind": "DeclineRequested", "fact": fact}]
    assert scene.state.approvals["a1"].state == "declined"


async def test_a_yes_that_came_too_late_says_so(tmp_path: Path) -> None:
    """Sent and accepted is not done: the proposal had ended."""
    scene = proposing()
    async with terminal_on(tmp_path, scene) as (terminal, server):
        await terminal.press("a")
        await until(terminal, lambda: isinstance(terminal.app.screen, ApproveDialog))
        await type_in(terminal, "a1")
        await terminal.press("tab")
        await type_in(terminal, "go on")
        await shows(terminal, "left  BUY")
        server.obeys = False
        await terminal.press("enter")
        await until(terminal, lambda: server.said)
        scene.feed(facts.DeclineRequested(at_ns=scene.now_ns, approval_id="a1", actor="bob"))
        scene.feed(facts.ApproveRequested(at_ns=scene.now_ns, **server.said[0]["fact"]))
        server.publish()
        await shows(terminal, "it is declined")


async def test_hostile_terms_are_shown_letter_by_letter(tmp_path: Path) -> None:
    """A question is the venue's text. Proves: B-mon."""
    async with terminal_on(tmp_path, proposing(EVIL)) as (terminal, _):
        await terminal.press("a")
        await shows(terminal, "[bold]x[/bold]")
        assert "\x1b" not in of(terminal).export_screenshot()


async def test_nothing_waits_and_nothing_can_be_sent(tmp_path: Path) -> None:
    async with terminal_on(tmp_path, day(5)) as (terminal, server):
        await terminal.press("a")
        await shows(terminal, "Nothing waits for an approval.")
        await type_in(terminal, "a1")
        await terminal.press("tab")
        await type_in(terminal, "why not")
        await terminal.press("enter")
        await shows(terminal, "none, nothing waits")
        await terminal.press("escape", "o")
        await shows(terminal, "No outcome is in conflict.")
    assert server.said == []


def conflicting(scene: Scene) -> str:
    """A market whose outcome the venue changed after it had published it."""
    listed = scene.markets[0]
    scene.now_ns = max(scene.now_ns, listed.end_ns + SECOND_NS)
    scene.feed(facts.Tick(at_ns=scene.now_ns))
    for yes in (MILLION, 0):
        scene.feed(
            facts.MarketResolved(
                at_ns=scene.now_ns,
                condition_id=listed.condition_id,
                yes_payout=Usdc(yes),
                no_payout=Usdc(MILLION - yes),
                source="gamma",
            )
        )
    return listed.condition_id


async def test_an_outcome_in_conflict_is_decided_as_it_was_shown(tmp_path: Path) -> None:
    """Proves: C1."""
    scene = day(10)
    condition = conflicting(scene)
    assert scene.state.settlements[condition].state == "conflicting"
    async with terminal_on(tmp_path, scene) as (terminal, server):
        await terminal.press("o")
        await until(terminal, lambda: isinstance(terminal.app.screen, DecideDialog))
        await shows(terminal, "yes pays 0.00, no pays 1.00")
        await type_in(terminal, "m1")
        await terminal.press("tab")
        await type_in(terminal, "short")
        await terminal.press("enter")
        await shows(terminal, "12 letters or more")
        await type_in(terminal, " of doubt now")
        await terminal.press("enter")
        await shows(terminal, "DECIDED ✓")

    said = server.said[0]["fact"]
    assert (said["condition_id"], said["yes_payout"], said["no_payout"]) == (condition, 0, MILLION)
    assert scene.state.settlements[condition].decided_by == "jo"

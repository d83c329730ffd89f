"""What the panels say of a real state, and that they never say more than it."""

from pathlib import Path

import pytest
from attrs import evolve
from rich.cells import cell_len

from polybawt.core.facts import LinkDown
from polybawt.core.machines.order import ENDED
from polybawt.core.market import Side
from polybawt.core.units import SECOND_NS, complement
from polybawt_tui import text
from polybawt_tui.command import Pending
from polybawt_tui.panels import attention, books, events, health, money, orders, strip
from polybawt_tui.picture import Picture, Sheet, active_markets, ranked_orders, still
from tests.tui.scene import Scene, busy, day, market

DAY = busy()


def picture(scene: Scene = DAY, **changes: object) -> Picture:
    base = Picture(
        state=scene.state,
        seq=len(scene.facts),
        mode="paper",
        engine="polybawt-1",
        now_ns=scene.now_ns,
        connected=True,
        socket=Path("/run/pb/audit.sock"),
    )
    return evolve(base, **changes)


def said(sheet: Sheet) -> str:
    return "\n".join(text.plain(row) for row in (sheet.note, *sheet.rows))


def test_an_unknown_order_is_the_first_and_has_its_own_colour() -> None:
    """What we lost sight of is what an operator must see. Proves: A-exec."""
    states = [order.state for order in ranked_orders(DAY.state)]
    first = orders.orders(picture(), 80, 20).rows[1]

    assert states[0] == "unknown"
    assert states == sorted(states, key=lambda state: (state in ENDED, state != "unknown"))
    assert ("? UNKNOWN   ", "unknown") in first


def test_every_order_is_listed_once_with_its_terms() -> None:
    """Nothing is left out, whatever its state."""
    shown = said(orders.orders(picture(), 200, 99))

    for order in DAY.state.orders.values():
        line = next(row for row in shown.splitlines() if row.startswith(f"{order.intent_id} "))
        assert text.price(order.price) in line
        assert text.shares(order.size) in line


def test_our_orders_are_marked_where_they_act_in_the_book() -> None:
    """A bid for Down is an ask for Up: it stands on that side of the ladder."""
    listed = next(
        DAY.state.markets[o.condition_id]
        for o in DAY.state.open_orders()
        if o.token_id == DAY.state.markets[o.condition_id].no_token
    )
    bids, asks = books.own_levels(DAY.state, listed)
    own = [o for o in DAY.state.open_orders() if o.condition_id == listed.condition_id]

    assert own
    for order in own:
        up = order.token_id == listed.yes_token
        side = bids if (order.side is Side.BUY) == up else asks
        assert order.open_size <= side[order.price if up else complement(order.price)]
    assert "◆" in said(books.books(picture(), 80, 20, listed.condition_id))


def test_the_ladder_shows_the_book_of_the_chosen_market() -> None:
    """The best prices stand in its first line, next to each other."""
    chosen = active_markets(DAY.state)[2]
    book = DAY.state.books[chosen.condition_id]
    shown = said(books.books(picture(), 120, 30, chosen.condition_id)).splitlines()
    ladder = next(i for i, line in enumerate(shown) if line.startswith("╌╌"))
    bid, ask = book.best_bid(chosen.yes_token), book.best_ask(chosen.yes_token)

    assert f"{text.price(bid)} │ {text.price(ask)}" in shown[ladder + 1]


def test_an_own_order_outside_the_shown_depth_is_still_on_the_ladder() -> None:
    """An order that rests far away is not forgotten."""
    side = books._side({n: 1 for n in range(10)}, {0: 7}, 3, best_first=-1)

    assert side == [(9, 1, 0), (8, 1, 0), (0, 1, 7)]


def test_a_book_that_is_not_fresh_gives_no_sure_mark() -> None:
    """A stale price is never shown as the value of what we hold. Proves: H4."""
    scene = busy()
    held = next(p for p in scene.state.positions.values() if p.shares)
    before = said(money.positions(picture(scene), 60, 20))
    scene.feed(LinkDown(at_ns=scene.now_ns, link="market", reason="reset"))
    after = said(money.positions(picture(scene), 60, 20))

    assert held.shares
    assert "~" not in before
    assert "~0." in after


def test_a_wrong_hash_makes_the_feed_suspect_on_strip_and_panel() -> None:
    """A book that lies is told within a repaint. Proves: A-exec, B-ing."""
    scene = day(10)
    scene.deaf = True
    listed = active_markets(scene.state)[0]
    scene.now_ns += SECOND_NS
    scene.feed(scene.change(listed, honest=False))
    scene.now_ns += SECOND_NS
    scene.feed(scene.change(listed))
    shown = picture(scene)

    assert "suspect" in said(health.feeds(shown, 48, 12))
    assert "suspect" in text.plain(strip.strip(shown, 160))
    assert "✖" in text.plain(strip.strip(shown, 80))


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
@pytest.mark.parametrize("mode", ["paper", "live"])
@pytest.mark.parametrize("connected", [True, False])
def test_the_strip_always_has_mode_and_time_and_its_exact_width(
    width: int, mode: str, connected: bool
) -> None:
    """Line 1 never leaves and never lies."""
    line = strip.strip(picture(mode=mode, connected=connected, silent_ns=14 * SECOND_NS), width)
    shown = text.plain(line)

    assert cell_len(shown) == width
    assert mode.upper() in shown
    if width >= 60:
        assert text.utc(DAY.now_ns if connected else DAY.state.now_ns) in shown
        assert ("NO LINK 14s" in shown) == (not connected)


def test_without_a_link_nothing_reads_as_healthy() -> None:
    """The past is not the present: no feed is fresh, no breaker closed, no state current."""
    gone = picture(connected=False, silent_ns=14 * SECOND_NS)
    line = text.plain(strip.strip(gone, 140))
    feeds = said(health.feeds(gone, 48, 20))

    assert "WAS TRADING" in line
    assert "feeds ? unknown" in line
    assert "breakers ? unknown" in line
    assert "●" not in line
    assert "● fresh" not in feeds
    assert "was fresh" in feeds
    assert "touch /run/pb/KILL" in text.plain(attention.attention(gone, 140))


def test_a_kill_colours_the_whole_strip() -> None:
    """It cannot be overlooked. Proves: kill."""
    scene = day(10)
    calm = {role for _, role in strip.strip(picture(scene), 120)}
    scene.kill(reason="drill")
    line = strip.strip(picture(scene), 120)

    assert "alarm" not in calm
    assert "KILLED" in text.plain(line)
    assert {role for _, role in line} <= {"alarm", "paper", "strip bad"} | {
        role for _, role in line if "KILL" in role
    }
    assert "terminal: drill" in text.plain(attention.attention(picture(scene), 120))


def test_the_attention_line_has_the_gravest_first_and_counts_the_rest() -> None:
    """One line for many troubles."""
    scene = busy()
    assert "1 UNKNOWN" in text.plain(attention.attention(picture(scene), 120))
    scene.feed(LinkDown(at_ns=scene.now_ns, link="oracle", reason="reset"))
    both = text.plain(attention.attention(picture(scene), 120))
    scene.kill()
    all_three = attention.concerns(picture(scene))

    assert "1 UNKNOWN" in both
    assert "+1 more" in both
    assert "KILLED" in text.plain(all_three[0])
    assert "oracle" in text.plain(all_three[-1])


def test_a_calm_engine_needs_no_attention() -> None:
    """Grey means calm."""
    scene = Scene().open()
    scene.list_market(market("btc/usd", 0, 5))
    scene.pass_time(40)

    assert "nothing needs attention" in text.plain(attention.attention(picture(scene), 120))


def test_a_silent_engine_is_told_although_the_socket_is_open() -> None:
    """A link that is up and says nothing is not healthy."""
    late = picture(silent_ns=5 * SECOND_NS)
    line = text.plain(strip.strip(late, 140))

    assert "engine silent 5.0s" in line
    assert "feeds ? unknown" in line
    assert "was fresh" in said(health.feeds(late, 48, 20))


def test_a_market_that_waits_shows_only_evidence_that_exists() -> None:
    """No outcome is printed that nobody has said. Proves: C1."""
    scene = Scene().open()
    listed = scene.list_market(market("btc/usd", -50, 1))
    scene.deaf = True  # an order that has not ended holds the payout back
    scene.pass_time(75)
    nothing = said(health.settlements(picture(scene), 48, 10))
    saw = scene.state.settlements[listed.condition_id].observed
    up, down = ("Up", "Dn") if saw == "yes" else ("Dn", "Up")
    scene.resolve(listed, up=saw != "yes")
    against = said(health.settlements(picture(scene), 48, 10))

    assert saw
    assert f"saw {up}" in nothing
    assert "pays" not in nothing
    assert "✖ CONFLICT" in against
    assert f"saw {up} pays {down}" in against


def test_limits_near_their_end_are_coloured() -> None:
    """Colour means that something asks for a look."""
    calm = money._gauge("exposure", 10, 100, 48)
    near = money._gauge("exposure", 95, 100, 48)
    over = money._gauge("exposure", 100, 100, 48)

    assert [row[3][1] for row in (calm, near, over)] == ["ok", "warn", "bad text"]


def test_a_question_with_markup_and_escapes_is_shown_letter_by_letter() -> None:
    """Nothing that came from the venue is rendered as markup. Proves: B-mon."""
    scene = Scene().open()
    scene.list_market(market("btc/usd", 0, 5, question="[red]x[/red]\x1b[2J"))
    scene.pass_time(31)
    shown = said(books.books(picture(scene), 200, 20, ""))

    assert "[red]x[/red]·[2J" in shown
    assert "\x1b" not in shown


def test_a_frozen_picture_stands_still_while_the_engine_runs_on() -> None:
    """Frozen rows can be read; the replica folds on."""
    scene = day(10)
    frozen = still(picture(scene))
    before = said(orders.orders(frozen, 120, 30)) + said(books.books(frozen, 100, 30, ""))
    scene.pass_time(15, fill_chance=0.9)
    scene.kill()

    after = said(orders.orders(frozen, 120, 30)) + said(books.books(frozen, 100, 30, ""))
    assert before == after
    assert said(orders.orders(picture(scene), 120, 30)) not in before


def test_scrolling_back_in_the_tail_says_how_much_is_newer() -> None:
    """A view of the past is not mistaken for the present."""
    entries = [events.Entry(at_ns=i, severity="fact", words=f"line {i}") for i in range(50)]
    newest = said(events.events(picture(entries=entries), 60, 10, 0))
    older = said(events.events(picture(entries=entries), 60, 10, 5))

    assert "line 49" in newest
    assert "line 49" not in older
    assert "5 newer below" in older


def test_a_command_is_never_shown_further_than_it_is_proven() -> None:
    """A wish is not a fact: accepted is not latched, latched is not verified. Proves: H6."""
    scene = busy()
    scene.deaf = True
    ids = frozenset(order.intent_id for order in scene.state.open_orders())
    pending = Pending(
        kind="KILL", breaker="kill", actor="jo", reason="drill", sent_ns=1, open_ids=ids
    )
    stages = [pending.stage(scene.state)]
    pending.answer = "accepted"
    stages.append(pending.stage(scene.state))
    scene.kill(actor="someone else", reason="other")
    pending.hear(scene.facts[-1])
    stages.append(pending.stage(scene.state))
    scene.kill(actor="jo", reason="drill")
    pending.hear(scene.facts[-1])
    stages.append(pending.stage(scene.state))

    assert ids
    assert stages == ["SENT", "ACCEPTED", "ACCEPTED", "LATCHED"]
    assert not pending.verified(scene.state)

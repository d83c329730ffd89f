"""What a human is asked, and that one yes makes one order at most."""

from typing import Any

import pytest
from attrs import evolve

from polybawt.core import approvals, breakers, facts
from polybawt.core.codec import decode_state, encode_state
from polybawt.core.commands import Notify, SignOrder
from polybawt.core.machines.approval import Approval
from polybawt.core.market import Side
from polybawt.core.strategies.value import Value
from polybawt.core.units import Price, Usdc
from tests.core.script import MARKET, QUIET, Script, cents, shares

ASKING = evolve(QUIET, strategies=(Value(name="test", rest_edge=10**6, take_edge=10**6),))
YES_PLEASE = "looked at it, fine"


@pytest.fixture
def script() -> Script:
    script = Script(config=ASKING).start()
    script.quote()
    return script


def ask(script: Script, count: float = 5, price: float = 60, **other: Any) -> Approval | None:
    """A wish to take what the book has, if a human agrees."""
    before = set(script.state.approvals)
    script.want(count, price, **({"approval": True, "post_only": False} | other))
    made = [a for key, a in script.state.approvals.items() if key not in before]
    return made[0] if made else None


def approve(script: Script, asked: Approval | None, terms: str = "", actor: str = "ann") -> None:
    assert asked is not None
    script.say(
        facts.ApproveRequested(
            approval_id=asked.approval_id,
            actor=actor,
            terms=terms or asked.terms,
            reason=YES_PLEASE,
        )
    )


def decline(script: Script, approval_id: str = "a1") -> None:
    script.say(facts.DeclineRequested(approval_id=approval_id, actor="bob", reason="too late"))


def later(script: Script, seconds: int) -> None:
    """Time passes in which every link and the book stay alive."""
    for _ in range(seconds):
        script.wait(1)
        script.say(*(facts.LinkHeard(link=link) for link in ("market", "user", "oracle")))


def fate(script: Script, approval_id: str = "a1") -> str:
    return script.state.approvals[approval_id].state


def test_a_wish_that_needs_approval_is_put_to_the_operators_and_nothing_is_sent(
    script: Script,
) -> None:
    """They are shown side, size, price, question, strategy and how long it stands.

    Proves: A-strat.
    """
    asked = ask(script)

    assert asked is not None
    assert script.state.orders == {}
    assert script.of(SignOrder) == []
    for part in ("BUY 5 YES at 0.6 at once", MARKET.question, "test", "UTC"):
        assert part in asked.terms
    assert asked.expires_ns == script.now_ns + script.config.approval_ns
    (told,) = script.of(Notify)
    assert (told.name, asked.terms in told.text) == ("approval_wanted", True)


def test_an_approved_wish_becomes_one_order(script: Script) -> None:
    asked = ask(script)
    approve(script, asked)

    assert [(o.side, o.price, o.size) for o in script.state.orders.values()] == [
        (Side.BUY, cents(60), shares(5))
    ]
    assert fate(script) == "used"
    assert script.state.approvals["a1"].actor == "ann"

    approve(script, asked, actor="bob")  # a second click, or a second operator
    assert len(script.state.orders) == 1
    assert fate(script) == "used"
    assert script.of(Notify) != []  # who clicked is told


def test_a_no_is_final_and_is_not_asked_again_for_a_while(script: Script) -> None:
    asked = ask(script)
    decline(script)
    approve(script, asked)
    assert (fate(script), script.state.orders) == ("declined", {})

    script.now_ns += script.config.ask_ns
    script.wait()
    script.say(*script.links())
    script.quote()
    assert ask(script) is None
    assert script.state.counters["approvals_not_asked"] == 1


def test_the_same_wish_is_asked_once_while_it_waits(script: Script) -> None:
    """A strategy wishes five times a second; a human is asked once."""
    ask(script)

    assert ask(script) is None
    assert ask(script, token_id=MARKET.no_token, price=60) is not None
    assert list(script.state.approvals) == ["a1", "a2"]


def test_terms_other_than_those_that_were_shown_approve_nothing(script: Script) -> None:
    approve(script, ask(script), terms="BUY 500 YES")

    assert (fate(script), script.state.orders) == ("requested", {})


def test_it_runs_out(script: Script) -> None:
    """A yes that comes too late is told so, and trades nothing."""
    asked = ask(script)
    later(script, 301)
    assert fate(script) == "expired"

    approve(script, asked)
    assert (fate(script), script.state.orders) == ("expired", {})


def test_a_yes_at_the_moment_of_its_end_is_too_late(script: Script) -> None:
    """Without a tick between: the click was faster than the clock."""
    asked = ask(script)
    script.now_ns += script.config.approval_ns
    approve(script, asked)

    assert (fate(script), script.state.orders) == ("expired", {})


def test_it_is_withdrawn_when_the_price_moved_beyond_it(script: Script) -> None:
    ask(script)
    script.quote(asks=((cents(60), shares(100)),))
    script.wait()
    assert fate(script) == "requested"

    script.quote(asks=((cents(61), shares(100)),))
    script.wait()
    assert fate(script) == "void"
    assert "0.61" in script.state.approvals["a1"].cause


def test_a_sale_is_withdrawn_when_the_bid_fell_below_it(script: Script) -> None:
    script.rest(10)
    script.say(script.trade(10))
    ask(script, price=40, side=Side.SELL)
    script.wait()
    assert fate(script) == "requested"

    script.quote(bids=((cents(39), shares(100)),))
    script.wait()
    assert fate(script) == "void"


def test_a_quote_is_withdrawn_when_the_market_came_to_it(script: Script) -> None:
    ask(script, price=50, post_only=True)
    script.wait()
    assert fate(script) == "requested"

    script.quote(asks=((cents(50), shares(100)),))
    script.wait()
    assert fate(script) == "void"


def test_it_is_withdrawn_when_its_market_ends(script: Script) -> None:
    ask(script)
    script.now_ns = MARKET.end_ns
    script.wait(0)

    assert fate(script) == "void"


def test_a_yes_between_two_ticks_finds_what_is_gone(script: Script) -> None:
    """The price moved, or the market ended, and no clock has looked since: nothing is tried."""
    moved, ended = ask(script), ask(script, token_id=MARKET.no_token, price=60)
    script.quote(asks=((cents(61), shares(100)),))
    approve(script, moved)
    assert (fate(script, "a1"), script.state.orders) == ("void", {})

    script.now_ns = MARKET.end_ns
    approve(script, ended)
    assert (fate(script, "a2"), script.state.orders) == ("void", {})


def test_it_is_withdrawn_when_the_signal_was_traded_without_it(script: Script) -> None:
    """Another strategy had the same threshold: one of them trades.

    Proves: G2.
    """
    ask(script, threshold=cents(90))
    script.want(5, 40, threshold=cents(90))
    script.wait()

    assert fate(script) == "void"
    assert ask(script, threshold=cents(90)) is None


def test_what_the_gate_refuses_is_not_asked(script: Script) -> None:
    assert ask(script, count=1_000) is None
    assert script.state.approvals == {}
    assert script.state.counters["refused:strategy_exposure"] == 1


def test_limits_that_changed_meanwhile_refuse_what_was_approved(script: Script) -> None:
    """The gate is asked twice, and the yes is used up: one try.

    Proves: A-risk, limits.
    """
    asked = ask(script)
    tight = evolve(script.config.limits, token_exposure_max=Usdc(0))
    script.state.config = evolve(script.config, limits=tight)
    approve(script, asked)

    assert (fate(script), script.state.orders) == ("used", {})
    assert "refused: token_exposure" in script.state.notices[-1].text


def test_a_kill_between_question_and_answer_stands(script: Script) -> None:
    """Proves: kill."""
    asked = ask(script)
    script.say(facts.KillRequested(actor="x", reason="y", source="api"))
    approve(script, asked)

    assert script.state.orders == {}
    assert script.ever(SignOrder) == []


def test_an_approval_of_another_size_than_the_breakers_leave_is_void(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Terms are those of the moment: what was shown is what is traded, or nothing."""
    asked = ask(script, count=10)
    monkeypatch.setattr(breakers, "scale", lambda _: 500_000)
    approve(script, asked)

    assert (fate(script), script.state.orders) == ("void", {})


@pytest.mark.parametrize("said", ["", "   "])
def test_nobody_can_approve_nothing(script: Script, said: str) -> None:
    """An approval says who gave it."""
    asked = ask(script)
    assert asked is not None
    approve(script, asked, actor=said or " ")
    decline(script, "a99")

    assert fate(script) == "requested"
    assert script.noticed("approval") == 2


def test_it_survives_a_restart(script: Script) -> None:
    """Proves: recovery."""
    ask(script)
    restored = decode_state(encode_state(script.state))
    assert restored == script.state

    replayed = Script(config=ASKING, now_ns=script.now_ns)
    replayed.say(*script.heard)
    assert replayed.state.approvals == script.state.approvals


def test_a_strategy_that_runs_no_more_asks_for_nothing(script: Script) -> None:
    """Another configuration after a restart: its old question is taken back."""
    ask(script)
    script.config = QUIET
    script.say(facts.Started(epoch=2, config=QUIET))
    script.wait()

    assert fate(script) == "void"


def test_what_has_ended_leaves_memory(script: Script) -> None:
    """Proves: C5."""
    ask(script)
    decline(script)
    script.now_ns += script.config.approval_ns + script.config.declined_ns
    script.wait()

    assert not script.state.approvals

    assert not script.state.proposals


def test_only_so_many_are_remembered(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proves: C5."""
    monkeypatch.setattr(approvals, "APPROVALS_MAX", 1)
    ask(script)

    assert ask(script, threshold=Price(900_000)) is None
    assert script.state.counters["refused:approval"] == 1

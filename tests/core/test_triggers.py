"""That one signal trades once, whatever becomes of its order."""

from typing import Any

import pytest

from polybawt.core import facts, triggers
from polybawt.core.codec import decode_state, encode_state
from polybawt.core.machine import Fact
from polybawt.core.machines import order
from polybawt.core.risk import CHECKS
from polybawt.core.units import SECOND_NS, Price
from tests.core.script import MARKET, NO, YES, Script, cents, shares

AT = cents(95)


@pytest.fixture
def script() -> Script:
    script = Script().start()
    script.quote()
    return script


def states(script: Script) -> dict[str, str]:
    return {name: held.state for name, held in script.state.triggers.items()}


def wish(script: Script, threshold: Price = AT, **other: Any) -> str:
    """The intent id of the order that came of it, "" for none."""
    made = script.want(5, 40, threshold=threshold, **other)
    return made.intent_id if made else ""


def past_all_doubt(script: Script, intent_id: str) -> None:
    """Until its end has passed, and what might still be told of it has had its time."""
    for _ in range(30):
        if intent_id not in script.state.orders:
            return
        script.wait(10)
        script.say(*(facts.LinkHeard(link=link) for link in ("market", "user", "oracle")))


def test_both_records_are_claimed_by_the_fact_that_makes_the_order(script: Script) -> None:
    """Atomically: there is no moment in which only one of them is held.

    Proves: G2.
    """
    assert wish(script) == "i1"
    assert states(script) == {
        f"token:{YES}:{AT}": "claimed",
        f"condition:{MARKET.condition_id}:{AT}": "claimed",
    }


@pytest.mark.parametrize("token", [YES, NO])
def test_a_second_order_at_the_threshold_is_refused(script: Script, token: str) -> None:
    """Once per token, and once per condition: the other token is the same signal.

    Proves: G2.
    """
    wish(script)

    assert wish(script, token_id=token) == ""
    assert script.state.counters["refused:trigger"] == 1
    assert len(script.state.orders) == 1


def test_another_threshold_is_another_signal(script: Script) -> None:
    wish(script)

    assert wish(script, threshold=cents(90)) == "i2"


def test_an_order_without_a_threshold_claims_nothing(script: Script) -> None:
    assert wish(script, threshold=Price(0)) == "i1"
    assert wish(script, threshold=Price(0)) == "i2"
    assert not script.state.triggers
    assert not script.state.claims


def test_what_the_gate_refuses_claims_nothing(script: Script) -> None:
    """A claim that no order will ever release would bar the signal for good."""
    assert script.want(1_000_000, 40, threshold=AT) is None
    assert script.state.triggers == {}
    assert "trigger" not in {name for name, _ in CHECKS}


ALIVE: list[tuple[str, Fact]] = [
    ("answer", order.AckLive(intent_id="i1")),
    ("delay", order.AckDelayed(intent_id="i1")),
    ("duplicate", order.Duplicate(intent_id="i1")),
    ("record", order.ReadOpen(intent_id="i1", matched=shares(0))),
    ("ended record", order.ReadClosed(intent_id="i1", matched=shares(0), outcome="cancelled")),
    ("matched record", order.ReadClosed(intent_id="i1", matched=shares(2), outcome="rejected")),
    ("cancel", order.CancelDone(intent_id="i1")),
    ("push", facts.OrderPushed(order_id="0xid-i1", kind="PLACEMENT", status="LIVE", matched=None)),
    ("end", facts.OrderPushed(order_id="0xid-i1", kind="CANCELLATION", status="", matched=None)),
]


@pytest.mark.parametrize("sign", [sign for _, sign in ALIVE], ids=[name for name, _ in ALIVE])
def test_any_sign_that_the_venue_has_it_fires_for_good(script: Script, sign: Fact) -> None:
    """An answer, a push or its record: whichever comes first.

    Proves: G2.
    """
    script.sign(script.want(5, 40, threshold=AT))
    script.say(sign)

    assert set(states(script).values()) == {"fired"}
    script.say(order.ReadClosed(intent_id="i1", matched=shares(0), outcome="cancelled"))
    past_all_doubt(script, "i1")
    script.quote()
    assert not script.state.orders
    assert not script.state.claims
    assert set(states(script).values()) == {"fired"}
    assert wish(script) == ""


def test_a_fill_is_a_sign_of_life_too(script: Script) -> None:
    """It may outrun every answer."""
    script.sign(script.want(5, 40, threshold=AT))
    script.say(script.trade(5))

    assert set(states(script).values()) == {"fired"}


NEVER_LEFT: list[Fact] = [
    order.Abort(intent_id="i1", reason="the signer refused"),
    facts.Started(epoch=2),
]


@pytest.mark.parametrize("ended", NEVER_LEFT, ids=["abort", "crash before it was signed"])
def test_what_was_never_sent_frees_it_at_once(script: Script, ended: Fact) -> None:
    """Proves: G2, recovery."""
    wish(script)
    script.say(ended)

    assert not script.state.triggers

    assert not script.state.claims


def test_what_was_stopped_at_the_socket_frees_it_at_once(script: Script) -> None:
    script.sign(script.want(5, 40, threshold=AT))
    script.say(order.Reject(intent_id="i1", reason="not sent: kill switch"))

    assert not script.state.triggers

    assert not script.state.claims
    assert wish(script) == "i2"


def test_a_refused_order_frees_it_once_the_refusal_is_past_all_doubt(script: Script) -> None:
    """A refusal may be untrue for as long as the order can live; then it is sure.

    Proves: G2.
    """
    script.sign(script.want(5, 40, threshold=AT))
    script.say(order.Reject(intent_id="i1", reason="400 not enough balance"))
    assert set(states(script).values()) == {"claimed"}
    assert wish(script) == ""

    past_all_doubt(script, "i1")
    script.quote()
    assert not script.state.triggers
    assert not script.state.claims
    assert wish(script) == "i2"


def test_an_untrue_refusal_trades_once_all_the_same(script: Script) -> None:
    """The venue said no, and had it: the signal is used up."""
    script.sign(script.want(5, 40, threshold=AT))
    script.say(order.Reject(intent_id="i1", reason="400 try again"))
    script.say(script.trade(5))

    assert set(states(script).values()) == {"fired"}


def test_silence_frees_nothing(script: Script) -> None:
    """Nobody knows whether it is on the book.

    Proves: A-exec.
    """
    script.sign(script.want(5, 40, threshold=AT))
    script.say(order.Timeout(intent_id="i1", reason="no answer"))
    script.wait(1)

    assert set(states(script).values()) == {"claimed"}
    assert wish(script) == ""


def test_an_end_without_a_sign_of_life_frees_it(script: Script) -> None:
    """It can land no more, and never did."""
    script.sign(script.want(5, 40, threshold=AT))
    script.say(order.Timeout(intent_id="i1", reason="no answer"))
    script.now_ns = script.order().ends_ns + SECOND_NS
    script.say(order.ReadMissing(intent_id="i1"))
    assert set(states(script).values()) == {"claimed"}  # its trades may still be on their way

    past_all_doubt(script, "i1")
    assert not script.state.triggers
    assert not script.state.claims


def test_an_order_called_invalid_is_decided_by_its_record(script: Script) -> None:
    script.sign(script.want(5, 40, threshold=AT))
    script.say(facts.OrderPushed(order_id="0xid-i1", kind="UPDATE", status="INVALID", matched=None))
    assert set(states(script).values()) == {"claimed"}

    script.say(order.ReadClosed(intent_id="i1", matched=shares(0), outcome="rejected"))
    past_all_doubt(script, "i1")
    assert script.state.triggers == {}


def test_it_survives_a_restart(script: Script) -> None:
    """By the snapshot, and by the facts alone.

    Proves: recovery, G2.
    """
    script.sign(script.want(5, 40, threshold=AT))
    restored = decode_state(encode_state(script.state))
    assert (restored.triggers, restored.claims) == (script.state.triggers, script.state.claims)

    replayed = Script()
    replayed.say(*script.heard)
    assert set(states(script).values()) == {"claimed"}


def test_a_market_that_leaves_memory_takes_its_triggers_along(script: Script) -> None:
    """Proves: C5."""
    script.rest(5, 40, threshold=AT)
    triggers.forget(script.state, MARKET)

    assert script.state.triggers == {}


def test_there_are_only_so_many(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is held is never dropped to make room: then nothing more is claimed.

    Proves: C5.
    """
    monkeypatch.setattr(triggers, "TRIGGERS_MAX", 2)
    wish(script)

    assert wish(script, threshold=cents(90)) == ""
    assert len(script.state.triggers) == 2

"""What the venue lets us do, as the kernel hears it: mode, pulse, clock, version, tick."""

from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from polybawt.core import facts, leave
from polybawt.core.codec import decode, decode_state, encode, encode_state
from polybawt.core.commands import (
    CancelOrder,
    PostOrder,
    ProbeVenue,
    ReadOpenOrders,
    ReadTrades,
    SignOrder,
)
from polybawt.core.kernel import step
from polybawt.core.machines import order, venue_mode
from polybawt.core.market import Side
from polybawt.core.state import RULES, State
from polybawt.core.units import SECOND_NS, Price
from tests.core.script import MARKET, QUIET, Script, cents, shares, snapshot

RULED = evolve(QUIET, rules=RULES)
NS_MS = 10**6


@pytest.fixture
def script() -> Script:
    """An engine that agrees with its account, and has not heard of the venue's mode."""
    made = Script(config=RULED).start()
    made.quote()
    return made


@pytest.fixture
def running(script: Script) -> Script:
    return opened(script)


def opened(script: Script, request: str = "plain") -> Script:
    """Through the whole way back: a cancel, a read, and one order as a probe."""
    script.say(answered(script, "cancel"))
    script.wait(0.1)
    read(script)
    script.say(answered(script, request))
    return script


def later(script: Script) -> int:
    """A request that is sent after all that was heard."""
    script.now_ns += NS_MS
    return script.now_ns


def answered(script: Script, request: str, sent_ns: int = 0) -> venue_mode.Answered:
    sent_ns = sent_ns or later(script)
    return venue_mode.Answered(name="clob", request=request, sent_ns=sent_ns, at_ns=later(script))


def refused(script: Script, mode: str, sent_ns: int = 0, **more: Any) -> venue_mode.Refused:
    sent_ns = sent_ns or later(script)
    return venue_mode.Refused(name="clob", mode=mode, sent_ns=sent_ns, at_ns=later(script), **more)


def read(script: Script, sent_ns: int = 0) -> None:
    sent_ns = sent_ns or later(script)
    listed = tuple(o.order_id for o in script.state.open_orders() if o.order_id)
    script.say(facts.TradesRead(condition_id="", count=0, sent_ns=sent_ns))
    script.say(facts.OpenOrdersRead(order_ids=listed, sent_ns=sent_ns))


def fresh(script: Script, seconds: float) -> None:
    """Time passes over a book that is quoted again."""
    script.wait(seconds)
    script.quote()


def mode(script: Script) -> str:
    return script.state.mode.state


# The mode.


def test_after_a_start_no_order_leaves_before_the_venue_was_asked(script: Script) -> None:
    """The process before us may have died in a restart of the venue. Proves: recovery."""
    assert script.ever(ProbeVenue) == [ProbeVenue()]
    assert script.want() is None
    assert script.state.counters["refused:venue"] == 1

    script.say(answered(script, "cancel"))
    assert mode(script) == "reconciling"
    said = script.wait(0.1)
    assert {type(command) for command in said} >= {ReadOpenOrders, ReadTrades}
    assert script.want() is None
    read(script)
    assert mode(script) == "reopening"

    first, second = script.want(5), script.want(5, 39)
    sent = [script.sign(first)] if first else []
    assert script.of(PostOrder)
    assert second is not None
    script.say(order.Sign(intent_id=second.intent_id, order_id="0xsecond", payload="{}"))
    assert not script.of(PostOrder)  # the first is the probe
    assert script.order(second.intent_id).state == "rejected"
    script.say(answered(script, "post_only"))

    assert sent
    assert mode(script) == "post_only"
    assert script.rest(5, 38)


def test_a_read_from_before_the_outage_was_over_proves_nothing(script: Script) -> None:
    """Orders may be taken from the book until the moment the venue takes cancels again."""
    before_ns = later(script)
    script.say(answered(script, "cancel"))
    read(script, before_ns)
    assert mode(script) == "reconciling"

    script.say(facts.OpenOrdersRead(order_ids=(), sent_ns=later(script)))
    assert mode(script) == "reconciling"  # one of the two is not enough
    script.say(facts.TradesRead(condition_id="0xc1", count=0, sent_ns=later(script)))
    assert mode(script) == "reconciling"  # the trades of one market are not all
    script.say(facts.TradesRead(condition_id="", count=0, sent_ns=later(script)))

    assert mode(script) == "reopening"


def test_a_restart_stops_orders_and_no_cancel(running: Script) -> None:
    """425 for 90 s, then two minutes of post-only: no storm, and no breaker.

    Source: 1.14; 6 item 5.
    """
    first = running.rest(5)
    running.state.breakers.clear()
    for number in range(2):  # connections die first
        lost = running.want(5, 39 - number)
        running.sign(lost)
        assert lost
        running.say(order.Timeout(intent_id=lost.intent_id, reason="reset"))
    assert running.state.breakers["venue"].failures == 2

    running.say(refused(running, "restarting"))
    assert (mode(running), running.state.breakers["venue"].failures) == ("restarting", 0)
    assert running.want(5, 36) is None
    running.say(order.Cancel(intent_id=first))
    assert running.of(CancelOrder)
    lost_ids = [o.intent_id for o in running.state.orders.values() if o.state == "unknown"]
    for _ in range(5):
        for lost_id in lost_ids:
            running.say(order.Timeout(intent_id=lost_id, reason="reset"))

    assert running.state.breakers["venue"].state == "closed"
    assert running.state.breakers["venue"].failures == 0


def test_probes_are_spaced_and_wait_as_long_as_they_were_told(running: Script) -> None:
    """The venue says how long it needs; without a word the pause doubles."""
    running.say(refused(running, "restarting", retry_ns=20 * SECOND_NS))
    asked = list[float]()
    began_ns = running.now_ns
    while running.now_ns < began_ns + 100 * SECOND_NS:
        running.wait(0.5)
        if running.of(ProbeVenue):
            asked.append((running.now_ns - began_ns) / SECOND_NS)

    assert asked == [20.0, 28.0, 44.0, 76.0]


def test_post_only_lets_those_rest_that_rest(running: Script) -> None:
    """And one order that takes goes as a probe when the two minutes are over."""
    running.say(refused(running, "post_only", retry_ns=79 * SECOND_NS))
    assert running.rest(5)
    assert running.want(5, 60, post_only=False) is None
    for _ in range(79):
        fresh(running, 1)
    taker = running.want(5, 60, post_only=False)
    running.sign(taker)
    assert running.of(PostOrder)
    assert running.want(5, 60, post_only=False) is None
    running.say(answered(running, "plain"))

    assert mode(running) == "running"
    assert running.want(5, 60, post_only=False)


@pytest.mark.parametrize("named", ["cancel_only", "disabled", "restarting"])
def test_an_order_on_its_way_is_held_when_bad_news_come_first(running: Script, named: str) -> None:
    """It waited for its turn while another was refused: it is certainly not sent."""
    wish = running.want(5)
    running.sign(wish)
    assert wish
    assert leave.held(running.state, wish.intent_id) == ""
    running.say(refused(running, named))

    assert leave.held(running.state, wish.intent_id) == f"venue is {named}"


def test_the_order_that_is_the_probe_is_not_held(script: Script) -> None:
    """The mode does not allow its business; it was let go to find out."""
    script.say(answered(script, "cancel"))
    script.wait(0.1)
    read(script)
    script.now_ns += NS_MS
    probe = script.want(5)
    script.sign(probe)
    assert probe

    assert script.of(PostOrder)
    assert leave.held(script.state, probe.intent_id) == ""


def test_an_answer_that_is_late_decides_nothing(running: Script) -> None:
    """It says how things were before the last news."""
    before_ns = later(running)
    running.say(refused(running, "restarting"))
    running.say(answered(running, "plain", before_ns), answered(running, "cancel", before_ns))

    assert mode(running) == "restarting"


@pytest.mark.parametrize("how", ["record", "push"])
def test_an_order_that_is_found_resting_was_let_in(script: Script, how: str) -> None:
    """The probe's answer was lost; its record, or a push, says what the answer would have said."""
    script.say(answered(script, "cancel"))
    script.wait(0.1)
    read(script)
    script.now_ns += NS_MS
    probe = script.want(5)
    order_id = script.sign(probe)
    assert probe
    script.say(order.Timeout(intent_id=probe.intent_id, reason="foreign body"))
    script.say(venue_mode.Silence(name="clob", sent_ns=later(script), at_ns=later(script)))
    assert mode(script) == "reopening"
    if how == "record":
        script.say(order.ReadOpen(intent_id=probe.intent_id, matched=shares(0)))
    else:
        push = {"kind": "PLACEMENT", "status": "LIVE", "matched": None}
        script.say(facts.OrderPushed(order_id=order_id, **push))

    assert mode(script) == "post_only"


@pytest.mark.parametrize("reason", ["425 service not ready", "not sent: its turn is in 2 s", "429"])
def test_a_refusal_that_is_not_about_the_order_is_held_against_nobody(
    running: Script, reason: str
) -> None:
    """Neither the venue's breaker nor the strategy's counts what a restart refuses."""
    for number in range(20):
        wish = running.want(5, 20 + number)
        running.sign(wish)
        assert wish
        running.say(order.Reject(intent_id=wish.intent_id, reason=f"{reason} x"))

    assert {b.state for b in running.state.breakers.values()} <= {"closed"}
    assert sum(b.failures for b in running.state.breakers.values()) == 0


def test_silence_makes_us_ask(running: Script) -> None:
    """Three requests in a row without an answer that proves anything: we no longer know."""
    for _ in range(3):
        assert mode(running) == "running"
        running.say(venue_mode.Silence(name="clob", sent_ns=later(running), at_ns=later(running)))

    assert mode(running) == "unknown"
    running.wait(0.1)
    assert running.of(ProbeVenue)


def test_a_venue_of_another_name_is_none_of_ours(running: Script) -> None:
    before = running.state.mode
    stranger = venue_mode.Answered(name="other", request="plain", sent_ns=1)
    running.say(stranger)

    assert running.state.mode == before
    assert running.state.counters["impossible"] == 1


# Journals.


def test_a_journal_of_before_the_rules_is_replayed_without_them() -> None:
    """Its orders left without asking for the mode; a replay must find them again.

    Proves: P2.5, recovery.
    """
    old = decode("Started", b'{"at_ns":1780000000000000000,"epoch":1,"config":{"strategies":[]}}')
    assert isinstance(old, facts.Started)
    script = Script(config=evolve(old.config, limits=QUIET.limits)).start()
    script.quote()

    assert old.config.rules == 0
    assert script.rest(5)
    assert (mode(script), script.ever(ProbeVenue)) == ("unknown", [])
    script.wait(60)
    script.say(facts.Heartbeat(sent_ns=1, accepted=False))
    script.quote()
    assert leave.held(script.state, "i1") == ""
    assert decode("OpenOrdersRead", b'{"order_ids":["a"]}') == facts.OpenOrdersRead(
        order_ids=("a",)
    )
    assert decode("TradesRead", b'{"condition_id":"","count":1}')


def test_the_same_news_lead_to_the_same_state_also_from_a_snapshot(running: Script) -> None:
    """Proves: P2.5."""
    running.rest(5)
    running.say(facts.Heartbeat(sent_ns=running.now_ns, accepted=True))
    running.say(facts.ClockRead(low_ns=-5, high_ns=7))
    half = encode_state(running.state)
    tail = len(running.heard)
    running.say(refused(running, "restarting", retry_ns=SECOND_NS))
    running.wait(30)
    whole, rest = State(), decode_state(half)
    for number, fact in enumerate(running.heard):
        again = decode(*encode(fact)) if type(fact) in facts.WORLD else fact
        step(whole, again)
        if number >= tail:
            step(rest, again)

    assert encode_state(whole) == encode_state(running.state) == encode_state(rest)


# The pulse.


def beat(script: Script, accepted: bool = True) -> None:
    script.say(facts.Heartbeat(sent_ns=script.now_ns, accepted=accepted))


def test_without_a_pulse_no_order_leaves(running: Script) -> None:
    """The venue withdraws everything after 10 s: new orders stop before. Source: 1.13."""
    beat(running)
    first = running.rest(5)
    wish = running.want(5, 39)
    running.sign(wish)
    assert wish
    for _ in range(8):
        fresh(running, 1)
    assert running.want(5, 38)
    fresh(running, 0.1)

    assert running.want(5, 37) is None
    assert leave.held(running.state, wish.intent_id) == "no heartbeat for 8100 ms"
    assert running.noticed("heartbeat_lost") == 1
    running.say(order.Cancel(intent_id=first))
    assert running.of(CancelOrder)
    running.wait(1)
    assert running.noticed("heartbeat_lost") == 1


def test_a_mass_cancel_by_the_venue_is_expected_and_looked_into(running: Script) -> None:
    """When the beats are back, what the venue did meanwhile is read, and nobody is alarmed.

    Source: 6 item 26.
    """
    beat(running)
    intent_id = running.rest(5)
    order_id = running.order(intent_id).order_id
    running.wait(12)
    push = facts.OrderPushed(
        order_id=order_id, kind="CANCELLATION", status="CANCELED", matched=None
    )
    running.say(push)
    beat(running, accepted=False)
    beat(running)
    assert {type(command) for command in running.said} >= {ReadTrades, ReadOpenOrders}
    read(running)
    running.say(order.ReadClosed(intent_id=intent_id, matched=shares(0), outcome="cancelled"))
    fresh(running, 0.1)

    assert running.order(intent_id).state == "cancelled"
    assert running.state.counters.get("impossible", 0) == 0
    assert running.noticed("stranger") == running.noticed("orphan") == 0
    assert running.want(5, 39)


def test_a_pulse_that_never_was_lets_nothing_out(running: Script) -> None:
    """A beat whose answer was lost may have armed the switch."""
    beat(running, accepted=False)
    assert running.want(5) is None
    assert running.state.counters["refused:venue"] == 1
    beat(running)

    assert running.want(5)
    assert not running.of(ReadOpenOrders)  # nothing had lapsed


def test_a_new_process_begins_a_new_pulse(running: Script) -> None:
    beat(running)
    running.say(facts.Started(epoch=2, config=RULED))

    assert leave.silent(running.state) == ""
    assert mode(running) == "unknown"


# The clock.


@pytest.mark.parametrize(
    ("low_ms", "high_ms", "good"),
    [
        (-500, 500, True),
        (1_900, 2_900, True),  # it may be within the limit
        (2_001, 3_001, False),
        (-3_001, -2_001, False),
        (-9_000, 9_000, True),  # a slow answer proves little
    ],
)
def test_a_clock_that_is_off_stops_orders(
    running: Script, low_ms: int, high_ms: int, good: bool
) -> None:
    """Beyond the grace that an order's end is given, no end is proven. Source: 2.2."""
    wish = running.want(5)
    running.sign(wish)
    running.say(facts.ClockRead(low_ns=low_ms * NS_MS, high_ns=high_ms * NS_MS))

    assert (running.want(5, 39) is not None) == good
    assert (leave.held(running.state, "i1") == "") == good
    assert running.noticed("clock_off") == (not good)
    running.say(facts.ClockRead(low_ns=0, high_ns=0))
    assert running.noticed("clock_good") == (not good)
    assert running.want(5, 38)


# Versions and ticks.


def test_another_protocol_stops_everything_until_a_person_looks(running: Script) -> None:
    """Source: 6 item 24."""
    running.say(facts.VersionRead(version=2))
    assert running.want(5)
    running.say(facts.VersionRead(version=3))
    assert running.want(5, 39) is None
    running.say(facts.VersionRead(version=2))
    assert running.want(5, 39) is None
    breaker = running.state.breakers["version"]

    assert (breaker.state, breaker.reason) == (
        "latched", "the venue speaks version 3, we speak 2"
    )  # fmt: skip
    running.say(facts.ResetRequested(breaker="version", actor="operator", reason="updated"))
    assert running.want(5, 39)


@pytest.mark.parametrize("words", ["order_version_mismatch", "invalid order version, please use"])
def test_a_refusal_for_the_version_is_the_last_order(running: Script, words: str) -> None:
    wish = running.want(5)
    running.sign(wish)
    assert wish
    running.say(order.Reject(intent_id=wish.intent_id, reason=f"400 {words}"))

    assert running.state.breakers["version"].state == "latched"
    assert running.want(5, 39) is None


def test_a_market_of_an_unknown_version_is_not_traded() -> None:
    """An order for it would be signed for nobody. Source: 0.1."""
    script = Script(config=RULED, market=evolve(MARKET, version="v3")).start()
    opened(script)
    script.quote()

    assert script.want() is None
    assert script.state.counters["refused:version"] == 1


def test_an_order_of_an_old_tick_is_not_sent(running: Script) -> None:
    """Signed, or already waiting for its turn, when the tick changed. Source: 3.4, 6 item 18."""
    waiting = running.want(5, 40.5) or running.want(5, 41)
    running.sign(waiting)
    running.say(facts.TickSizeChanged(condition_id="0xc1", token_id="1001", tick=Price(1_000)))
    fine = running.want(5, 40.5)
    assert fine
    running.say(facts.TickSizeChanged(condition_id="0xc1", token_id="1001", tick=cents(1)))
    running.say(order.Sign(intent_id=fine.intent_id, order_id="0xfine", payload="{}"))

    assert not running.of(PostOrder)
    assert running.order(fine.intent_id).reason.startswith("not sent: price 405000 breaks the tick")
    running.say(facts.TickSizeChanged(condition_id="0xc1", token_id="1001", tick=cents(10)))
    assert waiting
    assert "breaks the tick 100000" in leave.held(running.state, waiting.intent_id)


def test_a_whole_book_tells_a_tick_whose_change_was_missed(running: Script) -> None:
    """And no list of markets, which is older, takes it back."""
    running.now_ns += SECOND_NS
    fine = evolve(MARKET, tick=Price(1_000))
    for token in MARKET.tokens:
        running.say(
            snapshot(fine, token, (), ((cents(60), shares(5)),), running.now_ns, tick="0.001")
        )
    assert running.state.markets["0xc1"].tick == 1_000
    assert running.state.books["0xc1"].tick == "0.001"
    running.say(facts.MarketListed(market=evolve(MARKET, question="Really?")))

    assert running.state.markets["0xc1"].tick == 1_000
    assert running.state.markets["0xc1"].question == "Really?"


def test_sells_ask_for_the_same_leave(script: Script) -> None:
    assert script.want(side=Side.SELL, price=60) is None
    assert script.state.counters["refused:venue"] == 1
    assert not script.of(SignOrder)


# Anything at all.

REQUESTS = ("plain", "post_only", "cancel")
STEPS = st.one_of(
    st.tuples(st.just("answered"), st.sampled_from(REQUESTS), st.integers(0, 3)),
    st.tuples(
        st.just("refused"),
        st.sampled_from(["restarting", "post_only", "cancel_only", "disabled", "odd"]),
        st.integers(0, 3),
    ),
    st.tuples(st.just("silence"), st.just(""), st.integers(0, 3)),
    st.tuples(st.just("read"), st.just(""), st.integers(0, 3)),
    st.tuples(st.just("want"), st.sampled_from(["plain", "post_only"]), st.just(0)),
    st.tuples(st.just("wait"), st.just(""), st.integers(1, 40)),
    st.tuples(st.just("begin"), st.just(""), st.just(0)),
)


@given(st.lists(STEPS, max_size=60), st.sampled_from(["", "plain", "post_only"]))
def test_no_order_ever_leaves_against_the_mode(
    steps: list[tuple[str, str, int]], began: str
) -> None:
    """Whatever is heard in whatever order: in business as allowed, and of probes one a pause.

    Proves: P3.4, faults
    """
    script = Script(config=RULED).start()
    script.quote()
    if began:
        opened(script, began)
    sent, probed_ns = [script.now_ns] * 4, 0
    for kind, what, number in steps:
        before = script.state.mode
        match kind:
            case "answered":
                script.say(answered(script, what, sent[-1 - number]))
            case "refused":
                script.say(refused(script, what, sent[-1 - number]))
            case "silence":
                quiet = {"sent_ns": sent[-1 - number], "at_ns": later(script)}
                script.say(venue_mode.Silence(name="clob", **quiet))
            case "read":
                read(script, sent[-1 - number])
            case "wait":
                fresh(script, number)
                script.say(*script.links(), *(facts.LinkHeard(link=n) for n in ("market", "user")))
                script.quote()
            case "begin":
                script.say(facts.Started(epoch=script.state.epoch + 1, config=RULED))
                script.say(*script.links())
                script.agree()
                script.quote()
            case "want":
                later(script)
                wish = script.want(5, 40, post_only=what == "post_only")
                if wish is None:
                    continue
                script.sign(wish)
                posted = bool(script.of(PostOrder))
                business = venue_mode.may_post(before, what == "post_only")
                if posted and not business:
                    assert venue_mode.may_probe(before, what, script.now_ns)
                    assert (
                        script.now_ns - probed_ns >= before.pause_ns or probed_ns <= before.since_ns
                    )
                    probed_ns = script.now_ns
                if before.state in ("unknown", "restarting", "disabled", "reconciling"):
                    assert not posted
                script.say(order.Reject(intent_id=wish.intent_id, reason="400 of the test"))
        sent.append(later(script))

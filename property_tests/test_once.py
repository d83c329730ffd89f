"""One signal, one order: whatever is lost, refused, repeated, and wherever the engine dies.

Hypothesis plays strategies that never stop wishing, two operators, the network, the venue and
the crash.  The venue is honest about what it has; its answers may be lost, come late or be
taken back.  After every step no threshold has had more than one order that is, or may yet come
to be, at the venue; and no approval has made more than one.
"""

from typing import Any

from attrs import define, evolve
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import precondition as when

from polybawt.core import facts
from polybawt.core.codec import decode, decode_state, encode, encode_state
from polybawt.core.commands import PostOrder
from polybawt.core.kernel import step
from polybawt.core.machines import order
from polybawt.core.machines.order import Order
from polybawt.core.risk import Limits
from polybawt.core.state import Config, State
from polybawt.core.strategies import Intent
from polybawt.core.strategies.value import Value
from polybawt.core.units import SECOND_NS, Price, Shares, Usdc
from tests.core.script import LIMITS, MARKET, NO, YES, Script, cents

WIDE = Usdc(10**12)
ROOMY: Limits = evolve(
    LIMITS, token_exposure_max=WIDE, condition_exposure_max=WIDE, class_exposure_max=WIDE,
    joint_exposure_max=WIDE, total_exposure_max=WIDE, rest_ns_min=0,
)  # fmt: skip
IDLE = {"rest_edge": 10**6, "take_edge": 10**6, "exposure_max": WIDE}
GAME = Config(
    strategies=tuple(Value(name=name, **IDLE) for name in ("plain", "asking")),  # type: ignore[arg-type]
    limits=ROOMY,
    approval_ns=60 * SECOND_NS,
    ask_ns=SECOND_NS,
    declined_ns=2 * SECOND_NS,
)
LONG = evolve(MARKET, end_ns=MARKET.end_ns + 10**15, symbol="")
THRESHOLDS = (cents(90), cents(95))
WAYS = (
    "lost", "refused", "live", "late", "untrue", "stopped", "delayed", "matched", "unsigned",
    "queued",
)  # fmt: skip


@define
class Sent:
    """One order as the venue sees it. ``fate``: queued, sent, taken or refused."""

    record: Order
    threshold: Price
    fate: str = "queued"
    traded: bool = False

    def may_land(self, now_ns: int) -> bool:
        return self.fate in ("queued", "sent") and now_ns <= self.record.ends_ns


class Once(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.script = Script(config=GAME, market=LONG)
        self.sent: dict[str, Sent] = {}

    @initialize()
    def begin(self) -> None:
        self.script.start()
        self.refresh()

    @property
    def state(self) -> State:
        return self.script.state

    def refresh(self) -> None:
        """The streams are up and the book is as it was."""
        self.script.say(*self.script.links())
        self.script.quote()
        self.script.agree()
        self.script.quote()

    def say(self, *told: Any) -> None:
        """Tell facts; what is to be posted waits in the shell."""
        for fact in told:
            self.script.say(fact)
            for post in self.script.of(PostOrder):
                record = self.state.orders[post.intent_id]
                threshold = self.state.claims[post.intent_id]
                assert post.intent_id not in self.sent  # an order is sent once
                self.sent[post.intent_id] = Sent(record, threshold)

    # Strategies and operators.

    @rule(
        token=st.sampled_from((YES, NO)),
        threshold=st.sampled_from(THRESHOLDS),
        ask=st.booleans(),
        way=st.sampled_from(WAYS),
    )
    def wish(self, token: str, threshold: Price, ask: bool, way: str) -> None:
        self.refresh()
        made = self.script.want(
            5, 30, token_id=token, threshold=threshold, approval=ask, lifetime_s=5,
            strategy="asking" if ask else "plain",
        )  # fmt: skip
        if made:
            self.go(way)

    @when(lambda self: self.state.approvals)
    @rule(draw=st.data(), approves=st.booleans(), same=st.booleans(), way=st.sampled_from(WAYS))
    def click(self, draw: st.DataObject, approves: bool, same: bool, way: str) -> None:
        self.refresh()
        asked = draw.draw(st.sampled_from(sorted(self.state.approvals)))
        terms = self.state.approvals[asked].terms if same else "other terms"
        before = self.state.intents_made
        if approves:
            self.say(facts.ApproveRequested(approval_id=asked, actor="ann", terms=terms))
        else:
            self.say(facts.DeclineRequested(approval_id=asked, actor="bob", reason="no"))
        assert self.state.intents_made - before <= (approves and same)
        if self.state.intents_made > before:
            self.go(way)

    # The shell.

    @rule(way=st.sampled_from(WAYS))
    def go(self, way: str) -> None:
        """What is under way goes on: all the way, or it stays where its way ends."""
        if way == "unsigned":
            return
        for made in [o for o in self.state.orders.values() if o.state == "intent"]:
            self.sign(made)
        for intent_id in [key for key, sent in self.sent.items() if sent.fate == "queued"]:
            if way != "queued":
                self.leave(intent_id, stopped=way == "stopped")
        for intent_id in [key for key, sent in self.sent.items() if sent.fate == "sent"]:
            self.arrive(intent_id, way)

    def sign(self, made: Order) -> None:
        identity = f"0xid-{made.intent_id}"
        self.say(order.Sign(intent_id=made.intent_id, order_id=identity, payload="{}"))

    def leave(self, intent_id: str, *, stopped: bool) -> None:
        """It goes out; or our own last check stops it."""
        self.sent[intent_id].fate = "refused" if stopped else "sent"
        if stopped:
            self.say(order.Reject(intent_id=intent_id, reason="not sent: kill switch"))

    @rule(from_snapshot=st.booleans())
    def crash(self, from_snapshot: bool) -> None:
        """What was to be sent is not; what is known is what the journal holds."""
        for sent in self.sent.values():
            sent.fate = "refused" if sent.fate == "queued" else sent.fate
        again = State()
        for fact in self.script.heard:
            step(again, fact if isinstance(fact, Intent) else decode(*encode(fact)))
        kept = decode_state(encode_state(self.state))
        assert kept == again == self.state
        self.script.state = kept if from_snapshot else again
        self.say(facts.Started(epoch=self.state.epoch + 1, config=GAME))
        self.refresh()
        self.look_all()

    # The venue and the network.

    def arrive(self, intent_id: str, way: str) -> None:
        sent = self.sent[intent_id]
        if way == "lost" or not sent.may_land(self.script.now_ns):
            self.say(order.Timeout(intent_id=intent_id, reason="no answer"))
            return  # it may arrive yet, while it lives
        sent.fate = "refused" if way == "refused" else "taken"
        if way == "live":
            self.say(order.AckLive(intent_id=intent_id))
        elif way == "delayed":
            self.say(order.AckDelayed(intent_id=intent_id))
        elif way == "matched":
            self.trade(intent_id)
        elif way == "late":
            self.say(order.Timeout(intent_id=intent_id, reason="no answer"))
        else:
            self.say(order.Reject(intent_id=intent_id, reason="400 no"))
        if way == "untrue":
            self.trade(intent_id)

    def trade(self, intent_id: str) -> None:
        sent = self.sent[intent_id]
        if sent.traded or intent_id not in self.state.orders:
            return
        sent.traded = True
        tells = self.script.trade(5, 30, trade_id=f"t-{intent_id}", intent_id=intent_id)
        self.say(tells, evolve(tells, status="CONFIRMED"))

    @when(lambda self: any(s.fate == "taken" for s in self.sent.values()))
    @rule(draw=st.data(), traded=st.booleans())
    def push(self, draw: st.DataObject, traded: bool) -> None:
        """The user channel about what the venue has."""
        taken = sorted(key for key, sent in self.sent.items() if sent.fate == "taken")
        intent_id = draw.draw(st.sampled_from(taken))
        if traded:
            self.trade(intent_id)
            return
        identity = self.sent[intent_id].record.order_id
        self.say(
            facts.OrderPushed(order_id=identity, kind="PLACEMENT", status="LIVE", matched=None)
        )

    @rule()
    def look_all(self) -> None:
        """Every order is read, and the venue says what is."""
        for intent_id, sent in self.sent.items():
            if intent_id in self.state.orders:
                self.say(self.record_of(intent_id, sent))

    def record_of(self, intent_id: str, sent: Sent) -> order.Action:
        matched = Shares(sent.record.size if sent.traded else 0)
        if sent.fate != "taken":
            return order.ReadMissing(intent_id=intent_id)
        if sent.traded or self.script.now_ns > sent.record.ends_ns:
            ended = "cancelled" if sent.traded else "expired"
            return order.ReadClosed(intent_id=intent_id, matched=matched, outcome=ended)
        return order.ReadOpen(intent_id=intent_id, matched=matched)

    @rule(seconds=st.sampled_from((0.1, 1, 8, 40, 90)))
    def wait(self, seconds: float) -> None:
        self.script.now_ns += round(seconds * SECOND_NS)
        self.look_all()
        self.say(facts.Tick())
        self.refresh()

    # What always holds.

    @invariant()
    def every_threshold_has_had_one_order_at_most(self) -> None:
        now = self.script.now_ns
        for threshold in THRESHOLDS:
            of_it = [sent for sent in self.sent.values() if sent.threshold == threshold]
            alive = [s for s in of_it if s.fate == "taken" or s.may_land(now)]
            assert len(alive) <= 1, of_it

    @invariant()
    def both_records_are_held_by_one_order_that_is_there(self) -> None:
        """A claim's holder may live, and what has fired was accepted."""
        for held in self.state.triggers.values():
            pair = [t for t in self.state.triggers.values() if t.threshold == held.threshold]
            assert len(pair) == 2
            assert len({(t.state, t.intent_id) for t in pair}) == 1
            sent = self.sent.get(held.intent_id)
            if held.state == "fired":
                assert sent is not None
                assert sent.fate == "taken"
            else:
                assert self.state.claims[held.intent_id] == held.threshold

    @invariant()
    def an_approval_made_one_order_at_most(self) -> None:
        used = self.state.counters.get("approval:used", 0)
        made = {o.intent_id for o in self.state.orders.values() if o.strategy == "asking"}
        made |= {key for key, sent in self.sent.items() if sent.record.strategy == "asking"}
        assert len(made) <= used


TestOnce = Once.TestCase

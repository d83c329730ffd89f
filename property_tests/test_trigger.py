"""``TriggerMachine`` over the tokens of one condition; orders get lost and processes crash."""

from itertools import product

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import precondition as when

from polybawt.core.machine import IllegalAction
from polybawt.core.machines import trigger as t
from polybawt.core.units import Price
from property_tests.mirror import edge_or_illegal, mirrored

THRESHOLD = Price(900_000)
DEAD = ("refused", "void")

tokens = st.sampled_from(["up", "down"])


class TriggerLife(RuleBasedStateMachine):
    @initialize(story=st.sampled_from(["", "failed", "fired"]))
    def init(self, story: str) -> None:
        self.records = {
            key: t.Trigger(scope=scope, subject=key, threshold=THRESHOLD)
            for key, scope in (("up", "token"), ("down", "token"), ("both", "condition"))
        }
        self.order: dict[str, str] = {}
        self.signal: dict[str, str] = {}
        self.now_ns = 0
        if story:  # one try has failed, and may be told to have failed for ever
            self.claim("up")
            self.order["i-1"] = "refused"
            self.step(t.Release, "i-1")
        if story == "fired":  # and the next one has not
            self.claim("up")
            self.order["i-2"] = "live"
            self.step(t.Fire, "i-2")

    def step(self, kind: type[t.Action], intent: str, token: str = "") -> None:
        token = token or self.signal[intent]
        self.now_ns += 1
        before = dict(self.records)
        more = {"reason": "refused"} if kind is t.Release else {}
        action = kind(
            at_ns=self.now_ns, token_id=token, condition_id="both", threshold=THRESHOLD,
            intent_id=intent, **more,
        )  # fmt: skip
        pair = t.together(before[token], before["both"], action)
        self.records |= {token: pair[0], "both": pair[1]}
        for key, record in before.items():
            if record.state == "fired":
                assert self.records[key] == record
            if record.state == "claimed" and self.records[key].state == "armed":
                assert self.order[record.intent_id] in DEAD

    def intent(self, data: st.DataObject, *fates: str) -> str:
        """Any order that met one of these fates; "" when there is none."""
        found = sorted(i for i, fate in self.order.items() if fate in fates or not fates)
        return data.draw(st.sampled_from(found)) if found else ""

    # The machine.

    @rule(token=tokens)
    def claim(self, token: str) -> None:
        """Whoever sees the signal asks first; who does not is refused."""
        intent = f"i-{len(self.order) + 1}"
        free = self.records[token].state == self.records["both"].state == "armed"
        try:
            self.step(t.Claim, intent, token)
        except IllegalAction:
            assert not free
            return
        assert free
        self.order[intent], self.signal[intent] = "queued", token

    @when(lambda s: s.order)
    @rule(data=st.data())
    def unanswered(self, data: st.DataObject) -> None:
        before = dict(self.records)
        self.step(t.Unanswered, self.intent(data))
        assert self.records == before

    @when(lambda s: "live" in s.order.values())
    @rule(data=st.data())
    def fire(self, data: st.DataObject) -> None:
        self.step(t.Fire, self.intent(data, "live"))

    @when(lambda s: set(DEAD) & set(s.order.values()))
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        self.step(t.Release, self.intent(data, *DEAD))

    # The world.

    def moves(self, data: st.DataObject, to: str, *fates: str) -> None:
        if intent := self.intent(data, *fates):
            self.order[intent] = to

    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        self.moves(data, "sent", "queued")

    @rule()
    def crash(self) -> None:
        for intent, fate in self.order.items():
            self.order[intent] = "dropped" if fate == "queued" else fate

    @rule(data=st.data())
    def take(self, data: st.DataObject) -> None:
        self.moves(data, "live", "sent")

    @rule(data=st.data())
    def refuse(self, data: st.DataObject) -> None:
        self.moves(data, "refused", "queued", "sent")

    @rule(data=st.data())
    def expire(self, data: st.DataObject) -> None:
        self.moves(data, "void", "sent", "dropped")

    # What must always hold.

    @property
    def alive(self) -> list[str]:
        return [intent for intent, fate in self.order.items() if fate not in DEAD]

    @invariant()
    def once_per_token(self) -> None:
        for token in ("up", "down"):
            assert sum(self.signal[intent] == token for intent in self.alive) <= 1

    @invariant()
    def once_per_condition(self) -> None:
        assert len(self.alive) <= 1

    @invariant()
    def fired_is_accepted(self) -> None:
        for record in self.records.values():
            if record.state == "fired":
                assert self.order[record.intent_id] == "live"

    @invariant()
    def alive_holds(self) -> None:
        for intent in self.alive:
            for key in (self.signal[intent], "both"):
                assert self.records[key].intent_id == intent

    @invariant()
    def armed_is_free(self) -> None:
        for record in self.records.values():
            assert (record.state == "armed") == (record.intent_id == "")

    @invariant()
    def pairs_move_together(self) -> None:
        both = self.records["both"]
        held = [self.records[token] for token in ("up", "down")]
        held = [record for record in held if record.state != "armed"]
        assert len(held) == (both.state != "armed")
        for record in held:
            assert (record.state, record.intent_id) == (both.state, both.intent_id)

    @invariant()
    def orders_have_signals(self) -> None:
        assert self.order.keys() == self.signal.keys()

    @invariant()
    def heard_is_true(self) -> None:
        """What we can tell to be untrue of an order is refused."""
        held = self.records["both"].intent_id
        for intent, token in product(self.order, ("up", "down")):
            if token != self.signal[intent] or intent != held:
                with pytest.raises(IllegalAction):
                    self.step(t.Fire, intent, token)
            if token != self.signal[intent] and intent == held:
                with pytest.raises(IllegalAction):
                    self.step(t.Release, intent, token)


TestTriggerLife = TriggerLife.TestCase


def test_rules_and_invariants_are_those_of_the_specification() -> None:
    mirrored("Trigger", TriggerLife)


@pytest.mark.parametrize("holder", ["", "i-1", "i-2"])
@pytest.mark.parametrize("state", [s.id for s in t.TriggerMachine.states])
def test_every_action_in_every_state_is_an_edge_or_illegal(state: str, holder: str) -> None:
    record = t.Trigger(
        scope="token", subject="up", threshold=THRESHOLD, state=state, intent_id=holder
    )
    for kind in (t.Claim, t.Unanswered, t.Fire, t.Release):
        more = {"reason": "x"} if kind is t.Release else {}
        action = kind(
            token_id="up", condition_id="both", threshold=THRESHOLD, intent_id="i-1", **more
        )
        edge_or_illegal(t.TriggerMachine, record, action)

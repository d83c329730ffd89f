"""``VenueModeMachine`` before a venue that changes its mode at will, over a network and a clock."""

import pytest
from attrs import evolve, frozen
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import precondition as when

from polybawt.core.machines import venue_mode as v
from property_tests.mirror import edge_or_illegal, mirrored

MODES = ("disabled", "restarting", "cancel_only", "post_only", "running")
LEVEL = {"disabled": 0, "restarting": 0, "cancel_only": 1, "post_only": 2, "running": 3}
NEEDS = {"plain": 3, "post_only": 2, "cancel": 1}
REFUSING = MODES[:-1]
FLYING_MAX = 6
SHUT = ("unknown", "restarting", "disabled", "reconciling")
NEW = v.VenueMode(name="clob", pause_ns=10, pause_ns_max=40)


@frozen
class Request:
    """``said``: "" while nothing is; took, a mode's name, lost, or what a read is worth."""

    kind: str
    sent_ns: int
    said: str = ""


class VenueModeLife(RuleBasedStateMachine):
    @initialize(silences_max=st.integers(1, 4), opened=st.sampled_from(["", "plain", "post_only"]))
    def init(self, silences_max: int, opened: str) -> None:
        self.mode = evolve(NEW, silences_max=silences_max)
        self.venue, self.best, self.settled = "running", LEVEL["running"], False
        self.flight: list[Request] = []
        self.now_ns, self.probed_ns = 1, -NEW.pause_ns
        if opened:  # most of life is lived in a venue that takes orders
            self.step(v.Answered(name="clob", request="cancel", sent_ns=1))
            self.step(v.Reconciled(name="clob", sent_ns=2))
            self.step(v.Answered(name="clob", request=opened, sent_ns=3))
            self.settled = True

    def step(self, action: v.Action) -> None:
        """What the machine made of it; and what is known of the world from then on."""
        before = self.mode
        action = evolve(action, at_ns=self.now_ns)
        self.mode, outputs = v.VenueModeMachine.step(before, action)
        assert outputs == () or isinstance(action, v.Probe)
        news = isinstance(action, v.Begin) or self.mode.since_ns > before.since_ns
        if news and isinstance(action, v.Begin | v.Refused | v.Silence):
            self.best = LEVEL[self.venue]
            self.settled = self.settled and self.mode.state not in SHUT
        assert self.mode.next_ns <= self.now_ns + v.RETRY_NS_MAX

    def fresh(self, *kinds: str) -> list[Request]:
        """What was sent since the last news."""
        return [r for r in self.flight if r.kind in kinds and r.sent_ns > self.mode.since_ns]

    def heard(self, data: st.DataObject, *said: str) -> Request:
        """Some request of which this was said, in any order; it is in flight no more."""
        request = data.draw(st.sampled_from([r for r in self.flight if r.said in said]))
        self.flight.remove(request)
        return request

    def any_said(self, *said: str) -> bool:
        return any(r.said in said for r in self.flight)

    def may_probe(self) -> list[str]:
        return [r for r in (*NEEDS, "read") if v.may_probe(self.mode, r, self.now_ns)]

    def about(self, request: Request) -> dict[str, object]:
        return {"name": "clob", "sent_ns": request.sent_ns}

    def late(self, request: Request, action: v.Action) -> None:
        """Hear it; what was sent before the last news changes nothing at all."""
        before = self.mode
        self.step(action)
        if request.sent_ns <= before.since_ns:
            assert self.mode == before

    # The machine.

    @rule(often=st.integers(0, 19))
    def begin(self, often: int) -> None:
        if often == 13:
            self.flight.clear()  # answers to the process before reach nobody
            self.step(v.Begin(name="clob"))

    @when(lambda s: len(s.flight) < FLYING_MAX)
    @rule(data=st.data())
    def issue(self, data: st.DataObject) -> None:
        """The kernel asks ``may_post`` and ``may_cancel``, and does what they say."""
        may = {
            "plain": v.may_post(self.mode, post_only=False),
            "post_only": v.may_post(self.mode, post_only=True),
            "cancel": v.may_cancel(self.mode),
        }
        request = data.draw(st.sampled_from([request for request in may if may[request]]))
        assert request == "cancel" or self.mode.state in (request, "running")
        self.step(v.Issue(name="clob", request=request))
        self.flight.append(Request(request, self.now_ns))

    @when(lambda s: s.may_probe())
    @rule(data=st.data())
    def probe(self, data: st.DataObject) -> None:
        request = data.draw(st.sampled_from(self.may_probe()))
        self.step(v.Probe(name="clob", request=request))
        assert self.now_ns - self.probed_ns >= NEW.pause_ns or self.mode.probes == 1
        self.probed_ns = self.now_ns
        self.flight.append(Request(request, self.now_ns))
        assert not v.may_probe(self.mode, request, self.now_ns + NEW.pause_ns - 1)

    @when(lambda s: s.any_said("took"))
    @rule(data=st.data())
    def answered(self, data: st.DataObject) -> None:
        request = self.heard(data, "took")
        self.late(request, v.Answered(**self.about(request), request=request.kind))

    @when(lambda s: s.any_said(*REFUSING))
    @rule(data=st.data(), retry_ns=st.integers(-5, 60) | st.just(10**13))
    def refused(self, data: st.DataObject, retry_ns: int) -> None:
        request = self.heard(data, *REFUSING)
        new = request.sent_ns > self.mode.since_ns
        told = v.Refused(**self.about(request), mode=request.said, retry_ns=retry_ns)
        self.late(request, told)
        assert not new or self.mode.state == request.said

    @when(lambda s: s.any_said("lost"))
    @rule(data=st.data())
    def silence(self, data: st.DataObject) -> None:
        request = self.heard(data, "lost")
        self.late(request, v.Silence(**self.about(request)))

    @when(lambda s: s.any_said("whole", "early"))
    @rule(data=st.data())
    def reconciled(self, data: st.DataObject) -> None:
        request, before = self.heard(data, "whole", "early"), self.mode.state
        self.late(request, v.Reconciled(**self.about(request)))
        if self.mode.state != before:
            self.settled = request.said == "whole"

    # The world.

    @rule(venue=st.sampled_from(MODES), often=st.integers(0, 3))
    def turn(self, venue: str, often: int) -> None:
        if often == 3:
            self.venue, self.best = venue, max(self.best, LEVEL[venue])

    def said(self, request: Request) -> str:
        if request.kind == "read":
            new = request.sent_ns > self.mode.since_ns
            return "whole" if new and self.best > 0 else "early"
        return "took" if LEVEL[self.venue] >= NEEDS[request.kind] else self.venue

    def look(self, data: st.DataObject, lost: bool) -> None:
        """The one thing that takes time: so much is sent at the very moment of some news."""
        self.now_ns += 1
        n = data.draw(st.sampled_from([n for n, r in enumerate(self.flight) if not r.said]))
        request = self.flight[n]
        self.flight[n] = evolve(request, said="lost" if lost else self.said(request))

    @when(lambda s: s.any_said(""))
    @rule(data=st.data())
    def serve(self, data: st.DataObject) -> None:
        self.look(data, lost=False)

    @when(lambda s: s.any_said(""))
    @rule(data=st.data(), often=st.integers(0, 3))
    def lose(self, data: st.DataObject, often: int) -> None:
        if often == 3:
            self.look(data, lost=True)

    @when(lambda s: s.now_ns < s.mode.next_ns)
    @rule()
    def pass_(self) -> None:
        self.now_ns = self.mode.next_ns

    # What must always hold.

    @invariant()
    def shut_means_shut(self) -> None:
        if self.mode.state in SHUT:
            assert not self.fresh("plain", "post_only")

    @invariant()
    def cancels_always(self) -> None:
        assert v.may_cancel(self.mode)

    @invariant()
    def only_reads_to_reconcile(self) -> None:
        if self.fresh("read"):
            assert self.mode.state == "reconciling"

    @invariant()
    def open_was_open(self) -> None:
        if self.mode.state == "running":
            assert self.best == LEVEL["running"]

    @invariant()
    def up_was_up(self) -> None:
        if self.mode.state in ("reconciling", "reopening"):
            assert self.best > 0

    @invariant()
    def orders_after_reading(self) -> None:
        if self.mode.state not in SHUT:
            assert self.settled

    @invariant()
    def reading_comes_first(self) -> None:
        if self.mode.state in SHUT:
            assert not self.settled

    @invariant()
    def counted_while_trading(self) -> None:
        if self.mode.silences:
            assert self.mode.state in ("running", "post_only")
            assert self.mode.silences < self.mode.silences_max


TestVenueModeLife = VenueModeLife.TestCase


def test_rules_and_invariants_are_those_of_the_specification() -> None:
    mirrored("VenueMode", VenueModeLife)


@pytest.mark.parametrize("at_ns", [49, 50, 60])
@pytest.mark.parametrize("state", [s.id for s in v.VenueModeMachine.states])
def test_every_action_in_every_state_is_an_edge_or_illegal(state: str, at_ns: int) -> None:
    mode = evolve(NEW, state=state, since_ns=30, next_ns=50, silences=1)
    for sent_ns in (30, 31):
        for action in (
            v.Begin(at_ns=at_ns, name="clob"),
            *(v.Issue(at_ns=at_ns, name="clob", request=request) for request in NEEDS),
            *(v.Probe(at_ns=at_ns, name="clob", request=r) for r in (*NEEDS, "read")),
            *(v.Answered(name="clob", request=r, sent_ns=sent_ns) for r in (*NEEDS, "x")),
            *(v.Refused(name="clob", mode=m, sent_ns=sent_ns) for m in (*MODES, "x")),
            v.Silence(name="clob", sent_ns=sent_ns),
            v.Reconciled(name="clob", sent_ns=sent_ns),
        ):
            edge_or_illegal(v.VenueModeMachine, mode, action)

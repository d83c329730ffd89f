"""Lives of a venue's mode: left on evidence alone, and evidence is as old as its request."""

from typing import Final

import pytest
from attrs import evolve

from polybawt.core.machine import IllegalAction
from polybawt.core.machines.venue_mode import (
    RETRY_NS_MAX,
    Action,
    Answered,
    Begin,
    Issue,
    Probe,
    Probing,
    Reconciled,
    Refused,
    Silence,
    VenueMode,
    VenueModeMachine,
    may_cancel,
    may_post,
    may_probe,
)  # fmt: skip

S: Final = 10**9
NEW = VenueMode(name="clob", silences_max=3, pause_ns=8 * S, pause_ns_max=32 * S)


def probe(request: str, at_s: int) -> Probe:
    return Probe(at_ns=at_s * S, name="clob", request=request)


def answered(request: str, sent_s: int, at_s: int) -> Answered:
    return Answered(at_ns=at_s * S, name="clob", request=request, sent_ns=sent_s * S)


def refused(mode: str, sent_s: int, at_s: int, retry_s: int = 0) -> Refused:
    return Refused(at_ns=at_s * S, name="clob", mode=mode, sent_ns=sent_s * S, retry_ns=retry_s * S)


def silence(sent_s: int, at_s: int) -> Silence:
    return Silence(at_ns=at_s * S, name="clob", sent_ns=sent_s * S)


def reconciled(sent_s: int, at_s: int) -> Reconciled:
    return Reconciled(at_ns=at_s * S, name="clob", sent_ns=sent_s * S)


UP = (answered("cancel", 1, 2),)
READ = (*UP, reconciled(3, 4))
OPEN = (*READ, answered("plain", 5, 6))
STATES: dict[str, tuple[Action, ...]] = {
    "unknown": (),
    "reconciling": UP,
    "reopening": READ,
    "running": OPEN,
    "post_only": (*OPEN, refused("post_only", 9, 10)),
    "cancel_only": (*OPEN, refused("cancel_only", 9, 10)),
    "restarting": (*OPEN, refused("restarting", 9, 10)),
    "disabled": (*OPEN, refused("disabled", 9, 10)),
}
each_state = pytest.mark.parametrize("state", STATES)


def after(*actions: Action) -> VenueMode:
    mode = NEW
    for action in actions:
        mode, _ = VenueModeMachine.step(mode, action)
    return mode


@each_state
def test_each_state_is_reached_by_its_story(state: str) -> None:
    assert state == after(*STATES[state]).state


@each_state
def test_cancels_are_never_held_back(state: str) -> None:
    """The worst that a cancel can meet is the refusal we know already."""
    assert may_cancel(after(*STATES[state]))


@each_state
def test_orders_leave_only_where_they_are_taken(state: str) -> None:
    """Proves: reference 6 item 5."""
    mode = after(*STATES[state])

    assert may_post(mode, post_only=False) == (state == "running")
    assert may_post(mode, post_only=True) == (state in ("running", "post_only"))


def test_a_restart_is_left_in_four_steps() -> None:
    """A cancel is answered, our orders are read, one order goes first; then we run."""
    mode = after(*STATES["restarting"])
    told = []
    for action in (
        probe("cancel", 18), answered("cancel", 18, 19), probe("read", 20), reconciled(20, 21),
        probe("plain", 22), answered("plain", 22, 23),
    ):  # fmt: skip
        mode, outputs = VenueModeMachine.step(mode, action)
        told += [(mode.state, *(o.request for o in outputs if isinstance(o, Probing)))]

    assert told == [
        ("restarting", "cancel"), ("reconciling",), ("reconciling", "read"), ("reopening",),
        ("reopening", "plain"), ("running",),
    ]  # fmt: skip


@pytest.mark.parametrize("state", ["unknown", "restarting", "disabled"])
def test_after_an_outage_our_orders_are_read_before_new_ones_leave(state: str) -> None:
    """Whether an order survives a restart is unknown (reference 9)."""
    mode = after(*STATES[state], answered("cancel", 11, 12))

    assert mode.state == "reconciling"
    assert not any(may_probe(mode, request, 10**12) for request in ("plain", "post_only"))


def test_a_read_that_was_sent_during_the_outage_does_not_count() -> None:
    """It may show the book as it was before."""
    mode = after(*STATES["restarting"], answered("cancel", 11, 14))

    assert mode == VenueModeMachine.step(mode, reconciled(13, 15))[0]


@each_state
@pytest.mark.parametrize("request_", ["plain", "post_only", "cancel"])
def test_an_answer_to_what_was_sent_before_the_news_decides_nothing(
    state: str, request_: str
) -> None:
    """The order had left before the engine restarted; it was accepted; that is over."""
    mode = after(*STATES[state])
    late = answered(request_, mode.since_ns // S, 99)

    assert mode == VenueModeMachine.step(mode, late)[0]


@each_state
@pytest.mark.parametrize("named", ["restarting", "disabled", "cancel_only", "post_only"])
def test_a_refusal_of_what_was_sent_before_the_news_decides_nothing(state: str, named: str) -> None:
    mode = after(*STATES[state])

    assert mode == VenueModeMachine.step(mode, refused(named, mode.since_ns // S, 99))[0]


def test_of_two_orders_that_met_a_restart_the_accepted_one_does_not_reopen() -> None:
    """Both left while we thought it ran; the refusal came first."""
    mode = after(*OPEN, refused("restarting", 8, 10), answered("plain", 7, 11))

    assert mode.state == "restarting"


@each_state
@pytest.mark.parametrize("named", ["restarting", "disabled"])
def test_a_restart_or_halt_is_believed_everywhere(state: str, named: str) -> None:
    assert named == after(*STATES[state], refused(named, 11, 12)).state


@pytest.mark.parametrize("state", ["unknown", "restarting", "disabled", "reconciling"])
@pytest.mark.parametrize("named", ["cancel_only", "post_only", "nonsense"])
def test_words_that_do_not_fit_change_nothing(state: str, named: str) -> None:
    """No order is out in these states, so nobody can have been told so of one."""
    mode = after(*STATES[state])

    assert mode == VenueModeMachine.step(mode, refused(named, 11, 12))[0]


def test_a_post_only_order_that_rests_proves_no_more_than_that() -> None:
    mode = after(*READ, probe("post_only", 5), answered("post_only", 5, 6))

    assert mode.state == "post_only"
    assert not may_probe(mode, "plain", 13 * S)
    assert may_probe(mode, "plain", 14 * S)


def test_a_probe_in_post_only_is_an_order_that_takes() -> None:
    mode = after(*STATES["post_only"])

    assert [r for r in ("plain", "post_only", "cancel", "read") if may_probe(mode, r, 99 * S)] == [
        "plain"
    ]


@each_state
def test_every_state_but_running_has_its_probe(state: str) -> None:
    """Or it could only be left by luck."""
    mode = after(*STATES[state])
    found = {r for r in ("plain", "post_only", "cancel", "read") if may_probe(mode, r, 99 * S)}

    wanted = {
        "running": set(), "reconciling": {"read"}, "post_only": {"plain"},
        "reopening": {"plain", "post_only"}, "cancel_only": {"plain", "post_only"},
    }.get(state, {"cancel"})  # fmt: skip
    assert found == wanted


def test_probes_are_spaced_by_a_pause_that_doubles_up_to_its_limit() -> None:
    """No storm of requests on a venue that is down."""
    mode, at_ns, waits = after(*STATES["restarting"]), 18 * S, []
    for _ in range(5):
        mode, _ = VenueModeMachine.step(mode, Probe(at_ns=at_ns, name="clob", request="cancel"))
        waits.append((mode.next_ns - at_ns) // S)
        assert not may_probe(mode, "cancel", mode.next_ns - 1)
        at_ns = mode.next_ns

    assert waits == [8, 16, 32, 32, 32]


@pytest.mark.parametrize(("retry_s", "wait_s"), [(0, 8), (3, 8), (79, 79), (10**9, 600)])
def test_the_venues_advice_is_followed_within_bounds(retry_s: int, wait_s: int) -> None:
    """Its ``retry_after_seconds`` counts down the 120 s of post-only (reference 1.14)."""
    mode = after(*OPEN, refused("post_only", 9, 10, retry_s))

    assert RETRY_NS_MAX == 600 * S
    assert mode.next_ns == (10 + wait_s) * S


def test_good_news_ends_the_doubling() -> None:
    mode = after(
        *STATES["restarting"], probe("cancel", 18), probe("cancel", 26), answered("cancel", 26, 30)
    )

    assert (mode.probes, mode.next_ns) == (0, 30 * S)


def test_silence_proves_nothing_until_it_is_too_much() -> None:
    """Then we do not know, which is worse than any mode we know."""
    mode = after(*OPEN, silence(7, 12), silence(8, 13))
    assert (mode.state, mode.silences) == ("running", 2)

    lost = VenueModeMachine.step(mode, silence(9, 14))[0]
    assert (lost.state, lost.silences, lost.reason) == ("unknown", 0, "silence")


def test_an_answer_ends_the_count_of_silences() -> None:
    mode = after(*OPEN, silence(7, 12), silence(8, 13), answered("cancel", 9, 14), silence(9, 15))

    assert (mode.state, mode.silences) == ("running", 1)


@pytest.mark.parametrize(
    "state", ["unknown", "restarting", "disabled", "cancel_only", "reconciling", "reopening"]
)
def test_silence_reopens_nothing_and_closes_nothing_more(state: str) -> None:
    mode = after(*STATES[state])

    assert mode == VenueModeMachine.step(mode, silence(11, 16))[0]


@each_state
def test_a_new_process_knows_nothing(state: str) -> None:
    """The venue may have restarted twice while we were away."""
    mode = after(*STATES[state], Begin(at_ns=50 * S, name="clob"))

    assert (mode.state, mode.since_ns, mode.reason) == ("unknown", 50 * S, "start")
    assert may_probe(mode, "cancel", 50 * S)


@pytest.mark.parametrize("request_", ["plain", "post_only"])
@pytest.mark.parametrize("state", ["unknown", "restarting", "disabled", "reconciling"])
def test_an_order_that_leaves_a_shut_venue_is_our_mistake(state: str, request_: str) -> None:
    with pytest.raises(IllegalAction):
        VenueModeMachine.step(after(*STATES[state]), Issue(name="clob", request=request_))


def test_a_mode_keeps_why_it_is_what_it_is_until_it_is_better() -> None:
    """Operators see the venue's own words, or the mode's name when it had none."""
    told = evolve(refused("post_only", 9, 10), reason="post_only_mode")
    shut = after(*OPEN, told)

    assert shut.reason == "post_only_mode"
    assert after(*OPEN, refused("post_only", 9, 10)).reason == "post_only"
    assert VenueModeMachine.step(shut, answered("plain", 19, 20))[0].reason == ""

"""The breakers' owner: who trips them, who heals them, and what they leave of an order's size.

A breaker's name says whose it is: a word holds for everybody, ``losses.value`` for the strategy
``value`` alone.  Those of the venue and its protocol bar everything; those that stand for our own
losses bar entries and let pass what takes risk off.

Spec: models/Breaker.tla.
"""

from typing import Final

from polybawt.core import facts, marks
from polybawt.core.machine import Outputs
from polybawt.core.machines import breaker
from polybawt.core.machines.breaker import Breaker, BreakerMachine
from polybawt.core.state import State
from polybawt.core.units import MILLION, SECOND_NS

DAILY_LOSS: Final = "daily_loss"
FLATTEN: Final = "flatten"  # an operator wants everything sold
LOSSES: Final = "losses"  # in a row, of one strategy
REJECTS: Final = "rejects"  # by the venue, of one strategy's orders
MINUTE_S: Final = 60
OWN: Final = (DAILY_LOSS, FLATTEN, LOSSES, REJECTS)  # ours to answer for: exits still pass


def trip(state: State, name: str, asked_ns: int, reason: str) -> Outputs:
    """What was asked at ``asked_ns`` failed, or got no answer."""
    failure = breaker.Failure(at_ns=state.now_ns, name=name, asked_ns=asked_ns, reason=reason)
    return turn(state, failure)


def heal(state: State, name: str, asked_ns: int) -> Outputs:
    """What was asked at ``asked_ns`` was answered; where nothing ever failed, that is no news."""
    if name not in state.breakers and "." in name:
        return ()
    return turn(state, breaker.Success(at_ns=state.now_ns, name=name, asked_ns=asked_ns))


def latch(state: State, name: str, actor: str, reason: str) -> Outputs:
    """Shut it until an operator has looked."""
    action = breaker.Latch(at_ns=state.now_ns, name=name, actor=actor, reason=reason[:200])
    return turn(state, action)


def probe(state: State, strategy: str) -> Outputs:
    """An order goes out: for every breaker over it that is half open it is the probe."""
    half_open = [b.name for b in _over(state, strategy) if b.state == "half_open"]
    return tuple(
        output
        for name in half_open
        for output in turn(state, breaker.Probe(at_ns=state.now_ns, name=name))
    )


def cool(state: State) -> Outputs:
    """Time has passed for all of them."""
    outputs: Outputs = ()
    for name in tuple(state.breakers):
        outputs += turn(state, breaker.Cool(at_ns=state.now_ns, name=name))
    return outputs


def turn(state: State, action: breaker.Action) -> Outputs:
    before = state.breakers.get(action.name) or _new(state, action.name)
    if not BreakerMachine.allows(before, action):
        return ()
    after, _ = BreakerMachine.step(before, action)
    state.breakers[action.name] = after
    if after.state == before.state:
        return ()
    text = f"{after.name} is {after.state}: {after.reason}"
    severity = "critical" if after.state in ("open", "latched") else "info"
    return (state.notify(severity, f"breaker_{after.state}", text),)


def _new(state: State, name: str) -> Breaker:
    config, tiers = state.config, state.config.tiers
    most, cool_ns = {
        LOSSES: (tiers.losses_max, tiers.losses_cool_ns),
        REJECTS: (tiers.rejects_max, tiers.rejects_cool_ns),
    }.get(name.partition(".")[0], (config.breaker_failures_max, config.breaker_cool_ns))
    return Breaker(name=name, failures_max=most, cool_ns=cool_ns)


def reset(state: State, request: facts.ResetRequested) -> Outputs:
    """An operator closes one again; a latched one not without a reason."""
    known = state.breakers.get(request.breaker)
    if known is None:
        return (state.notify("warning", "no_breaker", f"no breaker {request.breaker!r}"),)
    if known.state == "latched" and not request.reason.strip():
        text = f"reset of {known.name} by {request.actor[:40]!r} gives no reason"
        return (state.notify("warning", "reset_unexplained", text),)
    if known.name == DAILY_LOSS:
        marks.forgive_today(state)
    return turn(
        state,
        breaker.Reset(
            at_ns=request.at_ns, name=request.breaker, actor=request.actor, reason=request.reason
        ),
    )


# What they leave.


def _over(state: State, strategy: str) -> list[Breaker]:
    """Those of everybody, and a strategy's own."""
    return [b for b in state.breakers.values() if b.name.partition(".")[2] in ("", strategy)]


def barred(state: State) -> str:
    """The breaker that lets nothing at all out now; "" when none does."""
    shut = (b.name for b in state.breakers.values() if b.bars(state.now_ns))
    return next((name for name in shut if name.partition(".")[0] not in OWN), "")


def halted(state: State, strategy: str) -> str:
    """The breaker that lets a strategy take on no risk now; "" when none does."""
    shut = (b.name for b in _over(state, strategy) if b.bars(state.now_ns))
    return next((name for name in shut if name.partition(".")[0] in OWN), "")


def probing(state: State, strategy: str) -> bool:
    """Whether a strategy's next order is the probe of a breaker that is half open."""
    return any(b.state == "half_open" for b in _over(state, strategy))


def scale(state: State) -> int:
    """The part of its usual size that an entry has in the soft tier of a loss, in millionths."""
    tiers, losses = state.config.tiers, marks.look(state)
    soft = tiers.soft_micro
    near = marks.reached(losses.today, losses.of_day, tiers.daily_loss_micro * soft // MILLION)
    near |= marks.reached(losses.drawdown, losses.of_peak, tiers.drawdown_micro * soft // MILLION)
    return tiers.soft_scale_micro if near else MILLION


# Answers of the venue, counted over a rolling minute.


def answered(state: State, bad: bool) -> None:
    """An answer of the venue to an order or a cancel, or the lack of one."""
    counts = state.answers.setdefault(str(state.now_ns // SECOND_NS), [0, 0])
    counts[bad] += 1
    while len(state.answers) > MINUTE_S:
        del state.answers[next(iter(state.answers))]

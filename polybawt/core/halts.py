"""When losses, rows of losses and broken things slow us, halt us, or fire the kill switch.

Everything here is asked by time and answers from what is known; what it does is latch a breaker,
fire the kill, or make orders smaller.  Soft before hard; no limit resets itself.

Source: requirements, section 3 (limits, kill), C2; data-and-quant 5.11.
"""

from typing import Final

from polybawt.core import breakers, exposures, facts, kill, marks
from polybawt.core.machine import Outputs
from polybawt.core.marks import Losses, reached
from polybawt.core.state import State
from polybawt.core.units import MILLION, MS_NS, SECOND_NS, micro_text

ACTOR: Final = "limits"
AWAY: Final = "away:"


def tick(state: State) -> Outputs:
    """Measure, and act on what has been reached."""
    if not state.ledger.deposited or state.killed():
        return ()
    losses = marks.look(state)
    return (
        *_daily_loss(state, losses),
        *_drawdown(state, losses),
        *_disconnected(state),
        *_blind(state),
        *_diverged(state),
        *_failing(state),
    )


def _daily_loss(state: State, losses: Losses) -> Outputs:
    limit = state.config.tiers.daily_loss_micro
    known = state.breakers.get(breakers.DAILY_LOSS)
    if not reached(losses.today, losses.of_day, limit) or (known and known.state == "latched"):
        return ()
    text = f"lost {micro_text(losses.today)} today of {micro_text(losses.of_day)}"
    return (*breakers.latch(state, breakers.DAILY_LOSS, ACTOR, text), *kill.withdraw_all(state))


def _drawdown(state: State, losses: Losses) -> Outputs:
    if not reached(losses.drawdown, losses.of_peak, state.config.tiers.drawdown_micro):
        return ()
    text = f"{micro_text(losses.drawdown)} below the peak of {micro_text(losses.of_peak)}"
    return _kill(state, "drawdown", text)


def _kill(state: State, source: str, reason: str) -> Outputs:
    request = facts.KillRequested(at_ns=state.now_ns, actor=ACTOR, reason=reason, source=source)
    return kill.fire(state, request)


def _disconnected(state: State) -> Outputs:
    """A stream that stays away although something is to come by it."""
    needed = dict.fromkeys(("user", *state.subscribed.values()))
    for timer in [t for t in state.timers if t.startswith(AWAY)]:
        link = timer.removeprefix(AWAY)
        if link not in needed or state.feeds[link].state != "down" or state.phase != "trading":
            del state.timers[timer]
    for link in needed:
        timer = AWAY + link
        if state.feeds[link].state != "down" or state.phase != "trading":
            continue
        away_ns = state.now_ns - state.timers.setdefault(timer, state.now_ns)
        if away_ns >= state.config.tiers.disconnect_ns:
            del state.timers[timer]
            return _kill(state, "disconnect", f"{link} stream away for {away_ns // SECOND_NS} s")
    return ()


def _blind(state: State) -> Outputs:
    """An oracle that we are exposed to has been silent for too long."""
    for symbol in _at_stake(state):
        oracle = state.oracles.get(symbol)
        if oracle is None or not oracle.latest_ms:
            continue
        silent_ns = state.now_ns - oracle.latest_ms * MS_NS
        if silent_ns > state.config.tiers.oracle_dead_ns:
            return _kill(state, "oracle", f"{symbol} silent for {silent_ns // SECOND_NS} s")
    return ()


def _at_stake(state: State) -> set[str]:
    """The symbols of markets that still trade, in which anything of ours can be lost."""
    conditions = {state.market_of.get(token, "") for token in exposures.by_token(state)}
    known = (state.markets[c] for c in conditions if c in state.markets)
    return {m.symbol for m in known if m.symbol and not m.over(state.now_ns)}


def _diverged(state: State) -> Outputs:
    """Oracle and spot disagree: what rests was priced by one of them."""
    outputs: Outputs = ()
    for symbol in _at_stake(state):
        market = next(m for m in state.markets.values() if m.symbol == symbol)
        apart = exposures.divergence_micro(state, market)
        if apart > state.config.limits.divergence_micro_max and state.due(
            f"diverged:{symbol}", state.config.poll_ns
        ):
            text = f"{symbol}: oracle and spot are {apart} millionths apart"
            outputs += (state.notify("critical", "divergence", text), *kill.withdraw_all(state))
    return outputs


def _failing(state: State) -> Outputs:
    tiers, since = state.config.tiers, state.now_ns // SECOND_NS - breakers.MINUTE_S
    recent = [counts for second, counts in state.answers.items() if int(second) > since]
    bad = sum(counts[1] for counts in recent)
    asked = sum(map(sum, recent))
    if asked < tiers.errors_min or bad * MILLION <= asked * tiers.errors_micro:
        return ()
    state.answers.clear()
    return _kill(state, "errors", f"{bad} of {asked} answers in a minute were errors")

"""The kill switch's owner: who fires it, what is withdrawn, and when it is drained.

Firing asks the venue at once for the end of everything, for there may be orders that we do not
know of, and by its id for each that we do.  Until an operator arms it again, time asks again for
what is open, and looks whether anything of ours rests.

Source: exchange reference 1.9; architecture D14.
"""

from typing import Final

from polybawt.core import execution, facts, marks
from polybawt.core.machine import Outputs
from polybawt.core.machines import kill_switch
from polybawt.core.machines.kill_switch import KillSwitchMachine
from polybawt.core.machines.order import RESTING
from polybawt.core.state import State

NAME: Final = "kill"  # by which an operator's reset means this and no breaker
ASK_POLLS: Final = 3  # a cancel is asked for again after that many poll times
SEVERITIES: Final = {"fired": "critical", "drained": "info", "armed": "info"}


def turn(state: State, action: kill_switch.Action) -> Outputs:
    """Step the switch; a change is told."""
    before = state.kill
    state.kill, outputs = KillSwitchMachine.step(before, action)
    after = state.kill.state
    if after == before.state:
        return outputs
    why = state.kill.why or f"{state.kill.actor}: {state.kill.reason}"
    return (state.notify(SEVERITIES[after], f"kill_{after}", f"kill is {after}: {why}"), *outputs)


def fire(state: State, request: facts.KillRequested) -> Outputs:
    """Nothing leaves any more; withdraw everything, all at once and by id."""
    again = bool(state.killed())
    fired = turn(
        state,
        kill_switch.Fire(
            at_ns=state.now_ns, source=request.source, reason=request.reason, actor=request.actor
        ),
    )
    if again:
        return fired
    cancels = [c for o in tuple(state.open_orders()) for c in execution.cancel(state, o.intent_id)]
    return (*fired, *cancels)


def reset(state: State, request: facts.ResetRequested) -> Outputs:
    action = kill_switch.Reset(at_ns=state.now_ns, actor=request.actor, reason=request.reason)
    outputs = turn(state, action)
    if not state.killed():
        marks.forgive_drawdown(state)
    if state.killed():
        text = f"reset of the kill by {request.actor[:40]!r} gives no reason"
        return (*outputs, state.notify("warning", "reset_unexplained", text))
    return outputs


def listed(state: State, resting: bool) -> Outputs:
    """The venue's list of what rests was read: it is drained, or it is not."""
    if not state.killed():
        return ()
    if resting:
        return turn(state, kill_switch.Rest(at_ns=state.now_ns))
    unended = any(state.open_orders())
    drain = kill_switch.Drain(at_ns=state.now_ns, listed=False, unended=unended)
    return turn(state, drain) if KillSwitchMachine.allows(state.kill, drain) else ()


def tick(state: State) -> Outputs:
    """While it is fired the end of what rests is asked for; drained, it still looks."""
    if not state.killed():
        return ()
    outputs = withdraw_all(state)  # what was on its way when the kill came rests by now
    if state.kill.state == "drained" and any(state.open_orders()):
        outputs += turn(state, kill_switch.Rest(at_ns=state.now_ns))
    every_ns = ASK_POLLS * state.config.poll_ns
    ask = kill_switch.Ask(at_ns=state.now_ns, every_ns=every_ns)
    return (*outputs, *(turn(state, ask) if KillSwitchMachine.allows(state.kill, ask) else ()))


def withdraw_all(state: State) -> Outputs:
    """Ask for the end of every order that rests."""
    resting = tuple(o.intent_id for o in state.orders.values() if o.state in RESTING)
    return tuple(output for intent_id in resting for output in execution.cancel(state, intent_id))

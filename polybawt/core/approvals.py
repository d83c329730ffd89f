"""The approvals' owner: what a human is asked, what was answered, and the one try that follows.

A wish that needs an approval passes the whole gate before anybody is asked, and once more when
it was approved: limits may have changed meanwhile.  The terms are text; they are worked out anew
at that moment, and an approval of other terms is void.  Asking is rare: the same wish is not put
again while it waits, right after it ended, or for a while after a no.

Not here: who wishes for what (the strategies) and how a human is shown it (the terminal).

Spec: models/Approval.tla.
"""

from typing import Final

from attrs import evolve

from polybawt.core import execution, exposures, facts, triggers
from polybawt.core.commands import Notify
from polybawt.core.machine import Outputs
from polybawt.core.machines import approval
from polybawt.core.machines.approval import Approval, ApprovalMachine
from polybawt.core.market import Side
from polybawt.core.risk import Refused, refusal
from polybawt.core.state import State
from polybawt.core.strategies import Intent
from polybawt.core.units import SECOND_NS, Price, micro_text

APPROVALS_MAX: Final = 200  # those that have ended and are still remembered among them
WAITING: Final = frozenset({"requested", "approved"})
TEXT_MAX: Final = 200
DAY_S: Final = 86_400

# Asking.


def asked(state: State, intent: Intent) -> Outputs:
    """A wish that needs an approval: refused now, or put to the operators."""
    if _quiet(state, intent):
        state.count("approvals_not_asked")
        return ()
    scaled = execution.scaled(state, intent)
    if refused := refusal(exposures.gate(state, scaled), scaled):
        return (refused,)
    why = triggers.why_not(state, intent)
    if why:
        return (Refused(at_ns=state.now_ns, intent=intent, check="trigger", text=why),)
    if len(state.approvals) >= APPROVALS_MAX:
        text = f"{len(state.approvals)} are remembered, limit {APPROVALS_MAX}"
        return (Refused(at_ns=state.now_ns, intent=intent, check="approval", text=text),)
    state.count("approvals")
    made = f"a{state.counters['approvals']}"
    expires_ns = state.now_ns + state.config.approval_ns
    terms = terms_of(state, intent, expires_ns)
    state.approvals[made] = Approval(approval_id=made, terms=terms, expires_ns=expires_ns)
    state.proposals[made] = evolve(intent, at_ns=state.now_ns)
    return (state.notify("warning", "approval_wanted", f"{made}: {terms}"),)


def _quiet(state: State, intent: Intent) -> bool:
    """Whether this was asked already, or so lately that it is not asked again."""
    config, now = state.config, state.now_ns
    for known, proposal in zip(state.approvals.values(), state.proposals.values(), strict=True):
        if _subject(proposal) != _subject(intent):
            continue
        if known.state in WAITING or now - proposal.at_ns < config.ask_ns:
            return True
        if known.state == "declined" and now - known.decided_ns < config.declined_ns:
            return True
    return False


def _subject(intent: Intent) -> tuple[str, str, Side, Price]:
    return intent.strategy, intent.token_id, intent.side, intent.threshold


def terms_of(state: State, intent: Intent, expires_ns: int) -> str:
    """What would be traded now, in words: what is shown, and what an approval is of."""
    market = state.markets[intent.condition_id]
    scaled = execution.scaled(state, intent)
    outcome = "YES" if intent.token_id == market.yes_token else "NO"
    limit = "resting" if intent.post_only else "at once"
    clock_s = expires_ns // SECOND_NS % DAY_S
    until = f"{clock_s // 3600:02}:{clock_s // 60 % 60:02}:{clock_s % 60:02} UTC"
    return (
        f"{intent.side} {micro_text(scaled.size)} {outcome} at {micro_text(intent.price)} {limit}"
        f" | {market.question[:TEXT_MAX]} | {intent.strategy} | until {until}"
    )


# Answers.


def clicked(state: State, click: facts.ApproveRequested | facts.DeclineRequested) -> Outputs:
    """An operator says yes or no; whatever comes of it, they are told."""
    known = state.approvals.get(click.approval_id)
    if known is None or not click.actor.strip():
        who, which = click.actor[:40], click.approval_id[:40]
        text = f"no approval {which!r}" if known is None else f"{which}: nobody said so"
        return (state.notify("warning", "approval", f"{who!r}: {text}"),)
    actor, reason = click.actor[:40], click.reason[:TEXT_MAX]
    if isinstance(click, facts.DeclineRequested):
        no = approval.Decline(
            at_ns=state.now_ns, approval_id=click.approval_id, actor=actor, reason=reason
        )
        return _turn(state, no)
    yes = approval.Approve(
        at_ns=state.now_ns,
        approval_id=click.approval_id,
        actor=actor,
        terms=click.terms,
        reason=reason,
    )
    outputs = _turn(state, yes)
    if state.approvals[click.approval_id].state != "approved" or known.state == "approved":
        return outputs
    return (*outputs, *_use(state, click.approval_id))


def _use(state: State, approval_id: str) -> Outputs:
    """It was approved: trade on the terms of this moment, or say why not."""
    known, proposal = state.approvals[approval_id], state.proposals[approval_id]
    if gone := _gone(state, proposal):
        return _withdraw(state, approval_id, gone)
    terms = terms_of(state, proposal, known.expires_ns)
    return _turn(state, approval.Use(at_ns=state.now_ns, approval_id=approval_id, terms=terms))


def granted(state: State, grant: approval.Granted) -> Outputs:
    """Once more through the gate, once."""
    intent = evolve(state.proposals[grant.approval_id], at_ns=state.now_ns, approval=False)
    outputs = execution.wanted(state, intent)
    told = f"{grant.approval_id}: approved by {grant.actor}"
    refused = [output for output in outputs if isinstance(output, Refused)]
    if refused:
        text = f"{told}, and refused: {refused[0].check}: {refused[0].text}"
        return (*outputs, state.notify("warning", "approval", text))
    return (*outputs, state.notify("info", "approval", f"{told}, ordered"))


# Time.


def tick(state: State) -> Outputs:
    """What has run out, what is not to be had any more, and what need not be remembered."""
    outputs: Outputs = ()
    for approval_id, known in tuple(state.approvals.items()):
        if known.state not in WAITING:
            _forget_old(state, known)
        elif state.now_ns >= known.expires_ns:
            outputs += _turn(state, approval.Expire(at_ns=state.now_ns, approval_id=approval_id))
        elif gone := _gone(state, state.proposals[approval_id]):
            outputs += _withdraw(state, approval_id, gone)
    return outputs


def _gone(state: State, intent: Intent) -> str:
    """Why what was proposed is not to be had any more; "" while it is, or nobody knows."""
    condition = intent.condition_id
    if not state.trading(condition) or not state.markets[condition].accepting_orders:
        return "the market has ended"
    if intent.strategy not in {s.name for s in state.config.strategies if s.enabled}:
        return f"no strategy {intent.strategy} runs any more"
    return triggers.why_not(state, intent) or _moved(state, intent)


def _moved(state: State, intent: Intent) -> str:
    """Whether the price has moved beyond the wish, by a book that can be believed."""
    book = state.books.get(intent.condition_id)
    if book is None or state.feeds[intent.token_id].state != "fresh":
        return ""
    buys = intent.side is Side.BUY
    best = (book.best_ask if buys else book.best_bid)(intent.token_id)
    if best is None:
        return ""
    takes = best <= intent.price if buys else best >= intent.price
    return f"the best price is {micro_text(best)}" if takes is intent.post_only else ""


def _withdraw(state: State, approval_id: str, reason: str) -> Outputs:
    action = approval.Withdraw(at_ns=state.now_ns, approval_id=approval_id, reason=reason)
    return _turn(state, action)


def _forget_old(state: State, known: Approval) -> None:
    """A no is remembered for as long as it holds; an end, for as long as it could be missed."""
    since_ns = max(known.decided_ns, known.expires_ns)
    if state.now_ns - since_ns >= max(state.config.declined_ns, state.config.ask_ns):
        del state.approvals[known.approval_id]
        del state.proposals[known.approval_id]


def _turn(state: State, action: approval.Action) -> Outputs:
    """Step one; what its machine tells the operators is remembered like every notice."""
    before = state.approvals[action.approval_id]
    after, outputs = ApprovalMachine.step(before, action)
    state.approvals[action.approval_id] = after
    if after.state != before.state:
        state.count(f"approval:{after.state}")
    return tuple(
        state.notify(output.severity, output.name, output.text)
        if isinstance(output, Notify)
        else output
        for output in outputs
    )

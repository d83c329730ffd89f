"""Agreeing with the venue: at the start, after a lost stream, every so often, and at the end.

After a start nothing is sent until the venue has been asked about every order the journal
holds, about all recent trades, about what rests there, about our cash, and about every token that
we hold of a market that trades.  Absence proves nothing; what the venue holds and the journal does
not is told, and ended.  The same questions are asked again every ``reconcile_ns``, and then no
order waits for the answers; what balances have to say is the business of ``drifts``.

Source: architecture D5 and D8; exchange reference 3.5 and 6.
"""

from typing import Final

from polybawt.core import converting, drifts, execution, facts, kill, ledger, links, market_data
from polybawt.core.commands import (
    CancelOrder,
    FetchResolution,
    FollowOracle,
    ReadOpenOrders,
    ReadOrder,
    ReadTrades,
)
from polybawt.core.machine import Command, Outputs
from polybawt.core.machines import feed, order, recovery
from polybawt.core.machines.order import ENDED, RESTING
from polybawt.core.machines.recovery import RecoveryMachine
from polybawt.core.state import LINKS, State
from polybawt.core.units import Usdc

READS: Final = ("trades", "open_orders", "balance")
BALANCE_OF: Final = "balance:"  # a token
NEVER_SENT: Final = frozenset({"intent", "signed"})


def turn(state: State, action: recovery.Action) -> Outputs:
    """Step the session; that trading begins is told."""
    before = state.recovery
    if not RecoveryMachine.allows(before, action):
        return execution.impossible(state, before, action)
    state.recovery, outputs = RecoveryMachine.step(before, action)
    if before.state == "reconciling" and state.phase == "trading":
        state.timers["reconcile"] = state.now_ns
        text = f"epoch {state.epoch}: agreed with the venue, {len(state.orders)} orders known"
        return (state.notify("info", "reconciled", text), *outputs)
    return outputs


def started(state: State, fact: facts.Started) -> Outputs:
    """A process took over: all links are down, and every open order is in doubt."""
    doubted = [o for o in state.orders.values() if o.state not in ENDED | NEVER_SENT]
    tokens = (f"{BALANCE_OF}{token}" for token in drifts.held(state))
    reads = (*(f"order:{record.intent_id}" for record in doubted), *READS, *tokens)
    reads = (*reads, *converting.doubted(state))
    start = recovery.Start(at_ns=state.now_ns, epoch=fact.epoch, reads=reads)
    if not RecoveryMachine.allows(state.recovery, start):
        return execution.impossible(state, state.recovery, start)
    state.config = fact.config
    for name in dict.fromkeys((*LINKS, *state.subscribed.values(), *state.subscribed)):
        lose = feed.Lose(at_ns=fact.at_ns, name=name, reason="engine restarted")
        market_data.feed_step(state, lose)
    state.subscribed.clear()  # a new process has new streams
    state.rereads.clear()
    outputs: Outputs = ()
    for record in tuple(state.orders.values()):
        intent_id = record.intent_id
        if record.state in NEVER_SENT:  # the journal comes first: nothing of it can have left
            why = "engine restarted"
            outputs += (order.Abort(at_ns=fact.at_ns, intent_id=intent_id, reason=why),)
        elif record.state == "submitted":
            outputs += (order.Timeout(at_ns=fact.at_ns, intent_id=intent_id, reason="restart"),)
    if state.oracles:
        outputs += (FollowOracle(symbols=tuple(state.oracles)),)
    return (*outputs, *converting.restarted(state), *turn(state, start))


def asked(state: State, query: recovery.Query) -> Outputs:
    """Ask the venue; about what we hold only once the trades that moved it are known."""
    kind, _, intent_id = query.read.partition(":")
    if kind == "conversion":
        return converting.ask(state, intent_id)
    if kind == "order" and intent_id not in state.orders:  # it was closed meanwhile
        return arrived(state, query.read)
    return () if _early(state, query.read) else (read(state, query.read),)


def _early(state: State, name: str) -> bool:
    """What we hold can be compared only once the trades that moved it are known."""
    balance = name.partition(":")[0] == "balance"
    return balance and "trades" in state.awaited and state.ledger.deposited > 0


def read(state: State, name: str) -> Command:
    """The command that answers one awaited read."""
    match name:
        case "trades":
            return ReadTrades(after_s=links.reread_since_s(state))
        case "open_orders":
            return ReadOpenOrders()
        case "balance":
            return drifts.read(state, "")
        case _ if name.startswith(BALANCE_OF):
            return drifts.read(state, name.removeprefix(BALANCE_OF))
        case _:
            record = state.orders[name.removeprefix("order:")]
            return ReadOrder(intent_id=record.intent_id, order_id=record.order_id)


def arrived(state: State, name: str) -> Outputs:
    """One awaited read is answered; with the last of them trading begins."""
    return turn(state, recovery.Arrive(at_ns=state.now_ns, read=name))


def ask_again(state: State) -> Outputs:
    """Awaited reads that failed or were lost are asked again."""
    outputs: Outputs = ()
    for name in state.awaited:
        ask = recovery.Ask(at_ns=state.now_ns, read=name, every_ns=2 * state.config.poll_ns)
        if RecoveryMachine.allows(state.recovery, ask):
            outputs += turn(state, ask)
    return outputs


def trades_read(state: State, fact: facts.TradesRead) -> Outputs:
    """All our trades are known; a read of one market's trades says nothing of the others."""
    if fact.condition_id:
        return ()
    links.reread_answered(state, "trades")
    waited = [name for name in state.awaited if _early(state, name)]
    outputs = arrived(state, "trades")
    if state.phase == "trading":
        drifts.ask_all(state)
    return (*outputs, *(read(state, name) for name in waited))


def open_orders_read(state: State, fact: facts.OpenOrdersRead) -> Outputs:
    """What rests at the venue against what we believe rests there."""
    links.reread_answered(state, "open_orders")
    outputs: Outputs = ()
    for order_id in fact.order_ids:
        if order_id not in state.intent_of:  # a closed one of ours, even: it must not rest
            state.count("orphans")
            text = f"order {order_id[:18]} rests at the venue and is not in the journal"
            outputs += (
                state.notify("critical", "orphan", text),
                CancelOrder(intent_id="", order_id=order_id),
            )
    resting = frozenset(fact.order_ids)
    for record in state.orders.values():
        missing = record.state in RESTING and record.order_id not in resting
        undead = record.state == "rejected" and record.order_id in resting
        if missing or undead:
            outputs += (ReadOrder(intent_id=record.intent_id, order_id=record.order_id),)
    return (*outputs, *arrived(state, "open_orders"), *kill.listed(state, bool(resting)))


def balance_read(state: State, fact: facts.BalanceRead) -> Outputs:
    """The first reading of our cash is what we begin with; any later one is compared.

    A start waits until a difference is proven, or gone.
    """
    token = fact.token_id
    name = f"{BALANCE_OF}{token}" if token else "balance"
    if _early(state, name):
        return ()
    if not token and not state.ledger.deposited:
        state.ledger.post(ledger.deposit(Usdc(fact.amount)))
        state.ledger.moved.clear()  # no balance of ours was ever less than that
        return arrived(state, name)
    outputs = drifts.compare(state, fact)
    return outputs if drifts.in_doubt(state, token) else (*outputs, *arrived(state, name))


def tick(state: State) -> Outputs:
    """The streams may have missed something although they never broke (P2.4).

    A question may be answered before its end, or has none: of those that we hold, ask.
    """
    if state.phase != "trading" or not state.due("reconcile", state.config.reconcile_ns):
        return ()
    held = dict.fromkeys(state.market_of[token] for token in drifts.held(state))
    questions = [condition for condition in held if not state.markets[condition].symbol]
    return (
        ReadTrades(after_s=links.reread_since_s(state)),
        ReadOpenOrders(),
        *(FetchResolution(condition_id=condition) for condition in questions),
    )


def read_failed(state: State, fact: facts.ReadFailed) -> Outputs:
    state.count("failed_reads")
    return (state.notify("warning", "read_failed", f"{fact.what}: {fact.reason}"[:300]),)


def stop_requested(state: State, fact: facts.StopRequested) -> Outputs:
    before = state.phase
    outputs = turn(state, recovery.Stop(at_ns=state.now_ns))
    if state.phase == before:
        return outputs
    notice = state.notify("info", "stopping", f"asked by {fact.actor}")
    return (notice, *outputs, *kill.withdraw_all(state))

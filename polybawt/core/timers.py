"""What happens because time has passed: everything here is asked by a ``Tick`` and nothing else."""

from typing import Final

from polybawt.core import (
    aftermath,
    approvals,
    breakers,
    contact,
    converting,
    drifts,
    execution,
    flattening,
    halts,
    hedging,
    kill,
    links,
    market_data,
    outcomes,
    prints,
    reconcile,
    rounds,
    verdicts,
    watch,
)
from polybawt.core.commands import FetchMarkets, FetchResolution, ReadOrder, ReadTrades
from polybawt.core.machine import Outputs
from polybawt.core.machines import order, recovery, settlement
from polybawt.core.machines.order import ENDED, POLLED, RESTING, Order
from polybawt.core.machines.recovery import RecoveryMachine
from polybawt.core.state import State
from polybawt.core.units import SECOND_NS

KEEP_ENDED_NS: Final = 30 * SECOND_NS  # an ended order waits this long for a late fill
RETRY_CANCEL_POLLS: Final = 3
UNSETTLED_S_MAX: Final = 30  # a trade settles within seconds; then we ask


def tick(state: State) -> Outputs:
    aftermath.tick(state)
    return (
        *_groups(state),
        *watch.tick(state),
        *links.tick(state),
        *_orders(state),
        *kill.tick(state),
        *contact.tick(state),
        *_trades(state),
        *reconcile.tick(state),
        *drifts.tick(state),
        *hedging.tick(state),
        *converting.tick(state),
        *breakers.cool(state),
        *_markets(state),
        *_phase(state),
        *rounds.tick(state),
        *halts.tick(state),
        *flattening.tick(state),
        *approvals.tick(state),
        *prints.look_up(state),
    )


def _groups(state: State) -> Outputs:
    """Groups of book changes that nothing has followed are whole."""
    outputs: Outputs = ()
    for book in state.books.values():
        for token, view in book.views.items():
            if view.unproven and state.now_ns - view.expected_since_ns >= state.config.group_ns:
                outputs += market_data.close_group(state, book, token)
    return outputs


def _orders(state: State) -> Outputs:
    """Orders in doubt are read again; those at rest long after their end are looked at too."""
    outputs: Outputs = ()
    for record in tuple(state.orders.values()):
        outputs += _order(state, record)
    return outputs


def _order(state: State, record: Order) -> Outputs:
    config, intent_id = state.config, record.intent_id
    since_ns = state.now_ns - state.timers.get(f"order:{intent_id}", record.created_ns)
    if record.state in ENDED:
        refused = record.state == "rejected" and record.order_id
        if refused and state.now_ns <= record.ends_ns:  # only then is a refusal past all doubt
            return ()
        if since_ns < KEEP_ENDED_NS or any(t in state.trades for t in record.trade_ids):
            return ()
        return (order.Close(at_ns=state.now_ns, intent_id=intent_id),)
    if record.state == "submitted" and since_ns >= config.submit_ns_max:
        return (order.Timeout(at_ns=state.now_ns, intent_id=intent_id, reason="no answer"),)
    overdue = record.state in RESTING and (
        state.now_ns > record.ends_ns
        or _outlived(state, record)
        or f"look:{intent_id}" in state.timers
    )
    if (record.state in POLLED or overdue) and state.due(f"poll:{intent_id}", config.poll_ns):
        patience = RETRY_CANCEL_POLLS * config.poll_ns
        again = record.state in ("pending_cancel", "closing") and since_ns >= patience
        look = ReadOrder(intent_id=intent_id, order_id=record.order_id)
        return (*(execution.cancel(state, intent_id) if again else ()), look)
    return ()


def _outlived(state: State, record: Order) -> bool:
    """Its market has ended, so the venue has ended it, whether or not it said so."""
    return state.settlements[record.condition_id].state != "trading"


def _trades(state: State) -> Outputs:
    """Trades that should have settled long ago are read again: a push may have been lost."""
    now_s = state.now_ns // SECOND_NS
    if not any(now_s - trade.match_s >= UNSETTLED_S_MAX for trade in state.unsettled()):
        return ()
    if not state.due("trades", UNSETTLED_S_MAX * SECOND_NS):
        return ()
    return (ReadTrades(after_s=links.reread_since_s(state)),)


def _markets(state: State) -> Outputs:
    """Markets come, begin, end, resolve, and leave memory."""
    outputs: Outputs = ()
    config, now = state.config, state.now_ns
    if state.phase != "stopped" and state.due("discover", config.discover_ns):
        outputs += (FetchMarkets(),)
    for condition_id, market in tuple(state.markets.items()):
        current = state.settlements[condition_id].state
        if current == "trading" and not market.over(now):
            begun = now >= market.start_ns - config.subscribe_ns
            if begun and market.yes_token not in state.subscribed and market.accepting_orders:
                outputs += market_data.subscribe(state, market)
            outputs += execution.decide(state, condition_id)
        elif current == "trading":
            outputs += outcomes.ended(state, market)
        elif current == "paid":
            if now - market.end_ns > config.market_keep_ns and not _held(state, condition_id):
                outcomes.forget(state, market)
        else:
            outputs += _awaiting(state, condition_id)
    return outputs


def _held(state: State, condition_id: str) -> bool:
    ordered = any(record.condition_id == condition_id for record in state.orders.values())
    return ordered or any(state.unsettled(condition_id))


def _awaiting(state: State, condition_id: str) -> Outputs:
    """A market that has ended and has not paid."""
    config, market = state.config, state.markets[condition_id]
    outputs: Outputs = ()
    current = state.settlements[condition_id]
    late = state.now_ns - market.end_ns > config.close_report_ns_max
    if current.state == "ended" and late:
        give_up = settlement.GiveUp(at_ns=state.now_ns, condition_id=condition_id)
        outputs += outcomes.advance(state, give_up)
    if current.state == "resolved":
        outputs += outcomes.pay_if_due(state, condition_id)
        if verdicts.vouched(state, condition_id):
            return outputs
    if state.due(f"resolution:{condition_id}", config.resolve_poll_ns):
        outputs += (FetchResolution(condition_id=condition_id),)
    return outputs


def _phase(state: State) -> Outputs:
    """Reconciling asks again what was not answered; stopping ends when nothing rests."""
    if state.phase == "reconciling":
        return reconcile.ask_again(state)
    if state.phase != "stopping":
        return ()
    quiet = not any(state.open_orders())
    rest = recovery.Rest(at_ns=state.now_ns, quiet=quiet, most_ns=state.config.stop_ns_max)
    if RecoveryMachine.allows(state.recovery, rest):
        return reconcile.turn(state, rest)
    return kill.withdraw_all(state)

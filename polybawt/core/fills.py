"""From a match to money: what a trade does to orders, positions and the ledger.

A trade is provisional until it is confirmed, and its first report alone books; this module
finds which of its legs are ours, and books or takes back what they move.  Money comes first:
it is booked even where the order denies the fill, and that is an alarm.

Source: exchange reference 1.8, 1.11 and 4.3.
"""

from typing import Final

from attrs import evolve

from polybawt.core import aftermath, execution, facts, hedging, ledger
from polybawt.core.machine import Outputs
from polybawt.core.machines import order, position, trade
from polybawt.core.machines.position import Position, PositionMachine
from polybawt.core.machines.trade import SETTLED, Leg, Trade, TradeMachine
from polybawt.core.market import Side
from polybawt.core.state import State
from polybawt.core.units import MILLION, Shares, Usdc

TRADE_STEPS: Final[dict[str, type[trade.Action]]] = {
    "MATCHED_NOT_BROADCASTED": trade.Match,
    "MATCHED": trade.Match,
    "MINED": trade.Mine,
    "RETRYING": trade.Retry,
    "CONFIRMED": trade.Confirm,
    "FAILED": trade.Fail,
}


def trade_reported(state: State, report: facts.TradeReported) -> Outputs:
    """One step of a trade's settlement; only the first report of it books."""
    if f"trade:{report.trade_id}" in state.forgotten:
        state.count("repeats")
        return ()
    record = state.trades.get(report.trade_id) or _first_seen(state, report)
    if record is None:
        return _not_ours(state, report)
    step = TRADE_STEPS.get(report.status)
    if step is None:
        state.count("unknown_status")
        text = f"trade {report.trade_id}: status {report.status[:40]!r}"
        return (state.notify("critical", "unknown_status", text),)
    action = step(at_ns=report.at_ns, trade_id=report.trade_id)
    if not TradeMachine.allows(record, action) or _misplaced(state, record):
        return execution.impossible(state, record, action)
    if any(record.trade_id in state.orders[leg.intent_id].trade_ids for leg in _unbooked(record)):
        state.count("repeats")  # settled so long ago that only its order remembers
        return ()
    after, outputs = TradeMachine.step(record, action)
    if after.state in SETTLED and not outputs:
        state.forget(f"trade:{after.trade_id}")  # void before it was booked: no money moves
        return tuple(o for leg in record.legs for o in _counted(state, leg, action))
    state.trades[after.trade_id] = after
    state.last_match_s = max(state.last_match_s, after.match_s)
    return outputs


def _not_ours(state: State, report: facts.TradeReported) -> Outputs:
    """A trade without an order of ours: another journal's, or one of an order long closed."""
    ids = (report.taker_order_id, *(maker.order_id for maker in report.makers))
    if any(order_id in state.forgotten for order_id in ids):
        state.count("late_trades")
        if report.status == "FAILED":
            return ()
        text = f"trade {report.trade_id} of a closed order: {report.shares} at {report.price}"
        return (state.notify("critical", "late_trade", text),)
    if report.source == "read":  # the account's history from before this journal
        state.count("foreign_trades")
        return ()
    return execution.stranger(state, report.trade_id, "trade")


def _unbooked(record: Trade) -> tuple[Leg, ...]:
    return record.legs if record.state == "seen" else ()


def _misplaced(state: State, record: Trade) -> bool:
    """Whether a leg is about another market than its order's."""
    for leg in _unbooked(record):
        condition = state.orders[leg.intent_id].condition_id
        if record.condition_id != condition or leg.token_id not in state.markets[condition].tokens:
            return True
    return False


def _first_seen(state: State, report: facts.TradeReported) -> Trade | None:
    """The record of a trade with our legs in it; None when none of it is ours."""
    taker = facts.MakerFill(
        order_id=report.taker_order_id,
        token_id=report.token_id,
        side=report.side,
        price=report.price,
        shares=report.shares,
    )
    legs: dict[str, Leg] = {}
    for part, maker in ((taker, False), *((part, True) for part in report.makers)):
        intent_id = state.intent_of.get(part.order_id)
        if intent_id is None:
            continue
        record = state.orders[intent_id]
        if known := legs.get(intent_id):  # one order, several entries: its fill is their sum
            legs[intent_id] = evolve(known, shares=Shares(known.shares + part.shares))
            continue
        fees = state.markets[record.condition_id].fees
        legs[intent_id] = Leg(
            intent_id=intent_id,
            strategy=record.strategy,
            token_id=part.token_id,
            side=part.side,
            price=part.price,
            shares=part.shares,
            fee=Usdc(0) if maker else fees.charged(part.price, part.shares),
            maker=maker,
        )
    if not legs:
        return None
    return Trade(
        trade_id=report.trade_id,
        condition_id=report.condition_id,
        match_s=report.match_s,
        legs=tuple(legs.values()),
    )


def filled(state: State, fact: trade.Filled) -> Outputs:
    """Money first: position and ledger book what happened even when the order denies it."""
    leg = fact.leg
    state.count("fills")
    state.count(f"fills:{leg.strategy}")
    state.ledger.post(ledger.fill(leg))
    aftermath.filled(state, fact)
    outputs = _hold(state, fact, position.Bought if leg.side is Side.BUY else position.Sold)
    record = state.orders[leg.intent_id]
    if leg.shares < record.size - record.filled:
        state.count("partial_fills")
    return (*outputs, *_counted(state, leg, fact), *hedging.filled(state, leg))


def _counted(state: State, leg: Leg, of: trade.Filled | trade.Action) -> Outputs:
    """Count a match against its order, as the venue does: even one that then failed on chain."""
    record = state.orders[leg.intent_id]
    fill = order.Fill(
        at_ns=of.at_ns, intent_id=leg.intent_id, trade_id=of.trade_id, shares=leg.shares
    )
    open_size = Shares(record.size - record.filled)
    alarm: Outputs = ()
    if leg.shares > open_size or (leg.token_id, leg.side) != (record.token_id, record.side):
        alarm = execution.impossible(state, record, fill)
    if not open_size:
        return alarm
    return (*alarm, evolve(fill, shares=min(leg.shares, open_size)))


def voided(state: State, fact: trade.Voided) -> Outputs:
    leg = fact.leg
    state.count("voids")
    state.ledger.post(ledger.reversed_entry(ledger.fill(leg)))
    void = position.BoughtVoid if leg.side is Side.BUY else position.SoldVoid
    text = f"trade {fact.trade_id} failed: {leg.side} {leg.shares} of {leg.token_id[:10]} void"
    told = state.notify("critical", "trade_failed", text)
    return (*_hold(state, fact, void), told, *hedging.voided(state, leg))


def settled(state: State, fact: trade.Settled) -> Outputs:
    del state.trades[fact.trade_id]
    state.forget(f"trade:{fact.trade_id}")
    return ()


def _hold(
    state: State, fact: trade.Filled | trade.Voided, action: type[position.Change]
) -> Outputs:
    leg = fact.leg
    if state.settlements[fact.condition_id].state == "paid":
        adds = action in (position.Bought, position.SoldVoid)
        return _after_payout(state, fact, 1 if adds else -1)
    held = state.positions.get(leg.token_id) or Position(
        token_id=leg.token_id, condition_id=fact.condition_id
    )
    change = action(
        at_ns=fact.at_ns,
        token_id=leg.token_id,
        shares=leg.shares,
        notional=leg.notional,
        fee=leg.fee,
    )
    state.positions[leg.token_id], _ = PositionMachine.step(held, change)
    return ()


def _after_payout(state: State, fact: trade.Filled | trade.Voided, sign: int) -> Outputs:
    """The market has paid already: these shares take part in its payout, in the ledger alone."""
    leg, paid = fact.leg, state.settlements[fact.condition_id]
    yes = leg.token_id == state.markets[fact.condition_id].yes_token
    payout = (paid.yes_payout if yes else paid.no_payout) or 0
    amount = Usdc(sign * (leg.shares * payout // MILLION))
    shares = Shares(sign * leg.shares)
    state.ledger.post(ledger.payout(leg.strategy, leg.token_id, shares, amount))
    text = f"trade {fact.trade_id} after the payout: {leg.side} {leg.shares} {leg.token_id[:10]}"
    return (state.notify("critical", "late_fill", text),)

"""The hedges' owner: prices their legs, turns their wishes into intents, and tells them what came.

A strategy sees a pair that can be had and says so; everything from there on happens here.  A fill
books on the hedge in the same step as in the ledger, and its cover is asked for at once; whatever
could not be asked for, and whatever no longer fits the book, is looked at again with the clock.
An order is followed, not trusted: what it can no longer fill has ended, what it fills after that
is late, and both are the machine's to judge.

Not here: how many shares are wanted, which is the machine's word, and whether an order may leave,
which is the gate's.  Spec: models/Hedge.tla.  Source: requirements H7 and P2.1.
"""

from collections.abc import Iterator
from typing import Final

from attrs import evolve

from polybawt.core import exposures, legs
from polybawt.core.machine import Outputs
from polybawt.core.machines import hedge
from polybawt.core.machines.hedge import Hedge, HedgeMachine, Lane, Leg
from polybawt.core.machines.order import RESTING, Order
from polybawt.core.machines.trade import Leg as TradeLeg
from polybawt.core.market import LOT, Side
from polybawt.core.plans import Part, Plan
from polybawt.core.risk import Refused
from polybawt.core.state import State
from polybawt.core.strategies import Intent, NewHedge, Withdraw
from polybawt.core.units import MILLION, Price, Shares, ceil_div, cost_up

HEDGES_MAX: Final = 256

# Wanting.


def proposed(state: State, wish: NewHedge) -> Outputs:
    """A strategy sees a pair: a hedge begins, or the one there is buys its next slice."""
    market = state.markets.get(wish.condition_id)
    if market is None or state.barred() or wish.first_token not in market.tokens:
        return ()
    pair = legs.pair_cost(state, wish)
    if not pair or pair > wish.pair_cost_max:
        return ()
    if not _has_room(state, wish, pair):
        state.count("hedges_without_room")
        return ()
    live = next(of_strategy(state, wish.strategy, wish.condition_id), None) or _begun(state, wish)
    if live is None or state.plans[live.hedge_id].terms.first_token != wish.first_token:
        return ()
    lead = hedge.Lead(at_ns=state.now_ns, hedge_id=live.hedge_id, limit=wish.limit, pair_cost=pair)
    if not HedgeMachine.allows(live, lead):
        return ()
    plan = state.plans[live.hedge_id]
    state.plans[live.hedge_id] = evolve(plan, terms=wish, since_ns=state.now_ns)
    return turn(state, lead)


def _has_room(state: State, wish: NewHedge, pair: Price) -> bool:
    """Whether the limits leave room for both legs, beside the covers that are owed already."""
    tokens = state.markets[wish.condition_id].tokens
    room = min(exposures.room(state, wish.strategy, token) for token in tokens)
    size = min(wish.slice_max, wish.quantity)
    return cost_up(pair, size) + legs.owed(state, wish.strategy) <= room


def of_strategy(state: State, strategy: str, condition_id: str) -> Iterator[Hedge]:
    """A strategy's hedges of one market: one at most."""
    of = strategy, condition_id
    return (h for h in state.hedges.values() if (h.strategy, h.condition_id) == of)


def _begun(state: State, wish: NewHedge) -> Hedge | None:
    least, most = state.markets[wish.condition_id].min_size, min(wish.slice_max, wish.quantity)
    if not 0 < least <= most or wish.leg_timeout_s <= 0 or len(state.hedges) >= HEDGES_MAX:
        state.count("hedges_refused")
        return None
    state.count("hedges")
    begun = Hedge(
        hedge_id=f"h{state.counters['hedges']}",
        strategy=wish.strategy,
        condition_id=wish.condition_id,
        quantity=wish.quantity,
        slice_max=most,
        order_min=least,
        pair_cost_max=wish.pair_cost_max,
        loss_left=wish.loss_max,
    )
    state.hedges[begun.hedge_id] = begun
    state.plans[begun.hedge_id] = Plan(terms=wish, since_ns=state.now_ns)
    return begun


def wanted(state: State, wish: hedge.Wanted) -> Outputs:
    """The machine's wish as an intent, in whole lots."""
    live, terms = state.hedges[wish.hedge_id], state.plans[wish.hedge_id].terms
    leads = live.state == "working"
    price, post_only = wish.limit, terms.post_only if leads else False
    if not leads and wish.side is Side.BUY:
        price, post_only = legs.cover_price(state, live, wish.leg, wish.limit, wish.shares)
    return (
        Intent(
            at_ns=wish.at_ns,
            strategy=live.strategy,
            condition_id=live.condition_id,
            token_id=legs.token_of(state, live, wish.leg),
            side=wish.side,
            price=price,
            size=Shares(wish.shares // LOT * LOT),
            post_only=post_only,
            lifetime_s=terms.lifetime_s if leads else terms.leg_timeout_s,
            purpose="entry" if leads else "hedge",
            hedge_id=wish.hedge_id,
        ),
    )


def ordered(state: State, intent: Intent, record: Order) -> Outputs:
    """An intent became an order: of what was wanted, the part that it does not ask for ended."""
    live = state.hedges.get(intent.hedge_id)
    if live is None:
        return ()
    lane = state.plans[live.hedge_id].leg_of(intent.token_id), intent.side
    waiting = legs.waiting(state, live, lane)
    if waiting < record.size:  # nobody here asked for it, whatever it says
        return ()
    state.parts[record.intent_id] = Part(
        hedge_id=live.hedge_id,
        leg=lane[0],
        side=lane[1],
        open=record.size,
        unwanted=live.state == "unwinding" and intent.side is Side.BUY,
    )
    return _ended(state, live.hedge_id, lane, Shares(waiting - record.size))


def refused(state: State, refusal: Refused) -> Outputs:
    """The gate said no: what was wanted has ended."""
    live = state.hedges.get(refusal.intent.hedge_id)
    if live is None:
        return ()
    lane = state.plans[live.hedge_id].leg_of(refusal.intent.token_id), refusal.intent.side
    return _ended(state, live.hedge_id, lane, legs.waiting(state, live, lane))


def unwanted(state: State, fact: hedge.Unwanted) -> Outputs:
    """Withdraw the orders of a lane; one that cannot be asked yet is asked with the clock."""
    outputs: Outputs = ()
    for intent_id, part in legs.parts(state, fact.hedge_id):
        if (part.leg, part.side) == (fact.leg, fact.side) and part.open:
            state.parts[intent_id] = evolve(part, unwanted=True)
            outputs += (_withdrawal(state, intent_id, "the hedge wants it no more"),)
    return outputs


def _withdrawal(state: State, intent_id: str, reason: str) -> Withdraw:
    return Withdraw(at_ns=state.now_ns, intent_id=intent_id, reason=reason)


def stranded(state: State, fact: hedge.Stranded) -> Outputs:
    text = f"hedge {fact.hedge_id} ended with {fact.shares} naked shares of its {fact.leg} leg"
    return (state.notify("critical", "hedge_stranded", text),)


# What came of it.


def turn(state: State, action: hedge.Action) -> Outputs:
    """Step one hedge; one that has ended leaves memory."""
    before = state.hedges[action.hedge_id]
    after, outputs = HedgeMachine.step(before, action)
    plan = state.plans[after.hedge_id]
    if after.state != before.state:
        state.count(f"hedge:{after.state}")
        plan = evolve(plan, since_ns=state.now_ns)
    if after.state == "working":
        plan = evolve(plan, dearest=(Price(0), Price(0)))
    state.hedges[after.hedge_id], state.plans[after.hedge_id] = after, plan
    if after.state in HedgeMachine.final():
        del state.hedges[after.hedge_id], state.plans[after.hedge_id]
    return outputs


def filled(state: State, leg: TradeLeg) -> Outputs:
    """Shares changed hands: what was not counted as open any more comes late."""
    part = state.parts.get(leg.intent_id)
    if part is None:
        return ()
    _price_in(state, part.hedge_id, leg)
    lane = state.plans[part.hedge_id].leg_of(leg.token_id), leg.side
    on_time = min(leg.shares, part.open) if lane == (part.leg, part.side) else 0
    state.parts[leg.intent_id] = evolve(part, open=Shares(part.open - on_time))
    outputs = _told(state, part.hedge_id, hedge.Fill, lane, Shares(on_time))
    late = Shares(leg.shares - on_time)
    outputs += _told(state, part.hedge_id, hedge.LateFill, lane, late)
    return (*outputs, *_ask(state, part.hedge_id))


def voided(state: State, leg: TradeLeg) -> Outputs:
    part = state.parts.get(leg.intent_id)
    if part is None:
        return ()
    lane = state.plans[part.hedge_id].leg_of(leg.token_id), leg.side
    return _told(state, part.hedge_id, hedge.Void, lane, leg.shares)


def followed(state: State, record: Order) -> Outputs:
    """After a step of an order: what it will not fill any more has ended."""
    part = state.parts.get(record.intent_id)
    if part is None or part.open <= record.open_size:
        return ()
    state.parts[record.intent_id] = evolve(part, open=record.open_size)
    gone = Shares(part.open - record.open_size)
    return _ended(state, part.hedge_id, (part.leg, part.side), gone)


def evicted(state: State, intent_id: str) -> None:
    """Its order has left memory, and with it all that could still come of it."""
    state.parts.pop(intent_id, None)


def _told(
    state: State,
    hedge_id: str,
    kind: type[hedge.Fill | hedge.LateFill | hedge.Void],
    lane: Lane,
    count: Shares,
) -> Outputs:
    """Tell the hedge of shares, a slice at a time; in unwinding they are reason for hope."""
    outputs: Outputs = ()
    most = state.hedges[hedge_id].slice_max
    for start in range(0, count, most):
        shares = Shares(min(most, count - start))
        leg, side = lane
        told = kind(at_ns=state.now_ns, hedge_id=hedge_id, leg=leg, side=side, shares=shares)
        outputs += turn(state, told)
    if count and state.hedges[hedge_id].state == "unwinding":
        state.plans[hedge_id] = evolve(state.plans[hedge_id], since_ns=state.now_ns)
    return outputs


def _ended(state: State, hedge_id: str, lane: Lane, shares: Shares) -> Outputs:
    if not shares:
        return ()
    leg, side = lane
    end = hedge.End(at_ns=state.now_ns, hedge_id=hedge_id, leg=leg, side=side, shares=shares)
    return turn(state, end)


def _price_in(state: State, hedge_id: str, leg: TradeLeg) -> None:
    """Remember what a share of a purchase cost, fee included."""
    if leg.side is not Side.BUY:
        return
    plan = state.plans[hedge_id]
    paid = Price(ceil_div((leg.notional + leg.fee) * MILLION, leg.shares))
    at = list(Leg).index(plan.leg_of(leg.token_id))
    dearest, ever = list(plan.dearest), list(plan.ever)
    dearest[at], ever[at] = max(dearest[at], paid), max(ever[at], paid)
    state.plans[hedge_id] = evolve(plan, dearest=(dearest[0], dearest[1]), ever=(ever[0], ever[1]))


# Asking.


def _ask(state: State, hedge_id: str) -> Outputs:
    """Cover or sell what is naked, where the book allows it and nothing is on its way already."""
    live = state.hedges[hedge_id]
    if state.barred() or not state.trading(live.condition_id):
        return ()
    if any(legs.waiting(state, live, lane) for lane in hedge.LANES):
        return ()
    action: hedge.Cover | hedge.Unwind | None = None
    if live.state == "hedging":
        action = legs.cover(state, live)
    elif live.state == "unwinding" and not legs.out_of_time(state, live):
        action = legs.unwind(state, live)
    return turn(state, action) if action and HedgeMachine.allows(live, action) else ()


# Time.


def tick(state: State) -> Outputs:
    """Every hedge is looked at again: its time, its orders, what is naked, and its end."""
    outputs: Outputs = ()
    for hedge_id in tuple(state.hedges):
        outputs += _timed(state, hedge_id)
        outputs += _finish(state, hedge_id)
        if hedge_id not in state.hedges:
            state.timers.pop(f"hedge:{hedge_id}", None)
            continue
        outputs += _misplaced(state, hedge_id)
        if state.due(f"hedge:{hedge_id}", state.config.decide_ns):
            outputs += _ask(state, hedge_id)
    return outputs


def abandon(state: State, hedge_id: str, reason: str) -> Outputs:
    """From now on its risk only shrinks; where it does so already, nothing happens."""
    action = hedge.Abandon(at_ns=state.now_ns, hedge_id=hedge_id, reason=reason)
    if not HedgeMachine.allows(state.hedges[hedge_id], action):
        return ()
    state.count(f"hedge_abandoned:{reason}")
    return turn(state, action)


def _timed(state: State, hedge_id: str) -> Outputs:
    """A leg that was naked too long, a hedge that nothing is asked for, a market at its end."""
    live = state.hedges[hedge_id]
    if not state.trading(live.condition_id):
        return abandon(state, hedge_id, "market ended")
    if not legs.out_of_time(state, live):
        return ()
    if live.state == "hedging":
        return abandon(state, hedge_id, "leg timeout")
    idle = not any(part.open for _, part in legs.parts(state, hedge_id))
    if live.state == "working" and idle and live.room >= live.order_min:
        return abandon(state, hedge_id, "idle")
    return ()


def _misplaced(state: State, hedge_id: str) -> Outputs:
    """Orders at rest that the hedge, or the book, has moved away from."""
    live = state.hedges[hedge_id]
    if not state.trading(live.condition_id):
        return ()
    outputs: Outputs = ()
    for intent_id, part in legs.parts(state, hedge_id):
        record = state.orders[intent_id]
        rests_ns = state.now_ns - state.timers.get(f"order:{intent_id}", record.created_ns)
        if record.state not in RESTING or rests_ns < state.config.poll_ns:
            continue
        if why := legs.stale(state, live, part, record):
            outputs += (_withdrawal(state, intent_id, why),)
    return outputs


def _finish(state: State, hedge_id: str) -> Outputs:
    """When nothing more can come of any order, a hedge closes, or is given up."""
    live = state.hedges[hedge_id]
    if legs.parts(state, hedge_id):
        return ()
    close = hedge.Close(at_ns=state.now_ns, hedge_id=hedge_id)
    if HedgeMachine.allows(live, close):
        return turn(state, close)
    hopeless = live.sellable < live.order_min or not state.trading(live.condition_id)
    give_up = hedge.GiveUp(at_ns=state.now_ns, hedge_id=hedge_id)
    if HedgeMachine.allows(live, give_up) and (hopeless or legs.out_of_time(state, live)):
        return turn(state, give_up)
    return ()

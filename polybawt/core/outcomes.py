"""Markets and how they end: listing, the oracle's reports, the venue's word, the payout.

Whose word is enough for a payout is the business of ``verdicts``.

Source: exchange reference 5.3 and 5.4.  Proves by shape: C1, a payout has no other origin
than what the venue published.
"""

from typing import Final

from attrs import evolve

from polybawt.core import (
    converting,
    drifts,
    execution,
    facts,
    leads,
    ledger,
    market_data,
    triggers,
    verdicts,
)
from polybawt.core.commands import FetchResolution, FollowOracle
from polybawt.core.machine import Outputs
from polybawt.core.machines import feed, position, settlement
from polybawt.core.machines.order import ENDED
from polybawt.core.machines.position import PaidOut, PositionMachine
from polybawt.core.machines.settlement import Due, Settlement, SettlementMachine
from polybawt.core.market import Market
from polybawt.core.signals.fair_value import Oracle
from polybawt.core.state import MARKETS_MAX, ORACLES_MAX, SETTLEMENTS_MAX, State
from polybawt.core.units import MILLION, MS_NS, Usdc

DOUBLE_DIGITS: Final = 10**12  # a double keeps at least so many


def advance(state: State, action: settlement.Action) -> Outputs:
    """Step one settlement; an outcome that contradicts itself is told."""
    before = state.settlements[action.condition_id]
    if not SettlementMachine.allows(before, action):
        return execution.impossible(state, before, action)
    after, outputs = SettlementMachine.step(before, action)
    state.settlements[action.condition_id] = after
    if after.state == before.state:
        return outputs
    state.count(f"settlement:{after.state}")
    if after.state == "conflicting":
        return (*outputs, state.notify("critical", "outcome_conflict", str(after)))
    return outputs


def listed(state: State, fact: facts.MarketListed) -> Outputs:
    """A market is new, or says more of itself than before."""
    market = fact.market
    if f"market:{market.condition_id}" in state.forgotten:
        return ()
    if clash := _clash(state, market):
        return (state.notify("critical", "market_changed", f"{market.slug} {clash}"),)
    known = state.markets.get(market.condition_id)
    if known is None and len(state.markets) >= MARKETS_MAX:
        state.count("markets_not_kept")
        return ()
    if known is not None:
        _unschedule(state, known)  # a listing may move its start and end
        if state.config.rules and market.condition_id in state.books:
            market = evolve(market, tick=known.tick)  # its stream tells changes, a list is older
    state.markets[market.condition_id] = market
    if known is None:
        _register(state, market)
    outputs = _schedule(state, market)
    if market.strike_e18:
        return (*outputs, *_strike(state, market, market.strike_e18))
    if market.symbol and not market.twap_lookback_s:
        opened = state.oracles[market.symbol].at(market.start_ns // MS_NS)
        return (*outputs, *(_strike(state, market, opened) if opened else ()))
    return outputs


def _clash(state: State, market: Market) -> str:
    known = state.markets.get(market.condition_id)
    if known is not None and known.tokens != market.tokens:
        return "changed its tokens"
    owners = {state.market_of.get(token, market.condition_id) for token in market.tokens}
    return "" if owners == {market.condition_id} else "names a token of another market"


def _register(state: State, market: Market) -> None:
    state.count("markets")
    condition = market.condition_id
    if market.neg_risk_id:
        state.events.setdefault(market.neg_risk_id, {})[condition] = True
    for token in market.tokens:
        state.market_of[token] = condition
        state.feeds[token] = feed.Feed(name=token)
    state.settlements.setdefault(condition, Settlement(condition_id=condition))


def _schedule(state: State, market: Market) -> Outputs:
    """The seconds whose reports decide this market, and the oracle that reports them."""
    if not market.symbol:
        return ()
    for moment in _moments(market):
        state.moments.setdefault(moment, {})[market.condition_id] = True
    if market.symbol in state.oracles:
        return ()
    state.oracles[market.symbol] = Oracle(market.symbol)
    return (FollowOracle(symbols=(market.symbol,)),)


def _unschedule(state: State, market: Market) -> None:
    for moment in _moments(market):
        decided = state.moments.get(moment, {})
        decided.pop(market.condition_id, None)
        if not decided:
            state.moments.pop(moment, None)


def _moments(market: Market) -> tuple[str, ...]:
    return tuple(f"{market.symbol}:{ns // MS_NS}" for ns in (market.start_ns, market.end_ns))


def _strike(state: State, market: Market, value_e18: int) -> Outputs:
    current = state.settlements[market.condition_id]
    if current.strike_e18 or current.state == "paid":
        return ()
    return advance(
        state,
        settlement.Strike(
            at_ns=state.now_ns, condition_id=market.condition_id, value_e18=value_e18
        ),
    )


def reported(state: State, fact: facts.OracleReported) -> Outputs:
    """One report of the settlement price: a strike, a close, or just the price now."""
    if fact.symbol not in state.oracles and len(state.oracles) >= ORACLES_MAX:
        state.count("reports_not_kept")
        return ()
    oracle = state.oracles.setdefault(fact.symbol, Oracle(fact.symbol))
    if not oracle.report(fact.report_ms, fact.value_e18, fact.exact):
        state.count("repeated_reports")
        return ()
    state.count("reports")
    market_data.feed_step(state, feed.Snapshot(at_ns=fact.at_ns, name="oracle"))
    outputs: Outputs = ()
    for condition_id in state.moments.get(f"{fact.symbol}:{fact.report_ms}", {}):
        market = state.markets[condition_id]
        if market.twap_lookback_s:
            continue  # settles on an average that these instantaneous reports do not show
        if fact.report_ms == market.start_ns // MS_NS and fact.exact:
            outputs += _strike(state, market, fact.value_e18)
        if fact.report_ms == market.end_ns // MS_NS and _decides(state, market, fact):
            outputs += closed(state, market, fact.value_e18)
    return (*outputs, *leads.decide(state, fact.symbol))


def _decides(state: State, market: Market, fact: facts.OracleReported) -> bool:
    """An exact report does; a double does where its last digits cannot matter."""
    strike = state.settlements[market.condition_id].strike_e18
    return fact.exact or (strike > 0 and abs(fact.value_e18 - strike) > strike // DOUBLE_DIGITS)


def closed(state: State, market: Market, value_e18: int) -> Outputs:
    """The closing second was reported; by our clock the market may not have ended yet."""
    outputs = ended(state, market)
    current = state.settlements[market.condition_id]
    if current.state == "paid":
        return outputs
    action = settlement.CloseReport(
        at_ns=state.now_ns, condition_id=market.condition_id, value_e18=value_e18
    )
    return (*outputs, *advance(state, action))


def ended(state: State, market: Market) -> Outputs:
    """A market's end has passed: no more book, and its outcome is awaited."""
    if state.settlements[market.condition_id].state != "trading":
        return ()
    end = settlement.End(at_ns=state.now_ns, condition_id=market.condition_id)
    outputs = (*advance(state, end), *market_data.unsubscribe(state, market))
    known = state.oracles[market.symbol].at(market.end_ns // MS_NS) if market.symbol else 0
    if known and not market.twap_lookback_s:
        outputs += closed(state, market, known)
    return outputs


def resolved(state: State, fact: facts.MarketResolved) -> Outputs:
    """The venue published what each share pays."""
    condition = fact.condition_id
    known = state.settlements.get(condition)
    if known is not None and known.state == "paid":
        return verdicts.flipped(state, known, fact)
    if condition not in state.markets:
        state.count("unknown_resolution")
        return ()
    verdicts.heard(state, fact)
    action = settlement.Publish(
        at_ns=fact.at_ns,
        condition_id=condition,
        yes_payout=fact.yes_payout,
        no_payout=fact.no_payout,
    )
    outputs = (*advance(state, action), *market_data.unsubscribe(state, state.markets[condition]))
    for order in tuple(state.orders.values()):
        if order.condition_id == condition and order.state not in ENDED:
            state.timers.pop(f"poll:{order.intent_id}", None)  # it was ended with its market: look
    outputs += pay_if_due(state, condition)
    if not verdicts.vouched(state, condition) and state.due(
        f"resolution:{condition}", state.config.poll_ns
    ):
        outputs += (FetchResolution(condition_id=condition),)  # what do the others say?
    return outputs


def decided(state: State, request: facts.DecideRequested) -> Outputs:
    """An operator ends a conflict that the venue does not; told, whatever comes of it."""
    condition = request.condition_id
    payouts = f"{request.yes_payout}/{request.no_payout} of {condition}"
    known = state.settlements.get(condition) if condition in state.markets else None
    if known is not None and request.reason and verdicts.wants_a_voice(state, request):
        return (*verdicts.accepted(state, request), *pay_if_due(state, condition))
    action = settlement.Decide(
        at_ns=request.at_ns,
        condition_id=condition,
        yes_payout=request.yes_payout,
        no_payout=request.no_payout,
        actor=request.actor,
        reason=request.reason,
    )
    if known is None or not request.reason or not SettlementMachine.allows(known, action):
        why = "unknown market" if known is None else f"{known.state}, reason {request.reason!r}"
        return (state.notify("warning", "nothing_decided", f"{payouts}: {why}"),)
    outputs = advance(state, action)
    text = f"{payouts} accepted by {request.actor}: {request.reason}"
    told = state.notify("critical", "outcome_decided", text)
    return (*outputs, told, *pay_if_due(state, condition))


def pay_if_due(state: State, condition_id: str) -> Outputs:
    """Pay once nothing can change any more what we hold of the market."""
    current = state.settlements[condition_id]
    if current.state != "resolved" or any(state.unsettled(condition_id)):
        return ()
    if any(order.condition_id == condition_id for order in state.open_orders()):
        return ()
    if not current.observed and _provable_still(state, condition_id):
        return ()
    if converting.under_way(state, condition_id):
        return ()
    if not verdicts.vouched(state, condition_id):
        return ()
    if not converting.redeemed(state, condition_id):
        return converting.redeem(state, condition_id)
    return advance(state, settlement.Pay(at_ns=state.now_ns, condition_id=condition_id))


def _provable_still(state: State, condition_id: str) -> bool:
    """Our own evidence may yet come: two voices are better than one, for a while."""
    market = state.markets[condition_id]
    waited_ns = state.now_ns - market.end_ns
    observable = market.symbol and market.end_ns and not market.twap_lookback_s
    return bool(observable) and waited_ns <= state.config.close_report_ns_max


def due(state: State, fact: Due) -> Outputs:
    """The positions of a resolved market turn into what it pays."""
    state.count("markets_settled")
    market = state.markets[fact.condition_id]
    outputs: Outputs = ()
    payouts = (fact.yes_payout, fact.no_payout)
    if MILLION not in payouts:
        text = f"{market.slug} has no winner: {fact.yes_payout}/{fact.no_payout}"
        outputs += (state.notify("warning", "outcome_shared", text),)
    state.timers[f"paid:{fact.condition_id}"] = state.now_ns
    state.balances[""] = True  # see whether it has arrived
    for token, payout in zip(market.tokens, payouts, strict=True):
        held = state.positions.get(token)
        if held is None:
            continue
        action = position.Pay(at_ns=fact.at_ns, token_id=token, payout=payout)
        if not PositionMachine.allows(held, action):
            outputs += execution.impossible(state, held, action)
            continue
        state.positions[token], paid = PositionMachine.step(held, action)
        outputs += paid
    return outputs


def paid_out(state: State, fact: PaidOut) -> Outputs:
    """What the venue paid goes to the strategies that held the shares, each its part rounded down.

    The first has the millionths that are left over.
    """
    token, books = fact.token_id, state.ledger
    held = [(s, books.shares(s, token)) for s, _ in books.rounds(token) if books.shares(s, token)]
    parts = [Usdc(fact.amount * shares // fact.shares) if fact.shares else 0 for _, shares in held]
    for (strategy, shares), part in zip(held, parts, strict=True):
        rest = fact.amount - sum(parts) if strategy == held[0][0] else 0
        books.post(ledger.payout(strategy, token, shares, Usdc(part + rest)))
    return ()


def forget(state: State, market: Market) -> None:
    """A paid market leaves memory; its settlement stays on the list."""
    condition = market.condition_id
    state.forget(f"market:{condition}")
    del state.markets[condition]
    event = state.events.get(market.neg_risk_id, {})
    event.pop(condition, None)
    if not event:
        state.events.pop(market.neg_risk_id, None)
    state.books.pop(condition, None)
    state.flows.pop(condition, None)
    triggers.forget(state, market)
    verdicts.forget(state, market)
    drifts.forget(state, market)
    for token in market.tokens:
        del state.market_of[token]
        state.feeds.pop(token, None)
        state.positions.pop(token, None)
        state.timers.pop(f"refetch:{token}", None)
    for timer in ("decide", "resolution", "print", "redeem", "redeemed", "crossed"):
        state.timers.pop(f"{timer}:{condition}", None)
    _unschedule(state, market)
    gone = [known for known in state.settlements if known not in state.markets]
    for known in gone[:-SETTLEMENTS_MAX]:
        del state.settlements[known]

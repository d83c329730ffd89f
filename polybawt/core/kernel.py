"""The whole engine as one function: facts in, commands out.

``step`` applies one fact from outside and every fact that follows from it, in order;
``route`` hands each to the one owner of the state it changes, and decides nothing else.  This is
the table of contents of the engine.  Follow a fill through it, top to bottom:
book -> strategy -> risk -> order -> venue -> trade -> position -> settlement -> ledger.
"""

from collections import deque
from typing import Final

from polybawt.core import (
    approvals,
    breakers,
    contact,
    converting,
    execution,
    facts,
    fills,
    flattening,
    hedging,
    kill,
    leads,
    links,
    market_data,
    outcomes,
    reconcile,
    timers,
    verdicts,
    watch,
)
from polybawt.core.machine import Command, Fact, Outputs
from polybawt.core.machines import approval, conversion, hedge, order, recovery, trade, venue_mode
from polybawt.core.machines.position import PaidOut
from polybawt.core.machines.settlement import Due
from polybawt.core.plausible import doubt
from polybawt.core.risk import Refused
from polybawt.core.state import State
from polybawt.core.strategies import Intent, NewHedge, Swap, Withdraw

FACTS_MAX: Final = 100_000  # one fact may set off this many and no more


def step(state: State, fact: Fact) -> tuple[Command, ...]:
    """Apply one fact from outside; what has to be done about it comes back."""
    assert fact.at_ns >= 0, fact
    state.now_ns = max(state.now_ns, fact.at_ns)  # receivers race; time does not go back
    state.count("facts")
    if why := doubt(fact, state.now_ns):
        state.count("absurd")
        text = f"{type(fact).__name__}: {why}"[:200]
        return (state.notify("warning", "absurd", text),)
    queue, commands = deque([fact]), list[Command]()
    for _ in range(FACTS_MAX):
        if not queue:
            assert state.ledger.imbalance() == 0, fact
            return tuple(commands)
        for output in route(state, queue.popleft()):
            if isinstance(output, Command):
                commands.append(output)
            else:
                queue.append(output)
    raise AssertionError(f"{fact} set off more than {FACTS_MAX} facts")


def route(state: State, fact: Fact) -> Outputs:
    """One fact to the one owner of what it changes."""
    match fact:
        case facts.Tick():
            return timers.tick(state)
        case facts.Started():
            return (*reconcile.started(state, fact), *contact.begin(state))
        case facts.StopRequested():
            return reconcile.stop_requested(state, fact)
        case facts.KillRequested():
            return kill.fire(state, fact)
        case facts.ResetRequested(breaker=kill.NAME):
            return kill.reset(state, fact)
        case facts.ResetRequested():
            return breakers.reset(state, fact)
        case facts.FlattenRequested():
            return flattening.requested(state, fact)
        case facts.DecideRequested():
            return outcomes.decided(state, fact)
        case facts.ApproveRequested() | facts.DeclineRequested():
            return approvals.clicked(state, fact)
        case facts.MarketListed():
            return outcomes.listed(state, fact)
        case facts.LinkUp() | facts.LinkHeard() | facts.LinkDown():
            return links.link(state, fact)
        case facts.LinkRefused():
            return links.refused(state, fact)
        case facts.LinkGap():
            return links.gap(state, fact)
        case facts.BookSnapshot():
            return market_data.snapshot(state, fact)
        case facts.PriceChanged():
            return market_data.changed(state, fact)
        case facts.LastTrade():
            return market_data.traded(state, fact)
        case facts.TickSizeChanged():
            return market_data.tick_changed(state, fact)
        case facts.OracleReported():
            return outcomes.reported(state, fact)
        case facts.SpotReported():
            return leads.spotted(state, fact)
        case facts.MarketResolved():
            return outcomes.resolved(state, fact)
        case facts.ResolutionReported():
            return verdicts.stands(state, fact)
        case facts.OrderPushed():
            return execution.pushed(state, fact)
        case facts.TradeReported():
            return fills.trade_reported(state, fact)
        case facts.OpenOrdersRead():
            outputs = reconcile.open_orders_read(state, fact)
            return (*outputs, *contact.whole_read(state, "orders", fact.sent_ns))
        case facts.TradesRead():
            outputs = reconcile.trades_read(state, fact)
            whole = not fact.condition_id
            return (*outputs, *(contact.whole_read(state, "trades", fact.sent_ns) if whole else ()))
        case facts.BalanceRead():
            return reconcile.balance_read(state, fact)
        case facts.ReadFailed():
            return reconcile.read_failed(state, fact)
        case facts.BadInput():
            state.count("bad_input")
            text = f"{fact.source}: {fact.reason}: {fact.excerpt}"
            return (state.notify("warning", "bad_input", text), *watch.garbled(state, fact))
        case Intent(approval=True):
            return approvals.asked(state, fact)
        case approval.Granted():
            return approvals.granted(state, fact)
        case Intent():
            return execution.wanted(state, fact)
        case Withdraw():
            return execution.withdrawn(state, fact)
        case Refused():
            state.count("refused")
            state.count(f"refused:{fact.check}")
            state.count(f"refusals:{fact.intent.strategy}")
            return hedging.refused(state, fact)
        case NewHedge():
            return hedging.proposed(state, fact)
        case hedge.Wanted():
            return hedging.wanted(state, fact)
        case hedge.Unwanted():
            return hedging.unwanted(state, fact)
        case hedge.Stranded():
            return hedging.stranded(state, fact)
        case order.Action():
            return execution.drive(state, fact)
        case Swap():
            return converting.wanted(state, fact)
        case conversion.Action():
            return converting.drive(state, fact)
        case conversion.Booked() | conversion.Unbooked():
            return converting.booked(state, fact)
        case conversion.Ended():
            return converting.ended(state, fact)
        case venue_mode.Action():
            return contact.turn(state, fact)
        case venue_mode.Probing():
            return contact.probing(state, fact)
        case facts.Heartbeat():
            return contact.beat(state, fact)
        case facts.ClockRead():
            return contact.clock_read(state, fact)
        case facts.VersionRead():
            return contact.version_read(state, fact)
        case recovery.Action():
            return reconcile.turn(state, fact)
        case recovery.Query():
            return reconcile.asked(state, fact)
        case trade.Filled():
            return fills.filled(state, fact)
        case trade.Voided():
            return fills.voided(state, fact)
        case trade.Settled():
            return fills.settled(state, fact)
        case Due():
            return outcomes.due(state, fact)
        case PaidOut():
            return outcomes.paid_out(state, fact)
        case _:
            raise AssertionError(f"no owner for {fact}")

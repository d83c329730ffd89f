"""What came by: the tail of events, the profit of each second, and the rate of each kind.

Facts that come many times a second are counted, not listed; each of the others is a line, said
in words.  Everything is bounded and is only as old as this terminal: the journal has the rest.
"""

from collections import Counter, deque
from typing import Final

from attrs import evolve, field, frozen

from polybawt.core import facts
from polybawt.core.commands import CancelAll, CancelOrder, Notify, PostOrder
from polybawt.core.machine import Command, Fact
from polybawt.core.machines import order
from polybawt.core.state import State
from polybawt.core.units import SECOND_NS
from polybawt.engine.replica import Change, Folded, Lost, Replica, Synced
from polybawt_tui import text
from polybawt_tui.names import token_text

ENTRIES_MAX: Final = 500
FLOW_NS_MIN: Final = 5 * SECOND_NS  # a quiet time that is worth a line of its own
PROFITS_MAX: Final = 900  # one a second
FLOW: Final = {
    facts.Tick: "ticks",
    facts.PriceChanged: "prices",
    facts.BookSnapshot: "books",
    facts.LastTrade: "prints",
    facts.OracleReported: "oracle",
    facts.LinkHeard: "pongs",
    facts.MarketListed: "markets",
    facts.BalanceRead: "balances",
    facts.TradesRead: "trade reads",
    facts.OpenOrdersRead: "order reads",
    order.ReadOpen: "order polls",
    order.Sign: "signatures",
}
"""Kinds that are counted, and what they are called."""


@frozen(kw_only=True)
class Entry:
    """One line of the tail; ``times`` counts its repeats, ``flow`` what came since ``at_ns``."""

    at_ns: int
    severity: str
    words: str = ""
    times: int = 1
    flow: dict[str, int] = field(factory=dict)


class History:
    """Listens to one replica; ``take`` is called once for each of its changes."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self.entries: deque[Entry] = deque(maxlen=ENTRIES_MAX)
        self.profits: deque[int] = deque(maxlen=PROFITS_MAX)
        self.rates: Counter[str] = Counter()  # of the last whole second
        self._second = 0
        self._counting: Counter[str] = Counter()
        self._lost = ""

    def take(self, change: Change) -> None:
        match change:
            case Folded():
                self._fold(change)
            case Synced():
                again = " again" if self.entries else ""
                words = f"whole state taken over{again} as of fact {change.seq:,}"
                self._add(self._replica.state.now_ns, "link", words)
                self._lost = ""
            case Lost():
                if change.reason != self._lost:  # a link that stays away is told once
                    words = f"stream lost: {text.printable(change.reason)}"
                    self._add(self._replica.state.now_ns, "critical", words)
                self._lost = change.reason

    def _fold(self, folded: Folded) -> None:
        state, fact = self._replica.state, folded.fact
        name = FLOW.get(type(fact))
        self._count(state, name or type(fact).__name__)
        if name is None:
            self._add(fact.at_ns, severity_of(fact), words_of(state, fact))
        else:
            self._flow(fact.at_ns, name)
        for command in folded.commands:
            self._command(state, fact.at_ns, command)

    def _command(self, state: State, at_ns: int, command: Command) -> None:
        match command:
            case Notify():
                words = text.printable(command.text)
                self._add(at_ns, command.severity, f"{command.name}: {words}")
            case PostOrder():
                self._add(at_ns, "act", f"send {order_text(state, command.intent_id)}")
            case CancelOrder():
                target = command.intent_id or text.printable(command.order_id[:18])
                self._add(at_ns, "act", f"ask the venue to cancel {target}")
            case CancelAll():
                self._add(at_ns, "act", "ask the venue to cancel all our orders")
            case _:
                pass

    def _flow(self, at_ns: int, name: str) -> None:
        """Count one more in the last line of the tail, which is always such a line."""
        last = self.entries[-1] if self.entries else None
        if last is None or not last.flow:
            last = Entry(at_ns=at_ns, severity="flow")
            self.entries.append(last)
        last.flow[name] = last.flow.get(name, 0) + 1

    def _add(self, at_ns: int, severity: str, words: str) -> None:
        """List one line; counts of a short while give way to it."""
        last = self.entries[-1] if self.entries else None
        if last and last.flow and at_ns - last.at_ns < FLOW_NS_MIN:
            self.entries.pop()
            last = self.entries[-1] if self.entries else None
        if last and (last.severity, last.words) == (severity, words):
            self.entries[-1] = evolve(last, at_ns=at_ns, times=last.times + 1)
        else:
            self.entries.append(Entry(at_ns=at_ns, severity=severity, words=words))

    def _count(self, state: State, name: str) -> None:
        second = state.now_ns // SECOND_NS
        if second != self._second:
            whole = second == self._second + 1
            self.rates = self._counting if whole else Counter()
            self._second, self._counting = second, Counter()
            if state.ledger.deposited:
                self.profits.append(state.pnl())
        self._counting[name] += 1


def severity_of(fact: Fact) -> str:
    match fact:
        case facts.KillRequested():
            return "critical"
        case order.Timeout() | order.CancelTimeout() | order.Duplicate() | order.ReadMissing():
            return "warning"
        case facts.TradeReported(status="FAILED"):
            return "critical"
        case facts.StopRequested() | facts.ResetRequested() | facts.LinkUp():
            return "link"
        case _:
            return "fact"


def words_of(state: State, fact: Fact) -> str:
    """One fact in words, printable; amounts are the fact's own."""
    return text.printable(_words_of(state, fact))


def _words_of(state: State, fact: Fact) -> str:
    match fact:
        case facts.TradeReported():
            terms = f"{fact.side} {text.shares(fact.shares)} @ {text.price(fact.price)}"
            where = token_text(state, fact.token_id)
            return f"trade {fact.trade_id[:8]} {fact.status} {terms} {where} ({fact.source})"
        case facts.KillRequested():
            return f"KILL asked by {fact.actor} ({fact.source}): {fact.reason}"
        case facts.ResetRequested():
            return f"reset of {fact.breaker} asked by {fact.actor}: {fact.reason}"
        case facts.StopRequested():
            return f"stop asked by {fact.actor}"
        case facts.Started():
            return f"engine started, epoch {fact.epoch}"
        case facts.LinkUp():
            return f"{fact.link} stream is up"
        case facts.LinkDown():
            return f"{fact.link} stream is down: {fact.reason}"
        case facts.OrderPushed():
            intent = state.intent_of.get(fact.order_id, fact.order_id[:12])
            return f"{intent} push {fact.kind} {fact.status}"
        case facts.MarketResolved():
            market = state.markets.get(fact.condition_id)
            pays = f"Up {text.price(fact.yes_payout)} Down {text.price(fact.no_payout)}"
            label = token_text(state, market.yes_token)[:-3] if market else fact.condition_id[:12]
            return f"the venue resolved {label}: pays {pays}"
        case facts.BadInput():
            return f"bad input from {fact.source}: {fact.reason}: {fact.excerpt}"
        case facts.ReadFailed():
            return f"read failed: {fact.what}: {fact.reason}"
        case order.Timeout() | order.CancelTimeout() | order.Reject() | order.CancelRefused():
            return f"{fact.intent_id} {_ANSWERS[type(fact)]}: {fact.reason}"
        case order.ReadClosed():
            matched = text.shares(fact.matched)
            return f"{fact.intent_id} its record: {fact.outcome}, {matched} matched"
        case order.Action():
            return f"{fact.intent_id} {_ANSWERS.get(type(fact), type(fact).__name__)}"
        case _:
            return type(fact).__name__


_ANSWERS: Final[dict[type[Fact], str]] = {
    order.Timeout: "no answer to the submission",
    order.Reject: "refused",
    order.AckLive: "is live at the venue",
    order.AckDelayed: "is held for the taker delay",
    order.Duplicate: "the venue knew these bytes already",
    order.CancelDone: "the venue took the cancel",
    order.CancelRefused: "cancel refused",
    order.CancelTimeout: "no answer to the cancel",
    order.ReadMissing: "the venue shows no such order",
}


def order_text(state: State, intent_id: str) -> str:
    record = state.orders.get(intent_id)
    if record is None:
        return intent_id
    terms = f"{record.side} {text.shares(record.size)} @ {text.price(record.price)}"
    return f"{intent_id} {terms} {token_text(state, record.token_id)}"

"""The whole kernel against a scripted exchange, and against anything at all.

Two games.  In the first Hypothesis plays strategy, network, exchange, operator and clock; the
exchange keeps its own account, so that in the end our ledger can be compared with it.  In the
second it says arbitrary well-typed nonsense, in any order.  After every fact of either game the
same things hold: money balances, reservations are what the open orders say, no order was made
above a limit, none left after a kill, and the same facts lead to the same state, also from a
snapshot in their middle.
"""

from typing import Any

from attrs import define, evolve, field
from hypothesis import given, note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import precondition as when

from polybawt.core import exposures, facts
from polybawt.core.codec import decode, decode_state, encode, encode_state
from polybawt.core.commands import (
    CancelAll,
    PostOrder,
    SignOrder,
)
from polybawt.core.kernel import step
from polybawt.core.machine import Command, Fact
from polybawt.core.machines import order
from polybawt.core.machines.order import ENDED, Order
from polybawt.core.market import LOT, Side
from polybawt.core.risk import Limits
from polybawt.core.state import Config, State
from polybawt.core.strategies import Intent
from polybawt.core.strategies.value import Value
from polybawt.core.units import MILLION, MS_NS, SECOND_NS, Price, Shares, Usdc, cost_up
from tests.core.anything import records
from tests.core.script import MARKET, NO, QUIET, T0, YES, Script, snapshot

GAME = Config(
    strategies=(),
    limits=Limits(
        total_exposure_max=Usdc(15 * MILLION),
        joint_exposure_max=Usdc(13 * MILLION),
        condition_exposure_max=Usdc(12 * MILLION),
        class_exposure_max=Usdc(14 * MILLION),
        oracle_age_ns_max=2**62,
    ),
)
TRADING = Config(strategies=(Value(trust_micro=MILLION),))


# What always holds.


def check_state(state: State) -> None:
    """Money balances and nothing that is derived has a life of its own."""
    assert state.ledger.imbalance() == 0
    reserved = 0
    for record in state.orders.values():
        if record.state in ENDED or record.side is Side.SELL:
            continue
        rest = Shares(record.size - record.filled)
        fees = state.markets[record.condition_id].fees
        reserved += cost_up(record.price, rest) + (
            0 if record.post_only else fees.fee_up(record.price, rest)
        )
    assert sum(map(state.reserved, state.orders.values())) == reserved
    assert state.cash_free() == state.ledger.cash - reserved
    put_in = (p.spent + p.fees - p.earned for p in state.positions.values() if p.state != "settled")
    held = sum(max(0, outlay) for outlay in put_in)
    parts: dict[str, int] = {}
    for strategy, token in state.ledger.rounds():
        shares = state.ledger.shares(strategy, token)
        parts[token] = parts.get(token, 0) + shares
    assert {t: n for t, n in parts.items() if n} == state.ledger.holdings
    assert state.total_exposure() == held + reserved
    assert {o.order_id: o.intent_id for o in state.orders.values() if o.order_id} == state.intent_of


def check_orders(state: State, known: set[str], said: tuple[Command, ...]) -> None:
    """No order is made above a limit, and none leaves after a kill."""
    limits = state.config.limits
    for intent_id in set(state.orders) - known:
        made = state.orders[intent_id]
        if made.side is Side.BUY:
            assert state.exposure(made.token_id) <= limits.token_exposure_max
            assert state.total_exposure() <= limits.total_exposure_max
            assert state.cash_free() >= 0
            assert made.price <= limits.price_cap
            within_every_limit(state, made)
        else:
            assert state.shares_free(made.token_id) >= 0
    if state.killed() or state.phase != "trading":
        assert not [command for command in said if isinstance(command, SignOrder | PostOrder)]


_class = exposures.asset_class


def within_every_limit(state: State, made: Order) -> None:
    """Every way of counting, to the micro-unit, the new order in it."""
    limits, market = state.config.limits, state.markets[made.condition_id]
    kind = _class(market)
    name, event = made.strategy, market.event_id
    for counted, most in (
        (exposures.of_markets(state, lambda m: m is market), limits.condition_exposure_max),
        (exposures.of_markets(state, lambda m: _class(m) == kind), limits.of_class(kind)),
        (exposures.of_strategy(state, name), exposures.strategy_max(state, name)),
        (exposures.together(state), limits.joint_exposure_max),
        (exposures.of_markets(state, lambda m: len(event) > 0 and m.event_id == event),
         limits.event_exposure_max),
    ):  # fmt: skip
        assert counted <= most


def replayed(told: list[Fact], state: State | None = None) -> State:
    state = State() if state is None else state
    for fact in told:  # an intent is derived in earnest; here it stands for a strategy
        step(state, fact if isinstance(fact, Intent) else decode(*encode(fact)))
    return state


# The first game: a scripted exchange.


@define
class Resting:
    """An order as the exchange sees it."""

    intent_id: str
    token_id: str
    side: Side
    price: Price
    size: Shares
    order_id: str
    ends_ns: int
    matched: int = 0
    open: bool = True

    @property
    def rest(self) -> int:
        return self.size - self.matched if self.open else 0


class KernelLife(RuleBasedStateMachine):
    """Names follow the exchange's own words; a rule tells the kernel what it may hear of it."""

    @initialize()
    def init(self) -> None:
        self.script = Script(config=GAME)
        self.middle: tuple[int, bytes] | None = None
        self.asked: list[SignOrder] = []
        self.wire: dict[str, SignOrder] = {}  # order id to terms, posted and not yet arrived
        self.terms: dict[str, SignOrder] = {}
        self.books: dict[str, Resting] = {}
        self.trades: dict[str, facts.TradeReported] = {}
        self.unheard: set[str] = set()
        self.posted: list[str] = []
        self.traded = 0
        self.script.start()
        self.hear()
        self.pass_time(1.0)
        self.show_book(40, 60)

    # The wire.

    def tell(self, *told: Fact) -> None:
        """One by one, with everything checked in between; what comes out goes on the wire."""
        for fact in told:
            known = set(self.script.state.orders)
            self.script.say(fact)
            check_orders(self.script.state, known, self.script.said)
            self.hear()

    def hear(self) -> None:
        for command in self.script.said:
            match command:
                case SignOrder():
                    self.asked.append(command)
                case PostOrder():
                    assert command.order_id not in self.posted, "posted twice"
                    self.posted.append(command.order_id)
                    self.wire[command.order_id] = self.terms[command.order_id]
                case CancelAll():
                    for resting in self.books.values():
                        resting.open = False
                case _:
                    pass

    def pass_time(self, seconds: float) -> None:
        self.script.now_ns += round(seconds * SECOND_NS)
        for ours in self.books.values():
            ours.open = ours.open and self.script.now_ns < ours.ends_ns
        self.tell(facts.Tick())

    def show_book(self, bid: int, ask: int) -> None:
        levels = (
            ((Price(bid * 10_000), Shares(100 * MILLION)),),
            ((Price(ask * 10_000), Shares(100 * MILLION)),),
        )
        self.script.now_ns += MS_NS
        books = (snapshot(MARKET, t, *levels, self.script.now_ns) for t in MARKET.tokens)
        self.tell(*books)

    # We.

    @rule(
        token=st.sampled_from((YES, NO)),
        side=st.sampled_from((Side.BUY, Side.BUY, Side.SELL)),
        cents=st.integers(1, 99),
        size=st.integers(400, 3_000),
        post_only=st.booleans(),
    )
    def want(self, token: str, side: Side, cents: int, size: int, post_only: bool) -> None:
        self.tell(
            Intent(
                strategy="test", condition_id="0xc1", token_id=token, side=side,
                price=Price(cents * 10_000), size=Shares(size * LOT), post_only=post_only,
                lifetime_s=20,
            )
        )  # fmt: skip

    def be_ready(self) -> None:
        """Whatever was cut is there again, asked and answered: else few orders would ever leave."""
        state = self.script.state
        for link in ("market", "user", "oracle"):
            if state.feeds[link].state == "down":
                self.tell(facts.LinkUp(link=link), facts.LinkHeard(link=link))
        if state.killed():
            self.tell(facts.ResetRequested(breaker="kill", actor="me", reason="test"))
        if state.phase != "trading" or state.rereads:
            self.agree()
        self.show_book(40, 60)

    @when(lambda self: self.asked)
    @rule()
    def sign(self) -> None:
        terms = self.asked.pop(0)
        order_id = f"0xid-{terms.salt}"
        self.terms[order_id] = terms
        self.tell(order.Sign(intent_id=terms.intent_id, order_id=order_id, payload="{}"))

    @rule(token=st.sampled_from((YES, NO)), cents=st.integers(5, 60), size=st.integers(500, 1_500))
    def rest(self, token: str, cents: int, size: int) -> None:
        """All of it at once, as it mostly goes."""
        self.be_ready()
        self.want(token, Side.BUY, cents, size, post_only=True)
        if self.asked:
            self.sign()
        if self.wire:
            self.arrive("live")

    # The exchange.

    @when(lambda self: self.wire)
    @rule(fate=st.sampled_from(("live", "live", "live", "delayed", "refused", "lost", "silent")))
    def arrive(self, fate: str) -> None:
        order_id, terms = self.wire.popitem()
        intent_id = terms.intent_id
        ends_ns = (terms.expiration_s - GAME.gtd_margin_s) * SECOND_NS
        if self.script.now_ns >= ends_ns:  # it may arrive whenever it likes, but not that late
            fate = "lost" if fate == "silent" else "refused"
        if fate in ("live", "delayed", "silent"):
            self.books[order_id] = Resting(
                intent_id, terms.token_id, terms.side, terms.price, terms.size, order_id, ends_ns
            )
        answer: dict[str, Fact] = {
            "live": order.AckLive(intent_id=intent_id),
            "delayed": order.AckDelayed(intent_id=intent_id),
            "refused": order.Reject(intent_id=intent_id, reason="no"),
            "lost": order.Timeout(intent_id=intent_id, reason="lost"),
            "silent": order.Timeout(intent_id=intent_id, reason="silent"),
        }
        self.tell(answer[fate])

    def open_books(self) -> list[Resting]:
        return [resting for resting in self.books.values() if resting.rest]

    @when(lambda self: self.open_books())
    @rule(
        choice=st.integers(0, 9),
        share=st.integers(1, 10),
        taker=st.booleans(),
        heard=st.booleans(),
    )
    def match(self, choice: int, share: int, taker: bool, heard: bool) -> None:
        """It matches; we may hear of it later."""
        ours = self.open_books()[choice % len(self.open_books())]
        lots = max(1, ours.rest // LOT * share // 10)
        size = Shares(min(lots * LOT, ours.rest))
        ours.matched += size
        self.traded += 1
        part = facts.MakerFill(
            order_id="0xother" if taker else ours.order_id,
            token_id=ours.token_id,
            side=ours.side.other if taker else ours.side,
            price=ours.price,
            shares=size,
        )
        trade_id = f"t{self.traded}"
        self.trades[trade_id] = facts.TradeReported(
            trade_id=trade_id,
            status="MATCHED",
            condition_id="0xc1",
            taker_order_id=ours.order_id if taker else "0xother",
            token_id=ours.token_id,
            side=ours.side if taker else ours.side.other,
            price=ours.price,
            shares=size,
            makers=(part,),
            match_s=self.script.now_ns // SECOND_NS,
            source="push",
        )
        self.unheard.add(trade_id)
        if heard:
            self.push_trade(self.traded - 1, old=False)

    @when(lambda self: self.trades)
    @rule(
        choice=st.integers(0, 99),
        status=st.sampled_from(("MINED", "RETRYING", "CONFIRMED", "FAILED")),
        heard=st.booleans(),
    )
    def settle(self, choice: int, status: str, heard: bool) -> None:
        trade_id = list(self.trades)[choice % len(self.trades)]
        known = self.trades[trade_id]
        if known.status not in ("CONFIRMED", "FAILED"):
            self.trades[trade_id] = evolve(known, status=status)
            self.unheard.add(trade_id)
            if heard:
                self.push_trade(choice, old=False)

    @when(lambda self: self.trades)
    @rule(choice=st.integers(0, 99), old=st.booleans())
    def push_trade(self, choice: int, old: bool) -> None:
        """What is, or once more what was."""
        trade_id = list(self.trades)[choice % len(self.trades)]
        push = self.trades[trade_id]
        if old and trade_id not in self.unheard:
            push = evolve(push, status="MATCHED")
        else:
            self.unheard.discard(trade_id)
        self.tell(push)

    @when(lambda self: self.books)
    @rule(choice=st.integers(0, 99))
    def push_order(self, choice: int) -> None:
        ours = list(self.books.values())[choice % len(self.books)]
        over = not ours.open
        self.tell(
            facts.OrderPushed(
                order_id=ours.order_id,
                kind="CANCELLATION" if over else "UPDATE",
                status="CANCELED" if over else "LIVE" if ours.rest else "MATCHED",
                matched=Shares(ours.matched),
            )
        )

    @when(lambda self: self.open_books())
    @rule(choice=st.integers(0, 9))
    def expire(self, choice: int) -> None:
        self.open_books()[choice % len(self.open_books())].open = False

    @when(lambda self: self.script.state.orders)
    @rule(choice=st.integers(0, 9), kind=st.sampled_from(("done", "refused", "silent")))
    def answer_cancel(self, choice: int, kind: str) -> None:
        waiting = [o for o in self.script.state.orders.values() if o.state == "pending_cancel"]
        if not waiting:
            return
        record = waiting[choice % len(waiting)]
        ours = self.books.get(record.order_id)
        if kind == "done" and ours and ours.rest:
            ours.open = False
            self.tell(order.CancelDone(intent_id=record.intent_id))
        elif kind == "silent":
            self.tell(order.CancelTimeout(intent_id=record.intent_id))
        else:
            self.tell(order.CancelRefused(intent_id=record.intent_id))

    @when(lambda self: self.script.state.orders)
    @rule(choice=st.integers(0, 9))
    def read_order(self, choice: int) -> None:
        records_ = [o for o in self.script.state.orders.values() if o.order_id in self.posted]
        if records_:
            self.tell(self.record_of(records_[choice % len(records_)]))

    def record_of(self, record: order.Order) -> Fact:
        ours, intent_id = self.books.get(record.order_id), record.intent_id
        if ours is None:
            return order.ReadMissing(intent_id=intent_id)
        matched = Shares(ours.matched)
        if ours.rest:
            return order.ReadOpen(intent_id=intent_id, matched=matched)
        return order.ReadClosed(intent_id=intent_id, matched=matched, outcome="cancelled")

    @rule()
    def read_trades(self) -> None:
        self.unheard.clear()
        read = [evolve(trade, source="read") for trade in self.trades.values()]
        self.tell(*read, facts.TradesRead(condition_id="", count=len(read)))

    # Clock, operator, network.

    @rule(seconds=st.sampled_from((0.05, 0.2, 1.0, 3.5, 11.0, 31.0)))
    def wait(self, seconds: float) -> None:
        self.pass_time(seconds)

    @rule(bid=st.integers(2, 49), ask=st.integers(50, 98))
    def quote(self, bid: int, ask: int) -> None:
        self.show_book(bid, ask)

    @rule(link=st.sampled_from(("market", "user", "oracle")), up=st.booleans())
    def relink(self, link: str, up: bool) -> None:
        self.tell(facts.LinkDown(link=link, reason="reset"))
        if up:
            self.tell(facts.LinkUp(link=link), facts.LinkHeard(link=link))

    @rule(reset=st.booleans())
    def kill(self, reset: bool) -> None:
        self.tell(facts.KillRequested(actor="me", reason="test", source="file"))
        if reset:
            self.tell(facts.ResetRequested(breaker="kill", actor="me", reason="test"))

    @rule()
    def restart(self) -> None:
        """The process dies with all that was on its way in it, but not what has arrived."""
        self.asked.clear()
        self.tell(facts.Started(epoch=self.script.state.epoch + 1, config=GAME))
        self.tell(*self.script.links())

    @rule()
    def agree(self) -> None:
        """Everything that a start asks is answered truthfully."""
        self.read_trades()
        for record in tuple(self.script.state.orders.values()):
            if f"order:{record.intent_id}" in self.script.state.awaited:
                self.tell(self.record_of(record))
        rests = tuple(ours.order_id for ours in self.open_books())
        cash = self.script.state.ledger.cash
        self.tell(
            facts.OpenOrdersRead(order_ids=rests), facts.BalanceRead(token_id="", amount=cash)
        )
        self.pass_time(0.1)

    @rule()
    def keep_snapshot(self) -> None:
        self.middle = len(self.script.heard), encode_state(self.script.state)

    # What must always hold.

    @invariant()
    def money_balances_and_reservations_follow(self) -> None:
        if hasattr(self, "script"):
            check_state(self.script.state)

    @invariant()
    def nothing_is_impossible(self) -> None:
        """This exchange is late and lossy, and never lies."""
        if hasattr(self, "script"):
            lies = [n.text for n in self.script.state.notices if n.name == "impossible"]
            assert lies == []
            assert not {"strangers", "orphans", "late_trades"} & set(self.script.state.counters)

    def teardown(self) -> None:
        if not hasattr(self, "script"):
            return
        self.come_to_rest()
        self.replay()

    def replay(self) -> None:
        """Determinism: the same facts, the same state; also from a snapshot in the middle."""
        told, state = self.script.heard, self.script.state
        assert replayed(told) == state
        if self.middle:
            count, body = self.middle
            assert replayed(told[count:], decode_state(body)) == state

    def come_to_rest(self) -> None:
        """Let everything be heard: then our ledger is the exchange's account of us."""
        self.tell(facts.KillRequested(actor="end", reason="end", source="file"))
        while self.asked:
            self.sign()
        while self.wire:
            self.arrive("live")
        for ours in self.books.values():
            ours.open = False
        for trade_id, trade in self.trades.items():
            if trade.status not in ("CONFIRMED", "FAILED"):
                self.trades[trade_id] = evolve(trade, status="CONFIRMED")
        for _ in range(6):
            self.pass_time(25)
            self.read_trades()
            for record in tuple(self.script.state.orders.values()):
                if record.order_id in self.posted:
                    self.tell(self.record_of(record))
        assert [o.state for o in self.script.state.open_orders()] == []
        assert list(self.script.state.unsettled()) == []
        cash, held = self.account()
        assert self.script.state.ledger.cash == cash
        assert self.script.state.ledger.holdings == held

    def account(self) -> tuple[int, dict[str, int]]:
        """The exchange's own books of us, computed apart from the kernel's."""
        cash, held = 1_000 * MILLION, {YES: 0, NO: 0}
        for trade in self.trades.values():
            if trade.status == "FAILED":
                continue
            taker = trade.taker_order_id != "0xother"
            ours = self.books[trade.taker_order_id if taker else trade.makers[0].order_id]
            fee = MARKET.fees.charged(trade.price, trade.shares) if taker else 0
            exact = trade.price * trade.shares
            if ours.side is Side.BUY:
                cash -= -(-exact // MILLION) + fee
                held[ours.token_id] += trade.shares
            else:
                cash += exact // MILLION - fee
                held[ours.token_id] -= trade.shares
        return cash, {token: amount for token, amount in held.items() if amount}


TestKernelLife = KernelLife.TestCase


# The second game: anything at all.

IDS = st.sampled_from(("i1", "i2", "i3", "i9"))
ORDER_IDS = st.sampled_from(("0xid-i1", "0xid-i2", "0xid-i3", "0xother", ""))
AMOUNTS = st.one_of(
    st.sampled_from((0, 1, LOT, 5 * MILLION, 10 * MILLION, -1, 10**15, 10**18, 2**62, -(2**62))),
    st.integers(1, 500).map(lambda lots: lots * LOT),
)
PRICES = st.one_of(
    st.integers(1, 99).map(lambda cents: cents * 10_000),
    st.sampled_from((0, -1, 100, 400_100, 999_900, MILLION, MILLION + 1, 123, -(10**6), 2**62)),
)
MILLIS = st.one_of(
    st.integers(0, 400_000).map(lambda ms: T0 // MS_NS + ms),
    st.integers(0, 60).map(lambda seconds: T0 // MS_NS + seconds * 1_000),
    st.sampled_from((0, -1, T0 // MS_NS + 300_000, 10**15, 2**62)),
)
KNOWN: dict[str, st.SearchStrategy[Any]] = {
    "at_ns": st.just(0),
    "intent_id": IDS,
    "order_id": ORDER_IDS,
    "taker_order_id": ORDER_IDS,
    "order_ids": st.lists(ORDER_IDS, max_size=3).map(tuple),
    "trade_id": st.sampled_from(("t1", "t2", "t3", "")),
    "condition_id": st.sampled_from(("0xc1", "0xc1", "0xc2", "")),
    "token_id": st.sampled_from((YES, YES, NO, "2001", "9", "")),
    "yes_token": st.sampled_from((YES, "2001", "")),
    "no_token": st.sampled_from((NO, "2002", YES)),
    "symbol": st.sampled_from(("btc/usd", "btc/usd", "eth/usd", "")),
    "link": st.sampled_from(("market", "user", "oracle", "other")),
    "breaker": st.sampled_from(("kill", "venue", "other")),
    "kind": st.sampled_from(("PLACEMENT", "UPDATE", "CANCELLATION", "?")),
    "status": st.sampled_from(
        ("MATCHED", "MINED", "CONFIRMED", "RETRYING", "FAILED", "LIVE", "DELAYED", "CANCELED", "?")
    ),
    "outcome": st.sampled_from(("cancelled", "rejected", "expired", "?")),
    "source": st.sampled_from(("ws", "rest", "push", "read")),
    "price": PRICES,
    "size": AMOUNTS,
    "shares": AMOUNTS,
    "matched": AMOUNTS,
    "amount": AMOUNTS,
    "yes_payout": st.sampled_from((0, MILLION, MILLION // 2, -1, 2 * MILLION)),
    "no_payout": st.sampled_from((0, MILLION, MILLION // 2, -1)),
    "tick": st.sampled_from((10_000, 1_000, 100, 0, -100, 30_000, MILLION)),
    "min_size": st.sampled_from((0, 5 * MILLION, -1)),
    "rate_micro": st.sampled_from((0, 70_000, MILLION, -1)),
    "exponent": st.sampled_from((0, 1, 2, 10**9, -1)),
    "start_ns": st.sampled_from((T0, T0 + 60 * SECOND_NS, 0, -1)),
    "end_ns": st.sampled_from((T0 + 300 * SECOND_NS, T0 + 360 * SECOND_NS, 0, 2**62)),
    "timestamp_ms": MILLIS,
    "report_ms": MILLIS,
    "match_s": st.sampled_from((0, T0 // SECOND_NS, T0 // SECOND_NS + 50, -1, 2**62)),
    "value_e18": st.one_of(
        st.sampled_from((0, -1, 1, 10**36, 10**40)),
        st.integers(69_000, 71_000).map(lambda dollars: dollars * 10**18),
    ),
    "strike_e18": st.sampled_from((0, 70_000 * 10**18, 1, -1, 10**40)),
    "epoch": st.integers(1, 9),
    "config": st.sampled_from((QUIET, TRADING, Config())),
    "hash": st.sampled_from(("", "0" * 40)),
}
HONEST_BOOKS = st.builds(
    lambda bid, ask, token: snapshot(
        MARKET,
        token,
        ((Price(bid * 10_000), Shares(50 * MILLION)),),
        ((Price(ask * 10_000), Shares(50 * MILLION)),),
        T0,
    ),
    st.integers(1, 49),
    st.integers(50, 99),
    st.sampled_from((YES, NO)),
)
TEXTS = {"tick": st.sampled_from(("0.01", "")), "min_size": st.sampled_from(("5", ""))}
CREDIBLE: dict[str, st.SearchStrategy[Any]] = KNOWN | {
    "condition_id": st.just("0xc1"),
    "token_id": st.sampled_from((YES, NO)),
    "intent_id": st.sampled_from(("i1", "i2")),
    "order_id": st.sampled_from(("0xid-i1", "0xid-i2")),
    "taker_order_id": st.sampled_from(("0xid-i1", "0xid-i2", "0xother")),
    "trade_id": st.sampled_from(("t1", "t2", "t3", "t4")),
    "status": st.sampled_from(("MATCHED", "MINED", "CONFIRMED", "FAILED", "LIVE", "CANCELED")),
    "symbol": st.just("btc/usd"),
    "link": st.sampled_from(("market", "user")),
    "price": st.integers(1, 99).map(lambda cents: cents * 10_000),
    "shares": st.integers(1, 700).map(lambda lots: lots * LOT),
    "size": st.integers(0, 700).map(lambda lots: lots * LOT),
    "matched": st.sampled_from((0, MILLION, 5 * MILLION)),
    "amount": st.just(1_000 * MILLION),
    "report_ms": st.sampled_from((T0 // MS_NS, T0 // MS_NS + 2_000, T0 // MS_NS + 300_000)),
    "timestamp_ms": st.integers(0, 9_000).map(lambda ms: T0 // MS_NS + ms),
    "value_e18": st.integers(69_999, 70_001).map(lambda dollars: dollars * 10**18),
    "match_s": st.just(T0 // SECOND_NS),
    "outcome": st.sampled_from(("cancelled", "rejected", "expired")),
    "config": st.just(TRADING),
    "market": st.sampled_from(
        (MARKET, evolve(MARKET, strike_e18=70_000 * 10**18), evolve(MARKET, accepting_orders=False))
    ),
}
PAYOUTS = st.sampled_from((0, MILLION, MILLION // 2))
RESOLVED = st.builds(
    lambda yes: facts.MarketResolved(
        condition_id="0xc1", yes_payout=yes, no_payout=Usdc(MILLION - yes), source="ws"
    ),
    PAYOUTS,
)
COMMON = (
    facts.PriceChanged, facts.TradeReported, facts.TradeReported, facts.OracleReported,
    facts.MarketListed, facts.OrderPushed, facts.LinkUp, facts.LinkHeard, facts.TradesRead,
    facts.OpenOrdersRead, facts.BalanceRead, order.Sign, order.AckLive, order.Timeout,
    order.CancelDone, order.ReadOpen, order.ReadClosed, order.ReadMissing,
)  # fmt: skip
NONSENSE = st.one_of(
    records(facts.BookSnapshot, KNOWN | TEXTS),
    *(records(kind, KNOWN) for kind in facts.WORLD if kind is not facts.BookSnapshot),
)
ANYTHING: st.SearchStrategy[Fact] = st.one_of(
    HONEST_BOOKS, RESOLVED, *(records(kind, CREDIBLE) for kind in COMMON), NONSENSE, NONSENSE
)
STEPS = st.lists(
    st.tuples(st.sampled_from((0, 0, 0.05, 0.3, 1, 5, 40, 100)), ANYTHING), min_size=10, max_size=60
)


@define
class Fuzz:
    """A state that hears anything, and the facts it heard."""

    state: State = field(factory=State)
    now_ns: int = T0
    told: list[Fact] = field(factory=list)

    def hear(self, fact: Fact, seconds: float) -> None:
        self.now_ns += round(seconds * SECOND_NS)
        known = set(self.state.orders)
        fact = evolve(fact, at_ns=self.now_ns)
        self.told.append(fact)
        said = step(self.state, fact)
        check_state(self.state)
        check_orders(self.state, known, said)


def begun(far: int) -> Fuzz:
    """A beginning in which there is something to confuse: orders of the strategy, then a fill."""
    script = Script(config=TRADING)
    if far > 0:
        script.start()
        script.say(
            facts.OracleReported(symbol="btc/usd", value_e18=70_000 * 10**18, report_ms=T0 // MS_NS)
        )
        script.wait(1)
        script.quote()
        script.wait(0.3)
        assert [o.state for o in script.state.orders.values()] == ["intent", "intent"]
    if far > 1:
        script.say(order.Sign(intent_id="i1", order_id="0xid-i1", payload="{}"))
        script.say(order.AckLive(intent_id="i1"))
    if far > 2:
        script.say(script.trade(1, script.order().price / 10_000))
        assert script.order().filled == MILLION
    return Fuzz(state=script.state, now_ns=script.now_ns, told=list(script.heard))


@given(steps=STEPS, far=st.integers(0, 3), cut=st.integers(0, 40))
def test_nothing_that_is_said_raises_or_breaks_the_books(
    steps: list[tuple[float, Fact]], far: int, cut: int
) -> None:
    """Bad input never crashes: it becomes an alarm or nothing, and a replay agrees.

    Proves: A-exec, faults, P2.5.
    """
    fuzz = begun(far)
    begin, middle = len(fuzz.told), encode_state(fuzz.state)
    for number, (seconds, fact) in enumerate(steps):
        if number == cut:
            begin, middle = len(fuzz.told), encode_state(fuzz.state)
        note(f"{fact}")
        fuzz.hear(fact, seconds)

    assert replayed(fuzz.told) == fuzz.state
    assert replayed(fuzz.told[begin:], decode_state(middle)) == fuzz.state

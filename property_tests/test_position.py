"""``PositionMachine``, our books and the venue's, against orders and trades of any size.

What open orders hold back and what is free is asked of the engine's own state, what we have at
the venue of the simulation's accounts.
"""

import pytest
from attrs import evolve, field, mutable
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import precondition as when

from polybawt.core import exposures, ledger, risk
from polybawt.core.machines import order
from polybawt.core.machines import position as p
from polybawt.core.machines.feed import Feed
from polybawt.core.machines.order import Order, OrderMachine
from polybawt.core.machines.trade import Leg
from polybawt.core.market import LOT, FeeSchedule, Market, Side
from polybawt.core.state import LINKS, Config, State
from polybawt.core.strategies import Intent
from polybawt.core.units import MILLION, Price, Shares, Usdc
from polybawt.sim.accounts import COLLATERAL, Accounts, moves_of, reversed_moves
from polybawt.sim.records import MakerMatch, VenueTrade
from property_tests.mirror import edge_or_illegal, mirrored

TOKEN, OTHER, ID = "1", "2", "0xc"
US, THEM = "us", "them"
TICK = 10_000
FLAT = p.Position(token_id=TOKEN, condition_id=ID)
BOOKED = ("booked", "failed", "confirmed")
STANDING = ("matched", "booked", "confirmed")
AT_REST = ("confirmed", "voided")
ORDERS_MAX = 20
MONEY = (risk.token_exposure, risk.total_exposure, risk.collateral)
percents = st.sampled_from((0, 100)) | st.integers(0, 100)
amounts = st.integers(10**6, 10**7) | st.integers(10**6, 10**12)


def market(rate_micro: int) -> Market:
    return Market(
        condition_id=ID, slug="m", question="?", yes_token=TOKEN, no_token=OTHER,
        tick=Price(TICK), min_size=LOT, fees=FeeSchedule(rate_micro=rate_micro),
    )  # fmt: skip


@mutable
class Happening:
    """One trade of ours, with its life."""

    venue: VenueTrade
    leg: Leg
    life: str = field(default="matched")

    @property
    def buys(self) -> bool:
        return self.leg.side is Side.BUY

    @property
    def takes(self) -> int:
        """Of our cash; a sale takes less than nothing."""
        return (self.leg.notional if self.buys else -self.leg.notional) + self.leg.fee

    @property
    def gives(self) -> int:
        return self.leg.shares if self.buys else -self.leg.shares


class PositionLife(RuleBasedStateMachine):
    @initialize(deposit=amounts, limit=amounts, rate=st.integers(0, MILLION))
    def init(self, deposit: int, limit: int, rate: int) -> None:
        most = Usdc(limit)
        limits = risk.Limits(
            token_exposure_max=most, total_exposure_max=most, condition_exposure_max=most,
            class_exposure_max=most, joint_exposure_max=most,
        )  # fmt: skip
        self.market = market(rate)
        self.state = State(
            config=Config(strategies=(), limits=limits),
            markets={ID: self.market},
            market_of=dict.fromkeys(self.market.tokens, ID),
            feeds={name: Feed(name=name) for name in (*LINKS, *self.market.tokens)},
            positions={TOKEN: FLAT},
        )
        self.state.ledger.post(ledger.deposit(Usdc(deposit)))
        self.accounts = Accounts()
        self.accounts.deposit(US, Usdc(deposit))
        self.accounts.deposit(THEM, Usdc(10**15))
        self.accounts.grant(THEM, self.market, TOKEN, Shares(10**15))
        self.deposit, self.limit = deposit, limit
        self.trades: list[Happening] = []
        self.paid: list[p.PaidOut] = []
        self.verdict = -1
        self.redeemed = 0

    # What the rules ask.

    @property
    def position(self) -> p.Position:
        return self.state.positions[TOKEN]

    @property
    def at_rest(self) -> bool:
        return all(trade.life in AT_REST for trade in self.trades)

    @property
    def final(self) -> bool:
        return all(trade.life not in ("matched", "booked") for trade in self.trades)

    @property
    def sale_failed(self) -> bool:
        return any(not t.buys and t.life in ("failed", "voided") for t in self.trades)

    @property
    def exposure(self) -> int:
        return self.state.exposure(TOKEN)

    def some(self, life: str, buys: bool | None = None) -> list[Happening]:
        return [t for t in self.trades if t.life == life and buys in (None, t.buys)]

    def pick(self, choice: st.DataObject, life: str, buys: bool | None = None) -> Happening:
        return choice.draw(st.sampled_from(self.some(life, buys)))

    def of(self, record: Order, *lives: str) -> list[Happening]:
        mine = (t for t in self.trades if t.leg.intent_id == record.intent_id)
        return [t for t in mine if t.life in lives]

    def left(self, record: Order) -> int:
        """What the venue may still match of an order."""
        mine = (t for t in self.trades if t.leg.intent_id == record.intent_id)
        return record.size - sum(trade.leg.shares for trade in mine)

    def reserved(self) -> int:
        return sum(self.state.reserved(record) for record in self.state.open_orders())

    # The machine, and what the kernel does beside it.

    def change(self, trade: Happening, kind: type[p.Change], life: str) -> None:
        leg, before = trade.leg, self.position
        action = kind(token_id=TOKEN, shares=leg.shares, notional=leg.notional, fee=leg.fee)
        self.state.positions[TOKEN], outputs = p.PositionMachine.step(before, action)
        assert outputs == ()
        entry = ledger.fill(leg)
        self.state.ledger.post(entry if life == "booked" else ledger.reversed_entry(entry))
        trade.life = life

    def count(self, trade: Happening) -> None:
        """A match that was heard of counts against its order."""
        intent_id, leg = trade.leg.intent_id, trade.leg
        fill = order.Fill(intent_id=intent_id, trade_id=trade.venue.trade_id, shares=leg.shares)
        self.state.orders[intent_id], _ = OrderMachine.step(self.state.orders[intent_id], fill)

    @when(lambda s: s.some("matched", True))
    @rule(choice=st.data())
    def bought(self, choice: st.DataObject) -> None:
        free, trade = self.state.cash_free(), self.pick(choice, "matched", True)
        self.change(trade, p.Bought, "booked")
        self.count(trade)
        assert self.state.cash_free() >= free  # it was all held back

    @when(lambda s: s.some("matched", False))
    @rule(choice=st.data())
    def sold(self, choice: st.DataObject) -> None:
        trade = self.pick(choice, "matched", False)
        self.change(trade, p.Sold, "booked")
        self.count(trade)

    @when(lambda s: s.some("failed", True))
    @rule(choice=st.data())
    def bought_void(self, choice: st.DataObject) -> None:
        self.change(self.pick(choice, "failed", True), p.BoughtVoid, "voided")

    @when(lambda s: s.some("failed", False))
    @rule(choice=st.data())
    def sold_void(self, choice: st.DataObject) -> None:
        self.change(self.pick(choice, "failed", False), p.SoldVoid, "voided")

    @when(
        lambda s: (
            s.verdict >= 0
            and s.at_rest
            and not any(s.state.open_orders())
            and s.position.state != "settled"
        )
    )
    @rule()
    def pay(self) -> None:
        action = p.Pay(token_id=TOKEN, payout=Usdc(self.verdict))
        self.state.positions[TOKEN], outputs = p.PositionMachine.step(self.position, action)
        for out in outputs:
            assert isinstance(out, p.PaidOut)
            self.paid.append(out)
            if out.shares:
                self.state.ledger.post(ledger.payout("", TOKEN, out.shares, out.amount))

    # The world: our orders, the venue and the chain.

    @when(lambda s: s.verdict < 0 and len(s.state.orders) < ORDERS_MAX)
    @rule(
        buys=st.booleans(), cents=st.integers(1, 99), percent=st.integers(1, 110),
        post_only=st.booleans(), meets=percents, better=percents,
    )  # fmt: skip
    def place(
        self, buys: bool, cents: int, percent: int, post_only: bool, meets: int, better: int
    ) -> None:
        """Of a part of what there is room for, or of a little more; some of it matches at once."""
        side = Side.BUY if buys or self.state.shares_free(TOKEN) < LOT else Side.SELL
        price = Price(cents * TICK)
        fee = 0 if post_only else self.market.fees.fee_up(price, Shares(MILLION))
        buyable = exposures.room(self.state, "", TOKEN) * MILLION // (price + fee)
        room = buyable if side is Side.BUY else self.state.shares_free(TOKEN)
        shares = Shares(max(room * percent // 100 // LOT, 1) * LOT)
        wish = Intent(
            strategy="", condition_id=ID, token_id=TOKEN, side=side, price=price, size=shares,
            post_only=post_only, lifetime_s=60,
        )  # fmt: skip
        gate = exposures.gate(self.state, wish)
        if any(check(gate, wish) for check in MONEY):
            return
        record = Order(
            intent_id=f"i{len(self.state.orders)}", strategy="", condition_id=ID, token_id=TOKEN,
            side=side, price=price, size=shares, post_only=post_only, created_ns=1, ends_ns=2,
            expiration_s=3, state="live",
        )  # fmt: skip
        self.state.orders[record.intent_id] = record
        if side is Side.BUY:
            assert self.exposure <= self.limit
            assert self.state.cash_free() >= 0
        else:
            assert self.state.shares_free(TOKEN) >= 0
        self.meet(record, meets, better)

    @when(lambda s: s.verdict < 0 and any(s.state.open_orders()))
    @rule(choice=st.data(), percent=percents, better=percents)
    def match(self, choice: st.DataObject, percent: int, better: int) -> None:
        self.meet(choice.draw(st.sampled_from(list(self.state.open_orders()))), percent, better)

    def meet(self, record: Order, percent: int, better: int) -> None:
        """At its limit or better; a resting order pays no fee and is met at its limit."""
        shares = Shares(self.left(record) * percent // 100 // LOT * LOT)
        buys = record.side is Side.BUY
        best = TICK if buys else MILLION - TICK
        price = record.price if record.post_only else _between(record.price, best, better)
        fee = Usdc(0) if record.post_only else self.market.fees.charged(price, shares)
        trade = self.happening(record, price, shares, fee)
        spends, needs = (COLLATERAL, trade.takes) if buys else (TOKEN, shares)
        if shares and self.accounts.total(US, spends) >= needs:
            self.accounts.book(self.market, moves_of(trade.venue))
            self.trades.append(trade)

    def happening(self, record: Order, price: Price, shares: Shares, fee: Usdc) -> Happening:
        name = f"t{len(self.trades)}"
        maker = MakerMatch(
            order_id="o", owner=THEM, token_id=TOKEN, side=record.side.other, price=price,
            shares=shares, outcome="Yes",
        )  # fmt: skip
        venue = VenueTrade(
            trade_id=name, status="MATCHED", condition_id=ID, taker_order_id=record.intent_id,
            taker_owner=US, token_id=TOKEN, side=record.side, price=price, shares=shares,
            fee=fee, makers=(maker,), match_ns=1, updated_ns=1, tx_hash="0x",
        )  # fmt: skip
        leg = Leg(
            intent_id=record.intent_id, strategy="", token_id=TOKEN, side=record.side,
            price=price, shares=shares, fee=fee, maker=False,
        )  # fmt: skip
        return Happening(venue, leg)

    def reverse(self, trade: Happening) -> None:
        self.accounts.book(self.market, reversed_moves(moves_of(trade.venue)))

    @when(lambda s: s.some("matched"))
    @rule(choice=st.data(), often=st.integers(0, 3))
    def refuse(self, choice: st.DataObject, often: int) -> None:
        """Void before we heard of it: no money moved, but it was matched."""
        trade = self.pick(choice, "matched")
        if often == 0:
            self.reverse(trade)
            self.count(trade)
            trade.life = "voided"

    @when(lambda s: s.some("booked"))
    @rule(choice=st.data(), often=st.integers(0, 1))
    def fail(self, choice: st.DataObject, often: int) -> None:
        trade = self.pick(choice, "booked")
        if often == 0:
            self.reverse(trade)
            trade.life = "failed"

    @when(lambda s: s.some("booked"))
    @rule(choice=st.data())
    def confirm(self, choice: st.DataObject) -> None:
        """The chain confirms no sale of what is not there."""
        trade = self.pick(choice, "booked")
        if trade.buys or self.accounts.settled(US, TOKEN) >= trade.leg.shares:
            self.accounts.settle(moves_of(trade.venue))
            trade.life = "confirmed"

    @when(lambda s: any(s.state.open_orders()))
    @rule(choice=st.data(), often=st.integers(0, 4))
    def finish(self, choice: st.DataObject, often: int) -> None:
        record = choice.draw(st.sampled_from(list(self.state.open_orders())))
        if not self.of(record, "matched") and (often == 0 or self.verdict >= 0):
            self.state.orders[record.intent_id] = evolve(record, state="cancelled")
            assert self.state.reserved(self.state.orders[record.intent_id]) == 0

    @when(lambda s: s.verdict < 0 and len(s.trades) > 2)
    @rule(payout=st.sampled_from((0, MILLION)) | st.integers(0, MILLION), often=st.integers(0, 3))
    def resolve(self, payout: int, often: int) -> None:
        if often == 0:
            self.verdict = payout

    @when(lambda s: s.verdict >= 0 and s.final)
    @rule()
    def redeem(self) -> None:
        pays = Usdc(self.verdict), Usdc(MILLION - self.verdict)
        self.redeemed += self.accounts.redeem(US, self.market, *pays)

    @when(lambda s: s.paid or len(s.state.orders) == ORDERS_MAX)
    @rule()
    def closed(self) -> None:
        """The one place to come to rest."""

    # What must always hold.

    @invariant()
    def exactly_what_stands(self) -> None:
        standing = [t for t in self.trades if t.life in BOOKED]
        bought, sold = [t.leg for t in standing if t.buys], [t.leg for t in standing if not t.buys]
        position = self.position
        assert position.bought == sum(leg.shares for leg in bought)
        assert position.sold == sum(leg.shares for leg in sold)
        assert position.spent == sum(leg.notional for leg in bought)
        assert position.earned == sum(leg.notional for leg in sold)
        assert position.fees == sum(t.leg.fee for t in standing)

    @invariant()
    def state_fits_shares(self) -> None:
        position = self.position
        if position.state != "settled":
            shares = position.bought - position.sold
            assert position.shares == shares
            expected = "flat" if shares == 0 else "long" if shares > 0 else "oversold"
            assert position.state == expected

    @invariant()
    def paid_is_held(self) -> None:
        position = self.position
        assert len(self.paid) == (position.state == "settled")
        for out in self.paid:
            assert out.shares == position.bought - position.sold
            assert out.amount == position.paid_out
            assert out.shares * self.verdict // MILLION == position.paid_out
            assert (position.shares, position.cost) == (0, 0)

    @invariant()
    def doubts_end(self) -> None:
        if self.at_rest:
            assert self.position.state != "oversold"

    @invariant()
    def nothing_is_lost(self) -> None:
        standing = [t for t in self.trades if t.life in STANDING]
        flow = self.deposit - sum(t.takes for t in standing) + self.redeemed
        assert self.accounts.total(US) == flow
        assert self.accounts.worth() == self.accounts.brought_in
        assert self.state.ledger.imbalance() == 0

    @invariant()
    def worth_agrees(self) -> None:
        """At rest, paid out or not, redeemed or not."""
        if self.at_rest:
            each, tokens = max(self.verdict, 0), self.accounts.total(US, TOKEN)
            ours = self.state.ledger.cash + self.position.shares * each // MILLION
            assert ours == self.accounts.total(US) + tokens * each // MILLION
            assert self.verdict >= 0 or self.position.shares == tokens

    @invariant()
    def reserved_exactly(self) -> None:
        """Nothing for an order that ended, no less than its price for one that is open."""
        for record in self.state.orders.values():
            held_back = self.state.reserved(record)
            shares = record.open_size if record.side is Side.BUY else 0
            fee = 0 if record.post_only else self.market.fees.fee_up(record.price, Shares(shares))
            assert held_back == shares * record.price // MILLION + fee

    @invariant()
    def nothing_unheard_is_free(self) -> None:
        for record in self.state.orders.values():
            unheard = self.of(record, "matched")
            if record.side is Side.BUY:
                assert self.state.reserved(record) >= sum(trade.takes for trade in unheard)

    @invariant()
    def within_limit(self) -> None:
        if not self.sale_failed:
            assert self.exposure <= self.limit
            assert self.state.cash_free() >= 0

    @invariant()
    def free_is_there(self) -> None:
        """What was paid out may still have to be redeemed."""
        if not any(not t.buys and t.life == "failed" for t in self.trades):
            tokens = self.accounts.total(US, TOKEN)
            owed = tokens * self.verdict // MILLION if self.paid else 0
            assert self.state.cash_free() <= self.accounts.total(US) + owed

    @invariant()
    def nothing_sold_twice(self) -> None:
        if not any(t.buys and t.life in ("failed", "voided") for t in self.trades):
            assert self.state.shares_free(TOKEN) >= 0 or self.paid

    @invariant()
    def nothing_after_the_verdict(self) -> None:
        assert self.verdict >= 0 or not self.paid

    @invariant()
    def matched_is_open(self) -> None:
        for record in self.state.orders.values():
            assert record.open_size or not self.of(record, "matched")

    @invariant()
    def matched_was_placed(self) -> None:
        assert all(trade.leg.intent_id in self.state.orders for trade in self.trades)

    @invariant()
    def chain_is_covered(self) -> None:
        assert sum(t.gives for t in self.trades if t.life == "confirmed") >= 0

    @invariant()
    def nothing_is_lost_between_cost_and_profit(self) -> None:
        """Cost still in it and profit taken out of it add up to what went in and came out."""
        position = self.position
        flow = position.earned + position.paid_out - position.spent - position.fees
        assert position.realised - position.cost == flow
        assert self.state.ledger.cash == self.deposit + flow


def _between(worst: int, best: int, percent: int) -> Price:
    return Price(worst + (best - worst) * percent // 100 // TICK * TICK)


TestPositionLife = PositionLife.TestCase


def test_rules_and_invariants_are_those_of_the_specification() -> None:
    mirrored("Position", PositionLife)


@pytest.mark.parametrize("held", [(0, 0), (5, 3), (3, 5), (5, 5)])
@pytest.mark.parametrize("state", [s.id for s in p.PositionMachine.states])
def test_every_action_in_every_state_is_an_edge_or_illegal(
    state: str, held: tuple[int, int]
) -> None:
    bought, sold = held
    position = evolve(FLAT, bought=Shares(bought), sold=Shares(sold), state=state)
    for kind in (p.Bought, p.Sold, p.BoughtVoid, p.SoldVoid):
        for shares in (1, 2, 3):
            change = kind(token_id="1", shares=Shares(shares), notional=Usdc(1), fee=Usdc(0))
            edge_or_illegal(p.PositionMachine, position, change)
    edge_or_illegal(p.PositionMachine, position, p.Pay(token_id="1", payout=Usdc(MILLION)))

"""``Position`` and its world, as models/Position.tla has them.

The money at the venue is that of the simulation's accounts, moved by whole trades and by their
reversal.  Whether an order may be placed is what the kernel's own gate says of a state with this
position, ledger and orders in it, what they hold back is what that state derives, and whether a
market is due to be paid is what the kernel finds.

Not here: the chain's own rule that nothing is sold which is not there; fates are given to the
simulation, so it is asked of the settled balance.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import ClassVar, Final

from attrs import evolve, frozen

from polybawt.core import execution, ledger, outcomes, risk
from polybawt.core.machine import Fact, Machine, Outputs, Record
from polybawt.core.machines import order, position
from polybawt.core.machines.feed import Feed
from polybawt.core.machines.order import ENDED, Order, OrderMachine
from polybawt.core.machines.position import PaidOut, Position, PositionMachine
from polybawt.core.machines.settlement import Due, Settlement
from polybawt.core.machines.trade import Leg, Trade
from polybawt.core.market import FeeSchedule, Market, Side
from polybawt.core.risk import Limits
from polybawt.core.state import LINKS, Config, State
from polybawt.core.strategies import Intent
from polybawt.core.units import MILLION, Price, Shares, Usdc
from polybawt.proof.mirror import Mirror
from polybawt.proof.values import Function, Value, Values
from polybawt.sim.accounts import COLLATERAL, Accounts, moves_of, reversed_moves
from polybawt.sim.records import MakerMatch, VenueTrade

ID: Final = "0xc"
TOKEN, OTHER = "1", "2"
US, THEM = "us", "them"
NOW: Final = 10**18
UNIT: Final = 500  # millionths of a dollar
RATE_MICRO: Final = 100_000
MARKET: Final = Market(
    condition_id=ID,
    slug="m",
    question="?",
    yes_token=TOKEN,
    no_token=OTHER,
    tick=Price(100_000),
    min_size=Shares(MILLION),
    fees=FeeSchedule(rate_micro=RATE_MICRO),
)
MONEY: Final = (risk.token_exposure, risk.total_exposure, risk.collateral)
UNHEARD: Final = ("none", "matched")
BOOKED: Final = ("booked", "failed", "confirmed")
STANDING: Final = ("matched", "booked", "confirmed")

Choice = tuple[tuple[str, str], ...]
"""A function of the specification as something to remember answers by."""


@frozen
class Terms:
    """One order and what meets it: its size and limit, and the match, if there is one."""

    side: Side
    size: int
    limit: int  # tenths of a dollar
    shares: int = 0
    price: int = 0


ORDERS: Final[Mapping[str, Terms]] = {
    "b1": Terms(Side.BUY, 2, 5, 1, 5),
    "b2": Terms(Side.BUY, 2, 4, 2, 2),
    "b3": Terms(Side.BUY, 2, 4),
    "s1": Terms(Side.SELL, 1, 1, 1, 7),
    "s2": Terms(Side.SELL, 2, 1, 2, 1),
}
TRADES: Final = tuple(one for one, terms in ORDERS.items() if terms.shares)


def leg(one: str) -> Leg:
    terms = ORDERS[one]
    price, shares = Price(terms.price * 100_000), Shares(terms.shares * MILLION)
    return Leg(
        intent_id=one, strategy="", token_id=TOKEN, side=terms.side, price=price,
        shares=shares, fee=MARKET.fees.charged(price, shares), maker=False,
    )  # fmt: skip


def match(one: str) -> VenueTrade:
    """The match as the venue records it."""
    ours = leg(one)
    maker = MakerMatch(
        order_id="other", owner=THEM, token_id=TOKEN, side=ours.side.other, price=ours.price,
        shares=ours.shares, outcome="Yes",
    )  # fmt: skip
    return VenueTrade(
        trade_id=one, status="MATCHED", condition_id=ID, taker_order_id=one, taker_owner=US,
        token_id=TOKEN, side=ours.side, price=ours.price, shares=ours.shares, fee=ours.fee,
        makers=(maker,), match_ns=1, updated_ns=1, tx_hash="0x",
    )  # fmt: skip


def units(micro: int) -> Value:
    """In the specification's unit; what is none of its amounts is told as it is."""
    whole, rest = divmod(micro, UNIT)
    return f"{micro} millionths" if rest else whole


def count(shares: int) -> Value:
    whole, rest = divmod(shares, MILLION)
    return f"{shares} millionths" if rest else whole


def whole(value: Value) -> int:
    assert isinstance(value, int), value
    return value


def choice(of: Value) -> Choice:
    assert isinstance(of, Function), of
    return tuple(sorted((str(key), str(value)) for key, value in of.items()))


# The venue.


@cache
def booked(deposit: int, lives: Choice) -> Accounts:
    """The venue's accounts after these trades, in whatever order; only to be read."""
    return accounts(deposit, lives)


def accounts(deposit: int, lives: Choice) -> Accounts:
    books = Accounts()
    books.deposit(US, Usdc(deposit * UNIT))
    books.deposit(THEM, Usdc(100 * MILLION))
    books.grant(THEM, MARKET, TOKEN, Shares(100 * MILLION))
    for one, life in lives:
        if life == "none":
            continue
        moves = moves_of(match(one))
        books.book(MARKET, moves)
        if life == "confirmed":
            books.settle(moves)
        if life not in STANDING:
            books.book(MARKET, reversed_moves(moves))
    assert books.worth() == books.brought_in
    return books


def money(books: Accounts) -> dict[str, Value]:
    return {"cash": units(books.total(US)), "tokens": count(books.total(US, TOKEN))}


# The kernel.


def order_of(one: str, status: str, life: str) -> Order:
    """An order as its own machine would have it: its match counts once it was heard of."""
    terms = ORDERS[one]
    record = Order(
        intent_id=one, strategy="", condition_id=ID, token_id=TOKEN, side=terms.side,
        price=Price(terms.limit * 100_000), size=Shares(terms.size * MILLION), post_only=False,
        created_ns=1, ends_ns=2, expiration_s=3, state="live",
    )  # fmt: skip
    if life not in UNHEARD:
        record = filled(record)
    return evolve(record, state="cancelled") if done(status, record) else record


def done(status: str, record: Order) -> bool:
    return status == "done" and record.state not in ENDED


def filled(record: Order) -> Order:
    """An order that heard of its match."""
    fill = order.Fill(
        intent_id=record.intent_id, trade_id=record.intent_id, shares=leg(record.intent_id).shares
    )
    return OrderMachine.step(record, fill)[0]


@frozen
class Known:
    """What the kernel has placed and heard; a question's answer depends on nothing else."""

    orders: Choice
    lives: Choice
    held: Position | None = None
    verdict: int = -1
    deposit: int = 0
    most: int = 0


def kernel(known: Known) -> State:
    """A state of the engine that has placed and heard exactly this."""
    limit = Usdc(known.most * UNIT)
    state = State(
        config=Config(limits=Limits(token_exposure_max=limit, total_exposure_max=limit)),
        now_ns=NOW,
        markets={ID: MARKET},
        feeds={name: Feed(name=name) for name in (*LINKS, *MARKET.tokens)},
        settlements={ID: settlement_of(known.verdict)},
        positions={TOKEN: known.held} if known.held else {},
    )
    state.ledger.post(ledger.deposit(Usdc(known.deposit * UNIT)))
    life_of = dict(known.lives)
    for one, status in known.orders:
        life = life_of.get(one, "none")
        if status != "none":
            state.orders[one] = order_of(one, status, life)
        if life in BOOKED:
            state.ledger.post(ledger.fill(leg(one)))
        if life in ("booked", "failed"):
            state.trades[one] = Trade(
                trade_id=one, condition_id=ID, match_s=1, legs=(leg(one),), state="matched"
            )
    return state


def settlement_of(verdict: int) -> Settlement:
    if verdict < 0:
        return Settlement(condition_id=ID)
    yes = Usdc(verdict * UNIT)
    return Settlement(
        condition_id=ID, yes_payout=yes, no_payout=Usdc(MILLION - yes), state="resolved"
    )


@cache
def reserved(orders: Choice, lives: Choice) -> Value:
    """What the state derives of what open orders hold back."""
    state = kernel(Known(orders, lives))
    return units(sum(state.reserved(record) for record in state.open_orders()))


@cache
def has_room(known: Known, one: str) -> bool:
    """Whether the kernel's gate lets this wish pass, as far as money and shares go."""
    terms = ORDERS[one]
    wish = Intent(
        at_ns=NOW, strategy="", condition_id=ID, token_id=TOKEN, side=terms.side,
        price=Price(terms.limit * 100_000), size=Shares(terms.size * MILLION), post_only=False,
        lifetime_s=60,
    )  # fmt: skip
    gate = execution.gate(kernel(known), wish)
    return not any(check(gate, wish) for check in MONEY)


@cache
def due(known: Known) -> Value:
    """What the kernel finds that each share is to be paid now; -1 when it is not due."""
    found = [
        out.yes_payout for out in outcomes.pay_if_due(kernel(known), ID) if isinstance(out, Due)
    ]
    return units(found[0]) if found else -1


class PositionMirror(Mirror):
    name = "Position"
    machine: ClassVar[type[Machine]] = PositionMachine
    believes: ClassVar = dict.fromkeys(
        ("Bought", "Sold", "BoughtVoid", "SoldVoid"), "reports of one trade are told apart by Trade"
    )
    renamed: ClassVar = {"trade": ("shares", "notional", "fee")}

    def record(self, at: Values) -> Record:
        return self.held(at)

    def held(self, at: Values) -> Position:
        return Position(
            token_id=TOKEN,
            condition_id=ID,
            bought=Shares(whole(at["bought"]) * MILLION),
            sold=Shares(whole(at["sold"]) * MILLION),
            spent=Usdc(whole(at["spent"]) * UNIT),
            earned=Usdc(whole(at["earned"]) * UNIT),
            fees=Usdc(whole(at["fees"]) * UNIT),
            paid_out=Usdc(max(whole(at["paid"]), 0) * UNIT),
            state=str(at["state"]),
        )

    def action(self, name: str, arguments: tuple[Value, ...], at: Values) -> Fact:
        if name == "Pay":
            return position.Pay(token_id=TOKEN, payout=Usdc(whole(arguments[0]) * UNIT))
        kind: type[position.Change] = getattr(position, name)
        of = leg(str(arguments[0]))
        return kind(token_id=TOKEN, shares=of.shares, notional=of.notional, fee=of.fee)

    def ours(self, at: Values, record: Record, outputs: Outputs) -> dict[str, Value]:
        assert isinstance(record, Position)
        paid = at["paid"]
        for out in outputs:
            same = isinstance(out, PaidOut) and (out.amount, out.token_id) == (
                record.paid_out, record.token_id,
            )  # fmt: skip
            paid = units(record.paid_out) if same and paid == -1 else str(out)
        return {
            "state": record.state,
            "bought": count(record.bought),
            "sold": count(record.sold),
            "spent": units(record.spent),
            "earned": units(record.earned),
            "fees": units(record.fees),
            "paid": paid,
        }

    # The world: our orders, the venue and the chain.

    def initial(self) -> Iterable[Values]:
        orders = Function(dict.fromkeys(ORDERS, "none"))
        lives = Function(dict.fromkeys(TRADES, "none"))
        flat = self.ours({"paid": -1}, Position(token_id=TOKEN, condition_id=ID), ())
        start: dict[str, Value] = {"reserved": 0, "order": orders, "life": lives, "verdict": -1}
        return [{**flat, **start, **money(booked(self.constants["Deposit"], choice(lives)))}]

    def offers(self, name: str, arguments: tuple[Value, ...], at: Values) -> bool:
        if name == "Pay":
            orders, lives = choice(at["order"]), choice(at["life"])
            return due(Known(orders, lives, verdict=whole(at["verdict"]))) == arguments[0]
        life = at["life"]
        assert isinstance(life, Function)
        return life[arguments[0]] == ("matched" if name in ("Bought", "Sold") else "failed")

    def felt(
        self, name: str, arguments: tuple[Value, ...], at: Values, ours: Values, outputs: Outputs
    ) -> Values:
        if name == "Pay":
            return {}
        if name in ("Bought", "Sold"):
            return self.heard_of(arguments[0], "booked", at)
        life = at["life"]
        assert isinstance(life, Function)
        return {"life": life.but(arguments[0], "voided")}

    def heard_of(self, one: Value, now: str, at: Values) -> dict[str, Value]:
        """A match counts against its order, which may be all of it."""
        orders, life = at["order"], at["life"]
        assert isinstance(orders, Function)
        assert isinstance(life, Function)
        life = life.but(one, now)
        if order_of(str(one), "open", now).state in ENDED:
            orders = orders.but(one, "done")
        held_back = reserved(choice(orders), choice(life))
        return {"order": orders, "life": life, "reserved": held_back}

    def moves(self, name: str, arguments: tuple[Value, ...], at: Values) -> Values | None:
        orders, life, verdict = at["order"], at["life"], whole(at["verdict"])
        assert isinstance(orders, Function)
        assert isinstance(life, Function)
        match name:
            case "Resolve":
                return {"verdict": arguments[0]} if verdict < 0 else None
            case "Redeem":
                return self.redeemed(at)
            case "Place" | "Finish":
                return self.ordered(name, str(arguments[0]), at)
        one = str(arguments[0])
        terms = ORDERS[one]
        match name, life[one]:
            case "Match", "none" if orders[one] == "open" and verdict < 0:
                after = self.accounts(life.but(one, "matched"))
                spends = COLLATERAL if terms.side is Side.BUY else TOKEN
                if after.total(US, spends) < 0:
                    return None  # nothing stood behind it
                return {"life": life.but(one, "matched"), **money(after)}
            case "Refuse", "matched":
                voided = life.but(one, "voided")
                return {**self.heard_of(one, "voided", at), **money(self.accounts(voided))}
            case "Fail", "booked":
                failed = life.but(one, "failed")
                return {"life": failed, **money(self.accounts(failed))}
            case "Confirm", "booked":
                there = self.accounts(life).settled(US, TOKEN)
                covered = terms.side is Side.BUY or there >= leg(one).shares
                return {"life": life.but(one, "confirmed")} if covered else None
        return None

    def accounts(self, life: Function) -> Accounts:
        return booked(self.constants["Deposit"], choice(life))

    def ordered(self, name: str, one: str, at: Values) -> Values | None:
        """An order is placed, or has ended after every match of it was heard."""
        orders, life = at["order"], at["life"]
        assert isinstance(orders, Function)
        assert isinstance(life, Function)
        if name == "Place":
            if orders[one] != "none" or whole(at["verdict"]) >= 0:
                return None
            known = Known(
                choice(orders), choice(life), self.held(at),
                deposit=self.constants["Deposit"], most=self.constants["Most"],
            )  # fmt: skip
            if not has_room(known, one):
                return None
            orders = orders.but(one, "open")
        elif orders[one] != "open" or life.get(one) == "matched":
            return None
        else:
            orders = orders.but(one, "done")
        return {"order": orders, "reserved": reserved(choice(orders), choice(life))}

    def redeemed(self, at: Values) -> Values | None:
        """The venue pays what it said, once no trade of the market is on its way."""
        life = at["life"]
        assert isinstance(life, Function)
        final = not {"matched", "booked"} & set(life.values())
        if whole(at["verdict"]) < 0 or not final or at["tokens"] == 0:
            return None
        books = accounts(self.constants["Deposit"], choice(life))
        pays = settlement_of(whole(at["verdict"]))
        assert pays.yes_payout is not None
        assert pays.no_payout is not None
        books.redeem(US, MARKET, pays.yes_payout, pays.no_payout)
        return money(books)

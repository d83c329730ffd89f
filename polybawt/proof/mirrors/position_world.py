"""A venue and an engine that have seen just what a state of models/Position.tla says.

The orders and matches that stand there by name, as the engine's and the simulation's own records;
the venue's accounts after them; and the engine's state, to be asked what it would do.  It is built
anew for every question and remembers nothing but answers.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

from attrs import evolve, frozen

from polybawt.core import exposures, ledger, outcomes, risk
from polybawt.core.machines import order
from polybawt.core.machines.feed import Feed
from polybawt.core.machines.order import ENDED, Order, OrderMachine
from polybawt.core.machines.position import Position
from polybawt.core.machines.settlement import Due, Settlement
from polybawt.core.machines.trade import Leg, Trade
from polybawt.core.market import FeeSchedule, Market, Side
from polybawt.core.risk import Limits
from polybawt.core.state import LINKS, Config, State
from polybawt.core.strategies import Intent
from polybawt.core.units import MILLION, Price, Shares, Usdc
from polybawt.proof.values import Function, Value
from polybawt.sim.accounts import Accounts, moves_of, reversed_moves
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
FEEDS: Final = {name: Feed(name=name) for name in (*LINKS, *MARKET.tokens)}
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


@cache
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


@cache
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


@cache
def order_of(one: str, status: str, life: str) -> Order:
    """An order as its own machine would have it: its match counts once it was heard of."""
    terms = ORDERS[one]
    record = Order(
        intent_id=one, strategy="", condition_id=ID, token_id=TOKEN, side=terms.side,
        price=Price(terms.limit * 100_000), size=Shares(terms.size * MILLION), post_only=False,
        created_ns=1, ends_ns=2, expiration_s=3, state="live",
    )  # fmt: skip
    if life not in UNHEARD:
        shares = leg(one).shares
        record, _ = OrderMachine.step(
            record, order.Fill(intent_id=one, trade_id=one, shares=shares)
        )
    ended = status == "done" and record.state not in ENDED
    return evolve(record, state="cancelled") if ended else record


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
        config=Config(
            limits=Limits(token_exposure_max=limit, total_exposure_max=limit),
            sources_min=0,  # how many voices agree on an outcome is asked elsewhere
        ),
        now_ns=NOW,
        markets={ID: MARKET},
        market_of=dict.fromkeys(MARKET.tokens, ID),
        feeds={**FEEDS},
        settlements={ID: settlement_of(known.verdict)},
        positions={TOKEN: known.held} if known.held else {},
    )
    state.ledger.post(ledger.deposit(Usdc(known.deposit * UNIT)))
    life_of = dict(known.lives)
    for one, status in known.orders:
        life = life_of.get(one, "none")
        if status != "none":
            state.orders[one] = order_of(one, status, life)
        if life in (*BOOKED, "voided"):
            state.ledger.post(fill(one))
        if life == "voided":
            state.ledger.post(ledger.reversed_entry(fill(one)))
        if life in ("booked", "failed"):
            state.trades[one] = trade(one)
    return state


@cache
def fill(one: str) -> ledger.Entry:
    return ledger.fill(leg(one))


@cache
def trade(one: str) -> Trade:
    return Trade(trade_id=one, condition_id=ID, match_s=1, legs=(leg(one),), state="matched")


@cache
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
    gate = exposures.gate(kernel(known), wish)
    return not any(check(gate, wish) for check in MONEY)


@cache
def due(known: Known) -> Value:
    """What the kernel finds that each share is to be paid now; -1 when it is not due."""
    found = [
        out.yes_payout for out in outcomes.pay_if_due(kernel(known), ID) if isinstance(out, Due)
    ]
    return units(found[0]) if found else -1

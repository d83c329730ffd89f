"""The gate between wanting and ordering: named checks in order, the first refusal wins.

Every check is a function of the same numbers and answers with what it would have to be told
to change its mind, or nothing.  Unknown orders and reservations are in the numbers in full.
"""

from collections.abc import Callable
from math import isqrt
from typing import Final

from attrs import frozen

from polybawt.core.machine import Fact
from polybawt.core.market import InvalidOrder, Market, Side
from polybawt.core.strategies import Intent
from polybawt.core.units import SECOND_NS, Price, Usdc, cost_up, micro_text


@frozen(kw_only=True)
class ClassLimit:
    name: str
    exposure_max: Usdc


@frozen(kw_only=True)
class Limits:
    """Paper defaults. Amounts in millionths, ages in ns.

    ``joint_exposure_max`` is of what wins and loses together, by the two correlations of crypto
    markets: on one price, and on two.  ``classes`` limits asset classes other than by
    ``class_exposure_max``: crypto, a category of the venue, or other.
    """

    token_exposure_max: Usdc = Usdc(10_000_000)
    condition_exposure_max: Usdc = Usdc(20_000_000)
    event_exposure_max: Usdc = Usdc(20_000_000)
    class_exposure_max: Usdc = Usdc(20_000_000)
    classes: tuple[ClassLimit, ...] = ()
    joint_exposure_max: Usdc = Usdc(20_000_000)
    same_symbol_micro: int = 1_000_000
    cross_symbol_micro: int = 800_000
    total_exposure_max: Usdc = Usdc(20_000_000)
    price_cap: Price = Price(950_000)
    touch_ticks_max: int = 5  # how far beyond the best price a taker may reach
    rest_ns_min: int = 2 * SECOND_NS  # no bid rests in a market that ends sooner
    book_age_ns_max: int = 3 * SECOND_NS
    oracle_age_ns_max: int = 5 * SECOND_NS
    divergence_micro_max: int = 3_000  # between the oracle and the markets that lead it
    open_orders_max: int = 50
    print_age_ns_max: int = 300 * SECOND_NS  # an older trade says nothing of now

    def of_class(self, kind: str) -> Usdc:
        """What may be at risk in one asset class."""
        own = (limit.exposure_max for limit in self.classes if limit.name == kind)
        return next(own, self.class_exposure_max)


@frozen(kw_only=True)
class Gate:
    """The numbers a check may look at, as of one moment."""

    now_ns: int
    limits: Limits
    phase: str
    killed: str
    breaker_open: str
    halted: str  # the breaker of our own losses that bars entries
    user_link: str
    market: Market
    book_state: str
    book_age_ns: int
    touch: Price | None  # the best price on the other side
    oracle_age_ns: int | None  # None: this market needs no oracle
    divergence_micro: int
    token_exposure: Usdc
    condition_exposure: Usdc
    event_exposure: Usdc
    class_name: str
    class_exposure: Usdc
    strategy_exposure: Usdc
    strategy_max: Usdc
    joint_square: int
    joint_weight: Usdc
    total_exposure: Usdc
    cash_free: Usdc
    shares_free: int
    open_orders: int
    venue: str = ""  # why the venue takes no such order now (``leave``)


@frozen(kw_only=True)
class Refused(Fact):
    """An intent that did not become an order, with the check and its numbers."""

    intent: Intent
    check: str
    text: str


VERSIONS: Final = ("v1", "v2")  # of markets (reference 0.1)

Check = Callable[[Gate, Intent], str]


def spend(gate: Gate, intent: Intent) -> Usdc:
    """The most that the order can take from us, its fee included."""
    if intent.side is Side.SELL:
        return Usdc(0)
    fee = Usdc(0) if intent.post_only else gate.market.fees.fee_up(intent.price, intent.size)
    return Usdc(cost_up(intent.price, intent.size) + fee)


def killed(gate: Gate, _: Intent) -> str:
    return f"kill switch: {gate.killed}" if gate.killed else ""


def phase(gate: Gate, _: Intent) -> str:
    return "" if gate.phase == "trading" else f"engine is {gate.phase}"


def breaker(gate: Gate, _: Intent) -> str:
    return f"breaker {gate.breaker_open} is open" if gate.breaker_open else ""


def halted(gate: Gate, intent: Intent) -> str:
    """After losses: no new risk, and the way out stays open."""
    if not gate.halted or reduces(intent):
        return ""
    return f"breaker {gate.halted} halts {intent.strategy}"


def venue(gate: Gate, _: Intent) -> str:
    return gate.venue


def version(gate: Gate, _: Intent) -> str:
    """Two contracts are known; an order for a third would be signed for nobody."""
    known = gate.market.version in VERSIONS
    return "" if known else f"market version {gate.market.version[:20]!r} is none of {VERSIONS}"


def user_link(gate: Gate, _: Intent) -> str:
    """Fills come by the user channel: without it we would trade blind."""
    return "" if gate.user_link in ("fresh", "stale") else f"user channel is {gate.user_link}"


def market_open(gate: Gate, _: Intent) -> str:
    if not gate.market.accepting_orders:
        return "market accepts no orders"
    return "market has ended" if gate.market.over(gate.now_ns) else ""


def terms(gate: Gate, intent: Intent) -> str:
    try:
        gate.market.check(intent.price, intent.size)
    except InvalidOrder as refusal:
        return str(refusal)
    return ""


def book_age(gate: Gate, _: Intent) -> str:
    if gate.book_state != "fresh":
        return f"book is {gate.book_state}"
    if gate.book_age_ns > gate.limits.book_age_ns_max:
        return f"book is {gate.book_age_ns} ns old, limit {gate.limits.book_age_ns_max}"
    return ""


def reduces(intent: Intent) -> bool:
    """Whether it can only take risk off: then it need not know what a share is worth.

    To cover a leg is to buy: the pair is worth a dollar, whatever a share of it is.
    """
    if intent.purpose == "hedge":
        return True
    return intent.side is Side.SELL and intent.purpose in ("exit", "flatten")


def oracle_age(gate: Gate, intent: Intent) -> str:
    """No substitute: a market that settles by an oracle is not entered without it."""
    if gate.oracle_age_ns is None or reduces(intent):
        return ""
    if gate.oracle_age_ns > gate.limits.oracle_age_ns_max:
        return f"oracle is {gate.oracle_age_ns} ns old, limit {gate.limits.oracle_age_ns_max}"
    return ""


def divergence(gate: Gate, intent: Intent) -> str:
    limit = gate.limits.divergence_micro_max
    if gate.divergence_micro <= limit or reduces(intent):
        return ""
    return f"oracle and spot are {gate.divergence_micro} millionths apart, limit {limit}"


def touch(gate: Gate, intent: Intent) -> str:
    """An order that is to be filled at once names a price that the book really has."""
    if intent.post_only:
        return ""
    if gate.touch is None:
        return "nothing to take in the book"
    reach = gate.limits.touch_ticks_max * gate.market.tick
    beyond = intent.price - gate.touch if intent.side is Side.BUY else gate.touch - intent.price
    if beyond > reach and not reduces(intent):
        best = micro_text(gate.touch)
        return f"price {micro_text(intent.price)} is too far beyond the best, {best}"
    return ""


def late_quote(gate: Gate, intent: Intent) -> str:
    """Near the end a resting order is filled by those who know, and by nobody else."""
    if not intent.post_only or not gate.market.end_ns:
        return ""
    left_ns, least_ns = gate.market.end_ns - gate.now_ns, gate.limits.rest_ns_min
    return f"{left_ns} ns to the end, a quote needs {least_ns}" if left_ns < least_ns else ""


def price_cap(gate: Gate, intent: Intent) -> str:
    if intent.side is Side.BUY and intent.price > gate.limits.price_cap:
        return f"price {micro_text(intent.price)} above cap {micro_text(gate.limits.price_cap)}"
    return ""


def open_orders(gate: Gate, _: Intent) -> str:
    if gate.open_orders >= gate.limits.open_orders_max:
        return f"{gate.open_orders} orders open, limit {gate.limits.open_orders_max}"
    return ""


def _within(name: str, used: Usdc, more: Usdc, most: Usdc) -> str:
    if used + more <= most or not more:  # what takes nothing from us makes no exposure worse
        return ""
    return f"{name} {micro_text(used)} + {micro_text(more)} above {micro_text(most)}"


def token_exposure(gate: Gate, intent: Intent) -> str:
    limit = gate.limits.token_exposure_max
    return _within("token exposure", gate.token_exposure, spend(gate, intent), limit)


def condition_exposure(gate: Gate, intent: Intent) -> str:
    limit = gate.limits.condition_exposure_max
    return _within("condition exposure", gate.condition_exposure, spend(gate, intent), limit)


def event_exposure(gate: Gate, intent: Intent) -> str:
    if not gate.market.event_id:
        return ""
    limit = gate.limits.event_exposure_max
    return _within("event exposure", gate.event_exposure, spend(gate, intent), limit)


def class_exposure(gate: Gate, intent: Intent) -> str:
    name, limit = f"{gate.class_name} exposure", gate.limits.of_class(gate.class_name)
    return _within(name, gate.class_exposure, spend(gate, intent), limit)


def strategy_exposure(gate: Gate, intent: Intent) -> str:
    name = f"exposure of {intent.strategy}"
    return _within(name, gate.strategy_exposure, spend(gate, intent), gate.strategy_max)


def joint_exposure(gate: Gate, intent: Intent) -> str:
    """What wins and loses together, by its correlation."""
    more, limit = spend(gate, intent), gate.limits.joint_exposure_max
    after = gate.joint_square + more * (more + 2 * gate.joint_weight)
    if after <= limit * limit or not more:
        return ""
    return f"joint exposure {micro_text(isqrt(after))} above {micro_text(limit)}"


def total_exposure(gate: Gate, intent: Intent) -> str:
    limit = gate.limits.total_exposure_max
    return _within("total exposure", gate.total_exposure, spend(gate, intent), limit)


def collateral(gate: Gate, intent: Intent) -> str:
    if intent.side is Side.SELL:
        short = intent.size - gate.shares_free
        return f"{micro_text(short)} shares short" if short > 0 else ""
    return _within("order", Usdc(0), spend(gate, intent), gate.cash_free)


CHECKS: Final[tuple[tuple[str, Check], ...]] = tuple(
    (check.__name__, check)
    for check in (
        killed, phase, breaker, halted, venue, version, user_link, market_open, terms, book_age,
        oracle_age, divergence, price_cap, touch, late_quote, open_orders, strategy_exposure,
        token_exposure, condition_exposure, event_exposure, class_exposure, joint_exposure,
        total_exposure, collateral,
    )
)  # fmt: skip


def refusal(gate: Gate, intent: Intent) -> Refused | None:
    """The first check that says no, or None."""
    for name, check in CHECKS:
        if text := check(gate, intent):
            return Refused(at_ns=gate.now_ns, intent=intent, check=name, text=text)
    return None

"""The gate between wanting and ordering: named checks in order, the first refusal wins.

Every check is a function of the same numbers and answers with what it would have to be told
to change its mind, or nothing.  Unknown orders and reservations are in the numbers in full.
"""

from collections.abc import Callable
from typing import Final

from attrs import frozen

from polybawt.core.machine import Fact
from polybawt.core.market import InvalidOrder, Market, Side
from polybawt.core.strategies import Intent
from polybawt.core.units import SECOND_NS, Price, Usdc, cost_up, micro_text


@frozen(kw_only=True)
class Limits:
    """Paper defaults. Amounts in millionths, ages in ns."""

    token_exposure_max: Usdc = Usdc(10_000_000)
    total_exposure_max: Usdc = Usdc(20_000_000)
    price_cap: Price = Price(950_000)
    book_age_ns_max: int = 3 * SECOND_NS
    open_orders_max: int = 50
    print_age_ns_max: int = 300 * SECOND_NS  # an older trade says nothing of now


@frozen(kw_only=True)
class Gate:
    """The numbers a check may look at, as of one moment."""

    now_ns: int
    limits: Limits
    phase: str
    killed: str
    breaker_open: str
    user_link: str
    market: Market
    book_state: str
    book_age_ns: int
    token_exposure: Usdc
    total_exposure: Usdc
    cash_free: Usdc
    shares_free: int
    open_orders: int


@frozen(kw_only=True)
class Refused(Fact):
    """An intent that did not become an order, with the check and its numbers."""

    intent: Intent
    check: str
    text: str


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
        killed, phase, breaker, user_link, market_open, terms, book_age, price_cap, open_orders,
        token_exposure, total_exposure, collateral,
    )
)  # fmt: skip


def refusal(gate: Gate, intent: Intent) -> Refused | None:
    """The first check that says no, or None."""
    for name, check in CHECKS:
        if text := check(gate, intent):
            return Refused(at_ns=gate.now_ns, intent=intent, check=name, text=text)
    return None

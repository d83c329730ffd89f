"""The engine and the venue around a session and its kill switch, asked what they would do.

For every question the real kernel is brought to a situation (what the journal says of each order,
the session's phase, the kill), is told one fact more, and is looked at again; so is a simulated
venue for what rests there.  Orders are counted from 1, as the engine counts its intents.  It is
built anew for every question and remembers nothing but answers.
"""

from collections.abc import Callable
from functools import cache
from typing import Final

from attrs import evolve, frozen

from polybawt.core import facts, ledger
from polybawt.core.commands import PostOrder, SignOrder
from polybawt.core.kernel import step
from polybawt.core.machine import Command, Fact
from polybawt.core.machines import order
from polybawt.core.machines.feed import Feed
from polybawt.core.machines.kill_switch import KillSwitch
from polybawt.core.machines.order import ENDED, Order
from polybawt.core.machines.recovery import Recovery
from polybawt.core.machines.settlement import Settlement
from polybawt.core.market import Market, Side
from polybawt.core.risk import Limits
from polybawt.core.state import LINKS, Config, State
from polybawt.core.strategies import Intent
from polybawt.core.units import MILLION, SECOND_NS, Price, Shares, Usdc
from polybawt.sim.records import Accepted, Placement
from polybawt.sim.venue import Venue

US, THEM = "us", "them"
CONDITION, YES, NO = "0xc", "1", "2"
NOW_S: Final = 1_000
NOW_NS: Final = NOW_S * SECOND_NS
LIFE_S: Final = 60
MARGIN_S: Final = 60
PRICE: Final = Price(500_000)
SIZE: Final = Shares(10 * MILLION)
COST: Final = Usdc(5 * MILLION)
MARKET: Final = Market(
    condition_id=CONDITION, slug="m", question="?", yes_token=YES, no_token=NO,
    tick=Price(10_000), min_size=Shares(5 * MILLION), end_ns=10 * NOW_NS,
)  # fmt: skip
FIRED: Final = KillSwitch(state="fired", source="file", reason="drill", actor="jo")
INTENT: Final = Intent(
    at_ns=NOW_NS, strategy="test", condition_id=CONDITION, token_id=YES, side=Side.BUY,
    price=PRICE, size=SIZE, post_only=True, lifetime_s=LIFE_S,
)  # fmt: skip

Journal = tuple[str, ...]
"""What the journal says of each order: none, intent, open, ended or booked."""


# The engine.


def engine(journal: Journal, phase: str = "trading", kill: str = "armed", most: int = 9) -> State:
    """A kernel that has come to this by facts, and may risk the cost of ``most`` orders."""
    limit = Usdc(most * COST)
    limits = Limits(token_exposure_max=limit, total_exposure_max=limit)
    state = State(
        now_ns=NOW_NS,
        config=Config(strategies=(), limits=limits, gtd_margin_s=MARGIN_S),
        recovery=Recovery(epoch=1, state="trading"),
        markets={CONDITION: MARKET},
        market_of={YES: CONDITION, NO: CONDITION},
        settlements={CONDITION: Settlement(condition_id=CONDITION)},
        feeds={name: Feed(name=name, state="fresh", heard_ns=NOW_NS) for name in (*LINKS, YES, NO)},
    )
    state.ledger.post(ledger.deposit(Usdc(1_000 * MILLION)))
    for number, said in enumerate(journal, 1):
        if said != "none":
            want(state)
        if said in ("open", "ended", "booked"):
            sign(state, number)
        if said in ("ended", "booked"):
            step(state, HEARD["refusal" if said == "ended" else "fill"](number))
    state.recovery = Recovery(epoch=1, state=phase)
    state.kill = KillSwitch() if kill == "armed" else evolve(FIRED, state=kill)
    assert read(state, len(journal)) == journal, (journal, state.orders)
    return state


def want(state: State) -> tuple[Command, ...]:
    return step(state, INTENT)


def sign(state: State, number: int) -> tuple[Command, ...]:
    terms = order.Sign(at_ns=NOW_NS, intent_id=f"i{number}", order_id=id_of(number), payload="{}")
    return step(state, terms)


def id_of(number: int) -> str:
    return f"0x{number}"


def said_of(record: Order | None) -> str:
    if record is None or record.state == "intent":
        return "none" if record is None else "intent"
    if record.filled:
        return "booked"
    return "ended" if record.state in ENDED else "open"


def read(state: State, count: int) -> Journal:
    """What the journal says now; a fill that is booked twice is no word of it."""
    held = state.positions[YES].bought if YES in state.positions else 0
    assert held == sum(record.filled for record in state.orders.values())
    return tuple(said_of(state.orders.get(f"i{number}")) for number in range(1, count + 1))


def filled(number: int) -> Fact:
    """The whole of it is matched, in one trade."""
    part = facts.MakerFill(
        order_id=id_of(number), token_id=YES, side=Side.BUY, price=PRICE, shares=SIZE
    )
    return facts.TradeReported(
        at_ns=NOW_NS, trade_id=f"t{number}", status="MATCHED", condition_id=CONDITION,
        taker_order_id="0xother", token_id=YES, side=Side.SELL, price=PRICE, shares=SIZE,
        makers=(part,), match_s=NOW_S, source="read",
    )  # fmt: skip


def refused(number: int) -> Fact:
    return order.Reject(at_ns=NOW_NS, intent_id=f"i{number}", reason="400 no")


def halted(number: int) -> Fact:
    """What the shell says of an order that it did not let go."""
    return order.Reject(at_ns=NOW_NS, intent_id=f"i{number}", reason="not sent: drill")


def cancelled(number: int) -> Fact:
    return order.ReadClosed(
        at_ns=NOW_NS, intent_id=f"i{number}", matched=Shares(0), outcome="cancelled"
    )


def missing(number: int) -> Fact:
    return order.ReadMissing(at_ns=NOW_NS, intent_id=f"i{number}")


def missing_past(number: int) -> Fact:
    past_ns = NOW_NS + (LIFE_S + 10) * SECOND_NS
    return order.ReadMissing(at_ns=past_ns, intent_id=f"i{number}")


HEARD: Final[dict[str, Callable[[int], Fact]]] = {
    "fill": filled, "refusal": refused, "halt": halted, "closed": cancelled,
    "missing": missing, "missing past its end": missing_past,
}  # fmt: skip


@cache
def heard(journal: Journal, number: int, what: str) -> Journal:
    """What the journal says after this was heard of one order."""
    state = engine(journal)
    step(state, HEARD[what](number))
    return read(state, len(journal))


@cache
def after(what: str) -> str:
    """What is journaled of an order that was open, after this was heard of it."""
    return heard(("open",), 1, what)[0]


@cache
def open_by_record(told: str) -> bool:
    """Whether an order of which this is journaled counts as open."""
    return told not in ("none", "deceived") and not quiet((told,))


@cache
def wanted(journal: Journal, phase: str, kill: str, most: int = 9) -> int:
    """Which order a wish becomes now; 0 when it is refused."""
    said = want(engine(journal, phase, kill, most))
    made = [command.intent_id for command in said if isinstance(command, SignOrder)]
    return int(made[0].removeprefix("i")) if made else 0


@cache
def leaves(phase: str, kill: str) -> bool:
    """Whether an order may leave: when it is signed, and by the gate that the socket reads."""
    state = engine(("intent",), phase, kill)
    posted = any(isinstance(command, PostOrder) for command in sign(state, 1))
    assert posted == (not state.barred()) == (read(state, 1) == ("open",)), (phase, kill)
    return posted


@cache
def quiet(journal: Journal) -> bool:
    """Whether no order of ours is open, by the journal."""
    return not any(engine(journal).open_orders())


@cache
def restarted(journal: Journal) -> tuple[tuple[str, ...], Journal]:
    """The reads that a start waits for, and what the journal says after it."""
    state = engine(journal)
    step(state, facts.Started(at_ns=NOW_NS, epoch=2, config=state.config))
    return state.awaited, read(state, len(journal))


# The venue.


@frozen
class Resting:
    """Which orders rest at the venue, and which it knew and ended."""

    rests: frozenset[int]
    over: frozenset[int] = frozenset()


def brought(to: Resting) -> Venue:
    """A venue on which these orders rest, and those have ended."""
    venue = Venue(mine_ns=SECOND_NS, confirm_ns=SECOND_NS, gtd_margin_s=MARGIN_S)
    venue.list_market(MARKET, NOW_NS)
    venue.deposit(US, Usdc(1_000 * MILLION))
    venue.grant(THEM, YES, Shares(1_000 * MILLION))
    for number in sorted(to.rests | to.over):
        place(venue, number, NOW_NS)
    for number in to.over:
        venue.cancel(US, id_of(number), NOW_NS)
    assert resting(venue) == to.rests, to
    return venue


def place(venue: Venue, number: int, now_ns: int) -> bool:
    """Our bytes arrive; whether they are an order now."""
    placement = Placement(
        owner=US, order_id=id_of(number), token_id=YES, side=Side.BUY, price=PRICE, size=SIZE,
        order_type="GTD", expiration_s=NOW_S + LIFE_S + MARGIN_S,
    )  # fmt: skip
    return isinstance(venue.place(placement, now_ns), Accepted)


def resting(venue: Venue) -> frozenset[int]:
    """What a read of our open orders lists."""
    return frozenset(
        int(found.placement.order_id.removeprefix("0x")) for found in venue.open_orders(US)
    )


@cache
def lands(at: Resting, number: int, past: bool = False) -> bool:
    venue = brought(at)
    landed = place(venue, number, NOW_NS + past * LIFE_S * SECOND_NS)
    assert landed == (number in resting(venue)), (at, number)
    return landed


@cache
def taken(at: Resting, number: int) -> bool:
    """Whether a seller at our price meets all of it, by a trade that names it."""
    venue = brought(at)
    for ahead in sorted(at.rests - {number}):
        venue.cancel(US, id_of(ahead), NOW_NS)
    sold = Placement(
        owner=THEM, order_id="0x0", token_id=YES, side=Side.SELL, price=PRICE, size=SIZE
    )
    venue.place(sold, NOW_NS)
    made = {maker.order_id for trade in venue.trades(US) for maker in trade.makers}
    return id_of(number) in made and number not in resting(venue)


@cache
def withdrawn(at: Resting, number: int) -> bool:
    """Whether a cancel by its id ends it."""
    venue = brought(at)
    said = venue.cancel(US, id_of(number), NOW_NS)
    assert (said == "") == (number in at.rests), said
    return number in at.rests - resting(venue)


@cache
def expired(at: Resting) -> frozenset[int]:
    """What rests once the expiration of everything has passed."""
    venue = brought(at)
    venue.advance(NOW_NS + LIFE_S * SECOND_NS)
    return resting(venue)


@cache
def swept(at: Resting) -> frozenset[int]:
    """What rests after a cancel of everything."""
    venue = brought(at)
    venue.cancel_all(US, NOW_NS)
    return resting(venue)


@cache
def listed(at: Resting) -> bool:
    return bool(resting(brought(at)))

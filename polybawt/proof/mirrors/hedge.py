"""``Hedge`` and its world, as models/Hedge.tla has them.

The venue is the simulated one, with the two tokens of one market, us, and somebody who trades with
us: it is brought to a state by real orders, asked, and read.  What it did and we have not heard of,
the one end that is untrue, and until when a trade may fail are told here: that is between the
venue and us.

A share of the specification is a millionth of one to the machine, so that nothing is hidden by
scale, and the smallest order to the venue.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import ClassVar, Final, cast

from polybawt.core.machine import Fact, Machine, Outputs, Record
from polybawt.core.machines import hedge
from polybawt.core.machines.hedge import (
    LANES,
    Hedge,
    HedgeMachine,
    Lane,
    Leg,
    Stranded,
    Tally,
    Unwanted,
    Wanted,
)  # fmt: skip
from polybawt.core.market import Market, Side
from polybawt.core.units import MILLION, Price, Shares, Usdc
from polybawt.proof.mirror import Mirror
from polybawt.proof.values import Function, Value, Values
from polybawt.sim.records import Accepted, Placement
from polybawt.sim.venue import Venue

ID: Final = "h1"
ORDER: Final = 10_000_000  # the smallest
LOSS: Final = MILLION  # per share: a millionth of a dollar for a millionth of a share
PAIR_COST_MAX: Final = 980_000
PRICES: Final = {Side.BUY: Price(450_000), Side.SELL: Price(400_000)}  # our limits

US, THEM = "us", "them"
TOKENS: Final = {Leg.FIRST: "1", Leg.SECOND: "2"}
MARKET: Final = Market(
    condition_id="0xc", slug="m", question="?",
    yes_token=TOKENS[Leg.FIRST], no_token=TOKENS[Leg.SECOND],
    tick=Price(10_000), min_size=Shares(ORDER),
)  # fmt: skip
PLENTY: Final = 10**12
NOW_NS: Final = 2

Standing = tuple[int, ...]
"""What rests in each lane."""


class Stage:
    """A venue for one question, with us and somebody who meets us; both own enough."""

    def __init__(self, standing: Standing) -> None:
        """What is to rest does, as orders of one share each."""
        self.venue = Venue(mine_ns=1, confirm_ns=1)
        self.venue.list_market(MARKET, 1)
        for owner in (US, THEM):
            self.venue.deposit(owner, Usdc(PLENTY))
            for token in MARKET.tokens:
                self.venue.grant(owner, token, Shares(PLENTY))
        self._orders = 0
        for lane, shares in zip(LANES, standing, strict=True):
            for _ in range(shares):
                self.order(US, lane, 1)

    def order(self, owner: str, lane: Lane, shares: int) -> None:
        """Place an order; theirs meets ours."""
        self._orders += 1
        (leg, side), order_id = lane, f"{owner}{self._orders}"
        price = PRICES[side if owner == US else side.other]
        answer = self.venue.place(
            Placement(
                owner=owner, order_id=order_id, token_id=TOKENS[leg], side=side, price=price,
                size=Shares(shares * ORDER),
            ),
            NOW_NS,
        )  # fmt: skip
        assert isinstance(answer, Accepted), answer

    def resting(self) -> Function:
        """How many shares of ours rest in each lane."""
        rests = dict.fromkeys(LANES, 0)
        lane_of = {(TOKENS[leg], side): (leg, side) for leg, side in LANES}
        for order in self.venue.open_orders(US):
            placed = order.placement
            rests[lane_of[placed.token_id, placed.side]] += order.open_size // ORDER
        return Function(cast(dict[Value, Value], rests))


@cache
def asked(standing: Standing, lane: Lane, shares: int) -> Function:
    """What rests once we have asked for more."""
    stage = Stage(standing)
    stage.order(US, lane, shares)
    return stage.resting()


@cache
def matched(standing: Standing, lane: Lane, shares: int) -> Function | None:
    """What rests once somebody has met us; none when there was less in this lane to meet."""
    stage, at = Stage(standing), LANES.index(lane)
    stage.order(THEM, (lane[0], lane[1].other), shares)
    rests = stage.resting()
    return rests if rests[lane] == standing[at] - shares else None


@cache
def killed(standing: Standing, lane: Lane, shares: int) -> Function | None:
    """What rests once orders of one lane have been cancelled."""
    stage = Stage(standing)
    orders = [
        order.placement.order_id
        for order in stage.venue.open_orders(US)
        if (order.placement.token_id, order.placement.side) == (TOKENS[lane[0]], lane[1])
    ]
    for order_id in orders[:shares]:
        assert stage.venue.cancel(US, order_id, NOW_NS) == ""
    return stage.resting() if shares <= len(orders) else None


class HedgeMirror(Mirror):
    name = "Hedge"
    machine: ClassVar[type[Machine]] = HedgeMachine
    believes: ClassVar = {
        "LateFill": "what was matched is ours, however much of it we were told had ended"
    }
    renamed: ClassVar = {"had": ("pair_cost",)}
    left_out: ClassVar = frozenset({"limit", "reason"})

    def record(self, at: Values) -> Record:
        filled, opened = lanes(at, "booked"), lanes(at, "open")
        return Hedge(
            hedge_id=ID,
            strategy="hedge",
            condition_id=MARKET.condition_id,
            quantity=Shares(self.constants["Quantity"]),
            slice_max=Shares(self.constants["Slice"]),
            order_min=Shares(self.constants["Least"]),
            pair_cost_max=Price(PAIR_COST_MAX),
            loss_left=Usdc(number(at["budget"])),
            sale_loss=Price(number(at["rate"]) * LOSS),
            tallies=tuple(
                Tally(filled=Shares(filled[lane]), open=Shares(opened[lane])) for lane in LANES
            ),
            state=str(at["state"]),
        )

    def action(self, name: str, arguments: tuple[Value, ...], at: Values) -> Fact:
        match name, *arguments:
            case (("Lead" | "Cover"), bool(had)):
                cost = Price(PAIR_COST_MAX if had else PAIR_COST_MAX + 1)
                kind = hedge.Lead if name == "Lead" else hedge.Cover
                return kind(hedge_id=ID, limit=PRICES[Side.BUY], pair_cost=cost)
            case "Unwind", int(loss):
                return hedge.Unwind(hedge_id=ID, limit=PRICES[Side.SELL], loss=Price(loss * LOSS))
            case (("Fill" | "LateFill" | "Void" | "End"), str(leg), str(side), int(shares)):
                about: type[hedge.Change | hedge.End] = getattr(hedge, name)
                return about(hedge_id=ID, leg=Leg(leg), side=Side(side), shares=Shares(shares))
            case "Abandon", *_:
                return hedge.Abandon(hedge_id=ID, reason="late")
            case "Close", *_:
                return hedge.Close(hedge_id=ID)
            case "GiveUp", *_:
                return hedge.GiveUp(hedge_id=ID)
        raise AssertionError(f"no action {name}{arguments}")

    def ours(self, at: Values, record: Record, outputs: Outputs) -> dict[str, Value]:
        assert isinstance(record, Hedge)
        return {
            "state": record.state,
            "booked": Function({lane: record.tally(*lane).filled for lane in LANES}),
            "open": Function({lane: record.tally(*lane).open for lane in LANES}),
            "budget": record.loss_left,
            "rate": record.sale_loss // LOSS,
            "stranded": number(at["stranded"])
            + sum(out.shares for out in outputs if isinstance(out, Stranded)),
        }

    # The world: the venue, and what we hear of it.

    def initial(self) -> Iterable[Values]:
        return [
            {
                "state": "working", "booked": NOTHING, "open": NOTHING,
                "budget": self.constants["Budget"], "rate": 0, "stranded": 0,
                "rest": NOTHING, "unheard": NOTHING, "late": NOTHING, "pulled": frozenset(),
                "denied": False, "lost": 0, "settled": True,
            }
        ]  # fmt: skip

    def offers(self, name: str, arguments: tuple[Value, ...], at: Values) -> bool:
        if name in ("Close", "GiveUp"):
            return bool(at["settled"]) and at["rest"] == at["unheard"] == at["late"] == NOTHING
        if name not in MOVED:
            return True
        lane, shares = moved(arguments)
        match name:
            case "Fill":
                return shares <= lanes(at, "unheard")[lane]
            case "LateFill":
                return shares <= lanes(at, "late")[lane]
            case "Void":
                return not at["settled"] and shares <= lanes(at, "booked")[lane]
        over = lanes(at, "open")[lane] - lanes(at, "rest")[lane]
        return shares <= over and untrue(lane, shares, at) <= (not at["denied"])

    def felt(
        self, name: str, arguments: tuple[Value, ...], at: Values, ours: Values, outputs: Outputs
    ) -> Values:
        pulled = {(o.leg, o.side) for o in outputs if isinstance(o, Unwanted)} | marks(at)
        changed: dict[str, Value] = {}
        for wish in outputs:
            if isinstance(wish, Wanted):
                pulled.discard((wish.leg, wish.side))
                changed["rest"] = asked(standing(at), (wish.leg, wish.side), wish.shares)
        changed["pulled"] = frozenset(lane for lane in pulled if lanes(ours, "open")[lane])
        if name in MOVED:
            lane, shares = moved(arguments)
            changed |= told(name, lane, shares, at)
        return changed

    def moves(self, name: str, arguments: tuple[Value, ...], at: Values) -> Values | None:
        if name == "Settle":
            return {"settled": True}
        lane, shares = moved(arguments)
        rests = (killed if name == "Kill" else matched)(standing(at), lane, shares)
        if rests is None:
            return None
        if name == "Kill":
            return {"rest": rests}
        lost = number(at["rate"]) * shares if lane[1] is Side.SELL else 0
        return {
            "rest": rests,
            "unheard": more(at, "unheard", lane, shares),
            "lost": number(at["lost"]) + lost,
            "settled": False,
        }


NOTHING: Final = Function(dict.fromkeys(LANES, 0))
MOVED: Final = ("Fill", "LateFill", "Void", "End")


def told(name: str, lane: Lane, shares: int, at: Values) -> Values:
    """What is not unheard of any more, or now believed although it is not so."""
    match name:
        case "Fill":
            return {"unheard": more(at, "unheard", lane, -shares)}
        case "LateFill":
            return {"late": more(at, "late", lane, -shares)}
        case "Void":
            return {}
    wrong = untrue(lane, shares, at)
    return {
        "unheard": more(at, "unheard", lane, -wrong),
        "late": more(at, "late", lane, wrong),
        "denied": bool(at["denied"]) or wrong > 0,
    }


def untrue(lane: Lane, shares: int, at: Values) -> int:
    """How many of the shares that are said to have ended were matched."""
    opened, rests, unheard = (lanes(at, v)[lane] for v in ("open", "rest", "unheard"))
    return max(shares - (opened - rests - unheard), 0)


def standing(at: Values) -> Standing:
    return tuple(lanes(at, "rest").values())


def moved(arguments: tuple[Value, ...]) -> tuple[Lane, int]:
    leg, side, shares = arguments
    return (Leg(str(leg)), Side(str(side))), number(shares)


def lanes(at: Values, variable: str) -> Mapping[Lane, int]:
    """Shares by lane; a leg's and a side's name is equal to its text."""
    return cast(Mapping[Lane, int], at[variable])


def more(at: Values, variable: str, lane: Lane, shares: int) -> Function:
    by_lane = at[variable]
    assert isinstance(by_lane, Function)
    return by_lane.but(lane, number(by_lane[lane]) + shares)


def marks(at: Values) -> set[Lane]:
    return set(cast(frozenset[Lane], at["pulled"]))


def number(value: Value) -> int:
    assert isinstance(value, int)
    return value

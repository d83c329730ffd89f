"""``Position`` and its world, as models/Position.tla has them.

The money at the venue is that of the simulation's accounts, moved by whole trades and by their
reversal.  Whether an order may be placed is what the kernel's own gate says of a state with this
position, ledger and orders in it, what they hold back is what that state derives, and whether a
market is due to be paid is what the kernel finds.

Not here: the chain's own rule that nothing is sold which is not there; fates are given to the
simulation, so it is asked of the settled balance.
"""

from collections.abc import Iterable
from typing import ClassVar

from polybawt.core.machine import Fact, Machine, Outputs, Record
from polybawt.core.machines import position
from polybawt.core.machines.order import ENDED
from polybawt.core.machines.position import PaidOut, Position, PositionMachine
from polybawt.core.market import Side
from polybawt.core.units import MILLION, Shares, Usdc
from polybawt.proof.mirror import Mirror
from polybawt.proof.mirrors.position_world import (
    ID,
    MARKET,
    ORDERS,
    TOKEN,
    TRADES,
    UNIT,
    US,
    Known,
    accounts,
    booked,
    choice,
    count,
    due,
    has_room,
    leg,
    money,
    order_of,
    reserved,
    settlement_of,
    units,
    whole,
)  # fmt: skip
from polybawt.proof.values import Function, Value, Values
from polybawt.sim.accounts import COLLATERAL, Accounts


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
        match name:
            case "Resolve":
                return {"verdict": arguments[0]} if whole(at["verdict"]) < 0 else None
            case "Redeem":
                return self.redeemed(at)
            case "Place" | "Finish":
                return self.ordered(name, str(arguments[0]), at)
        one, life = str(arguments[0]), at["life"]
        assert isinstance(life, Function)
        terms = ORDERS[one]
        match name, life[one]:
            case "Match", "none" if is_open(one, at) and whole(at["verdict"]) < 0:
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
        orders = at["order"]
        assert isinstance(orders, Function)
        if orders[one] != ("none" if name == "Place" else "open"):
            return None
        life = at["life"]
        assert isinstance(life, Function)
        if name == "Place":
            if whole(at["verdict"]) >= 0:
                return None
            known = Known(
                choice(orders), choice(life), self.held(at),
                deposit=self.constants["Deposit"], most=self.constants["Most"],
            )  # fmt: skip
            if not has_room(known, one):
                return None
            orders = orders.but(one, "open")
        elif life.get(one) == "matched":
            return None
        else:
            orders = orders.but(one, "done")
        return {"order": orders, "reserved": reserved(choice(orders), choice(life))}

    def redeemed(self, at: Values) -> Values | None:
        """The venue pays what it said, once no trade of the market is on its way."""
        life = at["life"]
        assert isinstance(life, Function)
        final = not {"matched", "booked"} & set(life.values())
        if whole(at["verdict"]) < 0 or not final:
            return None
        books = accounts(self.constants["Deposit"], choice(life))
        pays = settlement_of(whole(at["verdict"]))
        assert pays.yes_payout is not None
        assert pays.no_payout is not None
        books.redeem(US, MARKET, pays.yes_payout, pays.no_payout)
        return money(books)


def is_open(one: str, at: Values) -> bool:
    orders = at["order"]
    assert isinstance(orders, Function)
    return orders[one] == "open"

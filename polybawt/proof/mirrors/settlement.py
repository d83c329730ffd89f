"""``Settlement`` and its world, as models/Settlement.tla has them.

Each publication is made by a simulated venue that resolves its market so; the procedure by which
a venue comes to its answer (proposal, dispute, vote) is nowhere simulated and is told here.

Source: exchange reference 5.3.
"""

from collections.abc import Iterable
from functools import cache
from typing import ClassVar, Final

from polybawt.core.machine import Fact, Machine, Outputs, Record
from polybawt.core.machines import settlement
from polybawt.core.machines.settlement import Due, Settlement, SettlementMachine
from polybawt.core.market import Market
from polybawt.core.units import MILLION, Price, Shares, Usdc
from polybawt.proof.mirror import Mirror
from polybawt.proof.values import Value, Values
from polybawt.sim.records import Resolved
from polybawt.sim.venue import Venue

ID: Final = "0xc"
YES, NO = "1", "2"
PAYS: Final = {"yes": MILLION, "no": 0, "split": MILLION // 2}  # for a share of yes
REPORTS: Final = {"": 0, "low": 1, "high": 2}  # the least that is not nothing
ACTOR: Final = "operator"


def payouts(what: str) -> tuple[Usdc, Usdc]:
    return Usdc(PAYS[what]), Usdc(MILLION - PAYS[what])


def name_of(pair: tuple[Usdc | None, Usdc | None]) -> str:
    """What a pair of payouts is called; "" for none."""
    return next((what for what in PAYS if payouts(what) == pair), "")


def value_of(report_e18: int) -> str:
    return next(name for name, value in REPORTS.items() if value == report_e18)


@cache
def published(what: str) -> str:
    """What a venue says of a market that it resolves so."""
    market = Market(
        condition_id=ID, slug="m", question="?", yes_token=YES, no_token=NO,
        tick=Price(10_000), min_size=Shares(5_000_000),
    )  # fmt: skip
    venue = Venue(mine_ns=1, confirm_ns=1)
    venue.list_market(market, 1)
    venue.resolve(ID, *payouts(what), 2)
    (said,) = (event for event in venue.drain() if isinstance(event, Resolved))
    return name_of((said.yes_payout, said.no_payout))


class SettlementMirror(Mirror):
    name = "Settlement"
    machine: ClassVar[type[Machine]] = SettlementMachine
    renamed: ClassVar = {"what": ("yes_payout", "no_payout")}
    left_out: ClassVar = frozenset({"actor", "reason"})

    def record(self, at: Values) -> Record:
        payout = str(at["payout"])
        yes, no = payouts(payout) if payout else (None, None)
        return Settlement(
            condition_id=ID,
            strike_e18=REPORTS[str(at["strike"])],
            close_e18=REPORTS[str(at["close"])],
            observed=str(at["observed"]),
            yes_payout=yes,
            no_payout=no,
            decided_by=ACTOR if at["decided"] else "",
            state=str(at["state"]),
        )

    def action(self, name: str, arguments: tuple[Value, ...], at: Values) -> Fact:
        match name, *map(str, arguments):
            case "Strike", value:
                return settlement.Strike(condition_id=ID, value_e18=REPORTS[value])
            case "CloseReport", value:
                return settlement.CloseReport(condition_id=ID, value_e18=REPORTS[value])
            case "Publish", what:
                yes, no = payouts(what)
                return settlement.Publish(condition_id=ID, yes_payout=yes, no_payout=no)
            case "Decide", what:
                yes, no = payouts(what)
                return settlement.Decide(
                    condition_id=ID, yes_payout=yes, no_payout=no, actor=ACTOR, reason="seen"
                )
            case "End" | "GiveUp" | "Pay", *_:
                kind: type[settlement.Action] = getattr(settlement, name)
                return kind(condition_id=ID)
        raise AssertionError(f"no action {name}{arguments}")

    def ours(self, at: Values, record: Record, outputs: Outputs) -> dict[str, Value]:
        assert isinstance(record, Settlement)
        assert not outputs or record.state == "paid", outputs
        due = [name_of((o.yes_payout, o.no_payout)) for o in outputs if isinstance(o, Due)]
        return {
            "state": record.state,
            "strike": value_of(record.strike_e18),
            "close": value_of(record.close_e18),
            "observed": record.observed,
            "payout": name_of((record.yes_payout, record.no_payout)),
            "decided": bool(record.decided_by),
            "paid": "".join([str(at["paid"]), *due]),
        }

    # The world: the venue.

    def initial(self) -> Iterable[Values]:
        new = self.ours({"paid": ""}, Settlement(condition_id=ID), ())
        return [{**new, "phase": "open", "answer": "", "published": frozenset()}]

    def offers(self, name: str, arguments: tuple[Value, ...], at: Values) -> bool:
        said = at["published"]
        assert isinstance(said, frozenset)
        return name != "Publish" or arguments[0] in said

    def moves(self, name: str, arguments: tuple[Value, ...], at: Values) -> Values | None:
        said, answer = at["published"], str(at["answer"])
        assert isinstance(said, frozenset)
        match name, at["phase"]:
            case "Propose", "open":
                return {"phase": "proposed", "answer": arguments[0]}
            case "Propose", "reset":
                return {"phase": "reproposed", "answer": arguments[0]}
            case "Dispute", "proposed":
                return {"phase": "reset"}
            case "Dispute", "reproposed":
                return {"phase": "voting"}
            case "Vote", "voting":
                return {"phase": "final", "answer": arguments[0]}
            case "Lapse", "proposed" | "reproposed":
                return {"phase": "final"}
            case "Announce", "proposed" | "reproposed" | "final":
                return {"published": said | {published(answer)}}
            case "Flip", "final" if answer in said:
                return {"published": said | {published(str(arguments[0]))}}
        return None

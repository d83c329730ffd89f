"""A small scripted world around the kernel, so that a test reads as a story.

``Script`` owns a ``State``, gives every fact a time, and keeps the commands that came out.  It
answers nothing by itself: what the venue says stands in the test.
"""

from typing import Any, TypeVar

from attrs import define, evolve, field

from polybawt.core import facts
from polybawt.core.book import Book, Levels
from polybawt.core.commands import SignOrder
from polybawt.core.evidence import Drift
from polybawt.core.kernel import step
from polybawt.core.machine import Command, Fact
from polybawt.core.machines import order
from polybawt.core.machines.hedge import Hedge, Leg
from polybawt.core.machines.order import Order
from polybawt.core.market import FeeSchedule, Market, Side
from polybawt.core.plans import Part, Plan
from polybawt.core.risk import Limits
from polybawt.core.scores import Score
from polybawt.core.signals.lead import Spot
from polybawt.core.signals.markouts import Markout
from polybawt.core.state import Config, State
from polybawt.core.strategies import Intent, NewHedge, Swap
from polybawt.core.units import MILLION, MS_NS, SECOND_NS, Price, Shares, Usdc

T0_S = 1_780_000_000
T0 = T0_S * SECOND_NS
YES, NO = "1001", "1002"
MARKET = Market(
    condition_id="0xc1",
    slug="btc-updown-5m-1780000000",
    question="Bitcoin up or down?",
    yes_token=YES,
    no_token=NO,
    tick=Price(10_000),
    min_size=Shares(5 * MILLION),
    fees=FeeSchedule(rate_micro=70_000, exponent=1),
    symbol="btc/usd",
    start_ns=T0,
    end_ns=T0 + 300 * SECOND_NS,
)
LIMITS = Limits(oracle_age_ns_max=2**62)  # the oracle speaks when a test lets it
# Nobody wants anything but the test, and one voice is enough for an outcome.
QUIET = Config(strategies=(), limits=LIMITS, sources_min=1)
CASH = Usdc(1_000 * MILLION)
C = TypeVar("C", bound=Command)


def shares(count: float) -> Shares:
    return Shares(round(count * MILLION))


def cents(count: float) -> Price:
    return Price(round(count * 10_000))


BIDS: Levels = ((cents(40), shares(100)),)
ASKS: Levels = ((cents(60), shares(100)),)


@define
class Script:
    """``said`` are the commands of the last fact, ``all_said`` of all of them."""

    config: Config = QUIET
    market: Market = MARKET
    now_ns: int = T0
    state: State = field(factory=State)
    said: tuple[Command, ...] = ()
    all_said: list[Command] = field(factory=list)
    heard: list[Fact] = field(factory=list)

    def say(self, *told: Fact) -> tuple[Command, ...]:
        """Tell the kernel facts, now; a fact that names its time keeps it."""
        self.said = ()
        for fact in told:
            stamped = fact if fact.at_ns else evolve(fact, at_ns=self.now_ns)
            self.heard.append(stamped)
            self.said += step(self.state, stamped)
        self.all_said += self.said
        return self.said

    def wait(self, seconds: float = 0.1) -> tuple[Command, ...]:
        """Time passes, and the clock says so once."""
        self.now_ns += round(seconds * SECOND_NS)
        return self.say(facts.Tick())

    def of(self, kind: type[C]) -> list[C]:
        """The last commands of one kind."""
        return [command for command in self.said if isinstance(command, kind)]

    def ever(self, kind: type[C]) -> list[C]:
        return [command for command in self.all_said if isinstance(command, kind)]

    def noticed(self, name: str) -> int:
        return self.state.counters.get(f"notice:{name}", 0)

    # The usual beginning.

    def start(self) -> "Script":
        """A fresh engine that agrees with an empty venue, its links up and its market listed."""
        epoch = self.state.epoch + 1
        self.say(facts.Started(epoch=epoch, config=self.config), *self.links())
        self.say(facts.MarketListed(market=self.market))
        self.agree()
        return self

    def links(self) -> tuple[Fact, ...]:
        names = ("market", "user", "oracle")
        ups = tuple(facts.LinkUp(link=name) for name in names)
        return (*ups, *(facts.LinkHeard(link=name) for name in names))

    def agree(self, cash: int | None = None) -> None:
        """Answer what a start asks about the account."""
        self.say(facts.TradesRead(condition_id="", count=0))
        self.say(facts.OpenOrdersRead(order_ids=()))
        ours = self.state.ledger.cash or CASH
        self.say(facts.BalanceRead(token_id="", amount=ours if cash is None else cash))
        self.wait()

    def quote(
        self,
        bids: Levels = BIDS,
        asks: Levels = ASKS,
        source: str = "ws",
        **other: Any,
    ) -> None:
        """A whole book of the yes token and its mirror, with the hashes that fit."""
        for token in self.market.tokens:
            self.say(snapshot(self.market, token, bids, asks, self.now_ns, source, **other))

    # Orders.

    def want(self, count: float = 10, price: float = 40, **other: Any) -> Order | None:
        """Wish for an order; the order that came of it, or None."""
        before = set(self.state.orders)
        terms: dict[str, Any] = {
            "strategy": "test",
            "condition_id": self.market.condition_id,
            "token_id": self.market.yes_token,
            "side": Side.BUY,
            "price": cents(price),
            "size": shares(count),
            "post_only": True,
            "lifetime_s": 60,
        }
        self.say(Intent(**(terms | other)))
        made = [o for key, o in self.state.orders.items() if key not in before]
        return made[0] if made else None

    def sign(self, wish: Order | None) -> str:
        """Sign it, so that it is sent; its exchange identity."""
        assert wish is not None
        assert self.of(SignOrder)
        order_id = f"0xid-{wish.intent_id}"
        self.say(order.Sign(intent_id=wish.intent_id, order_id=order_id, payload="{}"))
        return order_id

    def rest(self, count: float = 10, price: float = 40, **other: Any) -> str:
        """An order that the venue acknowledged; its intent id."""
        wish = self.want(count, price, **other)
        self.sign(wish)
        assert wish is not None
        self.say(order.AckLive(intent_id=wish.intent_id))
        return wish.intent_id

    def order(self, intent_id: str = "i1") -> Order:
        return self.state.orders[intent_id]

    def trade(
        self,
        count: float,
        price: float = 40,
        status: str = "MATCHED",
        trade_id: str = "t1",
        intent_id: str = "i1",
        taker: bool = False,
        **other: Any,
    ) -> facts.TradeReported:
        """A trade in which our order was the maker, against a seller, or else the taker."""
        order_id, stranger = f"0xid-{intent_id}", "0xid-stranger"
        ours = self.state.orders.get(intent_id)
        side = ours.side if ours else Side.BUY
        token = ours.token_id if ours else self.market.yes_token
        part = facts.MakerFill(
            order_id=stranger if taker else order_id,
            token_id=token,
            side=side.other if taker else side,
            price=cents(price),
            shares=shares(count),
        )
        terms: dict[str, Any] = {
            "trade_id": trade_id,
            "status": status,
            "condition_id": self.market.condition_id,
            "taker_order_id": order_id if taker else stranger,
            "token_id": token,
            "side": side if taker else side.other,
            "price": cents(price),
            "shares": shares(count),
            "makers": (part,),
            "match_s": self.now_ns // SECOND_NS,
            "source": "push",
        }
        return facts.TradeReported(**(terms | other))


def rich() -> Script:
    """A run that has been through much: every map of the state has something in it."""
    script = Script(config=Config()).start()
    script.say(
        facts.OracleReported(symbol="btc/usd", value_e18=70_000 * 10**18, report_ms=T0_S * 1000)
    )
    rough = facts.OracleReported(
        symbol="btc/usd", value_e18=1, report_ms=T0_S * 1000 - 5_000, exact=False
    )
    script.say(rough)
    script.wait(1)
    script.quote(last_trade="0.5")
    script.state.config = QUIET
    for wish in [o for o in script.state.orders.values() if o.state == "intent"]:
        script.say(
            order.Sign(intent_id=wish.intent_id, order_id=f"0xid-{wish.intent_id}", payload="{}")
        )
        script.say(order.Timeout(intent_id=wish.intent_id, reason="no answer"))
    first = script.rest(6)
    script.say(script.trade(2, intent_id=first))
    second = script.want(5, 39)
    script.sign(second)
    script.say(script.trade(5, 39, trade_id="t2", intent_id=second.intent_id if second else ""))
    script.say(script.trade(5, 39, "CONFIRMED", trade_id="t2"))
    change = facts.LevelChange(
        token_id=YES, side=Side.BUY, price=cents(41), size=shares(1), hash="wrong"
    )
    script.say(
        facts.PriceChanged(
            condition_id="0xc1", timestamp_ms=script.now_ns // MS_NS + 1, changes=(change,)
        )
    )
    script.say(
        facts.LastTrade(
            condition_id="0xc1", token_id=YES, price=cents(50), price_text="0.5",
            shares=shares(700), side=Side.BUY, timestamp_ms=script.now_ns // MS_NS,
        )
    )  # fmt: skip
    script.state.verdicts["0xc1"] = {"gamma": "1000000/0"}
    script.state.standings["0xc1"] = "proposed"
    script.state.drifts[""] = Drift(token_id="", ours=1, theirs=2, since_ns=T0, seen_ns=T0)
    script.state.balances[""] = True
    script.state.spots["btc/usd"] = Spot("btc/usd", {T0_S * 1000: 10**18}, T0_S * 1000)
    script.state.events["0xe"] = {"0xc1": True}
    script.state.markouts["value:maker:1"] = Markout(fills=1, shares=2, effective=-3, realised=4)
    script.rest(5, 20, threshold=cents(95), token_id=NO)
    script.want(5, 20, approval=True)
    script.say(Swap(strategy="test", kind="split", condition_ids=("0xc1",), amount=shares(1)))
    script.state.scores["value"] = Score(wins=1, losses=2, losing=2, lost_ns=T0)
    script.say(facts.KillRequested(actor="operator", reason="a test", source="terminal"))
    script.say(facts.Started(epoch=2, config=QUIET), facts.LinkUp(link="user"))
    script.wait()
    terms = NewHedge(
        strategy="test", condition_id="0xc1", first_token=YES, limit=cents(40), post_only=True,
        quantity=shares(9), slice_max=shares(5), pair_cost_max=cents(98), loss_max=Usdc(1),
        lifetime_s=60, leg_timeout_s=9, slippage_ticks=1,
    )  # fmt: skip
    script.state.hedges["h1"] = Hedge(
        hedge_id="h1", strategy="test", condition_id="0xc1", quantity=shares(9),
        slice_max=shares(5), order_min=shares(5), pair_cost_max=cents(98), loss_left=Usdc(1),
    )  # fmt: skip
    script.state.plans["h1"] = Plan(terms=terms, since_ns=T0)
    script.state.parts["i1"] = Part(hedge_id="h1", leg=Leg.FIRST, side=Side.BUY, open=shares(5))
    return script


def snapshot(
    market: Market,
    token: str,
    bids: Levels,
    asks: Levels,
    at_ns: int,
    source: str = "ws",
    **other: Any,
) -> facts.BookSnapshot:
    """A book as the venue would serve it: ``bids`` and ``asks`` are those of the yes token."""
    book = Book(market)
    book.replace(market.yes_token, bids, asks)
    book.last_trade = other.get("last_trade") or ""
    served_bids, served_asks = book.levels(token)
    timestamp_ms = other.pop("timestamp_ms", at_ns // MS_NS)
    terms: dict[str, Any] = {
        "condition_id": market.condition_id,
        "token_id": token,
        "timestamp_ms": timestamp_ms,
        "hash": book.digest(token, timestamp_ms),
        "bids": served_bids,
        "asks": served_asks,
        "last_trade": None,
        "source": source,
        "at_ns": at_ns,
    }
    return facts.BookSnapshot(**(terms | other))

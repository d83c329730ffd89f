"""An engine's day for the terminal's tests: real facts through the real kernel.

``Scene`` plays the venue and the shell: it feeds facts to ``kernel.step`` and answers the commands
that come out, so every order on the screen was wanted by the strategy, passed the gate, and lived
by its machine.  ``chances`` say which orders the venue answers, forgets or fills.
"""

import random
from collections import deque

from polybawt.core.book import Book
from polybawt.core.commands import CancelOrder, FetchBook, PostOrder, SignOrder, Subscribe
from polybawt.core.facts import (
    BalanceRead,
    BookSnapshot,
    KillRequested,
    LevelChange,
    LinkHeard,
    LinkUp,
    MakerFill,
    MarketListed,
    MarketResolved,
    OpenOrdersRead,
    OracleReported,
    PriceChanged,
    Started,
    Tick,
    TradeReported,
    TradesRead,
)
from polybawt.core.kernel import step
from polybawt.core.machine import Command, Fact
from polybawt.core.machines import order
from polybawt.core.market import FeeSchedule, Market, Side
from polybawt.core.risk import Limits
from polybawt.core.state import Config, State
from polybawt.core.strategies.value import Value
from polybawt.core.units import MILLION, MS_NS, SECOND_NS, Price, Shares, Usdc, complement

NOON_NS = 1_795_262_400 * SECOND_NS  # 2026-11-21 12:00:00 UTC
E18 = 10**18
CONFIG = Config(
    strategies=(Value(exposure_max=Usdc(120 * MILLION)),),
    limits=Limits(
        token_exposure_max=Usdc(25 * MILLION),
        condition_exposure_max=Usdc(50 * MILLION),
        class_exposure_max=Usdc(120 * MILLION),
        joint_exposure_max=Usdc(120 * MILLION),
        total_exposure_max=Usdc(120 * MILLION),
        open_orders_max=20,
    ),
)
PRICES = {"btc/usd": 63_123 * E18, "eth/usd": 3_187 * E18, "sol/usd": 187 * E18}


def market(symbol: str, start_s: int, minutes: int, question: str = "") -> Market:
    start_ns = NOON_NS + start_s * SECOND_NS
    name = f"{symbol[:3]}-updown-{minutes}m-{start_ns // SECOND_NS}"
    number = int.from_bytes(name.encode(), "big")
    return Market(
        condition_id=f"0x{number % 2**256:064x}",
        slug=name,
        question=question or f"{symbol[:3].upper()} Up or Down, {minutes} minutes",
        yes_token=str(number * 7),
        no_token=str(number * 7 + 1),
        tick=Price(10_000),
        min_size=Shares(5 * MILLION),
        fees=FeeSchedule(rate_micro=70_000),
        symbol=symbol,
        start_ns=start_ns,
        end_ns=start_ns + minutes * 60 * SECOND_NS,
    )


class Scene:
    """``facts`` is the journal so far, ``commands`` what each of them brought out."""

    def __init__(self, seed: int = 7, cash: int = 1_000) -> None:
        self.state, self.facts = State(), list[Fact]()
        self.now_ns = NOON_NS - 60 * SECOND_NS
        self.lots = random.Random(seed)
        self.books: dict[str, Book] = {}
        self.markets: list[Market] = []
        self.silent_posts = 0  # submissions from now on that nobody answers
        self.deaf = False  # whether cancels and requests for books go unanswered
        self.values = dict(PRICES)
        self._queue = deque[Fact]()
        self._trades = 0
        self._cash = cash

    # The kernel, and a shell that answers it.

    def feed(self, fact: Fact) -> None:
        self._queue.append(fact)
        while self._queue:
            self.facts.append(self._queue.popleft())
            for command in step(self.state, self.facts[-1]):
                self._answer(command)

    def _answer(self, command: Command) -> None:
        now = self.now_ns
        match command:
            case SignOrder(intent_id=intent):
                digest = f"0x{int(intent[1:]):064x}"
                self._queue.append(
                    order.Sign(at_ns=now, intent_id=intent, order_id=digest, payload="{}")
                )
            case PostOrder(intent_id=intent) if self.silent_posts > 0:
                self.silent_posts -= 1
                reason = "no answer in 5 s"
                self._queue.append(order.Timeout(at_ns=now, intent_id=intent, reason=reason))
            case PostOrder(intent_id=intent):
                self._queue.append(order.AckLive(at_ns=now, intent_id=intent))
            case CancelOrder(intent_id=intent) if intent and not self.deaf:
                self._queue.append(order.CancelDone(at_ns=now, intent_id=intent))
                filled = self.state.orders[intent].filled
                self._queue.append(
                    order.ReadClosed(
                        at_ns=now, intent_id=intent, matched=filled, outcome="cancelled"
                    )
                )
            case Subscribe(tokens=tokens):
                self._snapshots(tokens)
            case FetchBook(token_id=token) if not self.deaf:
                self._snapshots((token,))
            case _:
                pass

    # The world.

    def open(self) -> "Scene":
        """Agreed with the venue and trading, with nothing listed yet."""
        at = self.now_ns
        self.feed(Started(at_ns=at, epoch=1, config=CONFIG))
        for link in ("market", "user", "oracle"):
            self.feed(LinkUp(at_ns=at, link=link))
        self.feed(LinkHeard(at_ns=at, link="user"))
        self.feed(BalanceRead(at_ns=at, token_id="", amount=self._cash * MILLION))
        self.feed(TradesRead(at_ns=at, condition_id="", count=0))
        self.feed(OpenOrdersRead(at_ns=at, order_ids=()))
        return self

    def list_market(self, listed: Market) -> Market:
        book = Book(listed)
        for i in range(1, 30):
            size = Shares(self.lots.randrange(8, 40 + 12 * i) * MILLION)
            other = Shares(self.lots.randrange(8, 40 + 12 * i) * MILLION)
            book.set_level(listed.yes_token, Side.BUY, Price(490_000 - 10_000 * i), size)
            book.set_level(listed.yes_token, Side.SELL, Price(510_000 + 10_000 * i), other)
        self.books[listed.condition_id] = book
        self.markets.append(listed)
        self.feed(MarketListed(at_ns=self.now_ns, market=listed))
        return listed

    def _snapshots(self, tokens: tuple[str, ...]) -> None:
        for token in tokens:
            condition = self.state.market_of[token]
            book, stamp = self.books[condition], self.now_ns // MS_NS
            bids, asks = book.levels(token)
            self._queue.append(
                BookSnapshot(
                    at_ns=self.now_ns,
                    condition_id=condition,
                    token_id=token,
                    timestamp_ms=stamp,
                    hash=book.digest(token, stamp),
                    bids=bids,
                    asks=asks,
                    last_trade=None,
                    source="ws",
                )
            )

    def change(self, listed: Market, *, honest: bool = True) -> PriceChanged:
        """One level of a book moves; the hash is the venue's own when it is ``honest``."""
        book, stamp = self.books[listed.condition_id], self.now_ns // MS_NS
        bid = self.lots.random() < 0.5
        best = self.lots.randrange(1, 12) * 10_000
        price = Price(490_000 - best if bid else 510_000 + best)
        side = Side.BUY if bid else Side.SELL
        size = Shares(self.lots.randrange(5, 400) * MILLION)
        book.set_level(listed.yes_token, side, price, size)
        yes, no = (book.digest(t, stamp) if honest else "0" * 40 for t in listed.tokens)
        ups = LevelChange(token_id=listed.yes_token, side=side, price=price, size=size, hash=yes)
        downs = LevelChange(
            token_id=listed.no_token, side=side.other, price=complement(price), size=size, hash=no
        )
        return PriceChanged(
            at_ns=self.now_ns,
            condition_id=listed.condition_id,
            timestamp_ms=stamp,
            changes=(ups, downs),
        )

    def fill(self, intent_id: str, micro: int, status: str = "MATCHED") -> str:
        """Somebody takes our order, as much as ``micro`` shares of it."""
        record = self.state.orders[intent_id]
        self._trades += 1
        trade = f"{self._trades:08x}-0000-4000-8000-000000000000"
        listed = self.state.markets[record.condition_id]
        maker = MakerFill(
            order_id=record.order_id,
            token_id=record.token_id,
            side=record.side,
            price=record.price,
            shares=Shares(micro),
        )
        self._report = TradeReported(
            at_ns=self.now_ns,
            trade_id=trade,
            status=status,
            condition_id=record.condition_id,
            taker_order_id="0xsomebody",
            token_id=listed.other(record.token_id),
            side=record.side,
            price=complement(record.price),
            shares=Shares(micro),
            makers=(maker,),
            match_s=self.now_ns // SECOND_NS,
            source="push",
        )
        self.feed(self._report)
        return trade

    def pass_time(self, seconds: int, changes_per_s: int = 4, fill_chance: float = 0.0) -> None:
        """Ticks, oracle reports, book changes, and fills of resting orders by lot."""
        for _ in range(seconds):
            for tenth in range(10):
                self.now_ns += SECOND_NS // 10
                self.feed(Tick(at_ns=self.now_ns))
                active = [m for m in self.markets if m.yes_token in self.state.subscribed]
                for listed in active:
                    if tenth * changes_per_s // 10 != (tenth + 1) * changes_per_s // 10:
                        self.feed(self.change(listed))
                if tenth == 5 and self.lots.random() < fill_chance:
                    self._fill_one()
            self._second()

    def _fill_one(self) -> None:
        resting = [o for o in self.state.orders.values() if o.state in ("live", "partially_filled")]
        if resting:
            record = self.lots.choice(resting)
            whole = record.size - record.filled
            part = whole if self.lots.random() < 0.5 else max(whole // 20_000 * 10_000, 10_000)
            self.fill(record.intent_id, part)

    def _second(self) -> None:
        for link in ("market", "user", "oracle"):
            self.feed(LinkHeard(at_ns=self.now_ns, link=link))
        for symbol, value in self.values.items():
            self.values[symbol] = value + value * self.lots.randrange(-60, 61) // 1_000_000
            stamp = self.now_ns // SECOND_NS * 1_000
            self.feed(
                OracleReported(
                    at_ns=self.now_ns,
                    symbol=symbol,
                    value_e18=self.values[symbol],
                    report_ms=stamp,
                )
            )

    def kill(self, actor: str = "jo", reason: str = "drill") -> None:
        self.feed(KillRequested(at_ns=self.now_ns, actor=actor, reason=reason, source="terminal"))

    def resolve(self, listed: Market, *, up: bool) -> None:
        pays = (Usdc(MILLION), Usdc(0)) if up else (Usdc(0), Usdc(MILLION))
        self.feed(
            MarketResolved(
                at_ns=self.now_ns,
                condition_id=listed.condition_id,
                yes_payout=pays[0],
                no_payout=pays[1],
                source="gamma",
            )
        )


def day(seconds: int) -> Scene:
    """Five markets, one of which ends at noon; orders, fills and positions as they come."""
    scene = Scene().open()
    scene.list_market(market("btc/usd", -240, 4))
    scene.pass_time(30, fill_chance=0.3)
    for symbol, start, minutes in (
        ("btc/usd", 0, 5), ("btc/usd", 0, 15), ("eth/usd", 0, 15), ("sol/usd", 0, 15),
    ):  # fmt: skip
        scene.list_market(market(symbol, start, minutes))
    scene.pass_time(seconds, fill_chance=0.1)
    return scene


def busy() -> Scene:
    """A day with an unknown order, positions, and a market that waits for its outcome."""
    scene = day(40)
    scene.silent_posts = 1
    for _ in range(60):
        scene.pass_time(1, fill_chance=0.3)
        if any(order.state == "unknown" for order in scene.state.orders.values()):
            break
    scene.silent_posts = 0
    assert any(order.state == "unknown" for order in scene.state.orders.values())
    assert any(position.shares for position in scene.state.positions.values())
    assert scene.state.settlements[scene.markets[0].condition_id].state == "ended"
    return scene

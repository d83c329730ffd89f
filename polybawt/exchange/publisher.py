"""Tells the streams what happened: the venue's events and the world's, rendered once, fanned out.

Book changes of one market are gathered and told together, at most once per venue millisecond:
then a timestamp names exactly one state, its hash covers all changes of the group, and GET /book
serves that same state.  Account events never wait.  In a recorded world the public data are the
recorded bytes; what the venue itself would say about its books is then left unsaid.

Source: exchange reference 4.1 to 4.4; grouping as measured on recorded data.
"""

from collections.abc import Callable
from typing import Any, Final

import orjson
from attrs import define, field

from polybawt.core.market import Market
from polybawt.core.units import MILLION, MS_NS, Price, Shares
from polybawt.exchange.directory import Directory
from polybawt.exchange.hub import Hub
from polybawt.exchange.people import People
from polybawt.exchange.price_board import PriceBoard
from polybawt.exchange.recorded import RecordedBooks
from polybawt.exchange.wire import accounts, books, markets, quirks, texts
from polybawt.exchange.wire.books import BookView
from polybawt.exchange.wire.markets import Standing
from polybawt.sim.faults import QUIRKS, Faults
from polybawt.sim.records import (
    Event,
    LevelsMoved,
    Listed,
    OrderChanged,
    Printed,
    Resolved,
    TickChanged,
    TradeChanged,
)
from polybawt.sim.world import RawFrame, Told, World, WorldLike

USER_PATH: Final = "/ws/user"
RESOLVED_MAX: Final = 2_000  # older ones are no longer found, so that a long run stays small


@define
class _Group:
    """What changed in one market since it was last told."""

    levels: dict[tuple[str, Any, Price], Shares] = field(factory=dict)
    prints: list[Printed] = field(factory=list)
    ticks: list[TickChanged] = field(factory=list)


class Publisher:
    def __init__(self, world: WorldLike, hub: Hub, people: People, faults: Faults) -> None:
        self._world, self._hub, self._people, self._faults = world, hub, people, faults
        self._recorded = RecordedBooks()
        self._views: dict[str, BookView] = {}
        self._told_ms: dict[str, int] = {}
        self._groups: dict[str, _Group] = {}
        self._last_trade: dict[str, str] = {}
        self.directory = Directory(world.venue, world.events if isinstance(world, World) else {})
        self._resolved: dict[str, Resolved] = {}
        self.prices = PriceBoard(hub)
        self.ears: list[Callable[[Event], None]] = [self.directory.hear]
        """Whoever keeps records of their own: notices, prices; each hears every event once."""

    # Telling.

    def publish(self, now_ns: int) -> None:
        """Drain the venue: accounts hear at once, books as soon as this millisecond is new."""
        for event in self._world.venue.drain():
            self._route(event)
            for hear in self.ears:
                hear(event)
        for condition_id in list(self._groups):
            if now_ns // MS_NS > self._told_ms.get(condition_id, -1):
                self._tell_group(condition_id, now_ns // MS_NS)

    def outside(self, told: Told, now_ns: int) -> None:
        """What the world publishes beside the venue."""
        if not isinstance(told, RawFrame) or told.channel != "market":
            self.prices.tell(told, now_ns)
            return
        self._recorded.hear(told.text)
        if told.tokens:
            self._hub.to_tokens(told.tokens, told.text.encode())
        else:
            self._hub.to_custom(told.text.encode())

    def _route(self, event: Event) -> None:
        match event:
            case LevelsMoved():
                self._gather(event.condition_id).levels |= {
                    (token, side, price): size for token, side, price, size in event.changes
                }
            case Printed():
                self._gather(event.condition_id).prints.append(event)
            case OrderChanged():
                self._tell_order(event)
            case TradeChanged():
                self._tell_trade(event)
            case Listed():
                self._tell_listed(event)
            case Resolved():
                self._tell_resolved(event)
            case TickChanged():
                self._gather(event.market.condition_id).ticks.append(event)

    def _gather(self, condition_id: str) -> _Group:
        return self._groups.setdefault(condition_id, _Group())

    def _tell_group(self, condition_id: str, now_ms: int) -> None:
        group = self._groups.pop(condition_id)
        market = self._world.venue.markets.get(condition_id)
        self._told_ms[condition_id] = now_ms
        if market is None:
            return
        if group.prints:
            self._last_trade[condition_id] = texts.last_price_text(group.prints[-1].price)
        before = {token: self._views.pop(token, None) for token in market.tokens}
        if self._world.recorded or not self._hub.followed(market.tokens):
            return  # the next reader renders it
        after = {token: self._render(market, token, now_ms) for token in market.tokens}
        self._views.update(after)
        for changed in group.ticks:  # first: every hash after it is over the new tick
            for token in market.tokens:
                self._hub.to_tokens([token], books.tick_size_change(changed, token, now_ms))
        for printed in group.prints:
            self._hub.to_tokens([printed.token_id], books.last_trade_price(printed, now_ms))
        if group.levels:
            changes = [(*key, size) for key, size in group.levels.items()]
            frame = books.price_change(market, now_ms, changes, after)
            self._hub.to_tokens(market.tokens, frame)
        for token, view in after.items():
            if group.prints:
                self._hub.to_tokens([token], view.snapshot.encode())
            old = before[token]
            if old is None or (old.best_bid, old.best_ask) != (view.best_bid, view.best_ask):
                frame = books.best_bid_ask(market, token, view)
                self._hub.to_tokens([token], frame, custom=True)

    def _tell_order(self, event: OrderChanged) -> None:
        order = event.order
        account = self._people.account_of(order.placement.owner)
        if self._hub.heard_by(account):
            market = self._world.venue.markets.get(order.condition_id)
            name = self._people.name_of(order.placement.owner)
            frame = accounts.order_event(order, market, name, event.kind, event.now_ns)
            self._hub.to_user(account, order.condition_id, frame)

    def _tell_trade(self, event: TradeChanged) -> None:
        trade = event.trade
        market = self._world.venue.markets.get(trade.condition_id)
        for owner in sorted(trade.owners):
            account = self._people.account_of(owner)
            if self._hub.heard_by(account):
                record = self._people.trade_record(trade, market, owner)
                told = accounts.trade_event(record, trade.status, event.now_ns)
                quirk = self._faults.strike(QUIRKS, event.now_ns, path=USER_PATH)
                frame = orjson.dumps(quirks.odd(told, quirk.kind) if quirk else told)
                self._hub.to_user(account, trade.condition_id, frame)

    def _tell_listed(self, event: Listed) -> None:
        entry = self.directory.add(event.market, event.now_ns)
        frame = markets.new_market(event.market, entry.gamma_id, event.now_ns // MS_NS)
        self._hub.to_custom(frame)

    def _tell_resolved(self, event: Resolved) -> None:
        market = event.market
        self._resolved[market.condition_id] = event
        self.directory.end(event)
        winner = {
            (MILLION, 0): market.yes_token,
            (0, MILLION): market.no_token,
        }.get((event.yes_payout, event.no_payout), "")
        gamma_id = self.standing(market).gamma_id
        frame = markets.market_resolved(market, gamma_id, winner, event.now_ns // MS_NS)
        if not self._faults.strike(("withhold_resolved",), event.now_ns):
            self._hub.to_tokens(market.tokens, frame, custom=True)
        for token in market.tokens:
            self._views.pop(token, None)
        if len(self._resolved) > RESOLVED_MAX:
            oldest = next(iter(self._resolved))
            self.directory.forget(oldest)
            for memory in (self._resolved, self._told_ms, self._last_trade):
                memory.pop(oldest, None)

    # Reading what was told.

    def _render(self, market: Market, token: str, timestamp_ms: int) -> BookView:
        levels = self._world.venue.levels(token)
        last = self._last_trade.get(market.condition_id, "")
        return books.book_view(market, token, timestamp_ms, levels, last)

    def view(self, token: str) -> BookView | None:
        """The book of a token as last told; None for a token that no market has."""
        market = self._world.venue.market_of(token)
        if market is None:
            return None
        if token not in self._views:
            entry = self.directory.entry(market.condition_id)
            listed_ms = entry.listed_ns // MS_NS if entry else 0
            told_ms = self._told_ms.get(market.condition_id, listed_ms)
            view = self._render(market, token, told_ms)
            if market.condition_id in self._groups or market.condition_id in self._resolved:
                return view
            self._views[token] = view
        return self._views[token]

    def rest_book(self, token: str) -> bytes | None:
        """The body of GET /book."""
        text = self._world.rest_book(token)
        if text is not None:
            return text.encode()
        view = self.view(token)
        return view.rest if view else None

    def first_books(self, tokens: list[str]) -> bytes | None:
        """The first frame of a subscription: an array of books and a newline."""
        elements = []
        for token in tokens:
            text = self._recorded.element(token)
            view = None if text else self.view(token)
            if text or view:
                elements.append(text or (view.stream if view else ""))
        return f"[{','.join(elements)}]\n".encode() if elements else None

    def standing(self, market: Market) -> Standing:
        """What is known of a market besides its terms."""
        entry = self.directory.entry(market.condition_id)
        resolved = self._resolved.get(market.condition_id)
        view = None if resolved else self.view(market.yes_token)
        return Standing(
            gamma_id=entry.gamma_id if entry else "",
            listed_ns=entry.listed_ns if entry else 0,
            best_bid=view.best_bid if view else None,
            best_ask=view.best_ask if view else None,
            payouts=(resolved.yes_payout, resolved.no_payout) if resolved else None,
            resolved_ns=resolved.now_ns if resolved else 0,
            delay_ns=self._world.venue.taker_delay_ns(market.condition_id),
        )

    def known_market(self, condition_id: str) -> Market | None:
        """One market, also if the venue has forgotten it since."""
        resolved = self._resolved.get(condition_id)
        ended = resolved.market if resolved else None
        return self._world.venue.markets.get(condition_id, ended)

    def known_markets(self) -> list[Market]:
        """Every market ever listed, oldest first, even those the venue has forgotten since."""
        return [self.directory.terms(entry) for entry in self.directory.after()]

    def last_price(self, condition_id: str) -> str:
        """What a market was traded at last, "" when never."""
        return self._last_trade.get(condition_id, "")

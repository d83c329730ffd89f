"""The trading floor: everything the exchange does that is not sending bytes.

One object owns the world, the venue in it, the API keys, the heartbeats, the limits and what is
remembered of prices and notices.  Each method is synchronous, takes no time and leaves everything
published.  The server steps it many times a second, the routes call it in between, and since both
run on one event loop nothing interleaves.

Venue time never goes backwards here, whatever the machine's clock does.

Source: exchange reference 1.6 to 1.13.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from attrs import evolve

from polybawt.core.market import Market
from polybawt.core.units import SECOND_NS, Price
from polybawt.exchange import orders, refusal
from polybawt.exchange.auth import ApiKey, KeyRing
from polybawt.exchange.config import ExchangeConfig
from polybawt.exchange.heartbeat import Heartbeats
from polybawt.exchange.history import History
from polybawt.exchange.hub import Hub
from polybawt.exchange.limits import Signers, Windows
from polybawt.exchange.modes import Mode
from polybawt.exchange.notices import Notices
from polybawt.exchange.people import People
from polybawt.exchange.publisher import Publisher
from polybawt.exchange.refusal import RequestRefused
from polybawt.exchange.sidekeys import SideKeys
from polybawt.sim.chain import Fate, dawdles, fails, retries
from polybawt.sim.faults import Faults
from polybawt.sim.records import Refused, VenueOrder, VenueTrade
from polybawt.sim.transactions import ChainTransaction, Course, reverts
from polybawt.sim.venue import Venue
from polybawt.sim.world import Quoted, Told, WorldLike
from polybawt.venue.signing import Account

CANCELS_MAX: Final = 1000  # ids in one DELETE /orders
LATE_MAX: Final = 10_000  # orders that a fault holds back
ORDER_ID_CHARS: Final = 66


class Floor:
    def __init__(self, config: ExchangeConfig, world: WorldLike, clock: Callable[[], int]) -> None:
        self.config, self.world = config, world
        self.ring = KeyRing()
        self.side_keys = SideKeys()
        self.people = People(self.ring, config.wallets, config.deposit_only)
        self.hub = Hub()
        self._clock = clock
        self._now_ns = world.start_ns
        self.faults = Faults(config.faults, config.seed, self._now_ns)
        self.publisher = Publisher(world, self.hub, self.people, self.faults)
        self.history = History(self._best)
        self.notices = Notices(world.venue.order, self.people.reads)
        self.publisher.ears += [self.history.hear, self.notices.hear]
        limited = config.limits != "off"
        self._windows = Windows(slow_reads=config.slow_reads) if limited else None
        self.signers = (
            Signers(config.limits == "enforce", lambda _: config.tier) if limited else None
        )
        self._heartbeats = Heartbeats()
        self.mode = Mode()
        self._late: list[tuple[int, object, ApiKey]] = []
        self._shown: dict[tuple[str, str], int] = {}  # balances as they were shown last
        self.venue.doom(self._fate, self._course)
        self._frozen = False
        self._accepted: dict[str, list[str]] = {}
        for key in config.keys:
            self.venue.deposit(Account(key).address, config.collateral)
        for wallet in config.wallets:
            self.venue.deposit(wallet.address, wallet.collateral)
        self.publisher.publish(self._now_ns)

    @property
    def venue(self) -> Venue:
        return self.world.venue

    def now_ns(self) -> int:
        """Venue time, never earlier than before."""
        self._now_ns = max(self._now_ns, self._clock())
        return self._now_ns

    def freeze(self) -> None:
        """No more prices, strangers, listings or resolutions: what is left is to settle."""
        self._frozen = True

    def step(self) -> None:
        """Let the world catch up with the clock, end silent keys' orders, and tell everybody."""
        now_ns = self.now_ns()
        if self._frozen:
            self.venue.advance(now_ns)
        else:
            for told in self.world.step(now_ns):
                self.publisher.outside(self._astray(told, now_ns), now_ns)
        self._place_due(now_ns)
        for key in self._heartbeats.lapsed(now_ns):
            account = self.ring.address_of(key)
            assert account is not None, "only proved keys have heartbeats"
            for address in self.people.addresses(account):
                self.venue.cancel_all(address, now_ns)
        self.publisher.publish(now_ns)
        self.history.sample(now_ns)

    def _astray(self, told: Told, now_ns: int) -> Told:
        """What a spot exchange says, or what it says when it is wrong."""
        if not isinstance(told, Quoted) or told.feed != "binance":
            return told
        astray = self.faults.strike(("spot_astray",), now_ns)
        return evolve(told, value_e18=told.value_e18 * 101 // 100) if astray else told

    def admit(self, address: str, method: str, path: str) -> None:
        """Count one request of a network address, or raise what it meets when it asks too often."""
        if self._windows is None:
            return
        wait_ns = self._windows.wait_ns(address, method, path, self.now_ns())
        if wait_ns:
            after = {"Retry-After": str(-(-wait_ns // SECOND_NS))}
            raise RequestRefused(refusal.TOO_MANY, 429, headers=after)

    def _best(self, market: Market) -> tuple[Price | None, Price | None]:
        """The best bid and ask of a market's first token."""
        bids, asks = self.venue.levels(market.yes_token)
        return (bids[-1][0] if bids else None), (asks[-1][0] if asks else None)

    def market_of(self, token_id: str) -> Market:
        market = self.venue.market_of(token_id)
        if market is None:
            raise RequestRefused(refusal.NO_BOOK, 404)
        return market

    # Orders.

    def place(self, body: object, key: ApiKey) -> dict[str, object]:
        """One POST /order, judged and booked; raises ``RequestRefused``."""
        signed = orders.read(body)
        market = self.venue.market_of(signed.terms.token_id)
        if market is None:
            raise RequestRefused(refusal.INVALID_TOKEN)
        order_id = orders.proved_id(signed, market, key, self.people.wallets, self.config.chain_id)
        now_ns = self.now_ns()
        self.people.admit(key.address, signed.terms)
        self.mode.admit_order(signed.post_only, now_ns)
        placement = orders.placement(signed, order_id, market)
        result = self.venue.place(placement, now_ns)
        self.publisher.publish(now_ns)
        if isinstance(result, Refused):
            raise RequestRefused(result.text, result.http_status)
        self._accepted.setdefault(placement.owner, []).append(order_id)
        return orders.answer(result)

    def place_late(self, body: object, key: ApiKey, due_ns: int) -> None:
        """Book an order only then, whoever still waits for the answer; past a bound, never."""
        if len(self._late) < LATE_MAX:
            self._late.append((due_ns, body, key))

    def _place_due(self, now_ns: int) -> None:
        due = [late for late in self._late if late[0] <= now_ns]
        self._late = [late for late in self._late if late[0] > now_ns]
        for _, body, key in due:
            with suppress(RequestRefused):  # there is nobody to tell
                self.place(body, key)

    def place_many(self, body: object, key: ApiKey) -> list[dict[str, object]]:
        """One POST /orders: each leg stands or falls by itself."""
        if not isinstance(body, list) or not body:
            raise RequestRefused(refusal.INVALID_ORDER_PAYLOAD)
        if len(body) > orders.BATCH_MAX:
            text = f"Too many orders in payload: {len(body)}, max allowed: {orders.BATCH_MAX}"
            raise RequestRefused(text)
        self.mode.admit_order(post_only=True, now_ns=self.now_ns())
        return [self._leg(leg, key) for leg in body]

    def _leg(self, body: object, key: ApiKey) -> dict[str, object]:
        try:
            return self.place(body, key)
        except RequestRefused as refused:
            return orders.leg_refusal(refused.text)

    # Cancels.

    def cancel(self, order_ids: list[str], key: ApiKey) -> dict[str, object]:
        """Cancel some orders; what could not be cancelled is named with its reason."""
        for order_id in order_ids:
            if len(order_id) != ORDER_ID_CHARS or not order_id.startswith("0x"):
                raise RequestRefused(refusal.INVALID_ORDER_ID)
        now_ns = self.now_ns()
        self.mode.admit_cancel(now_ns)
        canceled, kept = [], {}
        for order_id in dict.fromkeys(order_ids):
            reason = self.venue.cancel(self._owner(order_id, key), order_id, now_ns)
            if reason:
                kept[order_id] = reason
            else:
                canceled.append(order_id)
        self.publisher.publish(now_ns)
        return {"canceled": canceled, "not_canceled": kept}

    def _owner(self, order_id: str, key: ApiKey) -> str:
        """The purse of this account that placed an order; the account itself if none did."""
        order = self.venue.order(order_id)
        owner = order.placement.owner if order else key.address
        return owner if self.people.account_of(owner) == key.address else key.address

    def cancel_all(
        self, key: ApiKey, condition_id: str = "", token: str = ""
    ) -> tuple[dict[str, object], int]:
        """The answer, and how many orders were cancelled."""
        now_ns = self.now_ns()
        self.mode.admit_cancel(now_ns)
        canceled: list[str] = []
        kept: dict[str, str] = {}
        for address in self.people.addresses(key.address):
            done, left = self.venue.cancel_all(address, now_ns, condition_id, token)
            canceled += done
            kept |= left
        self.publisher.publish(now_ns)
        return {"canceled": canceled, "not_canceled": kept}, len(canceled)

    # An account's own records.

    def order(self, order_id: str, key: ApiKey) -> VenueOrder | None:
        """One order of this account in any status; None when it has none of this id."""
        order = self.venue.order(order_id)
        if order is None or self.people.account_of(order.placement.owner) != key.address:
            return None
        return order

    def open_orders(self, key: ApiKey) -> list[VenueOrder]:
        found = [
            order
            for address in self.people.addresses(key.address)
            for order in self.venue.open_orders(address)
        ]
        return sorted(found, key=lambda order: order.created_ns)

    def trades(self, key: ApiKey) -> list[tuple[str, VenueTrade]]:
        """This account's trades, oldest first, each with the address that took part."""
        found = [
            (address, trade)
            for address in self.people.addresses(key.address)
            for trade in self.venue.trades(address)
        ]
        return sorted(found, key=lambda pair: (pair[1].match_ns, pair[1].trade_id))

    def balance(self, key: ApiKey, signature_type: int, token_id: str) -> int:
        """What the balance call shows of this account's purse: millionths."""
        purse = self.people.purse(key.address, signature_type)
        if not purse:
            return 0
        if self.faults.strike(("stale_balance",), self.now_ns()):
            return self._shown.get((purse, token_id), 0)
        shown = self.venue.balance(purse, token_id)
        if shown or (purse, token_id) in self._shown:  # anybody may ask for tokens that are not
            self._shown[purse, token_id] = shown
        return shown

    def shown_time_s(self) -> int:
        """The venue's time as it tells it."""
        now_ns = self.now_ns()
        wrong = self.faults.strike(("wrong_clock",), now_ns)
        return now_ns // SECOND_NS + (int(wrong.seconds) if wrong else 0)

    def _fate(self, trade: VenueTrade) -> Fate | None:
        """What a fault makes of a trade on chain; none leaves it to the world."""
        kinds = "fail_settlement", "retry_settlement", "late_broadcast"
        struck = self.faults.strike(kinds, trade.match_ns)
        if struck is None:
            return None
        delay_ns = int(struck.seconds * SECOND_NS)
        if struck.kind == "late_broadcast":
            return dawdles(delay_ns)
        return fails(delay_ns) if struck.kind == "fail_settlement" else retries(delay_ns)

    def _course(self, transaction: ChainTransaction) -> Course | None:
        """What a fault makes of a split, a merge, a redemption or a conversion."""
        struck = self.faults.strike(("fail_transaction",), transaction.created_ns)
        return reverts(int(struck.seconds * SECOND_NS)) if struck else None

    def beat(self, key: ApiKey, given: str) -> str:
        return self._heartbeats.beat(key.credentials.key, given, self.now_ns())

    def wind(self, key: ApiKey) -> None:
        """A beat of the older form."""
        self._heartbeats.wind(key.credentials.key, self.now_ns())

    # What an operator may see.

    def account(self, address: str) -> dict[str, object]:
        """Everything about one address, in exact integers of millionths."""
        totals = dict(self.venue.holdings(address))
        collateral = totals.pop("", 0)
        settled = {token: self.venue.balance(address, token) for token in totals}
        unsettled = [trade for trade in self.venue.trades(address) if not trade.final]
        return {
            "address": address,
            "collateral": collateral,
            "tokens": totals,
            "settled": {"collateral": self.venue.balance(address), "tokens": settled},
            "open_orders": [o.placement.order_id for o in self.venue.open_orders(address)],
            "orders": self._accepted.get(address, []),
            "unsettled_trades": len(unsettled),
        }

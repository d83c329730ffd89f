"""Whose is what: accounts, their wallets and the names that records call them by.

An account is the address that signs.  It may own smart wallets, which hold money under their own
address but answer to the account's API keys.  Orders and trades name accounts by API key.

Source: exchange reference 2.1, 2.3, 1.10 and 1.11.
"""

from collections.abc import Iterable

from polybawt.core.market import Market
from polybawt.exchange.auth import KeyRing
from polybawt.exchange.config import Wallet
from polybawt.exchange.wire import accounts
from polybawt.sim.records import VenueOrder, VenueTrade


class People:
    def __init__(self, ring: KeyRing, wallets: Iterable[Wallet]) -> None:
        self.ring = ring
        self.wallets = {wallet.address: wallet for wallet in wallets}

    def account_of(self, owner: str) -> str:
        """The account behind an address that holds money."""
        wallet = self.wallets.get(owner)
        return wallet.owner if wallet else owner

    def addresses(self, account: str) -> tuple[str, ...]:
        """All addresses an account trades from: its own first."""
        owned = (w.address for w in self.wallets.values() if w.owner == account)
        return (account, *owned)

    def purse(self, account: str, signature_type: int) -> str | None:
        """The address that pays for orders of this signature type."""
        if signature_type == 0:
            return account
        for wallet in self.wallets.values():
            if wallet.owner == account and wallet.signature_type == signature_type:
                return wallet.address
        return None

    def name_of(self, owner: str) -> str:
        return self.ring.owner_name(self.account_of(owner))

    def order_record(self, order: VenueOrder, market: Market | None) -> dict[str, object]:
        return accounts.order_record(order, market, self.name_of(order.placement.owner))

    def trade_record(
        self, trade: VenueTrade, market: Market | None, reader: str
    ) -> dict[str, object]:
        """One trade as the owner of ``reader`` sees it."""
        makers = [self.name_of(maker.owner) for maker in trade.makers]
        return accounts.trade_record(trade, market, reader, self.name_of(reader), makers)

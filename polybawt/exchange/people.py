"""Whose is what: accounts, their wallets and the names that records call them by.

An account is the address that signs.  It may own smart wallets, which hold money under their own
address but answer to the account's API keys.  Orders and trades name accounts by API key.  Who
may do less than others is known here too: the banned, those who may only close what they hold,
and those whose wallet is so young that only deposit wallets are open to them.

Source: exchange reference 0, 2.1, 2.3, 1.10, 1.11 and 1.14.
"""

from collections.abc import Iterable
from typing import Final

from polybawt.core.market import Market, Side
from polybawt.exchange import refusal
from polybawt.exchange.auth import KeyRing
from polybawt.exchange.config import Wallet
from polybawt.exchange.refusal import RequestRefused
from polybawt.exchange.wire import accounts
from polybawt.sim.records import VenueOrder, VenueTrade
from polybawt.venue.signing import POLY_1271, OrderTerms

RESTRICTIONS: Final = ("none", "closed_only", "banned")


class People:
    def __init__(
        self, ring: KeyRing, wallets: Iterable[Wallet], deposit_only: Iterable[str] = ()
    ) -> None:
        self.ring = ring
        self.wallets = {wallet.address: wallet for wallet in wallets}
        self._deposit_only = frozenset(deposit_only)
        self._restrictions: dict[str, str] = {}

    def restrict(self, account: str, restriction: str) -> None:
        """Ban an account, put it into closed-only mode, or let it be as all others."""
        assert restriction in RESTRICTIONS, restriction
        self._restrictions.pop(account, None)
        if restriction != "none":
            self._restrictions[account] = restriction

    def closed_only(self, account: str) -> bool:
        return account in self._restrictions  # the banned may open nothing either

    def admit(self, account: str, terms: OrderTerms) -> None:
        """Raise the refusal that this account's order meets because of whose it is, if any.

        A sale always reduces: nobody can sell more than is held.  A purchase of the other token
        does not, because holdings are not netted until somebody merges them.
        """
        restriction = self._restrictions.get(account)
        if restriction == "banned":
            raise RequestRefused(refusal.BANNED.format(terms.maker))
        if restriction == "closed_only" and terms.side is Side.BUY:
            raise RequestRefused(refusal.CLOSED_ONLY.format(terms.maker))
        if account in self._deposit_only and terms.signature_type != POLY_1271:
            raise RequestRefused(refusal.NOT_WALLET)

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

    def reads(self, owner: str) -> bool:
        """Whether anybody out there has a key to what belongs to this address."""
        return bool(self.ring.keys(self.account_of(owner)))

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

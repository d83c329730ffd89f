"""The other keys of an account: those that only read, and those that name a builder.

A key that only reads is shown as it is, with the address it belongs to, and signs nothing.  A
builder's key signs like any other and trades nothing; a revoked one stays listed with the time of
its end.  All are derived from the address and a count, so that a world repeats itself.

Source: exchange reference 1.2; the headers POLY_READONLY_API_KEY and POLY_BUILDER_* as the
official clients send them.
"""

from collections.abc import Mapping
from typing import Final

from attrs import evolve, frozen

from polybawt.exchange import refusal
from polybawt.exchange.auth import ApiKey, canonical, derived, signed_by
from polybawt.exchange.refusal import RequestRefused
from polybawt.venue.signing import Credentials

OF_ONE_MAX: Final = 100  # keys of a kind that one address can ever have
READONLY_HEADER: Final = "POLY_READONLY_API_KEY"
BUILDER_HEADER: Final = "POLY_BUILDER_API_KEY"


@frozen(kw_only=True)
class BuilderKey:
    """``revoked_ns`` is 0 while it is in force."""

    credentials: Credentials
    created_ns: int
    revoked_ns: int = 0


class SideKeys:
    def __init__(self) -> None:
        self._readers: dict[str, dict[str, ApiKey]] = {}
        self._made: dict[str, int] = {}
        self._builders: dict[str, list[BuilderKey]] = {}
        self._builder_of: dict[str, str] = {}

    # Keys that only read.

    def add_reader(self, address: str) -> str:
        count = self._made.get(address, 0)
        if count >= OF_ONE_MAX:
            raise RequestRefused(refusal.NOT_CREATED)
        self._made[address] = count + 1
        key = derived(f"reader of {address}", count).key
        blank = Credentials(key=key, secret="", passphrase="")
        self._readers.setdefault(address, {})[key] = ApiKey(
            address=address, nonce=count, credentials=blank
        )
        return key

    def readers(self, address: str) -> list[str]:
        return list(self._readers.get(address, ()))

    def drop_reader(self, address: str, key: str) -> None:
        if self._readers.get(address, {}).pop(key, None) is None:
            raise RequestRefused(refusal.NO_KEY, 404)

    def proved_reader(self, headers: Mapping[str, str]) -> ApiKey:
        """Who may read with these headers."""
        address = canonical(headers.get("POLY_ADDRESS", "")) or ""
        found = self._readers.get(address, {}).get(headers.get(READONLY_HEADER, ""))
        if found is None:
            raise RequestRefused(refusal.BAD_KEY, 401)
        return found

    # Keys of builders.

    def add_builder(self, address: str, now_ns: int) -> Credentials:
        known = self._builders.setdefault(address, [])
        if len(known) >= OF_ONE_MAX:
            raise RequestRefused(refusal.NOT_CREATED)
        credentials = derived(f"builder {address}", len(known))
        known.append(BuilderKey(credentials=credentials, created_ns=now_ns))
        self._builder_of[credentials.key] = address
        return credentials

    def builders(self, address: str) -> list[BuilderKey]:
        return self._builders.get(address, [])

    def revoke_builders(self, address: str, now_ns: int, key: str = "") -> None:
        """End one key, or all that an address has; ended ones keep their time."""
        known = self._builders.get(address, [])
        for place, one in enumerate(known):
            if not one.revoked_ns and key in ("", one.credentials.key):
                known[place] = evolve(one, revoked_ns=now_ns)

    def proved_builder(
        self, headers: Mapping[str, str], *, method: str, path: str, body: bytes
    ) -> tuple[str, str]:
        """The address and the key that signed this request as a builder's."""
        key = headers.get(BUILDER_HEADER, "")
        address = self._builder_of.get(key, "")
        for one in self._builders.get(address, ()):
            if one.credentials.key == key and not one.revoked_ns:
                signed_by(
                    one.credentials, headers, prefix="POLY_BUILDER_", method=method,
                    path=path, body=body,
                )  # fmt: skip
                return address, key
        raise RequestRefused(refusal.BAD_KEY, 401)

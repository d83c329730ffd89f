"""Who is asking: L1 proves a wallet, L2 proves a key that a wallet was given.

Keys are derived, never drawn: the same address and nonce have the same key for ever, so a client
that lost its key derives it again, as at the venue.  Every check ends in ``RequestRefused``; what
is returned has been proved.  Key material stays inside ``Credentials``, which does not print it.

Source: exchange reference 1.2, 2.1 and 2.2.
"""

import base64
import hashlib
import hmac
import uuid
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from attrs import frozen

from polybawt.exchange import refusal
from polybawt.exchange.refusal import RequestRefused
from polybawt.venue.signing import (
    Credentials,
    checksum,
    clob_auth_digest,
    hmac_signature,
    recovered,
)

ADDRESS_CHARS: Final = 42
NONCE_BITS: Final = 256
KEYS_MAX: Final = 100_000
ADDRESSES_MAX: Final = 4_096  # spelling an address costs a keccak, and each order names three


@frozen(kw_only=True)
class ApiKey:
    """One key of one account; ``address`` is the wallet that signs."""

    address: str
    nonce: int
    credentials: Credentials


@lru_cache(maxsize=ADDRESSES_MAX)
def canonical(address: str) -> str | None:
    """The checksummed spelling of an address in any case; None when it is no address."""
    if len(address) != ADDRESS_CHARS or not address.startswith("0x"):
        return None
    try:
        return checksum(bytes.fromhex(address[2:]))
    except ValueError:
        return None


def derived(address: str, nonce: int) -> Credentials:
    """The one key that this address and nonce can ever have."""
    parts = [
        hashlib.sha256(f"polybawt exchange {part} {address} {nonce}".encode()).digest()
        for part in ("key", "secret", "passphrase")
    ]
    return Credentials(
        key=str(uuid.UUID(bytes=parts[0][:16], version=4)),
        secret=base64.urlsafe_b64encode(parts[1]).decode(),
        passphrase=parts[2].hex(),
    )


class KeyRing:
    """The keys handed out so far. A deleted one stays dead: its nonce is spent."""

    def __init__(self) -> None:
        self._by_key: dict[str, ApiKey] = {}
        self._by_address: dict[str, list[ApiKey]] = {}
        self._dead: dict[str, str] = {}

    def create(self, address: str, nonce: int) -> Credentials:
        credentials = derived(address, nonce)
        full = len(self._by_key) + len(self._dead) >= KEYS_MAX
        if full or credentials.key in self._by_key or credentials.key in self._dead:
            raise RequestRefused(refusal.NOT_CREATED)
        key = ApiKey(address=address, nonce=nonce, credentials=credentials)
        self._by_key[credentials.key] = key
        self._by_address.setdefault(address, []).append(key)
        return credentials

    def derive(self, address: str, nonce: int) -> Credentials:
        credentials = derived(address, nonce)
        if credentials.key not in self._by_key:
            raise RequestRefused(refusal.NOT_DERIVED)
        return credentials

    def delete(self, key: ApiKey) -> None:
        del self._by_key[key.credentials.key]
        self._by_address[key.address].remove(key)
        self._dead[key.credentials.key] = key.address

    def find(self, key: str) -> ApiKey | None:
        return self._by_key.get(key)

    def address_of(self, key: str) -> str | None:
        """Whose key this is or was."""
        found = self._by_key.get(key)
        return found.address if found else self._dead.get(key)

    def keys(self, address: str) -> list[str]:
        return [key.credentials.key for key in self._by_address.get(address, ())]

    def owner_name(self, address: str) -> str:
        """How an account is named in orders and trades: its first key, even if never asked for."""
        known = self._by_address.get(address)
        return known[0].credentials.key if known else derived(address, 0).key

    def user(self, key: str, secret: str, passphrase: str) -> ApiKey | None:
        """The account behind the credentials of a user stream's first frame."""
        found = self.find(key)
        if found is None:
            return None
        same = _same(found.credentials.secret, secret)
        return found if same & _same(found.credentials.passphrase, passphrase) else None


def proved_wallet(headers: Mapping[str, str], chain_id: int) -> tuple[str, int]:
    """L1: the address that signed these headers, and its nonce."""
    address = canonical(headers.get("POLY_ADDRESS", ""))
    timestamp = headers.get("POLY_TIMESTAMP", "")
    nonce_text = headers.get("POLY_NONCE", "0")
    if address is None or not _digits(timestamp) or not _digits(nonce_text):
        raise RequestRefused(refusal.BAD_LOGIN, 401)
    nonce = int(nonce_text)
    if nonce.bit_length() > NONCE_BITS:
        raise RequestRefused(refusal.BAD_LOGIN, 401)
    digest = clob_auth_digest(address, timestamp, nonce, chain_id)
    if recovered(digest, _signature_bytes(headers.get("POLY_SIGNATURE", ""))) != address:
        raise RequestRefused(refusal.BAD_LOGIN, 401)
    return address, nonce


def proved_key(
    headers: Mapping[str, str],
    ring: KeyRing,
    *,
    method: str,
    path: str,
    body: bytes,
    now_s: int = 0,
    skew_max_s: int = 0,
) -> ApiKey:
    """L2: the key whose secret signed exactly these bytes; ``path`` is as sent, without query."""
    key = ring.find(headers.get("POLY_API_KEY", ""))
    timestamp = headers.get("POLY_TIMESTAMP", "")
    if key is None or canonical(headers.get("POLY_ADDRESS", "")) != key.address:
        raise RequestRefused(refusal.BAD_KEY, 401)
    if skew_max_s and _digits(timestamp) and abs(int(timestamp) - now_s) > skew_max_s:
        raise RequestRefused(refusal.BAD_KEY, 401)
    signed_by(key.credentials, headers, method=method, path=path, body=body)
    return key


def signed_by(
    credentials: Credentials,
    headers: Mapping[str, str],
    *,
    method: str,
    path: str,
    body: bytes,
    prefix: str = "POLY_",
) -> None:
    """Refuse unless the secret of these credentials signed exactly this request."""
    timestamp = headers.get(f"{prefix}TIMESTAMP", "")
    if not _digits(timestamp) or not path.isascii():  # nobody can have signed another path
        raise RequestRefused(refusal.BAD_KEY, 401)
    try:
        text = body.decode()
    except UnicodeDecodeError as wrong:
        raise RequestRefused(refusal.INVALID_PAYLOAD) from wrong
    expected = hmac_signature(credentials.secret, timestamp, method, path, text or None)
    signed = _same(expected, headers.get(f"{prefix}SIGNATURE", ""))
    if not signed & _same(credentials.passphrase, headers.get(f"{prefix}PASSPHRASE", "")):
        raise RequestRefused(refusal.BAD_KEY, 401)


def _digits(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 78  # 78 digits hold a uint256


def _same(ours: str, theirs: str) -> bool:
    return hmac.compare_digest(ours.encode(), theirs.encode("utf-8", "surrogateescape"))


def _signature_bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        return b""

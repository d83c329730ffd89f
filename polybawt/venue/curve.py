"""secp256k1 behind two doors: coincurve where it is installed, pure Python where it is not.

Both are deterministic (RFC 6979) and give the same 65 bytes ``r || s || v`` with v 27 or 28 for
the same key and digest, so which one signed can never be seen from outside; only the time
differs (27 us against 1.6 ms).  This module knows curves, not addresses and not orders.

Source: exchange reference 7.5.
"""

from collections.abc import Callable
from functools import cache
from typing import Protocol

from eth_keys.backends.native.main import NativeECCBackend
from eth_keys.datatypes import PrivateKey, Signature
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError

Signer = Callable[[bytes], bytes]


class Curve(Protocol):
    def public_key(self, secret: bytes) -> bytes:
        """The 64 bytes ``x || y`` of the public key."""

    def signer(self, secret: bytes) -> Signer:
        """A function from a 32-byte digest to 65 bytes ``r || s || v``."""

    def recover(self, digest: bytes, signature: bytes) -> bytes | None:
        """The public key that signed, or None when these bytes are no signature."""


class PurePython:
    """eth-keys without any compiled part."""

    def __init__(self) -> None:
        self._backend = NativeECCBackend()

    def public_key(self, secret: bytes) -> bytes:
        return bytes(PrivateKey(secret, self._backend).public_key.to_bytes())

    def signer(self, secret: bytes) -> Signer:
        key = PrivateKey(secret, self._backend)

        def sign(digest: bytes) -> bytes:
            compact = bytes(key.sign_msg_hash(digest).to_bytes())
            return compact[:64] + bytes([27 + compact[64]])

        return sign

    def recover(self, digest: bytes, signature: bytes) -> bytes | None:
        try:
            compact = Signature(signature[:64] + bytes([signature[64] - 27]), backend=self._backend)
            return bytes(compact.recover_public_key_from_msg_hash(digest).to_bytes())
        except (BadSignature, ValidationError, ValueError):
            return None


class Compiled:
    """coincurve's libsecp256k1."""

    def __init__(self) -> None:
        import coincurve  # noqa: PLC0415 - optional: there are platforms without a wheel

        self._private, self._public = coincurve.PrivateKey, coincurve.PublicKey

    def public_key(self, secret: bytes) -> bytes:
        return bytes(self._private(secret).public_key.format(compressed=False)[1:])

    def signer(self, secret: bytes) -> Signer:
        key = self._private(secret)

        def sign(digest: bytes) -> bytes:
            compact = bytes(key.sign_recoverable(digest, hasher=None))
            return compact[:64] + bytes([27 + compact[64]])

        return sign

    def recover(self, digest: bytes, signature: bytes) -> bytes | None:
        compact = signature[:64] + bytes([signature[64] - 27])
        try:
            key = self._public.from_signature_and_message(compact, digest, hasher=None)
        except ValueError:
            return None
        return bytes(key.format(compressed=False)[1:])


@cache
def fastest() -> Curve:
    """The compiled curve where there is one."""
    try:
        return Compiled()
    except ImportError:
        return PurePython()

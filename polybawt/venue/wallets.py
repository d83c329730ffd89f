"""Which smart wallets belong to a key: their addresses follow from it, before they exist.

Polymarket's factories deploy with CREATE2, so an address is a hash of factory, owner and code.
An account made by e-mail owns a proxy, one made with a browser wallet a Safe, a newer one a
deposit wallet; whoever signs for one signs with the same key.  Nothing here asks a chain.

Source: exchange reference 2.3 and 3.1; code and factories as polymarket-client 0.14.0 has them.
"""

from collections.abc import Callable
from typing import Final

from polybawt.venue.signing import (
    POLY_1271,
    POLY_GNOSIS_SAFE,
    POLY_PROXY,
    checksum,
    keccak,
)

PROXY_FACTORY: Final = bytes.fromhex("aB45c5A4B0c941a2F231C04C3f49182e1A254052")
PROXY_CODE: Final = bytes.fromhex("44e999d5c2F66Ef0861317f9A4805AC2e90aEB4f")
SAFE_FACTORY: Final = bytes.fromhex("aacFeEa03eb1561C4e67d661e40682Bd20E3541b")
SAFE_INIT_HASH: Final = bytes.fromhex(
    "2bce2127ff07fb632d16c8347c4ebf501f4841168bed00d9e6ef715ddb6fcecf"
)
DEPOSIT_FACTORY: Final = bytes.fromhex("00000000000Fb5C9ADea0298D729A0CB3823Cc07")
DEPOSIT_BEACON: Final = bytes.fromhex("7A18EDfe055488A3128f01F563e5B479D92ffc3a")
BEACON_SIZE: Final = 0x52  # bytes of the beacon proxy's code, to which its arguments are added
BEACON_TAIL: Final = bytes.fromhex(
    "60195155f3363d3d373d3d363d602036600436635c60da"
    "1b60e01b36527fa3f0ad74e5423aebfd80d3ef4346578335a9a72aeaee59ff6c"
    "b3582b35133d50545afa5036515af43d6000803e604d573d6000fd5b3d6000f3"
)


def _created(factory: bytes, salt: bytes, init_hash: bytes) -> str:
    """CREATE2 (EIP-1014)."""
    return checksum(keccak(b"\xff" + factory + salt + init_hash)[12:])


def _word(address: bytes) -> bytes:
    return address.rjust(32, b"\0")


def proxy_wallet(owner: bytes) -> str:
    """The wallet of an e-mail account: a minimal proxy that is set up in its constructor."""
    code = (
        bytes.fromhex("3d3d606380380380913d393d73")
        + PROXY_FACTORY
        + bytes.fromhex("5af4602a57600080fd5b602d8060366000396000f3363d3d373d3d3d363d73")
        + PROXY_CODE
        + bytes.fromhex("5af43d82803e903d91602b57fd5bf352e831dd")
        + (32).to_bytes(32, "big")
        + bytes(32)
    )
    return _created(PROXY_FACTORY, keccak(owner), keccak(code))


def safe_wallet(owner: bytes) -> str:
    """The Safe of a browser-wallet account."""
    return _created(SAFE_FACTORY, keccak(_word(owner)), SAFE_INIT_HASH)


def deposit_wallet(owner: bytes) -> str:
    """The deposit wallet of an account first seen after 2026-05-04: a proxy of the beacon."""
    arguments = _word(DEPOSIT_FACTORY) + _word(owner)
    size = (BEACON_SIZE + len(arguments)).to_bytes(2, "big")
    code = b"\x61" + size + bytes.fromhex("3d8160233d3973") + DEPOSIT_BEACON + BEACON_TAIL
    return _created(DEPOSIT_FACTORY, keccak(arguments), keccak(code + arguments))


DERIVED: Final[dict[int, Callable[[bytes], str]]] = {
    POLY_PROXY: proxy_wallet,
    POLY_GNOSIS_SAFE: safe_wallet,
    POLY_1271: deposit_wallet,
}


def wallets_of(address: str) -> dict[int, str]:
    """The address of each kind of smart wallet of a key's own address, by signature type."""
    owner = bytes.fromhex(address.removeprefix("0x"))
    return {kind: derive(owner) for kind, derive in DERIVED.items()}

"""Wallet addresses follow from the key alone: ours are those that the official client derives."""

from collections.abc import Callable
from typing import Any

import pytest

from polybawt.venue.signing import POLY_1271, POLY_GNOSIS_SAFE, POLY_PROXY
from polybawt.venue.wallets import wallets_of

OWNER = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"  # of the private key 0x11 * 32


def test_each_kind_has_its_own_address() -> None:
    """Written down, so that it is noticed where the official client is not installed."""
    assert wallets_of(OWNER) == {
        POLY_PROXY: "0x6Cd089333445c89b55B7693c6009DCc229613738",
        POLY_GNOSIS_SAFE: "0x75F00B003FBBBA193FABEB06284c3187a4C1232E",
        POLY_1271: "0x8154deDBDAAA46c07453E47b5b6C0Ff60B8542b9",
    }


def test_the_official_client_derives_the_same() -> None:
    derive: Any = pytest.importorskip("polymarket._internal.wallet")
    known: Any = pytest.importorskip("polymarket._internal.environment").PRODUCTION_CONFIG
    theirs: dict[int, Callable[..., str]] = {
        POLY_PROXY: derive.derive_proxy_wallet_address,
        POLY_GNOSIS_SAFE: derive.derive_safe_wallet_address,
        POLY_1271: derive.derive_beacon_deposit_wallet_address,
    }

    for number in range(1, 40):
        owner = "0x" + number.to_bytes(1, "big").hex() * 20
        expected = {kind: of(owner, known.wallet_derivation) for kind, of in theirs.items()}
        assert wallets_of(owner) == expected

"""The venue's contract addresses by chain: constants, read from nowhere at run time.

Think of it as the address book that signatures are bound to.  An order signed for one exchange
contract is worthless at every other, so a wrong line here shows as refused orders, never as
lost money.  It is not a chain client: nothing here is called.

Source: exchange reference 3.1.
"""

from typing import Final

from attrs import frozen

POLYGON: Final = 137
AMOY: Final = 80_002


@frozen(kw_only=True)
class Contracts:
    """Who verifies orders on one chain, and who holds collateral and shares.

    ``standard`` and ``neg_risk`` serve markets of version v1 (domain "2"), ``positions`` serves
    those of version v2 (domain "3").
    """

    standard: str
    neg_risk: str
    positions: str
    collateral: str
    conditional_tokens: str


CONTRACTS: Final = {
    POLYGON: Contracts(
        standard="0xE111180000d2663C0091e4f400237545B87B996B",
        neg_risk="0xe2222d279d744050d28e00520010520000310F59",
        positions="0xe3333700cA9d93003F00f0F71f8515005F6c00Aa",
        collateral="0xC011a7E12a19f7B1f670d46F03B03f3342E82DFB",
        conditional_tokens="0x4D97DCd97eC945f40cF65F87097ACe5EA0476045",
    ),
    AMOY: Contracts(
        standard="0xE111180000d2663C0091e4f400237545B87B996B",
        neg_risk="0xe2222d279d744050d28e00520010520000310F59",
        positions="0x9fE6e61422AdB6F610d8597F9684b16912D50C3D",
        collateral="0xC011a7E12a19f7B1f670d46F03B03f3342E82DFB",
        conditional_tokens="0x69308FB512518e39F9b16112fA8d994F4e2Bf8bB",
    ),
}


class UnknownChain(ValueError):
    """No contracts are known for this chain id: nothing can be signed for it."""


def contracts(chain_id: int) -> Contracts:
    try:
        return CONTRACTS[chain_id]
    except KeyError:
        raise UnknownChain(f"chain {chain_id} is none of {sorted(CONTRACTS)}") from None

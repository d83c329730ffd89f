"""Signatures: what proves to the venue that an order or a request is ours.

Three proofs.  An *order* is signed as EIP-712 typed data, and its digest is the order id, known
before anything is sent.  A *login* is EIP-712 too (L1).  Every *request* after it carries an
HMAC of its exact bytes (L2).  Nothing here sends, and nothing here is random: the same terms and
key give the same bytes for ever.  All struct fields are static, so the encoding is 32 bytes per
field by hand; type hashes and domain separators are computed once.

Source: exchange reference 2.1, 2.2, 2.3, 3.1 to 3.4.
"""

import base64
import hashlib
import hmac
from functools import cache, lru_cache
from typing import Final

from attrs import field, frozen
from Crypto.Hash import keccak as _keccak

from polybawt.core.market import Side
from polybawt.venue.amounts import limit_amounts as limit_amounts  # noqa: PLC0414 - offered here
from polybawt.venue.amounts import market_amounts as market_amounts  # noqa: PLC0414 - too
from polybawt.venue.contracts import contracts
from polybawt.venue.curve import Curve, fastest

EOA, POLY_PROXY, POLY_GNOSIS_SAFE, POLY_1271 = range(4)
ZERO_WORD: Final = bytes(32)
SIGNATURE_BYTES: Final = 65
WRAPPED_BYTES: Final = 317
WORDS_MAX: Final = 4_096  # an engine names few accounts and few tokens, again and again
CURVE_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


class InvalidKey(ValueError):
    """A private key is no number between 1 and the order of the curve; never shows it."""


class InvalidTerms(ValueError):
    """An order's terms do not fit the signed struct."""


@frozen(kw_only=True)
class Credentials:
    """The L2 key of one account. Only ``key`` may ever be shown."""

    key: str
    secret: str = field(repr=False)
    passphrase: str = field(repr=False)


@frozen(kw_only=True)
class OrderTerms:
    """The signed struct of an order (reference 3.1). Amounts are millionths."""

    salt: int
    maker: str
    signer: str
    token_id: str
    maker_amount: int
    taker_amount: int
    side: Side
    signature_type: int
    timestamp_ms: int
    metadata: bytes = ZERO_WORD
    builder: bytes = ZERO_WORD


def keccak(data: bytes) -> bytes:  # the word of the standard
    return _keccak.new(digest_bits=256, data=data).digest()


@lru_cache(maxsize=WORDS_MAX)
def checksum(address_bytes: bytes) -> str:
    """The EIP-55 spelling of a 20-byte address: its capital letters are a checksum."""
    digits = address_bytes.hex()
    marks = keccak(digits.encode()).hex()
    pairs = zip(digits, marks, strict=False)
    return "0x" + "".join(d.upper() if int(mark, 16) >= 8 else d for d, mark in pairs)


def address_of(public_key: bytes) -> str:
    return checksum(keccak(public_key)[12:])


class Account:
    """A private key that signs and never shows itself."""

    __slots__ = ("_sign", "address")

    def __init__(self, private_key: bytes | str, curve: Curve | None = None) -> None:
        secret = _secret(private_key)
        curve = curve or fastest()
        self.address = address_of(curve.public_key(secret))
        self._sign = curve.signer(secret)

    def sign(self, digest: bytes) -> bytes:
        """65 bytes r || s || v, deterministic."""
        assert len(digest) == 32, len(digest)
        return self._sign(digest)

    def __repr__(self) -> str:
        return f"Account({self.address})"


def _secret(private_key: bytes | str) -> bytes:
    try:
        raw = (
            bytes.fromhex(private_key.strip().removeprefix("0x"))
            if isinstance(private_key, str)
            else private_key
        )
    except ValueError:
        raise InvalidKey("the private key is not hexadecimal") from None  # hides the text
    if len(raw) != 32 or not 0 < int.from_bytes(raw, "big") < CURVE_ORDER:
        raise InvalidKey("the private key is not 32 bytes within the curve's order")
    return raw


# Words: one field of a static struct is 32 bytes.


def _uint(number: int) -> bytes:
    return number.to_bytes(32, "big")


@lru_cache(maxsize=WORDS_MAX)
def _address(text: str) -> bytes:
    raw = bytes.fromhex(text.removeprefix("0x"))
    if len(raw) != 20:
        raise ValueError(f"{text[:60]!r} is not an address")
    return raw.rjust(32, b"\0")


@lru_cache(maxsize=WORDS_MAX)
def _token(token_id: str) -> bytes:
    return _uint(int(token_id))


def _word(raw: bytes) -> bytes:
    if len(raw) != 32:
        raise ValueError("a bytes32 field has another length")
    return raw


# Domains.

DOMAIN_TYPE: Final = "EIP712Domain(string name,string version,uint256 chainId"
EXCHANGE_NAME: Final = "Polymarket CTF Exchange"
AUTH_NAME: Final = "ClobAuthDomain"


@cache
def domain_separator(name: str, version: str, chain_id: int, contract: str | None) -> bytes:
    """The EIP-712 domain; with ``contract`` None the type has no verifyingContract at all."""
    kind = DOMAIN_TYPE + (",address verifyingContract)" if contract else ")")
    words = keccak(kind.encode()), keccak(name.encode()), keccak(version.encode()), _uint(chain_id)
    return keccak(b"".join((*words, _address(contract) if contract else b"")))


@cache
def exchange_domain(chain_id: int, version: str, neg_risk: bool) -> bytes:
    """The domain of a market's orders: v1 markets are signed under "2", v2 markets under "3"."""
    known = contracts(chain_id)
    match version:
        case "v1":
            contract = known.neg_risk if neg_risk else known.standard
            return domain_separator(EXCHANGE_NAME, "2", chain_id, contract)
        case "v2":
            return domain_separator(EXCHANGE_NAME, "3", chain_id, known.positions)
        case _:  # reference 0: refuse any other value
            raise InvalidTerms(f"market version {version[:20]!r} is neither v1 nor v2")


def is_position_id(token_id: str) -> bool:
    """Whether a token is a Protocol-V2 position: bits 40 to 103 are zero (reference 3.2)."""
    return token_id.isdecimal() and (int(token_id) >> 40) & (2**64 - 1) == 0


# Orders.

ORDER_TYPE: Final = (
    b"Order(uint256 salt,address maker,address signer,uint256 tokenId,uint256 makerAmount,"
    b"uint256 takerAmount,uint8 side,uint8 signatureType,uint256 timestamp,bytes32 metadata,"
    b"bytes32 builder)"
)
ORDER_TYPEHASH: Final = keccak(ORDER_TYPE)
BUY_WORD: Final = _uint(0)
SELL_WORD: Final = _uint(1)
WRAP_TYPEHASH: Final = keccak(
    b"TypedDataSign(Order contents,string name,string version,uint256 chainId,"
    b"address verifyingContract,bytes32 salt)" + ORDER_TYPE
)
WALLET_NAME: Final = keccak(b"DepositWallet")
WALLET_VERSION: Final = keccak(b"1")
ORDER_TAIL: Final = ORDER_TYPE + len(ORDER_TYPE).to_bytes(2, "big")


def order_struct_hash(terms: OrderTerms) -> bytes:
    try:
        words = (
            ORDER_TYPEHASH,
            _uint(terms.salt),
            _address(terms.maker),
            _address(terms.signer),
            _token(terms.token_id),
            _uint(terms.maker_amount),
            _uint(terms.taker_amount),
            BUY_WORD if terms.side is Side.BUY else SELL_WORD,
            _uint(terms.signature_type),
            _uint(terms.timestamp_ms),
            _word(terms.metadata),
            _word(terms.builder),
        )
    except (ValueError, OverflowError) as wrong:
        raise InvalidTerms(f"order terms cannot be encoded: {wrong}") from wrong
    return keccak(b"".join(words))


def _typed_digest(domain: bytes, struct_hash: bytes) -> bytes:
    return keccak(b"\x19\x01" + domain + struct_hash)


def order_digest(terms: OrderTerms, domain: bytes) -> bytes:
    """The order id as 32 bytes: known before the order is sent (reference 3.3)."""
    return _typed_digest(domain, order_struct_hash(terms))


def _wrapped_digest(terms: OrderTerms, domain: bytes, chain_id: int, struct_hash: bytes) -> bytes:
    """What a deposit wallet's owner really signs: the order within ERC-7739 typed data."""
    wallet = _address(terms.signer)
    words = WRAP_TYPEHASH, struct_hash, WALLET_NAME, WALLET_VERSION, _uint(chain_id), wallet
    return _typed_digest(domain, keccak(b"".join((*words, ZERO_WORD))))


def signed_order(
    account: Account, terms: OrderTerms, domain: bytes, chain_id: int
) -> tuple[bytes, bytes]:
    """The id, and the signature: 65 bytes; of a deposit wallet (type 3) 317, its type appended."""
    struct_hash = order_struct_hash(terms)
    digest = _typed_digest(domain, struct_hash)
    if terms.signature_type != POLY_1271:
        return digest, account.sign(digest)
    inner = account.sign(_wrapped_digest(terms, domain, chain_id, struct_hash))
    wrapped = inner + domain + struct_hash + ORDER_TAIL
    assert len(wrapped) == WRAPPED_BYTES, len(wrapped)
    return digest, wrapped


def order_signature(account: Account, terms: OrderTerms, domain: bytes, chain_id: int) -> bytes:
    return signed_order(account, terms, domain, chain_id)[1]


def recovered(digest: bytes, signature: bytes) -> str | None:
    """Who signed ``digest``, or None when the bytes are no signature of anybody."""
    if len(digest) != 32 or len(signature) != SIGNATURE_BYTES or signature[64] not in (27, 28):
        return None
    public_key = fastest().recover(digest, signature)
    return None if public_key is None else address_of(public_key)


def signer_and_digest(
    terms: OrderTerms, domain: bytes, chain_id: int, signature: bytes
) -> tuple[str | None, bytes]:
    """Who really signed an order, whatever its signature type, and the order's id.

    Nobody, when these bytes are no signature.
    """
    struct_hash = order_struct_hash(terms)
    digest = _typed_digest(domain, struct_hash)
    if terms.signature_type != POLY_1271:
        return recovered(digest, signature), digest
    inner, tail = signature[:SIGNATURE_BYTES], signature[SIGNATURE_BYTES:]
    if tail != domain + struct_hash + ORDER_TAIL:
        return None, digest
    return recovered(_wrapped_digest(terms, domain, chain_id, struct_hash), inner), digest


def signer_of(terms: OrderTerms, domain: bytes, chain_id: int, signature: bytes) -> str | None:
    return signer_and_digest(terms, domain, chain_id, signature)[0]


# Requests.

AUTH_TYPEHASH: Final = keccak(
    b"ClobAuth(address address,string timestamp,uint256 nonce,string message)"
)
AUTH_MESSAGE: Final = keccak(b"This message attests that I control the given wallet")


def clob_auth_digest(address: str, timestamp: str, nonce: int, chain_id: int) -> bytes:
    """What the L1 headers sign; ``timestamp`` is seconds, as text (reference 2.1)."""
    words = AUTH_TYPEHASH, _address(address), keccak(timestamp.encode()), _uint(nonce), AUTH_MESSAGE
    domain = domain_separator(AUTH_NAME, "1", chain_id, None)
    return _typed_digest(domain, keccak(b"".join(words)))


def hmac_signature(secret: str, timestamp: str, method: str, path: str, body: str | None) -> str:
    """The L2 signature of a request's exact bytes; ``path`` has no query (reference 2.2)."""
    message = f"{timestamp}{method}{path}{body or ''}".encode()
    digest = hmac.new(base64.urlsafe_b64decode(secret), message, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode()

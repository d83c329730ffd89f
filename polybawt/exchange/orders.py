"""From the bytes of a POST /order to a placement that the venue can judge, and back.

Three steps, each of which may refuse: *read* the payload strictly, *prove* who signed it, and
*turn amounts into terms* exactly.  Everything after that (tick, accuracy, minimum, duplicates,
balance, matching) is the venue's business.  The order id is computed, never taken from anybody.

Source: exchange reference 1.6, 1.7, 2.3, 3.1 to 3.4 and section 8.
"""

from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen

from polybawt.core.market import LOT, Market, Side
from polybawt.core.units import MILLION, Price, Shares, Usdc, micro_text
from polybawt.exchange import refusal
from polybawt.exchange.auth import ApiKey, canonical
from polybawt.exchange.config import Wallet
from polybawt.exchange.refusal import RequestRefused
from polybawt.sim import rules
from polybawt.sim.records import IMMEDIATE_TYPES, RESTING_TYPES, Accepted, Placement
from polybawt.venue import signing
from polybawt.venue.signing import OrderTerms

BATCH_MAX: Final = 15
ORDER_TYPES: Final = (*RESTING_TYPES, *IMMEDIATE_TYPES)
UINT256_DIGITS: Final = 78
EXPIRATION_DIGITS: Final = 12
V1_FIELDS: Final = frozenset({"taker", "nonce", "feeRateBps"})

Json = Mapping[str, Any]


@frozen(kw_only=True)
class SignedOrder:
    """A well-formed payload; nothing of it is proved yet."""

    terms: OrderTerms
    signature: bytes
    owner: str
    order_type: str
    post_only: bool
    expiration_s: int


# Reading.


def read(body: object) -> SignedOrder:
    """The payload as typed terms; refuses whatever is missing, mistyped or out of range."""
    if not isinstance(body, dict) or not isinstance(body.get("order"), dict):
        raise RequestRefused(refusal.INVALID_ORDER_PAYLOAD)
    order: Json = body["order"]
    if "timestamp" not in order:  # the field that took the place of V1's nonce
        known = order.keys() >= V1_FIELDS
        raise RequestRefused(refusal.WRONG_VERSION if known else refusal.OUTDATED_CLIENT)
    order_type = body.get("orderType", "GTC")
    owner = body.get("owner")
    post_only = body.get("postOnly", False)
    if order_type not in ORDER_TYPES or not isinstance(owner, str):
        raise RequestRefused(refusal.INVALID_ORDER_PAYLOAD)
    if not isinstance(post_only, bool) or not isinstance(body.get("deferExec", False), bool):
        raise RequestRefused(refusal.INVALID_ORDER_PAYLOAD)
    return SignedOrder(
        terms=_terms(order),
        signature=_hex(order, "signature"),
        owner=owner,
        order_type=order_type,
        post_only=post_only,
        expiration_s=_digits(order, "expiration", EXPIRATION_DIGITS),
    )


def _terms(order: Json) -> OrderTerms:
    kind, salt = order.get("signatureType"), order.get("salt")
    side = order.get("side")
    if side not in ("BUY", "SELL"):
        raise RequestRefused(refusal.INVALID_SIDE)
    if type(salt) is not int or salt < 0 or type(kind) is not int or not 0 <= kind <= 3:
        raise RequestRefused(refusal.INVALID_ORDER_PAYLOAD)
    return OrderTerms(
        salt=salt,
        maker=_address(order, "maker"),
        signer=_address(order, "signer"),
        token_id=str(_digits(order, "tokenId")),
        maker_amount=_digits(order, "makerAmount"),
        taker_amount=_digits(order, "takerAmount"),
        side=Side(side),
        signature_type=kind,
        timestamp_ms=_digits(order, "timestamp"),
        metadata=_word(order, "metadata"),
        builder=_word(order, "builder"),
    )


def _digits(order: Json, name: str, length_max: int = UINT256_DIGITS) -> int:
    text = order.get(name)
    if not isinstance(text, str) or not text.isascii() or not text.isdecimal():
        raise RequestRefused(refusal.INVALID_ORDER_PAYLOAD)
    if len(text) > length_max:
        raise RequestRefused(refusal.INVALID_ORDER_PAYLOAD)
    return int(text)


def _address(order: Json, name: str) -> str:
    text = order.get(name)
    address = canonical(text) if isinstance(text, str) else None
    if address is None:
        raise RequestRefused(refusal.INVALID_ORDER_PAYLOAD)
    return address


def _hex(order: Json, name: str) -> bytes:
    text = order.get(name)
    if not isinstance(text, str) or not text.startswith("0x"):
        raise RequestRefused(refusal.INVALID_ORDER_PAYLOAD)
    try:
        return bytes.fromhex(text[2:])
    except ValueError as wrong:
        raise RequestRefused(refusal.INVALID_ORDER_PAYLOAD) from wrong


def _word(order: Json, name: str) -> bytes:
    word = _hex(order, name)
    if len(word) != 32:
        raise RequestRefused(refusal.INVALID_ORDER_PAYLOAD)
    return word


# Proving.


def proved_id(
    signed: SignedOrder,
    market: Market,
    key: ApiKey,
    wallets: Mapping[str, Wallet],
    chain_id: int,
) -> str:
    """The order's id, once it is certain that the holder of ``key`` signed exactly this."""
    terms = signed.terms
    if signed.owner != key.credentials.key:
        raise RequestRefused(refusal.NOT_OWNER)
    signer = terms.signer
    if terms.signature_type == signing.POLY_1271:
        wallet = wallets.get(terms.signer)
        signer = wallet.owner if wallet else terms.signer
    if signer != key.address:
        raise RequestRefused(refusal.NOT_SIGNER)
    if not _may_spend(terms, key, wallets):
        raise RequestRefused(refusal.NOT_WALLET)
    version = "v2" if signing.is_position_id(terms.token_id) else "v1"
    domain = signing.exchange_domain(chain_id, version, market.neg_risk)
    try:
        who, digest = signing.signer_and_digest(terms, domain, chain_id, signed.signature)
    except signing.InvalidTerms as wrong:
        raise RequestRefused(refusal.INVALID_ORDER_PAYLOAD) from wrong
    if who != key.address:
        raise RequestRefused(_why_foreign(signed, version, market, key, chain_id))
    return "0x" + digest.hex()


def _why_foreign(
    signed: SignedOrder, version: str, market: Market, key: ApiKey, chain_id: int
) -> str:
    """Signed for the exchange of the other protocol version, or not signed by this key at all."""
    other = "v1" if version == "v2" else "v2"
    domain = signing.exchange_domain(chain_id, other, market.neg_risk)
    who = signing.signer_of(signed.terms, domain, chain_id, signed.signature)
    return refusal.WRONG_VERSION if who == key.address else refusal.WRONG_SIGNATURE


def _may_spend(terms: OrderTerms, key: ApiKey, wallets: Mapping[str, Wallet]) -> bool:
    """Whether this signer speaks for the maker: itself, or a wallet known to be its own."""
    if terms.signature_type == signing.EOA:
        return terms.maker == terms.signer
    wallet = wallets.get(terms.maker)
    if wallet is None or wallet.owner != key.address:
        return False
    if terms.signature_type == signing.POLY_1271 and terms.maker != terms.signer:
        return False
    return wallet.signature_type == terms.signature_type


# Terms.


def placement(signed: SignedOrder, order_id: str, market: Market) -> Placement:
    """The order in prices and sizes; refuses amounts that are no price on this market's tick."""
    terms, buys = signed.terms, signed.terms.side is Side.BUY
    dollars, shares = (
        (terms.maker_amount, terms.taker_amount)
        if buys
        else (terms.taker_amount, terms.maker_amount)
    )
    if not dollars or not shares:
        raise RequestRefused(refusal.INVALID_ORDER_PAYLOAD)
    immediate = signed.order_type in IMMEDIATE_TYPES
    if immediate and not _accurate(terms, market):
        raise RequestRefused(rules.inaccurate(terms.side, market))
    if immediate:
        price = _market_price(market, order_id, buys, dollars, shares)
    else:
        price = _exact_price(market, order_id, dollars, shares)
    return Placement(
        owner=terms.maker,
        order_id=order_id,
        token_id=terms.token_id,
        side=terms.side,
        price=price,
        size=Shares(shares),
        order_type=signed.order_type,
        post_only=signed.post_only,
        expiration_s=signed.expiration_s,
        budget=Usdc(dollars) if immediate and buys else None,
    )


def _accurate(terms: OrderTerms, market: Market) -> bool:
    return terms.maker_amount % LOT == 0 and terms.taker_amount % rules.fine_lot(market) == 0


def _exact_price(market: Market, order_id: str, dollars: int, shares: int) -> Price:
    price, rest = divmod(dollars * MILLION, shares)
    if rest:
        raise RequestRefused(_off_tick(order_id, dollars * MILLION, shares, market))
    return Price(price)


def _market_price(market: Market, order_id: str, buys: bool, dollars: int, shares: int) -> Price:
    """The limit behind a market order, whose counter amount was rounded down to its decimals.

    A buy's shares are too few by less than one unit, so the price they imply is a little too
    high; a sale's dollars likewise make it a little too low.
    """
    unit = _unit(market)
    if buys:
        price = market.price_down(dollars * MILLION // shares)
        exact = dollars * MILLION // price if price else 0
        fits = 0 <= exact - shares < unit
    else:
        price = market.price_up(-(-dollars * MILLION // shares))
        fits = 0 <= shares * price // MILLION - dollars < unit
    if not price or not fits:
        raise RequestRefused(_off_tick(order_id, dollars * MILLION, shares, market))
    return price


def _unit(market: Market) -> int:
    """The last decimal of an amount: price decimals plus two (reference 3.4)."""
    step = MILLION
    while market.tick % step:
        step //= 10
    return max(step // 100, 1)


def _off_tick(order_id: str, numerator: int, denominator: int, market: Market) -> str:
    implied = micro_text(numerator // denominator)
    tick = micro_text(market.tick)
    return f"order {order_id} is invalid. Price ({implied}) breaks minimum tick size rule: {tick}"


# Answering.


def answer(accepted: Accepted) -> dict[str, object]:
    """The placement response; a match, even a partial one, says ``matched``."""
    order = accepted.order
    spent, got = "", ""
    if order.status == "DELAYED":
        status, spent, got = "delayed", "0", "0"
    elif accepted.trades:
        status, spent, got = "matched", micro_text(accepted.spent), micro_text(accepted.got)
    else:
        status = "live"
    return {
        "success": True,
        "errorMsg": "",
        "orderID": order.placement.order_id,
        "status": status,
        "makingAmount": spent,
        "takingAmount": got,
        "tradeIDs": [trade.trade_id for trade in accepted.trades],
        "transactionsHashes": [],  # not given at once since 2026-07-24
    }


def leg_refusal(text: str) -> dict[str, object]:
    """One refused leg of a batch: an empty id and a reason, under a misleading ``success``."""
    return {
        "success": True,
        "errorMsg": text,
        "orderID": "",
        "status": "",
        "makingAmount": "",
        "takingAmount": "",
        "tradeIDs": [],
        "transactionsHashes": [],
    }

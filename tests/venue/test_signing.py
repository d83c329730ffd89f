"""Signatures, ids and amounts, byte for byte as both official clients make them."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from polybawt.core.market import FeeSchedule, Side
from polybawt.core.units import Price, Shares, parse_micro
from polybawt.venue import curve, signing
from polybawt.venue.contracts import UnknownChain, contracts

Recorded = Callable[[str], Path]
KEY = "0x" + "11" * 32
ADDRESS = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
TOKEN = "25070934348813416902477876984955073880416401960631253331845590271167412497744"
POSITION = "663574927012476832975694178961957910328055987427402067619466963999000625152"
TERMS = signing.OrderTerms(
    salt=12345,
    maker=ADDRESS,
    signer=ADDRESS,
    token_id=TOKEN,
    maker_amount=5_200_000,
    taker_amount=10_000_000,
    side=Side.BUY,
    signature_type=signing.EOA,
    timestamp_ms=1_700_000_000_000,
)
WALLET = "0x" + "22" * 20
WALLET_TERMS = evolve(TERMS, maker=WALLET, signer=WALLET, signature_type=signing.POLY_1271)
STANDARD = signing.exchange_domain(137, "v1", False)
CURVES = [curve.Compiled(), curve.PurePython()]


def rows(path: Path, part: str = "cases") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text())[part]
    assert found
    return found


def terms_of(order: dict[str, Any]) -> signing.OrderTerms:
    return signing.OrderTerms(
        salt=int(order["salt"]),
        maker=order["maker"],
        signer=order["signer"],
        token_id=order["tokenId"],
        maker_amount=int(order["makerAmount"]),
        taker_amount=int(order["takerAmount"]),
        side=(Side.BUY, Side.SELL)[order["side"]],
        signature_type=order["signatureType"],
        timestamp_ms=int(order["timestamp"]),
        metadata=bytes.fromhex(order["metadata"][2:]),
        builder=bytes.fromhex(order["builder"][2:]),
    )


@pytest.mark.parametrize("made_by", CURVES, ids=["compiled", "pure"])
def test_orders_are_signed_as_both_official_clients_sign_them(
    recorded: Recorded, made_by: curve.Curve
) -> None:
    """A byte of difference and every order is refused, or has an id that we do not know.

    Proves: H5, P3.4
    """
    for row in rows(recorded("vectors/orders_v2_v3.json")):
        terms, chain_id = terms_of(row["order"]), row["chain_id"]
        version = {2: "v1", 3: "v2"}[row["exchange_version"]]
        domain = signing.exchange_domain(chain_id, version, row["neg_risk"])
        account = signing.Account(row["private_key"], made_by)
        signature = signing.order_signature(account, terms, domain, chain_id)

        assert row["order_hash"] == "0x" + signing.order_digest(terms, domain).hex()
        assert row["signature"] == "0x" + signature.hex()
        assert account.address == signing.signer_of(terms, domain, chain_id, signature)


def test_the_official_suites_own_literals_hold(recorded: Recorded) -> None:
    """These are asserted in the venue's own test suites, not produced by running them."""
    path = recorded("vectors/signing_asserted.json")
    for row in rows(path, "orders_v2"):
        terms = terms_of(row["order"])
        domain = signing.exchange_domain(row["chain_id"], "v1", False)
        account = signing.Account(row["private_key"])
        signature = signing.order_signature(account, terms, domain, row["chain_id"])
        assert row["signature"] == "0x" + signature.hex()
    for row in rows(path, "eip712_domain_separators_v1"):
        made = signing.domain_separator(
            row["name"], row["version"], row["chain_id"], row["verifying_contract"]
        )
        assert row["hash"] == "0x" + made.hex()


@pytest.mark.parametrize(
    ("file", "part"), [("l1_auth.json", "cases"), ("signing_asserted.json", "l1_auth")]
)
def test_a_login_is_signed_as_the_venue_expects(recorded: Recorded, file: str, part: str) -> None:
    """Without it there are no credentials at all."""
    for row in rows(recorded(f"vectors/{file}"), part):
        account = signing.Account(row["private_key"])
        digest = signing.clob_auth_digest(
            row["address"], str(row["timestamp"]), row["nonce"], row["chain_id"]
        )

        assert row["address"] == account.address
        assert row["signature"] == "0x" + account.sign(digest).hex()


@pytest.mark.parametrize(
    ("file", "part"), [("hmac.json", "cases"), ("signing_asserted.json", "hmac")]
)
def test_a_request_is_signed_over_its_exact_bytes(recorded: Recorded, file: str, part: str) -> None:
    """Empty, absent, spaced and non-ASCII bodies all count as they are sent."""
    for row in rows(recorded(f"vectors/{file}"), part):
        made = signing.hmac_signature(
            row["secret"], row["timestamp"], row["method"], row["path"], row["body"]
        )
        assert row["signature"] == made


def test_the_order_id_is_known_before_anything_is_sent() -> None:
    """The digest is the idempotency key: the reference's vectors, for v1, v2 and a wallet.

    Proves: H5, P3.4
    """
    positions = signing.exchange_domain(137, "v2", False)

    assert (
        signing.order_digest(TERMS, STANDARD).hex()
    ) == "108756d21f0386517dbe158f7be8e4c4d2412c5a04d1b456c7c69e851d58377c"
    assert (
        signing.order_digest(evolve(TERMS, token_id=POSITION), positions).hex()
    ) == "c7e129a0b8402fed37a825edbeff57f21291f9635d270643fb33d6d4db0cea10"
    assert (
        signing.order_digest(WALLET_TERMS, STANDARD).hex()
    ) == "e12870c6c05cf0bb81fc5c6e57294c4a2b3c43822894188cf1a2675ec5fbc26e"


def test_domains_are_those_of_the_deployed_contracts() -> None:
    """Reference 3.1: one separator per chain, market version and kind of risk."""
    made = {
        "3264e159346253e26a64e00b69032db0e7d32f94628de3e6eecb50304d7af3d2": (137, "v1", False),
        "9b858f53327b0bd13af8ec14cfb35234fb9eb7b0504d1a4e61f433840d30e81a": (137, "v1", True),
        "466c63910185bbd55e8679264200c4e0abdcbb0c6264eb3d41d13326022e095b": (137, "v2", True),
        "a440cbd865bc0c6243d7a8df9a8bf48a8827b0a4abbb61c30e96d305423af148": (80002, "v1", False),
        "df8b5fd204134b8d562677d7fc9346884e8f02ef2fd43358239393723e8833e6": (80002, "v2", False),
    }
    for separator, of in made.items():
        assert separator == signing.exchange_domain(*of).hex()


def test_an_unknown_version_or_chain_is_refused() -> None:
    """Signing for a guessed contract gives an order that no exchange can settle."""
    with pytest.raises(signing.InvalidTerms, match="neither v1 nor v2"):
        signing.exchange_domain(137, "v3", False)
    with pytest.raises(UnknownChain, match="chain 1 "):
        contracts(1)


def test_a_position_is_told_from_a_token_by_its_bits() -> None:
    """The venue picks the domain by this test, so the exchange must use the same one."""
    assert signing.is_position_id(POSITION)
    assert not signing.is_position_id(TOKEN)
    assert not signing.is_position_id("0x12")
    assert not signing.is_position_id("")


def test_a_wallet_signature_carries_its_order_and_nothing_else() -> None:
    """A tail that speaks of another order, or a broken inner part, proves nobody."""
    account = signing.Account(KEY)
    signature = signing.order_signature(account, WALLET_TERMS, STANDARD, 137)
    other = evolve(WALLET_TERMS, salt=1)

    assert len(signature) == signing.WRAPPED_BYTES
    assert account.address == signing.signer_of(WALLET_TERMS, STANDARD, 137, signature)
    assert signing.signer_of(other, STANDARD, 137, signature) is None
    assert signing.signer_of(WALLET_TERMS, STANDARD, 137, signature[:-1]) is None


@pytest.mark.parametrize("made_by", CURVES, ids=["compiled", "pure"])
def test_bytes_that_are_no_signature_name_nobody(made_by: curve.Curve) -> None:
    """The exchange gets these from strangers: no input may raise."""
    digest = signing.order_digest(TERMS, STANDARD)
    genuine = signing.Account(KEY, made_by).sign(digest)
    nonsense = [b"", genuine[:64], genuine + b"\0", genuine[:64] + b"\0", bytes(64) + b"\x1b"]

    assert [None] * len(nonsense) == [signing.recovered(digest, bad) for bad in nonsense]
    assert made_by.recover(digest, bytes(64) + b"\x1b") is None
    assert made_by.recover(digest, b"\xff" * 64 + b"\x1b") is None
    assert signing.recovered(digest, genuine) == ADDRESS


def test_a_private_key_is_never_shown() -> None:
    """Reprs and errors reach logs. Proves: P3.1"""
    account = signing.Account(KEY)
    credentials = signing.Credentials(key="k", secret="hush", passphrase="hush")

    assert f"Account({ADDRESS})" == repr(account)
    assert "hush" not in repr(credentials)
    for bad in ("0x1234", "zz" * 32, b"", bytes(32), "f" * 64):
        with pytest.raises(signing.InvalidKey) as refused:
            signing.Account(bad)
        assert str(bad) not in str(refused.value) or not bad


@pytest.mark.parametrize(
    "wrong",
    [
        {"salt": -1},
        {"salt": 2**256},
        {"maker": "0x12"},
        {"signer": "nobody"},
        {"token_id": "yes"},
        {"metadata": b"short"},
    ],
    ids=str,
)
def test_terms_that_do_not_fit_the_struct_are_refused(wrong: dict[str, Any]) -> None:
    """The exchange builds terms from strangers' JSON: one named error, whatever is wrong."""
    with pytest.raises(signing.InvalidTerms):
        signing.order_digest(evolve(TERMS, **wrong), STANDARD)


def test_amounts_are_exact_on_the_whole_grid(recorded: Recorded) -> None:
    """The Python SDK signs one size in twenty a cent too low; whole numbers cannot.

    Proves: H3
    """
    for row in rows(recorded("vectors/amounts_grid.json")):
        side, price, size = Side(row["side"]), *map(parse_micro, (row["price"], row["size"]))
        tick = Price(parse_micro(row["tick"]))
        limit = signing.limit_amounts(side, Price(price), Shares(size))
        market = signing.market_amounts(side, Price(price), size, tick)

        assert row["expected_limit"] == [str(amount) for amount in limit], row
        assert row["expected_market"] == [str(amount) for amount in market], row


def test_amounts_are_those_asserted_by_the_official_suites(recorded: Recorded) -> None:
    """Ninety-two literals, among them every rounding the venue ever complained about."""
    for row in rows(recorded("vectors/amounts_asserted.json")):
        side, price, size = Side(row["side"]), *map(parse_micro, (row["price"], row["size"]))
        made = (
            signing.limit_amounts(side, Price(price), Shares(size))
            if row["kind"] == "limit"
            else signing.market_amounts(side, Price(price), size, Price(parse_micro(row["tick"])))
        )
        assert (row["maker_amount"], row["taker_amount"]) == (str(made[0]), str(made[1])), row


def test_the_fee_schedule_agrees_with_the_official_formula(recorded: Recorded) -> None:
    """Our five-decimal charge is never more than half a step from the suites' own numbers."""
    for row in rows(recorded("vectors/platform_fee.json")):
        price = Price(parse_micro(row["price"]))
        contracts_micro = parse_micro(row["contracts"]) if "contracts" in row else None
        shares = contracts_micro or parse_micro(row["amount_usd"]) * 1_000_000 // price
        schedule = FeeSchedule(
            rate_micro=parse_micro(row["fee_rate"]), exponent=int(row["exponent"])
        )
        charged = schedule.charged(price, Shares(shares))

        assert abs(charged - row["fee"] * 1_000_000) <= 5.5, row
        assert charged <= schedule.fee_up(price, Shares(shares))


def test_without_the_compiled_curve_the_pure_one_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are platforms without a wheel: slower there, never different."""
    monkeypatch.setitem(sys.modules, "coincurve", None)
    found = curve.fastest.__wrapped__()

    assert isinstance(found, curve.PurePython)
    digest = signing.order_digest(TERMS, STANDARD)
    assert signing.Account(KEY, found).sign(digest) == signing.Account(KEY).sign(digest)

"""L1 and L2 as clients meet them: every byte counts."""

import pytest

from polybawt.exchange.auth import KeyRing, canonical, derived, proved_key, proved_wallet
from polybawt.exchange.config import DEVELOPMENT_KEYS
from polybawt.exchange.refusal import RequestRefused
from tests.exchange.house import CHAIN, Hall, Trader


def flipped(text: str, at: int = 5) -> str:
    """The same text with one character changed to another of its alphabet."""
    return text[:at] + ("1" if text[at] != "1" else "2") + text[at + 1 :]


async def test_a_key_is_created_once_and_derived_for_ever(hall: Hall) -> None:
    """A client that lost its key must get the same one back, or its orders are orphans."""
    trader = await hall.trader()
    again = await hall.client.post("/auth/api-key", headers=trader.l1_headers())
    found = await hall.client.get("/auth/derive-api-key", headers=trader.l1_headers())

    assert (again.status, await again.json()) == (400, {"error": "Could not create api key"})
    assert (await found.json())["secret"] == trader.credentials.secret


async def test_a_key_that_was_never_created_cannot_be_derived(hall: Hall) -> None:
    trader = Trader(hall, DEVELOPMENT_KEYS[1])

    answer = await hall.client.get("/auth/derive-api-key", headers=trader.l1_headers())

    assert (answer.status, await answer.json()) == (400, {"error": "Could not derive api key!"})


async def test_another_nonce_is_another_key(hall: Hall) -> None:
    trader = await hall.trader()

    answer = await hall.client.post("/auth/api-key", headers=trader.l1_headers(nonce=7))

    assert (await answer.json())["apiKey"] != trader.credentials.key
    assert len((await trader.ask("GET", "/auth/api-keys"))[1]["apiKeys"]) == 2


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("POLY_SIGNATURE", "0x00"),
        ("POLY_SIGNATURE", "no hex"),
        ("POLY_ADDRESS", "0x1234"),
        ("POLY_ADDRESS", "0x" + "zz" * 20),
        ("POLY_TIMESTAMP", "1700000001"),
        ("POLY_TIMESTAMP", "soon"),
        ("POLY_NONCE", "1"),
        ("POLY_NONCE", "-1"),
        ("POLY_NONCE", "9" * 79),
    ],
)
async def test_a_login_with_any_header_changed_is_refused(
    hall: Hall, header: str, value: str
) -> None:
    """L1 proves a wallet; anything less than a proof must not hand out a key."""
    headers = Trader(hall, DEVELOPMENT_KEYS[0]).l1_headers() | {header: value}

    answer = await hall.client.post("/auth/api-key", headers=headers)

    assert (answer.status, await answer.json()) == (401, {"error": "Invalid L1 Request headers"})


@pytest.mark.parametrize(
    "header",
    ["POLY_ADDRESS", "POLY_SIGNATURE", "POLY_TIMESTAMP", "POLY_API_KEY", "POLY_PASSPHRASE"],
)
async def test_a_request_with_one_character_changed_is_refused(hall: Hall, header: str) -> None:
    trader = await hall.trader()
    headers = trader.l2_headers("GET", "/data/orders", "")
    headers[header] = flipped(headers[header])

    answer = await hall.client.get("/data/orders", headers=headers)

    assert (answer.status, await answer.json()) == (401, {"error": "Unauthorized/Invalid api key"})


async def test_the_signature_covers_the_exact_body(hall: Hall) -> None:
    """The same JSON with one more space is another request."""
    trader = await hall.trader()
    headers = trader.l2_headers("DELETE", "/orders", '["0x1"]')

    answer = await hall.client.delete("/orders", data=b'["0x1" ]', headers=headers)

    assert answer.status == 401


async def test_the_signature_does_not_cover_the_query(hall: Hall) -> None:
    """Clients sign the path only (reference 2.2)."""
    trader = await hall.trader()

    status, page = await trader.ask("GET", "/data/orders", next_cursor="MA==")

    assert (status, page["data"]) == (200, [])


async def test_a_body_that_is_no_text_is_refused(hall: Hall) -> None:
    trader = await hall.trader()
    headers = trader.l2_headers("POST", "/order", "")

    answer = await hall.client.post("/order", data=b"\xff\xfe", headers=headers)

    assert answer.status == 400


def test_a_timestamp_outside_the_allowed_skew_is_refused_when_one_is_set() -> None:
    """The venue's allowance is unknown, so it is a switch, and the switch must work."""
    ring = KeyRing()
    ring.create("0x" + "00" * 20, 0)
    key = derived("0x" + "00" * 20, 0)
    headers = {"POLY_API_KEY": key.key, "POLY_ADDRESS": "0x" + "00" * 20, "POLY_TIMESTAMP": "100"}

    with pytest.raises(RequestRefused):
        proved_key(headers, ring, method="GET", path="/", body=b"", now_s=200, skew_max_s=60)


def test_there_is_a_limit_to_the_keys_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A nonce is free to choose: without a bound anybody could fill the memory."""
    monkeypatch.setattr("polybawt.exchange.auth.KEYS_MAX", 2)
    ring = KeyRing()
    for nonce in range(2):
        ring.create("0x" + "00" * 20, nonce)

    with pytest.raises(RequestRefused, match="Could not create api key"):
        ring.create("0x" + "00" * 20, 2)


def test_credentials_do_not_print_their_secrets() -> None:
    key = derived("0x" + "00" * 20, 0)

    assert key.secret not in repr(key)
    assert key.passphrase not in repr(key)


def test_addresses_are_one_account_in_any_spelling() -> None:
    address = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"

    assert canonical(address.lower()) == address
    assert canonical("f39f") is None


def test_no_headers_prove_nothing() -> None:
    with pytest.raises(RequestRefused):
        proved_wallet({}, CHAIN)

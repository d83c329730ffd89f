"""The headers that prove who asks: L1 once for the login, L2 on every private request.

Source: exchange reference 2.1 and 2.2.
"""

from collections.abc import Mapping

from polybawt.venue.signing import Account, Credentials, clob_auth_digest, hmac_signature

LOGIN_NONCE = 0


def login_headers(account: Account, chain_id: int, now_s: int) -> Mapping[str, str]:
    """L1: a wallet's signature over its address and the time."""
    digest = clob_auth_digest(account.address, str(now_s), LOGIN_NONCE, chain_id)
    return {
        "POLY_ADDRESS": account.address,
        "POLY_SIGNATURE": "0x" + account.sign(digest).hex(),
        "POLY_TIMESTAMP": str(now_s),
        "POLY_NONCE": str(LOGIN_NONCE),
    }


def request_headers(
    address: str, credentials: Credentials, now_s: int, *, method: str, path: str, body: str | None
) -> Mapping[str, str]:
    """L2: an HMAC over the exact request; ``path`` is without its query."""
    signature = hmac_signature(credentials.secret, str(now_s), method, path, body)
    return {
        "POLY_ADDRESS": address,
        "POLY_SIGNATURE": signature,
        "POLY_TIMESTAMP": str(now_s),
        "POLY_API_KEY": credentials.key,
        "POLY_PASSPHRASE": credentials.passphrase,
        "Content-Type": "application/json",
    }

"""How the exchange says no: one exception, which the HTTP layer turns into the venue's JSON.

Raise ``RequestRefused`` wherever a request turns out to be wrong; nothing else crosses from the
rules to the routes.  The texts are the venue's own, because clients classify by them.

Source: exchange reference 1.14.
"""

from collections.abc import Mapping
from typing import Final

INVALID_PAYLOAD: Final = "Invalid payload"
INVALID_ORDER_PAYLOAD: Final = "Invalid order payload"
INVALID_TOKEN: Final = "Invalid token id"  # noqa: S105 (a token of a market, no secret)
INVALID_SIDE: Final = "Invalid side"
INVALID_ASSET_TYPE: Final = "Invalid asset type"
INVALID_ORDER_ID: Final = "Invalid orderID"
TOO_LARGE: Final = "Payload exceeds the limit"
NO_BOOK: Final = "No orderbook exists for the requested token id"
NO_MARKET: Final = "market not found"
NO_EVENT: Final = "event not found"
NO_TAG: Final = "tag not found"
NO_SERIES: Final = "series not found"
NO_ORDER: Final = "order not found"
BAD_KEY: Final = "Unauthorized/Invalid api key"
BAD_LOGIN: Final = "Invalid L1 Request headers"
NOT_CREATED: Final = "Could not create api key"
NOT_DERIVED: Final = "Could not derive api key!"
NO_KEY: Final = "api key not found"
NOT_OWNER: Final = "the order owner has to be the owner of the API KEY"
NOT_SIGNER: Final = "the order signer address has to be the address of the API KEY"
BANNED: Final = "'{}' address banned"
CLOSED_ONLY: Final = "'{}' address in closed only mode"
TOO_MANY: Final = "Too Many Requests"
NOT_WALLET: Final = "maker address not allowed, please use the deposit wallet flow"
WRONG_VERSION: Final = "order_version_mismatch"
OUTDATED_CLIENT: Final = "invalid order version, please use the latest clob-client"
WRONG_SIGNATURE: Final = "invalid signature"  # seen live; the published catalogue has no text


class RequestRefused(Exception):
    """A request the venue would refuse; carries the HTTP status and the venue's words."""

    def __init__(
        self,
        text: str,
        http_status: int = 400,
        *,
        headers: Mapping[str, str] | None = None,
        **more: str | int,
    ) -> None:
        super().__init__(f"{http_status} {text}")
        self.text, self.http_status, self.headers = text, http_status, headers or {}
        self.body: dict[str, str | int] = {"error": text, **more}

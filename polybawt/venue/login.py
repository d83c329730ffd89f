"""Getting in: a wallet's signature buys an API key, which proves every later request.

The one place of the venue room that raises for what the venue does, because at that time there
is nobody to tell by a fact.

Source: exchange reference 1.2, 2.1 and 2.3.
"""

from collections.abc import Callable, Mapping

import httpx

from polybawt.venue import wire, wire_rest
from polybawt.venue.backoff import Backoff
from polybawt.venue.headers import login_headers
from polybawt.venue.http import Answer, NoAnswer, ask, read
from polybawt.venue.signing import Account, Credentials


class VenueRefused(Exception):
    """The venue will not let this account in: wrong key, wrong wallet, banned or geoblocked."""


class VenueUnreachable(Exception):
    """The venue gave no usable answer at login: nothing is known about the account."""


async def login(
    http: httpx.AsyncClient,
    account: Account,
    chain_id: int,
    now_s: Callable[[], int],
    backoff: Backoff,
) -> Credentials:
    """Create the account's API key, or derive the one that exists; a second login gets the same."""

    def headers() -> Mapping[str, str]:
        return login_headers(account, chain_id, now_s())

    try:
        answer = await ask(http, "POST", "/auth/api-key", headers=headers(), content="")
        if answer.status not in (200, 401, 403):
            answer = await read(http, "/auth/derive-api-key", headers=headers, backoff=backoff)
    except NoAnswer as lost:
        raise VenueUnreachable(str(lost)) from lost
    if answer.status in (400, 401, 403):
        words = wire_rest.refusal_text(answer, wire_rest.body_of(answer))
        raise VenueRefused(f"{account.address}: {words}")
    return _credentials(answer)


def _credentials(answer: Answer) -> Credentials:
    """The three parts of an API key; an answer without them is never quoted, it may hold one."""
    body = wire_rest.body_of(answer) or {}
    try:
        parts = [wire.ident(body, name) for name in ("apiKey", "secret", "passphrase")]
    except wire.Misread as wrong:
        raise VenueUnreachable(f"login answered {answer.status}: {wrong}") from None
    return Credentials(key=parts[0], secret=parts[1], passphrase=parts[2])

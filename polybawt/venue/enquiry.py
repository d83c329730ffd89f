"""What can be asked about an account and its venue without wanting anything: reads only.

Each question is one answer with its meaning, or ``Unanswered`` with the reason.  The only request
here that is no GET makes the account's API key where it has none yet, as every client does at
its first login.  Orders, cancels and heartbeats are unknown to this module.

Source: exchange reference 0 (hosts), 1.2, 1.12, 2.1 and 2.3; the relayer's answer as the unified
client reads it.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import httpx
from attrs import field, frozen

from polybawt.core.facts import BadInput, LinkDown, LinkRefused, LinkUp, MarketListed
from polybawt.core.machine import Fact
from polybawt.venue import wire, wire_rest
from polybawt.venue.backoff import Backoff
from polybawt.venue.gamma import Gamma
from polybawt.venue.headers import login_headers, request_headers
from polybawt.venue.http import Answer, NoAnswer, http_client, read
from polybawt.venue.login import VenueRefused, VenueUnreachable, login
from polybawt.venue.signing import Account, Credentials
from polybawt.venue.stream import EARLY_S, Link, Stream

GEOBLOCK_URL: Final = "https://polymarket.com/api/geoblock"
RELAYER_URL: Final = "https://relayer-v2.polymarket.com"
BACKOFF: Final = Backoff(0.1, 0.5)
HEAR_S: Final = 6.0


class Unanswered(Exception):
    """The question was not answered, or not in a way that can be understood."""


@frozen(kw_only=True)
class Purse:
    """What a wallet holds, and how much of it each exchange contract may take; millionths."""

    balance: int
    allowances: Mapping[str, int]


@frozen(kw_only=True)
class Catalogue:
    """The first page of the catalogue: what is open, by version, and what could not be read."""

    markets: tuple[MarketListed, ...]
    unreadable: int


@frozen
class Enquiry:
    """One account at one venue. ``clock`` gives the venue's time as the engine reckons it, ns."""

    http: httpx.AsyncClient = field(repr=False)
    account: Account
    chain_id: int
    clock: Callable[[], int]

    async def version(self) -> int:
        """Of the CLOB's order format."""
        body = wire.fields(wire.decode((await self._get("/version")).body))
        return wire.whole(body, "version")

    async def clock_ahead_s(self) -> float:
        """How far our clock is before the venue's, which is told in whole seconds."""
        began = self.clock()
        answer = await self._get("/time")
        middle_s = (began + self.clock()) / 2e9
        if not answer.body.strip().isdigit():
            raise Unanswered(f"no time: {wire.excerpt(answer.body)}")
        behind = middle_s - int(answer.body)
        return 0.0 if 0 <= behind < 1 else behind - (1 if behind > 0 else 0)

    async def credentials(self) -> tuple[Credentials, bool]:
        """The account's API key, and whether it had to be made now."""
        answer = await self._get(
            "/auth/derive-api-key",
            headers=lambda: login_headers(self.account, self.chain_id, self._now_s()),
            expected=(200, 400),
        )
        try:
            made = answer.status != 200
            return await login(self.http, self.account, self.chain_id, self._now_s, BACKOFF), made
        except (VenueRefused, VenueUnreachable) as wrong:
            raise Unanswered(str(wrong)) from wrong

    async def keys(self, own: Credentials) -> Sequence[str]:
        """The ids of the account's API keys: proof that ours is taken."""
        body = await self._private("/auth/api-keys", own)
        return [key for key in wire.array(body, "apiKeys") if isinstance(key, str)]

    async def closed_only(self, own: Credentials) -> bool:
        return wire.flag(await self._private("/auth/ban-status/closed-only", own), "closed_only")

    async def purse(
        self, own: Credentials, signature_type: int, token_id: str = "", version: str = "v1"
    ) -> Purse:
        """Collateral, or shares of one token."""
        shares = {"v2": "CONDITIONAL-V2"}.get(version, "CONDITIONAL")
        asked = {"asset_type": shares, "token_id": token_id} if token_id else {}
        asked = {"asset_type": "COLLATERAL", "signature_type": str(signature_type)} | asked
        body = await self._private("/balance-allowance", own, asked)
        allowed = wire.fields(body.get("allowances") or {})
        return Purse(
            balance=wire.whole(body, "balance"),
            allowances={address.lower(): int(str(most)) for address, most in allowed.items()},
        )

    async def _private(
        self, path: str, own: Credentials, params: Mapping[str, str] | None = None
    ) -> wire.Fields:
        def headers() -> Mapping[str, str]:
            return request_headers(
                self.account.address, own, self._now_s(), method="GET", path=path, body=None
            )

        return wire.fields(wire.decode((await self._get(path, params, headers)).body))

    async def _get(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        headers: Callable[[], Mapping[str, str]] | None = None,
        expected: Sequence[int] = (200,),
    ) -> Answer:
        return await _get(self.http, path, params, headers, expected)

    def _now_s(self) -> int:
        return self.clock() // 1_000_000_000


async def _get(
    http: httpx.AsyncClient,
    path: str,
    params: Mapping[str, str] | None = None,
    headers: Callable[[], Mapping[str, str]] | None = None,
    expected: Sequence[int] = (200,),
) -> Answer:
    try:
        answer = await read(http, path, backoff=BACKOFF, params=params, headers=headers)
    except NoAnswer as lost:
        raise Unanswered(str(lost)) from lost
    if answer.status not in expected:
        words = wire_rest.refusal_text(answer, wire_rest.body_of(answer))
        raise Unanswered(f"GET {path}: {words}")
    return answer


async def catalogue(site: httpx.AsyncClient, clock: Callable[[], int]) -> Catalogue:
    """The first page of what is open."""
    async for page in Gamma(site, clock, backoff=BACKOFF).pages():
        listed = tuple(fact for fact in page if isinstance(fact, MarketListed))
        unreadable = sum(isinstance(fact, BadInput) for fact in page)
        if not listed and not unreadable:
            raise Unanswered("Gamma lists nothing")
        return Catalogue(markets=listed, unreadable=unreadable)
    raise Unanswered("Gamma does not answer")


async def blocked(url: str) -> tuple[bool, str]:
    """Whether orders from this address of the internet are refused, and where that is."""
    scheme, _, rest = url.partition("//")
    host, slash, path = rest.partition("/")
    async with http_client(f"{scheme}//{host}") as http:
        body = wire.fields(wire.decode((await _get(http, slash + path)).body))
    if not isinstance(body.get("blocked"), bool):
        raise Unanswered("the answer does not say whether we are blocked")
    place = "/".join(wire.text(body, key) for key in ("country", "region") if body.get(key))
    return wire.flag(body, "blocked"), wire.excerpt(place)


async def deployed(relayer_url: str, wallet: str) -> bool:
    """Whether a smart wallet exists on the chain."""
    async with http_client(relayer_url) as http:
        answer = await _get(http, "/deployed", {"address": wallet})
    return wire.flag(wire.fields(wire.decode(answer.body)), "deployed")


async def hears(
    url: str,
    link: Link,
    keys: Sequence[str],
    wanted: Callable[[Fact], bool],
    *,
    clock: Callable[[], int],
    patience_s: float = HEAR_S,
) -> str:
    """Follow a stream until it says what is wanted; "" when it did, else what happened instead.

    A stream that is only wanted to stay open must outlive the time in which credentials are
    refused.
    """
    told: asyncio.Queue[Fact] = asyncio.Queue()
    stream = Stream(url, link, clock, told.put, ping_s=1.0, backoff=BACKOFF)
    await stream.subscribe(keys)
    run = asyncio.create_task(stream.run())
    last, up_at = "it never connected", 0.0
    try:
        async with asyncio.timeout(patience_s):
            while True:
                fact = await told.get()
                if isinstance(fact, LinkUp):
                    last, up_at = "it connected and said nothing", time.monotonic()
                if isinstance(fact, LinkDown | LinkRefused | BadInput):
                    last = fact.reason
                lasted_s = time.monotonic() - up_at
                if wanted(fact) and (not link.authenticates or lasted_s >= EARLY_S):
                    return ""
    except TimeoutError:
        return last
    finally:
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)

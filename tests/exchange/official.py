"""What the tests of the current official client share: the client itself, pointed at us.

It offers no public way to be pointed at another host; its own private hook does (exchange
reference 7.2).
"""

import asyncio
import dataclasses
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import pytest

from polybawt.core.market import Market
from polybawt.exchange.config import DEVELOPMENT_KEYS
from polybawt.venue.signing import Account
from tests.exchange.house import UPDOWN, Hall, Json

pytest.importorskip("polymarket", reason="the extra dev installs it")
sdk: Any = pytest.importorskip("polymarket")
hook: Any = pytest.importorskip("polymarket._internal.environment")

PATIENCE_S = 5.0
Enter = Callable[..., Awaitable[Any]]


@cache
def tls_context(*_: Any, **__: Any) -> ssl.SSLContext:
    return ssl.create_default_context()


def environment(hall: Hall) -> Any:
    """Production, but for the addresses: those of our exchange."""
    http = str(hall.client.make_url("")).rstrip("/")
    stream = http.replace("http://", "ws://")
    return pointed(
        clob_url=http,
        gamma_url=f"{http}/gamma",
        data_url=f"{http}/data-api",
        relayer_url=f"{http}/relayer",
        clob_market_ws_url=f"{stream}/ws/market",
        clob_user_ws_url=f"{stream}/ws/user",
        rtds_ws_url=f"{stream}/ws/rtds",
        realtime_ws_url=f"{stream}/ws/prices",
    )


def pointed(**addresses: str) -> Any:
    changed = dataclasses.replace(hook.PRODUCTION_CONFIG, **addresses)
    return hook.create_environment(name="polybawt", config=changed)


@asynccontextmanager
async def entrance_by_card(monkeypatch: pytest.MonkeyPatch, card: Json) -> AsyncIterator[Any]:
    """The client of a card's first account, from what the card says and nothing else."""
    monkeypatch.setattr("httpx._transports.default.create_ssl_context", tls_context)
    client = await sdk.AsyncSecureClient.create(
        private_key=card["accounts"][0]["private_key"],
        environment=pointed(
            clob_url=card["clob_url"],
            gamma_url=card["gamma_url"],
            data_url=card["data_url"],
            relayer_url=card["relayer_url"],
            clob_market_ws_url=card["ws_market_url"],
            clob_user_ws_url=card["ws_user_url"],
            rtds_ws_url=card["rtds_url"],
            realtime_ws_url=card["prices_ws_url"],
        ),
    )
    async with client:
        yield client


@asynccontextmanager
async def entrance(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Enter]:
    """Opens the clients of development accounts, and closes them at the end.

    Loopback speaks no TLS, yet each of a client's transports would read all root certificates.
    """
    monkeypatch.setattr("httpx._transports.default.create_ssl_context", tls_context)
    opened: list[Any] = []

    async def entering(hall: Hall, number: int = 0, wallet: str = "") -> Any:
        key = DEVELOPMENT_KEYS[number]
        client = await sdk.AsyncSecureClient.create(
            private_key=key,
            wallet=wallet or Account(key).address,
            environment=environment(hall),
        )
        opened.append(client)
        return client

    yield entering
    for client in opened:
        await client.close()


async def quoted(hall: Hall, *markets: Market) -> None:
    """Somebody else's books: 0.48 to 0.52 for 100 shares each, seen by the next reader."""
    maker = await hall.trader(1)
    for market in markets or (UPDOWN,):
        await maker.place(market, market.yes_token, "BUY", "0.48", "100")
        await maker.place(market, market.no_token, "BUY", "0.48", "100")
    hall.after(1)


async def rest(client: Any, market: Market = UPDOWN, price: str = "0.4", **other: Any) -> Any:
    placed = await client.place_limit_order(
        asset_id=market.yes_token, price=price, size="10", side="BUY", **other
    )
    assert placed.ok, placed
    return placed


async def every(pages: Any) -> list[Any]:
    """All rows of a list; its first page carries a token that the next one asks for."""
    return [row async for page in pages for row in page.items]


async def heard(stream: Any, kind: str) -> Any:
    """The next event of this kind."""
    async with asyncio.timeout(PATIENCE_S):
        async for event in stream:
            if event.type == kind:
                return event
    raise AssertionError(f"the stream ended before any {kind}")


@asynccontextmanager
async def subscribed(client: Any, spec: Any) -> AsyncIterator[Any]:
    stream = await client.subscribe(spec)
    try:
        yield stream
    finally:
        await stream.close()

"""The exchange on a loopback port: its routes, its clock and its pulse.

``serve`` binds the port, says where everything is, and then steps the floor some forty times a
second until it is told to stop.  There is one task besides the connections; if a step fails, the
exchange ends, because a venue that lost its mind must not go on answering.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from typing import Final

from aiohttp import web

from polybawt.core.units import SECOND_NS, micro_text
from polybawt.exchange import (
    live_prices,
    routes_account,
    routes_admin,
    routes_chain,
    routes_data,
    routes_gamma,
    routes_index,
    routes_keys,
    routes_market,
    routes_orders,
    routes_prices,
    routes_relayer,
    streams,
)
from polybawt.exchange.config import ExchangeConfig
from polybawt.exchange.floor import Floor
from polybawt.exchange.indexer import Indexer
from polybawt.exchange.mishaps import mishaps
from polybawt.exchange.subjects import INDEXER
from polybawt.exchange.web import BODY_MAX, FLOOR, refusals
from polybawt.exchange.worlds import chosen
from polybawt.venue.clock import Clock
from polybawt.venue.signing import Account

HOST: Final = "127.0.0.1"
STEP_S: Final = 0.025
SHUTDOWN_S: Final = 1.0
CARD_MARKETS_MAX: Final = 1_000  # on the card, the latest listed; Gamma lists them all

Card = dict[str, object]


class PortTaken(OSError):
    """The wanted port cannot be bound."""


def application(floor: Floor, admin_token: str, stopped: asyncio.Event) -> web.Application:
    """All routes over one floor."""
    app = web.Application(middlewares=[mishaps, refusals], client_max_size=BODY_MAX)
    app[FLOOR] = floor
    app[INDEXER] = Indexer(floor)
    app[routes_admin.TOKEN] = admin_token
    app[routes_admin.STOPPED] = stopped
    routed = (
        routes_market, routes_prices, routes_keys, routes_orders, routes_account, routes_gamma,
        routes_data, routes_index, routes_relayer, routes_chain, routes_admin, streams, live_prices,
    )  # fmt: skip
    for module in routed:
        app.add_routes(module.routes)
    return app


async def serve(
    config: ExchangeConfig, ready: Callable[[Card], None], stopped: asyncio.Event | None = None
) -> None:
    """Run an exchange until ``stopped`` is set; ``ready`` gets its card once it answers."""
    stopped = stopped or asyncio.Event()
    world = chosen(config, time.time_ns())
    begins_ns = time.time_ns() + int(config.lead_s * SECOND_NS)
    clock = Clock(real_ns=begins_ns, venue_ns=world.start_ns, rate=config.rate)
    floor = Floor(config, world, clock)
    floor.step()
    admin_token = config.admin_token or secrets.token_urlsafe(24)
    runner = web.AppRunner(
        application(floor, admin_token, stopped), access_log=None, shutdown_timeout=SHUTDOWN_S
    )
    await runner.setup()
    try:
        port = await _bind(runner, config.port)
        ready(card(floor, port, clock, admin_token))
        await _pulse(floor, stopped)
    finally:
        floor.hub.cut_all()
        await runner.cleanup()


async def _bind(runner: web.AppRunner, port: int) -> int:
    site = web.TCPSite(runner, HOST, port)
    try:
        await site.start()
    except OSError as wrong:
        raise PortTaken(f"cannot listen on {HOST}:{port}: {wrong.strerror}") from wrong
    bound: int = runner.addresses[0][1]
    return bound


async def _pulse(floor: Floor, stopped: asyncio.Event) -> None:
    while not stopped.is_set():
        floor.step()
        try:
            async with asyncio.timeout(STEP_S):
                await stopped.wait()
        except TimeoutError:
            continue


def card(floor: Floor, port: int, clock: Clock, admin_token: str) -> Card:
    """Where everything is: the one line that is printed when the exchange is ready.

    The private keys are the public development keys; they are no secret anywhere.
    """
    http, stream = f"http://{HOST}:{port}", f"ws://{HOST}:{port}/ws"
    config = floor.config
    return {
        "clob_url": http,
        "gamma_url": f"{http}/gamma",
        "data_url": f"{http}/data-api",
        "relayer_url": f"{http}/relayer",
        "ws_market_url": f"{stream}/market",
        "ws_user_url": f"{stream}/user",
        "rtds_url": f"{stream}/rtds",
        "prices_ws_url": f"{stream}/prices",
        "admin_url": f"{http}/admin",
        "admin_token": admin_token,
        "chain_id": config.chain_id,
        "clock": {"real_ns": clock.real_ns, "venue_ns": clock.venue_ns, "rate": clock.rate},
        "accounts": [_account_card(key, config) for key in config.keys],
        "markets": [
            {
                "condition_id": market.condition_id,
                "slug": market.slug,
                "yes_token": market.yes_token,
                "no_token": market.no_token,
                "start_ns": market.start_ns,
                "end_ns": market.end_ns,
                "version": market.version,
            }
            for market in floor.publisher.known_markets()[-CARD_MARKETS_MAX:]
        ],
    }


def _account_card(key: str, config: ExchangeConfig) -> Card:
    address = Account(key).address
    return {
        "address": address,
        "private_key": key,
        "collateral": micro_text(config.collateral),
        "wallets": [
            {
                "address": wallet.address,
                "signature_type": wallet.signature_type,
                "collateral": micro_text(wallet.collateral),
            }
            for wallet in config.wallets
            if wallet.owner == address
        ],
    }

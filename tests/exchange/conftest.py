"""A whole exchange per test, over a world that stands still, on a loopback port."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from polybawt.exchange.config import ExchangeConfig
from polybawt.exchange.floor import Floor
from polybawt.exchange.server import application
from tests.exchange.house import CANARY, FED, UPDOWN, Clock, Hall, StillWorld, config

Open = Callable[..., Awaitable[Hall]]


@pytest.fixture
async def opened() -> AsyncIterator[Open]:
    """Opens an exchange over a given world and configuration."""
    clients: list[TestClient[Any, Any]] = []

    async def open_hall(world: Any = None, told: ExchangeConfig | None = None) -> Hall:
        clock = Clock()
        world = world or StillWorld(UPDOWN, FED, CANARY)
        floor = Floor(told or config(), world, clock)
        client = TestClient(TestServer(application(floor, "admin", asyncio.Event())))
        await client.start_server()
        clients.append(client)
        return Hall(floor, client, clock, world)

    yield open_hall
    for client in clients:
        await client.close()


@pytest.fixture
async def hall(opened: Open) -> Hall:
    return await opened()

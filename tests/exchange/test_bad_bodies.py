"""Whatever is sent, the answer is JSON and never a 5xx.

Proves: faults (absurd input)
"""

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp.test_utils import TestClient, TestServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polybawt.core.market import Side
from polybawt.exchange.auth import ApiKey
from polybawt.exchange.floor import Floor
from polybawt.exchange.hub import MarketSubscriber, OracleSubscriber
from polybawt.exchange.refusal import RequestRefused
from polybawt.exchange.server import application
from polybawt.exchange.sockets import object_of
from polybawt.exchange.streams import _follow, _watch
from tests.exchange.house import UPDOWN, Clock, Hall, StillWorld, Trader, config

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
FIELDS = (
    "salt", "maker", "signer", "tokenId", "makerAmount", "takerAmount", "side", "expiration",
    "signatureType", "timestamp", "metadata", "builder", "signature",
)  # fmt: skip


class Offline:
    """A floor without a server, and an account on it."""

    def __init__(self) -> None:
        self.floor = Floor(config(), StillWorld(UPDOWN), Clock())
        hall: Any = self
        self.trader = Trader(hall, config().keys[0])
        self.trader.credentials = self.floor.ring.create(self.trader.address, 0)
        key = self.floor.ring.find(self.trader.credentials.key)
        assert key is not None
        self.key = key

    def refusal(self, call: Callable[[object, ApiKey], object], body: object) -> int:
        """The status of a refusal, 200 for none; anything else that is raised is a fault."""
        try:
            call(body, self.key)
        except RequestRefused as refused:
            return refused.http_status
        return 200

    def place(self, body: object) -> None:
        assert self.refusal(self.floor.place, body) in (200, 400)


@given(field=st.sampled_from(FIELDS), value=json_values)
@settings(max_examples=300, deadline=None)
def test_any_value_in_any_field_is_judged(field: str, value: Any) -> None:
    offline = Offline()
    body = offline.trader.limit(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "10")
    body["order"][field] = value

    offline.place(body)


@given(body=json_values)
@settings(max_examples=200, deadline=None)
def test_any_json_at_all_is_judged(body: Any) -> None:
    offline = Offline()

    assert offline.refusal(offline.floor.place, body) == 400
    assert offline.refusal(offline.floor.place_many, body) in (200, 400)


@given(
    given_amount=st.integers(0, 10**24),
    taken=st.integers(0, 10**24),
    kind=st.sampled_from(["GTC", "FOK", "FAK"]),
    side=st.sampled_from(["BUY", "SELL"]),
)
@settings(max_examples=300, deadline=None)
def test_any_amounts_are_judged(given_amount: int, taken: int, kind: str, side: str) -> None:
    """Amounts are the client's to invent: zero, absurd, or no price at all."""
    offline = Offline()
    terms = offline.trader.terms(UPDOWN, UPDOWN.yes_token, Side(side), given_amount, taken)

    offline.place(offline.trader.body(UPDOWN, terms, orderType=kind))


@given(frame=st.dictionaries(
    st.sampled_from(["assets_ids", "operation", "custom_feature_enabled", "initial_dump",
                     "action", "subscriptions", "type"]),
    json_values, max_size=5,
))  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_any_frame_on_a_stream_is_survived(frame: dict[str, Any]) -> None:
    floor = Floor(config(), StillWorld(UPDOWN), Clock())

    _follow(floor, MarketSubscriber(lambda: None), frame)
    _watch(floor, OracleSubscriber(lambda: None), frame)


@given(text=st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_text_on_a_stream_is_read_or_ignored(text: str) -> None:
    assert object_of(text) is None or isinstance(object_of(text), dict)


@given(body=st.binary(max_size=300))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_bytes_on_the_wire_get_a_json_refusal(body: bytes) -> None:
    async def send() -> None:
        world = StillWorld(UPDOWN)
        clock = Clock()
        floor = Floor(config(), world, clock)
        app = application(floor, "admin", asyncio.Event())
        async with TestClient(TestServer(app)) as client:
            hall = Hall(floor, client, clock, world)
            trader = await hall.trader()
            text = body.decode("latin-1")
            headers = trader.l2_headers("POST", "/order", text)
            answer = await client.post("/order", data=text.encode(), headers=headers)
            assert answer.status == 400
            assert "error" in await answer.json()

    asyncio.run(send())

"""What the exchange's tests share: a world that stands still, and a trader who signs for real."""

import hashlib
import json
from typing import Any

import orjson
from aiohttp.test_utils import TestClient

from polybawt.core.market import FeeSchedule, Market, Side
from polybawt.core.units import MILLION, SECOND_NS, Price, Shares
from polybawt.exchange.config import DEVELOPMENT_KEYS, ExchangeConfig, Wallet
from polybawt.exchange.floor import Floor
from polybawt.sim.venue import Venue
from polybawt.sim.world import RawFrame, Report
from polybawt.venue import signing
from polybawt.venue.signing import Account, Credentials, OrderTerms

START_NS = 1_780_876_800 * SECOND_NS
MS = 1_000_000
CHAIN = 137
Json = dict[str, Any]
Client = TestClient[Any, Any]


def number_of(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest(), "big")


def a_market(name: str, **other: Any) -> Market:
    terms: Json = {
        "condition_id": f"0x{number_of(f'condition {name}'):064x}",
        "slug": name,
        "question": f"{name}?",
        "yes_token": str(number_of(f"yes {name}")),
        "no_token": str(number_of(f"no {name}")),
        "tick": Price(10_000),
        "min_size": Shares(5 * MILLION),
        "fees": FeeSchedule(rate_micro=70_000),
        "symbol": "btc/usd",
        "start_ns": START_NS,
        "end_ns": START_NS + 300 * SECOND_NS,
        "strike_e18": 63123544863797618000000,
    }
    return Market(**(terms | other))


UPDOWN = a_market("btc-updown-5m-1780876800")
FED = a_market(
    "fed-decision", neg_risk=True, symbol="", tick=Price(1_000), strike_e18=0, start_ns=0
)
POSITION = (1 << 248) | (0xABCDEF << 104)
CANARY = a_market(
    "canary", version="v2", yes_token=str(POSITION), no_token=str(POSITION + 1), symbol="eth/usd"
)


class StillWorld:
    """Markets and nothing else: what is to be published is put in ``coming`` by the test."""

    recorded = False

    def __init__(self, *markets: Market, mine_ns: int = 2 * SECOND_NS) -> None:
        self.start_ns: int = START_NS
        self.end_ns: int | None = None
        self.venue = Venue(mine_ns=mine_ns, confirm_ns=3 * SECOND_NS)
        self.coming: list[Report | RawFrame] = []
        for market in markets:
            self.venue.list_market(market, START_NS)

    def step(self, now_ns: int) -> list[Report | RawFrame]:
        self.venue.advance(now_ns)
        told, self.coming = self.coming, []
        return told

    def rest_book(self, token_id: str) -> str | None:
        return None


class Clock:
    """Time that moves when told."""

    def __init__(self) -> None:
        self.now_ns = START_NS

    def __call__(self) -> int:
        return self.now_ns


class Hall:
    """A floor with its client and its clock."""

    def __init__(self, floor: Floor, client: Client, clock: Clock, world: StillWorld) -> None:
        self.floor, self.client, self.clock, self.world = floor, client, clock, world

    def after(self, ms: int) -> None:
        """Let venue time pass and the exchange take its step."""
        self.clock.now_ns += ms * MS
        self.floor.step()

    async def get(self, path: str, **params: str) -> Any:
        answer = await self.client.get(path, params=params)
        assert answer.status == 200, await answer.text()
        return orjson.loads(await answer.read())

    async def trader(self, number: int = 0) -> "Trader":
        trader = Trader(self, DEVELOPMENT_KEYS[number])
        await trader.login()
        return trader


def config(**other: Any) -> ExchangeConfig:
    return ExchangeConfig(**({"accounts": 3, "announce": False} | other))


def wallet_of(number: int, kind: int, **other: Any) -> Wallet:
    """A made-up smart wallet of a development account."""
    address = signing.checksum(number_of(f"wallet {number} {kind}").to_bytes(32, "big")[:20])
    owner = Account(DEVELOPMENT_KEYS[number]).address
    return Wallet(address=address, owner=owner, signature_type=kind, **other)


class Trader:
    """One account at the exchange; every request and order is signed like a client's."""

    def __init__(self, hall: Hall, private_key: str) -> None:
        self.hall = hall
        self.account = Account(private_key)
        self.credentials = Credentials(key="", secret="", passphrase="")
        self._salt = 0

    @property
    def address(self) -> str:
        return self.account.address

    def l1_headers(self, nonce: int = 0) -> dict[str, str]:
        digest = signing.clob_auth_digest(self.address, "1700000000", nonce, CHAIN)
        return {
            "POLY_ADDRESS": self.address,
            "POLY_SIGNATURE": "0x" + self.account.sign(digest).hex(),
            "POLY_TIMESTAMP": "1700000000",
            "POLY_NONCE": str(nonce),
        }

    async def login(self) -> None:
        answer = await self.hall.client.post("/auth/api-key", headers=self.l1_headers())
        got = await answer.json()
        self.credentials = Credentials(
            key=got["apiKey"], secret=got["secret"], passphrase=got["passphrase"]
        )

    def l2_headers(self, method: str, path: str, body: str) -> dict[str, str]:
        signature = signing.hmac_signature(
            self.credentials.secret, "1700000000", method, path, body or None
        )
        return {
            "POLY_ADDRESS": self.address,
            "POLY_SIGNATURE": signature,
            "POLY_TIMESTAMP": "1700000000",
            "POLY_API_KEY": self.credentials.key,
            "POLY_PASSPHRASE": self.credentials.passphrase,
        }

    async def ask(
        self, method: str, path: str, body: object = None, **params: str
    ) -> tuple[int, Any]:
        text = body if isinstance(body, str) else "" if body is None else json.dumps(body)
        answer = await self.hall.client.request(
            method,
            path,
            data=text.encode() if text else None,
            params=params,
            headers=self.l2_headers(method, path, text),
        )
        return answer.status, orjson.loads(await answer.read())

    def terms(
        self, market: Market, token: str, side: Side, given: int, taken: int, **other: Any
    ) -> OrderTerms:
        self._salt += 1
        plain: Json = {
            "salt": self._salt,
            "maker": self.address,
            "signer": self.address,
            "token_id": token,
            "maker_amount": given,
            "taker_amount": taken,
            "side": side,
            "signature_type": 0,
            "timestamp_ms": 1_780_876_800_000,
        }
        return OrderTerms(**(plain | other))

    def body(self, market: Market, terms: OrderTerms, **other: Any) -> Json:
        """A signed payload of POST /order."""
        domain = signing.exchange_domain(CHAIN, market.version, market.neg_risk)
        signature = signing.order_signature(self.account, terms, domain, CHAIN)
        order = {
            "salt": terms.salt,
            "maker": terms.maker,
            "signer": terms.signer,
            "tokenId": terms.token_id,
            "makerAmount": str(terms.maker_amount),
            "takerAmount": str(terms.taker_amount),
            "side": terms.side.value,
            "expiration": str(other.pop("expiration", 0)),
            "signatureType": terms.signature_type,
            "timestamp": str(terms.timestamp_ms),
            "metadata": "0x" + terms.metadata.hex(),
            "builder": "0x" + terms.builder.hex(),
            "signature": "0x" + signature.hex(),
        }
        return {"order": order, "owner": self.credentials.key, "orderType": "GTC"} | other

    def limit(
        self, market: Market, token: str, side: str, price: str, size: str, **other: Any
    ) -> Json:
        """A limit order in decimal text."""
        micro = round(float(price) * MILLION), round(float(size) * MILLION)
        given, taken = signing.limit_amounts(Side(side), Price(micro[0]), Shares(micro[1]))
        return self.body(market, self.terms(market, token, Side(side), given, taken), **other)

    async def place(
        self, market: Market, token: str, side: str, price: str, size: str, **other: Any
    ) -> tuple[int, Any]:
        return await self.ask(
            "POST", "/order", self.limit(market, token, side, price, size, **other)
        )

    def id_of(self, market: Market, terms: OrderTerms) -> str:
        domain = signing.exchange_domain(CHAIN, market.version, market.neg_risk)
        return "0x" + signing.order_digest(terms, domain).hex()

"""How a benchmark's load speaks to an exchange: requests made beforehand, sent as bare bytes.

A load generator must cost less than what it measures, so requests are signed and spelt out before
the clock starts, and a connection only writes them and counts answers.  It carries one request
at a time; concurrency is the number of connections.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from polybawt.core.market import Side
from polybawt.core.units import Price, Shares
from polybawt.venue import signing
from polybawt.venue.headers import login_headers, request_headers
from polybawt.venue.signing import Account, Credentials, OrderTerms

HEAD_END: Final = b"\r\n\r\n"
LENGTH: Final = b"content-length: "
PERCENTILE: Final = 0.99
Answer = tuple[int, bytes]


class Line(asyncio.Protocol):
    """One keep-alive connection of HTTP/1.1."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._heard = bytearray()
        self._waiting: asyncio.Future[Answer] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(exc or ConnectionResetError("the exchange hung up"))

    def data_received(self, data: bytes) -> None:
        self._heard += data
        head_end = self._heard.find(HEAD_END)
        if head_end < 0:
            return
        head = bytes(self._heard[:head_end]).lower()
        start = head.index(LENGTH) + len(LENGTH)
        length = int(head[start:].split(b"\r\n", 1)[0])
        whole = head_end + len(HEAD_END) + length
        if len(self._heard) < whole or self._waiting is None:
            return
        body = bytes(self._heard[whole - length : whole])
        del self._heard[:whole]
        waiting, self._waiting = self._waiting, None
        waiting.set_result((int(head[9:12]), body))

    async def ask(self, request: bytes) -> Answer:
        assert self._transport is not None
        assert self._waiting is None, "one request at a time"
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


async def connected(url: str) -> Line:
    """A line to the exchange at ``http://host:port``."""
    host, _, port = url.removeprefix("http://").partition(":")
    loop = asyncio.get_running_loop()
    _, line = await loop.create_connection(Line, host, int(port))
    return line


class Caller:
    """One account: what it signs, and the bytes in which that is asked for."""

    def __init__(self, private_key: str, chain_id: int) -> None:
        self.account, self._chain_id = Account(private_key), chain_id
        self.credentials = Credentials(key="", secret="", passphrase="")
        self._salt = time.time_ns()

    async def login(self, line: Line) -> None:
        headers = login_headers(self.account, self._chain_id, int(time.time()))
        status, body = await line.ask(request("POST", "/auth/api-key", headers))
        if status != 200:
            headers = login_headers(self.account, self._chain_id, int(time.time()))
            status, body = await line.ask(request("GET", "/auth/derive-api-key", headers))
        got = orjson.loads(body)
        self.credentials = Credentials(
            key=got["apiKey"], secret=got["secret"], passphrase=got["passphrase"]
        )

    def order(self, token_id: str, price: int, size: int, neg_risk: bool = False) -> dict[str, Any]:
        """The payload of a signed limit order to buy; millionths."""
        self._salt += 1
        given, taken = signing.limit_amounts(Side.BUY, Price(price), Shares(size))
        terms = OrderTerms(
            salt=self._salt & (2**53 - 1),
            maker=self.account.address,
            signer=self.account.address,
            token_id=token_id,
            maker_amount=given,
            taker_amount=taken,
            side=Side.BUY,
            signature_type=signing.EOA,
            timestamp_ms=time.time_ns() // 1_000_000,
        )
        version = "v2" if signing.is_position_id(token_id) else "v1"
        domain = signing.exchange_domain(self._chain_id, version, neg_risk)
        signature = signing.order_signature(self.account, terms, domain, self._chain_id)
        signed = {
            "salt": terms.salt,
            "maker": terms.maker,
            "signer": terms.signer,
            "tokenId": terms.token_id,
            "makerAmount": str(given),
            "takerAmount": str(taken),
            "side": "BUY",
            "expiration": "0",
            "signatureType": terms.signature_type,
            "timestamp": str(terms.timestamp_ms),
            "metadata": "0x" + terms.metadata.hex(),
            "builder": "0x" + terms.builder.hex(),
            "signature": "0x" + signature.hex(),
        }
        return {"order": signed, "owner": self.credentials.key, "orderType": "GTC"}

    def headers(self, method: str, path: str, body: str) -> Mapping[str, str]:
        return request_headers(
            self.account.address,
            self.credentials,
            int(time.time()),
            method=method,
            path=path,
            body=body or None,
        )

    def request(self, method: str, path: str, value: object = None) -> bytes:
        """A whole signed request."""
        body = "" if value is None else orjson.dumps(value).decode()
        return request(method, path, self.headers(method, path, body), body)


def request(method: str, path: str, headers: Mapping[str, str], body: str = "") -> bytes:
    raw = body.encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(raw)}", "", ""]
    return "\r\n".join(lines).encode() + raw


def accepted(answer: Answer) -> bool:
    """Whether one order was taken."""
    status, body = answer
    return status == 200 and b'"success":true' in body and b'"errorMsg":""' in body


def all_accepted(answer: Answer, count: int) -> bool:
    """Whether every leg of a batch was taken."""
    return answer[0] == 200 and answer[1].count(b'"errorMsg":""') == count


def percentile(values: Sequence[float], part: float = PERCENTILE) -> float:
    return sorted(values)[min(int(len(values) * part), len(values) - 1)]

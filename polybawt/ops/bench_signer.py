"""One signer for ``polybawt bench sign``, in a process of its own: ours, or an official client.

All do the same piece of work: from a token, a price, a size and a side to a signed order.  What a
client asks the venue for before its first order it asks our exchange, once, before the clock
starts.  The last order is posted, so that a fast signature is known to be a good one.
"""

import asyncio
import importlib
import logging
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final

import orjson

from polybawt.core.market import Side
from polybawt.core.units import Price, Shares
from polybawt.ops.bench_terms import Json
from polybawt.ops.bench_wire import Caller, accepted, connected
from polybawt.venue import signing
from polybawt.venue.signing import OrderTerms

PRICE, SIZE = "0.4", "10"

Slice = Callable[[int], Awaitable[float]]
"""Signs so many orders and gives the seconds that it took."""
Post = Callable[[], Awaitable[bool]]


async def ours(card: Json) -> tuple[Slice, Post]:
    caller = Caller(card["accounts"][0]["private_key"], card["chain_id"])
    account, token, chain_id = caller.account, card["markets"][0]["yes_token"], card["chain_id"]
    price, size = Price(round(float(PRICE) * 1e6)), Shares(int(SIZE) * 10**6)

    def sign(salt: int) -> tuple[str, str]:
        given, taken = signing.limit_amounts(Side.BUY, price, size)
        terms = OrderTerms(
            salt=salt,
            maker=account.address,
            signer=account.address,
            token_id=token,
            maker_amount=given,
            taker_amount=taken,
            side=Side.BUY,
            signature_type=signing.EOA,
            timestamp_ms=time.time_ns() // 1_000_000,
        )
        domain = signing.exchange_domain(chain_id, "v1", False)
        digest, signature = signing.signed_order(account, terms, domain, chain_id)
        return "0x" + digest.hex(), "0x" + signature.hex()

    async def some(count: int) -> float:
        begun_s = time.perf_counter()
        for salt in range(count):
            sign(salt)
        return time.perf_counter() - begun_s

    async def post() -> bool:
        line = await connected(card["clob_url"])
        await caller.login(line)
        order = caller.order(token, price, size)
        return accepted(await line.ask(caller.request("POST", "/order", order)))

    return some, post


async def second(card: Json) -> tuple[Slice, Post]:
    """py-clob-client-v2, which blocks."""
    sdk = importlib.import_module("py_clob_client_v2.client")
    types = importlib.import_module("py_clob_client_v2.clob_types")
    key = card["accounts"][0]["private_key"]
    client = sdk.ClobClient(card["clob_url"], card["chain_id"], key)
    client.set_api_creds(client.create_or_derive_api_key())

    def sign() -> Any:
        terms = types.OrderArgsV2(
            token_id=card["markets"][0]["yes_token"],
            price=float(PRICE),
            size=float(SIZE),
            side="BUY",
        )
        return client.create_order(terms)

    async def some(count: int) -> float:
        begun_s = time.perf_counter()
        for _ in range(count):
            sign()
        return time.perf_counter() - begun_s

    async def post() -> bool:
        return bool(client.post_order(sign())["success"])

    return some, post


async def current(card: Json) -> tuple[Slice, Post]:
    """polymarket-client, by its private hook."""
    sdk = importlib.import_module("polymarket")
    hook = importlib.import_module("polymarket._internal.environment")
    known = replace(
        hook.PRODUCTION_CONFIG,
        clob_url=card["clob_url"],
        gamma_url=card["gamma_url"],
        relayer_url=card["relayer_url"],
    )
    client = await sdk.AsyncSecureClient.create(
        private_key=card["accounts"][0]["private_key"],
        wallet=card["accounts"][0]["address"],
        environment=hook.create_environment(name="polybawt", config=known),
    )

    async def sign() -> Any:
        return await client.create_limit_order(
            asset_id=card["markets"][0]["yes_token"], price=PRICE, size=SIZE, side="BUY"
        )

    async def some(count: int) -> float:
        begun_s = time.perf_counter()
        for _ in range(count):
            await sign()
        return time.perf_counter() - begun_s

    async def post() -> bool:
        return bool((await client.post_order(await sign())).ok)

    return some, post


SIGNERS: Final = {"polybawt": ours, "py-clob-client-v2": second, "polymarket-client": current}


async def work() -> None:
    """The first job names the signer; each later one is a slice, or asks for the proof."""
    logging.disable()  # a client reports as an error that its key exists already
    some: Slice | None = None
    post: Post | None = None
    while line := sys.stdin.buffer.readline():
        job: Json = orjson.loads(line)
        answer: Json
        if "signer" in job:
            try:
                some, post = await SIGNERS[job["signer"]](job["card"])
                await some(1)  # what is asked once is asked now
                answer = {"result": True}
            except ImportError as missing:
                answer = {"failed": f"{missing.name} is not installed: it comes with the extra dev"}
        elif "count" in job:
            assert some is not None
            answer = {"result": await some(job["count"])}
        else:
            assert post is not None
            answer = {"result": await post()}
        sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    asyncio.run(work())

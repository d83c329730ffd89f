"""What all benchmarks share: a measure, and the child process that takes it.

A worker is a module of ours that is run by itself: it reads jobs as lines of JSON, and answers
each with one line ``{"result": …}``, before which it may tell how far it is.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import orjson
from attrs import field, frozen

from polybawt.ops.children import stop

LINE_MAX: Final = 1 << 24
START_S_MAX: Final = 30.0

Tell = Callable[[str, float], None]
"""What is being done, and how far it is, from 0 to 1."""

Json = dict[str, Any]


class BenchFailed(Exception):
    """A benchmark could not be carried out; says which part and why."""


@frozen(kw_only=True)
class Measure:
    """One figure beside its target; ``at_most`` turns the comparison round."""

    name: str
    metric: str
    value: float
    unit: str
    target: float
    at_most: bool = False
    beside: Mapping[str, float | str] = field(factory=dict)

    @property
    def ok(self) -> bool:
        return self.value <= self.target if self.at_most else self.value >= self.target

    def as_json(self) -> Json:
        return {
            "name": self.name,
            "metric": self.metric,
            "value": round(self.value, 3),
            "unit": self.unit,
            "target": self.target,
            "ok": self.ok,
            "beside": dict(self.beside),
        }


class Worker:
    """A child process that takes jobs one by one."""

    def __init__(self, child: asyncio.subprocess.Process, name: str) -> None:
        self._child, self._name = child, name

    async def ask(self, job: Json, tell: Callable[[float], None] = lambda _: None) -> Any:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(orjson.dumps(job) + b"\n")
        await self._child.stdin.drain()
        while line := await self._child.stdout.readline():
            answer: Json = orjson.loads(line)
            if "result" in answer:
                return answer["result"]
            if "failed" in answer:
                raise BenchFailed(f"{self._name}: {answer['failed']}")
            tell(answer["done"])
        raise BenchFailed(f"{self._name} ended with code {await self._child.wait()}")


@asynccontextmanager
async def worker(
    module: str, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Worker]:
    """A worker for as long as this lasts; its complaints go to our standard error."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **(environment or {})},
        limit=LINE_MAX,
    )
    try:
        yield Worker(child, module)
    finally:
        await stop(child)


@asynccontextmanager
async def exchange(*arguments: str) -> AsyncIterator[Json]:
    """Our exchange with nobody else in it, in a process of its own; gives its card."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "polybawt",
        *("exchange", "--quiet-world", "--limits", "off", "--window", "3600", "--leash"),
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LINE_MAX,
    )
    try:
        assert child.stdout is not None
        async with asyncio.timeout(START_S_MAX):
            line = await child.stdout.readline()
        if not line:
            raise BenchFailed("the exchange did not start")
        yield {**orjson.loads(line), "pid": child.pid}
    except TimeoutError as late:
        raise BenchFailed(f"no answer within {START_S_MAX} s") from late
    finally:
        await stop(child)

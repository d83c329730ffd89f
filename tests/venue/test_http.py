"""One exchange with a server: bounded in size and time, and honest about silence."""

import gzip
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polybawt.venue import http
from polybawt.venue.backoff import Backoff
from tests.venue.loopback import GARBAGE, RESET, SILENCE, Say, scripted


async def test_an_answer_is_its_status_and_its_bytes() -> None:
    """Compressed or not, with the wait that was asked for; a redirect is an answer too."""
    packed = Say(429, gzip.compress(b"slowly"), {"Content-Encoding": "gzip", "Retry-After": "7"})
    moved = Say(302, b"", {"Location": "/away", "Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"})
    async with scripted([packed, moved]) as server:
        assert await http.ask(server.http, "GET", "/") == http.Answer(429, b"slowly", 7.0)
        assert await http.ask(server.http, "GET", "/") == http.Answer(302, b"", 0.0)


@pytest.mark.parametrize("step", [RESET, SILENCE, GARBAGE, Say(200, b"half", cut=True)], ids=str)
async def test_a_broken_exchange_is_no_answer(step: Say | str) -> None:
    """Whatever breaks, it is one kind of silence, and a POST is never sent twice. Proves: H5"""
    async with scripted([step, Say(200, b"late")]) as server:
        with pytest.raises(http.NoAnswer, match="POST /order"):
            await http.ask(server.http, "POST", "/order", content="{}", deadline_s=0.3)

        assert len(server.heard) == 1


async def test_a_flood_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body without end must not fill the memory. Proves: C5, faults"""
    monkeypatch.setattr(http, "BODY_MAX", 1_000)
    async with scripted([Say(200, b"x" * 1_000), Say(200, b"x" * 1_001)]) as server:
        assert len((await http.ask(server.http, "GET", "/")).body) == 1_000
        with pytest.raises(http.NoAnswer, match="more than 1000 bytes"):
            await http.ask(server.http, "GET", "/")


async def test_an_answer_does_not_show_its_body() -> None:
    """A login's answer is a secret, and reprs reach logs. Proves: P3.1"""
    assert "hush" not in repr(http.Answer(200, b"hush"))


@given(st.integers(0, 10_000), st.integers(0, 2**32), st.floats(0, 10_000))
def test_a_wait_is_bounded_and_never_shorter_than_asked(
    attempt: int, seed: int, asked_s: float
) -> None:
    """Full jitter between nothing and a bound that doubles up to the cap. Proves: M2"""
    delay_s = Backoff(0.25, 30.0, Random(seed)).delay_s(attempt, asked_s)

    assert min(asked_s, 30.0) <= delay_s <= 30.0
    if asked_s == 0.0 and attempt < 6:
        assert delay_s <= 0.25 * 2**attempt

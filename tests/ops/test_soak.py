"""The soak in short: an exchange that loses frames on purpose, and an engine that must notice."""

import pytest
from attrs import evolve

from polybawt.core.state import Config
from polybawt.ops import soak
from polybawt.sim.faults import Fault

HOUR_NS = 3600 * 10**9


async def test_no_gap_stays_undetected() -> None:
    """A hundred seconds of the venue's time under every fault of a stream, and of the reads.

    Proves: faults (lost, doubled, reordered, truncated, withheld frames; silent socket; restart).
    """
    found = await soak.soak(1 / 3, 3, rate=5.0)

    assert found["undetected"] == 0, found
    assert found["ok"], found
    spoilt = found["exchange"]["frames_spoilt"]
    assert {"drop", "duplicate", "reorder", "truncate"} <= set(spoilt), found
    assert found["exchange"]["cuts"] + found["exchange"]["restarts"] > 0
    assert found["noticed"]["batch_hash_mismatch"] > 0
    assert found["noticed"]["bad_input"] > 0
    assert found["fresh_share"] > 0.3  # it does not pass by trusting nothing


async def test_the_soak_sees_a_gap_that_is_not_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the watchdog a silent socket goes unnoticed: else the soak would prove nothing."""
    quick = soak.kernel

    def blind(rate: float) -> Config:
        return evolve(quick(rate), probe_ns=HOUR_NS)

    monkeypatch.setattr(soak, "kernel", blind)
    monkeypatch.setattr(soak, "CUT_EVERY_S", 1e6)
    monkeypatch.setattr(soak, "RESTART_EVERY_S", 1e6)
    silence = Fault(kind="silence", path="/ws/market", count=1, seconds=1e5)
    monkeypatch.setattr(soak, "FAULTS", (silence,))

    found = await soak.soak(0.1, 3, rate=5.0)

    assert found["undetected"] > 0
    assert not found["ok"]

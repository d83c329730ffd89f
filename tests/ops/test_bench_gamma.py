"""The benchmark of discovery measures what it says: a whole listing, read by our own client."""

import pytest

from polybawt.ops import bench_gamma
from polybawt.ops.bench_gamma import ListingFailed, measure


async def test_a_listing_is_read_whole_and_its_memory_does_not_grow_with_it() -> None:
    """By pages the peak is that of a page or two, whatever the length. Proves: M2, load"""
    short, result = await measure(200), await measure(900)

    assert result["markets"] == 900
    assert result["markets_per_s_best"] >= result["markets_per_s"] > 0
    assert result["peak_mb_by_page"] < 1.5 * short["peak_mb_by_page"]
    assert result["peak_mb_by_page"] < result["peak_mb_all_kept"]
    assert result["ok"] == (result["markets_per_s"] >= bench_gamma.TARGET_PER_S)


async def test_a_short_listing_is_no_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that reads half of it is not twice as fast."""
    monkeypatch.setattr("polybawt.venue.gamma.PAGES_MAX", 1)

    with pytest.raises(ListingFailed, match="100 markets of 300"):
        await measure(300)

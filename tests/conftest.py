"""What every test may ask for: the recorded data, when it is there."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from polybawt.proof import tlc

settings.register_profile("tests", deadline=None)  # a busy machine is no fault of ours
settings.load_profile("tests")

RECORDED = Path(os.environ.get("POLYBAWT_RECORDED", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture(scope="session")
def recorded() -> Callable[[str], Path]:
    """The path of one recorded file; the test skips when recordings are not at hand."""

    def find(name: str) -> Path:
        path = RECORDED / name
        if not path.exists():
            pytest.skip(f"recorded data not at hand: {name} (set POLYBAWT_RECORDED)")
        return path

    return find


@pytest.fixture(scope="session")
def checker() -> None:
    """Skips, with the reason, where TLC cannot run."""
    try:
        tlc.find_tools()
    except tlc.ToolsMissing as missing:
        pytest.skip(str(missing))

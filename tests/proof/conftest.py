"""TLC, where it can run."""

import pytest

from polybawt.proof import tlc


@pytest.fixture(scope="session")
def checker() -> None:
    """Skips, with the reason, where TLC cannot run."""
    try:
        tlc.find_tools()
    except tlc.ToolsMissing as missing:
        pytest.skip(str(missing))

"""A configuration is taken as it is written or refused by file and key."""

from pathlib import Path

import pytest
from attrs import evolve

from polybawt.engine.config import ConfigError, EngineConfig, VenueUrls, live_hosts, load

VENUE = """
[venue]
clob_url = "http://127.0.0.1:1"
gamma_url = "http://127.0.0.1:1/gamma"
ws_market_url = "ws://127.0.0.1:1/ws/market"
ws_user_url = "ws://127.0.0.1:1/ws/user"
rtds_url = "ws://127.0.0.1:1/ws/rtds"
"""
TOP = 'state_dir = "state"\n'


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "engine.toml"
    path.write_text(text)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(ConfigError) as told:
        load(path)
    assert str(path) in str(told.value)
    assert "\n" not in str(told.value)
    return str(told.value)


def test_addresses_and_a_directory_are_enough(tmp_path: Path) -> None:
    """All else has a default that an operator need not know."""
    config = load(written(tmp_path, TOP + VENUE))

    assert config == EngineConfig(venue=config.venue, state_dir="state")
    assert config.directory == Path("state")
    assert config.venue.chain_id == 137


def test_every_setting_can_be_written(tmp_path: Path) -> None:
    """Whole numbers do for seconds. Proves: M3."""
    text = (
        TOP + 'name = "n"\nmode = "live"\ntick_s = 1\n' + VENUE + "chain_id = 80002\n"
        '[account]\nsignature_type = 2\nfunder = "0xf"\n[clock]\nrate = 2.5\n'
        "[kernel]\npoll_ns = 7\n[kernel.limits]\nprice_cap = 900000\n"
        '[[kernel.strategies]]\nname = "a"\nenabled = false\n[[kernel.strategies]]\nname = "b"\n'
    )
    config = load(written(tmp_path, text))

    assert (config.name, config.mode, config.tick_s) == ("n", "live", 1.0)
    assert (config.venue.chain_id, config.account.signature_type) == (80002, 2)
    assert (config.clock.rate, config.kernel.poll_ns) == (2.5, 7)
    assert config.kernel.limits.price_cap == 900_000
    assert [(s.name, s.enabled) for s in config.kernel.strategies] == [("a", False), ("b", True)]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (TOP + "colour = 1\n" + VENUE, "extra fields found (colour)"),
        (TOP + VENUE + "colour = 1\n", "extra fields found (colour) @ venue"),
        (TOP + VENUE + "[kernel.limits]\nmax = 1\n", "(max) @ kernel.limits"),
        (TOP + VENUE + "[[kernel.strategies]]\nedge = 1\n", "(edge) @ kernel.strategies[0]"),
        (TOP + VENUE + '[account]\nprivate_key = "0x1"\n', "(private_key) @ account"),
        (VENUE, "required field missing @ state_dir"),
        (TOP, "required field missing @ venue"),
        (TOP + VENUE.replace("rtds_url", "x"), "required field missing @ venue.rtds_url"),
        (TOP + "venue = 3\n", "@ venue"),
    ],
)
def test_an_unknown_or_missing_key_is_named(tmp_path: Path, text: str, why: str) -> None:
    """A setting that is ignored is worse than none. Proves: M3."""
    assert why in refusal(written(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (TOP + VENUE + 'chain_id = "137"\n', "expected int, not '137' @ venue.chain_id"),
        (TOP + VENUE + "chain_id = 137.5\n", "expected int, not 137.5 @ venue.chain_id"),
        (TOP + VENUE + "chain_id = true\n", "expected int, not True @ venue.chain_id"),
        (TOP + 'tick_s = "1"\n' + VENUE, "expected float, not '1' @ tick_s"),
        (TOP + "tick_s = nan\n" + VENUE, "expected float, not nan @ tick_s"),
        (TOP + "tick_s = false\n" + VENUE, "expected float, not False @ tick_s"),
        (TOP + "name = 3\n" + VENUE, "expected str, not 3 @ name"),
        (TOP + VENUE + "[kernel.limits]\nprice_cap = 0.95\n", "not 0.95 @ kernel.limits.price_cap"),
        (
            TOP + VENUE + '[[kernel.strategies]]\nenabled = "false"\n',
            "expected bool, not 'false' @ kernel.strategies[0].enabled",
        ),
        (TOP + 'mode = "real"\n' + VENUE, "real not in literal ['paper', 'live']"),
        (TOP + VENUE + "[account]\nsignature_type = 9\n", "9 not in literal [0, 1, 2, 3]"),
    ],
)
def test_a_value_of_another_type_is_refused_never_converted(
    tmp_path: Path, text: str, why: str
) -> None:
    """``enabled = "false"`` must not mean true, nor 0.95 a price of nothing. Proves: M3."""
    assert why in refusal(written(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (TOP + "tick_s = 0\n" + VENUE, "tick_s: 0.0 is not above 0"),
        (TOP + "heartbeat_s = -1\n" + VENUE, "heartbeat_s: -1.0 is below 0"),
        (TOP + "snapshot_facts = 0\n" + VENUE, "snapshot_facts: 0 is not above 0"),
        (TOP + VENUE + "[clock]\nrate = 0\n", "clock.rate: 0.0 is not above 0"),
        (TOP + VENUE + "[account]\nsignature_type = 1\n", "needs the wallet's funder"),
        ('state_dir = ""\n' + VENUE, "state_dir: names no directory"),
        (TOP + VENUE + "[rates]\nqueries_per_s = 0\n", "Rate(per_s=0, burst=150) is no rate"),
        (TOP + VENUE + "[rates]\norder_wait_s = -1\n", "a wait is below 0"),
        (TOP + VENUE + '[rates]\ntier = "wood"\n', "wood not in literal"),
        (TOP + VENUE + "[kernel]\nrules = 1\n", "kernel.rules: is the program's"),
        (f'state_dir = "/{"d" * 99}"\n' + VENUE, "8 bytes too long for a socket"),
        (TOP + VENUE.replace('http://127.0.0.1:1"', '127.0.0.1:1"'), "clob_url: '127.0.0.1:1' is"),
        (TOP + VENUE.replace("ws://127.0.0.1:1/ws/r", "http://a/"), "no ws or wss address"),
        (TOP + VENUE.replace("127.0.0.1:1/ws/user", "[::1"), "ws_user_url: 'ws://[::1' is no"),
        (TOP + VENUE.replace("127.0.0.1:1/ws/user", "h:port"), "ws_user_url: 'ws://h:port' is no"),
        (TOP + VENUE.replace("//127.0.0.1:1/gamma", "/gamma"), "gamma_url: 'http:/gamma' is no"),
    ],
)
def test_what_nothing_can_run_with_is_refused(tmp_path: Path, text: str, why: str) -> None:
    """Before it starts, not when it first divides by it."""
    assert why in refusal(written(tmp_path, text))


def test_what_is_not_toml_is_told_with_its_line(tmp_path: Path) -> None:
    assert "is not TOML" in (told := refusal(written(tmp_path, TOP + "[venue\n")))
    assert "line 2" in told


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path / "missing.toml")
    assert "cannot be read" in refusal(tmp_path)
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in refusal(binary)


def urls(address: str) -> VenueUrls:
    return VenueUrls(
        clob_url=f"http://{address}",
        gamma_url=f"https://{address}/gamma",
        ws_market_url=f"ws://{address}",
        ws_user_url=f"ws://{address}",
        rtds_url=f"wss://{address}",
    )


@pytest.mark.parametrize(
    "address", ["127.0.0.1:80", "127.9.9.9", "[::1]:80", "localhost", "LocalHost:1"]
)
def test_this_machine_is_not_live(address: str) -> None:
    """Proves: P3.1."""
    assert live_hosts(urls(address)) == []


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("clob.polymarket.com", "clob.polymarket.com"),
        ("127.0.0.1@clob.polymarket.com", "clob.polymarket.com"),
        ("localhost.evil.com", "localhost.evil.com"),
        ("10.0.0.1", "10.0.0.1"),
        ("0.0.0.0", "0.0.0.0"),
        ("[2001:db8::1]", "2001:db8::1"),
    ],
)
def test_all_else_is_real_money(address: str, host: str) -> None:
    """Whatever it looks like; one host among five is enough. Proves: P3.1, A-sec."""
    mixed = evolve(urls("127.0.0.1"), ws_user_url=f"ws://{address}")

    assert live_hosts(urls(address)) == [host]
    assert live_hosts(mixed) == [host]

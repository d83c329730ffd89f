"""What an operator writes into the engine's file, checked before anything starts.

TOML; every key has a default but the venue's addresses.  An unknown key is an error with its
name: a setting that is ignored is worse than none.  Secrets are not in the file: it names the
environment variable that holds the key.
"""

import tomllib
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from attrs import field, frozen
from cattrs import transform_error
from cattrs.errors import BaseValidationError

from polybawt.core.codec import CONVERTER
from polybawt.core.state import Config
from polybawt.engine.clock import Clock


class ConfigError(Exception):
    """A setting is wrong; the text says in which file, which one, and what it may be."""


@frozen(kw_only=True)
class VenueUrls:
    clob_url: str
    gamma_url: str
    ws_market_url: str
    ws_user_url: str
    rtds_url: str
    chain_id: int = 137


@frozen(kw_only=True)
class AccountSettings:
    """``signature_type`` and ``funder``: exchange reference 2.3."""

    private_key_env: str = "POLYBAWT_PRIVATE_KEY"
    signature_type: int = 0
    funder: str = ""


@frozen(kw_only=True)
class EngineConfig:
    """``state_dir`` holds journal, audit socket and kill file.

    ``tick_s`` and ``heartbeat_s`` are seconds of the venue's time, ``ping_s`` of real time.
    """

    venue: VenueUrls
    state_dir: str
    name: str = "polybawt"
    mode: str = "paper"
    account: AccountSettings = AccountSettings()
    clock: Clock = Clock()
    kernel: Config = field(factory=Config)
    tick_s: float = 0.1
    ping_s: float = 1.0
    heartbeat_s: float = 5.0
    snapshot_facts: int = 20_000

    @property
    def directory(self) -> Path:
        return Path(self.state_dir)


def load(path: Path) -> EngineConfig:
    """Read and check one configuration file."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise ConfigError(f"{path}: cannot be read: {e}") from e
    try:
        return CONVERTER.structure(tomllib.loads(text), EngineConfig)
    except tomllib.TOMLDecodeError as e:
        raise ConfigError(f"{path}: is not TOML: {e}") from e
    except BaseValidationError as e:
        wrong = "; ".join(str(line).replace("$.", "") for line in transform_error(e))
        raise ConfigError(f"{path}: {wrong}") from e


def live_hosts(urls: VenueUrls) -> list[str]:
    """The hosts that are not this machine: real money."""
    addresses = (urls.clob_url, urls.gamma_url, urls.ws_market_url, urls.ws_user_url, urls.rtds_url)
    hosts = dict.fromkeys(urlsplit(address).hostname or "" for address in addresses)
    return [host for host in hosts if not _is_local(host)]


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False

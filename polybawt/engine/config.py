"""What an operator writes into the engine's file, checked before anything starts.

TOML; every key has a default but the venue's addresses and the state directory.  An unknown key
is an error with its name: a setting that is ignored is worse than none.  So is a value of another
type: ``enabled = "false"`` must not mean true.  Secrets are not in the file: it names the
environment variable that holds the key.
"""

import os
import tomllib
from collections.abc import Callable
from ipaddress import ip_address
from math import isfinite
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from attrs import Attribute, field, frozen
from cattrs import Converter, transform_error
from cattrs.errors import BaseValidationError
from cattrs.v import format_exception

from polybawt.core.state import Config
from polybawt.core.strategies import registry
from polybawt.venue.clock import Clock
from polybawt.venue.limits import InvalidRate, Rates
from polybawt.venue.stream import EARLY_DROPS_MAX

SOCKET: Final = "audit.sock"
SOCKET_PATH_MAX: Final = 103  # bytes; what every system's socket address holds


class ConfigError(Exception):
    """A setting is wrong; the text says in which file, which one, and what it may be."""


class Unusable(ValueError):
    """A value has the right type and is still no good; says why."""


def _address(*schemes: str) -> Callable[[object, "Attribute[str]", str], None]:
    def check(_: object, which: "Attribute[str]", url: str) -> None:
        try:
            parts = urlsplit(url)
            usable = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        except ValueError:  # a port or an IPv6 address that is none
            usable = False
        if not usable:
            raise Unusable(f"{which.name}: {url!r} is no {' or '.join(schemes)} address")

    return check


def _address_or_none(*schemes: str) -> Callable[[object, "Attribute[str]", str], None]:
    check = _address(*schemes)
    return lambda owner, which, url: check(owner, which, url) if url else None


def _above_zero(_: object, which: "Attribute[Any]", value: float) -> None:
    if value <= 0:
        raise Unusable(f"{which.name}: {value} is not above 0")


def _not_negative(_: object, which: "Attribute[Any]", value: float) -> None:
    if value < 0:
        raise Unusable(f"{which.name}: {value} is below 0")


@frozen(kw_only=True)
class VenueUrls:
    """Settlement prices come from ``prices_ws_url``, the numbered stream, where that is named;
    else from ``rtds_url``, the legacy one.  A print that came without its size is
    completed from ``data_url``; where that is not named, its size stays unknown."""

    clob_url: str = field(validator=_address("http", "https"))
    gamma_url: str = field(validator=_address("http", "https"))
    ws_market_url: str = field(validator=_address("ws", "wss"))
    ws_user_url: str = field(validator=_address("ws", "wss"))
    rtds_url: str = field(validator=_address("ws", "wss"))
    prices_ws_url: str = field(default="", validator=_address_or_none("ws", "wss"))
    data_url: str = field(default="", validator=_address_or_none("http", "https"))
    chain_id: int = field(default=137, validator=_above_zero)


@frozen(kw_only=True)
class AccountSettings:
    """``signature_type`` and ``funder``: exchange reference 2.3."""

    private_key_env: str = "POLYBAWT_PRIVATE_KEY"
    signature_type: Literal[0, 1, 2, 3] = 0
    funder: str = ""

    def __attrs_post_init__(self) -> None:
        if self.signature_type and not self.funder:
            raise Unusable(f"signature_type {self.signature_type} needs the wallet's funder")


@frozen(kw_only=True)
class EngineConfig:
    """``state_dir`` holds journal, audit socket and kill file.

    ``tick_s`` and ``heartbeat_s`` (0 sends none) are seconds of the venue's time, ``ping_s`` of
    real time.  So many cuts in a row right after our credentials (``early_drops_max``) mean that
    they are refused.
    """

    venue: VenueUrls
    state_dir: str
    name: str = "polybawt"
    mode: Literal["paper", "live"] = "paper"
    account: AccountSettings = AccountSettings()
    clock: Clock = Clock()
    kernel: Config = field(factory=Config)
    rates: Rates = Rates()
    tick_s: float = field(default=0.1, validator=_above_zero)
    ping_s: float = field(default=1.0, validator=_above_zero)
    heartbeat_s: float = field(default=5.0, validator=_not_negative)
    early_drops_max: int = field(default=EARLY_DROPS_MAX, validator=_above_zero)
    snapshot_facts: int = field(default=20_000, validator=_above_zero)

    def __attrs_post_init__(self) -> None:
        if not self.state_dir:
            raise Unusable("state_dir: names no directory")
        if self.clock.rate <= 0:
            raise Unusable(f"clock.rate: {self.clock.rate} is not above 0")
        if self.kernel.rules:
            raise Unusable("kernel.rules: is the program's, not a setting")
        if why := unfit(self.directory):
            raise Unusable(f"state_dir: {why}")

    @property
    def directory(self) -> Path:
        return Path(self.state_dir)


def unfit(directory: Path) -> str:
    """Why a state directory cannot be one; "" when it can."""
    beyond = len(os.fsencode(directory / SOCKET)) - SOCKET_PATH_MAX
    return f"{directory} is {beyond} bytes too long for a socket in it" if beyond > 0 else ""


def _exactly(*types: type) -> Callable[[Any, Any], Any]:
    """Takes a value of these types as it is, and nothing else."""

    def take(value: Any, wanted: Any) -> Any:
        if type(value) not in types or (isinstance(value, float) and not isfinite(value)):
            name = getattr(wanted, "__name__", str(wanted))
            raise Unusable(f"expected {name}, not {value!r:.60}")
        return float(value) if types == (int, float) else value

    return take


def _strict() -> Converter:
    converter = Converter(forbid_extra_keys=True)
    for kind in (bool, int, str):
        converter.register_structure_hook(kind, _exactly(kind))
    converter.register_structure_hook(float, _exactly(int, float))
    registry.teach(converter)
    return converter


SETTINGS: Final = _strict()


def _words(wrong: BaseException, kind: type | None) -> str:
    if isinstance(wrong, Unusable | InvalidRate):
        return str(wrong)
    return format_exception(wrong, kind).replace("typing.Literal", "")


def load(path: Path) -> EngineConfig:
    """Read and check one configuration file."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise ConfigError(f"{path}: cannot be read: {e}") from e
    try:
        return SETTINGS.structure(tomllib.loads(text), EngineConfig)
    except tomllib.TOMLDecodeError as e:
        raise ConfigError(f"{path}: is not TOML: {e}") from e
    except BaseValidationError as e:
        told = transform_error(e, format_exception=_words)
        wrong = "; ".join(line.replace(" @ $.", " @ ").replace(" @ $", "") for line in told)
        raise ConfigError(f"{path}: {wrong}") from e


def live_hosts(urls: VenueUrls) -> list[str]:
    """The hosts that are not this machine: real money."""
    addresses = (
        urls.clob_url,
        urls.gamma_url,
        urls.ws_market_url,
        urls.ws_user_url,
        urls.rtds_url,
        urls.prices_ws_url,
        urls.data_url,
    )
    hosts = dict.fromkeys(urlsplit(address).hostname or "" for address in addresses if address)
    return [host for host in hosts if not _is_local(host)]


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False

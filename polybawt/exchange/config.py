"""What an exchange is told before it starts: frozen, validated, and free of any default clock.

The accounts are the ten public development keys that every chain tool-kit
prints on start; they own play money here and must never own anything else.
"""

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from attrs import field, frozen

from polybawt.core.units import SECOND_NS, InvalidAmount, Usdc, parse_micro
from polybawt.exchange.limits import MODES as LIMITS
from polybawt.exchange.limits import TIERS
from polybawt.sim.catalogue import MARKETS_MAX
from polybawt.sim.faults import Fault, InvalidFault, read_faults
from polybawt.venue.contracts import POLYGON
from polybawt.venue.signing import Account
from polybawt.venue.wallets import wallets_of

DEVELOPMENT_KEYS: Final = (
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
    "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
    "0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
    "0x8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
    "0x92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e",
    "0x4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356",
    "0xdbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97",
    "0x2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6",
)
RATE_MAX: Final = 10_000.0
WINDOW_MIN_S: Final = 10
PORT_MAX: Final = 65_535
LAG_MAX_S: Final = 3_600.0
NEG_RISK_MAX: Final = 20
LOOKBACKS_S: Final = (0, 30, 60)  # those the venue has had (reference 5.4)


class InvalidConfig(ValueError):
    """A setting that no exchange can start with; names the setting."""


@frozen(kw_only=True)
class Wallet:
    """A smart wallet of an account: type 1 proxy, 2 safe, 3 deposit wallet (reference 2.3)."""

    address: str
    owner: str
    signature_type: int
    collateral: Usdc = Usdc(0)


@frozen(kw_only=True)
class ExchangeConfig:
    """All that ``serve`` needs. Amounts in millionths; ``admin_token`` "" means: draw one.

    ``limits``: "off", "warn" or "enforce", see the module of that name.  The default "warn" takes
    500 single orders a second from one address, as the venue does; who measures more says "off".
    """

    port: int = 0
    seed: int = 1
    replay: Path | None = None
    rate: float = 1.0
    accounts: int = 2
    collateral: Usdc = Usdc(1_000_000_000)
    window_s: int = 300
    lead_s: float = 0.0  # real seconds that a recording waits for its listeners
    quiet_world: bool = False
    taker_delay_ns: int = 0
    position_ids_every: int = 0  # every n-th market is one of Protocol V2; 0: none
    chain_id: int = POLYGON
    wallets: tuple[Wallet, ...] = ()
    auth_skew_max_s: int = 0  # 0: any; the venue's own allowance is UNCONFIRMED (reference 2.2)
    limits: str = "warn"
    tier: str = "Standard"  # of every signer (reference 1.15)
    slow_reads: bool = False  # private reads at ten a second: reported, UNCONFIRMED (1.15)
    deposit_only: tuple[str, ...] = ()  # accounts that may trade from deposit wallets only
    markets: int = 0  # listed besides the running windows, for discovery to discover
    neg_risk_events: int = 0  # that many are open at a time, with a crowd of their own
    unknown_version_every: int = 0  # every n-th market is of a version that nobody knows; 0: none
    twap_lookback_s: int = 0  # the series settle by an average of so many seconds; 0: the report
    fine_ticks: bool = True  # near either end of the scale, unless the world is quiet
    auto_redeem: bool = True  # else holders ask for it themselves
    indexer_lag_ns: int = 0  # so far the Data API is behind the chain (reference 5.2)
    page_size: int = 500
    announce: bool = True
    faults: tuple[Fault, ...] = ()
    admin_token: str = field(default="", repr=False)

    @property
    def keys(self) -> tuple[str, ...]:
        return DEVELOPMENT_KEYS[: self.accounts]


def exchange_config(
    *,
    port: int = 0,
    seed: int = 1,
    replay: str | None = None,
    speed: float = 1.0,
    accounts: int = 2,
    collateral: str = "1000",
    window_s: int = 300,
    lead_s: float = 0.0,
    quiet_world: bool = False,
    markets: int = 0,
    neg_risk_events: int = 0,
    unknown_version_every: int = 0,
    twap_lookback_s: int = 0,
    fine_ticks: bool = True,
    auto_redeem: bool = True,
    indexer_lag_s: float = 0.0,
    announce: bool = True,
    faults: str | None = None,
    limits: str = "warn",
    tier: str = "Standard",
) -> ExchangeConfig:
    """Make a configuration from plain arguments, or say which one is impossible.

    ``collateral`` is decimal text in dollars, ``speed`` venue seconds per real second.
    """
    try:
        dollars = parse_micro(collateral)
    except InvalidAmount as wrong:
        raise InvalidConfig(f"collateral: {wrong}") from wrong
    _within("port", port, 0, PORT_MAX)
    _within("accounts", accounts, 1, len(DEVELOPMENT_KEYS))
    _within("collateral", dollars, 0, 10**15)
    _within("window_s", window_s, WINDOW_MIN_S, 86_400)
    _within("markets", markets, 0, MARKETS_MAX)
    _within("neg_risk_events", neg_risk_events, 0, NEG_RISK_MAX)
    _within("unknown_version_every", unknown_version_every, 0, 1_000)
    if twap_lookback_s not in LOOKBACKS_S:
        raise InvalidConfig(f"twap_lookback_s: {twap_lookback_s} is not one of {[*LOOKBACKS_S]}")
    if neg_risk_events and replay:
        raise InvalidConfig("neg_risk_events: a recording has its own markets")
    if markets and replay:
        raise InvalidConfig("markets: a recording lists its own")
    if not 0 <= indexer_lag_s <= LAG_MAX_S:
        raise InvalidConfig(f"indexer_lag_s: {indexer_lag_s} is not between 0 and {LAG_MAX_S}")
    if not 0 < speed <= RATE_MAX:
        raise InvalidConfig(f"speed: {speed} is not above 0 and at most {RATE_MAX}")
    _one_of("limits", limits, LIMITS)
    _one_of("tier", tier, TIERS)
    return ExchangeConfig(
        port=port,
        seed=seed,
        replay=Path(replay) if replay else None,
        rate=float(speed),
        accounts=accounts,
        collateral=Usdc(dollars),
        wallets=_wallets(DEVELOPMENT_KEYS[:accounts], Usdc(dollars)),
        window_s=window_s,
        lead_s=lead_s,
        quiet_world=quiet_world,
        markets=markets,
        neg_risk_events=neg_risk_events,
        unknown_version_every=unknown_version_every,
        twap_lookback_s=twap_lookback_s,
        fine_ticks=fine_ticks,
        auto_redeem=auto_redeem,
        indexer_lag_ns=int(indexer_lag_s * SECOND_NS),
        announce=announce,
        faults=_faults(Path(faults)) if faults else (),
        limits=limits,
        tier=tier,
    )


def _wallets(keys: Iterable[str], collateral: Usdc) -> tuple[Wallet, ...]:
    """Every account has one of each kind, where the official clients look for it."""
    return tuple(
        Wallet(address=address, owner=owner, signature_type=kind, collateral=collateral)
        for owner in (Account(key).address for key in keys)
        for kind, address in wallets_of(owner).items()
    )


def _faults(path: Path) -> tuple[Fault, ...]:
    """The rules of a TOML file."""
    try:
        return read_faults(tomllib.loads(path.read_text()), str(path))
    except (OSError, UnicodeDecodeError) as wrong:
        raise InvalidConfig(f"faults: {path}: {wrong}") from wrong
    except (tomllib.TOMLDecodeError, InvalidFault) as wrong:
        raise InvalidConfig(f"faults: {wrong}") from wrong


def _within(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise InvalidConfig(f"{name}: {value} is not between {low} and {high}")


def _one_of(name: str, value: str, choices: Iterable[str]) -> None:
    if value not in choices:
        raise InvalidConfig(f"{name}: {value!r} is not one of {', '.join(choices)}")

"""Which world an exchange serves: the invented one, or a recorded one.

Source: the simulator's ``World`` and ``tape``; only here do their parts meet a configuration.
"""

from typing import Final

from attrs import evolve

from polybawt.core.units import SECOND_NS
from polybawt.exchange.config import ExchangeConfig
from polybawt.exchange.replay import read_session, read_settlement_day
from polybawt.sim.catalogue import catalogue
from polybawt.sim.settlement_day import SettlementDay
from polybawt.sim.stocked import Stocked
from polybawt.sim.tape import Session
from polybawt.sim.world import World, WorldLike, WorldTerms

WINDOWS_AT_ONCE: Final = 2


def chosen(config: ExchangeConfig, real_ns: int) -> WorldLike:
    """The world a configuration asks for; an invented one starts now."""
    if config.replay is None:
        return invented(config, real_ns)
    if config.replay.is_dir():
        return SettlementDay(read_settlement_day(config.replay))
    return Session(read_session(config.replay), taker_delay_ns=config.taker_delay_ns)


def invented(config: ExchangeConfig, start_ns: int) -> WorldLike:
    """The paper world of a seed; a quiet one has nobody in it but the clients."""
    terms = WorldTerms(
        seed=str(config.seed),
        window_s=config.window_s,
        stride_s=config.window_s // WINDOWS_AT_ONCE,
        taker_delay_ns=config.taker_delay_ns,
        position_ids_every=config.position_ids_every,
        keep_ns=max(600, 2 * config.window_s) * SECOND_NS,
        neg_risk_events=config.neg_risk_events,
        twap_lookback_s=config.twap_lookback_s,
        fine_ticks=config.fine_ticks and not config.quiet_world,
        auto_redeem=config.auto_redeem,
        unknown_version_every=config.unknown_version_every,
    )
    if config.quiet_world:
        terms = evolve(terms, makers=0, noise_takers=0, informed_takers=0)
    if config.markets:
        return Stocked(terms, catalogue(terms.seed, config.markets, start_ns), start_ns)
    return World(terms, start_ns)

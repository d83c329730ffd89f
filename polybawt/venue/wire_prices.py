"""Frames of the numbered price stream, the successor of RTDS, as numbers and facts.

``{"v":1,"channel","seq","ts","snapshot"?,"dropped"?,"payload":{…}}``.  ``seq`` is dense per
channel and begins anew with each connection, so a gap is known and not guessed; which frames are
missing is for ``links`` to say, that remembers the last one.  Only Chainlink's own reports pass:
another source's price, or an old one that is carried forward, must never decide a market.

A subscription is answered by a snapshot: ``payload`` then holds the last two minutes under
``data``, which is what a reconnect may have hidden.  Operations are answered by ``{"op": …}``.

UNCONFIRMED, and therefore read loosely: how the venue names the source (any text with "chainlink"
in it passes).

Source: exchange reference 4.4; operations and snapshots as the unified client reads them.
"""

from collections.abc import Iterable
from typing import Final

from attrs import frozen

from polybawt.core.facts import OracleReported
from polybawt.core.units import parse_scaled
from polybawt.venue import wire
from polybawt.venue.wire import Fields, Misread

SETTLEMENT_SOURCE: Final = "chainlink"
VERSION: Final = 1
AUTH_CODES: Final = "auth_"  # auth_required, auth_invalid, auth_attempts


class Denied(Misread):
    """The venue does not take our credentials, and says so."""


@frozen
class Numbered:
    """One frame: where it belongs, and what it says. ``dropped``: frames the venue left out."""

    channel: str
    seq: int
    dropped: int
    facts: tuple[OracleReported, ...]


def numbered(raw: str | bytes, now_ns: int) -> Numbered | None:
    """Read one frame; None for an acknowledgement. Raises one of ``wire.READ_ERRORS``."""
    frame = wire.fields(wire.decode(raw))
    match wire.text(frame, "op"):
        case "":
            pass
        case "error" if wire.text(frame, "code").startswith(AUTH_CODES):
            raise Denied(f"the venue says {wire.excerpt(wire.text(frame, 'code'))}")
        case "error":
            raise Misread(f"the venue says {wire.excerpt(wire.text(frame, 'code'))}")
        case _:
            return None
    if wire.whole(frame, "v") != VERSION:
        raise Misread(f"version {wire.excerpt(str(frame.get('v')))} is not {VERSION}")
    payload = wire.fields(frame.get("payload"))
    past = map(wire.fields, wire.array(payload, "data"))
    reports = [{**payload, **point} for point in past] if "data" in payload else [payload]
    told = (_report(report, now_ns) for report in reports)
    return Numbered(
        channel=wire.ident(frame, "channel"),
        seq=wire.whole(frame, "seq"),
        dropped=wire.whole(frame, "dropped"),
        facts=tuple(fact for fact in told if fact is not None),
    )


def _report(payload: Fields, now_ns: int) -> OracleReported | None:
    if SETTLEMENT_SOURCE not in wire.text(payload, "source").lower():
        return None
    if wire.flag(payload, "is_carried_forward"):
        return None
    full = payload.get("full_accuracy_value")
    value_e18 = parse_scaled(full or payload.get("value"), 18)
    report_ms = wire.epoch_ms(payload, "timestamp")
    if value_e18 <= 0 or not report_ms:
        raise Misread("a report without a price or a time")
    return OracleReported(
        symbol=wire.ident(payload, "symbol").lower(),
        value_e18=value_e18,
        report_ms=report_ms,
        exact=bool(full),
        at_ns=now_ns,
    )


def short(symbol: str) -> str:
    """``btc/usd`` as this stream spells it: ``btcusd``."""
    return symbol.replace("/", "").lower()


def asked_for(symbol: str, keys: Iterable[str]) -> str:
    """Which of the symbols that we follow this is, in our spelling; "" for none."""
    return next((key for key in keys if short(key) == short(symbol)), "")

"""The odd spellings that the user channel is known for, each made on request.

A client has to read a trade in all of them, so each can be switched on as a fault.

Source: exchange reference 4.1, 4.3 and 6 (11, 15); NautilusTrader's recorded bodies.
"""

from collections.abc import Mapping
from typing import Final

OPTIONAL: Final = ("fee_rate_bps", "bucket_index", "match_time_nano", "last_update")
MS_PER_SECOND: Final = 1_000


def odd(told: Mapping[str, object], kind: str) -> dict[str, object]:
    """A trade as one of ``sim.faults.QUIRKS`` spells it."""
    frame = dict(told)
    match kind:
        case "matchtime":
            frame["matchtime"] = frame.pop("match_time")
        case "empty_decimals":
            frame |= {name: "" for name in OPTIONAL if name in frame}
        case "no_maker_orders":
            del frame["maker_orders"]
        case "seconds":
            frame["timestamp"] = str(int(str(frame["timestamp"])) // MS_PER_SECOND)
    return frame

"""What the exchange lets its clients do: running, restarting, post-only, cancel-only, disabled.

A restart refuses orders and cancels alike with 425; when it is over, only post-only orders and
cancels are taken for two minutes.  The modes are set by whoever runs the exchange (admin route);
the real venue announces some of them, and most not.

Source: exchange reference 1.14 (exchange modes).
"""

from typing import Final

from polybawt.core.units import SECOND_NS
from polybawt.exchange.refusal import RequestRefused

MODES: Final = ("running", "restarting", "post_only", "cancel_only", "disabled")
RESTART_S: Final = 90.0
POST_ONLY_S: Final = 120.0
NOT_READY: Final = "service not ready"
POST_ONLY: Final = "post-only mode: only post-only orders and cancels are allowed"
CANCEL_ONLY: Final = (
    "Trading is currently cancel-only. New orders are not accepted, but cancels are allowed."
)
DISABLED: Final = "Trading is currently disabled. Check polymarket.com for updates"


class Mode:
    """The mode and until when; times are venue time, ``until_ns`` 0 is until further notice."""

    def __init__(self) -> None:
        self._mode, self._until_ns = "running", 0

    def set(self, mode: str, now_ns: int, seconds: float = 0.0) -> None:
        """``seconds`` 0: the usual time of a restart and of post-only, without end for others."""
        assert mode in MODES, mode
        usual = {"restarting": RESTART_S, "post_only": POST_ONLY_S}.get(mode, 0.0)
        lasts_ns = int((seconds or usual) * SECOND_NS)
        self._mode, self._until_ns = mode, now_ns + lasts_ns if lasts_ns else 0

    def now(self, now_ns: int) -> str:
        """The mode at this time; a restart turns to post-only, and everything else to running."""
        while self._until_ns and now_ns >= self._until_ns:
            ended_ns = self._until_ns
            if self._mode == "restarting":
                self.set("post_only", ended_ns)
            else:
                self._mode, self._until_ns = "running", 0
        return self._mode

    def admit_order(self, post_only: bool, now_ns: int) -> None:
        """Raise the refusal that a new order meets now, if any."""
        match self.now(now_ns):
            case "restarting":
                raise self._not_ready(now_ns)
            case "post_only" if not post_only:
                left_s = max(1, -(-(self._until_ns - now_ns) // SECOND_NS))
                raise RequestRefused(
                    POST_ONLY,
                    503,
                    headers={"Retry-After": str(left_s)},
                    code="post_only_mode",
                    retry_after_seconds=left_s,
                )
            case "cancel_only":
                raise RequestRefused(CANCEL_ONLY, 503)
            case "disabled":
                raise RequestRefused(DISABLED, 503)

    def admit_cancel(self, now_ns: int) -> None:
        """Cancels pass in post-only and cancel-only mode."""
        match self.now(now_ns):
            case "restarting":
                raise self._not_ready(now_ns)
            case "disabled":
                raise RequestRefused(DISABLED, 503)

    def _not_ready(self, now_ns: int) -> RequestRefused:
        left_s = -(-(self._until_ns - now_ns) // SECOND_NS)
        return RequestRefused(NOT_READY, 425, headers={"Retry-After": str(left_s)})

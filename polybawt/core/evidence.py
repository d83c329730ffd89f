"""What others say of our account, as long as it is not settled: records without a rule.

Source: exchange reference 1.12, 5.3 and 6 item 16.
"""

from attrs import frozen


@frozen(kw_only=True)
class Drift:
    """The venue shows ``theirs`` of a token ("" for cash) where our ledger has ``ours``.

    ``since_ns``: when this difference was first read; ``seen_ns``: when it was last.  ``stale``:
    it is what we once had, as a cache would show it.  ``fired``: it was so large that the kill
    switch was fired for it.
    """

    token_id: str
    ours: int
    theirs: int
    since_ns: int
    seen_ns: int
    stale: bool = False
    fired: bool = False

    @property
    def amount(self) -> int:
        """Millionths of a dollar or of a share; above zero, the venue has more."""
        return self.theirs - self.ours

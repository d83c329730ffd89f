"""What a strategy's closed rounds came to."""

from attrs import evolve, frozen

from polybawt.core.units import Usdc


@frozen(kw_only=True)
class Score:
    """``losing``: losses in a row; ``lost_ns``: when the last of them was closed."""

    wins: int = 0
    losses: int = 0
    even: int = 0
    losing: int = 0
    lost_ns: int = 0
    realised: Usdc = Usdc(0)

    def closed(self, profit: int, now_ns: int) -> "Score":
        """One more round, and what it brought after fees."""
        after = evolve(self, realised=Usdc(self.realised + profit))
        if profit > 0:
            return evolve(after, wins=self.wins + 1, losing=0)
        if profit == 0:
            return evolve(after, even=self.even + 1)
        return evolve(after, losses=self.losses + 1, losing=self.losing + 1, lost_ns=now_ns)

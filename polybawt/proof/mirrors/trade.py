"""``Trade`` and its world, as models/Trade.tla has them."""

from typing import ClassVar

from polybawt.core.machine import Machine
from polybawt.core.machines.trade import TradeMachine
from polybawt.proof.mirror import Mirror


class TradeMirror(Mirror):
    name = "Trade"
    machine: ClassVar[type[Machine]] = TradeMachine

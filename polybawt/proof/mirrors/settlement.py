"""``Settlement`` and its world, as models/Settlement.tla has them."""

from typing import ClassVar

from polybawt.core.machine import Machine
from polybawt.core.machines.settlement import SettlementMachine
from polybawt.proof.mirror import Mirror


class SettlementMirror(Mirror):
    name = "Settlement"
    machine: ClassVar[type[Machine]] = SettlementMachine

"""``Position`` and its world, as models/Position.tla has them."""

from typing import ClassVar

from polybawt.core.machine import Machine
from polybawt.core.machines.position import PositionMachine
from polybawt.proof.mirror import Mirror


class PositionMirror(Mirror):
    name = "Position"
    machine: ClassVar[type[Machine]] = PositionMachine

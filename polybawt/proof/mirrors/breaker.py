"""``Breaker`` and its world, as models/Breaker.tla has them."""

from typing import ClassVar

from polybawt.core.machine import Machine
from polybawt.core.machines.breaker import BreakerMachine
from polybawt.proof.mirror import Mirror


class BreakerMirror(Mirror):
    name = "Breaker"
    machine: ClassVar[type[Machine]] = BreakerMachine

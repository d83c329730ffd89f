"""``Order`` and its world, as models/Order.tla has them."""

from typing import ClassVar

from polybawt.core.machine import Machine
from polybawt.core.machines.order import OrderMachine
from polybawt.proof.mirror import Mirror


class OrderMirror(Mirror):
    name = "Order"
    machine: ClassVar[type[Machine]] = OrderMachine

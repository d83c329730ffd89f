"""``Feed`` and its world, as models/Feed.tla has them."""

from typing import ClassVar

from polybawt.core.machine import Machine
from polybawt.core.machines.feed import FeedMachine
from polybawt.proof.mirror import Mirror


class FeedMirror(Mirror):
    name = "Feed"
    machine: ClassVar[type[Machine]] = FeedMachine

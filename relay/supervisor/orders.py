"""What the supervisor says to a worker, and what a worker says to the supervisor."""

from collections.abc import Sequence
from dataclasses import dataclass

from prometheus_client.metrics_core import Metric

from relay.config import Settings
from relay.config.units import HostPort


@dataclass(frozen=True, slots=True)
class Doors:
    """New listening sockets: they come along with the message, in this order."""

    listeners: tuple[tuple[str, HostPort, HostPort, int], ...]  # name, address, place, how many sockets


@dataclass(frozen=True, slots=True)
class Begin:
    """To a worker: serve; its share of the settings, and all the sockets."""

    number: int
    settings: Settings
    doors: Doors


@dataclass(frozen=True, slots=True)
class Reload:
    """To a worker: go on by these settings."""

    settings: Settings
    doors: Doors


@dataclass(frozen=True, slots=True)
class Tell:
    """To a worker: say how you are doing."""

    question: int  # repeated in the answer
    is_ready: bool = False  # whether the store can be written to is asked, too
    of_queue: bool = False  # the figures of the queue, which are the same everywhere, are asked for, too


@dataclass(frozen=True, slots=True)
class Serving:
    """From a worker: it has begun."""


@dataclass(frozen=True, slots=True)
class Failed:
    """From a worker: it could not begin, or not do what it was told."""

    reason: str
    is_configuration: bool


@dataclass(frozen=True, slots=True)
class Reloaded:
    """From a worker: it goes on by the new settings."""


@dataclass(frozen=True, slots=True)
class Told:
    """From a worker: how it is doing."""

    question: int
    is_ready: bool
    figures: Sequence[Metric]
    of_queue: Sequence[Metric]

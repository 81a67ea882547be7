"""What all events are told by: one logger, one registry of metrics."""

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from relay.log import Logger

_Metric = TypeVar("_Metric", Counter, Gauge, Histogram)
_REMEMBERED = 4096  # children of one metric
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Telling:
    """The log and the metrics of a group of events."""

    def __init__(self, log: Logger) -> None:
        self._log = log
        self.registry = CollectorRegistry()

    def speak_by(self, log: Logger) -> None:
        """Go on with another logger."""
        self._log = log

    def _total(self, name: str, about: str) -> Counter:
        return Counter(name, about, registry=self.registry)

    def _counter(self, name: str, about: str, *labels: str) -> Callable[..., Counter]:
        return children(Counter(name, about, labels, registry=self.registry))


def children(metric: _Metric) -> Callable[..., _Metric]:
    """Give a metric's children by their labels' values; to look them up oneself takes a tenth of the library's time."""
    return lru_cache(_REMEMBERED)(metric.labels)

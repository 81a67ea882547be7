"""The last hour as curves: the counters read at a steady pace, so that a page can show how it went."""

import asyncio
import math
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry
from prometheus_client.samples import Sample

from relay.errors import QueueError
from relay.message import Clock
from relay.web.health import Refreshed

_EVERY_SECONDS = 5.0
_POINTS = 720  # an hour

#: The curves that are rates a second: name, sample, labels that must match.
_RATES: tuple[tuple[str, str, Mapping[str, str]], ...] = (
    ("taken", "relay_messages_accepted_total", {}),
    ("turned_away", "relay_messages_refused_total", {}),
    ("accepted", "relay_recipients_total", {"outcome": "accepted"}),
    ("refused", "relay_recipients_total", {"outcome": "refused"}),
    ("deferred", "relay_recipients_total", {"outcome": "deferred"}),
)
#: The curves that are levels.
_LEVELS = (
    ("open", "relay_queue_messages"),
    ("oldest", "relay_queue_oldest_seconds"),
    ("connections", "relay_connections"),
)
_CALLS, _CALL_SECONDS = "relay_call_seconds_count", "relay_call_seconds_sum"


@dataclass(frozen=True, slots=True)
class _Reading:
    at: float
    totals: dict[str, float] = field(default_factory=dict)
    levels: dict[str, float] = field(default_factory=dict)


class History:
    """Reads the metrics in a task of its own and keeps the curves."""

    def __init__(self, registry: CollectorRegistry, gauges: Refreshed, clock: Clock) -> None:
        self._registry = registry
        self._gauges = gauges
        self._clock = clock
        self._last: _Reading | None = None
        self._points: deque[dict[str, float | None]] = deque(maxlen=_POINTS)

    async def keep(self) -> None:
        """Read for ever."""
        while True:
            await self.read()
            await asyncio.sleep(_EVERY_SECONDS)

    async def read(self) -> None:
        """Add a point: rates since the last one, levels as they are now."""
        with suppress(QueueError):  # told where the metrics are asked for; the last levels stay
            await self._gauges.refresh()
        reading = _reading(self._clock(), self._samples())
        if self._last is not None and reading.at > self._last.at:
            self._points.append(_point(self._last, reading))
        self._last = reading

    def curves(self) -> dict[str, list[float | None]]:
        """Return a list for each curve, and the times beside them in seconds since the epoch."""
        names = ["at", *(rate[0] for rate in _RATES), *(level[0] for level in _LEVELS), "call_seconds"]
        return {name: [point[name] for point in self._points] for name in names}

    def _samples(self) -> Iterable[Sample]:
        for metric in self._registry.collect():
            yield from metric.samples


def _reading(at: float, samples: Iterable[Sample]) -> _Reading:
    reading = _Reading(at)
    for sample in samples:
        for name, wanted, labels in _RATES:
            if sample.name == wanted and labels.items() <= sample.labels.items():
                reading.totals[name] = reading.totals.get(name, 0.0) + sample.value
        for name, wanted in _LEVELS:
            if sample.name == wanted:
                reading.levels[name] = reading.levels.get(name, 0.0) + sample.value
        if sample.name in {_CALLS, _CALL_SECONDS}:
            reading.totals[sample.name] = reading.totals.get(sample.name, 0.0) + sample.value
    return reading


def _point(before: _Reading, now: _Reading) -> dict[str, float | None]:
    def since(name: str) -> float:
        return max(0.0, now.totals.get(name, 0.0) - before.totals.get(name, 0.0))

    seconds, calls = now.at - before.at, since(_CALLS)
    point: dict[str, float | None] = {"at": now.at}
    point.update({name: _rounded(since(name) / seconds) for name, _, _ in _RATES})
    point.update({name: _rounded(now.levels.get(name, 0.0)) for name, _ in _LEVELS})
    point["call_seconds"] = _rounded(since(_CALL_SECONDS) / calls) if calls else None
    return point


def _rounded(value: float) -> float:
    """Keep four digits: more would only be sent."""
    return value if value == 0 else round(value, 3 - math.floor(math.log10(abs(value))))

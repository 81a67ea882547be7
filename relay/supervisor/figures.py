"""The figures of all workers as one page: counts added up, the queue's own once."""

from collections.abc import Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Sample

_CREATED = "_created"  # when a count began: the earliest tells for all


class Figures:
    """Adds up. Registered with a registry, it is what the page shows."""

    def __init__(self, own: CollectorRegistry) -> None:
        self._own = own  # the supervisor's
        self.workers = Gauge("relay_workers", "Workers that serve", registry=own)
        self._latest: dict[int, Sequence[Metric]] = {}  # by worker
        self._departed: Sequence[Metric] = ()  # what workers that are gone had counted when they were last asked
        self._of_queue: Sequence[Metric] = ()

    def heard(self, worker: int, figures: Sequence[Metric], of_queue: Sequence[Metric]) -> None:
        """Take what a worker told."""
        self._latest[worker] = figures
        self._of_queue = of_queue or self._of_queue

    def gone(self, worker: int) -> None:
        """Keep what a worker had counted: a sum that falls would look like a restart of everything."""
        counted = [metric for metric in self._latest.pop(worker, ()) if metric.type != "gauge"]
        self._departed = summed([self._departed, counted])

    def collect(self) -> Iterator[Metric]:
        """Tell the sums, as the library asks for them."""
        yield from summed([list(self._own.collect()), self._departed, *self._latest.values()])
        yield from self._of_queue


def summed(pages: Iterable[Sequence[Metric]]) -> list[Metric]:
    """Add up the samples of the same name and labels."""
    totals: dict[str, Metric] = {}
    values: dict[str, dict[tuple[str, tuple[tuple[str, str], ...]], float]] = {}
    for metric in (metric for page in pages for metric in page):
        totals.setdefault(metric.name, Metric(metric.name, metric.documentation, metric.type, metric.unit))
        sums = values.setdefault(metric.name, {})
        for sample in metric.samples:
            key = (sample.name, tuple(sample.labels.items()))
            if key not in sums:
                sums[key] = sample.value
            elif sample.name.endswith(_CREATED):
                sums[key] = min(sums[key], sample.value)
            else:
                sums[key] += sample.value
    for name, total in totals.items():
        total.samples = [Sample(sample, dict(labels), value) for (sample, labels), value in values[name].items()]
    return list(totals.values())

"""The queue's figures among the metrics."""

from prometheus_client import CollectorRegistry, Gauge

from relay.message import Clock
from relay.queue.contract import Queue, QueueView, State
from relay.queue.reporting import Reports


class QueueGauges:
    """The queue's figures, read from the store when somebody asks for the metrics."""

    def __init__(
        self, view: QueueView, queue: Queue, reports: Reports, registry: CollectorRegistry, clock: Clock
    ) -> None:
        self._view = view
        self._queue = queue
        self._reports = reports
        self._clock = clock
        self._recipients = Gauge(
            "relay_queue_recipients", "Recipients in the store by state", ["state"], registry=registry
        )
        self._messages = Gauge("relay_queue_messages", "Messages that are not finished", registry=registry)
        self._oldest = Gauge(
            "relay_queue_oldest_seconds", "Age of the oldest message that is not finished", registry=registry
        )
        self._paused = Gauge("relay_accounts_paused", "Accounts that are paused", registry=registry)
        self._waiting = Gauge("relay_reports_waiting", "Reports to senders that are not out yet", registry=registry)

    async def refresh(self) -> None:
        """Read the figures. Raises QueueError when the store does not answer."""
        counts = await self._view.stats()
        for state in State:
            self._recipients.labels(state.value).set(counts.by_state.get(state, 0))
        self._messages.set(counts.messages_open)
        oldest = counts.oldest_received_at
        self._oldest.set(0.0 if oldest is None else max(0.0, self._clock() - oldest))
        self._paused.set(len(await self._queue.paused()))
        self._waiting.set(await self._reports.waiting_reports())

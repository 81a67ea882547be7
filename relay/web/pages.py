"""/livez, /readyz and /metrics: is it alive, can it take mail, how is it doing."""

import os
from collections.abc import Awaitable, Callable
from typing import Protocol

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from relay.config.units import HostPort
from relay.errors import ConfigError, QueueError
from relay.events import Events
from relay.message import Clock
from relay.queue.contract import Queue, QueueView, State


class QueueGauges:
    """The queue's figures, read from the store when somebody asks for the metrics."""

    def __init__(self, view: QueueView, queue: Queue, registry: CollectorRegistry, clock: Clock) -> None:
        self._view = view
        self._queue = queue
        self._clock = clock
        self._recipients = Gauge(
            "relay_queue_recipients", "Recipients in the store by state", ["state"], registry=registry
        )
        self._messages = Gauge("relay_queue_messages", "Messages that are not finished", registry=registry)
        self._oldest = Gauge(
            "relay_queue_oldest_seconds", "Age of the oldest message that is not finished", registry=registry
        )
        self._paused = Gauge("relay_accounts_paused", "Accounts that are paused", registry=registry)

    async def refresh(self) -> None:
        """Read the figures. Raises QueueError when the store does not answer."""
        counts = await self._view.stats()
        for state in State:
            self._recipients.labels(state.value).set(counts.by_state.get(state, 0))
        self._messages.set(counts.messages_open)
        oldest = counts.oldest_received_at
        self._oldest.set(0.0 if oldest is None else max(0.0, self._clock() - oldest))
        self._paused.set(len(await self._queue.paused()))


class Checked(Protocol):
    """What tells whether mail can be taken."""

    async def check(self) -> None:
        """Raise QueueError when it cannot."""


class Refreshed(Protocol):
    """What is brought up to date before the metrics are shown."""

    async def refresh(self) -> None:
        """Read the figures. Raises QueueError when they cannot be had."""


class Web:
    """Serves the pages."""

    def __init__(
        self, address: HostPort, *, view: Checked, gauges: Refreshed, registry: CollectorRegistry, events: Events
    ) -> None:
        self._address = address
        self._view = view
        self._gauges = gauges
        self._registry = registry
        self._events = events
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The address really bound, as a URL."""
        if self._runner is None or not self._runner.addresses:
            return ""
        host, port = self._runner.addresses[0][:2]
        return f"http://{HostPort(host, port)}"

    async def start(self) -> None:
        """Listen. Raises ConfigError when the address cannot be had."""
        app = web.Application(middlewares=[self._answer_whatever_happens])
        app.add_routes(
            [
                web.get("/livez", self._live),
                web.get("/readyz", self._ready),
                web.get("/metrics", self._metrics),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._address.host, self._address.port).start()
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
            cure = "choose an address of this machine and a port that nobody else has"
            raise ConfigError(f"web.address: cannot listen on {self._address}: {reason}; {cure}") from error
        self._events.web_opened(self.url)

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _live(self, _request: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def _ready(self, _request: web.Request) -> web.Response:
        try:
            await self._view.check()
        except QueueError:
            return web.Response(status=503, text="the mail store does not answer\n")
        return web.Response(text="ready\n")

    async def _metrics(self, _request: web.Request) -> web.Response:
        try:
            await self._gauges.refresh()
        except QueueError as error:
            self._events.store_failed("stats", str(error))
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    @web.middleware
    async def _answer_whatever_happens(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException:
            raise
        except Exception as error:  # noqa: BLE001 - one request's trouble is answered, told, and over
            self._events.unexpected("web", error, path=request.path)
            return web.Response(status=500, text="something went wrong here\n")

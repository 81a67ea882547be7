"""/livez, /readyz and /metrics: is it alive, can it take mail, how is it doing. For machines, without a login."""

from typing import Protocol

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from relay.errors import QueueError
from relay.events import Events


class Checked(Protocol):
    """What tells whether mail can be taken."""

    async def check(self) -> None:
        """Raise QueueError when it cannot."""


class Refreshed(Protocol):
    """What is brought up to date before the metrics are shown."""

    async def refresh(self) -> None:
        """Read the figures. Raises QueueError when they cannot be had."""


class Health:
    """Answers the machines."""

    def __init__(self, view: Checked, gauges: Refreshed, registry: CollectorRegistry, events: Events) -> None:
        self._view = view
        self._gauges = gauges
        self._registry = registry
        self._events = events

    def routes(self) -> list[web.RouteDef]:
        """Say where."""
        return [
            web.get("/livez", self._live),
            web.get("/readyz", self._ready),
            web.get("/metrics", self._metrics),
        ]

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

"""Everything that is served by HTTP: what outlives a configuration, and the pages that follow from it."""

import asyncio
from collections.abc import Iterator

from aiohttp import web
from prometheus_client import CollectorRegistry

from relay.accounts.failures import Failures
from relay.accounts.passwords import Passwords
from relay.config import Settings
from relay.config.units import HostPort
from relay.events import Events
from relay.message import Clock
from relay.queue.control import QueueControl
from relay.seal import Sealer
from relay.web.api import Api
from relay.web.doorway import Doorway
from relay.web.entry import Entry
from relay.web.guard import Guard
from relay.web.health import Checked, Health, Refreshed
from relay.web.history import History
from relay.web.message import MessagePages
from relay.web.messages import Messages
from relay.web.overview import Overview
from relay.web.rendering import Renderer
from relay.web.server import Web
from relay.web.setup import Setup
from relay.web.static import static_routes
from relay.web.store import Store
from relay.web.visitor import Sessions


class Website:
    """The pages, from the start of the program to its end."""

    def __init__(
        self,
        address: HostPort,
        *,
        store: Store,
        desk: QueueControl,
        checked: Checked,
        gauges: Refreshed,
        registry: CollectorRegistry,
        sealer: Sealer,
        events: Events,
        clock: Clock,
    ) -> None:
        self._store = store
        self._desk = desk
        self._sealer = sealer
        self._events = events
        self._clock = clock
        self._health = Health(checked, gauges, registry, events)
        self._history = History(registry, gauges, clock)
        self._passwords = Passwords()
        self._web = Web(address, events)
        self._keeping: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where the pages are."""
        return self._web.url

    async def start(self, settings: Settings) -> None:
        """Listen. Raises ConfigError when the address cannot be had."""
        await self._web.start(self._routes(settings))
        self._keeping = asyncio.create_task(self._history.keep(), name="history")

    async def reload(self, settings: Settings) -> None:
        """Go on by another configuration; where that cannot be, by the one before."""
        try:
            await self._web.change(self._routes(settings))
        except OSError as error:  # no descriptor is left, say; mail comes first
            self._events.unexpected("web", error)

    async def stop(self) -> None:
        """Stop listening."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        await self._web.stop()
        self._passwords.close()

    def _routes(self, settings: Settings) -> Iterator[web.AbstractRouteDef]:
        yield from self._health.routes()
        if not settings.web.user and not settings.web.token:
            return
        failures = Failures(self._store, settings.logins, self._events, self._clock)
        entry = Entry(
            settings.web,
            settings.logins,
            failures=failures,
            passwords=self._passwords,
            mark=self._sealer.mark,
            events=self._events,
        )
        guard = Guard(
            settings.web, Sessions(settings.web, self._sealer.key_for("sessions of the pages"), self._clock), entry
        )
        yield from Api(
            settings, store=self._store, desk=self._desk, guard=guard, events=self._events, clock=self._clock
        ).routes()
        if not settings.web.user:
            return
        renderer = Renderer(settings.web.language, self._clock)
        yield from static_routes()
        yield from Doorway(guard, entry, renderer).routes()
        yield from Setup(settings, guard, renderer).routes()
        yield from Messages(settings, desk=self._desk, guard=guard, renderer=renderer, clock=self._clock).routes()
        yield from MessagePages(settings, desk=self._desk, guard=guard, renderer=renderer).routes()
        yield from Overview(
            settings,
            store=self._store,
            history=self._history,
            guard=guard,
            renderer=renderer,
            events=self._events,
            clock=self._clock,
        ).routes()

"""The first page: how it goes, what is wrong now, and every account at a glance."""

from typing import Any

from aiohttp import web

from relay.config import Settings
from relay.errors import QueueError
from relay.events import Events
from relay.message import Clock
from relay.queue.contract import Counts, State
from relay.web.accounts import account_states, provider_of
from relay.web.guard import Guard
from relay.web.history import History
from relay.web.rendering import Renderer
from relay.web.store import Store
from relay.web.trouble import troubles


class Overview:
    """Shows the state of everything."""

    def __init__(
        self,
        settings: Settings,
        *,
        store: Store,
        history: History,
        guard: Guard,
        renderer: Renderer,
        events: Events,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._store = store
        self._history = history
        self._guard = guard
        self._renderer = renderer
        self._events = events
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """Say where."""
        return [
            web.get("/", self._guard.page(self._show)),
            web.get("/overview/now", self._guard.page(self._now, renews=False)),
            web.get("/overview/curves", self._guard.page(self._curves, renews=False)),
            web.post("/accounts/{name}/resume", self._guard.page(self._resume, "act")),
        ]

    async def _show(self, request: web.Request) -> web.Response:
        return self._renderer.page(request, "overview.html", **await self._values())

    async def _now(self, request: web.Request) -> web.Response:
        """What changes, without what is around it: the page loads it anew every few seconds."""
        return self._renderer.page(request, "overview_now.html", **await self._values())

    async def _curves(self, _request: web.Request) -> web.Response:
        return web.json_response(self._history.curves())

    async def _resume(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if not await self._store.resume(name):
            raise web.HTTPNotFound(text="this account is not paused")
        self._events.account_resumed(name, provider=provider_of(self._settings, name))
        raise web.HTTPSeeOther("/")

    async def _values(self) -> dict[str, Any]:
        now = self._clock()
        try:
            counts: Counts | None = await self._store.stats()
            pauses = await self._store.paused()
            accounts = await account_states(self._settings, self._store, pauses, now)
        except QueueError as error:
            self._events.store_failed("overview", str(error))
            counts, pauses, accounts = None, (), []
        return {
            "counts": counts,
            "states": list(State),
            "accounts": accounts,
            "troubles": list(troubles(counts, pauses, now)),
            "oldest": now - counts.oldest_received_at if counts and counts.oldest_received_at is not None else None,
        }

"""The first page: how it goes, what is wrong now, and every account at a glance."""

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from relay.config import Settings
from relay.errors import QueueError
from relay.events import Events
from relay.message import Clock
from relay.queue.contract import Counts, Pause, State, Volume
from relay.web.guard import Guard
from relay.web.history import History
from relay.web.rendering import Renderer
from relay.web.store import Store
from relay.web.trouble import troubles

_DAY = 86400.0


@dataclass(frozen=True, slots=True)
class AccountLine:
    """An account as the page shows it."""

    name: str
    provider: str
    today: Volume
    per_day: int  # recipients that it may have a day; 0: no limit
    pause: Pause | None


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
        self._events.account_resumed(name, provider=self._provider(name))
        raise web.HTTPSeeOther("/")

    async def _values(self) -> dict[str, Any]:
        now = self._clock()
        try:
            counts: Counts | None = await self._store.stats()
            pauses = await self._store.paused()
            paused = {pause.account: pause for pause in pauses}
            accounts = [await self._line(name, paused.get(name), now) for name in sorted(self._settings.account)]
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

    async def _line(self, name: str, pause: Pause | None, now: float) -> AccountLine:
        account = self._settings.account[name]
        today = await self._store.volume(name, now - now % _DAY, now + 1)
        return AccountLine(name, account.provider, today, account.recipients_per_day, pause)

    def _provider(self, account: str) -> str:
        known = self._settings.account.get(account)
        return known.provider if known else "unknown"

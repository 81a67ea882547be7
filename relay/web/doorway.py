"""The login page, and the way out."""

from aiohttp import web

from relay.web.entry import Entry
from relay.web.forms import form_of
from relay.web.guard import Guard, refuse_foreign
from relay.web.rendering import Renderer

_TOO_MANY, _FORBIDDEN = 429, 403


class Doorway:
    """Lets people in and out."""

    def __init__(self, guard: Guard, entry: Entry, renderer: Renderer) -> None:
        self._guard = guard
        self._entry = entry
        self._renderer = renderer

    def routes(self) -> list[web.RouteDef]:
        """Say where."""
        return [
            web.get("/login", self._show),
            web.post("/login", self._enter),
            web.post("/logout", self._guard.page(self._leave)),
            web.post("/language", self._choose),
        ]

    async def _show(self, request: web.Request) -> web.Response:
        if self._guard.person(request) is not None:
            raise web.HTTPSeeOther(_inside(request.query.get("next", "")))
        return self._form(request, request.query.get("next", ""))

    async def _enter(self, request: web.Request) -> web.StreamResponse:
        refuse_foreign(request)
        form = await form_of(request)
        name, password = form.first("name"), form.first("password")
        after, client = form.first("next"), request.remote or ""
        if minutes := await self._entry.blocked_minutes(name, client):
            return self._form(request, after, name, minutes=minutes, status=_TOO_MANY)
        if not await self._entry.is_right(name, password, client):
            return self._form(request, after, name, is_wrong=True, status=_FORBIDDEN)
        response = web.HTTPSeeOther(_inside(after))
        self._guard.begin(response, name)
        return response

    async def _leave(self, _request: web.Request) -> web.StreamResponse:
        response = web.HTTPSeeOther("/login")
        self._guard.end(response)
        raise response  # an answer that is returned may carry the session on

    async def _choose(self, request: web.Request) -> web.StreamResponse:
        refuse_foreign(request)
        form = await form_of(request)
        response = web.HTTPSeeOther(_inside(form.first("next")))
        self._renderer.choose(response, form.first("language"))
        return response

    def _form(
        self,
        request: web.Request,
        after: str,
        name: str = "",
        *,
        is_wrong: bool = False,
        minutes: int = 0,
        status: int = 200,
    ) -> web.Response:
        return self._renderer.page(
            request, "login.html", status=status, after=after, name=name, is_wrong=is_wrong, minutes=minutes
        )


def _inside(path: str) -> str:
    """Return a path of ours, and never another site's address."""
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_ours else "/"

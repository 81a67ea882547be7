"""The messages: found by what one knows of them, and acted upon together."""

from collections.abc import Iterable
from urllib.parse import urlencode

from aiohttp import web

from relay.config import Settings
from relay.errors import BadCursor
from relay.message import Clock, MessageId
from relay.queue.contract import State, Verb
from relay.queue.control import Done, QueueControl, act_throughout
from relay.web.asking import Asked, MisaskedError, asked, every_state_of, message_ids
from relay.web.forms import Form, form_of
from relay.web.guard import VISITOR, Guard
from relay.web.rendering import Renderer

_PAGE = 50
_FILTERS = ("state", "account", "sender", "recipient", "reason", "ids", "within")
_UNPROCESSABLE = 422


class Messages:
    """Lists messages and acts on those that are chosen."""

    def __init__(
        self, settings: Settings, *, desk: QueueControl, guard: Guard, renderer: Renderer, clock: Clock
    ) -> None:
        self._settings = settings
        self._desk = desk
        self._guard = guard
        self._renderer = renderer
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """Say where."""
        return [
            web.get("/messages", self._guard.page(self._list)),
            web.post("/messages/confirm", self._guard.page(self._confirm, "act")),
            web.post("/messages/act", self._guard.page(self._act, "act")),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        try:
            return await self._found(request, asked(request.query, self._clock()))
        except (MisaskedError, BadCursor) as error:
            return self._listed(request, None, error=str(error), status=_UNPROCESSABLE)

    async def _found(self, request: web.Request, wanted: Asked) -> web.Response:
        oldest_first = request.query.get("order") == "oldest"
        after = request.query.get("after", "")
        page = await self._desk.find(wanted.selection, limit=_PAGE, after=after, newest_first=not oldest_first)
        kept = {name: request.query[name] for name in (*_FILTERS, "order") if request.query.get(name)}
        more = f"/messages?{urlencode({**kept, 'after': page.after})}" if page.after else ""
        return self._listed(request, wanted, messages=page.messages, more=more, first=not after)

    def _listed(
        self, request: web.Request, wanted: Asked | None, *, status: int = 200, **values: object
    ) -> web.Response:
        return self._renderer.page(
            request,
            "messages.html",
            status=status,
            typed={name: request.query.get(name, "") for name in (*_FILTERS, "order")},
            state=wanted.state if wanted else "open",
            states=list(State),
            accounts=sorted(self._settings.account),
            **{"messages": (), "more": "", "first": True, "error": "", **values},
        )

    async def _confirm(self, request: web.Request) -> web.Response:
        form = await form_of(request)
        verb, ids = _verb(form), _chosen(form.every("id"))
        weighed = await self._desk.weigh(verb, every_state_of(ids)) if ids else Done()
        return self._renderer.page(request, "messages_confirm.html", verb=verb, ids=ids, done=weighed, back=_back(form))

    async def _act(self, request: web.Request) -> web.StreamResponse:
        form = await form_of(request)
        verb, ids, who = _verb(form), _chosen(form.every("id")), f"web/{request[VISITOR].name}"
        done = await act_throughout(self._desk, verb, every_state_of(ids), who=who) if ids else Done()
        return self._renderer.page(request, "messages_done.html", verb=verb, done=done, back=_back(form))


def _verb(form: Form) -> Verb:
    try:
        return Verb(form.first("verb"))
    except ValueError:
        raise web.HTTPUnprocessableEntity(text=f"verb: one of {', '.join(Verb)}") from None


def _chosen(ids: Iterable[str]) -> tuple[MessageId, ...]:
    try:
        return message_ids(" ".join(ids))
    except MisaskedError as error:
        raise web.HTTPUnprocessableEntity(text=str(error)) from None


def _back(form: Form) -> str:
    place = form.first("back")
    return place if place.startswith("/messages") and place.isprintable() else "/messages"

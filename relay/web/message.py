"""One message: what became of it as a story, who got it how, and what it looks like."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from aiohttp import web

from relay.config import Settings
from relay.errors import MailRefused
from relay.message import MessageId
from relay.mime import inline_as_data, read
from relay.queue.contract import Act
from relay.queue.control import Detail, QueueControl, Tried
from relay.web.guard import Guard
from relay.web.inert import inert
from relay.web.rendering import Renderer

#: The mail is shown in a frame that may do nothing: no script, no form, nothing from elsewhere, no way out.
_INERT = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'"
_LARGEST_SHOWN = 4 * 1024 * 1024  # bytes of a mail that is rendered; larger ones can be downloaded
#: To clean HTML takes time that grows with the square of what is left open in it: a second for so many.
_MOST_TAGS = 4000


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the story. The page has the words for each `kind`."""

    at: float
    kind: Literal["received", "tried", "acted", "finished"]
    tried: Tried | None = None
    act: Act | None = None


class MessagePages:
    """Shows one message."""

    def __init__(self, settings: Settings, *, desk: QueueControl, guard: Guard, renderer: Renderer) -> None:
        self._settings = settings
        self._desk = desk
        self._guard = guard
        self._renderer = renderer

    def routes(self) -> list[web.RouteDef]:
        """Say where."""
        return [
            web.get("/messages/{id:[0-9A-Za-z]{26}}", self._guard.page(self._show)),
            web.get("/messages/{id:[0-9A-Za-z]{26}}/seen", self._guard.page(self._seen)),
            web.get("/messages/{id:[0-9A-Za-z]{26}}/source", self._guard.page(self._source)),
        ]

    async def _show(self, request: web.Request) -> web.Response:
        detail = await self._desk.detail(_id(request))
        if detail is None:
            return self._renderer.page(request, "message_gone.html", status=404, id=_id(request))
        return self._renderer.page(request, "message.html", detail=detail, kept=detail.kept, story=list(story(detail)))

    async def _seen(self, request: web.Request) -> web.Response:
        data = await self._body(request)
        headers = {"Content-Security-Policy": _INERT, "X-Frame-Options": "SAMEORIGIN", "X-DNS-Prefetch-Control": "off"}
        try:
            html = await asyncio.to_thread(self._shown, data)
        except MailRefused as refusal:
            return web.Response(text=f"This mail cannot be shown: {refusal.reply.text}", headers=headers)
        if html is None:
            return web.Response(text="This mail is too large to be shown; download it.", headers=headers)
        return web.Response(text=html, content_type="text/html", charset="utf-8", headers=headers)

    def _shown(self, data: bytes) -> str | None:
        if len(data) > _LARGEST_SHOWN:
            return None
        content = read(data, self._settings.mime)
        if content.html.count("<") > _MOST_TAGS:
            return None
        return inert(inline_as_data(content.html, content.inline_images))

    async def _source(self, request: web.Request) -> web.Response:
        data = await self._body(request)
        headers = {"Content-Disposition": f'attachment; filename="{_id(request)}.eml"'}
        return web.Response(body=data, content_type="message/rfc822", headers=headers)

    async def _body(self, request: web.Request) -> bytes:
        data = await self._desk.body(_id(request))
        if data is None:
            raise web.HTTPNotFound(text="the content is no longer kept")
        return data


def _id(request: web.Request) -> MessageId:
    return MessageId(request.match_info["id"].upper())


def story(detail: Detail) -> Iterator[Moment]:
    """Tell what happened, oldest first."""
    moments = [Moment(detail.kept.received_at, "received")]
    moments += [Moment(tried.ended_at, "tried", tried=tried) for tried in detail.tried]
    moments += [Moment(act.at, "acted", act=act) for act in detail.acts]
    if detail.kept.finished_at is not None:
        moments.append(Moment(detail.kept.finished_at, "finished"))
    yield from sorted(moments, key=lambda moment: (moment.at, _ORDER[moment.kind]))


_ORDER = {"received": 0, "tried": 1, "acted": 2, "finished": 3}

"""The doors under /sandbox/: look at mails and calls, ask for faults, choose answers."""

from dataclasses import asdict
from typing import Any

import orjson
from aiohttp import web

from relay.sandbox.document import is_address, mailbox_key
from relay.sandbox.faults import BadFaultError, fault_view
from relay.sandbox.journal import call_view
from relay.sandbox.mail import Fate, Mail, Shown
from relay.sandbox.openapi import description
from relay.sandbox.world import UnknownShapeError, World

#: For mail content that is served by itself: nothing in it may run, load or be framed elsewhere.
CONTENT_POLICY = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def routes(world: World) -> list[web.RouteDef]:
    """All control doors."""
    control = Control(world)
    return [
        web.get("/livez", control.live),
        web.get("/sandbox/mailboxes", control.mailboxes),
        web.get(r"/sandbox/mails/{id:\d{1,18}}", control.mail),
        web.get(r"/sandbox/mails/{id:\d{1,18}}/html", control.mail_html),
        web.delete("/sandbox/mail", control.forget),
        web.get("/sandbox/calls", control.calls),
        web.get("/sandbox/stats", control.stats),
        web.get("/sandbox/openapi.json", control.openapi),
        web.get("/sandbox/reports", control.reports),
        web.get("/sandbox/faults", control.faults),
        web.post("/sandbox/faults", control.add_fault),
        web.delete("/sandbox/faults", control.clear_faults),
        web.get("/sandbox/answers", control.answers),
        web.post("/sandbox/answers", control.choose_answer),
        web.post("/sandbox/contacts", control.mark_contact),
    ]


class Control:
    """One method for each door."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def live(self, _request: web.Request) -> web.Response:
        """The sandbox runs."""
        return web.Response(text="ok\n")

    async def mailboxes(self, request: web.Request) -> web.Response:
        """What each mailbox sees, or only the one of `?address=`."""
        address = request.query.get("address", "")
        mails = self._world.mailbox(address) if address else self._world.mails
        boxes: dict[str, list[dict[str, object]]] = {}
        for mail in mails:
            if mail.fate is Fate.DELIVERED:
                boxes.setdefault(mailbox_key(mail.mailbox), []).append(mail_view(mail, with_html=False))
        return _json([{"mailbox": box, "mails": listed} for box, listed in boxes.items()])

    async def mail(self, request: web.Request) -> web.Response:
        """One mail, with its HTML."""
        return _json(mail_view(self._mail(request), with_html=True))

    async def mail_html(self, request: web.Request) -> web.Response:
        """The HTML of one mail, inert."""
        html = self._mail(request).html
        if html is None:
            raise web.HTTPGone(text="its content is no longer kept\n")
        headers = {"Content-Security-Policy": CONTENT_POLICY, "X-Content-Type-Options": "nosniff"}
        return web.Response(text=html, content_type="text/html", headers=headers)

    async def forget(self, _request: web.Request) -> web.Response:
        """Empty every mailbox and the journal."""
        self._world.forget()
        return web.Response(status=204)

    async def calls(self, _request: web.Request) -> web.Response:
        """Every call, in order."""
        return _json([call_view(call) for call in self._world.calls])

    async def stats(self, _request: web.Request) -> web.Response:
        """Exact counts."""
        return _json(self._world.stats())

    async def openapi(self, _request: web.Request) -> web.Response:
        """The description of both APIs."""
        return _json(description(self._world))

    async def reports(self, _request: web.Request) -> web.Response:
        """Delivery reports that were posted."""
        return _json([asdict(report) for report in self._world.reports])

    async def faults(self, _request: web.Request) -> web.Response:
        """Faults that wait."""
        return _json([fault_view(fault) for fault in self._world.faults.all()])

    async def add_fault(self, request: web.Request) -> web.Response:
        """Ask for a fault."""
        try:
            fault = self._world.faults.ask(await _asked(request))
        except BadFaultError as error:
            raise web.HTTPBadRequest(text=f"{error}\n") from None
        return _json(fault_view(fault), status=201)

    async def clear_faults(self, _request: web.Request) -> web.Response:
        """No more faults."""
        self._world.faults.clear()
        return web.Response(status=204)

    async def answers(self, _request: web.Request) -> web.Response:
        """The shapes in use."""
        return _json(self._world.shapes)

    async def choose_answer(self, request: web.Request) -> web.Response:
        """Choose the shape of an API's answers."""
        asked = await _asked(request)
        try:
            self._world.choose_shape(str(asked.get("api", "")), str(asked.get("shape", "")))
        except UnknownShapeError as error:
            raise web.HTTPBadRequest(text=f"{error}\n") from None
        return _json(self._world.shapes)

    async def mark_contact(self, request: web.Request) -> web.Response:
        """Make a DMDS contact invalid, or valid again."""
        asked = await _asked(request)
        email, invalid = asked.get("email"), asked.get("invalid")
        if not isinstance(email, str) or not is_address(email):
            raise web.HTTPBadRequest(text="email: must be an address\n")
        if not isinstance(invalid, bool):
            raise web.HTTPBadRequest(text="invalid: must be true or false\n")
        contact = self._world.book.mark(email, invalid=invalid)
        return _json({"email": contact.email, "invalid": contact.invalid})

    def _mail(self, request: web.Request) -> Mail:
        mail = self._world.mail(int(request.match_info["id"]))
        if mail is None:
            raise web.HTTPNotFound(text="no such mail\n")
        return mail


def mail_view(mail: Mail, *, with_html: bool) -> dict[str, object]:
    """A mail as JSON shows it."""
    view: dict[str, object] = {
        "id": mail.id,
        "mailbox": mail.mailbox,
        "from": mail.sender,
        "from_name": mail.from_name,
        "reply_to": mail.reply_to,
        "to": [_shown(shown) for shown in mail.to],
        "cc": [_shown(shown) for shown in mail.cc],
        "subject": mail.subject,
        "attachments": [asdict(attachment) for attachment in mail.attachments],
    }
    plain = ("list_unsubscribe", "list_help", "scheduled", "template", "api", "batch_id", "message_id", "reference")
    view |= {name: getattr(mail, name) for name in (*plain, "recipient_reference", "fate", "call", "time")}
    return {**view, "html": mail.html} if with_html else view


def _shown(shown: Shown) -> dict[str, str]:
    return {"email": shown.email, "name": shown.name}


async def _asked(request: web.Request) -> dict[str, Any]:
    try:
        asked = orjson.loads(await request.read())
    except orjson.JSONDecodeError as error:
        raise web.HTTPBadRequest(text=f"not JSON: {error.msg}\n") from None
    if not isinstance(asked, dict):
        raise web.HTTPBadRequest(text="not a JSON object\n")
    return asked


def _json(value: object, *, status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(value), content_type="application/json")

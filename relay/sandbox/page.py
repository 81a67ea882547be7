"""The page for people at `/`: what each mailbox sees, and what was called. Mail content is shown inert."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from relay.sandbox.journal import Call
from relay.sandbox.mail import Mail
from relay.sandbox.world import World

_SHOWN = 50  # newest mails, and newest calls, on the page
_MAILBOXES = 200  # mailboxes in the list
_LARGE = 256 * 1024  # characters; larger HTML is not put into the page
_FASTEST, _SLOWEST = 2, 3600  # seconds between refreshes

#: No scripts and nothing from elsewhere; the frames of the mails inherit it.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
#: The same within each mail, so that it stays inert wherever its source is copied to.
_INERT = """<!doctype html><meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
img-src data:; style-src 'unsafe-inline'"><base target="_blank">"""


@dataclass(frozen=True, slots=True)
class _Row:
    """A mail with what the page needs beside it."""

    mail: Mail
    at: str
    document: str | None  # for the frame; None: not kept, or too large
    remarks: tuple[str, ...]


class Page:
    """Renders the world."""

    def __init__(self, world: World) -> None:
        self._world = world
        environment = Environment(
            loader=PackageLoader("relay.sandbox"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._template = environment.get_template("page.html")

    async def show(self, request: web.Request) -> web.Response:
        """The page; `?mailbox=` shows one mailbox, `?refresh=5` loads it anew every five seconds."""
        mailbox = request.query.get("mailbox", "")
        mails = self._world.of(mailbox) if mailbox else self._world.mails
        calls = {call.id: call for call in self._world.calls}
        text = self._template.render(
            mailbox=mailbox,
            refresh=_refresh(request.query.get("refresh", "")),
            stats=self._world.stats(),
            mailboxes=Counter(self._world.boxes()).most_common(_MAILBOXES),
            rows=[_row(mail, calls.get(mail.call)) for mail in mails[: -_SHOWN - 1 : -1]],
            hidden=max(len(mails) - _SHOWN, 0),
            calls=[(call, _clock_text(call.time)) for call in self._world.calls[: -_SHOWN - 1 : -1]],
            faults=self._world.faults.all(),
            campaigns=self._world.campaigns.everybodys(),
            contacts=self._world.book.contacts()[: -_SHOWN - 1 : -1],
            events=self._world.book.newest_events(_SHOWN),
        )
        headers = {"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
        return web.Response(text=text, content_type="text/html", headers=headers)


def _refresh(text: str) -> int:
    """Seconds; 0: never."""
    seconds = int(text) if text.isascii() and text.isdigit() and len(text) < len(str(_SLOWEST)) + 1 else 0
    return min(max(seconds, _FASTEST), _SLOWEST) if seconds else 0


def _row(mail: Mail, call: Call | None) -> _Row:
    kept = mail.html is not None and len(mail.html) <= _LARGE
    return _Row(
        mail=mail,
        at=_clock_text(mail.time),
        document=f"{_INERT}{mail.html}" if kept else None,
        remarks=call.remarks if call else (),
    )


def _clock_text(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S} UTC"

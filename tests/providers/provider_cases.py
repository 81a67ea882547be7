"""Made-up mail and a scripted API for the tests of this room."""

import asyncio
import base64
from collections.abc import Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace

from aiohttp import web
from pydantic import SecretStr

from relay.config import AccountPolicy
from relay.message import Mailbox, MessageId, Recipient, Role
from relay.mime.content import Attachment, Content, InlineImage
from relay.powers import Powers
from relay.providers.contract import Brief, Credentials, DmdsCredentials, MensatekCredentials

MENSATEK = MensatekCredentials("demo-user", SecretStr("demo-token"))
DMDS = DmdsCredentials("acme", 14, SecretStr("0123456789abcdef-key"))


@dataclass(frozen=True)
class Bytes:
    """An EncodedBody around plain bytes."""

    data: bytes

    def decoded(self) -> bytes:
        return self.data

    def base64(self) -> tuple[bytes, ...]:
        return (base64.b64encode(self.data),)


def attachment(name: str, data: bytes = b"%PDF-", media_type: str = "application/pdf") -> Attachment:
    return Attachment(name, media_type, Bytes(data))


def image(content_id: str, name: str = "logo.png", data: bytes = b"\x89PNG") -> InlineImage:
    return InlineImage(content_id, name, "image/png", Bytes(data))


def content(**changes) -> Content:
    """A plain mail from Ana to nobody in particular."""
    plain = Content(
        sender=Mailbox("ana@example.org", "Ana Ruiz"),
        reply_to=None,
        to=(),
        cc=(),
        subject="Hola",
        html="<p>Hola</p>",
        inline_images=(),
        attachments=(),
        message_id="<1@example.org>",
        list_unsubscribe="",
        list_help="",
        powers=(),
        received_count=0,
        auto_submitted=False,
    )
    return replace(plain, **changes)


def people(to: int = 0, cc: int = 0, bcc: int = 0) -> tuple[Recipient, ...]:
    """Recipients named by role and number."""
    return tuple(
        Recipient(f"{role.value}{number}@example.com", role, f"{role.value.title()} {number}")
        for role, count in ((Role.TO, to), (Role.CC, cc), (Role.BCC, bcc))
        for number in range(1, count + 1)
    )


def brief(
    who: Sequence[Recipient],
    credentials: Credentials,
    *,
    powers: Powers | None = None,
    batch_id: str = "",
    mail_from: str = "bounce@example.org",
    **policy,
) -> Brief:
    return Brief(
        message_id=MessageId("01JCK0000000000000000000AA"),
        recipients=tuple(who),
        powers=powers or Powers(),
        policy=AccountPolicy(**policy),
        credentials=credentials,
        batch_id=batch_id,
        mail_from=mail_from,
    )


@dataclass
class Heard:
    """One request as the scripted API got it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class ScriptedApi:
    """Answers with what it was told to, in order, and keeps what it heard."""

    url: str = ""
    script: list[tuple[int, str | bytes, dict[str, str]]] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)

    def will_answer(self, body: str | bytes = "", status: int = 200, **headers: str) -> None:
        self.script.append((status, body, {key.replace("_", "-"): value for key, value in headers.items()}))

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.heard.append(Heard(request.method, request.path, dict(request.headers), body))
        status, said, headers = self.script.pop(0)
        said = said.encode() if isinstance(said, str) else said
        return web.Response(status=status, body=said, headers=headers)


@asynccontextmanager
async def serving(handler: Callable[[asyncio.StreamReader, asyncio.StreamWriter], object], **options):
    """Listen on a port of the system's choice with a handler for raw connections; gives the URL."""
    tasks: set[asyncio.Task] = set()

    async def kept(reader, writer):
        tasks.add(asyncio.current_task())
        with suppress(asyncio.CancelledError, ConnectionError, asyncio.IncompleteReadError):
            await handler(reader, writer)
        writer.close()

    server = await asyncio.start_server(kept, "127.0.0.1", 0, **options)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"{'https' if 'ssl' in options else 'http'}://127.0.0.1:{port}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()

"""Who stands at the door in tests: a gatekeeper and a reception with a script, and a caller who speaks raw SMTP."""

import asyncio
import contextlib
import io
import json
import socket
import ssl
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from discretion import CANARY
from pydantic import SecretStr

from relay.accounts.account import Account
from relay.config import AccountPolicy, ListenerSettings, Settings
from relay.config.settings import Mode
from relay.config.units import HostPort
from relay.events import Events
from relay.log import logger
from relay.message import Envelope
from relay.mime.content import Note
from relay.outcome import Replies, Reply
from relay.providers.contract import DmdsCredentials
from relay.smtp import Door

PATIENCE_SECONDS = 10.0  # how long a test waits for what must come


def account(name: str, mode: Mode = "queue") -> Account:
    return Account(name, "dmds", DmdsCredentials("test", 1, SecretStr(CANARY)), AccountPolicy(mode=mode))


class ScriptedGatekeeper:
    """Knows the logins it is told, and what to say of senders and clients."""

    def __init__(self) -> None:
        self.passwords: dict[str, str] = {"user": "pass"}
        self.remembers: dict[tuple[str, str], Account] = {}
        self.says: dict[str, Reply | BaseException] = {}  # by login or by sender
        self.accounts: dict[str, Account] = {}  # by login, where it is not an ordinary one
        self.trusts: Account | None = None
        self.blocks: Reply | None = None
        self.asked: list[tuple[str, str, str]] = []
        self.has_been_asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    def remembered(self, login: str, password: str, client: str) -> Account | None:
        return self.remembers.get((login, password))

    async def authenticate(self, login: str, password: str, client: str) -> Account | Reply:
        self.asked.append((login, password, client))
        self.has_been_asked.set()
        await self.may_answer.wait()
        if login in self.says:
            return self._say(login)
        if self.passwords.get(login) != password:
            return Replies.AUTH_FAILED
        return self.accounts.get(login) or account(login)

    def mark(self, login: str) -> str:
        return self.passwords.get(login, "")

    def renewed(self, account: Account, login: str, mark: str) -> Account | None:
        return account if mark and self.mark(login) == mark else None

    def trusted(self, listener: str, client: str) -> Account | None:
        return self.trusts

    def blocked(self, client: str) -> Reply | None:
        return self.blocks

    def refuse_sender(self, account: Account, address: str) -> Reply | None:
        return self._say(address) if address in self.says else None

    def refuse_volume(self, account: Account, recipients: int) -> Reply | None:
        raise AssertionError("the reception asks this, not the door")

    async def resolve(self, name: str) -> Account | None:
        raise AssertionError("nobody asks this at the door")

    def _say(self, key: str) -> Reply:
        said = self.says[key]
        if isinstance(said, BaseException):
            raise said
        return said


@dataclass(frozen=True, slots=True)
class Received:
    account: str
    envelope: Envelope
    data: bytes
    client: str

    @property
    def recipients(self) -> list[str]:
        return [recipient.address for recipient in self.envelope.recipients]


class ScriptedReception:
    """Keeps what it gets and answers as told; by default at once and with 250."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.done = 0
        self.says: list[Reply | BaseException] = []
        self.room_bytes = 1 << 40
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.has_begun = asyncio.Event()
        self.has_ended = asyncio.Event()

    def refuse_size(self, account, size):
        return Replies.STORE_FULL if max(size, 1) > self.room_bytes else None

    async def receive(
        self,
        account: Account,
        envelope: Envelope,
        data: bytes,
        client: str,
        is_waiting: Callable[[], bool],
        notes: tuple[Note, ...] = (),
    ) -> Reply:
        self.is_waiting, self.notes = is_waiting, notes
        self.received.append(Received(account.name, envelope, data, client))
        self.has_begun.set()
        await self.may_answer.wait()
        await asyncio.sleep(0)
        self.done += 1
        self.has_ended.set()
        said = self.says.pop(0) if self.says else Replies.OK.saying(f"Ok: message {self.done}")
        if isinstance(said, BaseException):
            raise said
        return said


@dataclass
class Doorstep:
    """A listening door with everybody who stands behind it."""

    door: Door
    gatekeeper: ScriptedGatekeeper
    reception: ScriptedReception
    log: io.StringIO
    callers: list["Caller"] = field(default_factory=list)

    async def call(self, tls: ssl.SSLContext | None = None, listener: str = "test") -> "Caller":
        """Connect; with `tls`, from the first byte on."""
        address = self.door.addresses[listener]
        reader, writer = await asyncio.open_connection(
            address.host, address.port, ssl=tls, server_hostname="localhost" if tls else None
        )
        caller = Caller(reader, writer)
        self.callers.append(caller)
        return caller

    async def greeted(self, tls: ssl.SSLContext | None = None) -> "Caller":
        """Connect, and say EHLO."""
        caller = await self.call(tls)
        assert (await caller.reply()).startswith("220 ")
        await caller.say("EHLO caller")
        return caller

    async def ready(self, mode: Mode = "queue") -> "Caller":
        """Connect as a trusted client and get to where DATA was said."""
        self.gatekeeper.trusts = account("trusted", mode)
        caller = await self.greeted()
        for line in ("MAIL FROM:<a@example.org>", "RCPT TO:<b@example.org>"):
            assert (await caller.say(line)).startswith("250 ")
        assert (await caller.say("DATA")).startswith("354 ")
        return caller

    def events(self, name: str = "") -> list[dict[str, Any]]:
        """What was logged, or only events of one name."""
        lines = [json.loads(line) for line in self.log.getvalue().splitlines()]
        return [line for line in lines if not name or line["event"] == name]

    async def close(self) -> None:
        self.reception.may_answer.set()
        self.gatekeeper.may_answer.set()
        for caller in self.callers:
            caller.hang_up()
        await self.door.stop(PATIENCE_SECONDS)


class Caller:
    """A client that says what it is told, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> Self:
        self.writer.write(data)
        await self.writer.drain()
        return self

    async def reply(self) -> str:
        """Read one whole reply, lines joined by newlines; empty: the door hung up."""
        lines: list[str] = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not lines or lines[-1][3:4] == "-":
                line = await self.reader.readline()
                if not line:
                    return ""
                assert line.endswith(b"\r\n")
                lines.append(line[:-2].decode("ascii"))
        return "\n".join(lines)

    async def say(self, line: str) -> str:
        await self.send(line.encode() + b"\r\n")
        return await self.reply()

    async def rest(self) -> str:
        """Read until the door hangs up."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return (await self.reader.read()).decode("ascii")

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Shake hands after STARTTLS was granted."""
        await self.writer.start_tls(context, server_hostname="localhost")

    async def close_half_of_tls(
        self, context: ssl.SSLContext, data: bytes, *, says_so: bool = True, with_fin: bool = False
    ) -> str:
        """Shake hands, send, close our half, and read until the door hangs up.

        Our half of TLS ends with a close_notify where it `says_so`, that of TCP where it ends `with_fin`.

        With a session of our own: asyncio's transports close both halves at once.
        """
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = context.wrap_bio(incoming, outgoing, server_hostname="localhost")

        async def until_done(step: Callable[[], object]) -> None:
            while True:
                with contextlib.suppress(ssl.SSLWantReadError):
                    step()
                    return
                await self.send(outgoing.read())
                incoming.write(await self.reader.read(65536))

        async with asyncio.timeout(PATIENCE_SECONDS):
            await until_done(session.do_handshake)
            session.write(data)
            with contextlib.suppress(ssl.SSLWantReadError):  # our close_notify is written; theirs is not there
                if says_so:
                    session.unwrap()
            self.writer.write(outgoing.read())
            if with_fin:
                self.writer.write_eof()
            incoming.write(await self.reader.read())
        said = b""
        with contextlib.suppress(ssl.SSLZeroReturnError, ssl.SSLWantReadError):
            while more := session.read(65536):
                said += more
        return said.decode("ascii")

    def hang_up(self) -> None:
        """Vanish, with a reset: a mere close looks like a half-close to the door."""
        sock = self.writer.get_extra_info("socket")
        if sock is not None and sock.fileno() >= 0:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


async def open_door(rules: dict[str, Any] | None = None, **others: Any) -> Doorstep:
    """Open a door with one listener on a free port of the loopback."""
    log = io.StringIO()
    gatekeeper, reception = ScriptedGatekeeper(), ScriptedReception()
    listener = ListenerSettings(**{"address": HostPort("127.0.0.1", 0), **(rules or {})})
    settings = Settings(hostname="relay.test", listener={"test": listener}, **others)
    door = Door(settings, gatekeeper, reception, Events(logger("json", "debug", log)))
    await door.start()
    return Doorstep(door, gatekeeper, reception, log)

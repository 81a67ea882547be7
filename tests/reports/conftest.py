"""The reporter as the program wires it, on a store of its own; nothing else of the shift runs."""

import io
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from relay.accounts.remembered import Remembered
from relay.config import load
from relay.events import Events
from relay.log import logger
from relay.message import Envelope, EnvelopeRecipient, Message, Recipient, Role, new_message_id
from relay.queue.contract import NewMessage, RecipientEntry, State
from relay.queue.sqlite import SqliteQueue
from relay.reports import Reporter
from relay.seal import Sealer, load_or_make_key
from relay.shift import Ground, Shift

NOON = 1_800_000_000.0
_CONFIG = """
hostname = "gw.example.org"
[listener.local]
address = "127.0.0.1:0"
[store]
path = "relay.db"
min_free_bytes = 0
[retry]
first = "30s"
jitter = 0
[account.acme]
provider = "mensatek"
user = "u"
token = "t"
"""


class SetClock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


_DATA = b"Subject: x\r\n\r\nhello\r\n"


@dataclass
class Office:
    """A reporter and what it works with."""

    queue: SqliteQueue
    reporter: Reporter
    clock: SetClock
    folder: object
    log: io.StringIO

    async def fail(
        self, *addresses: str, sender: str = "app@example.com", data: bytes = b"Subject: x\r\n\r\nhello\r\n"
    ):
        """Keep a message whose recipients have all been refused."""
        addresses = addresses or ("ana@example.org",)
        envelope = Envelope(sender, tuple(map(EnvelopeRecipient, addresses)))
        message = Message(new_message_id(), "acme", envelope, data, self.clock())
        entries = tuple(
            RecipientEntry(position, Recipient(address, Role.TO), State.REFUSED, 1, reason="no such user")
            for position, address in enumerate(addresses)
        )
        await self.queue.put(NewMessage(message, entries, "direct", self.clock(), self.clock() + 86400))
        return message

    async def round(self) -> None:
        """Make what is owed and send what is due, to the end."""
        await self.reporter.make()
        await self.reporter.begin_sending()
        while self.reporter._under_way:
            for task in list(self.reporter._under_way):
                await task

    def reports(self) -> list[bytes]:
        """What lies in the directory."""
        new = self.folder / "relay.db.reports" / "new"
        return [file.read_bytes() for file in sorted(new.iterdir())] if new.exists() else []

    def events(self, name: str) -> list[dict]:
        lines = map(json.loads, self.log.getvalue().splitlines())
        return [line for line in lines if line["event"] == name]


@pytest.fixture
def open_office(tmp_path):
    """Open the office by more configuration; again: its next life."""

    @asynccontextmanager
    async def opened(more: str = "", clock: SetClock | None = None):
        clock, log = clock or SetClock(), io.StringIO()
        path = tmp_path / "relay.toml"
        path.write_text(_CONFIG + more)
        settings = load(path, {})
        events = Events(logger("json", "info", log))
        queue = await SqliteQueue.open(settings.store, clock=clock)
        sealer = Sealer(load_or_make_key(settings.store))
        ground = Ground("local/0", queue, sealer, events, clock, Remembered(clock), keeps_house=False)
        shift = await Shift.call(settings, ground)
        await queue.recover("local/0")
        try:
            yield Office(queue, shift._reporter, clock, tmp_path, log)
        finally:
            await shift.stop(1)
            await queue.close()

    return opened

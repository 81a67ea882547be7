"""The operator's desk on SQLite: beside a running gateway, from another process, and without one.

It takes no lock of the store: it waits for its turn with each act, like every writer, and reads what is committed.
"""

import asyncio
from contextlib import closing
from pathlib import Path
from typing import Self

from relay.config.settings import StoreSettings
from relay.errors import QueueError
from relay.message import Clock, MessageId
from relay.queue.contract import Counts, Verb
from relay.queue.control import Backlog, Detail, Done, Page, Selection
from relay.queue.migration import scripts
from relay.queue.sqlite import acting, looking, view
from relay.queue.sqlite.bodies import BodyDamaged, BodyFile, BodyFiles
from relay.queue.sqlite.connection import connect, store_errors
from relay.queue.sqlite.migration import check_schema
from relay.queue.sqlite.reader import Reader
from relay.queue.sqlite.turn import Turn
from relay.queue.sqlite.writer import Writer


class SqliteDesk:
    """QueueControl on one SQLite file. Made by `open`, ended by `close`."""

    def __init__(self, path: Path, clock: Clock, turn: Turn) -> None:
        self._path = path
        self._clock = clock
        self._files = BodyFiles(path)
        self._writer = Writer(path, turn)
        self._reader = Reader(path)

    @classmethod
    async def open(cls, settings: StoreSettings, *, clock: Clock) -> Self:
        """Open a store that is there; nothing is made or brought up to date.

        Raises:
            QueueError: it cannot be used; the text names the file and the cure.
        """
        return cls(settings.path, clock, await asyncio.to_thread(_look_in, settings.path))

    async def stats(self) -> Counts:
        """See `QueueControl.stats`."""
        return await self._reader.ask(view.stats)

    async def backlogs(self) -> list[Backlog]:
        """See `QueueControl.backlogs`."""
        return await self._reader.ask(looking.backlogs)

    async def find(self, selection: Selection, *, limit: int, after: str = "", newest_first: bool = False) -> Page:
        """See `QueueControl.find`."""
        return await self._reader.ask(
            lambda connection: looking.find(connection, selection, limit=limit, after=after, newest_first=newest_first)
        )

    async def detail(self, message_id: MessageId) -> Detail | None:
        """See `QueueControl.detail`."""
        return await self._reader.ask(lambda connection: looking.detail(connection, message_id))

    async def body(self, message_id: MessageId) -> bytes | None:
        """See `QueueControl.body`."""
        found = await self._reader.ask(lambda connection: looking.body(connection, message_id))
        if found is None or found.file is None:
            return found.data if found else None
        try:
            return await asyncio.to_thread(self._read, found.file)
        except BodyDamaged as damage:
            if await self._reader.ask(lambda connection: looking.body(connection, message_id)) is None:
                return None  # the gateway let go of it in this moment
            raise QueueError(f"store {self._path}: {damage}") from damage

    async def weigh(self, verb: Verb, selection: Selection) -> Done:
        """See `QueueControl.weigh`."""
        return await self._reader.ask(lambda connection: acting.weigh(connection, verb, selection))

    async def act(self, verb: Verb, selection: Selection, *, who: str, limit: int, after: str = "") -> Done:
        """See `QueueControl.act`."""
        now = self._clock()
        acted = await self._writer.submit(
            lambda connection: acting.act(connection, verb, selection, who, limit, after, now)
        )
        await asyncio.to_thread(self._files.remove, acted.files)
        return acted.done

    async def close(self) -> None:
        """See `QueueControl.close`. Safe to repeat."""
        await asyncio.to_thread(self._close)

    def _read(self, file: BodyFile) -> bytes:
        with store_errors(self._path):
            return self._files.read(file)

    def _close(self) -> None:
        self._writer.close()
        self._reader.close()


def _look_in(path: Path) -> Turn:
    if not path.exists():
        raise QueueError(f"store {path}: nothing has been kept there yet; start the gateway, or correct store.path")
    with store_errors(path):
        with closing(connect(path)) as connection:
            check_schema(connection, path, scripts("sqlite"))
        return Turn(path)

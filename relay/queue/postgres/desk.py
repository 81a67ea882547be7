"""The operator's desk on PostgreSQL: from any machine that reaches the database, with or without gateways on it."""

from functools import partial
from typing import TYPE_CHECKING, Self

from relay.message import Clock, MessageId
from relay.queue.contract import Counts, Verb
from relay.queue.control import Backlog, Detail, Done, Page, Selection
from relay.queue.migration import scripts
from relay.queue.postgres import acting, looking, view
from relay.queue.postgres.connection import connect, parameters
from relay.queue.postgres.opening import check_schema
from relay.queue.postgres.reader import Reader
from relay.queue.postgres.writer import Writer

if TYPE_CHECKING:
    from relay.config.settings import StoreSettings


class PostgresDesk:
    """QueueControl in one database. Made by `open`, ended by `close`."""

    def __init__(self, settings: "StoreSettings", clock: Clock, reader: Reader) -> None:
        self._clock = clock
        self._reader = reader
        self._writer = Writer(reader.name, partial(connect, settings))

    @classmethod
    async def open(cls, settings: "StoreSettings", *, clock: Clock) -> Self:
        """Open a store that is there; nothing is made or brought up to date.

        Raises:
            QueueError: it cannot be used; the text names the database and the cure.
        """
        await check_schema(settings, scripts("postgres"))
        return cls(settings, clock, await Reader.open(parameters(settings)))

    async def stats(self) -> Counts:
        """See `QueueControl.stats`."""
        return await self._reader.ask(view.stats)

    async def backlogs(self) -> list[Backlog]:
        """See `QueueControl.backlogs`."""
        return await self._reader.ask(looking.backlogs)

    async def find(self, selection: Selection, *, limit: int, after: str = "", newest_first: bool = False) -> Page:
        """See `QueueControl.find`."""
        find = partial(looking.find, selection=selection, limit=limit, after=after, newest_first=newest_first)
        return await self._reader.ask(find)

    async def detail(self, message_id: MessageId) -> Detail | None:
        """See `QueueControl.detail`."""
        return await self._reader.ask(partial(looking.detail, message_id=message_id))

    async def body(self, message_id: MessageId) -> bytes | None:
        """See `QueueControl.body`."""
        return await self._reader.ask(partial(looking.body, message_id=message_id))

    async def weigh(self, verb: Verb, selection: Selection) -> Done:
        """See `QueueControl.weigh`."""
        return await self._reader.ask(partial(acting.weigh, verb=verb, selection=selection))

    async def act(self, verb: Verb, selection: Selection, *, who: str, limit: int, after: str = "") -> Done:
        """See `QueueControl.act`."""
        act = partial(acting.act, verb=verb, selection=selection, who=who, limit=limit, after=after, now=self._clock())
        return await self._writer.submit(act, signals=True)

    async def close(self) -> None:
        """See `QueueControl.close`. Safe to repeat."""
        await self._writer.close()
        await self._reader.close()

"""Which store the settings mean: the one place that knows every kind."""

import socket
from collections.abc import Callable
from typing import Protocol

from relay.config.settings import StoreSettings
from relay.message import Clock, MessageId
from relay.queue.contract import Store
from relay.queue.control import QueueControl
from relay.queue.postgres import PostgresDesk, PostgresQueue
from relay.queue.reporting import Reports
from relay.queue.sqlite import SqliteDesk, SqliteQueue

#: Told which message was set aside, why, and whether it is held for a person; otherwise it comes again by itself.
OnDamage = Callable[[MessageId, str, bool], None]


class FullStore(Store, Protocol):
    """Everything that a store offers a gateway."""

    @property
    def reports(self) -> Reports:
        """What senders are to be told."""


async def open_store(
    settings: StoreSettings, *, clock: Clock, exclusive: bool = True, on_damage: OnDamage | None = None
) -> FullStore:
    """Open the store for a gateway; `exclusive`: for its only process. Raises QueueError."""
    kind: type[SqliteQueue | PostgresQueue] = PostgresQueue if settings.url else SqliteQueue
    return await kind.open(settings, clock=clock, exclusive=exclusive, on_damage=on_damage)


async def open_desk(settings: StoreSettings, *, clock: Clock) -> QueueControl:
    """Open the operator's desk of a store that is there. Raises QueueError."""
    kind: type[SqliteDesk | PostgresDesk] = PostgresDesk if settings.url else SqliteDesk
    return await kind.open(settings, clock=clock)


def owner_name(settings: StoreSettings, number: int) -> str:
    """Return the name under which a worker leases messages: its successor frees what it held."""
    node = (settings.node or socket.gethostname()) if settings.url else "local"
    return f"{node}/{number}"

"""The queue in one SQLite file, for a gateway on one machine."""

from relay.queue.sqlite.desk import SqliteDesk
from relay.queue.sqlite.store import SqliteQueue

__all__ = ["SqliteDesk", "SqliteQueue"]

"""The queue in a PostgreSQL database, which any number of nodes may share."""

from relay.queue.postgres.desk import PostgresDesk
from relay.queue.postgres.opening import look_over
from relay.queue.postgres.store import PostgresQueue

__all__ = ["PostgresDesk", "PostgresQueue", "look_over"]

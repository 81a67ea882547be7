"""The schema, brought up to date at open; nodes that start together do it once."""

from collections.abc import Mapping, Sequence

from relay.errors import QueueError
from relay.queue.migration import missing
from relay.queue.postgres.connection import SCHEMA
from relay.queue.postgres.many import Connection

# Held until the transaction ends. The number is any that nobody else in the database uses.
LOCK = "SELECT pg_advisory_xact_lock(7234865921)"
SELECT_SCHEMA = "SELECT 1 FROM pg_namespace WHERE nspname = $1"
CREATE_SCHEMA = f"CREATE SCHEMA {SCHEMA}"
SELECT_TABLES = """
SELECT c.relname AS name FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relkind = 'r'
"""
CREATE_MIGRATION = "CREATE TABLE migration (number integer PRIMARY KEY, applied_at double precision NOT NULL)"
SELECT_APPLIED = "SELECT number FROM migration"
INSERT_APPLIED = """
INSERT INTO migration (number, applied_at) VALUES ($1, extract(epoch FROM statement_timestamp()))
"""


async def migrate(connection: Connection, name: str, known: Mapping[int, str]) -> None:
    """Run what has not run yet. To be called in a transaction.

    Raises:
        QueueError: the schema is another program's, or a newer version of this one wrote it.
    """
    await connection.execute(LOCK)
    applied = await look(connection, name)
    if applied is None:
        if not await connection.fetchrow(SELECT_SCHEMA, SCHEMA):
            await connection.execute(CREATE_SCHEMA)
        await connection.execute(CREATE_MIGRATION)
    for number in missing(name, known, applied or ()):
        await connection.execute(known[number])
        await connection.execute(INSERT_APPLIED, number)


async def look(connection: Connection, name: str) -> Sequence[int] | None:
    """Return the scripts that have run; None: nothing is there yet. Raises QueueError for another program's schema."""
    tables = {row["name"] for row in await connection.fetch(SELECT_TABLES, SCHEMA)}
    if not tables:
        return None
    if "migration" not in tables:
        raise QueueError(f"store {name}: its schema {SCHEMA} is another program's; give the relay another database")
    return [row["number"] for row in await connection.fetch(SELECT_APPLIED)]

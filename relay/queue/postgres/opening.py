"""Before the database can be used: who this node is, its schema, and what clocks and crashes left behind."""

import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import asyncpg

from relay.errors import QueueError, StoreInUse
from relay.message import Clock
from relay.queue.migration import missing, scripts
from relay.queue.postgres import setback
from relay.queue.postgres.connection import SCHEMA, connect, place, store_errors
from relay.queue.postgres.keeping import sweep
from relay.queue.postgres.migration import look, migrate

if TYPE_CHECKING:
    from relay.config.settings import StoreSettings

#: From so many seconds on it is said that clocks differ: retries come so much earlier or later than they should.
_CLOCKS_APART_SECONDS = 10.0

# Held as long as the session lives; a session that has just ended may hold it for a moment.
LOCK_NODE = "SELECT pg_advisory_lock{shared}(hashtextextended('relay node ' || $1, 0))"
SELECT_RIGHTS = """
SELECT current_setting('fsync') = 'on' AS syncs,
    extract(epoch FROM clock_timestamp())::float8 AS now,
    CASE WHEN to_regnamespace($1) IS NULL THEN has_database_privilege(current_database(), 'CREATE')
        ELSE has_schema_privilege($1, 'CREATE') AND has_schema_privilege($1, 'USAGE') END AS may
"""


async def connect_as_node(settings: "StoreSettings", *, exclusive: bool) -> Any:
    """Open a connection that holds the node's name: alone, or together with other workers of the same gateway.

    Raises QueueError, and StoreInUse where another gateway has the name.
    """
    connection = await connect(settings)
    node = settings.node or socket.gethostname()
    try:
        with store_errors(_name(settings)):
            await connection.execute("SET lock_timeout = '5s'")
            await connection.execute(LOCK_NODE.format(shared="" if exclusive else "_shared"), node)
            await connection.execute("RESET lock_timeout")
    except QueueError as error:
        connection.terminate()
        if isinstance(error.__cause__, asyncpg.LockNotAvailableError):
            raise StoreInUse(
                f"store {_name(settings)}: another gateway is node {node!r} there; "
                "stop that one or give this one another store.node"
            ) from error
        raise
    return connection


async def prepare(settings: "StoreSettings", known: Mapping[int, str], now: float, lease_now: float | None) -> None:
    """Bring the schema up to date and clear up. Raises QueueError."""
    connection = await connect(settings)
    try:
        with store_errors(_name(settings)):
            async with connection.transaction():
                await migrate(connection, _name(settings), known)
            async with connection.transaction():
                await setback.mend(connection, now, lease_now)
                await sweep(connection)
    finally:
        connection.terminate()


async def check_schema(settings: "StoreSettings", known: Mapping[int, str]) -> None:
    """Make sure that the store is there, as this program knows it. Raises QueueError."""
    name = _name(settings)
    connection = await connect(settings)
    try:
        with store_errors(name):
            applied = await look(connection, name)
    finally:
        connection.terminate()
    if applied is None:
        raise QueueError(f"store {name}: nothing has been kept there yet; start the gateway, or correct store.url")
    if missing(name, known, applied):
        raise QueueError(f"store {name}: an older version of relay made it; start the gateway of this version first")


async def look_over(settings: "StoreSettings", clock: Clock) -> list[str]:
    """Find out whether the database will do, changing nothing; returns what is no mistake but deserves a word.

    Raises QueueError for what is a mistake.
    """
    name = _name(settings)
    connection = await connect(settings)
    try:
        with store_errors(name):
            missing(name, scripts("postgres"), await look(connection, name) or ())
            server = await connection.fetchrow(SELECT_RIGHTS, SCHEMA)
            now = clock()
    finally:
        connection.terminate()
    if not server["may"]:
        raise QueueError(f"store {name}: the user lacks rights; let it own the schema {SCHEMA}, or create one")
    hints = []
    if not server["syncs"]:
        hints.append(f"store {name}: fsync is off there, so a power loss costs mail that was answered 250")
    if abs(server["now"] - now) > _CLOCKS_APART_SECONDS:
        hints.append(f"store {name}: its clock and this machine's are {abs(server['now'] - now):.0f} seconds apart")
    return hints


def _name(settings: "StoreSettings") -> str:
    return place(settings.url.get_secret_value()) if settings.url else ""

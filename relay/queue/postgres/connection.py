"""Connections to the database, and the one place where the library's errors become ours."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import asyncpg

from relay.errors import QueueError, QueueFull

if TYPE_CHECKING:
    from relay.config.settings import StoreSettings

#: The schema that holds our tables, so that other programs' tables in the database are no concern.
SCHEMA = "relay"
#: The oldest server that will do: the older ones get no corrections any more.
LEAST_VERSION = 130000

#: Longest wait for a connection; a server that is not there must not hold up who can be told so.
_CONNECT_SECONDS = 5.0
#: Our statements, each prepared once for a connection.
_STATEMENTS = 256

# Every statement is a look-up by key or the head of an index. Plans that read whole tables are made while these are
# small, and kept when they have grown; so they are never made.
_SESSION = {
    "application_name": "relay",
    "search_path": SCHEMA,
    "default_transaction_isolation": "read committed",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
    # What a node that vanished had begun must not keep others waiting.
    "idle_in_transaction_session_timeout": "60s",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
_SELECT_SERVER = """
SELECT current_setting('server_version_num')::integer AS version, current_setting('server_encoding') AS encoding,
    set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on'
        ELSE current_setting('synchronous_commit') END, false)
"""

# The cure for what goes wrong, by the kind of error; the first that fits.
_CURES: tuple[tuple[type[BaseException], str], ...] = (
    (asyncpg.InvalidPasswordError, "the password is wrong; correct it in store.url or store.password"),
    (
        asyncpg.InvalidAuthorizationSpecificationError,
        "the server lets this user not in; correct store.url, or pg_hba.conf",
    ),
    (asyncpg.InvalidCatalogNameError, "there is no such database; create it, or correct store.url"),
    (asyncpg.InsufficientPrivilegeError, "the user lacks rights; let it own the schema relay, or create one"),
    (asyncpg.TooManyConnectionsError, "the server has no connection left; raise max_connections there"),
    (asyncpg.CannotConnectNowError, "the server is starting or stopping"),
    (asyncpg.TargetServerAttributeNotMatched, "it is a standby, where nothing can be written"),
    (asyncpg.ReadOnlySQLTransactionError, "it is a standby, where nothing can be written"),
    (asyncpg.DiskFullError, "the server's disk is full; free some space"),
    (asyncpg.DataCorruptedError, "it is damaged; restore it"),
    (asyncpg.IndexCorruptedError, "an index is damaged; rebuild it with REINDEX"),
    (asyncpg.UniqueViolationError, "it holds this already"),
    (asyncpg.DataError, "it cannot hold such a value"),
    (ConnectionRefusedError, "nobody listens there; start the server, or correct store.url"),
    (FileNotFoundError, "there is no such socket; start the server, or correct store.url"),
    (TimeoutError, "it does not answer"),
)
#: What the library raises, or the network beneath it.
LIBRARY_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
#: Where the store's own content is at fault.
DAMAGES = (asyncpg.DataCorruptedError, asyncpg.IndexCorruptedError)

_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


def place(url: str) -> str:
    """Return how a database is called in errors: its address without the password."""
    parts = urlsplit(url)
    user, at, hosts = parts.netloc.rpartition("@")
    hosts = hosts or ",".join(parse_qs(parts.query).get("host", ()))
    return f"postgresql://{user.partition(':')[0]}{at}{hosts}{parts.path}"


def parameters(settings: "StoreSettings") -> dict[str, Any]:
    """Return what the library needs to connect."""
    assert settings.url is not None  # noqa: S101 - who opens this store has looked
    url = settings.url.get_secret_value()
    # After a failover the addresses of the URL are tried until one takes what is written.
    target = None if "target_session_attrs" in parse_qs(urlsplit(url).query) else "read-write"
    return {
        "dsn": url,
        "password": settings.password.get_secret_value() if settings.password else None,
        "timeout": _CONNECT_SECONDS,
        "server_settings": _SESSION,
        "statement_cache_size": _STATEMENTS,
        "max_cached_statement_lifetime": 0,
        "target_session_attrs": target,
    }


async def prepare(connection: Any) -> None:
    """Look whether the server will do, and have it sync what is committed. Raises QueueError."""
    server = await connection.fetchrow(_SELECT_SERVER)
    if server["version"] < LEAST_VERSION:
        raise QueueError(f"store: PostgreSQL is too old ({server['version']}); version 13 or newer is needed")
    if server["encoding"] != "UTF8":
        raise QueueError(f"store: the database's encoding is {server['encoding']}; create it with ENCODING 'UTF8'")


async def connect(settings: "StoreSettings") -> Any:
    """Open a connection that belongs to one task. Raises QueueError."""
    assert settings.url is not None  # noqa: S101 - see `parameters`
    with store_errors(place(settings.url.get_secret_value())):
        connection = await asyncpg.connect(**parameters(settings))
        try:
            await prepare(connection)
        except BaseException:
            connection.terminate()
            raise
    return connection


def is_lost(error: BaseException) -> bool:
    """Tell whether the connection is gone, so that only another one can tell more."""
    if isinstance(error, asyncpg.DataError | asyncpg.PostgresSyntaxError):
        return False  # InterfaceError is among their ancestors
    return isinstance(error, (*_LOST, OSError, TimeoutError))


def is_conflict(error: BaseException) -> bool:
    """Tell whether two nodes were in each other's way, so that doing it again will do."""
    return isinstance(error, asyncpg.DeadlockDetectedError | asyncpg.SerializationError | asyncpg.LockNotAvailableError)


@contextmanager
def store_errors(name: str) -> Iterator[None]:
    """Turn what the library raises into QueueError, naming the store and the cure."""
    try:
        yield
    except LIBRARY_ERRORS as error:
        raise mapped(name, error) from error


def mapped(name: str, error: BaseException) -> QueueError:
    """Return the QueueError for what the library raised."""
    if isinstance(error, QueueError):
        return error
    kind = QueueFull if isinstance(error, asyncpg.DiskFullError) else QueueError
    cure = next((cure for of, cure in _CURES if isinstance(error, of)), "")
    if not cure and is_lost(error):
        cure = "the connection was lost"
    # The server's own words may quote values; the code says what they say.
    code = getattr(error, "sqlstate", "") or ""
    what = ", ".join(filter(None, (type(error).__name__, code)))
    return kind(f"store {name}: {cure} ({what})" if cure else f"store {name}: {what}")


def watch(connection: Any, seconds: float) -> asyncio.TimerHandle:
    """Cut a connection that does not answer in time; to be cancelled by who got an answer.

    The server is not asked to cancel: a COMMIT that waits for a replica would count as done by that.
    """
    return asyncio.get_running_loop().call_later(seconds, connection.terminate)

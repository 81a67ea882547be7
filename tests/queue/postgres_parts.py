"""Parts for tests that do things to a PostgreSQL server while a store works on it."""

import asyncio

from relay.config.settings import StoreSettings


def at(url: str, **more) -> StoreSettings:
    return StoreSettings(url=url, **more)


def name_of(url: str) -> str:
    return url.partition("@/")[2].partition("?")[0]


def make_standby(url: str, read_only: str = "on") -> str:
    """Return what has a database take no writes, as new connections see it; as on a standby."""
    return f"ALTER DATABASE {name_of(url)} SET default_transaction_read_only = {read_only}"


def end_sessions(server, url: str) -> None:
    """End every session of the relay."""
    server.sql(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name_of(url)}' "
        "AND application_name = 'relay'"
    )


async def waiting_session(server, url: str, kind: str) -> int:
    """Wait until a session of the relay waits for a lock ("Lock") or a replica ("IPC"); returns its process."""
    query = (
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'relay' AND state = 'active' "
        f"AND wait_event_type = '{kind}' AND datname = '{name_of(url)}' LIMIT 1"
    )
    pid = ""
    while not pid:  # each question takes its time: it starts a program
        pid = await asyncio.to_thread(server.sql, query)
    return int(pid)

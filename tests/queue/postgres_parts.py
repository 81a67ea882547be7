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


async def holding(server, url: str, statement: str) -> asyncio.subprocess.Process:
    """Start a session that holds a lock, until `let_go`."""
    session = await asyncio.create_subprocess_exec(
        *("psql", "-XqAt", "-h", str(server.folder), "-p", str(server.port), "-U", "postgres"),
        *("-d", name_of(url), "-v", "ON_ERROR_STOP=1"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    session.stdin.write(f"{statement}; \\echo locked\n".encode())
    while await session.stdout.readline() not in {b"locked\n", b""}:
        pass
    return session


async def let_go(session: asyncio.subprocess.Process) -> None:
    """End a session that holds a lock."""
    session.stdin.close()
    await session.wait()


async def waiting_session(server, url: str, kind: str, *, sessions: int = 1) -> int:
    """Wait until so many of the relay's wait for a lock ("Lock") or a replica ("IPC"); returns the process of one."""
    query = (
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'relay' AND state = 'active' "
        f"AND wait_event_type = '{kind}' AND datname = '{name_of(url)}'"
    )
    found: list[str] = []
    while len(found) < sessions:  # each question takes its time: it starts a program
        found = (await asyncio.to_thread(server.sql, query)).split()
    return int(found[0])

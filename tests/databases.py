"""A real PostgreSQL server for the tests that want one, and a database for each of them.

The server is made once a run, in a folder of its own; `database` is a fresh database with the relay's schema in it,
copied from a template. Syncing is off there: no test takes the power away, and what a killed server had written to
its files stays.
"""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "autovacuum_naptime": "5s",
    "log_min_messages": "fatal",
}
# Emptied rather than dropped: a new database takes a hundred times as long.
_CLEAR = """
DO $$
DECLARE
    tables text;
BEGIN
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
    SELECT string_agg('relay.' || relname, ', ') INTO tables FROM pg_class
    WHERE relnamespace = 'relay'::regnamespace AND relkind = 'r' AND relname <> 'migration';
    EXECUTE 'TRUNCATE ' || tables || ' RESTART IDENTITY';
END
$$
"""
#: The owner of every database; not a superuser.
ROLE = "relay"
PASSWORD = secrets.token_hex(8)


class Server:
    """One PostgreSQL server; no process of it outlives the run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self._data = folder / "data"
        self._programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        self._count = 0
        self._free: list[str] = []

    def make(self) -> None:
        """Make it and start it, with the template of all databases."""
        if os.geteuid() == 0:  # PostgreSQL does not run as root
            shutil.chown(self.folder, "postgres", "postgres")
        self._run(
            "initdb", "-U", "postgres", "-E", "UTF8", "--locale=C", "--auth-local=trust", "--auth-host=scram-sha-256"
        )
        self.start()
        self.sql(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'")
        self.sql(f"CREATE DATABASE template_relay OWNER {ROLE}")
        for number in sorted((Path(__file__).parents[1] / "relay/queue/schema/postgres").glob("*.sql")):
            self._migrate(number)

    def start(self) -> None:
        """Start it, and return when it takes connections."""
        settings = _SETTINGS | {"port": str(self.port), "unix_socket_directories": str(self.folder)}
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        self._run("pg_ctl", "start", "-w", "-l", str(self.folder / "log"), "-o", options)

    def stop(self, how: str = "fast") -> None:
        """Stop it: "fast" cuts connections, "immediate" ends it as a crash does."""
        self._run("pg_ctl", "stop", "-w", "-m", how)

    def database(self) -> str:
        """Make a database with the relay's schema; returns its URL."""
        return self.url(self._free.pop() if self._free else self._database("template_relay"))

    def empty_database(self) -> str:
        """Make a database with nothing in it; returns its URL."""
        return self.url(self._database("template0"))

    def url(self, name: str) -> str:
        """Return the URL of a database, over the socket file."""
        return f"postgresql://{ROLE}@/{name}?host={self.folder}&port={self.port}"

    def tcp_url(self, url: str, password: str = PASSWORD) -> str:
        """Return the URL of the same database over TCP, where a password is asked for."""
        name = url.partition("@/")[2].partition("?")[0]
        return f"postgresql://{ROLE}:{password}@127.0.0.1:{self.port}/{name}"

    def give_back(self, url: str) -> None:
        """Let another test have a database, with nothing of this one in it."""
        name = url.partition("@/")[2].partition("?")[0]
        self.sql(_CLEAR, name)
        self._free.append(name)

    def sql(self, statement: str, database: str = "postgres", user: str = "postgres") -> str:
        """Execute a statement as the superuser; returns what it tells, values parted by |."""
        program = ["psql", "-XqAt", "-h", str(self.folder), "-p", str(self.port), "-U", user, "-d", database]
        done = subprocess.run(
            [*program, "-v", "ON_ERROR_STOP=1", "-c", statement], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def _database(self, template: str) -> str:
        self._count += 1
        name = f"test_{self._count}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template} OWNER {ROLE}")
        return name

    def _migrate(self, script: Path) -> None:
        number = int(script.stem)
        table = "CREATE TABLE relay.migration (number integer PRIMARY KEY, applied_at double precision NOT NULL)"
        before = "" if number > 1 else f"CREATE SCHEMA relay; {table};"
        after = f"INSERT INTO relay.migration VALUES ({number}, 0)"
        self.sql(f"{before} SET search_path = relay; {script.read_text()}; {after}", "template_relay", ROLE)

    def _run(self, program: str, *words: str) -> None:
        switch = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        command = [*switch, str(self._programs / program), "-D", str(self._data), *words]
        done = subprocess.run(
            command,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """The server that all tests share: none of them stops it."""
    yield from _server()


@pytest.fixture
def own_postgres_server() -> Iterator[Server]:
    """A server for one test, which may stop it."""
    yield from _server()


@pytest.fixture
def database(postgres_server: Server) -> Iterator[str]:
    """The URL of a database for one test."""
    url = postgres_server.database()
    yield url
    postgres_server.give_back(url)


def _server() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="relay-pg-"))  # short: names of socket files have a limit
    server = Server(folder)
    try:
        server.make()
        yield server
    finally:
        if (folder / "data/postmaster.pid").exists():
            server.stop("immediate")
        shutil.rmtree(folder)


@pytest.fixture
def store_environ(request: pytest.FixtureRequest) -> Callable[[str], dict[str, str]]:
    """The environment that has a gateway keep its mail in a kind of store: "sqlite" or "postgres"."""

    def environ(kind: str) -> dict[str, str]:
        if kind == "sqlite":
            return {}
        # Not one that another test gets: gateways live until the end of the run.
        url = request.getfixturevalue("postgres_server").database()
        return {
            "RELAY__STORE__URL": url,
            "RELAY__STORE__SECRET_KEY": secrets.token_hex(16),
            "RELAY__STORE__NODE": "one",
        }

    return environ

"""The schema, brought up to date at open: numbered scripts, forward only, safe to run twice."""

import sqlite3
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path

from relay.errors import QueueError

# Which scripts have run. Not part of a script: it is there before the first.
CREATE_MIGRATION = """
CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, applied_at REAL NOT NULL)
"""
SELECT_TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
SELECT_APPLIED = "SELECT number FROM migration"
INSERT_APPLIED = "INSERT INTO migration (number, applied_at) VALUES (?, ?)"


def scripts() -> Mapping[int, str]:
    """Return the scripts that come with the program, by number."""
    folder = resources.files("relay.queue") / "schema"
    return {
        int(script.name.removesuffix(".sql")): script.read_text(encoding="utf-8")
        for script in folder.iterdir()
        if script.name.endswith(".sql")
    }


def migrate(connection: sqlite3.Connection, path: Path, known: Mapping[int, str], now: float) -> None:
    """Run what has not run yet, all in one transaction; two processes that start together do it once.

    Raises:
        QueueError: the file is another program's, or a newer version of this one wrote it.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        applied = _applied(connection, path)
        _refuse_newer(path, max(applied, default=0), max(known))
        for number in sorted(set(known) - applied):
            for statement in _statements(known[number]):
                connection.execute(statement)
            connection.execute(INSERT_APPLIED, (number, now))
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _applied(connection: sqlite3.Connection, path: Path) -> set[int]:
    tables = {row[0] for row in connection.execute(SELECT_TABLES)}
    if tables and "migration" not in tables:
        raise QueueError(f"store {path}: it is another program's database; correct store.path")
    connection.execute(CREATE_MIGRATION)
    return {row[0] for row in connection.execute(SELECT_APPLIED)}


def _refuse_newer(path: Path, found: int, known: int) -> None:
    if found > known:
        raise QueueError(
            f"store {path}: a newer version of relay wrote it (schema {found}, this one knows {known}); "
            "run that version, or give this one another store.path"
        )


def _statements(script: str) -> Iterator[str]:
    # `executescript` would commit first; a trigger's body holds semicolons, which complete_statement knows.
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""

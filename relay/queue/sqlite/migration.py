"""The schema, brought up to date at open."""

import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

from relay.errors import QueueError
from relay.queue.migration import missing

# Which scripts have run. Not part of a script: it is there before the first.
CREATE_MIGRATION = """
CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, applied_at REAL NOT NULL)
"""
SELECT_TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
SELECT_APPLIED = "SELECT number FROM migration"
INSERT_APPLIED = "INSERT INTO migration (number, applied_at) VALUES (?, ?)"


def migrate(connection: sqlite3.Connection, path: Path, known: Mapping[int, str], now: float) -> None:
    """Run what has not run yet, all in one transaction; two processes that start together do it once.

    Raises:
        QueueError: the file is another program's, or a newer version of this one wrote it.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        applied = _applied(connection, path)
        for number in missing(str(path), known, applied):
            for statement in _statements(known[number]):
                connection.execute(statement)
            connection.execute(INSERT_APPLIED, (number, now))
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def check_schema(connection: sqlite3.Connection, path: Path, known: Mapping[int, str]) -> None:
    """Look whether this version may work with the store as it is. Raises QueueError where it may not."""
    tables = {row[0] for row in connection.execute(SELECT_TABLES)}
    applied = {row[0] for row in connection.execute(SELECT_APPLIED)} if "migration" in tables else set()
    if tables and not applied:
        raise QueueError(f"store {path}: it is another program's database; correct store.path")
    if missing(str(path), known, applied):
        raise QueueError(f"store {path}: an older version of relay wrote it; start the gateway by this one first")


def _applied(connection: sqlite3.Connection, path: Path) -> set[int]:
    tables = {row[0] for row in connection.execute(SELECT_TABLES)}
    if tables and "migration" not in tables:
        raise QueueError(f"store {path}: it is another program's database; correct store.path")
    connection.execute(CREATE_MIGRATION)
    return {row[0] for row in connection.execute(SELECT_APPLIED)}


def _statements(script: str) -> Iterator[str]:
    # `executescript` would commit first; a trigger's body holds semicolons, which complete_statement knows.
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""

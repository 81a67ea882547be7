"""One statement for many rows.

Python gives up its interpreter lock for each step of a statement and must win it back from the event loop. Under load
that costs far more than the row itself, so a group of messages is written by as few statements as can be.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from relay.queue.rows import Value

#: Rows in one statement; for each number of rows up to this one a statement is prepared, once.
_MOST_ROWS = 32


def execute_rows(connection: sqlite3.Connection, statement: str, rows: Sequence[Sequence[Value]]) -> None:
    """Execute a statement with `VALUES {rows}` in it for rows of equal length; nothing happens where there are none."""
    for start in range(0, len(rows), _MOST_ROWS):
        chunk = rows[start : start + _MOST_ROWS]
        connection.execute(_with_rows(statement, len(chunk[0]), len(chunk)), [value for row in chunk for value in row])


def fetch(connection: sqlite3.Connection, query: str, *parameters: Value) -> list[Any]:
    """Return what a query tells as one JSON array: a single step however long it is."""
    found: list[Any] = json.loads(connection.execute(query, parameters).fetchone()[0])
    return found


def listed(values: Iterable[str | int]) -> str:
    """Write values for `json_each`."""
    return json.dumps(list(values))


@lru_cache(maxsize=256)
def _with_rows(statement: str, width: int, count: int) -> str:
    row = f"({', '.join('?' * width)})"
    return statement.replace("{rows}", ", ".join([row] * count))

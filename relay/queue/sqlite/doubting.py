"""Messages in doubt, and who is taking which. Each function is one transaction."""

import sqlite3

from relay.errors import BeingTaken, LeaseLost
from relay.queue.contract import Doubt
from relay.queue.doubtful import BEING_TAKEN, LOST, doubt_from, is_being_taken, known_text

SELECT_DOUBT = "SELECT since, until, known, account, token, lease_until FROM doubt WHERE mark = ?"
INSERT_DOUBT = """
INSERT INTO doubt (mark, since, until, known, account, owner, token, lease_until) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (mark) DO NOTHING
"""
UPSERT_DOUBT = """
INSERT OR REPLACE INTO doubt (mark, since, until, known, account, owner, token, lease_until)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
LEASE_DOUBT = "UPDATE doubt SET owner = ?, token = ?, lease_until = ? WHERE mark = ?"
SELECT_TAKER = "SELECT owner FROM doubt WHERE mark = ? AND token = ?"
DELETE_DOUBT = "DELETE FROM doubt WHERE mark = ? AND token = ?"
FREE_DOUBTS_OF = "UPDATE doubt SET owner = NULL, token = NULL, lease_until = NULL WHERE owner = ?"
SELECT_UNHEARD = """
SELECT account, mark, until FROM doubt INDEXED BY doubt_unheard WHERE account IS NOT NULL AND since >= ?
"""
DELETE_ENDED = "DELETE FROM doubt WHERE until <= ? AND (token IS NULL OR lease_until <= ?)"
DELETE_OLDEST = """
DELETE FROM doubt WHERE mark IN (SELECT mark FROM doubt WHERE token IS NULL ORDER BY until DESC LIMIT -1 OFFSET ?)
"""


def open_doubt(
    connection: sqlite3.Connection,
    mark: bytes,
    begun: Doubt,
    owner: str,
    token: bytes,
    lease_seconds: float,
    now: float,
) -> Doubt | None:
    """Lease a mark and return what is known of it; None: nothing was."""
    lease_until = now + lease_seconds
    values = (mark, begun.since, begun.until, known_text(begun), begun.account or None, owner, token, lease_until)
    if connection.execute(INSERT_DOUBT, values).rowcount:
        return None
    row = connection.execute(SELECT_DOUBT, (mark,)).fetchone()
    if is_being_taken(row, now, lease_until):
        raise BeingTaken(BEING_TAKEN)
    if row["until"] <= now:
        connection.execute(UPSERT_DOUBT, values)
        return None
    connection.execute(LEASE_DOUBT, (owner, token, lease_until, mark))
    return doubt_from(row)


def write_doubt(
    connection: sqlite3.Connection, mark: bytes, token: bytes, doubt: Doubt | None, lease_seconds: float, now: float
) -> None:
    """Write what is known of a mark that is leased; without `lease_seconds` it is free again."""
    if doubt is None:
        if not connection.execute(DELETE_DOUBT, (mark, token)).rowcount:
            raise LeaseLost(LOST)
        return
    taker = connection.execute(SELECT_TAKER, (mark, token)).fetchone()
    if taker is None:
        raise LeaseLost(LOST)
    lease = (taker["owner"], token, now + lease_seconds) if lease_seconds else (None, None, None)
    values = (mark, doubt.since, doubt.until, known_text(doubt), doubt.account or None)
    connection.execute(UPSERT_DOUBT, (*values, *lease))


def unheard(connection: sqlite3.Connection, since: float) -> list[tuple[str, bytes, float]]:
    """List what was taken without anybody to hear it."""
    return [(row["account"], row["mark"], row["until"]) for row in connection.execute(SELECT_UNHEARD, (since,))]


def free(connection: sqlite3.Connection, owner: str) -> None:
    """Let go of everything that an owner was taking."""
    connection.execute(FREE_DOUBTS_OF, (owner,))


def forget(connection: sqlite3.Connection, most: int, now: float) -> int:
    """Delete what is over, and the oldest of what is too many; nothing that is being taken. Returns how many."""
    ended = connection.execute(DELETE_ENDED, (now, now)).rowcount
    return ended + connection.execute(DELETE_OLDEST, (most,)).rowcount

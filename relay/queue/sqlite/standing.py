"""What is remembered of accounts and of who logs in. Each function is one transaction."""

import json
import sqlite3
from collections.abc import Callable, Collection

from relay.queue.contract import Pause, Standing, Volume

UPSERT_PAUSE = """
INSERT INTO pause (account, until, reason, failures) VALUES (:account, :until, :reason, :failures)
ON CONFLICT (account) DO UPDATE SET until = excluded.until, reason = excluded.reason, failures = excluded.failures
"""
DELETE_PAUSE = "DELETE FROM pause WHERE account = ?"
SELECT_PAUSES = "SELECT account, until, reason, failures FROM pause ORDER BY account"
UPSERT_CREDENTIAL = """
INSERT INTO credential (account, sealed) VALUES (?, ?) ON CONFLICT (account) DO UPDATE SET sealed = excluded.sealed
"""
SELECT_CREDENTIAL = "SELECT sealed FROM credential WHERE account = ?"
# From the index message_volume alone.
SELECT_VOLUME = """
SELECT count(*), coalesce(sum(recipients), 0), min(received_at) FROM message INDEXED BY message_volume
WHERE account = ? AND received_at >= ? AND received_at < ?
"""
SELECT_STANDINGS = """
SELECT key, failures, since, changed_at, until, blocks, blocked_until, proven_until FROM standing
WHERE key IN (SELECT value FROM json_each(?))
"""
UPSERT_STANDING = """
INSERT OR REPLACE INTO standing (key, failures, since, changed_at, until, blocks, blocked_until, proven_until)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
DELETE_STANDING = "DELETE FROM standing WHERE key = ?"
DELETE_ENDED = "DELETE FROM standing WHERE until <= ?"
DELETE_OLDEST = """
DELETE FROM standing WHERE key IN (SELECT key FROM standing ORDER BY until DESC LIMIT -1 OFFSET ?)
"""


def pause(connection: sqlite3.Connection, pause: Pause) -> None:
    """Write a pause, over an earlier one."""
    values = {"account": pause.account, "until": pause.until, "reason": pause.reason, "failures": pause.failures}
    connection.execute(UPSERT_PAUSE, values)


def resume(connection: sqlite3.Connection, account: str) -> bool:
    """Take a pause away. Returns whether there was one."""
    return connection.execute(DELETE_PAUSE, (account,)).rowcount > 0


def paused(connection: sqlite3.Connection) -> list[Pause]:
    """Return all pauses."""
    return [Pause(*row) for row in connection.execute(SELECT_PAUSES)]


def volume(connection: sqlite3.Connection, account: str, since: float, before: float) -> Volume:
    """Count what was taken from an account between two times."""
    return Volume(*connection.execute(SELECT_VOLUME, (account, since, before)).fetchone())


def save_credential(connection: sqlite3.Connection, account: str, sealed: bytes) -> None:
    """Write a sealed credential, over an earlier one."""
    connection.execute(UPSERT_CREDENTIAL, (account, sealed))


def load_credential(connection: sqlite3.Connection, account: str) -> bytes | None:
    """Return a sealed credential; None: there is none."""
    row = connection.execute(SELECT_CREDENTIAL, (account,)).fetchone()
    return bytes(row["sealed"]) if row else None


def standings(connection: sqlite3.Connection, keys: Collection[str]) -> dict[str, Standing]:
    """Return what is known under each of these keys."""
    rows = connection.execute(SELECT_STANDINGS, (json.dumps(list(keys)),))
    return {key: Standing(*values) for key, *values in rows}


def change_standing(
    connection: sqlite3.Connection, key: str, change: Callable[[Standing | None], Standing | None]
) -> Standing | None:
    """Replace what is known under a key."""
    changed = change(standings(connection, [key]).get(key))
    if changed is None:
        connection.execute(DELETE_STANDING, (key,))
        return None
    counted = (changed.failures, changed.since, changed.changed_at, changed.until)
    connection.execute(UPSERT_STANDING, (key, *counted, changed.blocks, changed.blocked_until, changed.proven_until))
    return changed


def forget(connection: sqlite3.Connection, most: int, now: float) -> int:
    """Delete what is over, and the oldest of what is too many. Returns how many."""
    ended = connection.execute(DELETE_ENDED, (now,)).rowcount
    return ended + connection.execute(DELETE_OLDEST, (most,)).rowcount

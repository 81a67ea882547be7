"""What is remembered of accounts: pauses, sealed credentials, how much they sent. Each function is one transaction."""

import sqlite3

from relay.queue.contract import Pause

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
SUM_RECIPIENTS = """
SELECT coalesce(sum(recipients), 0) FROM message INDEXED BY message_volume WHERE account = ? AND received_at >= ?
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


def recipients_since(connection: sqlite3.Connection, account: str, since: float) -> int:
    """Count the recipients of the messages that were taken from an account."""
    return int(connection.execute(SUM_RECIPIENTS, (account, since)).fetchone()[0])


def save_credential(connection: sqlite3.Connection, account: str, sealed: bytes) -> None:
    """Write a sealed credential, over an earlier one."""
    connection.execute(UPSERT_CREDENTIAL, (account, sealed))


def load_credential(connection: sqlite3.Connection, account: str) -> bytes | None:
    """Return a sealed credential; None: there is none."""
    row = connection.execute(SELECT_CREDENTIAL, (account,)).fetchone()
    return bytes(row["sealed"]) if row else None

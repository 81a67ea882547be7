"""Looking without touching. Runs in the reader thread, on one snapshot; only the probe writes."""

import sqlite3
from collections.abc import Sequence

from relay.message import MessageId
from relay.queue.contract import Counts, RecipientEntry, State
from relay.queue.rows import entry_from

SELECT_TALLY = "SELECT name, value FROM tally"
SELECT_OLDEST = "SELECT min(received_at) FROM message INDEXED BY message_open WHERE finished_at IS NULL"
SELECT_SEQ = "SELECT seq FROM message WHERE id = ?"
SELECT_ENTRIES = "SELECT * FROM recipient WHERE message = ? ORDER BY position"
UPSERT_PROBE = """
INSERT INTO probe (one, written_at) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET written_at = excluded.written_at
"""


def stats(connection: sqlite3.Connection) -> Counts:
    """Read the counts that triggers keep; costs the same with a million messages."""
    tally = {row["name"]: row["value"] for row in connection.execute(SELECT_TALLY)}
    oldest = connection.execute(SELECT_OLDEST).fetchone()[0]
    return Counts({state: tally[state] for state in State}, tally["messages_open"], oldest, tally["bytes_kept"])


def kept(connection: sqlite3.Connection) -> tuple[int, int]:
    """Tell how many bytes of how many open messages are kept."""
    tally = dict(connection.execute(SELECT_TALLY).fetchall())
    return tally["bytes_kept"], tally["messages_open"]


def entries(connection: sqlite3.Connection, message_id: MessageId) -> Sequence[RecipientEntry] | None:
    """Read a message's recipients; None: no such message."""
    row = connection.execute(SELECT_SEQ, (message_id,)).fetchone()
    if row is None:
        return None
    return [entry_from(entry) for entry in connection.execute(SELECT_ENTRIES, (row["seq"],))]


def probe(connection: sqlite3.Connection, now: float) -> None:
    """Write one row, to know that the store can be written to."""
    connection.execute(UPSERT_PROBE, (now,))

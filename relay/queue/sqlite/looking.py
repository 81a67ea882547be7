"""Looking into messages for a person. Runs in the reader thread, on one snapshot."""

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from relay.message import MessageId
from relay.queue.contract import RecipientEntry
from relay.queue.control import Backlog, Detail, Kept, Page, Selection
from relay.queue.looking import detail_from, kept_from
from relay.queue.rows import entry_from
from relay.queue.sqlite import standing
from relay.queue.sqlite.acting import act_from
from relay.queue.sqlite.bodies import BodyFile
from relay.queue.sqlite.many import listed
from relay.queue.sqlite.selecting import page

SELECT_KEPT = """
SELECT m.* FROM json_each(?) AS wanted CROSS JOIN message AS m ON m.seq = wanted.value ORDER BY wanted.key
"""
SELECT_ENTRIES = """
SELECT * FROM recipient WHERE message IN (SELECT value FROM json_each(?)) ORDER BY message, position
"""
SELECT_BY_ID = "SELECT * FROM message WHERE id = ?"
SELECT_TRIED = """
SELECT position, number, owner, begun_at, ended_at, seconds, call, outcome, maybe_accepted, reason,
    provider_message_id, provider_batch_id
FROM attempt WHERE message = ? ORDER BY position, entry
"""
SELECT_ACTS = """
SELECT act.* FROM act_message AS hit CROSS JOIN act ON act.seq = hit.act WHERE hit.message = ? ORDER BY act.seq
"""
SELECT_NOTED = "SELECT position, verb FROM noted WHERE message = ? ORDER BY position"
SELECT_BODY = "SELECT data FROM body WHERE message = ?"
# From the index alone.
SELECT_BACKLOGS = """
SELECT account, count(*), min(due_at) FROM message INDEXED BY message_account_due
WHERE leased_by IS NULL AND due_at IS NOT NULL GROUP BY account ORDER BY min(due_at)
"""


@dataclass(frozen=True, slots=True)
class Body:
    """Where a body is: here, or in a file."""

    data: bytes
    file: BodyFile | None


def find(connection: sqlite3.Connection, selection: Selection, *, limit: int, after: str, newest_first: bool) -> Page:
    """List messages in the order in which they were received."""
    seqs, more = page(connection, selection, limit=limit, after=after, newest_first=newest_first)
    return Page(_kept(connection, connection.execute(SELECT_KEPT, (listed(seqs),)).fetchall()), more)


def detail(connection: sqlite3.Connection, message_id: MessageId) -> Detail | None:
    """Tell all of one message; None: no such message."""
    row = connection.execute(SELECT_BY_ID, (message_id,)).fetchone()
    if row is None:
        return None
    seq = (row["seq"],)
    (kept,) = _kept(connection, [row])
    return detail_from(
        row,
        kept,
        tried=connection.execute(SELECT_TRIED, seq),
        acts=[act_from(act) for act in connection.execute(SELECT_ACTS, seq)],
        noted=connection.execute(SELECT_NOTED, seq),
        pauses=standing.paused(connection),
    )


def body(connection: sqlite3.Connection, message_id: MessageId) -> Body | None:
    """Tell where a message's body is; None: it is gone, or the message is."""
    row = connection.execute(SELECT_BY_ID, (message_id,)).fetchone()
    if row is None:
        return None
    if row["body_file"] is not None:
        return Body(b"", BodyFile(row["body_file"], row["body_digest"]))
    found = connection.execute(SELECT_BODY, (row["seq"],)).fetchone()
    return Body(found["data"], None) if found else None


def backlogs(connection: sqlite3.Connection) -> list[Backlog]:
    """Tell what waits of each account, the longest due first."""
    pauses = {pause.account: pause for pause in standing.paused(connection)}
    return [
        Backlog(account, messages, due_at, pauses.get(account))
        for account, messages, due_at in connection.execute(SELECT_BACKLOGS)
    ]


def _kept(connection: sqlite3.Connection, rows: Sequence[sqlite3.Row]) -> list[Kept]:
    entries: defaultdict[int, list[RecipientEntry]] = defaultdict(list)
    for row in connection.execute(SELECT_ENTRIES, (listed(row["seq"] for row in rows),)):
        entries[row["message"]].append(entry_from(row))
    return [kept_from(row, entries[row["seq"]]) for row in rows]

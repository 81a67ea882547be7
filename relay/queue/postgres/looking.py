"""Looking into messages for a person."""

from collections.abc import Sequence

from relay.errors import QueueError
from relay.message import MessageId
from relay.queue.control import Backlog, Detail, Kept, Page, Selection
from relay.queue.looking import detail_from, kept_from
from relay.queue.postgres import standing
from relay.queue.postgres.acting import act_from
from relay.queue.postgres.claiming import Caught, bodies, entries_of
from relay.queue.postgres.many import Connection
from relay.queue.postgres.selecting import page
from relay.queue.rows import Row

SELECT_KEPT = "SELECT * FROM message WHERE seq = ANY($1::bigint[])"
SELECT_BY_ID = "SELECT * FROM message WHERE id = $1"
SELECT_TRIED = "SELECT * FROM attempt WHERE message = $1 ORDER BY position, entry"
SELECT_ACTS = """
SELECT act.* FROM act_message AS hit JOIN act ON act.seq = hit.act WHERE hit.message = $1 ORDER BY act.seq
"""
SELECT_NOTED = "SELECT position, verb FROM noted WHERE message = $1 ORDER BY position"
# From the index alone.
SELECT_BACKLOGS = """
SELECT account, count(*) AS messages, min(due_at) AS due_at FROM message
WHERE leased_by IS NULL AND due_at IS NOT NULL GROUP BY account ORDER BY min(due_at)
"""


async def find(connection: Connection, selection: Selection, *, limit: int, after: str, newest_first: bool) -> Page:
    """List messages in the order in which they were received."""
    seqs, more = await page(connection, selection, limit=limit, after=after, newest_first=newest_first)
    rows = {row["seq"]: row for row in await connection.fetch(SELECT_KEPT, seqs)}
    return Page(await _kept(connection, [rows[seq] for seq in seqs if seq in rows]), more)


async def detail(connection: Connection, message_id: MessageId) -> Detail | None:
    """Tell all of one message; None: no such message."""
    row = await connection.fetchrow(SELECT_BY_ID, message_id)
    if row is None:
        return None
    (kept,) = await _kept(connection, [row])
    return detail_from(
        row,
        kept,
        tried=await connection.fetch(SELECT_TRIED, row["seq"]),
        acts=[act_from(act) for act in await connection.fetch(SELECT_ACTS, row["seq"])],
        noted=await connection.fetch(SELECT_NOTED, row["seq"]),
        pauses=await standing.paused(connection),
    )


async def body(connection: Connection, message_id: MessageId) -> bytes | None:
    """Return a message's body; None: it is gone, or the message is. Raises QueueError where it is damaged."""
    row = await connection.fetchrow(SELECT_BY_ID, message_id)
    if row is None or (row["size"] and not row["kept_bytes"]):
        return None
    data = (await bodies(connection, [Caught(row, ())])).get(row["seq"])
    if data is None:
        row = await connection.fetchrow(SELECT_BY_ID, message_id)
        if row is not None and row["kept_bytes"]:  # otherwise the gateway let go of it in this moment
            raise QueueError(f"message {message_id}: the body is missing or damaged in the store")
    return data


async def backlogs(connection: Connection) -> list[Backlog]:
    """Tell what waits of each account, the longest due first."""
    pauses = {pause.account: pause for pause in await standing.paused(connection)}
    return [
        Backlog(row["account"], row["messages"], row["due_at"], pauses.get(row["account"]))
        for row in await connection.fetch(SELECT_BACKLOGS)
    ]


async def _kept(connection: Connection, rows: Sequence[Row]) -> list[Kept]:
    entries = await entries_of(connection, [row["seq"] for row in rows])
    return [kept_from(row, entries[row["seq"]]) for row in rows]

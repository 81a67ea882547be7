"""Looking without touching, and adding up what sessions that have ended had counted."""

from collections.abc import Sequence

from relay.message import MessageId
from relay.queue.contract import Counts, RecipientEntry, State
from relay.queue.postgres.many import Connection
from relay.queue.rows import entry_from

SELECT_TALLY = "SELECT name, sum(value)::bigint AS value FROM tally GROUP BY name"
SELECT_OLDEST = "SELECT min(received_at) AS oldest FROM message WHERE finished_at IS NULL"
SELECT_ENTRIES = """
SELECT r.* FROM message AS m JOIN recipient AS r ON r.message = m.seq WHERE m.id = $1 ORDER BY r.position
"""
# A session that begins meanwhile under the same number finds its rows gone, and begins anew.
ADD_UP = """
WITH ended AS (
    DELETE FROM tally WHERE session <> 0 AND session NOT IN (SELECT pid FROM pg_stat_activity) RETURNING name, value
)
INSERT INTO tally AS kept (session, name, value) SELECT 0, name, sum(value) FROM ended GROUP BY name
ON CONFLICT (session, name) DO UPDATE SET value = kept.value + excluded.value
"""
# Writers that have not written for a day have ended, or have nothing that they could ask about.
FORGET_WRITERS = "DELETE FROM writer WHERE written_at < extract(epoch FROM statement_timestamp()) - 86400"


async def stats(connection: Connection) -> Counts:
    """Read the counts that triggers keep; costs the same with a million messages."""
    tally = {row["name"]: row["value"] for row in await connection.fetch(SELECT_TALLY)}
    oldest = await connection.fetchrow(SELECT_OLDEST)
    by_state = {state: tally.get(state, 0) for state in State}
    return Counts(
        by_state, tally.get("messages_open", 0), oldest["oldest"] if oldest else None, tally.get("bytes_kept", 0)
    )


async def entries(connection: Connection, message_id: MessageId) -> Sequence[RecipientEntry] | None:
    """Read a message's recipients; None: no such message."""
    rows = await connection.fetch(SELECT_ENTRIES, message_id)
    return [entry_from(row) for row in rows] or None


async def add_up(connection: Connection) -> None:
    """Put together what sessions that have ended left behind."""
    await connection.execute(ADD_UP)
    await connection.execute(FORGET_WRITERS)

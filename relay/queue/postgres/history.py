"""The attempts that have ended: rows that are written once."""

from collections.abc import Sequence

from relay.queue.postgres.many import Connection, columns, unnest
from relay.queue.rows import Value
from relay.queue.told import HISTORY_COLUMNS, INTERRUPTED

ATTEMPT_COLUMNS = (
    "message, position, entry, number, owner, begun_at, ended_at, seconds, call, outcome, maybe_accepted, reason, "
    "provider_message_id, provider_batch_id"
)
_NEXT_ENTRY = """
1 + coalesce((SELECT max(entry) FROM attempt AS a WHERE a.message = r.message AND a.position = r.position), 0)
"""
_ROWS = unnest("bigint", "integer", "text", "float8", "float8", "text", "text", "boolean", "text", "text", "text")
# Before the recipient's row changes: it knows when the attempt began.
INSERT_ATTEMPTS = f"""
INSERT INTO attempt ({ATTEMPT_COLUMNS})
SELECT r.message, r.position, {_NEXT_ENTRY}, r.attempts, ended.owner, r.changed_at, ended.now, ended.seconds,
    ended.call, ended.outcome, ended.maybe_accepted, ended.reason, ended.provider_message_id, ended.provider_batch_id
FROM {_ROWS} AS ended ({HISTORY_COLUMNS})
JOIN recipient AS r ON r.message = ended.message AND r.position = ended.position
"""  # noqa: S608 - our own words
# An outcome of an attempt that was not journalled, or has ended already: found out later, or told again. Where it
# repeats the last row, the caller is only making sure.
INSERT_FINDINGS = f"""
INSERT INTO attempt ({ATTEMPT_COLUMNS})
SELECT r.message, r.position, 1 + coalesce(last.entry, 0), r.attempts, found.owner, found.now - found.seconds,
    found.now, found.seconds, found.call, found.outcome, found.maybe_accepted, found.reason,
    found.provider_message_id, found.provider_batch_id
FROM {_ROWS} AS found ({HISTORY_COLUMNS})
JOIN recipient AS r ON r.message = found.message AND r.position = found.position
LEFT JOIN LATERAL (
    SELECT * FROM attempt AS a WHERE a.message = r.message AND a.position = r.position ORDER BY entry DESC LIMIT 1
) AS last ON true
WHERE last.entry IS NULL
    OR (last.call, last.outcome, last.maybe_accepted, last.reason, last.provider_message_id, last.provider_batch_id)
    <> (found.call, found.outcome, found.maybe_accepted, found.reason, found.provider_message_id,
        found.provider_batch_id)
"""  # noqa: S608 - our own words
INTERRUPT_ATTEMPTS = f"""
INSERT INTO attempt ({ATTEMPT_COLUMNS})
SELECT r.message, r.position, {_NEXT_ENTRY}, r.attempts, coalesce(m.leased_by, ''), r.changed_at, $2, NULL, '',
    'interrupted', true, $3, '', ''
FROM recipient AS r JOIN message AS m ON m.seq = r.message
WHERE r.message = ANY($1::bigint[]) AND r.state = 'sending'
"""  # noqa: S608 - our own words
# When it is due was said of the attempt before; now its account's wait counts, from the time of the change.
INTERRUPT_RECIPIENTS = """
UPDATE recipient SET state = 'unconfirmed', changed_at = $2, reason = $3, due_at = NULL
WHERE message = ANY($1::bigint[]) AND state = 'sending'
"""


async def write_ended(connection: Connection, rows: Sequence[tuple[Value, ...]]) -> None:
    """Write the attempts of recipients that are SENDING, before their states change."""
    if rows:
        await connection.execute(INSERT_ATTEMPTS, *columns(rows))


async def write_findings(connection: Connection, rows: Sequence[tuple[Value, ...]]) -> None:
    """Write what was found out otherwise, unless it was written just before."""
    if rows:
        await connection.execute(INSERT_FINDINGS, *columns(rows))


async def interrupt(connection: Connection, seqs: Sequence[int], now: float) -> None:
    """End the attempts that nobody will end: what was being sent may have been accepted. Before the lease changes."""
    if seqs:
        await connection.execute(INTERRUPT_ATTEMPTS, list(seqs), now, INTERRUPTED)
        await connection.execute(INTERRUPT_RECIPIENTS, list(seqs), now, INTERRUPTED)

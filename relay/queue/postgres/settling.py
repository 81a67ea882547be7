"""Writing down what attempts brought, and giving leases back."""

from collections.abc import Sequence

from relay.errors import QueueError
from relay.queue.postgres.acting import do_noted
from relay.queue.postgres.history import interrupt, write_ended, write_findings
from relay.queue.postgres.keeping import close
from relay.queue.postgres.leases import look_up
from relay.queue.postgres.many import Connection, columns, unnest
from relay.queue.rows import Value
from relay.queue.settling import Changes, Settlement, plan_settle
from relay.queue.told import RESULT_COLUMNS

_ROWS = unnest(
    "bigint", "integer", "text", "text", "float8", "float8", "boolean", "text", "text", "boolean", "text", "text"
)
# Only an acceptance brings ids; what an earlier one brought stays. Who is found unconfirmed again stays so since then.
RECORD_RECIPIENTS = f"""
UPDATE recipient SET state = result.state, reason = result.reason, due_at = result.due_at,
    changed_at = CASE WHEN recipient.state = result.state THEN changed_at ELSE result.now END,
    attempts = attempts - result.taken_back::integer, status = result.status, owed = result.owed,
    provider_message_id = CASE WHEN result.is_accepted THEN result.provider_message_id
        ELSE recipient.provider_message_id END,
    provider_batch_id = CASE WHEN result.is_accepted THEN result.provider_batch_id
        ELSE recipient.provider_batch_id END
FROM {_ROWS} AS result ({RESULT_COLUMNS})
WHERE recipient.message = result.message AND recipient.position = result.position
"""  # noqa: S608 - our own words
MARK_FINISHED = "UPDATE message SET finished_at = coalesce(finished_at, $2) WHERE seq = ANY($1::bigint[])"
MARK_OPEN = "UPDATE message SET finished_at = NULL WHERE finished_at IS NOT NULL AND seq = ANY($1::bigint[])"
OWE_REPORTS = f"""
UPDATE message SET report_due_at = owing.report_due_at
FROM {unnest("bigint", "float8")} AS owing (seq, report_due_at) WHERE message.seq = owing.seq
"""  # noqa: S608 - our own words
RELEASE_MESSAGES = f"""
UPDATE message SET due_at = released.due_at, leased_by = NULL, lease_until = NULL
FROM {unnest("bigint", "float8")} AS released (seq, due_at) WHERE message.seq = released.seq
"""  # noqa: S608 - our own words


async def settle(connection: Connection, settlements: Sequence[Settlement]) -> list[str | QueueError | None]:
    """Write settlements down; tells for each what is wrong with it, if anything."""
    changes, said = plan_settle(settlements, await look_up(connection, (each.claim for each in settlements)))
    await _write(connection, changes, settlements[0].now)
    return said


async def write_recipients(connection: Connection, rows: Sequence[tuple[Value, ...]]) -> None:
    """Write where recipients stand now."""
    if rows:
        await connection.execute(RECORD_RECIPIENTS, *columns(rows))


async def _write(connection: Connection, changes: Changes, now: float) -> None:
    await write_ended(connection, changes.ended)
    await write_findings(connection, changes.findings)
    await write_recipients(connection, changes.recipients)
    await interrupt(connection, changes.interrupted, now)
    if changes.finished:
        await connection.execute(MARK_FINISHED, changes.finished, now)
    if changes.open:
        await connection.execute(MARK_OPEN, changes.open)
    if changes.closed:
        await close(connection, changes.closed, now)
    if changes.owing:
        await connection.execute(OWE_REPORTS, *columns(changes.owing))
    if changes.released:
        await connection.execute(RELEASE_MESSAGES, *columns(changes.released))
        await do_noted(connection, [seq for seq, _ in changes.released], now)

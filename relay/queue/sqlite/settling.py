"""Writing down what attempts brought, and giving leases back. Runs in the writer thread."""

import sqlite3
from collections.abc import Sequence

from relay.errors import QueueError
from relay.queue.rows import Value
from relay.queue.settling import Changes, Settlement, plan_settle
from relay.queue.sqlite.acting import do_noted
from relay.queue.sqlite.history import interrupt, write_ended, write_findings
from relay.queue.sqlite.keeping import close
from relay.queue.sqlite.leases import look_up
from relay.queue.sqlite.many import execute_rows, listed
from relay.queue.told import RESULT_COLUMNS

# Only an acceptance brings ids; what an earlier one brought stays. Who is found unconfirmed again stays so since then.
RECORD_RECIPIENTS = f"""
WITH result ({RESULT_COLUMNS}) AS (VALUES {{rows}})
UPDATE recipient SET state = result.state, reason = result.reason, due_at = result.due_at,
    changed_at = CASE WHEN recipient.state = result.state THEN changed_at ELSE result.now END,
    attempts = attempts - result.taken_back, status = result.status, owed = result.owed,
    provider_message_id = CASE WHEN result.is_accepted THEN result.provider_message_id
        ELSE recipient.provider_message_id END,
    provider_batch_id = CASE WHEN result.is_accepted THEN result.provider_batch_id
        ELSE recipient.provider_batch_id END
FROM result WHERE recipient.message = result.message AND recipient.position = result.position
"""  # noqa: S608 - our own words
MARK_FINISHED = """
UPDATE message SET finished_at = coalesce(finished_at, :now) WHERE seq IN (SELECT value FROM json_each(:seqs))
"""
MARK_OPEN = """
UPDATE message SET finished_at = NULL
WHERE finished_at IS NOT NULL AND seq IN (SELECT value FROM json_each(:seqs))
"""
OWE_REPORTS = """
WITH owing (seq, report_due_at) AS (VALUES {rows})
UPDATE message SET report_due_at = owing.report_due_at FROM owing WHERE message.seq = owing.seq
"""
RELEASE_MESSAGES = """
WITH released (seq, due_at) AS (VALUES {rows})
UPDATE message SET due_at = released.due_at, leased_by = NULL, lease_until = NULL FROM released
WHERE message.seq = released.seq
"""


def settle(connection: sqlite3.Connection, settlements: Sequence[Settlement]) -> list[str | QueueError | None]:
    """Write settlements down; tells for each the body's file where it closed the message, or what is wrong with it."""
    changes, said = plan_settle(settlements, look_up(connection, (each.claim for each in settlements)))
    _write(connection, changes, settlements[0].now)
    return said


def write_recipients(connection: sqlite3.Connection, rows: Sequence[tuple[Value, ...]]) -> None:
    """Write where recipients stand now."""
    execute_rows(connection, RECORD_RECIPIENTS, rows)


def _write(connection: sqlite3.Connection, changes: Changes, now: float) -> None:
    write_ended(connection, changes.ended)
    write_findings(connection, changes.findings)
    write_recipients(connection, changes.recipients)
    for seq in changes.interrupted:
        interrupt(connection, seq, now)
    if changes.finished:
        connection.execute(MARK_FINISHED, {"seqs": listed(changes.finished), "now": now})
    if changes.open:
        connection.execute(MARK_OPEN, {"seqs": listed(changes.open)})
    if changes.closed:
        close(connection, changes.closed, now)
    execute_rows(connection, OWE_REPORTS, changes.owing)
    if changes.released:
        execute_rows(connection, RELEASE_MESSAGES, changes.released)
        do_noted(connection, [seq for seq, _ in changes.released], now)

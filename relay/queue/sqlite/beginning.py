"""Journalling, before calls go out, that they do. Runs in the writer thread."""

import sqlite3
from collections.abc import Sequence

from relay.errors import QueueError
from relay.queue.beginning import Beginning, plan_begin
from relay.queue.sqlite.history import interrupt
from relay.queue.sqlite.leases import look_up
from relay.queue.sqlite.many import execute_rows, listed

BEGIN_RECIPIENTS = """
WITH begun (message, position, now) AS (VALUES {rows})
UPDATE recipient SET state = 'sending', changed_at = begun.now, attempts = attempts + 1 FROM begun
WHERE recipient.message = begun.message AND recipient.position = begun.position
"""
RENEW_LEASES = """
UPDATE message SET lease_until = :until WHERE seq IN (SELECT value FROM json_each(:seqs))
"""


def begin(connection: sqlite3.Connection, beginnings: Sequence[Beginning]) -> list[QueueError | None]:
    """Write down that calls are about to go out; LeaseLost, or another error, where one must not."""
    begun, told = plan_begin(beginnings, look_up(connection, (each.claim for each in beginnings)))
    for seq in begun.interrupted:
        interrupt(connection, seq, beginnings[0].now)
    until = max(each.now + each.lease_seconds for each in beginnings)
    connection.execute(RENEW_LEASES, {"seqs": listed(begun.seqs), "until": until})
    execute_rows(connection, BEGIN_RECIPIENTS, begun.rows)
    return told

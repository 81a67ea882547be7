"""Times that lie in the future because a node's clock was ahead when it wrote them are brought near again.

Mail is never received in the future. Where an open message says so, by the clock of the server, the clock of its node
was ahead, and everything else that the node wrote is as far ahead: unmended, its mail would wait, and its accounts be
paused, as long as the step was. Leases are by the server's clock anyway. See also `relay.queue.sqlite.setback`.

The server's clock alone is not believed: were it far behind, all open mail would seem to lie ahead, and be given up
once it was moved. The clock of the node that looks must say the same.
"""

from relay.queue.postgres.leases import LEASE_NOW
from relay.queue.postgres.many import Connection, count
from relay.queue.setback import LONGEST_PAUSE_SECONDS, TOLERANCE_SECONDS, is_believed

SELECT_LEASE_NOW = f"SELECT {LEASE_NOW} AS now"

# What was written before the step lies ahead of now; what has been written since does not, and stays. What may have
# been accepted must not be sent again sooner for being mended.
MEND_RECIPIENTS = f"""
UPDATE recipient SET
    due_at = CASE WHEN changed_at > {LEASE_NOW} AND due_at >= ahead.received_at
        THEN due_at - ahead.received_at + {LEASE_NOW} ELSE due_at END,
    changed_at = least(changed_at, {LEASE_NOW})
FROM (SELECT seq, received_at FROM message
    WHERE finished_at IS NULL AND received_at > {LEASE_NOW} + $2 ORDER BY seq FOR NO KEY UPDATE) AS ahead
WHERE recipient.message = ahead.seq
"""  # noqa: S608 - our own words
MEND_MESSAGES = f"""
UPDATE message SET
    due_at = CASE WHEN due_at >= received_at THEN due_at - received_at + {LEASE_NOW} ELSE due_at END,
    expires_at = expires_at - received_at + {LEASE_NOW},
    notice_at = notice_at - received_at + {LEASE_NOW},
    report_due_at = CASE WHEN report_due_at >= received_at THEN report_due_at - received_at + {LEASE_NOW}
        ELSE report_due_at END,
    received_at = {LEASE_NOW}
WHERE finished_at IS NULL AND received_at > {LEASE_NOW} + $2
"""  # noqa: S608 - our own words
# What finished was to be reported at once.
MEND_OWED = f"""
UPDATE message SET report_due_at = {LEASE_NOW} WHERE report_due_at > {LEASE_NOW} + $2 AND finished_at IS NOT NULL
"""  # noqa: S608 - our own words
MEND_REPORTS = f"""
UPDATE report SET due_at = {LEASE_NOW}, made_at = {LEASE_NOW} WHERE finished_at IS NULL AND made_at > {LEASE_NOW} + $2
"""  # noqa: S608 - our own words
MEND_PAUSES = f"UPDATE pause SET until = {LEASE_NOW} WHERE until > {LEASE_NOW} + $2"  # noqa: S608 - our own words
MEND_DOUBTS = f"UPDATE doubt SET since = {LEASE_NOW} WHERE since > {LEASE_NOW} + $2"  # noqa: S608 - our own words


async def mend(connection: Connection, now: float, lease_now: float | None) -> int:
    """Bring back what lies ahead of the server's clock, where the node's agrees with it. Returns how many messages."""
    server = await connection.fetchrow(SELECT_LEASE_NOW, lease_now)
    if server is None or not is_believed(now, server["now"]):
        return 0
    for statement in (MEND_DOUBTS, MEND_OWED, MEND_REPORTS, MEND_RECIPIENTS):
        await connection.execute(statement, lease_now, TOLERANCE_SECONDS)
    messages = count(await connection.execute(MEND_MESSAGES, lease_now, TOLERANCE_SECONDS))
    if messages:
        await connection.execute(MEND_PAUSES, lease_now, LONGEST_PAUSE_SECONDS)
    return messages

"""A clock that was set back while nobody looked: what lies in the future because of it is brought near again.

Mail is never received in the future. Where an open message says so, the clock that wrote it was ahead, and everything
else that it wrote is as far ahead: unmended, its mail would wait, and its accounts be paused, as long as the step was.
"""

import sqlite3

from relay.queue.setback import LONGEST_PAUSE_SECONDS, TOLERANCE_SECONDS, is_believed

# What was written before the step lies ahead of now; what has been written since does not, and stays. What may have
# been accepted must not be sent again sooner for being mended.
MEND_RECIPIENTS = """
UPDATE recipient SET
    due_at = CASE WHEN changed_at > :now AND due_at >= ahead.received_at THEN due_at - ahead.received_at + :now
        ELSE due_at END,
    changed_at = min(changed_at, :now)
FROM (SELECT seq, received_at FROM message INDEXED BY message_open
    WHERE finished_at IS NULL AND received_at > :latest) AS ahead
WHERE recipient.message = ahead.seq
"""
MEND_MESSAGES = """
UPDATE message INDEXED BY message_open SET
    due_at = CASE WHEN due_at >= received_at THEN due_at - received_at + :now ELSE due_at END,
    lease_until = CASE WHEN lease_until >= received_at THEN lease_until - received_at + :now ELSE lease_until END,
    expires_at = expires_at - received_at + :now,
    notice_at = notice_at - received_at + :now,
    report_due_at = CASE WHEN report_due_at >= received_at THEN report_due_at - received_at + :now
        ELSE report_due_at END,
    received_at = :now
WHERE finished_at IS NULL AND received_at > :latest
"""
# What finished was to be reported at once.
MEND_OWED = """
UPDATE message INDEXED BY message_report_due SET report_due_at = :now
WHERE report_due_at > :latest AND finished_at IS NOT NULL
"""
MEND_REPORTS = """
UPDATE report INDEXED BY report_due SET due_at = :now, made_at = :now, lease_until = min(lease_until, :now)
WHERE finished_at IS NULL AND made_at > :latest
"""
MEND_PAUSES = "UPDATE pause SET until = :now WHERE until > :longest"
# What is in doubt waits from now on.
MEND_DOUBTS = "UPDATE doubt SET since = :now WHERE since > :latest"


def mend(connection: sqlite3.Connection, now: float) -> int:
    """Bring back what lies ahead of the clock. Returns how many messages; where there are none it costs five looks."""
    if not is_believed(now):
        return 0
    ahead = {"now": now, "latest": now + TOLERANCE_SECONDS}
    connection.execute(MEND_DOUBTS, ahead)
    connection.execute(MEND_OWED, ahead)
    connection.execute(MEND_REPORTS, ahead)
    connection.execute(MEND_RECIPIENTS, ahead)
    messages = connection.execute(MEND_MESSAGES, ahead).rowcount
    if messages:
        connection.execute(MEND_PAUSES, {"now": now, "longest": now + LONGEST_PAUSE_SECONDS})
    return messages

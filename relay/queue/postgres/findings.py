"""What comes to light beside the attempts: proof, and bodies that cannot be read."""

from collections.abc import Sequence

from relay.message import MessageId
from relay.queue import telling
from relay.queue.contract import FINAL_STATES, Claim, Result, State
from relay.queue.findings import Proven, prove
from relay.queue.leases import lost
from relay.queue.postgres.acting import do_noted
from relay.queue.postgres.history import write_findings
from relay.queue.postgres.keeping import close
from relay.queue.postgres.leases import look_up
from relay.queue.postgres.many import Connection, storable
from relay.queue.postgres.settling import write_recipients
from relay.queue.rows import Row, notify_from
from relay.queue.told import history_row, recipient_row

LOCK_MESSAGE = """
SELECT seq, leased_by, mail_from, notice_at, report_due_at FROM message WHERE id = $1 FOR NO KEY UPDATE
"""
SELECT_STANDING = "SELECT position, state, notify, owed FROM recipient WHERE message = $1 ORDER BY position"
MARK_FINISHED = """
UPDATE message SET finished_at = coalesce(finished_at, $2), due_at = CASE WHEN $3::boolean THEN due_at END
WHERE seq = $1
"""
# Who is proven not to have it is due again, and the message then at the latest; with only held ones left it never is.
RESCHEDULE_MESSAGE = """
UPDATE message SET due_at = CASE WHEN $2::boolean THEN least(due_at, $3::float8) END WHERE seq = $1
"""
OWE_REPORT = "UPDATE message SET report_due_at = $2 WHERE seq = $1"
RELEASE_MESSAGE = "UPDATE message SET due_at = $2, leased_by = NULL, lease_until = NULL WHERE seq = $1"
HOLD_RECIPIENTS = """
UPDATE recipient SET state = 'held', changed_at = $3, reason = $2, due_at = NULL
WHERE message = $1 AND state IN ('queued', 'sending', 'unconfirmed')
"""


async def standing(connection: Connection, message_id: MessageId) -> tuple[Row | None, Sequence[Row]]:
    """Lock a message's row and read how its recipients stand, by position; None: there is no such message."""
    row = await connection.fetchrow(LOCK_MESSAGE, message_id)
    return row, await connection.fetch(SELECT_STANDING, row["seq"]) if row else ()


async def confirm(connection: Connection, message_id: MessageId, results: Sequence[Result], now: float) -> int:
    """Write down what came to light of recipients that nobody was sure of; returns of how many."""
    row, recipients = await standing(connection, message_id)
    proven = prove(results, {each["position"]: State(each["state"]) for each in recipients}, now)
    if row is None or not proven.results:
        return 0
    seq = row["seq"]
    notify = {each["position"]: notify_from(each["notify"]) for each in recipients}
    owed = {each.position: telling.owed(row["mail_from"], each.state, notify[each.position]) for each in proven.results}
    history = [history_row(seq, each, owner="", now=now, seconds=0.0, call="") for each in proven.results]
    await write_findings(connection, history)
    rows = [recipient_row(seq, each, State.UNCONFIRMED, owed[each.position], now) for each in proven.results]
    await write_recipients(connection, rows)
    is_owed = any(owed.values()) or any(each["owed"] for each in recipients)
    await owe(connection, row, now, is_owed=is_owed, is_finished=proven.is_finished)
    await _reschedule(connection, row, proven, now, is_owed=is_owed)
    return len(proven.results)


async def set_aside(connection: Connection, claim: Claim, reason: str, now: float) -> bool:
    """Give back the lease of a message whose body cannot be read, to a person.

    Returns False where proof came meanwhile for all its recipients: nobody needs the body, the next claim closes it.
    Raises LeaseLost.
    """
    leased = (await look_up(connection, [claim])).get(claim.message.id)
    if error := lost(claim, leased):
        raise error
    assert leased is not None  # noqa: S101 - what is not there has been lost
    if FINAL_STATES.issuperset(leased.states.values()):
        await connection.execute(RELEASE_MESSAGE, leased.seq, now)
        return False
    await connection.execute(HOLD_RECIPIENTS, leased.seq, storable(reason), now)
    await connection.execute(RELEASE_MESSAGE, leased.seq, None)
    await do_noted(connection, [leased.seq], now)
    return True


async def owe(
    connection: Connection, row: Row, now: float, *, is_owed: bool, is_finished: bool, is_new: bool = False
) -> None:
    """Write down when a report of a message is due; `row` tells its seq, notice_at and report_due_at until now.

    `is_new`: what was due until now has been told, and only the rest counts.
    """
    due_at = telling.report_due_at(
        now,
        is_owed=is_owed,
        is_finished=is_finished,
        notice_at=row["notice_at"],
        known=None if is_new else row["report_due_at"],
    )
    if due_at != row["report_due_at"]:
        await connection.execute(OWE_REPORT, row["seq"], due_at)


async def _reschedule(connection: Connection, row: Row, proven: Proven, now: float, *, is_owed: bool) -> None:
    is_leased = row["leased_by"] is not None
    if proven.is_finished and not is_leased and not is_owed:
        await close(connection, [row["seq"]], now)
    elif proven.is_finished:  # the body goes with the lease, or once its sender has been told
        await connection.execute(MARK_FINISHED, row["seq"], now, is_leased)
    elif not is_leased and (proven.due_at is not None or not proven.waits):
        # Otherwise its holder says when it is due.
        await connection.execute(RESCHEDULE_MESSAGE, row["seq"], proven.waits, proven.due_at)

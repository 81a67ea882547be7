"""What comes to light beside the attempts: proof, and bodies that cannot be read. Runs in the writer thread."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from relay.message import MessageId
from relay.queue import telling
from relay.queue.contract import FINAL_STATES, Claim, Result, State
from relay.queue.findings import Proven, prove
from relay.queue.leases import lost
from relay.queue.rows import notify_from
from relay.queue.sqlite.acting import do_noted
from relay.queue.sqlite.history import write_findings
from relay.queue.sqlite.keeping import close
from relay.queue.sqlite.leases import look_up
from relay.queue.sqlite.settling import write_recipients
from relay.queue.told import history_row, recipient_row

SELECT_BY_ID = "SELECT seq, leased_by, body_file, mail_from, notice_at, report_due_at FROM message WHERE id = ?"
SELECT_STANDING = "SELECT position, state, notify, owed FROM recipient WHERE message = ?"
MARK_FINISHED = """
UPDATE message SET finished_at = coalesce(finished_at, :now), due_at = CASE WHEN :is_leased THEN due_at END
WHERE seq = :seq
"""
# Who is proven not to have it is due again, and the message then at the latest; with only held ones left it never is.
RESCHEDULE_MESSAGE = """
UPDATE message SET due_at = CASE WHEN :waits THEN min(coalesce(due_at, :due_at), :due_at) END WHERE seq = :seq
"""
OWE_REPORT = "UPDATE message SET report_due_at = :due_at WHERE seq = :seq"
RELEASE_MESSAGE = "UPDATE message SET due_at = :due_at, leased_by = NULL, lease_until = NULL WHERE seq = :seq"
HOLD_RECIPIENTS = """
UPDATE recipient SET state = 'held', changed_at = :now, reason = :reason, due_at = NULL
WHERE message = :message AND state IN ('queued', 'sending', 'unconfirmed')
"""
EXPLAIN_RECIPIENTS = """
UPDATE recipient SET reason = :reason WHERE message = :message AND state IN ('queued', 'unconfirmed')
"""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What one proof settled."""

    recipients: int
    file: str | None = None  # the body of a message that it finished; to be deleted once this is committed


def confirm(connection: sqlite3.Connection, message_id: MessageId, results: Sequence[Result], now: float) -> Confirmed:
    """Write down what came to light of recipients that nobody was sure of."""
    row = connection.execute(SELECT_BY_ID, (message_id,)).fetchone()
    if row is None:
        return Confirmed(0)
    seq = int(row["seq"])
    standing = {each["position"]: each for each in connection.execute(SELECT_STANDING, (seq,))}
    proven = prove(results, {position: State(each["state"]) for position, each in standing.items()}, now)
    if not proven.results:
        return Confirmed(0)
    write_findings(
        connection,
        [history_row(seq, result, owner="", now=now, seconds=0.0, call="") for result in proven.results],
    )
    owed = {
        result.position: telling.owed(row["mail_from"], result.state, notify_from(standing[result.position]["notify"]))
        for result in proven.results
    }
    write_recipients(
        connection,
        [recipient_row(seq, result, State.UNCONFIRMED, owed[result.position], now) for result in proven.results],
    )
    is_owed = any(owed.values()) or any(each["owed"] for each in standing.values())
    owe(connection, row, now, is_owed=is_owed, is_finished=proven.is_finished)
    is_leased = row["leased_by"] is not None
    if proven.is_finished and not is_leased and not is_owed:
        close(connection, [seq], now)
        return Confirmed(len(proven.results), row["body_file"])
    if proven.is_finished:  # the body goes with the lease, or once its sender has been told
        connection.execute(MARK_FINISHED, {"seq": seq, "now": now, "is_leased": is_leased})
    elif not is_leased:  # otherwise its holder says when it is due
        _reschedule(connection, seq, proven, now)
    return Confirmed(len(proven.results))


def set_aside(connection: sqlite3.Connection, claim: Claim, reason: str, due_at: float | None, now: float) -> bool:
    """Give back the lease of a message whose body cannot be read: to come again at a time, or (None) to a person.

    Returns False where proof came meanwhile for all its recipients: nobody needs the body, the next claim closes it.
    Raises LeaseLost.
    """
    leased = look_up(connection, [claim]).get(claim.message.id)
    if error := lost(claim, leased):
        raise error
    assert leased is not None  # noqa: S101 - what is not there has been lost
    if FINAL_STATES.issuperset(leased.states.values()):
        connection.execute(RELEASE_MESSAGE, {"seq": leased.seq, "due_at": now})
        return False
    values = {"message": leased.seq, "reason": reason, "now": now}
    connection.execute(HOLD_RECIPIENTS if due_at is None else EXPLAIN_RECIPIENTS, values)
    connection.execute(RELEASE_MESSAGE, {"seq": leased.seq, "due_at": due_at})
    do_noted(connection, [leased.seq], now)
    return True


def owe(
    connection: sqlite3.Connection,
    row: sqlite3.Row,
    now: float,
    *,
    is_owed: bool,
    is_finished: bool,
    is_new: bool = False,
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
        connection.execute(OWE_REPORT, {"seq": row["seq"], "due_at": due_at})


def _reschedule(connection: sqlite3.Connection, seq: int, proven: Proven, now: float) -> None:
    if proven.due_at is not None or not proven.waits:
        due_at = now if proven.due_at is None else proven.due_at
        connection.execute(RESCHEDULE_MESSAGE, {"seq": seq, "waits": proven.waits, "due_at": due_at})

"""What senders are still to be told, and that they are. Runs in the writer thread, but for what only reads."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from relay.message import MessageId
from relay.queue.candidates import CLAIM_BYTES
from relay.queue.contract import FINAL_STATES, Action, RecipientEntry, State
from relay.queue.reporting import Report, Untold
from relay.queue.rows import message_from, notify_from
from relay.queue.sqlite.claiming import Caught, entries_of
from relay.queue.sqlite.findings import owe as owe_report
from relay.queue.sqlite.keeping import close
from relay.queue.sqlite.many import listed
from relay.queue.telling import wants_failure

SELECT_UNTOLD = """
SELECT * FROM message INDEXED BY message_report_due WHERE report_due_at <= :now ORDER BY report_due_at LIMIT :limit
"""
SELECT_ATTEMPTED = """
SELECT message, position, max(ended_at) AS at FROM attempt WHERE message IN (SELECT value FROM json_each(?))
GROUP BY message, position
"""
SELECT_MESSAGE = """
SELECT seq, mail_from, notice_at, report_due_at, leased_by, body_file FROM message WHERE id = ?
"""
SELECT_STANDING = "SELECT position, state, notify, owed FROM recipient WHERE message = ? ORDER BY position"
UPDATE_TOLD = "UPDATE recipient SET owed = NULL WHERE message = ? AND position IN (SELECT value FROM json_each(?))"
UPDATE_NOTICED = "UPDATE message SET notice_at = NULL WHERE seq = ?"
UPDATE_OWED = "UPDATE recipient SET owed = :owed, reason = :reason WHERE message = :message AND position = :position"
INSERT_REPORT = """
INSERT INTO report (id, message, account, sender, data, kept_bytes, made_at, state, attempts, reason, due_at)
VALUES (?, ?, ?, ?, ?, ?, ?, 'queued', 0, '', ?)
"""


@dataclass(frozen=True, slots=True)
class Found:
    """A message that owes its sender something; its body is still to be read."""

    caught: Caught
    notice_at: float | None  # that it waits is to be told, too
    attempted_at: Mapping[int, float]

    def untold(self, data: bytes) -> Untold:
        """Return the message with its body as read."""
        row, entries = self.caught.row, self.caught.entries
        message = message_from(row, entries, data)
        return Untold(message, entries, row["expires_at"], self.notice_at, self.attempted_at)


@dataclass(frozen=True, slots=True)
class Telling:
    """What came of telling."""

    is_done: bool  # False: somebody told of it meanwhile
    file: str | None = None  # the body of a message that nobody needs any more; to be deleted once this is committed


def untold(connection: sqlite3.Connection, limit: int, now: float) -> Sequence[Found]:
    """Read what is to be told by now; no more bodies than a claim may bring."""
    rows: list[sqlite3.Row] = []
    for row in connection.execute(SELECT_UNTOLD, {"now": now, "limit": limit}).fetchall():
        if rows and sum(each["kept_bytes"] for each in rows) + row["kept_bytes"] > CLAIM_BYTES:
            break
        rows.append(row)
    seqs = listed(row["seq"] for row in rows)
    entries = entries_of(connection, seqs)
    attempted: dict[int, dict[int, float]] = {row["seq"]: {} for row in rows}
    for each in connection.execute(SELECT_ATTEMPTED, (seqs,)):
        attempted[each["message"]][each["position"]] = each["at"]
    return [Found(Caught(row, tuple(entries[row["seq"]])), _notice_at(row, now), attempted[row["seq"]]) for row in rows]


def tell(connection: sqlite3.Connection, told: Untold, report: Report | None, now: float) -> Telling:
    """Keep the report, if there is one, and owe no more what it tells."""
    row = connection.execute(SELECT_MESSAGE, (told.message.id,)).fetchone()
    standing = connection.execute(SELECT_STANDING, (row["seq"],)).fetchall() if row else []
    wanted = _owed_by(told.entries)
    owed = {each["position"]: Action(each["owed"]) for each in standing if each["owed"]}
    if row is None or any(owed.get(position) is not action for position, action in wanted.items()):
        return Telling(is_done=False)
    if told.notice_at is not None and row["notice_at"] != told.notice_at:
        return Telling(is_done=False)
    seq = row["seq"]
    connection.execute(UPDATE_TOLD, (seq, listed(wanted)))
    if told.notice_at is not None:
        connection.execute(UPDATE_NOTICED, (seq,))
    if report is not None:
        _keep(connection, report)
    is_owed, is_finished = len(owed) > len(wanted), all(State(each["state"]) in FINAL_STATES for each in standing)
    if is_finished and not is_owed and row["leased_by"] is None:
        close(connection, [seq], now)
        return Telling(is_done=True, file=row["body_file"])
    row = connection.execute(SELECT_MESSAGE, (told.message.id,)).fetchone()
    owe_report(connection, row, now, is_owed=is_owed, is_finished=is_finished, is_new=True)
    return Telling(is_done=True)


def owe(connection: sqlite3.Connection, message_id: MessageId, failures: Mapping[int, str], now: float) -> int:
    """Owe the failure of recipients; returns of how many."""
    row = connection.execute(SELECT_MESSAGE, (message_id,)).fetchone()
    if row is None or not row["mail_from"]:
        return 0
    standing = connection.execute(SELECT_STANDING, (row["seq"],)).fetchall()
    wanting = [
        each["position"]
        for each in standing
        if each["position"] in failures and wants_failure(notify_from(each["notify"]))
    ]
    for position in wanting:
        values = {"owed": Action.FAILED, "reason": failures[position], "message": row["seq"], "position": position}
        connection.execute(UPDATE_OWED, values)
    if wanting:
        is_finished = all(State(each["state"]) in FINAL_STATES for each in standing)
        owe_report(connection, row, now, is_owed=True, is_finished=is_finished)
    return len(wanting)


def _keep(connection: sqlite3.Connection, report: Report) -> None:
    connection.execute(
        INSERT_REPORT,
        (
            report.id,
            report.message_id,
            report.account,
            report.sender,
            report.data,
            len(report.data),
            report.made_at,
            report.made_at,
        ),
    )


def _owed_by(entries: Sequence[RecipientEntry]) -> dict[int, Action]:
    return {entry.position: entry.owed for entry in entries if entry.owed is not None}


def _notice_at(row: sqlite3.Row, now: float) -> float | None:
    notice_at: float | None = row["notice_at"]
    return notice_at if notice_at is not None and notice_at <= now else None

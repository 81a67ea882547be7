"""Taking messages in, letting their bodies go, and forgetting them. Runs in the writer thread."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from relay.errors import QueueError, QueueFull
from relay.queue.contract import WAITING_STATES, NewMessage, State
from relay.queue.rows import (
    MESSAGE_COLUMNS,
    RECIPIENT_COLUMNS,
    Value,
    entry_values,
    is_open,
    keeps_body,
    message_values,
)
from relay.queue.sqlite.bodies import BodyFile
from relay.queue.sqlite.history import ATTEMPT_COLUMNS
from relay.queue.sqlite.many import execute_rows, listed
from relay.queue.sqlite.room import Room
from relay.queue.telling import owed_by, report_due_at

INSERT_MESSAGES = f"""
INSERT INTO message (seq, {MESSAGE_COLUMNS}, kept_bytes, body_file, body_digest, due_at, leased_by, lease_until,
    finished_at, lease, notice_at, report_due_at)
VALUES {{rows}}
"""  # noqa: S608 - our own words
INSERT_BODIES = "INSERT INTO body (message, data) VALUES {rows}"
INSERT_RECIPIENTS = f"INSERT INTO recipient ({RECIPIENT_COLUMNS}) VALUES {{rows}}"  # noqa: S608 - our own words
# An attempt that was made while the client waited, and that the API may have taken.
INSERT_UNCONFIRMED = f"""
WITH unconfirmed (message, position, now) AS (VALUES {{rows}})
INSERT INTO attempt ({ATTEMPT_COLUMNS})
SELECT r.message, r.position, 1, r.attempts, '', m.received_at, unconfirmed.now, NULL, '', 'deferred', 1, r.reason,
    '', ''
FROM unconfirmed CROSS JOIN message AS m ON m.seq = unconfirmed.message
CROSS JOIN recipient AS r ON r.message = unconfirmed.message AND r.position = unconfirmed.position
"""  # noqa: S608 - our own words
SELECT_KEPT = """
SELECT (SELECT value FROM tally WHERE name = 'bytes_kept'), (SELECT value FROM tally WHERE name = 'messages_open'),
    (SELECT coalesce(max(seq), 0) FROM message)
"""
# Nothing is left to be done: no due time, no lease, no report, no body.
CLOSE_MESSAGES = """
UPDATE message SET due_at = NULL, leased_by = NULL, lease_until = NULL, kept_bytes = 0, body_file = NULL,
    body_digest = NULL, finished_at = coalesce(finished_at, :now), notice_at = NULL, report_due_at = NULL
WHERE seq IN (SELECT value FROM json_each(:seqs))
"""
DELETE_BODIES = "DELETE FROM body WHERE message IN (SELECT value FROM json_each(:seqs))"
# Attempts, recipients and body go with the message (ON DELETE CASCADE).
DELETE_FINISHED = """
DELETE FROM message WHERE seq IN (
    SELECT seq FROM message WHERE finished_at < :before AND leased_by IS NULL AND report_due_at IS NULL
    ORDER BY finished_at LIMIT :limit)
RETURNING body_file
"""
DELETE_FINISHED_REPORTS = """
DELETE FROM report WHERE seq IN (SELECT seq FROM report WHERE finished_at < :before ORDER BY finished_at LIMIT :limit)
"""
COUNT_FREE_PAGES = "PRAGMA freelist_count"
GIVE_BACK_PAGES = "PRAGMA incremental_vacuum(500)"
#: Free pages that stay for the next mail: 64 MB.
_SPARE_PAGES = 16384


@dataclass(frozen=True, slots=True)
class Pruned:
    """What one step of pruning took away."""

    messages: int
    files: tuple[str, ...]  # bodies to delete once this is committed


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message on its way in."""

    new: NewMessage
    file: BodyFile | None = None  # where its body has been written already; None: it goes into the table
    is_bare: bool = False  # its body is left out: there is no room for it

    @property
    def keeps_body(self) -> bool:
        """Tell whether the body is kept."""
        return keeps_body(self.new) and not self.is_bare


def insert(
    connection: sqlite3.Connection, incoming: Sequence[Incoming], room: Room, now: float
) -> list[QueueError | None]:
    """Write messages with their recipients, and their bodies unless they are files already.

    Those that there is no room for are told QueueFull and are not written.
    """
    kept, waiting, seq = connection.execute(SELECT_KEPT).fetchone()
    messages: list[tuple[Value, ...]] = []
    recipients: list[tuple[Value, ...]] = []
    bodies: list[tuple[Value, ...]] = []
    unconfirmed: list[tuple[Value, ...]] = []
    told: list[QueueError | None] = []
    for each in incoming:
        size = len(each.new.message.data) if each.keeps_body else 0
        try:
            _check_room(each, size, kept, waiting, room)
        except QueueFull as error:
            told.append(error)
            continue
        seq, kept, waiting = seq + 1, kept + size, waiting + is_open(each.new.entries)
        owed = owed_by(each.new.entries, each.new.message.envelope.mail_from)
        messages.append(_message_row(seq, each, size, now, is_owed=bool(owed)))
        recipients += [entry_values(seq, entry, owed.get(entry.position), now) for entry in each.new.entries]
        unsure = (entry for entry in each.new.entries if entry.state is State.UNCONFIRMED)
        unconfirmed += [(seq, entry.position, now) for entry in unsure]
        if each.keeps_body and each.file is None:
            bodies.append((seq, each.new.message.data))
        told.append(None)
    execute_rows(connection, INSERT_MESSAGES, messages)
    execute_rows(connection, INSERT_RECIPIENTS, recipients)
    execute_rows(connection, INSERT_UNCONFIRMED, unconfirmed)
    execute_rows(connection, INSERT_BODIES, bodies)
    return told


def _check_room(incoming: Incoming, size: int, kept: int, waiting: int, room: Room) -> None:
    if incoming.keeps_body:
        room.check_kept(size, kept, waiting)
        if incoming.file is None:
            room.take_disk(2 * size)  # to the log first, and then to the table


def _message_row(seq: int, incoming: Incoming, size: int, now: float, *, is_owed: bool) -> tuple[Value, ...]:
    new, file = incoming.new, incoming.file
    is_unfinished = is_open(new.entries)
    is_waiting = any(entry.state in WAITING_STATES for entry in new.entries)
    is_leased = bool(new.leased_by) and is_unfinished
    return (
        seq,
        *message_values(new),
        size,
        file.name if file else None,
        file.digest if file else None,
        new.due_at if is_waiting else None,
        new.leased_by if is_leased else None,
        now + new.lease_seconds if is_leased else None,
        None if is_unfinished else now,
        0,
        new.notice_at,
        report_due_at(now, is_owed=is_owed, is_finished=not is_unfinished, notice_at=new.notice_at),
    )


def close(connection: sqlite3.Connection, seqs: Iterable[int], now: float) -> None:
    """Close messages whose recipients are all final and that owe no report.

    Their body files may be deleted once this is committed.
    """
    values = {"seqs": listed(seqs), "now": now}
    connection.execute(CLOSE_MESSAGES, values)
    connection.execute(DELETE_BODIES, {"seqs": values["seqs"]})


def prune(connection: sqlite3.Connection, before: float, limit: int) -> Pruned:
    """Forget up to `limit` messages, and as many reports, that were finished before a time."""
    connection.execute(DELETE_FINISHED_REPORTS, {"before": before, "limit": limit})
    files = [row[0] for row in connection.execute(DELETE_FINISHED, {"before": before, "limit": limit}).fetchall()]
    return Pruned(len(files), tuple(name for name in files if name))


def give_back(connection: sqlite3.Connection) -> bool:
    """Return some of the pages that a backlog left behind to the disk. Tells whether there are more."""
    free = int(connection.execute(COUNT_FREE_PAGES).fetchone()[0])
    if free > _SPARE_PAGES:
        connection.execute(GIVE_BACK_PAGES).fetchall()  # gives back as many as rows are fetched
    return free > _SPARE_PAGES

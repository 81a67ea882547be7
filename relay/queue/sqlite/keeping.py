"""Taking messages in, letting their bodies go, and forgetting them. Runs in the writer thread."""

import sqlite3
from dataclasses import dataclass

from relay.queue.contract import FINAL_STATES, NewMessage, RecipientEntry, State
from relay.queue.sqlite.bodies import BodyFile
from relay.queue.sqlite.room import Room
from relay.queue.sqlite.rows import entry_values, message_values

#: States in which somebody but a person has something to do.
WAITING_STATES = frozenset(State) - FINAL_STATES - {State.HELD}

INSERT_MESSAGE = """
INSERT INTO message (id, account, client, mode, mail_from, ret, envid, envelope, notes, recipients, size, kept_bytes,
    body_file, body_digest, received_at, expires_at, due_at, leased_by, lease_until, lease, finished_at)
VALUES (:id, :account, :client, :mode, :mail_from, :ret, :envid, :envelope, :notes, :recipients, :size, :kept_bytes,
    :body_file, :body_digest, :received_at, :expires_at, :due_at, :leased_by, :lease_until, 0, :finished_at)
"""
INSERT_BODY = "INSERT INTO body (message, data) VALUES (?, ?)"
INSERT_RECIPIENT = """
INSERT INTO recipient (message, position, address, mailbox, role, name, notify, orcpt, state, attempts,
    provider_message_id, provider_batch_id, reason, changed_at, due_at)
VALUES (:message, :position, :address, :mailbox, :role, :name, :notify, :orcpt, :state, :attempts,
    :provider_message_id, :provider_batch_id, :reason, :changed_at, :due_at)
"""
SELECT_KEPT_BYTES = "SELECT value FROM tally WHERE name = 'bytes_kept'"
SELECT_BODY_FILE = "SELECT body_file FROM message WHERE seq = ?"
# Nothing is left to be done: no due time, no lease, no body.
CLOSE_MESSAGE = """
UPDATE message SET due_at = NULL, leased_by = NULL, lease_until = NULL, kept_bytes = 0, body_file = NULL,
    body_digest = NULL, finished_at = coalesce(finished_at, :now)
WHERE seq = :seq
"""
DELETE_BODY = "DELETE FROM body WHERE message = ?"
# Attempts, recipients and body go with the message (ON DELETE CASCADE). PostgreSQL has no DELETE with LIMIT: the same
# through a sub-select.
DELETE_FINISHED = """
DELETE FROM message WHERE seq IN (
    SELECT seq FROM message WHERE finished_at < :before AND leased_by IS NULL ORDER BY finished_at LIMIT :limit)
RETURNING body_file
"""
# PostgreSQL: autovacuum does it.
COUNT_FREE_PAGES = "PRAGMA freelist_count"
GIVE_BACK_PAGES = "PRAGMA incremental_vacuum(500)"
#: Free pages that stay for the next mail: 64 MB.
_SPARE_PAGES = 16384


@dataclass(frozen=True, slots=True)
class Pruned:
    """What one step of pruning took away."""

    messages: int
    files: tuple[str, ...]  # bodies to delete once this is committed


def keeps_body(entries: tuple[RecipientEntry, ...]) -> bool:
    """Tell whether anybody still needs the body."""
    return any(entry.state not in FINAL_STATES for entry in entries)


def insert(connection: sqlite3.Connection, new: NewMessage, file: BodyFile | None, room: Room, now: float) -> None:
    """Write a message with its recipients, and its body unless that is a file already. Raises QueueFull."""
    is_open = keeps_body(new.entries)
    kept_bytes = len(new.message.data) if is_open else 0
    if is_open:
        room.check_kept(kept_bytes, connection.execute(SELECT_KEPT_BYTES).fetchone()[0])
        if file is None:
            room.take_disk(2 * kept_bytes)  # to the log first, and then to the table
    is_waiting = any(entry.state in WAITING_STATES for entry in new.entries)
    is_leased = bool(new.leased_by) and is_open
    values = message_values(new) | {
        "kept_bytes": kept_bytes,
        "body_file": file.name if file else None,
        "body_digest": file.digest if file else None,
        "due_at": new.due_at if is_waiting else None,
        "leased_by": new.leased_by if is_leased else None,
        "lease_until": now + new.lease_seconds if is_leased else None,
        "finished_at": None if is_open else now,
    }
    seq = connection.execute(INSERT_MESSAGE, values).lastrowid
    assert seq is not None  # noqa: S101 - sqlite3 gives one after every INSERT
    connection.executemany(INSERT_RECIPIENT, [entry_values(seq, entry, now) for entry in new.entries])
    if is_open and file is None:
        connection.execute(INSERT_BODY, (seq, new.message.data))


def finish(connection: sqlite3.Connection, seq: int, now: float) -> str | None:
    """Close a message whose recipients are all final. Returns the body's file, to be deleted once this is committed."""
    file: str | None = connection.execute(SELECT_BODY_FILE, (seq,)).fetchone()[0]
    connection.execute(CLOSE_MESSAGE, {"seq": seq, "now": now})
    connection.execute(DELETE_BODY, (seq,))
    return file


def prune(connection: sqlite3.Connection, before: float, limit: int) -> Pruned:
    """Forget up to `limit` messages that were finished before a time."""
    files = [row[0] for row in connection.execute(DELETE_FINISHED, {"before": before, "limit": limit}).fetchall()]
    return Pruned(len(files), tuple(name for name in files if name))


def give_back(connection: sqlite3.Connection) -> bool:
    """Return some of the pages that a backlog left behind to the disk. Tells whether there are more."""
    free = int(connection.execute(COUNT_FREE_PAGES).fetchone()[0])
    if free > _SPARE_PAGES:
        connection.execute(GIVE_BACK_PAGES).fetchall()  # gives back as many as rows are fetched
    return free > _SPARE_PAGES

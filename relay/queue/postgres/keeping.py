"""Taking messages in, letting their bodies go, and forgetting them."""

from collections.abc import Sequence
from dataclasses import dataclass

from relay.errors import QueueError, QueueFull
from relay.queue.contract import WAITING_STATES, NewMessage, State
from relay.queue.postgres.history import ATTEMPT_COLUMNS
from relay.queue.postgres.many import Connection, columns, count, unnest
from relay.queue.rows import (
    MESSAGE_COLUMNS,
    RECIPIENT_COLUMNS,
    Value,
    entry_values,
    is_open,
    keeps_body,
    message_values,
)
from relay.queue.telling import owed_by, report_due_at

#: Bodies above this many bytes come in parts of this size, before their message does.
PART_BYTES = 1024 * 1024
#: What was staged so long ago has lost its node, in seconds.
_STAGED_SECONDS = 3600.0

_MESSAGE_ROWS = unnest(
    *("bigint", "text", "text", "text", "text", "text", "text", "text", "text", "text", "integer", "bigint"),
    *("float8", "float8", "bigint", "float8", "text", "float8", "float8", "float8", "float8", "float8"),
)
INSERT_MESSAGES = f"""
INSERT INTO message (seq, {MESSAGE_COLUMNS}, kept_bytes, due_at, leased_by, lease_until, finished_at, notice_at,
    report_due_at, lease)
SELECT coalesce(seq, nextval('message_seq')), {MESSAGE_COLUMNS}, kept_bytes, due_at, leased_by,
    coalesce(lease_now, extract(epoch FROM statement_timestamp())) + lease_seconds, finished_at, notice_at,
    report_due_at, 0
FROM {_MESSAGE_ROWS}
    AS new (seq, {MESSAGE_COLUMNS}, kept_bytes, due_at, leased_by, lease_now, lease_seconds, finished_at, notice_at,
        report_due_at)
RETURNING seq, id
"""  # noqa: S608 - our own words
_RECIPIENT_ROWS = unnest(
    *("bigint", "integer", "text", "text", "text", "text", "text", "text", "text", "integer", "text", "text", "text"),
    *("float8", "float8", "text", "text"),
)
INSERT_RECIPIENTS = f"INSERT INTO recipient ({RECIPIENT_COLUMNS}) SELECT * FROM {_RECIPIENT_ROWS}"  # noqa: S608 - our own words
INSERT_BODIES = f"INSERT INTO body (message, part, data) SELECT * FROM {unnest('bigint', 'integer', 'bytea')}"  # noqa: S608 - our own words
# An attempt that was made while the client waited, and that the API may have taken.
INSERT_UNCONFIRMED = f"""
INSERT INTO attempt ({ATTEMPT_COLUMNS})
SELECT r.message, r.position, 1, r.attempts, '', m.received_at, $2, NULL, '', 'deferred', true, r.reason, '', ''
FROM recipient AS r JOIN message AS m ON m.seq = r.message
WHERE r.message = ANY($1::bigint[]) AND r.state = 'unconfirmed'
"""  # noqa: S608 - our own words
SELECT_KEPT = """
SELECT coalesce(sum(value) FILTER (WHERE name = 'bytes_kept'), 0)::bigint AS bytes,
    coalesce(sum(value) FILTER (WHERE name = 'messages_open'), 0)::bigint AS messages
FROM tally WHERE name IN ('bytes_kept', 'messages_open')
"""
INSERT_STAGED = """
INSERT INTO staged (message, staged_at) VALUES (nextval('message_seq'), extract(epoch FROM statement_timestamp()))
RETURNING message
"""
INSERT_PART = "INSERT INTO body (message, part, data) VALUES ($1, $2, $3)"
UNSTAGE = "DELETE FROM staged WHERE message = ANY($1::bigint[])"
# Nothing is left to be done: no due time, no lease, no report, no body.
CLOSE_MESSAGES = """
UPDATE message SET due_at = NULL, leased_by = NULL, lease_until = NULL, kept_bytes = 0,
    finished_at = coalesce(finished_at, $2), notice_at = NULL, report_due_at = NULL
WHERE seq = ANY($1::bigint[])
"""
DELETE_BODIES = "DELETE FROM body WHERE message = ANY($1::bigint[])"
# Attempts and recipients go with the message (ON DELETE CASCADE). Its body has mostly gone before, but not where a
# person dropped it while it was leased and its account is paused since.
DELETE_FINISHED = """
DELETE FROM message WHERE seq IN (
    SELECT seq FROM message WHERE finished_at < $1 AND leased_by IS NULL AND report_due_at IS NULL
    ORDER BY finished_at LIMIT $2 FOR UPDATE SKIP LOCKED)
RETURNING seq
"""
DELETE_FINISHED_REPORTS = """
DELETE FROM report WHERE seq IN (SELECT seq FROM report WHERE finished_at < $1 ORDER BY finished_at LIMIT $2)
"""
SWEEP = """
WITH old AS (DELETE FROM staged WHERE staged_at < extract(epoch FROM statement_timestamp()) - $1 RETURNING message)
DELETE FROM body WHERE message IN (SELECT message FROM old)
"""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message on its way in."""

    new: NewMessage
    lease_now: float | None  # see `LEASE_NOW`
    staged: int | None = None  # its key, where its body is there already
    is_bare: bool = False  # its body is left out: there is no room for it

    @property
    def keeps_body(self) -> bool:
        """Tell whether the body is kept."""
        return keeps_body(self.new) and not self.is_bare


@dataclass(frozen=True, slots=True)
class Room:
    """How much the store may hold; what the server's disk holds, nobody here knows."""

    max_bytes: int
    max_messages: int


async def stage(connection: Connection, data: bytes) -> int:
    """Write a big body, part by part; returns the key that its message is to have.

    Not one transaction: what was written of it goes with the key, at once or when it is swept. Nor synced: the commit
    of its message does that for all that was written before.
    """
    row = await connection.fetchrow(INSERT_STAGED)
    assert row is not None  # noqa: S101 - an INSERT returns what it inserted
    seq = int(row["message"])
    view = memoryview(data)
    for part, start in enumerate(range(0, len(data), PART_BYTES)):
        await connection.execute(INSERT_PART, seq, part, view[start : start + PART_BYTES])
    return seq


async def left(connection: Connection, room: Room) -> int:
    """Tell how many bytes more can be kept."""
    kept, messages = await _kept(connection)
    return 0 if messages >= room.max_messages else max(0, room.max_bytes - kept)


async def insert(
    connection: Connection, incoming: Sequence[Incoming], room: Room, name: str, now: float
) -> list[QueueError | None]:
    """Write messages with their recipients, and their bodies unless they are there already.

    Those that there is no room for are told QueueFull and are not written.
    """
    kept, messages = await _kept(connection)
    taken: list[Incoming] = []
    told: list[QueueError | None] = []
    for each in incoming:
        size = len(each.new.message.data) if each.keeps_body else 0
        if each.keeps_body and messages >= room.max_messages:
            told.append(QueueFull(f"store {name}: {messages} messages wait; store.max_messages is reached"))
        elif each.keeps_body and kept + size > room.max_bytes:
            told.append(QueueFull(f"store {name}: it keeps {kept} bytes of mail; store.max_bytes is reached"))
        else:
            kept, messages = kept + size, messages + is_open(each.new.entries)
            taken.append(each)
            told.append(None)
    if taken:
        await _write(connection, taken, now)
    return told


async def close(connection: Connection, seqs: Sequence[int], now: float) -> None:
    """Close messages whose recipients are all final and that owe no report."""
    await connection.execute(CLOSE_MESSAGES, list(seqs), now)
    await connection.execute(DELETE_BODIES, list(seqs))


async def prune(connection: Connection, before: float, limit: int) -> int:
    """Forget up to `limit` messages, and as many reports, that were finished before a time; returns how many."""
    await connection.execute(DELETE_FINISHED_REPORTS, before, limit)
    gone = [row["seq"] for row in await connection.fetch(DELETE_FINISHED, before, limit)]
    await connection.execute(DELETE_BODIES, gone)
    return len(gone)


async def discard(connection: Connection, staged: int) -> None:
    """Forget a body whose message does not come."""
    await connection.execute(DELETE_BODIES, [staged])
    await connection.execute(UNSTAGE, [staged])


async def sweep(connection: Connection) -> None:
    """Forget the bodies whose messages never came."""
    await connection.execute(SWEEP, _STAGED_SECONDS)


async def _kept(connection: Connection) -> tuple[int, int]:
    """Tell how many bytes of how many open messages are kept."""
    row = await connection.fetchrow(SELECT_KEPT)
    return (row["bytes"], row["messages"]) if row else (0, 0)


async def _write(connection: Connection, taken: Sequence[Incoming], now: float) -> None:
    rows = await connection.fetch(INSERT_MESSAGES, *columns([_message_row(each, now) for each in taken]))
    seqs = {row["id"]: row["seq"] for row in rows}
    recipients: list[tuple[Value, ...]] = []
    bodies: list[tuple[Value, ...]] = []
    unconfirmed: list[int] = []
    for each in taken:
        seq = seqs[each.new.message.id]
        owed = owed_by(each.new.entries, each.new.message.envelope.mail_from)
        recipients += [entry_values(seq, entry, owed.get(entry.position), now) for entry in each.new.entries]
        if each.staged is None and each.keeps_body:
            bodies.append((seq, 0, each.new.message.data))
        if any(entry.state is State.UNCONFIRMED for entry in each.new.entries):
            unconfirmed.append(seq)
    if recipients:
        await connection.execute(INSERT_RECIPIENTS, *columns(recipients))
    if unconfirmed:
        await connection.execute(INSERT_UNCONFIRMED, unconfirmed, now)
    if bodies:
        await connection.execute(INSERT_BODIES, *columns(bodies))
    if staged := [each.staged for each in taken if each.staged is not None]:
        unstaged = count(await connection.execute(UNSTAGE, staged))
        if unstaged < len(staged):
            raise QueueError("a body waited so long for its message that it was swept away")


def _message_row(incoming: Incoming, now: float) -> tuple[Value, ...]:
    new = incoming.new
    is_unfinished = is_open(new.entries)
    is_waiting = any(entry.state in WAITING_STATES for entry in new.entries)
    is_leased = bool(new.leased_by) and is_unfinished
    is_owed = bool(owed_by(new.entries, new.message.envelope.mail_from))
    return (
        incoming.staged,
        *message_values(new),
        len(new.message.data) if incoming.keeps_body else 0,
        new.due_at if is_waiting else None,
        new.leased_by if is_leased else None,
        incoming.lease_now,
        new.lease_seconds if is_leased else None,
        None if is_unfinished else now,
        new.notice_at,
        report_due_at(now, is_owed=is_owed, is_finished=not is_unfinished, notice_at=new.notice_at),
    )

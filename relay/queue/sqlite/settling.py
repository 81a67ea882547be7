"""Writing down what attempts brought, and giving leases back. Runs in the writer thread."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field

from relay.errors import QueueError
from relay.queue.contract import FINAL_STATES, Claim, Result, State
from relay.queue.sqlite.history import history_row, interrupt, write_ended, write_findings
from relay.queue.sqlite.keeping import WAITING_STATES, close
from relay.queue.sqlite.leases import Leased, look_up, lost
from relay.queue.sqlite.many import execute_rows, listed
from relay.queue.sqlite.rows import Value
from relay.queue.sqlite.told import told, was_tried

# Only an acceptance brings ids; what an earlier one brought stays. Who is found unconfirmed again stays so since then.
RECORD_RECIPIENTS = """
WITH result (message, position, state, reason, due_at, now, is_accepted, provider_message_id, provider_batch_id,
    taken_back) AS (VALUES {rows})
UPDATE recipient SET state = result.state, reason = result.reason, due_at = result.due_at,
    changed_at = CASE WHEN recipient.state = result.state THEN changed_at ELSE result.now END,
    attempts = attempts - result.taken_back,
    provider_message_id = CASE WHEN result.is_accepted THEN result.provider_message_id
        ELSE recipient.provider_message_id END,
    provider_batch_id = CASE WHEN result.is_accepted THEN result.provider_batch_id
        ELSE recipient.provider_batch_id END
FROM result WHERE recipient.message = result.message AND recipient.position = result.position
"""
MARK_FINISHED = """
UPDATE message SET finished_at = coalesce(finished_at, :now) WHERE seq IN (SELECT value FROM json_each(:seqs))
"""
MARK_OPEN = """
UPDATE message SET finished_at = NULL
WHERE finished_at IS NOT NULL AND seq IN (SELECT value FROM json_each(:seqs))
"""
RELEASE_MESSAGES = """
WITH released (seq, due_at) AS (VALUES {rows})
UPDATE message SET due_at = released.due_at, leased_by = NULL, lease_until = NULL FROM released
WHERE message.seq = released.seq
"""


@dataclass(frozen=True, slots=True)
class Settlement:
    """What is to be written of one claimed message."""

    claim: Claim
    now: float
    results: Sequence[Result] = ()
    seconds: float = 0.0
    call: str = ""
    releases: bool = False  # the lease is given back, too
    due_at: float | None = None  # of a message that is released


@dataclass(frozen=True, slots=True)
class _Changes:
    """What a batch of settlements changes."""

    ended: list[tuple[Value, ...]] = field(default_factory=list)
    findings: list[tuple[Value, ...]] = field(default_factory=list)
    recipients: list[tuple[Value, ...]] = field(default_factory=list)
    interrupted: list[int] = field(default_factory=list)
    finished: list[int] = field(default_factory=list)
    open: list[int] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    released: list[tuple[Value, ...]] = field(default_factory=list)


def settle(connection: sqlite3.Connection, settlements: Sequence[Settlement]) -> list[str | QueueError | None]:
    """Write settlements down; tells for each the body's file where it closed the message, or what is wrong with it."""
    known = look_up(connection, (each.claim for each in settlements))
    changes = _Changes()
    said: list[str | QueueError | None] = []
    for each in settlements:
        leased = known.get(each.claim.message.id)
        error = lost(each.claim, leased)
        said.append(error if leased is None or error else _settle(each, leased, changes))
    _write(connection, changes, settlements[0].now)
    return said


def recipient_row(seq: int, result: Result, before: State, now: float) -> tuple[Value, ...]:
    """Return what becomes of a recipient, as `write_recipients` takes it."""
    words = told(result.outcome)
    taken_back = before is State.SENDING and not was_tried(result)
    return (
        seq,
        result.position,
        result.state,
        words.reason,
        result.due_at,
        now,
        words.word == "accepted",
        words.provider_message_id,
        words.provider_batch_id,
        taken_back,
    )


def write_recipients(connection: sqlite3.Connection, rows: Sequence[tuple[Value, ...]]) -> None:
    """Write where recipients stand now."""
    execute_rows(connection, RECORD_RECIPIENTS, rows)


def _settle(settlement: Settlement, leased: Leased, changes: _Changes) -> str | QueueError | None:
    """Find out what one settlement changes, or what is wrong with it; then it changes nothing."""
    before, seq, message_id = leased.states, leased.seq, settlement.claim.message.id
    unknown = [result.position for result in settlement.results if result.position not in before]
    if unknown:
        return QueueError(f"message {message_id}: it has no recipient {unknown[0]}")
    after = before | {result.position: result.state for result in settlement.results}
    is_interrupted = settlement.releases and State.SENDING in after.values()
    if is_interrupted:
        after = {key: State.UNCONFIRMED if state is State.SENDING else state for key, state in after.items()}
    is_finished = FINAL_STATES.issuperset(after.values())
    if settlement.releases and settlement.due_at is None and not WAITING_STATES.isdisjoint(after.values()):
        return QueueError(f"message {message_id}: recipients still wait, so it must stay due")
    for result in settlement.results:
        _record(settlement, seq, result, before[result.position], changes)
    if is_interrupted:
        changes.interrupted.append(seq)
    if settlement.results:
        (changes.finished if is_finished else changes.open).append(seq)
    if settlement.releases and is_finished:
        changes.closed.append(seq)
        return leased.body_file
    if settlement.releases:
        changes.released.append((seq, settlement.due_at))
    return None


def _record(settlement: Settlement, seq: int, result: Result, before: State, changes: _Changes) -> None:
    now = settlement.now
    changes.recipients.append(recipient_row(seq, result, before, now))
    if not was_tried(result):
        return  # no attempt took place, even where one was journalled
    row = history_row(
        seq, result, owner=settlement.claim.owner, now=now, seconds=settlement.seconds, call=settlement.call
    )
    (changes.ended if before is State.SENDING else changes.findings).append(row)


def _write(connection: sqlite3.Connection, changes: _Changes, now: float) -> None:
    write_ended(connection, changes.ended)
    write_findings(connection, changes.findings)
    write_recipients(connection, changes.recipients)
    for seq in changes.interrupted:
        interrupt(connection, seq, now)
    if finished := [seq for seq in changes.finished if seq not in set(changes.closed)]:
        connection.execute(MARK_FINISHED, {"seqs": listed(finished), "now": now})
    if changes.open:
        connection.execute(MARK_OPEN, {"seqs": listed(changes.open)})
    if changes.closed:
        close(connection, changes.closed, now)
    execute_rows(connection, RELEASE_MESSAGES, changes.released)

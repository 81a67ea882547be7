"""Journalling, before calls go out, that they do. Runs in the writer thread."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from relay.errors import QueueError
from relay.queue.contract import FINAL_STATES, Claim, State
from relay.queue.sqlite.history import interrupt
from relay.queue.sqlite.leases import Leased, look_up, lost
from relay.queue.sqlite.many import execute_rows, listed
from relay.queue.sqlite.rows import Value

BEGIN_RECIPIENTS = """
WITH begun (message, position, now) AS (VALUES {rows})
UPDATE recipient SET state = 'sending', changed_at = begun.now, attempts = attempts + 1 FROM begun
WHERE recipient.message = begun.message AND recipient.position = begun.position
"""
RENEW_LEASES = """
UPDATE message SET lease_until = :until WHERE seq IN (SELECT value FROM json_each(:seqs))
"""


@dataclass(frozen=True, slots=True)
class Beginning:
    """Recipients of a claimed message whose call is about to go out."""

    claim: Claim
    positions: Sequence[int]
    until: float  # to when the lease is renewed
    now: float


def begin(connection: sqlite3.Connection, beginnings: Sequence[Beginning]) -> list[QueueError | None]:
    """Write down that calls are about to go out; LeaseLost, or another error, where one must not."""
    known = look_up(connection, (each.claim for each in beginnings))
    told: list[QueueError | None] = []
    rows: list[tuple[Value, ...]] = []
    seqs: list[int] = []
    until = 0.0
    for each in beginnings:
        leased = known.get(each.claim.message.id)
        error = lost(each.claim, leased)
        if error is None and leased is not None:
            error = _begin(connection, each, leased, rows)
            seqs += [] if error else [leased.seq]
            until = max(until, each.until)
        told.append(error)
    connection.execute(RENEW_LEASES, {"seqs": listed(seqs), "until": until})
    execute_rows(connection, BEGIN_RECIPIENTS, rows)
    return told


def _begin(
    connection: sqlite3.Connection, beginning: Beginning, leased: Leased, rows: list[tuple[Value, ...]]
) -> QueueError | None:
    chosen = dict.fromkeys(beginning.positions)
    for position in chosen:
        if leased.states.get(position) in {None, *FINAL_STATES}:
            return QueueError(f"message {beginning.claim.message.id}: recipient {position} is not to be attempted")
    if any(leased.states[position] is State.SENDING for position in chosen):
        interrupt(connection, leased.seq, beginning.now)
    rows += [(leased.seq, position, beginning.now) for position in chosen]
    return None

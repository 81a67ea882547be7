"""The journal of attempts: begun before the call, completed with what it brought. Runs in the writer thread."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from relay.errors import LeaseLost, QueueError
from relay.message import MessageId
from relay.outcome import Accepted, Deferred, Outcome, Refused
from relay.queue.contract import FINAL_STATES, Claim, Result, State
from relay.queue.sqlite.keeping import WAITING_STATES, finish
from relay.queue.sqlite.rows import Value

#: What the history and the recipient say of an attempt that nobody ended.
INTERRUPTED = "the attempt was interrupted; the provider may have it"

SELECT_LEASED = "SELECT seq FROM message WHERE id = :id AND leased_by = :owner AND lease = :lease"
RENEW_LEASE = "UPDATE message SET lease_until = :until WHERE seq = :seq"
SELECT_BY_ID = "SELECT seq, leased_by FROM message WHERE id = ?"
SELECT_STATES = "SELECT position, state FROM recipient WHERE message = ?"
BEGIN_RECIPIENT = """
UPDATE recipient SET state = 'sending', changed_at = :now, attempts = attempts + 1
WHERE message = :message AND position = :position
"""
BEGIN_ATTEMPT = """
INSERT INTO attempt (message, position, entry, number, owner, begun_at)
SELECT message, position,
    1 + coalesce((SELECT max(entry) FROM attempt AS a WHERE a.message = r.message AND a.position = r.position), 0),
    attempts, :owner, :now
FROM recipient AS r WHERE message = :message AND position = :position
"""
# Only an acceptance brings ids; what an earlier one brought stays. Who is found unconfirmed again stays so since then.
RECORD_RECIPIENT = """
UPDATE recipient SET state = :state, reason = :reason, due_at = :due_at,
    changed_at = CASE WHEN state = :state THEN changed_at ELSE :now END,
    provider_message_id = CASE WHEN :outcome = 'accepted' THEN :provider_message_id ELSE provider_message_id END,
    provider_batch_id = CASE WHEN :outcome = 'accepted' THEN :provider_batch_id ELSE provider_batch_id END
WHERE message = :message AND position = :position
"""
SELECT_OPEN_ATTEMPTS = "SELECT position FROM attempt WHERE message = ? AND ended_at IS NULL"
RECORD_ATTEMPT = """
UPDATE attempt SET ended_at = :now, seconds = :seconds, call = :call, outcome = :outcome,
    maybe_accepted = :maybe_accepted, reason = :reason,
    provider_message_id = :provider_message_id, provider_batch_id = :provider_batch_id
WHERE message = :message AND position = :position AND ended_at IS NULL
"""
# An outcome without a journalled attempt: found out later, or sent before the message was put (auto mode). Where it
# repeats the last row, the caller is only making sure.
RECORD_FINDING = """
INSERT INTO attempt (message, position, entry, number, owner, begun_at, ended_at, seconds, call, outcome,
    maybe_accepted, reason, provider_message_id, provider_batch_id)
SELECT r.message, r.position, 1 + coalesce(last.entry, 0), r.attempts, :owner, :now - :seconds, :now, :seconds,
    :call, :outcome, :maybe_accepted, :reason, :provider_message_id, :provider_batch_id
FROM recipient AS r LEFT JOIN attempt AS last ON last.message = r.message AND last.position = r.position
    AND last.entry = (SELECT max(entry) FROM attempt AS a WHERE a.message = r.message AND a.position = r.position)
WHERE r.message = :message AND r.position = :position AND (last.entry IS NULL OR
    (last.call, last.outcome, last.maybe_accepted, last.reason, last.provider_message_id, last.provider_batch_id)
    <> (:call, :outcome, :maybe_accepted, :reason, :provider_message_id, :provider_batch_id))
"""
MARK_FINISHED = "UPDATE message SET finished_at = coalesce(finished_at, :now) WHERE seq = :seq"
MARK_OPEN = "UPDATE message SET finished_at = NULL WHERE seq = :seq AND finished_at IS NOT NULL"
INTERRUPT_ATTEMPTS = """
UPDATE attempt SET ended_at = :now, outcome = 'interrupted', maybe_accepted = 1, reason = :reason
WHERE message = :message AND ended_at IS NULL
"""
# When it is due was said of the attempt before; now its account's wait counts, from the time of the change.
INTERRUPT_RECIPIENTS = """
UPDATE recipient SET state = 'unconfirmed', changed_at = :now, reason = :reason, due_at = NULL
WHERE message = :message AND state = 'sending'
"""
# Who is proven not to have it is due again, and the message then at the latest; with only held ones left it never is.
RESCHEDULE_MESSAGE = """
UPDATE message SET due_at = CASE WHEN :waits THEN min(coalesce(due_at, :due_at), :due_at) END WHERE seq = :seq
"""
RELEASE_MESSAGE = "UPDATE message SET due_at = :due_at, leased_by = NULL, lease_until = NULL WHERE seq = :seq"
HOLD_RECIPIENTS = """
UPDATE recipient SET state = 'held', changed_at = :now, reason = :reason, due_at = NULL
WHERE message = :message AND state IN ('queued', 'sending', 'unconfirmed')
"""
EXPLAIN_RECIPIENTS = """
UPDATE recipient SET reason = :reason WHERE message = :message AND state IN ('queued', 'unconfirmed')
"""


@dataclass(frozen=True, slots=True)
class _Told:
    """An outcome as the history keeps it."""

    word: str
    reason: str
    maybe_accepted: bool = False
    provider_message_id: str = ""
    provider_batch_id: str = ""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What one proof settled."""

    recipients: int
    file: str | None = None  # the body of a message that it finished; to be deleted once this is committed


def begin(
    connection: sqlite3.Connection, claim: Claim, positions: Sequence[int], lease_seconds: float, now: float
) -> None:
    """Write down that the call is about to go out. Raises LeaseLost."""
    seq = _leased(connection, claim)
    states = _states(connection, seq)
    chosen = dict.fromkeys(positions)
    for position in chosen:
        if states.get(position) in {None, *FINAL_STATES}:
            raise QueueError(f"message {claim.message.id}: recipient {position} is not to be attempted")
    if any(states[position] is State.SENDING for position in chosen):
        interrupt(connection, seq, now)
    connection.execute(RENEW_LEASE, {"seq": seq, "until": now + lease_seconds})
    begun = [{"message": seq, "position": position, "owner": claim.owner, "now": now} for position in chosen]
    connection.executemany(BEGIN_RECIPIENT, begun)
    connection.executemany(BEGIN_ATTEMPT, begun)


def record(
    connection: sqlite3.Connection, claim: Claim, results: Sequence[Result], seconds: float, call: str, now: float
) -> None:
    """Write down what the attempt brought. Raises LeaseLost."""
    seq = _leased(connection, claim)
    states = _states(connection, seq)
    journalled = {row["position"] for row in connection.execute(SELECT_OPEN_ATTEMPTS, (seq,))}
    common: dict[str, Value] = {
        "message": seq,
        "owner": claim.owner,
        "now": now,
        "seconds": seconds,
        "call": call,
    }
    told = [common | _told_values(result) for result in results]
    unknown = [result.position for result in results if result.position not in states]
    if unknown:
        raise QueueError(f"message {claim.message.id}: it has no recipient {unknown[0]}")
    connection.executemany(RECORD_RECIPIENT, told)
    connection.executemany(RECORD_ATTEMPT, [values for values in told if values["position"] in journalled])
    connection.executemany(RECORD_FINDING, [values for values in told if values["position"] not in journalled])
    states |= {result.position: result.state for result in results}
    is_finished = FINAL_STATES.issuperset(states.values())
    connection.execute(MARK_FINISHED if is_finished else MARK_OPEN, {"seq": seq, "now": now})


def confirm(connection: sqlite3.Connection, message_id: MessageId, results: Sequence[Result], now: float) -> Confirmed:
    """Write down what came to light of recipients that nobody was sure of."""
    row = connection.execute(SELECT_BY_ID, (message_id,)).fetchone()
    if row is None:
        return Confirmed(0)
    seq = int(row["seq"])
    states = _states(connection, seq)
    proven: dict[int, Result] = {}
    for result in results:  # the first proof of a recipient counts: after it nobody is in doubt
        if states.get(result.position) is State.UNCONFIRMED:
            proven.setdefault(result.position, result)
    if not proven:
        return Confirmed(0)
    common: dict[str, Value] = {"message": seq, "owner": "", "now": now, "seconds": 0.0, "call": ""}
    told = [common | _told_values(result) for result in proven.values()]
    connection.executemany(RECORD_RECIPIENT, told)
    connection.executemany(RECORD_FINDING, told)
    states |= {position: result.state for position, result in proven.items()}
    is_finished = FINAL_STATES.issuperset(states.values())
    is_leased = row["leased_by"] is not None
    if is_finished and not is_leased:
        return Confirmed(len(proven), finish(connection, seq, now))
    if is_finished:  # the body goes with the lease
        connection.execute(MARK_FINISHED, {"seq": seq, "now": now})
    elif not is_leased:  # otherwise its holder says when it is due
        _reschedule(connection, seq, states, proven.values(), now)
    return Confirmed(len(proven))


def release(connection: sqlite3.Connection, claim: Claim, due_at: float | None, now: float) -> str | None:
    """Give a lease back. Returns the body's file where the message is finished, to be deleted once this is committed.

    Raises:
        QueueError: the lease was lost; or nothing is said to be left while a recipient waits, which would lose it.
    """
    seq = _leased(connection, claim)
    states = set(_states(connection, seq).values())
    if State.SENDING in states:
        interrupt(connection, seq, now)
    if states <= FINAL_STATES:
        return finish(connection, seq, now)
    if due_at is None and states & WAITING_STATES:
        raise QueueError(f"message {claim.message.id}: recipients still wait, so it must stay due")
    connection.execute(RELEASE_MESSAGE, {"seq": seq, "due_at": due_at})
    return None


def interrupt(connection: sqlite3.Connection, seq: int, now: float) -> None:
    """End the attempts that nobody will end: what was being sent may have been accepted."""
    values = {"message": seq, "now": now, "reason": INTERRUPTED}
    connection.execute(INTERRUPT_ATTEMPTS, values)
    connection.execute(INTERRUPT_RECIPIENTS, values)


def set_aside(connection: sqlite3.Connection, claim: Claim, reason: str, due_at: float | None, now: float) -> bool:
    """Give back the lease of a message whose body cannot be read: to come again at a time, or (None) to a person.

    Returns False where proof came meanwhile for all its recipients: nobody needs the body, the next claim closes it.
    """
    seq = _leased(connection, claim)
    if FINAL_STATES.issuperset(_states(connection, seq).values()):
        connection.execute(RELEASE_MESSAGE, {"seq": seq, "due_at": now})
        return False
    values = {"message": seq, "reason": reason, "now": now}
    connection.execute(HOLD_RECIPIENTS if due_at is None else EXPLAIN_RECIPIENTS, values)
    connection.execute(RELEASE_MESSAGE, {"seq": seq, "due_at": due_at})
    return True


def _reschedule(
    connection: sqlite3.Connection, seq: int, states: Mapping[int, State], results: Iterable[Result], now: float
) -> None:
    waits = bool(WAITING_STATES.intersection(states.values()))
    times = [now if result.due_at is None else result.due_at for result in results if result.state in WAITING_STATES]
    if times or not waits:
        connection.execute(RESCHEDULE_MESSAGE, {"seq": seq, "waits": waits, "due_at": min(times, default=now)})


def _leased(connection: sqlite3.Connection, claim: Claim) -> int:
    mine = {"id": claim.message.id, "owner": claim.owner, "lease": claim.lease}
    row = connection.execute(SELECT_LEASED, mine).fetchone()
    if row is None:
        raise LeaseLost(f"message {claim.message.id}: the lease of {claim.owner} was lost")
    return int(row["seq"])


def _states(connection: sqlite3.Connection, seq: int) -> dict[int, State]:
    return {row["position"]: State(row["state"]) for row in connection.execute(SELECT_STATES, (seq,))}


def _told_values(result: Result) -> dict[str, Value]:
    told = _told(result.outcome)
    return {
        "position": result.position,
        "state": result.state,
        "due_at": result.due_at,
        "outcome": told.word,
        "reason": told.reason,
        "maybe_accepted": told.maybe_accepted,
        "provider_message_id": told.provider_message_id,
        "provider_batch_id": told.provider_batch_id,
    }


def _told(outcome: Outcome) -> _Told:
    match outcome:
        case Accepted():
            return _Told(
                "accepted",
                outcome.remark,
                provider_message_id=outcome.provider_message_id,
                provider_batch_id=outcome.provider_batch_id,
            )
        case Refused():
            return _Told("refused", outcome.reason)
        case Deferred():
            return _Told("deferred", outcome.reason, outcome.maybe_accepted)
        case _:
            assert_never(outcome)

"""What attempts brought, and giving leases back: what is to be written of whom. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from relay.errors import QueueError
from relay.queue.contract import FINAL_STATES, WAITING_STATES, Action, Claim, Result, State
from relay.queue.leases import Leased, lost
from relay.queue.rows import Value
from relay.queue.telling import owed_after, report_due_at
from relay.queue.told import history_row, recipient_row, was_tried


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
class Changes:
    """What a batch of settlements changes."""

    ended: list[tuple[Value, ...]] = field(default_factory=list)
    findings: list[tuple[Value, ...]] = field(default_factory=list)
    recipients: list[tuple[Value, ...]] = field(default_factory=list)
    interrupted: list[int] = field(default_factory=list)
    finished: list[int] = field(default_factory=list)
    open: list[int] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    released: list[tuple[int, float | None]] = field(default_factory=list)
    owing: list[tuple[Value, ...]] = field(default_factory=list)  # when their report is due now


def plan_settle(
    settlements: Sequence[Settlement], known: Mapping[str, Leased]
) -> tuple[Changes, list[str | QueueError | None]]:
    """Find out what is to be written; tells for each the body's file where it closes the message, or what is wrong.

    Args:
        settlements: of different messages.
        known: the messages by id, as `look_up` of the store tells.
    """
    changes = Changes()
    said: list[str | QueueError | None] = []
    for each in settlements:
        leased = known.get(each.claim.message.id)
        error = lost(each.claim, leased)
        said.append(error if leased is None or error else _settle(each, leased, changes))
    return changes, said


def _settle(settlement: Settlement, leased: Leased, changes: Changes) -> str | QueueError | None:
    """Find out what one settlement changes, or what is wrong with it; then it changes nothing."""
    before, seq, message_id = leased.states, leased.seq, settlement.claim.message.id
    unknown = [result.position for result in settlement.results if result.position not in before]
    if unknown:
        return QueueError(f"message {message_id}: it has no recipient {unknown[0]}")
    results = [result for result in settlement.results if not _is_disproven(result, before[result.position])]
    after = before | {result.position: result.state for result in results}
    is_interrupted = settlement.releases and State.SENDING in after.values()
    if is_interrupted:
        after = {key: State.UNCONFIRMED if state is State.SENDING else state for key, state in after.items()}
    is_finished = FINAL_STATES.issuperset(after.values())
    if settlement.releases and settlement.due_at is None and not WAITING_STATES.isdisjoint(after.values()):
        return QueueError(f"message {message_id}: recipients still wait, so it must stay due")
    owed = owed_after(settlement.claim, results, before, leased.owed)
    for result in results:
        _record(settlement, seq, result, before[result.position], owed.get(result.position), changes)
    if is_interrupted:
        changes.interrupted.append(seq)
    if settlement.releases and is_finished and not owed:
        changes.closed.append(seq)
        return leased.body_file
    due_at = report_due_at(
        settlement.now,
        is_owed=bool(owed),
        is_finished=is_finished,
        notice_at=leased.notice_at,
        known=leased.report_due_at,
    )
    if due_at != leased.report_due_at:
        changes.owing.append((seq, due_at))
    if results:
        (changes.finished if is_finished else changes.open).append(seq)
    if settlement.releases:
        changes.released.append((seq, settlement.due_at))
    return None


def _is_disproven(result: Result, before: State) -> bool:
    """Tell whether proof came meanwhile that the API has it: only another attempt, which is SENDING, says otherwise."""
    return before is State.ACCEPTED and result.state is not State.ACCEPTED


def _record(
    settlement: Settlement, seq: int, result: Result, before: State, owed: Action | None, changes: Changes
) -> None:
    now = settlement.now
    changes.recipients.append(recipient_row(seq, result, before, owed, now))
    if not was_tried(result):
        return  # no attempt took place, even where one was journalled
    row = history_row(
        seq, result, owner=settlement.claim.owner, now=now, seconds=settlement.seconds, call=settlement.call
    )
    (changes.ended if before is State.SENDING else changes.findings).append(row)

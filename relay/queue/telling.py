"""What a sender is to be told, and when: the rules of RFC 3461 section 4.1 that every store applies. Pure."""

from collections.abc import Collection, Mapping, Sequence

from relay.message import Notify
from relay.queue.contract import Action, Claim, RecipientEntry, Result, State

#: How long a failure waits for others of its message, so that one report tells of all; seconds. A message that has
#: finished waits for nothing.
GATHER_SECONDS = 900.0

_FAILURES = frozenset({State.REFUSED, State.EXPIRED})


def owed(mail_from: str, state: State, notify: Collection[Notify]) -> Action | None:
    """Tell what a recipient's coming to a state gives to tell; None: nothing. The null sender is told nothing."""
    if not mail_from:
        return None
    if state in _FAILURES:
        return Action.FAILED if wants_failure(notify) else None
    return Action.RELAYED if state is State.ACCEPTED and "SUCCESS" in notify else None


def wants_failure(notify: Collection[Notify]) -> bool:
    """Tell whether a sender wants to hear that a recipient failed: unless it said something else."""
    return not notify or "FAILURE" in notify


def wants_delay(notify: Collection[Notify]) -> bool:
    """Tell whether a sender wants to hear that a recipient waits: where it said nothing that is ours to choose."""
    return not notify or "DELAY" in notify


def owed_by(entries: Sequence[RecipientEntry], mail_from: str) -> dict[int, Action]:
    """Tell what new entries owe, by position."""
    found = {entry.position: owed(mail_from, entry.state, entry.recipient.notify) for entry in entries}
    return {position: action for position, action in found.items() if action is not None}


def owed_after(
    claim: Claim, results: Sequence[Result], before: Mapping[int, State], known: Mapping[int, Action]
) -> dict[int, Action]:
    """Tell what a claimed message owes after results, by position; what is only told again changes nothing.

    Args:
        claim: whose it is; says what the sender wants to hear.
        results: what comes to be written.
        before: the states of all recipients until now.
        known: what is owed until now.
    """
    mail_from = claim.message.envelope.mail_from
    after = dict(known)
    if not mail_from:
        return after
    wishes = {entry.position: entry.recipient.notify for entry in claim.entries if entry.recipient.notify}
    for result in results:
        if before[result.position] is result.state:
            continue
        action = owed(mail_from, result.state, wishes.get(result.position, ()))
        if action is not None:
            after[result.position] = action
        else:
            after.pop(result.position, None)
    return after


def report_due_at(
    now: float, *, is_owed: bool, is_finished: bool, notice_at: float | None, known: float | None = None
) -> float | None:
    """Tell when a report of a message is to be made; None: never, as it stands.

    `notice_at`: when its sender is told that it waits; `known`: when the report was due until now.
    """
    if is_owed:
        due = now if is_finished else now + GATHER_SECONDS
        return due if known is None else min(known, due)
    return None if is_finished else notice_at

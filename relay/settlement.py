"""Where an outcome leaves a recipient, and when it is due again. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import assert_never

from relay.config import AccountPolicy
from relay.config.settings import RetrySettings
from relay.outcome import Accepted, Deferred, Outcome, Refused
from relay.queue.contract import FINAL_STATES, RecipientEntry, Result, State
from relay.retry import wait_seconds


def state_after(outcome: Outcome, before: State = State.QUEUED) -> State:
    """Tell the state that an outcome leaves a recipient in; one that was not tried stays what it was."""
    match outcome:
        case Accepted():
            return State.ACCEPTED
        case Refused():
            return State.REFUSED
        case Deferred(was_tried=False):
            return State.UNCONFIRMED if before is State.UNCONFIRMED else State.QUEUED
        case Deferred(maybe_accepted=True):
            return State.UNCONFIRMED
        case Deferred():
            return State.QUEUED
        case _:
            assert_never(outcome)


class Schedule:
    """When a recipient is due again."""

    def __init__(self, retry: RetrySettings, random: Callable[[], float]) -> None:
        self._retry = retry
        self._random = random

    def results(
        self, now: float, entries: Iterable[RecipientEntry], outcomes: Mapping[str, Outcome], policy: AccountPolicy
    ) -> tuple[Result, ...]:
        """Pair entries with their outcomes, by mailbox; entries without an outcome are left out.

        Those that were not tried are due with the last of those that were: what held up one holds up the others.
        """
        met = [(entry, outcomes[entry.recipient.key]) for entry in entries if entry.recipient.key in outcomes]
        tried = {entry.position: self._due_at(now, entry, outcome, policy) for entry, outcome in met}
        latest = max((due for due in tried.values() if due is not None), default=now)
        return tuple(
            Result(
                entry.position,
                outcome,
                state_after(outcome, entry.state),
                latest if _is_untried(outcome) else tried[entry.position],
            )
            for entry, outcome in met
        )

    def _due_at(self, now: float, entry: RecipientEntry, outcome: Outcome, policy: AccountPolicy) -> float | None:
        if not isinstance(outcome, Deferred) or _is_untried(outcome):
            return None
        if outcome.maybe_accepted:
            return now + policy.unconfirmed_wait
        attempts = max(1, entry.attempts)
        return now + wait_seconds(attempts, outcome.retry_after_seconds, self._retry, self._random)


def due_at(entry: RecipientEntry, policy: AccountPolicy) -> float:
    """Tell when an open recipient is due: for its next attempt, or for its account's rule on what is unconfirmed."""
    if entry.due_at is not None:
        return entry.due_at
    # What a crash interrupted waits for proof from then on.
    return entry.changed_at + policy.unconfirmed_wait if entry.state is State.UNCONFIRMED else 0.0


def next_due_at(entries: Sequence[RecipientEntry], policy: AccountPolicy) -> float | None:
    """Tell when the first of a message's recipients is due; None: nothing is left to be tried."""
    waiting = [entry for entry in entries if entry.state not in FINAL_STATES and entry.state is not State.HELD]
    return min((due_at(entry, policy) for entry in waiting), default=None)


def _is_untried(outcome: Outcome) -> bool:
    return isinstance(outcome, Deferred) and not outcome.was_tried

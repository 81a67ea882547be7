"""Where an outcome leaves a recipient, and when its message is due again. Pure."""

from collections.abc import Callable, Iterable, Mapping
from typing import assert_never

from relay.config import AccountPolicy
from relay.config.settings import RetrySettings
from relay.outcome import Accepted, Deferred, Outcome, Refused
from relay.queue.contract import RecipientEntry, Result, State
from relay.retry import wait_seconds


def state_after(outcome: Outcome) -> State:
    """Tell the state that an outcome leaves a recipient in."""
    match outcome:
        case Accepted():
            return State.ACCEPTED
        case Refused():
            return State.REFUSED
        case Deferred(maybe_accepted=True):
            return State.UNCONFIRMED
        case Deferred():
            return State.QUEUED
        case _:
            assert_never(outcome)


def results_of(entries: Iterable[RecipientEntry], outcomes: Mapping[str, Outcome]) -> tuple[Result, ...]:
    """Pair the entries with their outcomes, by mailbox; entries without an outcome are left out."""
    return tuple(
        Result(entry.position, outcome, state_after(outcome))
        for entry in entries
        if (outcome := outcomes.get(entry.recipient.key)) is not None
    )


class Schedule:
    """When a message is due again."""

    def __init__(self, retry: RetrySettings, random: Callable[[], float]) -> None:
        self._retry = retry
        self._random = random

    def due_at(
        self, now: float, entries: Iterable[RecipientEntry], outcomes: Mapping[str, Outcome], policy: AccountPolicy
    ) -> float | None:
        """Tell when the first of the entries is due again, as they stand now; None: nothing is left to be tried.

        Args:
            now: seconds since the epoch.
            entries: all recipients of the message in their present states.
            outcomes: by mailbox, of those that were just attempted; they may carry the API's wish.
            policy: the account's.
        """
        times = [self._entry_due_at(now, entry, outcomes.get(entry.recipient.key), policy) for entry in entries]
        return min((time for time in times if time is not None), default=None)

    def _entry_due_at(
        self, now: float, entry: RecipientEntry, outcome: Outcome | None, policy: AccountPolicy
    ) -> float | None:
        match entry.state:
            case State.UNCONFIRMED:
                return max(now, entry.changed_at + policy.unconfirmed_wait)
            case State.QUEUED | State.SENDING:
                asked = outcome.retry_after_seconds if isinstance(outcome, Deferred) else None
                return now + wait_seconds(max(1, entry.attempts), asked, self._retry, self._random)
            case _:
                return None

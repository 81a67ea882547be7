"""One attempt at one message: its calls in order, one outcome for each recipient.

Tries once. Never retries and never stores: whoever keeps the message gives a journal that is told before and after
each call.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from relay.accounts.account import Account
from relay.errors import ProviderError
from relay.events import Events
from relay.message import Clock, MessageId, Recipient
from relay.outcome import Accepted, Blame, Deferred, Outcome, Refused
from relay.pauses import Pauses
from relay.providers.contract import Call, Plan, Providers

#: What is said of recipients whose call was not made.
_NOT_TRIED = Deferred(
    "not tried: an earlier call was deferred or took all the time, or the account is paused", was_tried=False
)
#: What is said of recipients of a call that is about to be made again in smaller ones.
_IN_SMALLER_CALLS = "the API refuses the call for somebody in it; tried in smaller calls"

_UNSAID = Deferred("the answer does not tell of this recipient", maybe_accepted=True)


@dataclass(frozen=True, slots=True)
class CallResult:
    """What one call brought."""

    call: Call
    outcomes: Mapping[str, Outcome]  # by Recipient.key, everybody in the call
    seconds: float

    def troubles(self) -> list[Refused | Deferred]:
        """List the outcomes that are no acceptance."""
        return [said for said in self.outcomes.values() if not isinstance(said, Accepted)]


class Journal(Protocol):
    """Writes down what is about to happen and what happened."""

    async def before(self, call: Call) -> None:
        """Say that a call goes out now. What it raises stops the attempt before the call."""

    async def after(self, result: CallResult, *, is_last: bool) -> None:
        """Say what a call brought, and whether no other follows in this attempt. Must not lose it."""


class NoJournal:
    """For a client that still waits: it keeps the message itself."""

    async def before(self, call: Call) -> None:
        """Write nothing."""

    async def after(self, result: CallResult, *, is_last: bool) -> None:
        """Write nothing."""


class Attempt:
    """One attempt at one message; its state can be looked at, and its journal exchanged, while it runs."""

    def __init__(
        self, message_id: MessageId, account: Account, plan: Plan, journal: Journal, batch_id: str = ""
    ) -> None:
        self.message_id = message_id
        self.account = account
        self.plan = plan
        self.journal = journal
        self.batch_id = batch_id
        self.outcomes: dict[str, Outcome] = {}  # by Recipient.key: of the calls that ended
        self.under_way: Call | None = None  # the call that has no answer yet
        self.is_enough = False  # set to make no further call

    @property
    def recipients(self) -> tuple[Recipient, ...]:
        """Everybody whom the plan serves."""
        return tuple(recipient for call in self.plan.calls for recipient in call.recipients)

    def leave_untried(self) -> None:
        """Give everybody who has no outcome the one that says that no call was made."""
        for recipient in self.recipients:
            self.outcomes.setdefault(recipient.key, _NOT_TRIED)


class Delivery:
    """Makes the calls, within each account's concurrency."""

    def __init__(self, providers: Providers, pauses: Pauses, events: Events, clock: Clock) -> None:
        self._providers = providers
        self._pauses = pauses
        self._events = events
        self._clock = clock
        self._slots: dict[str, tuple[int, asyncio.Semaphore]] = {}

    async def run(self, attempt: Attempt) -> None:
        """Make the calls of an attempt one after the other, so that they can share a batch.

        Ends early when a call shows that the next would fail too. A call that is refused for somebody in it is made
        again in smaller ones, until whoever it is stands alone. Afterwards every recipient has an outcome.
        """
        calls = deque(attempt.plan.calls)
        while calls:
            call = calls.popleft()
            async with self._slot(attempt.account):
                # A pause may have begun, or the time have ended, while it waited for its turn.
                if attempt.is_enough or self._pauses.seconds_left(attempt.account.name) > 0:
                    break
                result = await self._make(attempt, call, is_last=not calls)
            if _is_refused_for_somebody(result):
                calls.extendleft(reversed(self._providers[attempt.account.provider].split(call)))
            elif _is_useless_to_go_on(result):
                break
        attempt.leave_untried()

    async def _make(self, attempt: Attempt, call: Call, *, is_last: bool) -> CallResult:
        await attempt.journal.before(call)
        attempt.under_way = call
        started = self._clock()
        outcomes = await self._send(attempt, call)
        result = CallResult(call, outcomes, max(0.0, self._clock() - started))
        is_divided = _is_refused_for_somebody(result)
        written = _while_dividing(result) if is_divided else result
        attempt.outcomes.update(written.outcomes)
        attempt.under_way = None
        attempt.batch_id = attempt.batch_id or _batch_of(outcomes.values())
        await attempt.journal.after(written, is_last=is_last and not is_divided)
        self._tell(attempt, result)
        await self._judge_account(attempt.account, outcomes.values())
        return result

    async def _send(self, attempt: Attempt, call: Call) -> dict[str, Outcome]:
        provider = self._providers[attempt.account.provider]
        try:
            said = await provider.send(call, attempt.account.credentials, batch_id=attempt.batch_id)
        except ProviderError as error:
            silence = Deferred(error.reason, maybe_accepted=error.maybe_accepted)
            return {recipient.key: silence for recipient in call.recipients}
        except Exception as error:  # noqa: BLE001 - whatever went wrong here, the API may have the mail
            self._events.unexpected("delivery", error, message_id=attempt.message_id)
            unknown = Deferred(f"unforeseen: {type(error).__name__}", blame=Blame.US, maybe_accepted=True)
            return {recipient.key: unknown for recipient in call.recipients}
        return {recipient.key: said.get(recipient.key, _UNSAID) for recipient in call.recipients}

    async def _judge_account(self, account: Account, outcomes: Iterable[Outcome]) -> None:
        trouble: Deferred | None = None
        for outcome in outcomes:
            if isinstance(outcome, Accepted):
                self._pauses.answered(account.name, account.place)
                await self._pauses.success(account.name, account.provider)
                return
            if isinstance(outcome, Deferred) and outcome.blame is Blame.ACCOUNT:
                self._pauses.answered(account.name, account.place)
                await self._pauses.fault(account.name, account.provider, outcome.reason)
                return
            if isinstance(outcome, Deferred) and outcome.blame is Blame.PROVIDER:
                trouble = trouble or outcome
        if trouble is None:
            self._pauses.answered(account.name, account.place)
            return
        await self._pauses.trouble(
            account.name, account.provider, account.place, trouble.reason, trouble.retry_after_seconds
        )

    def _tell(self, attempt: Attempt, result: CallResult) -> None:
        outcomes, troubles = result.outcomes, result.troubles()
        refused = sum(isinstance(trouble, Refused) for trouble in troubles) if troubles else 0
        self._events.call_finished(
            attempt.message_id,
            account=attempt.account.name,
            provider=attempt.account.provider,
            function=result.call.function,
            seconds=result.seconds,
            accepted=len(outcomes) - len(troubles),
            refused=refused,
            deferred=len(troubles) - refused,
            reason=troubles[0].reason if troubles else "",
            batch_id=_batch_of(outcomes.values()),
        )
        for outcome in outcomes.values():
            if isinstance(outcome, Accepted) and outcome.sent_count is not None:
                self._events.sent_count_differs(
                    attempt.message_id,
                    provider=attempt.account.provider,
                    expected=len(outcomes),
                    sent=outcome.sent_count,
                )
                break

    def _slot(self, account: Account) -> asyncio.Semaphore:
        concurrency = 1 if self._pauses.in_probation(account.name) else account.policy.concurrency
        known = self._slots.get(account.name)
        if known is None or known[0] != concurrency:
            known = self._slots[account.name] = (concurrency, asyncio.Semaphore(concurrency))
        return known[1]


def _is_useless_to_go_on(result: CallResult) -> bool:
    """Tell whether all of a call's recipients were deferred, by which the next call would fare no better."""
    return all(isinstance(outcome, Deferred) for outcome in result.outcomes.values())


def _is_refused_for_somebody(result: CallResult) -> bool:
    """Tell whether a call of several was refused for one that the API does not name."""
    if len(result.outcomes) == 1:
        return False
    return any(isinstance(said, Refused) and said.somebody_in_call for said in result.outcomes.values())


def _while_dividing(result: CallResult) -> CallResult:
    """Write nobody down as refused who may only have been in the wrong company."""
    waiting = Deferred(_IN_SMALLER_CALLS, blame=Blame.MESSAGE, retry_after_seconds=1.0)
    outcomes = {
        key: waiting if isinstance(said, Refused) and said.somebody_in_call else said
        for key, said in result.outcomes.items()
    }
    return CallResult(result.call, outcomes, result.seconds)


def _batch_of(outcomes: Iterable[Outcome]) -> str:
    for outcome in outcomes:
        if isinstance(outcome, Accepted) and outcome.provider_batch_id:
            return outcome.provider_batch_id
    return ""

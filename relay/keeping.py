"""One attempt at a kept message: journalled before each call, recorded after it, then given back to the queue."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, repeat

from relay.accounts.account import Account
from relay.config import AccountPolicy
from relay.delivery import Attempt, CallResult, Delivery
from relay.errors import LeaseLost, MailRefused, QueueError
from relay.events import Events
from relay.message import Clock
from relay.outcome import Accepted, Deferred, Outcome, Refused
from relay.preparation import Preparation
from relay.providers.contract import Call, Plan
from relay.queue.contract import FINAL_STATES, Claim, Queue, RecipientEntry, Result, State
from relay.settlement import Schedule, results_of

#: Waits between attempts to write down what an API has answered, in seconds; the last one repeats.
_RECORD_WAITS = (0.1, 0.5, 1.0, 2.0, 5.0)


class Custody:
    """A claimed message and how its recipients stand; the journal of an attempt at it."""

    def __init__(
        self,
        claim: Claim,
        provider: str,
        *,
        queue: Queue,
        events: Events,
        clock: Clock,
        lease_seconds: float,
    ) -> None:
        self.claim = claim
        self.provider = provider
        self.entries: dict[int, RecipientEntry] = {entry.position: entry for entry in claim.entries}
        self._queue = queue
        self._events = events
        self._clock = clock
        self._lease_seconds = lease_seconds

    async def before(self, call: Call) -> None:
        """Journal that a call goes out. Raises QueueError when the lease was lost: then it must not."""
        keys = {recipient.key for recipient in call.recipients}
        positions = [position for position, entry in self.entries.items() if entry.recipient.key in keys]
        await self._queue.begin(self.claim, positions, self._lease_seconds)
        for position in positions:
            entry = self.entries[position]
            self.entries[position] = replace(entry, state=State.SENDING, attempts=entry.attempts + 1)

    async def after(self, result: CallResult) -> None:
        """Record what a call brought."""
        results = results_of(self.entries.values(), result.outcomes)
        await self.settle(results, seconds=result.seconds, call=result.call.function)

    async def settle(self, results: Sequence[Result], *, seconds: float = 0.0, call: str = "") -> None:
        """Write down where outcomes leave recipients, and tell of it.

        An answer must not get lost, or mail would be sent twice: a store in trouble is asked again until it writes.
        Raises LeaseLost when the message was given to somebody else meanwhile.
        """
        for wait in chain(_RECORD_WAITS, repeat(_RECORD_WAITS[-1])):
            try:
                await self._queue.record(self.claim, results, seconds=seconds, call=call)
            except LeaseLost:
                raise
            except QueueError as error:
                self._events.store_failed("record", str(error))
                await asyncio.sleep(wait)
            else:
                break
        for result in results:
            self._settled(result)

    async def release(self, due_at: float | None) -> None:
        """Give the message back."""
        await self._queue.release(self.claim, due_at)

    def _settled(self, result: Result) -> None:
        entry = self.entries[result.position]
        self.entries[result.position] = replace(entry, state=result.state, changed_at=self._clock())
        tell_settled(self._events, self.claim.message.id, self.provider, entry, result)


class Custodian:
    """Takes claimed messages into custody."""

    def __init__(self, queue: Queue, events: Events, clock: Clock, lease_seconds: float) -> None:
        self._queue = queue
        self._events = events
        self._clock = clock
        self.lease_seconds = lease_seconds

    def take(self, claim: Claim, account: Account) -> Custody:
        """Take a message that is leased to this process."""
        return Custody(
            claim,
            account.provider,
            queue=self._queue,
            events=self._events,
            clock=self._clock,
            lease_seconds=self.lease_seconds,
        )


class Keeper:
    """Makes one attempt at a claimed message, by the rules of its account."""

    def __init__(
        self, preparation: Preparation, delivery: Delivery, schedule: Schedule, events: Events, clock: Clock
    ) -> None:
        self._preparation = preparation
        self._delivery = delivery
        self._schedule = schedule
        self._events = events
        self._clock = clock

    async def attempt(self, custody: Custody, account: Account) -> None:
        """Give up what is too old, hold or retry what is unconfirmed, try what is due, and give the message back."""
        await self._give_up_if_too_old(custody)
        await self._hold_unconfirmed(custody, account.policy)
        outcomes = await self._try_due(custody, account)
        due_at = self._schedule.due_at(self._clock(), custody.entries.values(), outcomes, account.policy)
        await custody.release(due_at)

    async def finish(self, custody: Custody, attempt: Attempt) -> None:
        """Give back a message whose attempt was begun elsewhere and has ended now."""
        policy = attempt.account.policy
        due_at = self._schedule.due_at(self._clock(), custody.entries.values(), attempt.outcomes, policy)
        await custody.release(due_at)

    async def _give_up_if_too_old(self, custody: Custody) -> None:
        if self._clock() < custody.claim.expires_at:
            return
        results = [
            Result(entry.position, Deferred(_given_up(entry)), State.EXPIRED)
            for entry in custody.entries.values()
            if entry.state not in FINAL_STATES and entry.state is not State.HELD
        ]
        if results:
            await custody.settle(results)

    async def _hold_unconfirmed(self, custody: Custody, policy: AccountPolicy) -> None:
        if policy.on_unconfirmed != "hold":
            return
        results = [
            Result(entry.position, Deferred(entry.reason, maybe_accepted=True), State.HELD)
            for entry in custody.entries.values()
            if self._is_past_confirming(entry, policy)
        ]
        if results:
            await custody.settle(results)

    async def _try_due(self, custody: Custody, account: Account) -> dict[str, Outcome]:
        due = [
            entry
            for entry in custody.entries.values()
            if entry.state is State.QUEUED or self._is_past_confirming(entry, account.policy)
        ]
        if not due:
            return {}
        try:
            plan = await self._plan(custody, account, due)
        except MailRefused as refusal:
            refused = Refused(f"no longer translatable: {refusal.reply}", refusal.reply)
            await custody.settle([Result(entry.position, refused, State.REFUSED) for entry in due])
            return {}
        self._tell_retried(custody, due)
        attempt = Attempt(custody.claim.message.id, account, plan, custody, custody.claim.batch_id)
        await self._delivery.run(attempt)
        return attempt.outcomes

    async def _plan(self, custody: Custody, account: Account, due: Sequence[RecipientEntry]) -> Plan:
        recipients = [entry.recipient for entry in due]
        return await self._preparation.plan_for(custody.claim.message, account, recipients, custody.claim.batch_id)

    def _is_past_confirming(self, entry: RecipientEntry, policy: AccountPolicy) -> bool:
        return entry.state is State.UNCONFIRMED and entry.changed_at + policy.unconfirmed_wait <= self._clock()

    def _tell_retried(self, custody: Custody, due: Sequence[RecipientEntry]) -> None:
        for entry in due:
            if entry.state is State.UNCONFIRMED:
                self._events.retried_unconfirmed(
                    custody.claim.message.id, provider=custody.provider, recipient=entry.recipient.address
                )


def tell_settled(events: Events, message_id: str, provider: str, entry: RecipientEntry, result: Result) -> None:
    """Tell the log where one recipient stands now, if that is worth a line."""
    outcome, recipient = result.outcome, entry.recipient.address
    reason = outcome.remark if isinstance(outcome, Accepted) else outcome.reason
    if result.state is State.UNCONFIRMED:
        events.recipient_unconfirmed(message_id, provider=provider, recipient=recipient, reason=reason)
    elif result.state is State.HELD:
        events.recipient_held(message_id, provider=provider, recipient=recipient, reason=reason)
    elif result.state in FINAL_STATES:
        provider_message_id = outcome.provider_message_id if isinstance(outcome, Accepted) else ""
        events.recipient_finished(
            message_id,
            provider=provider,
            recipient=recipient,
            state=result.state.value,
            reason=reason,
            provider_message_id=provider_message_id,
        )


def _given_up(entry: RecipientEntry) -> str:
    doubt = "; the provider may have accepted it" if entry.state is State.UNCONFIRMED else ""
    return f"given up after max_age{doubt}: {entry.reason or 'never tried'}"

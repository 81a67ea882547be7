"""One attempt at a kept message: journalled before each call, recorded after it, then given back to the queue."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, repeat
from typing import TypeVar

from relay.accounts.account import Account
from relay.config import AccountPolicy
from relay.delivery import Attempt, CallResult, Delivery
from relay.errors import LeaseLost, MailRefused, QueueError
from relay.events import Events
from relay.message import Clock
from relay.outcome import Accepted, Deferred, Outcome, Refused
from relay.preparation import Preparation
from relay.proof import Proof
from relay.providers.contract import Call, Plan
from relay.queue.contract import FINAL_STATES, Claim, RecipientEntry, Result, State, Store
from relay.settlement import Schedule, due_at, next_due_at

#: Waits between attempts to write down what an API has answered, in seconds; the last one repeats.
_RECORD_WAITS = (0.1, 0.5, 1.0, 2.0, 5.0)

_T = TypeVar("_T")


class Custody:
    """A claimed message and how its recipients stand; the journal of an attempt at it."""

    def __init__(
        self,
        claim: Claim,
        account: Account,
        *,
        queue: Store,
        schedule: Schedule,
        events: Events,
        clock: Clock,
        lease_seconds: float,
    ) -> None:
        self.claim = claim
        self.account = account
        self.entries: dict[int, RecipientEntry] = {entry.position: entry for entry in claim.entries}
        self._queue = queue
        self._schedule = schedule
        self._events = events
        self._clock = clock
        self._lease_seconds = lease_seconds
        self.is_released = False  # given back to the store; from then on anybody may claim it

    async def before(self, call: Call) -> None:
        """Journal that a call goes out, unless that was done when the message was put. Raises LeaseLost."""
        keys = {recipient.key for recipient in call.recipients}
        positions = [
            position
            for position, entry in self.entries.items()
            if entry.recipient.key in keys and entry.state is not State.SENDING
        ]
        if not positions:
            return
        await self._queue.begin(self.claim, positions, self._lease_seconds)
        for position in positions:
            entry = self.entries[position]
            if entry.state is State.UNCONFIRMED:
                self._events.retried_unconfirmed(
                    self.claim.message.id, provider=self.account.provider, recipient=entry.recipient.address
                )
            self.entries[position] = replace(entry, state=State.SENDING, attempts=entry.attempts + 1)

    async def after(self, result: CallResult, *, is_last: bool) -> None:
        """Record what a call brought; after the last one give the message back, too."""
        results = self.results_of(result.outcomes)
        await self.settle(results, seconds=result.seconds, call=result.call.function, is_last=is_last)

    def results_of(self, outcomes: Mapping[str, Outcome]) -> tuple[Result, ...]:
        """Tell where outcomes would leave the recipients."""
        return self._schedule.results(self._clock(), self.entries.values(), outcomes, self.account.policy)

    async def settle(
        self, results: Sequence[Result], *, seconds: float = 0.0, call: str = "", is_last: bool = False
    ) -> None:
        """Write down where outcomes leave recipients, and tell of it; `is_last`: give the message back, too.

        An answer must not get lost, or mail would be sent twice: a store in trouble is asked again until it writes.
        Raises LeaseLost when the message was given to somebody else meanwhile; what is proven is written all the same.
        """
        if not results:
            return
        after = self.entries | {result.position: self._entry_after(result) for result in results}
        try:
            await self._insist(lambda: self._write(results, after, seconds=seconds, call=call, is_last=is_last))
        except LeaseLost:
            await self._confirm([result for result in results if result.state in FINAL_STATES])
            raise
        before, self.entries, self.is_released = self.entries, after, is_last
        for result in results:
            if _was_tried(result):
                entry = before[result.position]
                tell_settled(self._events, self.claim.message.id, self.account.provider, entry, result)

    async def refresh(self) -> None:
        """Learn what came to light since the message was claimed: proof needs no lease."""
        entries = await self._queue.entries(self.claim.message.id)
        self.entries = {entry.position: entry for entry in entries or self.entries.values()}

    async def release(self) -> None:
        """Give the message back, due when the first of its recipients is; nothing where that was done."""
        if not self.is_released:
            await self._queue.release(self.claim, self._due_at(self.entries))
            self.is_released = True

    async def _confirm(self, proven: Sequence[Result]) -> None:
        for result in proven:  # one by one: the store tells how many it settled, not whom
            confirm = partial(self._queue.confirm, self.claim.message.id, [result])
            if await self._insist(confirm):
                entry = self.entries[result.position]
                tell_settled(self._events, self.claim.message.id, self.account.provider, entry, result)

    async def _insist(self, write: Callable[[], Awaitable[_T]]) -> _T:
        waits = chain(_RECORD_WAITS, repeat(_RECORD_WAITS[-1]))
        while True:
            try:
                return await write()
            except LeaseLost:
                raise
            except QueueError as error:
                self._events.store_failed("record", str(error))
            await asyncio.sleep(next(waits))

    async def _write(
        self,
        results: Sequence[Result],
        after: Mapping[int, RecipientEntry],
        *,
        seconds: float,
        call: str,
        is_last: bool,
    ) -> None:
        if is_last:
            await self._queue.conclude(self.claim, results, self._due_at(after), seconds=seconds, call=call)
        else:
            await self._queue.record(self.claim, results, seconds=seconds, call=call)

    def _due_at(self, entries: Mapping[int, RecipientEntry]) -> float | None:
        return next_due_at(tuple(entries.values()), self.account.policy)

    def _entry_after(self, result: Result) -> RecipientEntry:
        entry = self.entries[result.position]
        return replace(entry, state=result.state, changed_at=self._clock(), due_at=result.due_at)


class Custodian:
    """Takes claimed messages into custody."""

    def __init__(self, queue: Store, schedule: Schedule, events: Events, clock: Clock, lease_seconds: float) -> None:
        self._queue = queue
        self._schedule = schedule
        self._events = events
        self._clock = clock
        self.lease_seconds = lease_seconds

    def take(self, claim: Claim, account: Account) -> Custody:
        """Take a message that is leased to this process."""
        return Custody(
            claim,
            account,
            queue=self._queue,
            schedule=self._schedule,
            events=self._events,
            clock=self._clock,
            lease_seconds=self.lease_seconds,
        )


class Keeper:
    """Makes one attempt at a claimed message, by the rules of its account."""

    def __init__(self, preparation: Preparation, delivery: Delivery, proof: Proof, clock: Clock) -> None:
        self._preparation = preparation
        self._delivery = delivery
        self._proof = proof
        self._clock = clock

    async def attempt(self, custody: Custody, plan: Plan | None = None) -> None:
        """Make one attempt and give the message back.

        `plan`: of a message that was just accepted, for all its recipients. Without it: seek proof of what is
        unconfirmed, hold or retry what is still unconfirmed, give up what is too old, try what is due.
        """
        if plan is not None:
            await self._deliver(custody, plan)
        else:
            await self._seek_proof(custody)
            await self._hold_unconfirmed(custody)
            await self._give_up_if_too_old(custody)
            await self._try_due(custody)
        await custody.release()

    async def finish(self, custody: Custody, attempt: Attempt) -> None:
        """Give back a message whose attempt was begun elsewhere and has ended now."""
        await self._settle_untried(custody, attempt)
        await custody.release()

    async def _seek_proof(self, custody: Custody) -> None:
        """Ask the API once more about those whose wait for proof is over."""
        policy = custody.account.policy
        unconfirmed = [entry for entry in custody.entries.values() if entry.state is State.UNCONFIRMED]
        times = [due_at(entry, policy) for entry in unconfirmed if self._is_due(entry, policy)]
        if times:
            since = min(times) - policy.unconfirmed_wait / 8
            found = await self._proof.sought(custody.account, custody.claim.message.id, since)
            await custody.refresh()
            await custody.settle(
                [
                    Result(position, said, State.ACCEPTED)
                    for position, said in found.items()
                    if custody.entries[position].state is State.UNCONFIRMED
                ]
            )

    async def _give_up_if_too_old(self, custody: Custody) -> None:
        """Give up whoever was tried in vain until max_age.

        Nobody is given up untried, however long we were down, nor unconfirmed before the last question.
        """
        if self._clock() < custody.claim.expires_at:
            return
        policy = custody.account.policy
        await custody.settle(
            [
                Result(entry.position, Deferred(given_up(entry.reason, entry.state)), State.EXPIRED)
                for entry in custody.entries.values()
                if entry.attempts
                and entry.state not in FINAL_STATES
                and entry.state is not State.HELD
                and (entry.state is not State.UNCONFIRMED or self._is_due(entry, policy))
            ]
        )

    async def _hold_unconfirmed(self, custody: Custody) -> None:
        policy = custody.account.policy
        if policy.on_unconfirmed != "hold":
            return
        await custody.settle(
            [
                Result(entry.position, Deferred(entry.reason, maybe_accepted=True), State.HELD)
                for entry in custody.entries.values()
                if entry.state is State.UNCONFIRMED and self._is_due(entry, policy)
            ]
        )

    async def _try_due(self, custody: Custody) -> None:
        account, claim = custody.account, custody.claim
        open_states = {State.QUEUED, State.UNCONFIRMED}
        due = [
            entry
            for entry in custody.entries.values()
            if entry.state in open_states and self._is_due(entry, account.policy)
        ]
        if not due:
            return
        recipients = [entry.recipient for entry in due]
        try:
            plan = await self._preparation.plan_for(claim.message, account, recipients, claim.batch_id)
        except MailRefused as refusal:
            refused = Refused(f"no longer translatable: {refusal.reply}", refusal.reply)
            await custody.settle([Result(entry.position, refused, State.REFUSED) for entry in due])
            return
        await self._deliver(custody, plan)

    async def _deliver(self, custody: Custody, plan: Plan) -> None:
        claim = custody.claim
        attempt = Attempt(claim.message.id, custody.account, plan, custody, claim.batch_id)
        await self._delivery.run(attempt)
        await self._settle_untried(custody, attempt)

    async def _settle_untried(self, custody: Custody, attempt: Attempt) -> None:
        """Give those that no call was made for the time of those that were deferred."""
        if any(isinstance(said, Deferred) and not said.was_tried for said in attempt.outcomes.values()):
            deferred = {key: said for key, said in attempt.outcomes.items() if isinstance(said, Deferred)}
            results = custody.results_of(deferred)
            await custody.settle([result for result in results if not _was_tried(result)])

    def _is_due(self, entry: RecipientEntry, policy: AccountPolicy) -> bool:
        return due_at(entry, policy) <= self._clock()


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


def given_up(reason: str, state: State) -> str:
    """Say why a recipient is given up."""
    doubt = "; the provider may have accepted it" if state is State.UNCONFIRMED else ""
    return f"given up after max_age{doubt}: {reason or 'never tried'}"


def _was_tried(result: Result) -> bool:
    return not isinstance(result.outcome, Deferred) or result.outcome.was_tried

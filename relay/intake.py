"""Taking responsibility for a message: three modes, one method.

What differs is only whose answer the client waits for: the disk's, the API's, or the API's within a deadline.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

from relay.active import ActiveQueue
from relay.delivery import Attempt, CallResult, Delivery, NoJournal
from relay.doubts import Doubts, Taken, Taking
from relay.entries import entries_after, fresh_entries
from relay.errors import QueueError, QueueFull
from relay.events import Events
from relay.keeping import Custodian, Custody, Keeper, tell_settled
from relay.message import Clock
from relay.outcome import Outcome, Replies, combined_reply
from relay.pauses import Pauses
from relay.preparation import Preparation, Prepared
from relay.providers.contract import Call
from relay.queue.contract import Claim, NewMessage, Queue, RecipientEntry
from relay.settlement import Schedule, next_due_at
from relay.unheard import Unheard


class Intake(Protocol):
    """One way of taking responsibility."""

    async def accept(self, prepared: Prepared, is_waiting: Callable[[], bool]) -> Taken:
        """Take the message and say 250, or say why not; a reply that is no success leaves nothing behind.

        `is_waiting` tells whether the client is still there to hear the reply.
        """


class Queued:
    """250 once the message is committed and synced."""

    def __init__(
        self,
        queue: Queue,
        active: ActiveQueue,
        schedule: Schedule,
        unheard: Unheard,
        events: Events,
        clock: Clock,
    ) -> None:
        self._queue = queue
        self._active = active
        self._unheard = unheard
        self._schedule = schedule
        self._events = events
        self._clock = clock

    async def accept(self, prepared: Prepared, is_waiting: Callable[[], bool]) -> Taken:
        """Keep the message, once, however often its client sends it without hearing of it."""
        return await self._unheard.take(prepared, is_waiting, self.keep)

    async def keep(self, prepared: Prepared) -> Taken:
        """Keep the message, in the active queue if there is a place."""
        place = self._active.reserve(prepared)
        new = self._active.leased(place, self.new_message(prepared, fresh_entries(prepared)))
        is_taken = False
        try:
            taken = await self.put(new)
            is_taken = taken.reply.is_success
        finally:
            if is_taken:
                self._active.taken(place, new)
            else:
                self._active.lost(place)
        return taken

    async def keep_attempted(self, prepared: Prepared, outcomes: Mapping[str, Outcome]) -> Taken:
        """Keep a message as an attempt left its recipients, and tell of them; all have an outcome.

        `queued` tells whether something is left to be tried, also when it could not be kept.
        """
        fresh = fresh_entries(prepared)
        results = self._schedule.results(self._clock(), fresh, outcomes, prepared.account.policy)
        new = self.new_message(prepared, entries_after(fresh, results))
        is_left = next_due_at(new.entries, prepared.account.policy) is not None
        taken = await self.put(new)
        if taken.reply.is_success or not is_left:
            for entry, result in zip(fresh, results, strict=True):
                tell_settled(self._events, prepared.message.id, prepared.account.provider, entry, result)
        return Taken(taken.reply, queued=is_left)

    def new_message(self, prepared: Prepared, entries: tuple[RecipientEntry, ...]) -> NewMessage:
        """Make the queue's view of a message, due when the first of its recipients is."""
        policy = prepared.account.policy
        now = self._clock()
        return NewMessage(
            message=prepared.message,
            entries=entries,
            mode=policy.mode,
            due_at=max(now, next_due_at(entries, policy) or now),
            expires_at=prepared.message.received_at + policy.max_age,
            notes=prepared.notes,
            notice_at=_notice_at(prepared),
        )

    async def put(self, new: NewMessage) -> Taken:
        """Commit a message; the reply tells what hindered it."""
        try:
            await self._queue.put(new)
        except QueueFull as error:
            self._events.store_failed("put", str(error))
            return Taken(Replies.STORE_FULL)
        except QueueError as error:
            self._events.store_failed("put", str(error))
            return Taken(Replies.STORE_UNAVAILABLE)
        return Taken(Replies.QUEUED, queued=True)


class Direct:
    """250 once the API has accepted it. What only some recipients could get is kept for the others."""

    def __init__(
        self,
        queued: Queued,
        preparation: Preparation,
        delivery: Delivery,
        doubts: Doubts,
        pauses: Pauses,
        events: Events,
    ) -> None:
        self._queued = queued
        self._preparation = preparation
        self._delivery = delivery
        self._doubts = doubts
        self._pauses = pauses
        self._events = events

    async def accept(self, prepared: Prepared, is_waiting: Callable[[], bool]) -> Taken:
        """Send while the client waits."""
        try:
            async with self._doubts.taking(prepared) as taking:
                return await self._take(taking, prepared, is_waiting)
        except QueueError as error:  # before any call
            self._events.store_failed("doubt", str(error))
            return Taken(Replies.STORE_UNAVAILABLE)

    async def _take(self, taking: Taking, prepared: Prepared, is_waiting: Callable[[], bool]) -> Taken:
        if (known := taking.taken_unheard(is_heard=is_waiting())) is not None:
            return known
        if await self._is_paused(prepared) or taking.must_wait():
            return Taken(Replies.PROVIDER_UNAVAILABLE)
        attempt = await self.begin(taking, prepared)
        running = asyncio.create_task(self._delivery.run(attempt), name=f"direct {prepared.message.id}")
        await asyncio.wait({running}, timeout=prepared.account.policy.answer_within)
        # A call that is under way is never cut short: its answer is what the client waits for.
        attempt.is_enough = True
        await running
        taken = await self.conclude(prepared, attempt.outcomes)
        taking.learn(attempt.outcomes, taken, is_heard=is_waiting())
        return taken

    async def begin(self, taking: Taking, prepared: Prepared) -> Attempt:
        """Begin an attempt for all who do not have the message already, as the same client once was not told."""
        accepted = await taking.begin()
        if not accepted:
            return Attempt(prepared.message.id, prepared.account, prepared.plan, NoJournal())
        rest = [recipient for recipient in prepared.recipients if recipient.key not in accepted]
        batch = next((said.provider_batch_id for said in accepted.values() if said.provider_batch_id), "")
        plan = await self._preparation.plan_for(prepared.message, prepared.account, rest, batch)
        attempt = Attempt(prepared.message.id, prepared.account, plan, NoJournal(), batch)
        attempt.outcomes.update(accepted)
        return attempt

    async def conclude(self, prepared: Prepared, outcomes: Mapping[str, Outcome]) -> Taken:
        """Answer for all recipients at once, and keep what is left to do and what was done."""
        reply = combined_reply(outcomes.values())
        if not reply.is_success:
            return Taken(reply)
        kept = await self._queued.keep_attempted(prepared, outcomes)
        # Where nothing is left to do, a history that could not be written must not make the client send again.
        return Taken(reply, kept.queued) if kept.reply.is_success or not kept.queued else kept

    async def _is_paused(self, prepared: Prepared) -> bool:
        try:
            await self._pauses.refresh()
        except QueueError as error:
            self._events.store_failed("paused", str(error))
        return self._pauses.seconds_left(prepared.account.name) > 0


class Auto:
    """Waits a while for the API; what it has not taken by then is committed, and the client gets its 250."""

    def __init__(
        self,
        owner: str,
        direct: Direct,
        queued: Queued,
        delivery: Delivery,
        keeper: Keeper,
        custodian: Custodian,
        schedule: Schedule,
        doubts: Doubts,
        pauses: Pauses,
        events: Events,
        clock: Clock,
    ) -> None:
        self._owner = owner
        self._direct = direct
        self._queued = queued
        self._delivery = delivery
        self._keeper = keeper
        self._custodian = custodian
        self._schedule = schedule
        self._doubts = doubts
        self._pauses = pauses
        self._events = events
        self._clock = clock
        self._late: set[asyncio.Task[None]] = set()

    async def accept(self, prepared: Prepared, is_waiting: Callable[[], bool]) -> Taken:
        """Send while the client waits, but not for long."""
        try:
            async with self._doubts.taking(prepared) as taking:
                return await self._take(taking, prepared, is_waiting)
        except QueueError as error:  # before any call
            self._events.store_failed("doubt", str(error))
            return Taken(Replies.STORE_UNAVAILABLE)

    async def _take(self, taking: Taking, prepared: Prepared, is_waiting: Callable[[], bool]) -> Taken:
        if (known := taking.taken_unheard(is_heard=is_waiting())) is not None:
            return known
        if taking.must_wait():
            return Taken(Replies.PROVIDER_UNAVAILABLE)
        outcomes: Mapping[str, Outcome] = {}
        if taking.known is None and self._pauses.seconds_left(prepared.account.name) > 0:
            taken = await self._queued.keep(prepared)
        else:
            attempt = await self._direct.begin(taking, prepared)
            taken = await self._attempt(prepared, attempt)
            outcomes = attempt.outcomes
        taking.learn(outcomes, taken, is_heard=is_waiting())
        return taken

    async def close(self, within_seconds: float) -> int:
        """Wait for calls that outlived their client's patience; returns how many did not end."""
        if not self._late:
            return 0
        _, pending = await asyncio.wait(self._late, timeout=within_seconds)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        return len(pending)

    async def _attempt(self, prepared: Prepared, attempt: Attempt) -> Taken:
        running = asyncio.create_task(self._delivery.run(attempt), name=f"auto {prepared.message.id}")
        await asyncio.wait({running}, timeout=prepared.account.policy.answer_within)
        if not running.done() and attempt.under_way is None:
            # Nothing is on its way: it waits for a turn, and can do so in the store.
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            attempt.leave_untried()
        elif not running.done():
            taken = await self._take_over(prepared, attempt, running)
            if taken is not None:
                return taken
            await running  # it could not be kept, so only the API's own answer is left to give
        return await self._conclude(prepared, attempt)

    async def _conclude(self, prepared: Prepared, attempt: Attempt) -> Taken:
        reply = combined_reply(attempt.outcomes.values())
        if not reply.is_temporary:
            return await self._direct.conclude(prepared, attempt.outcomes)
        return await self._queued.keep_attempted(prepared, attempt.outcomes)

    async def _take_over(self, prepared: Prepared, attempt: Attempt, running: asyncio.Task[None]) -> Taken | None:
        """Commit the message as it stands in the middle of its attempt; None: the store could not.

        From here on the attempt's journal is the store. A call that ends while the commit is under way waits for it.
        """
        journal = _Handover()
        attempt.journal = journal
        fresh = fresh_entries(prepared)
        results = self._schedule.results(self._clock(), fresh, attempt.outcomes, prepared.account.policy)
        under_way = {recipient.key for recipient in attempt.under_way.recipients} if attempt.under_way else set()
        entries = entries_after(fresh, results, under_way)
        new = replace(
            self._queued.new_message(prepared, entries),
            leased_by=self._owner,
            lease_seconds=self._custodian.lease_seconds,
        )
        taken = await self._queued.put(new)
        if not taken.reply.is_success:
            journal.fail()
            return None
        claim = Claim(prepared.message, entries, new.expires_at, self._owner, attempt.batch_id)
        custody = self._custodian.take(claim, prepared.account)
        journal.succeed(custody)
        late = asyncio.create_task(self._finish(custody, attempt, running), name=f"late {prepared.message.id}")
        self._late.add(late)
        late.add_done_callback(self._late.discard)
        return taken

    async def _finish(self, custody: Custody, attempt: Attempt, running: asyncio.Task[None]) -> None:
        try:
            await running
            await self._keeper.finish(custody, attempt)
        except QueueError as error:
            # The lease ends by itself, and what was begun is journalled.
            self._events.store_failed("finish", str(error))
        except Exception as error:  # noqa: BLE001 - nobody waits for this task: say what went wrong
            self._events.unexpected("auto", error, message_id=attempt.message_id)


class _Handover:
    """The journal while a message moves into the store: whoever writes waits until it is there."""

    def __init__(self) -> None:
        self._store: asyncio.Future[Custody | NoJournal] = asyncio.get_running_loop().create_future()

    def succeed(self, custody: Custody) -> None:
        """The message is committed: write to its custody."""
        self._store.set_result(custody)

    def fail(self) -> None:
        """It is not: write nothing, the client still waits."""
        self._store.set_result(NoJournal())

    async def before(self, call: Call) -> None:
        """Journal a call once the message is there."""
        await (await self._store).before(call)

    async def after(self, result: CallResult, *, is_last: bool) -> None:
        """Record a call once the message is there."""
        await (await self._store).after(result, is_last=is_last)


def _notice_at(prepared: Prepared) -> float | None:
    """Tell when the sender is to be told that the message still waits; None: never."""
    after, message = prepared.account.policy.reports.delay_notice, prepared.message
    return message.received_at + after if after and message.envelope.mail_from else None

"""Draining the queue: claim, attempt, sleep, stop well.

Claims only what can be begun soon: a message that waits here waits nowhere else. One account's mail never takes the
slots of another beyond its own concurrency.
"""

import asyncio
import contextlib
from collections import Counter, deque
from dataclasses import dataclass

from relay.accounts.account import Account, Gatekeeper
from relay.config.settings import DeliverySettings, RetrySettings
from relay.errors import QueueError
from relay.events import Events
from relay.keeping import Custodian, Keeper, given_up, tell_settled
from relay.message import Clock, MessageId
from relay.outcome import Blame, Deferred
from relay.pauses import Pauses
from relay.queue.contract import FINAL_STATES, Claim, Queue, Result, State

#: Longest sleep between looks at the queue, in seconds: a lost signal or a lease that ended elsewhere costs no more.
_LOOK_EVERY = 5.0
#: Least sleep after a look that found nothing, in seconds.
_LEAST_SLEEP = 0.05
#: Wait after the store failed, in seconds.
_STORE_TROUBLE_WAIT = 1.0
#: What the metrics say of mail whose account, and so whose provider, is not known any more.
_NO_PROVIDER = "none"
#: Claims waiting here for a slot, over all accounts.
_MOST_WAITING = 64


@dataclass(frozen=True, slots=True)
class _Work:
    claim: Claim
    account: Account


class Worker:
    """Works off the queue in the name of one owner."""

    def __init__(
        self,
        owner: str,
        *,
        queue: Queue,
        gatekeeper: Gatekeeper,
        keeper: Keeper,
        custodian: Custodian,
        pauses: Pauses,
        settings: DeliverySettings,
        retry: RetrySettings,
        events: Events,
        clock: Clock,
    ) -> None:
        self._owner = owner
        self._queue = queue
        self._gatekeeper = gatekeeper
        self._keeper = keeper
        self._pauses = pauses
        self._settings = settings
        self._retry = retry
        self._custodian = custodian
        self._events = events
        self._clock = clock
        self._running: Counter[str] = Counter()
        self._waiting: dict[str, deque[_Work]] = {}
        self._held: set[MessageId] = set()
        self._held_bytes = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._stopping = False
        self._claims_nothing = asyncio.Event()
        self._claims_nothing.set()

    @property
    def under_way(self) -> int:
        """Count the messages that are being attempted."""
        return len(self._tasks)

    async def run(self) -> None:
        """Drain the queue until `stop`; ends with an exception only when the program should."""
        listening = asyncio.create_task(self._listen(), name="queue signal")
        self._claims_nothing.clear()
        try:
            while not self._stopping:
                self._wake.clear()  # before looking: a signal during the look must not be lost
                looked_at = self._clock()
                if not await self._look():
                    await self._sleep(looked_at)
            await self._give_back_waiting()
        finally:
            self._claims_nothing.set()
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening

    async def stop(self, within_seconds: float) -> int:
        """Claim nothing more, give back what has not begun, wait for calls under way; returns how many did not end."""
        self._stopping = True
        self._wake.set()
        await self._claims_nothing.wait()
        tasks = set(self._tasks)
        if not tasks:
            return 0
        _, pending = await asyncio.wait(tasks, timeout=within_seconds)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        return len(pending)

    async def _look(self) -> bool:
        """Claim and begin what there is room for; tells whether another look may find more at once."""
        try:
            await self._pauses.refresh()
            self._begin_waiting()
            room = self._room()
            if room <= 0:
                return False
            claims = await self._queue.claim(
                self._owner, room, self._custodian.lease_seconds, without=self._full_accounts()
            )
            for claim in claims:
                await self._take(claim)
        except QueueError as error:
            self._events.store_failed("claim", str(error))
            await asyncio.sleep(_STORE_TROUBLE_WAIT)
            return True
        self._begin_waiting()
        return len(claims) == room

    def _room(self) -> int:
        """Tell how many messages more may be held here; memory is bounded by their bytes, too."""
        if self._held_bytes >= self._settings.bytes_in_flight:
            return 0
        return min(self._settings.concurrency - len(self._tasks), _MOST_WAITING - self._count_waiting())

    async def _take(self, claim: Claim) -> None:
        if claim.message.id in self._held:
            # Its lease ended under the call that this process still makes, for the clock was set: let that end.
            await self._give_back(claim, self._clock() + self._custodian.lease_seconds)
            return
        account = await self._gatekeeper.resolve(claim.message.account)
        if account is None:
            await self._wait_for_account(claim)
            return
        self._held.add(claim.message.id)
        self._held_bytes += len(claim.message.data)
        self._waiting.setdefault(account.name, deque()).append(_Work(claim, account))

    async def _give_back_waiting(self) -> None:
        while self._waiting:
            _, works = self._waiting.popitem()
            for work in works:
                self._let_go(work)
                await self._give_back(work.claim, self._clock())

    def _begin_waiting(self) -> None:
        if self._stopping:
            return
        for name, works in list(self._waiting.items()):
            while works and len(self._tasks) < self._settings.concurrency and not self._is_full(works[0].account):
                self._begin(works.popleft())
            if not works:
                del self._waiting[name]

    def _begin(self, work: _Work) -> None:
        self._running[work.account.name] += 1
        task = asyncio.create_task(self._attempt(work), name=f"attempt {work.claim.message.id}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._wake.set()

    async def _attempt(self, work: _Work) -> None:
        custody = self._custodian.take(work.claim, work.account)
        try:
            if self._pauses.seconds_left(work.account.name) > 0:
                await self._give_back(work.claim, self._clock())
            else:
                await self._keeper.attempt(custody)
        except QueueError as error:
            # The lease ends by itself; what was sent is journalled, so nothing is sent blindly again.
            self._events.store_failed("attempt", str(error))
        except Exception as error:  # noqa: BLE001 - one message's trouble must not stop the others
            self._events.unexpected("worker", error, message_id=work.claim.message.id)
            await self._give_back(work.claim, self._clock() + self._retry.longest)
        finally:
            self._let_go(work)
            self._running[work.account.name] -= 1
            if not self._running[work.account.name]:
                del self._running[work.account.name]

    async def _give_back(self, claim: Claim, due_at: float) -> None:
        try:
            await self._queue.release(claim, due_at)
        except QueueError as error:
            self._events.store_failed("release", str(error))

    async def _wait_for_account(self, claim: Claim) -> None:
        """Keep mail of an account that is gone until max_age; then it ends like any other."""
        message = claim.message
        if self._clock() < claim.expires_at:
            reason = "the account is no longer configured, or its credential is lost"
            self._events.delivery_impossible_now(message.id, account=message.account, reason=reason, blame=Blame.US)
            await self._give_back(claim, self._clock() + self._retry.longest)
            return
        waiting = [entry for entry in claim.entries if entry.state not in FINAL_STATES | {State.HELD}]
        results = [
            Result(entry.position, Deferred(given_up("no such account", entry.state)), State.EXPIRED)
            for entry in waiting
        ]
        await self._queue.record(claim, results, seconds=0.0)
        for entry, result in zip(waiting, results, strict=True):
            tell_settled(self._events, message.id, _NO_PROVIDER, entry, result)
        await self._queue.release(claim, None)

    def _let_go(self, work: _Work) -> None:
        self._held.discard(work.claim.message.id)
        self._held_bytes -= len(work.claim.message.data)

    def _is_full(self, account: Account) -> bool:
        most = 1 if self._pauses.in_probation(account.name) else account.policy.concurrency
        return self._running[account.name] >= most

    def _full_accounts(self) -> set[str]:
        """Name the accounts of which some mail waits here already: more of it would only block others."""
        return set(self._waiting)

    def _count_waiting(self) -> int:
        return sum(len(works) for works in self._waiting.values())

    async def _listen(self) -> None:
        while True:
            await self._queue.wait(_LOOK_EVERY)
            self._wake.set()

    async def _sleep(self, looked_at: float) -> None:
        timeout = _LOOK_EVERY
        with contextlib.suppress(QueueError):
            due = await self._queue.next_due_at()
            if due is not None:
                # What was due at the last look and was not claimed must wait for something else.
                timeout = min(1.0 if due <= looked_at else max(due - self._clock(), _LEAST_SLEEP), _LOOK_EVERY)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._wake.wait()

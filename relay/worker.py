"""Draining the queue: claim what is due, hand it to the active queue, sleep, stop well.

Claims only what can be begun soon: a message that waits here waits nowhere else. One account's mail never takes the
slots of another beyond its own concurrency.
"""

import asyncio
import contextlib

from relay.accounts.account import Gatekeeper
from relay.active import ActiveQueue
from relay.config.settings import RetrySettings
from relay.errors import QueueError
from relay.events import Events
from relay.keeping import Custodian, given_up, tell_settled
from relay.message import Clock
from relay.outcome import Blame, Deferred
from relay.pauses import Pauses
from relay.queue.contract import FINAL_STATES, Claim, Queue, Result, State

#: Longest sleep between looks at the queue, in seconds: a lost signal or a lease that ended elsewhere costs no more.
_LOOK_EVERY = 5.0
#: Least sleep after a look that found all it could, in seconds: mail that has to wait signals at every arrival.
_LEAST_SLEEP = 0.02
#: A claim is limited in bytes, too, to 64 MB: one with no more than these has left nothing due for its size, for no
#: message is so big. What it leaves must not be overtaken by what arrives.
_SMALL_CLAIM = 1024 * 1024
#: Wait after the store failed, in seconds.
_STORE_TROUBLE_WAIT = 1.0
#: What the metrics say of mail whose account, and so whose provider, is not known any more.
_NO_PROVIDER = "none"


class Worker:
    """Works off the queue in the name of one owner."""

    def __init__(
        self,
        owner: str,
        *,
        queue: Queue,
        gatekeeper: Gatekeeper,
        active: ActiveQueue,
        custodian: Custodian,
        pauses: Pauses,
        retry: RetrySettings,
        events: Events,
        clock: Clock,
    ) -> None:
        self._owner = owner
        self._queue = queue
        self._gatekeeper = gatekeeper
        self._active = active
        self._custodian = custodian
        self._pauses = pauses
        self._retry = retry
        self._events = events
        self._clock = clock
        self._wake = asyncio.Event()
        self._stopping = False
        self._claims_nothing = asyncio.Event()
        self._claims_nothing.set()
        active.on_change = self._wake.set

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
        finally:
            self._claims_nothing.set()
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening

    async def stop(self, within_seconds: float) -> int:
        """Claim nothing more and stop the active queue; returns how many calls did not end."""
        self._stopping = True
        self._wake.set()
        await self._claims_nothing.wait()
        return await self._active.stop(within_seconds)

    async def _look(self) -> bool:
        """Claim and begin what there is room for; tells whether another look may find more at once."""
        try:
            await self._pauses.refresh()
            self._active.begin_waiting()
            overflowed = self._active.overflowed()
            room = self._active.room()
            if room <= 0:
                self._active.fell_behind()
                return False
            claims = await self._queue.claim(
                self._owner, room, self._custodian.lease_seconds, without=self._active.in_line()
            )
        except QueueError as error:
            self._events.store_failed("claim", str(error))
            await asyncio.sleep(_STORE_TROUBLE_WAIT)
            return True
        for claim in claims:
            await self._take_or_give_back(claim)
        if len(claims) == room or sum(len(claim.message.data) for claim in claims) > _SMALL_CLAIM:
            self._active.fell_behind()
            return True
        self._active.caught_up(overflowed)
        return False

    async def _take_or_give_back(self, claim: Claim) -> None:
        """Trouble with one message is no other's: who is not taken here waits until the lease ends."""
        try:
            await self._take(claim)
        except QueueError as error:
            self._events.store_failed("claim", str(error))
            await self._active.give_back(claim, self._clock() + self._retry.first)

    async def _take(self, claim: Claim) -> None:
        if self._active.holds(claim.message.id):
            # Its lease ended under the call that this process still makes, for the clock was set: let that end.
            await self._active.give_back(claim, self._clock() + self._custodian.lease_seconds)
            return
        account = await self._gatekeeper.resolve(claim.message.account)
        if account is None:
            await self._wait_for_account(claim)
        else:
            self._active.add(claim, account)

    async def _wait_for_account(self, claim: Claim) -> None:
        """Keep mail of an account that is gone until max_age; then it ends like any other."""
        message = claim.message
        if self._clock() < claim.expires_at:
            reason = "the account is no longer configured, or its credential is lost"
            self._events.delivery_impossible_now(message.id, account=message.account, reason=reason, blame=Blame.US)
            await self._active.give_back(claim, self._clock() + self._retry.longest)
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

    async def _listen(self) -> None:
        while True:
            await self._queue.wait(_LOOK_EVERY)
            self._wake.set()

    async def _sleep(self, looked_at: float) -> None:
        await asyncio.sleep(_LEAST_SLEEP)
        timeout = _LOOK_EVERY
        with contextlib.suppress(QueueError):
            due = await self._queue.next_due_at()
            if due is not None:
                # What was due at the last look and was not claimed must wait for something else.
                timeout = min(1.0 if due <= looked_at else max(due - self._clock(), 0.0), _LOOK_EVERY)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._wake.wait()

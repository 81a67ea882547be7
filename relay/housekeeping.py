"""Forgetting: what was finished or over long ago is deleted, a little at a time."""

import asyncio

from relay.errors import QueueError
from relay.events import Events
from relay.message import Clock
from relay.queue.contract import Queue

#: Messages deleted in one transaction: few enough that nobody waits for it.
_AT_ONCE = 200
#: Pause between two such transactions, in seconds: mail goes first.
_BREATH = 0.2
#: Failed logins and messages in doubt that are remembered at most, of each kind: clients make them. Some 20 MB.
_MOST_REMEMBERED = 100_000
#: Time between two rounds, in seconds.
_EVERY = 600.0


class Housekeeping:
    """Prunes the store."""

    def __init__(self, queue: Queue, keep_seconds: float, events: Events, clock: Clock) -> None:
        self._queue = queue
        self._keep_seconds = keep_seconds
        self._events = events
        self._clock = clock

    async def run(self) -> None:
        """Prune now and from time to time, until cancelled."""
        while True:
            try:
                await self.prune()
            except QueueError as error:
                self._events.store_failed("prune", str(error))
            await asyncio.sleep(_EVERY)

    async def prune(self) -> int:
        """Delete all that is older than it is to be kept; returns how many messages."""
        await self._queue.forget(_MOST_REMEMBERED)
        pruned = 0
        while count := await self._queue.prune(self._clock() - self._keep_seconds, _AT_ONCE):
            pruned += count
            await asyncio.sleep(_BREATH)
        if pruned:
            self._events.pruned(pruned)
        return pruned

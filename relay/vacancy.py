"""How much mail can still be kept, looked at from time to time, so that a client is told before it has sent it all."""

import asyncio
import sys

from relay.errors import QueueError
from relay.events import Events
from relay.queue.contract import Queue

#: How often it is looked, in seconds. What comes between two looks is refused when it is to be kept.
_EVERY = 1.0


class Vacancy:
    """The room that the store has, as this process knows it."""

    def __init__(self, queue: Queue, events: Events) -> None:
        self._queue = queue
        self._events = events
        self._bytes = sys.maxsize  # nobody has looked yet

    def holds(self, size: int) -> bool:
        """Tell whether so many bytes can be kept, as far as that is known; 0: as good as nothing."""
        return max(size, 1) <= self._bytes

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(_EVERY)

    async def look(self) -> None:
        """Look now. A store that does not answer refuses by itself what is to be kept."""
        try:
            self._bytes = await self._queue.room()
        except QueueError as error:
            self._events.store_failed("room", str(error))
            self._bytes = sys.maxsize

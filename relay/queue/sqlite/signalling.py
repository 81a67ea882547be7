"""That something may have become claimable: told by this process at once, and by an operator's within a second."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from relay.errors import QueueError

#: How often it is asked what an operator has done meanwhile, in seconds.
_ASK_EVERY = 1.0


class Signal:
    """Set by writers of this process; who waits looks after others himself."""

    def __init__(self, newest_act: Callable[[], Awaitable[int]]) -> None:
        self._newest_act = newest_act
        self._known_act = -1  # nobody has asked yet
        self._event = asyncio.Event()
        self.set, self.clear = self._event.set, self._event.clear

    async def wait(self, timeout_seconds: float) -> None:
        """Return when it was set, once for each time, or an operator has acted, or after the time."""
        end = time.monotonic() + timeout_seconds
        while not self._event.is_set():
            left = end - time.monotonic()
            if left <= 0 or await self._has_acted():
                return
            try:
                async with asyncio.timeout(min(_ASK_EVERY, left)):
                    await self._event.wait()
            except TimeoutError:
                continue
        self.clear()  # the caller looks now; what comes from here on is a new signal

    async def _has_acted(self) -> bool:
        try:
            newest = await self._newest_act()
        except QueueError:
            return False  # whoever looks next is told
        known, self._known_act = self._known_act, newest
        return known not in (-1, newest)

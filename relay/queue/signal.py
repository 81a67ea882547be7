"""The signal that something may have become claimable: to be waited for, and never the truth."""

import asyncio


class Signal:
    """Given by who writes, taken up by who looks."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def give(self) -> None:
        """Wake who waits, or whoever will wait next."""
        self._event.set()

    def take_up(self) -> None:
        """Forget what was given so far; to be called before looking."""
        self._event.clear()

    async def wait(self, timeout_seconds: float) -> None:
        """Return when a signal is given, or after the time. Each is heard once."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._event.wait()
        except TimeoutError:
            return
        self._event.clear()  # the caller looks now; what comes from here on is a new signal

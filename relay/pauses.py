"""Accounts that are left alone for a while: the API refused their credentials, credits or set-up, or is in trouble.

The vendor counts repeated failing connections as spam, so after a pause one careful call goes first. An API that fails
call after call is in trouble: for one account where only its calls fail, for all at the same place where nobody's
succeed; not every message tries for itself then. Pauses are kept in the store; what is known of them here saves asking
it for every message.
"""

from collections import Counter
from dataclasses import replace

from relay.config.settings import DeliverySettings
from relay.errors import QueueError
from relay.events import Events
from relay.message import Clock
from relay.queue.contract import Pause, Queue

#: How long the list from the store is trusted; another node, or a person, may have changed it.
_REFRESH_SECONDS = 5.0


class Pauses:
    """The pauses as this process knows them."""

    def __init__(self, queue: Queue, settings: DeliverySettings, events: Events, clock: Clock) -> None:
        self._queue = queue
        self._settings = settings
        self._events = events
        self._clock = clock
        self._known: dict[str, Pause] = {}
        self._refreshed_at = float("-inf")
        self._changes = 0
        self._writing = 0  # what is known here and not in the store yet
        self._failed: Counter[str] = Counter()  # calls in a row, by account and by place
        # Accounts that are paused for the API's trouble, and not for their own, with the place of their calls.
        self._in_trouble: dict[str, str] = {}

    async def refresh(self) -> None:
        """Read the pauses from the store, if that was not done just now."""
        age = self._clock() - self._refreshed_at
        if 0 <= age < _REFRESH_SECONDS:
            return
        self._refreshed_at = self._clock()
        changes = self._changes
        kept = await self._queue.paused()
        if (
            changes == self._changes and not self._writing
        ):  # what was learnt while the store was asked is newer than its answer
            before, self._known = self._known, {pause.account: pause for pause in kept}
            # Ended elsewhere: another process had an answer, or a person lets it go on.
            for account in before.keys() - self._known.keys():
                if account in self._in_trouble:
                    self.answered(account, self._in_trouble.pop(account))

    def seconds_left(self, account: str) -> float:
        """Tell how long an account must still be left alone; 0: it may be tried."""
        pause = self._known.get(account)
        return max(0.0, pause.until - self._clock()) if pause else 0.0

    def in_probation(self, account: str) -> bool:
        """Tell whether an account's pause ran out without a success since: one call at a time."""
        return account in self._known

    async def fault(self, account: str, provider: str, reason: str) -> None:
        """Pause an account, longer each time in a row. Calls that failed during the pause do not lengthen it.

        A store that fails is told of and no more: this process knows, and an answer must not get lost over it.
        """
        if self.seconds_left(account) > 0:
            return
        if account in self._in_trouble:
            del self._in_trouble[account]
            self._known.pop(account, None)
        pause = self._next(account, reason, self._settings.pause_first, self._settings.pause_longest)
        self._events.account_paused(account, provider=provider, reason=reason, seconds=pause.until - self._clock())
        await self._write(pause)

    async def trouble(self, account: str, provider: str, place: str, reason: str, after: float | None) -> None:
        """Hear that a call failed by no fault of ours; after several in a row the account is paused.

        Args:
            account: whose call it was.
            provider: its API.
            place: what accounts have in common whose calls go the same way.
            reason: what the API said.
            after: how long the API asked to be left alone, in seconds; None: it did not.
        """
        self._failed.update((account, place))
        is_enough = max(self._failed[account], self._failed[place]) >= (self._settings.trouble_after or float("inf"))
        if self.seconds_left(account) > 0 or not (is_enough or account in self._in_trouble):
            return
        self._in_trouble[account] = place
        pause = self._next(account, reason, self._settings.trouble_first, self._settings.trouble_longest)
        pause = replace(pause, until=max(pause.until, self._clock() + min(after or 0.0, self._settings.pause_longest)))
        self._known[account] = pause
        self._events.account_in_trouble(account, provider=provider, reason=reason, seconds=pause.until - self._clock())
        await self._write(pause)

    def answered(self, account: str, place: str) -> None:
        """Hear that the API works, whatever it said."""
        if self._failed:
            del self._failed[account], self._failed[place]

    async def hurry(self, account: str) -> None:
        """Let a paused account's next careful call go at once: what was wrong may have been mended."""
        pause = self._known.get(account)
        if pause is not None and self.seconds_left(account) > 0:
            pause = self._known[account] = replace(pause, until=self._clock())
            await self._write(pause)

    async def success(self, account: str, provider: str) -> None:
        """End an account's pause: it works again. A store that fails is told of and no more."""
        self._in_trouble.pop(account, None)
        pause = self._known.get(account)
        if pause is None or (not pause.failures and self.seconds_left(account) > 0):
            return  # what a person has paused waits, though calls that were under way end well
        del self._known[account]
        self._writing += 1
        self._events.account_resumed(account, provider=provider)
        try:
            await self._queue.resume(account)
        except QueueError as error:
            self._events.store_failed("resume", str(error))
        finally:
            self._written()

    def _next(self, account: str, reason: str, first: float, longest: float) -> Pause:
        known = self._known.get(account)
        failures = known.failures + 1 if known else 1
        seconds = min(first * 2 ** min(failures - 1, 30), longest)
        pause = self._known[account] = Pause(account, until=self._clock() + seconds, reason=reason, failures=failures)
        return pause

    async def _write(self, pause: Pause) -> None:
        self._writing += 1
        try:
            await self._queue.pause(pause)
        except QueueError as error:
            self._events.store_failed("pause", str(error))
        finally:
            self._written()

    def _written(self) -> None:
        self._writing -= 1
        self._changes += 1

"""How much an account may send: messages in a minute, recipients in a day."""

import math
from collections import deque
from datetime import UTC, datetime

from relay.accounts.account import Account
from relay.accounts.bounded import Bounded
from relay.errors import QueueError
from relay.message import Clock
from relay.outcome import Replies, Reply
from relay.queue.contract import Queue

_MINUTE = 60.0
_DAY = 86400.0
_ACCOUNTS = 10_000  # pass-through logins are made by clients
#: How old the count may be that other processes on the same store have part in.
_COUNT_AGE = 60.0


class _Day:
    def __init__(self, begins_at: float) -> None:
        self.begins_at = begins_at
        self.recipients = 0
        self.counted_at = begins_at  # when the store was last asked


class Limits:
    """Counts what accounts send against what they may."""

    def __init__(self, queue: Queue, clock: Clock) -> None:
        self._queue = queue
        self._clock = clock
        self._minutes: Bounded[str, deque[float]] = Bounded(_ACCOUNTS, clock)
        self._days: Bounded[str, _Day] = Bounded(_ACCOUNTS, clock)

    async def refuse(self, account: Account, recipients: int) -> Reply | None:
        """Count one message, or return why it may not come and when it may, if ever. A refused one is not counted."""
        policy, day = account.policy, None
        if 0 < policy.recipients_per_day < recipients:
            return _never_reply(policy.recipients_per_day, recipients)
        if policy.recipients_per_day:
            try:
                day = await self._day(account.name)
            except QueueError:
                return Replies.STORE_UNAVAILABLE
        # From here on nothing awaits: two messages at once cannot both take the last place.
        now = self._clock()
        if day is not None and day.recipients + recipients > policy.recipients_per_day:
            return _day_reply(policy.recipients_per_day, day, now)
        if policy.messages_per_minute and (wait := self._minute(account, now)):
            text = f"The account's limit of {policy.messages_per_minute} messages per minute is reached"
            return Replies.RATE_LIMITED.saying(f"{text}; try again in {math.ceil(wait)} seconds")
        if day is not None:
            day.recipients += recipients
        return None

    def _minute(self, account: Account, now: float) -> float:
        times = self._minutes.get(account.name) or deque()
        while times and times[0] <= now - _MINUTE:
            times.popleft()
        if len(times) >= account.policy.messages_per_minute:
            return times[0] + _MINUTE - now
        times.append(now)
        self._minutes.put(account.name, times, _MINUTE)
        return 0.0

    async def _day(self, name: str) -> _Day:
        now = self._clock()
        begins_at = now - now % _DAY
        day = self._days.get(name)
        if day is not None and day.begins_at == begins_at and now - day.counted_at < _COUNT_AGE:
            return day
        stored = (await self._queue.volume(name, begins_at, begins_at + _DAY)).recipients
        # Somebody else may have come first while the store was asked: theirs stays, for it has been counted on.
        day = self._days.get(name)
        if day is None or day.begins_at != begins_at:
            day = _Day(begins_at)
        day.recipients, day.counted_at = max(day.recipients, stored), now
        self._days.put(name, day, _DAY)
        return day


def _never_reply(limit: int, recipients: int) -> Reply:
    # No day will ever have room for it, so coming back is useless.
    text = f"{recipients} recipients are more than the account's {limit} per day; send to fewer at once"
    return Replies.SENDER_NOT_ALLOWED.saying(text)


def _day_reply(limit: int, day: _Day, now: float) -> Reply:
    again_at = day.begins_at + _DAY
    when = datetime.fromtimestamp(again_at, UTC).strftime("%H:%M UTC")
    minutes = math.ceil((again_at - now) / 60)
    text = f"The account's limit of {limit} recipients per day is reached"
    return Replies.RATE_LIMITED.saying(f"{text}; try again after {when} (in {minutes} minutes)")

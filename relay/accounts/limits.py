"""How much an account may send: messages in a minute, recipients in a day; by all processes together.

What was taken is counted in the store, at most once a second for each account that has a limit, and what came here
since is added. So more may be taken than allowed, by what the other processes took since they were last heard of:
within one second, and what they are sending while its client waits (`direct`, `auto`), for that is in the store when it
ends.
"""

import asyncio
import math
from collections import deque
from datetime import UTC, datetime

from relay.accounts.account import Account
from relay.accounts.bounded import Bounded
from relay.errors import QueueError
from relay.message import Clock
from relay.outcome import Replies, Reply
from relay.queue.contract import Queue, Volume

_MINUTE = 60.0
_DAY = 86400.0
_ACCOUNTS = 10_000  # pass-through logins are made by clients
_ASK_EVERY = 1.0
#: What came longer ago is counted once in `_SETTLE_EVERY`: a day may hold a million messages, and few are new.
_SETTLED_AFTER, _SETTLE_EVERY = 300.0, 60.0


class Limits:
    """Counts what accounts send against what they may."""

    def __init__(self, queue: Queue, clock: Clock) -> None:
        self._queue = queue
        self._clock = clock
        self._usages: Bounded[str, _Usage] = Bounded(_ACCOUNTS, clock)

    async def refuse(self, account: Account, recipients: int) -> Reply | None:
        """Count one message, or return why it may not come and when it may, if ever. A refused one is not counted."""
        in_minute, in_day = account.policy.messages_per_minute, account.policy.recipients_per_day
        if 0 < in_day < recipients:
            return _never_reply(in_day, recipients)
        if not in_minute and not in_day:
            return None
        try:
            usage = await self._usage(account)
        except QueueError:
            return Replies.STORE_UNAVAILABLE
        # From here on nothing awaits: two messages at once cannot both take the last place.
        now = self._clock()
        if in_day and usage.in_day + recipients > in_day:
            return _day_reply(in_day, usage.day_begins_at, now)
        if in_minute and (wait := usage.minute_wait(in_minute, now)):
            text = f"The account's limit of {in_minute} messages per minute is reached"
            return Replies.RATE_LIMITED.saying(f"{text}; try again in {math.ceil(wait)} seconds")
        usage.take(now, recipients)
        return None

    async def _usage(self, account: Account) -> "_Usage":
        usage = self._usages.get(account.name) or _Usage()
        self._usages.put(account.name, usage, _DAY)
        async with usage.asking:
            now = self._clock()
            if not 0 <= now - usage.asked_at < _ASK_EVERY or now - now % _DAY != usage.day_begins_at:
                await self._ask(account, usage, now)
        return usage

    async def _ask(self, account: Account, usage: "_Usage", now: float) -> None:
        """Ask the store what it counts; only for what has a limit."""
        name, policy = account.name, account.policy
        usage.begin(now)
        if policy.messages_per_minute:
            usage.minute = await self._queue.volume(name, now - _MINUTE, math.inf)
        if policy.recipients_per_day:
            if not 0 <= now - usage.settled_at < _SETTLE_EVERY:
                edge = max(usage.day_begins_at, now - _SETTLED_AFTER)
                settled = await self._queue.volume(name, usage.day_begins_at, edge)
                usage.settled, usage.settled_before, usage.settled_at = settled.recipients, edge, now
            recent = await self._queue.volume(name, usage.settled_before, usage.day_begins_at + _DAY)
            usage.recent = recent.recipients
        usage.asked_at = now


class _Usage:
    """What one account has sent, as far as it is known here."""

    def __init__(self) -> None:
        self.asking = asyncio.Lock()
        self.asked_at = -math.inf  # when the store was last asked
        self.day_begins_at = -math.inf
        self.minute = _NOTHING  # what the store counted in the minute before it was asked
        self.settled, self.settled_before, self.settled_at = 0, 0.0, -math.inf  # recipients of the day up to a time
        self.recent = 0  # and from that time on
        self._times: deque[float] = deque()  # of the messages taken here within a minute
        self._day = 0  # recipients taken here within the day
        self._messages, self._recipients = 0, 0  # taken here since the store was asked

    def begin(self, now: float) -> None:
        """Begin to ask the store: what comes from now on it may not have counted."""
        self._messages, self._recipients = 0, 0
        begins_at = now - now % _DAY
        if begins_at != self.day_begins_at:
            self.day_begins_at, self.settled_at, self._day = begins_at, -math.inf, 0

    @property
    def in_day(self) -> int:
        """Recipients of this day. What was taken here and is not in the store counts, too."""
        return max(self._day, self.settled + self.recent + self._recipients)

    def minute_wait(self, limit: int, now: float) -> float:
        """Tell in how many seconds there is room for one more message; 0: now."""
        times = self._times
        while times and times[0] <= now - _MINUTE:
            times.popleft()
        if max(len(times), self.minute.messages + self._messages) < limit:
            return 0.0
        first = min(times[0] if times else now, self.minute.first_at or now)
        return min(max(first + _MINUTE - now, _ASK_EVERY), _MINUTE)

    def take(self, now: float, recipients: int) -> None:
        """Count a message."""
        self._times.append(now)
        self._day += recipients
        self._messages += 1
        self._recipients += recipients


_NOTHING = Volume(0, 0, None)


def _never_reply(limit: int, recipients: int) -> Reply:
    # No day will ever have room for it, so coming back is useless.
    text = f"{recipients} recipients are more than the account's {limit} per day; send to fewer at once"
    return Replies.SENDER_NOT_ALLOWED.saying(text)


def _day_reply(limit: int, begins_at: float, now: float) -> Reply:
    again_at = begins_at + _DAY
    when = datetime.fromtimestamp(again_at, UTC).strftime("%H:%M UTC")
    minutes = math.ceil((again_at - now) / 60)
    text = f"The account's limit of {limit} recipients per day is reached"
    return Replies.RATE_LIMITED.saying(f"{text}; try again after {when} (in {minutes} minutes)")

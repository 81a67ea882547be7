"""Mail of queue mode that is committed, though its client may not have heard so, and sends it again (RFC 1047).

A client may hang up while the disk works, or be told 421 because that takes too long. The very same message, that is
the same envelope and the same bytes, is then answered as it was taken, and not kept again. Remembered is that with the
doubts of the other modes, in the store. Mail of accounts of which nothing is remembered is neither hashed nor looked
up: what the store holds is looked at once a second, and what this process does not know yet is still under way in it.
"""

import asyncio
from collections.abc import Awaitable, Callable

from relay.doubts import UNHEARD_SECONDS, Doubts, Taken, fingerprint
from relay.errors import QueueError
from relay.events import Events
from relay.message import Clock
from relay.outcome import Replies
from relay.preparation import Prepared
from relay.queue.contract import Queue

#: How often to look for what other processes remember, in seconds.
_LOOK_EVERY = 1.0
#: How long it may take to write down what is remembered, in seconds.
_WRITTEN_WITHIN = 300.0

Keep = Callable[[Prepared], Awaitable[Taken]]


class _UnderWay:
    """A message that is being kept."""

    __slots__ = ("ended", "is_waiting", "prepared")

    def __init__(self, prepared: Prepared, is_waiting: Callable[[], bool]) -> None:
        self.prepared = prepared
        self.is_waiting = is_waiting
        self.ended: asyncio.Event | None = None  # where somebody waits for it


class Unheard:
    """Keeps one copy of what a client sends again because it did not hear its 250."""

    def __init__(self, doubts: Doubts, queue: Queue, events: Events, clock: Clock) -> None:
        self._doubts = doubts
        self._queue = queue
        self._events = events
        self._clock = clock
        self._looked_at = 0.0
        self._marks: dict[str, dict[bytes, float]] = {}  # by account: until when they count
        self._under_way: dict[tuple[str, int, str], list[_UnderWay]] = {}  # by what the same message has in common

    async def take(self, prepared: Prepared, is_waiting: Callable[[], bool], keep: Keep) -> Taken:
        """Keep a message, unless that was done before for a client that did not hear of it."""
        now = self._clock()
        if abs(now - self._looked_at) >= _LOOK_EVERY:
            await self._look(now)
        message = prepared.message
        key = message.account, len(message.data), prepared.recipients[0].address
        if key in self._under_way:
            await self._wait_for_twins(self._under_way[key], prepared)
        marks = self._marks.get(message.account)
        is_known = marks is not None and fingerprint(prepared) in marks
        this = _UnderWay(prepared, is_waiting)
        self._under_way.setdefault(key, []).append(this)
        try:
            taken = await (self._take_again(prepared, keep) if is_known else keep(prepared))
            if taken.reply.is_success and not is_waiting():
                await self._remember(prepared, taken)
            return taken
        finally:
            self._end(key, this)

    async def _wait_for_twins(self, others: list[_UnderWay], prepared: Prepared) -> None:
        """Wait until it is known what became of the same message, whose client has gone meanwhile."""
        for other in list(others):
            if other.is_waiting() or fingerprint(other.prepared) != fingerprint(prepared):
                continue
            other.ended = other.ended or asyncio.Event()
            await other.ended.wait()

    async def _take_again(self, prepared: Prepared, keep: Keep) -> Taken:
        try:
            async with self._doubts.taking(prepared) as taking:
                taken = taking.taken_unheard(is_heard=True)
                if taken is None:  # forgotten meanwhile
                    taken = await keep(prepared)
                    taking.learn({}, taken, is_heard=True)
        except QueueError as error:
            self._events.store_failed("doubt", str(error))
            return Taken(Replies.STORE_UNAVAILABLE)
        self._forget(prepared)
        return taken

    async def _remember(self, prepared: Prepared, taken: Taken) -> None:
        self._note(prepared.message.account, fingerprint(prepared), self._clock() + UNHEARD_SECONDS)
        try:
            async with self._doubts.taking(prepared) as taking:
                taking.learn({}, taken, is_heard=False)
        except QueueError as error:
            self._events.store_failed("doubt", str(error))

    def _end(self, key: tuple[str, int, str], this: _UnderWay) -> None:
        same = self._under_way[key]
        same.remove(this)
        if not same:
            del self._under_way[key]
        if this.ended is not None:
            this.ended.set()

    async def _look(self, now: float) -> None:
        """Learn what other processes remember, and forget what is over."""
        since, self._looked_at = min(now, self._looked_at) - _WRITTEN_WITHIN, now
        for account, marks in list(self._marks.items()):
            self._marks[account] = {mark: until for mark, until in marks.items() if until > now}
            if not self._marks[account]:
                del self._marks[account]
        try:
            for account, mark, until in await self._queue.unheard(since):
                self._note(account, mark, until)
        except QueueError as error:
            self._events.store_failed("doubt", str(error))

    def _note(self, account: str, mark: bytes, until: float) -> None:
        self._marks.setdefault(account, {})[mark] = until

    def _forget(self, prepared: Prepared) -> None:
        account = prepared.message.account
        marks = self._marks.get(account, {})
        marks.pop(fingerprint(prepared), None)
        if not marks:
            self._marks.pop(account, None)

"""The active queue: the messages that this process holds under lease, under way or next in line.

What was just accepted need not be claimed: while nothing older of its account waits in the store, a message is put
there under this process's lease, and attempted as soon as it is committed; where a call may go out at once, the same
commit journals that it does. Everything else comes by claim. Nobody overtakes for long: where one message of an account
had to go into the store without a lease, those after it go the same way until a look at the store has found no more.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from relay.accounts.account import Account
from relay.config.settings import DeliverySettings, RetrySettings
from relay.delivery import Attempt
from relay.entries import entries_after
from relay.errors import QueueError
from relay.events import Events
from relay.keeping import Custodian, Custody, Keeper
from relay.message import Clock, Message, MessageId
from relay.pauses import Pauses
from relay.preparation import Prepared
from relay.providers.contract import Plan
from relay.queue.contract import Claim, NewMessage, Queue, State

#: Share of the memory for mail that one account's line may fill.
_LINE_SHARE = 8
#: How long mail of a paused account is put off: no longer, for the pause may be ended before its time.
_PAUSED_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Work:
    claim: Claim
    account: Account
    plan: Plan | None = None  # None: to be made when its turn comes

    @property
    def is_begun(self) -> bool:
        """Tell whether its first call is journalled already."""
        return any(entry.state is State.SENDING for entry in self.claim.entries)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message that is being accepted will stand."""

    prepared: Prepared
    is_inside: bool  # held by this process; otherwise it goes into the store for whoever claims it
    begins: bool = False  # a call goes out as soon as it is committed


class ActiveQueue:
    """Holds and attempts messages in the name of one owner."""

    def __init__(
        self,
        owner: str,
        *,
        queue: Queue,
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
        self._keeper = keeper
        self._custodian = custodian
        self._pauses = pauses
        self._settings = settings
        self._retry = retry
        self._events = events
        self._clock = clock
        self._running: Counter[str] = Counter()  # by account; places that are given count
        self._lines: dict[str, deque[_Work]] = {}
        self._held: Counter[MessageId] = Counter()  # twice for a moment, where one comes again before it was let go
        self._custodies: dict[MessageId, Custody] = {}  # of those that are being attempted
        self._held_bytes = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._overflow: dict[
            str, int
        ] = {}  # accounts whose mail goes into the store, with how much is on its way there
        self._is_open = False  # the store holds nothing due that could be begun here
        self._stopping = False
        self.on_change: Callable[[], None] = lambda: None  # called when a look at the store may find a place for more

    @property
    def under_way(self) -> int:
        """Count the messages that are being attempted."""
        return len(self._tasks)

    # --- what is being accepted ---

    def reserve(self, prepared: Prepared) -> Place:
        """Give a place to a message that is about to be put; it must be said `taken` or `lost` afterwards."""
        account = prepared.account
        if not self._has_place(account, len(prepared.message.data)):
            self._overflow[account.name] = self._overflow.get(account.name, 0) + 1
            return Place(prepared, is_inside=False)
        self._hold(prepared.message)
        begins = account.name not in self._lines and self._has_slot(account)
        if begins:
            self._running[account.name] += 1
        return Place(prepared, is_inside=True, begins=begins)

    def leased(self, place: Place, new: NewMessage) -> NewMessage:
        """Return a message as it is to be put."""
        if not place.is_inside:
            return new
        first = {recipient.key for recipient in place.prepared.plan.calls[0].recipients} if place.begins else ()
        return replace(
            new,
            entries=entries_after(new.entries, (), first),
            leased_by=self._owner,
            lease_seconds=self._custodian.lease_seconds,
        )

    def taken(self, place: Place, new: NewMessage) -> None:
        """Hear that a message is committed."""
        name = place.prepared.account.name
        if not place.is_inside:
            self._overflow[name] -= 1
            return
        claim = Claim(new.message, new.entries, new.expires_at, self._owner)
        work = _Work(claim, place.prepared.account, place.prepared.plan)
        if not place.begins and not self._stopping:
            self._line_up(work)
            return
        if not place.begins:
            self._running[name] += 1
        self._start(work)

    def lost(self, place: Place) -> None:
        """Hear that a message could not be committed."""
        name = place.prepared.account.name
        if not place.is_inside:
            self._overflow[name] -= 1
            return
        self._let_go(place.prepared.message)
        if place.begins:
            self._free_slot(name)
        self.begin_waiting()

    def _has_place(self, account: Account, size: int) -> bool:
        if self._stopping or not self._is_open or account.name in self._overflow:
            return False
        if self._held_bytes + size > self._settings.bytes_in_flight or self._pauses.seconds_left(account.name) > 0:
            return False
        line = self._lines.get(account.name, ())
        waiting_bytes = size + sum(len(work.claim.message.data) for work in line)
        is_short = len(line) < account.policy.concurrency
        return not line or (is_short and waiting_bytes <= self._settings.bytes_in_flight // _LINE_SHARE)

    # --- what is claimed ---

    def room(self) -> int:
        """Tell how many messages more may be claimed; memory is bounded by their bytes, too."""
        if self._stopping or self._held_bytes >= self._settings.bytes_in_flight:
            return 0
        return self._settings.concurrency - self._running.total()

    def holds(self, message_id: MessageId) -> bool:
        """Tell whether a message is here already and not given back."""
        custody = self._custodies.get(message_id)
        return message_id in self._held and not (custody and custody.is_released)

    def in_line(self) -> set[str]:
        """Name the accounts of which some mail waits here: more of it would only block others."""
        return set(self._lines)

    def add(self, claim: Claim, account: Account) -> None:
        """Put a claimed message in line."""
        self._hold(claim.message)
        self._line_up(_Work(claim, account))

    def overflowed(self) -> frozenset[str]:
        """Name the accounts whose mail went into the store, all committed and none of it in line: see `caught_up`."""
        return frozenset(name for name, coming in self._overflow.items() if not coming and name not in self._lines)

    def caught_up(self, accounts: frozenset[str]) -> None:
        """Hear that a look at the store, begun when `overflowed` told these accounts, has found no more."""
        self._is_open = True
        for name in accounts:
            if not self._overflow.get(name, 1):
                del self._overflow[name]

    def fell_behind(self) -> None:
        """Hear that the store holds more than there is room for here."""
        self._is_open = False

    @property
    def is_behind(self) -> bool:
        """Tell whether mail that could be begun here may be waiting in the store."""
        return not self._is_open or bool(self._overflow)

    # --- working off ---

    def begin_waiting(self) -> None:
        """Begin those in line, as far as there are slots."""
        if self._stopping:
            return
        for name, line in list(self._lines.items()):
            while line and self._has_slot(line[0].account):
                self._running[name] += 1
                self._start(line.popleft())
            if not line:
                del self._lines[name]

    async def stop(self, within_seconds: float) -> int:
        """Give back what has not begun, wait for calls under way; returns how many did not end."""
        self._stopping = True
        while self._lines:
            _, line = self._lines.popitem()
            for work in line:
                self._let_go(work.claim.message)
                await self.give_back(work.claim, self._clock())
        tasks = set(self._tasks)
        if not tasks:
            return 0
        _, pending = await asyncio.wait(tasks, timeout=within_seconds)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        return len(pending)

    async def give_back(self, claim: Claim, due_at: float) -> None:
        """Return a message to the store."""
        try:
            await self._queue.release(claim, due_at)
        except QueueError as error:
            self._events.store_failed("release", str(error))

    def _line_up(self, work: _Work) -> None:
        self._lines.setdefault(work.account.name, deque()).append(work)
        self.begin_waiting()

    def _start(self, work: _Work) -> None:
        task = asyncio.create_task(self._attempt(work), name=f"attempt {work.claim.message.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _attempt(self, work: _Work) -> None:
        claim = work.claim
        custody = self._custodies[claim.message.id] = self._custodian.take(claim, work.account)
        try:
            if self._stopping and work.plan is not None:
                await self._leave(custody, work.plan)
            elif not work.is_begun and (left := self._pauses.seconds_left(work.account.name)) > 0:
                await self.give_back(claim, self._clock() + min(left, _PAUSED_SECONDS))
            else:
                await self._keeper.attempt(custody, work.plan)
        except QueueError as error:
            # The lease ends by itself; what was sent is journalled, so nothing is sent blindly again.
            self._events.store_failed("attempt", str(error))
        except Exception as error:  # noqa: BLE001 - one message's trouble must not stop the others
            self._events.unexpected("worker", error, message_id=claim.message.id)
            await self.give_back(claim, self._clock() + self._retry.longest)
        finally:
            self._let_go(claim.message)
            if self._custodies.get(claim.message.id) is custody:
                del self._custodies[claim.message.id]
            self._free_slot(work.account.name)
            self.begin_waiting()
            if self.is_behind:
                self.on_change()

    async def _leave(self, custody: Custody, plan: Plan) -> None:
        """Give back what was committed while all else ends: its call may be journalled, and is not made."""
        attempt = Attempt(custody.claim.message.id, custody.account, plan, custody)
        attempt.leave_untried()
        await self._keeper.finish(custody, attempt)

    def _has_slot(self, account: Account) -> bool:
        most = 1 if self._pauses.in_probation(account.name) else account.policy.concurrency
        return self._running[account.name] < most and self._running.total() < self._settings.concurrency

    def _free_slot(self, name: str) -> None:
        self._running[name] -= 1
        if not self._running[name]:
            del self._running[name]

    def _hold(self, message: Message) -> None:
        self._held[message.id] += 1
        self._held_bytes += len(message.data)

    def _let_go(self, message: Message) -> None:
        self._held[message.id] -= 1
        if not self._held[message.id]:
            del self._held[message.id]
        self._held_bytes -= len(message.data)

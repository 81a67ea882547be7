"""The queue on PostgreSQL: the contract's methods, handed to the task that writes or to connections that read."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar

from relay.errors import QueueError, QueueFull
from relay.message import Clock, MessageId
from relay.queue.beginning import Beginning
from relay.queue.contract import (
    Act,
    Claim,
    Counts,
    Doubt,
    Doubted,
    NewMessage,
    Pause,
    RecipientEntry,
    Result,
    Standing,
    Suspects,
    Volume,
)
from relay.queue.migration import scripts
from relay.queue.postgres import (
    acting,
    beginning,
    claiming,
    doubted,
    doubting,
    findings,
    keeping,
    reports,
    settling,
    standing,
    view,
)
from relay.queue.postgres.connection import parameters
from relay.queue.postgres.many import Connection
from relay.queue.postgres.opening import connect_as_node, prepare
from relay.queue.postgres.reader import Reader
from relay.queue.postgres.reports import PostgresReports
from relay.queue.postgres.writer import Operation, Writer
from relay.queue.rows import is_open, keeps_body
from relay.queue.settling import Settlement
from relay.queue.signal import Signal

if TYPE_CHECKING:
    from relay.config.settings import StoreSettings

#: Messages forgotten in one transaction, so that mail does not wait behind the tidying.
_PRUNE_STEP = 100
_DAMAGED = "the body is missing or damaged in the store"

T = TypeVar("T")
#: Told which message was set aside, why, and whether it is held for a person.
OnDamage = Callable[[MessageId, str, bool], None]


class PostgresQueue:
    """Queue and QueueView in one database. Made by `open`, ended by `close`."""

    def __init__(
        self,
        settings: "StoreSettings",
        clock: Clock,
        reader: Reader,
        *,
        exclusive: bool,
        on_damage: OnDamage | None,
        lease_clock: Clock | None,
    ) -> None:
        self._name = reader.name
        self._room = keeping.Room(settings.max_bytes, settings.max_messages)
        self._clock = clock
        self._lease_clock = lease_clock
        self._on_damage = on_damage
        self._signal = Signal()
        connect = partial(connect_as_node, settings, exclusive=exclusive)
        self._writer = Writer(self._name, connect, signal=self._signal.give)
        self._reader = reader
        self.reports = PostgresReports(self._writer, self._reader, clock, self._lease_now)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._last_account = ""  # that had its turn
        self._closed = False

    @classmethod
    async def open(
        cls,
        settings: "StoreSettings",
        *,
        clock: Clock,
        exclusive: bool = True,
        on_damage: OnDamage | None = None,
        lease_clock: Clock | None = None,
    ) -> Self:
        """Open the store, bringing its schema up to date and clearing what a crash or a clock left behind.

        Args:
            settings: where it is, who this node is, and how much the store may hold.
            clock: tells the time, in seconds since the epoch; leases are by the server's.
            exclusive: False lets several worker processes of one gateway share the node's name.
            on_damage: called on the event loop when `claim` sets a message aside because its body cannot be read.
            lease_clock: tells the time for leases instead of the server; for tests.

        Raises:
            QueueError: it cannot be used; the text names the database and the cure.
        """
        await prepare(settings, scripts("postgres"), clock(), lease_clock() if lease_clock else None)
        reader = await Reader.open(parameters(settings))
        queue = cls(settings, clock, reader, exclusive=exclusive, on_damage=on_damage, lease_clock=lease_clock)
        try:
            await queue.check()  # takes the node's name
        except BaseException:
            await queue.close()
            raise
        return queue

    # --- Queue: taking in ---

    async def put(self, new: NewMessage) -> None:
        """See `Queue.put`."""
        try:
            if len(new.message.data) > keeping.PART_BYTES and keeps_body(new):
                # A task of its own: a client that hangs up must not leave a body without its message.
                await self._carry_through(self._put_big(new))
            else:
                await self._insert(keeping.Incoming(new, self._lease_now()))
        except QueueFull:
            if is_open(new.entries):
                raise
            await self._insert(keeping.Incoming(new, self._lease_now(), is_bare=True))

    # --- Queue: working off ---

    async def claim(
        self, owner: str, limit: int, lease_seconds: float, *, without: Collection[str] = ()
    ) -> Sequence[Claim]:
        """See `Queue.claim`. A claim is also limited in bytes; what it leaves is signalled."""
        self._signal.take_up()  # before looking: what comes from now on is seen or signalled
        if limit <= 0:
            return []
        asked = claiming.Asked(
            owner, limit, lease_seconds, without, self._clock(), self._lease_now(), self._last_account
        )
        return await self._carry_through(self._claim(asked))

    async def begin(self, claim: Claim, positions: Sequence[int], lease_seconds: float) -> None:
        """See `Queue.begin`."""
        item = Beginning(claim, positions, lease_seconds, self._clock())
        await self._writer.submit_item(self._begin_all, item, claim.message.id)

    async def record(self, claim: Claim, results: Sequence[Result], *, seconds: float, call: str = "") -> None:
        """See `Queue.record`."""
        await self._settle(Settlement(claim, self._clock(), results, seconds, call))

    async def conclude(
        self, claim: Claim, results: Sequence[Result], due_at: float | None, *, seconds: float, call: str = ""
    ) -> None:
        """See `Queue.conclude`."""
        await self._settle(Settlement(claim, self._clock(), results, seconds, call, releases=True, due_at=due_at))

    async def release(self, claim: Claim, due_at: float | None) -> None:
        """See `Queue.release`."""
        await self._settle(Settlement(claim, self._clock(), releases=True, due_at=due_at))

    async def confirm(self, message_id: MessageId, results: Sequence[Result]) -> int:
        """See `Queue.confirm`."""
        confirm = partial(findings.confirm, message_id=message_id, results=results, now=self._clock())
        return await self._write(confirm, wake=True)

    async def doubted(self, account: str | None, limit: int, held_since: float = 0.0) -> Sequence[Doubted]:
        """See `Queue.doubted`."""
        return await self._reader.ask(partial(doubted.doubted, account=account, limit=limit, held_since=held_since))

    async def suspects(self, mailboxes: Collection[str], batches: Collection[str], since: float) -> Suspects:
        """See `Queue.suspects`."""
        return await self._reader.ask(partial(doubted.suspects, mailboxes=mailboxes, batches=batches, since=since))

    async def recover(self, owner: str) -> int:
        """See `Queue.recover`."""
        await self._write(partial(doubting.free, owner=owner))
        await self._write(partial(reports.free, owner=owner))
        recover = partial(claiming.recover, owner=owner, now=self._clock(), lease_now=self._lease_now())
        return await self._write(recover, wake=True)

    async def wait(self, timeout_seconds: float) -> None:
        """See `Queue.wait`."""
        await self._signal.wait(timeout_seconds)

    async def next_due_at(self) -> float | None:
        """See `Queue.next_due_at`."""
        now, lease_now = self._clock(), self._lease_now()
        return await self._reader.ask(partial(claiming.next_due_at, now=now, lease_now=lease_now))

    # --- Queue: accounts ---

    async def pause(self, pause: Pause) -> None:
        """See `Queue.pause`."""
        await self._write(partial(standing.pause, pause=pause))

    async def resume(self, account: str) -> bool:
        """See `Queue.resume`."""
        return await self._write(partial(standing.resume, account=account), wake=True)

    async def paused(self) -> Sequence[Pause]:
        """See `Queue.paused`."""
        return await self._reader.ask(standing.paused)

    async def volume(self, account: str, since: float, before: float) -> Volume:
        """See `Queue.volume`."""
        return await self._reader.ask(partial(standing.volume, account=account, since=since, before=before))

    async def save_credential(self, account: str, sealed: bytes) -> None:
        """See `Queue.save_credential`."""
        await self._write(partial(standing.save_credential, account=account, sealed=sealed))

    async def load_credential(self, account: str) -> bytes | None:
        """See `Queue.load_credential`."""
        return await self._reader.ask(partial(standing.load_credential, account=account))

    # --- Queue: who logs in, and what may come again ---

    async def standings(self, keys: Collection[str]) -> Mapping[str, Standing]:
        """See `Queue.standings`."""
        return await self._reader.ask(partial(standing.standings, keys=keys))

    async def change_standing(self, key: str, change: Callable[[Standing | None], Standing | None]) -> Standing | None:
        """See `Queue.change_standing`."""
        return await self._write(partial(standing.change_standing, key=key, change=change))

    async def open_doubt(
        self, mark: bytes, begun: Doubt, *, owner: str, token: bytes, lease_seconds: float
    ) -> Doubt | None:
        """See `Queue.open_doubt`."""
        taking = doubting.Taking(mark, begun, owner, token, lease_seconds)
        return await self._write(
            partial(doubting.open_doubt, taking=taking, now=self._clock(), lease_now=self._lease_now())
        )

    async def write_doubt(self, mark: bytes, token: bytes, doubt: Doubt | None, *, lease_seconds: float = 0.0) -> None:
        """See `Queue.write_doubt`."""
        write = partial(doubting.write_doubt, lease_seconds=lease_seconds, lease_now=self._lease_now())
        await self._write(partial(write, mark=mark, token=token, doubt=doubt))

    async def unheard(self, since: float) -> Sequence[tuple[str, bytes, float]]:
        """See `Queue.unheard`."""
        return await self._reader.ask(partial(doubting.unheard, since=since))

    async def forget(self, most: int) -> int:
        """See `Queue.forget`."""
        now = self._clock()
        await self._write(view.add_up)
        await self._write(keeping.sweep)
        standings = await self._write(partial(standing.forget, most=most, now=now))
        return standings + await self._write(partial(doubting.forget, most=most, now=now, lease_now=self._lease_now()))

    async def take_acts(self) -> Sequence[Act]:
        """See `Queue.take_acts`. Where there are none, nothing is written."""
        if not await self._reader.ask(acting.is_anything_untold):
            return []
        return await self._write(acting.take_acts)

    # --- Queue: keeping house ---

    async def prune(self, finished_before: float, limit: int) -> int:
        """See `Queue.prune`. Goes in small steps, each a transaction."""
        total = 0
        while total < limit:
            step = min(_PRUNE_STEP, limit - total)
            pruned = await self._write(partial(keeping.prune, before=finished_before, limit=step))
            total += pruned
            if pruned < step:
                await self._write(partial(acting.forget_acts, before=finished_before))
                break
        return total

    async def room(self) -> int:
        """See `Queue.room`."""
        return await self._reader.ask(partial(keeping.left, room=self._room))

    async def close(self) -> None:
        """See `Queue.close`. Safe to repeat."""
        self._closed = True
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._writer.close()
        await self._reader.close()

    # --- QueueView ---

    async def stats(self) -> Counts:
        """See `QueueView.stats`."""
        return await self._reader.ask(view.stats)

    async def entries(self, message_id: MessageId) -> Sequence[RecipientEntry] | None:
        """See `QueueView.entries`."""
        return await self._reader.ask(partial(view.entries, message_id=message_id))

    async def check(self) -> None:
        """See `QueueView.check`. The writer signs whatever it does, even nothing."""
        await self._write(_nothing)

    # --- how ---

    def _lease_now(self) -> float | None:
        return self._lease_clock() if self._lease_clock else None

    async def _write(self, operation: Operation[T], *, wake: bool = False) -> T:
        # A caller that is cancelled only stops waiting: see `Writer.submit`.
        return await self._writer.submit(operation, signals=wake)

    async def _settle(self, settlement: Settlement) -> None:
        is_due = settlement.releases and settlement.due_at is not None
        await self._writer.submit_item(settling.settle, settlement, settlement.claim.message.id, signals=is_due)

    async def _begin_all(self, connection: Connection, beginnings: Sequence[Beginning]) -> Sequence[QueueError | None]:
        return await beginning.begin(connection, beginnings, self._lease_now())

    async def _carry_through(self, work: Coroutine[Any, Any, T]) -> T:
        """Do work that must not stop half-way: `close` waits for it, a caller that is cancelled only stops waiting."""
        if self._closed:
            work.close()
            raise QueueError(f"store {self._name}: it is closed")
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def _put_big(self, new: NewMessage) -> None:
        staged = await self._reader.ask(partial(keeping.stage, data=new.message.data))
        try:
            await self._insert(keeping.Incoming(new, self._lease_now(), staged))
        except QueueError:
            # What cannot be discarded now is swept later.
            await self._write(partial(keeping.discard, staged=staged))
            raise

    async def _insert(self, incoming: keeping.Incoming) -> None:
        new = incoming.new
        await self._writer.submit_item(self._insert_all, incoming, new.message.id, signals=not new.leased_by)

    async def _insert_all(
        self, connection: Connection, incoming: Sequence[keeping.Incoming]
    ) -> Sequence[QueueError | None]:
        return await keeping.insert(connection, incoming, self._room, self._name, self._clock())

    async def _claim(self, asked: claiming.Asked) -> Sequence[Claim]:
        catch = await self._write(partial(claiming.claim, asked=asked))
        self._last_account = catch.last
        if catch.is_cut:
            self._signal.give()
        bodies = await self._reader.ask(partial(claiming.bodies, caught=catch.caught)) if catch.caught else {}
        claims = []
        for each in catch.caught:
            data = bodies.get(each.row["seq"])
            if data is None:
                await self._set_aside(each.claim(asked.owner, b""), asked.now)
            else:
                claims.append(each.claim(asked.owner, data))
        return claims

    async def _set_aside(self, claim: Claim, now: float) -> None:
        """One body that is lost costs its own message, never the claim of the others."""
        aside = partial(findings.set_aside, claim=claim, reason=_DAMAGED, now=now)
        if await self._write(aside, wake=True) and self._on_damage is not None:
            # Through the loop: what goes wrong there must not cost the claim of the others.
            asyncio.get_running_loop().call_soon(self._on_damage, claim.message.id, _DAMAGED, True)  # noqa: FBT003 - call_soon takes no keywords


async def _nothing(_connection: Connection) -> None:
    return

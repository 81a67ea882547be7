"""The queue on SQLite: the contract's methods, each handed to the thread that does it."""

import asyncio
import sqlite3
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import Any, Self, TypeVar

from relay.config.settings import StoreSettings
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
from relay.queue.rows import is_open, keeps_body
from relay.queue.settling import Settlement
from relay.queue.sqlite import acting, claiming, doubted, doubting, findings, keeping, reports, standing, view
from relay.queue.sqlite.beginning import begin
from relay.queue.sqlite.bodies import FILE_THRESHOLD_BYTES, BodyDamaged, BodyFile, BodyFiles
from relay.queue.sqlite.connection import store_errors
from relay.queue.sqlite.lock import StoreLock
from relay.queue.sqlite.opening import prepare
from relay.queue.sqlite.reader import Reader
from relay.queue.sqlite.reports import SqliteReports
from relay.queue.sqlite.room import Room
from relay.queue.sqlite.settling import settle
from relay.queue.sqlite.signalling import Signal
from relay.queue.sqlite.turn import Turn
from relay.queue.sqlite.writer import Writer

#: Messages forgotten in one transaction, so that mail does not wait behind the tidying.
_PRUNE_STEP = 100
#: When a body that the disk did not give is asked for again.
_READ_AGAIN_SECONDS = 60.0
#: Big bodies written or read at once.
_FILE_THREADS = 4

T = TypeVar("T")
#: Told which message was set aside, why, and whether it is held for a person; otherwise it comes again by itself.
OnDamage = Callable[[MessageId, str, bool], None]


class SqliteQueue:
    """Queue and QueueView on one SQLite file. Made by `open`, ended by `close`."""

    def __init__(
        self,
        settings: StoreSettings,
        clock: Clock,
        lock: StoreLock,
        turn: Turn,
        files: BodyFiles,
        on_damage: OnDamage | None,
    ) -> None:
        self._path = settings.path
        self._clock = clock
        self._lock = lock
        self._files = files
        self._on_damage = on_damage
        self._room = Room(settings, clock)
        self._writer = Writer(settings.path, turn, signal=self._claimable_again)
        self._reader = Reader(settings.path)
        self._file_threads = ThreadPoolExecutor(_FILE_THREADS, thread_name_prefix="relay-store-files")
        self.reports = SqliteReports(self._writer, self._reader, clock, self._body, self._discard)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._claimable = Signal(lambda: self._reader.ask(acting.newest_act))
        self._last_account = ""  # that had its turn
        self._closed = False

    @classmethod
    async def open(
        cls, settings: StoreSettings, *, clock: Clock, exclusive: bool = True, on_damage: OnDamage | None = None
    ) -> Self:
        """Open the store, bringing its schema up to date and clearing what a crash or a clock set back left behind.

        Args:
            settings: where it is, and how much it may hold.
            clock: tells the time, in seconds since the epoch.
            exclusive: False lets several worker processes of one gateway share the store.
            on_damage: called on the event loop when `claim` sets a message aside because its body cannot be read.

        Raises:
            QueueError: it cannot be used; the text names the file and the cure.
        """
        lock, turn, files = await asyncio.to_thread(prepare, settings.path, clock, exclusive=exclusive)
        return cls(settings, clock, lock, turn, files, on_damage)

    # --- Queue: taking in ---

    async def put(self, new: NewMessage) -> None:
        """See `Queue.put`."""
        try:
            if len(new.message.data) > FILE_THRESHOLD_BYTES and keeps_body(new):
                # A task of its own: a client that hangs up must not leave a file without a row, or the reverse.
                await self._carry_through(self._put_big(new))
            else:
                await self._insert(keeping.Incoming(new))
        except QueueFull:
            if is_open(new.entries):
                raise
            await self._insert(keeping.Incoming(new, is_bare=True))

    # --- Queue: working off ---

    async def claim(
        self, owner: str, limit: int, lease_seconds: float, *, without: Collection[str] = ()
    ) -> Sequence[Claim]:
        """See `Queue.claim`. A claim is also limited in bytes; what it leaves is signalled."""
        self._claimable.clear()  # before looking: what comes from now on is seen or signalled
        if limit <= 0:
            return []
        return await self._carry_through(self._claim(owner, limit, lease_seconds, without))

    async def begin(self, claim: Claim, positions: Sequence[int], lease_seconds: float) -> None:
        """See `Queue.begin`."""
        beginning = Beginning(claim, positions, lease_seconds, self._clock())
        await self._writer.submit_item(begin, beginning, claim.message.id)

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
        now = self._clock()
        confirmed = await self._write(
            lambda connection: findings.confirm(connection, message_id, results, now), wake=True
        )
        if confirmed.file is not None:
            self._discard([confirmed.file])
        return confirmed.recipients

    async def doubted(self, account: str | None, limit: int, held_since: float = 0.0) -> Sequence[Doubted]:
        """See `Queue.doubted`."""
        return await self._reader.ask(lambda connection: doubted.doubted(connection, account, limit, held_since))

    async def suspects(self, mailboxes: Collection[str], batches: Collection[str], since: float) -> Suspects:
        """See `Queue.suspects`."""
        return await self._reader.ask(lambda connection: doubted.suspects(connection, mailboxes, batches, since))

    async def recover(self, owner: str) -> int:
        """See `Queue.recover`."""
        now = self._clock()
        await self._write(lambda connection: doubting.free(connection, owner))
        await self._write(lambda connection: reports.free(connection, owner))
        return await self._write(lambda connection: claiming.recover(connection, owner, now), wake=True)

    async def wait(self, timeout_seconds: float) -> None:
        """See `Queue.wait`."""
        await self._claimable.wait(timeout_seconds)

    async def next_due_at(self) -> float | None:
        """See `Queue.next_due_at`."""
        now = self._clock()
        return await self._reader.ask(lambda connection: claiming.next_due_at(connection, now))

    # --- Queue: accounts ---

    async def pause(self, pause: Pause) -> None:
        """See `Queue.pause`."""
        await self._write(lambda connection: standing.pause(connection, pause))

    async def resume(self, account: str) -> bool:
        """See `Queue.resume`."""
        return await self._write(lambda connection: standing.resume(connection, account), wake=True)

    async def paused(self) -> Sequence[Pause]:
        """See `Queue.paused`."""
        return await self._reader.ask(standing.paused)

    async def volume(self, account: str, since: float, before: float) -> Volume:
        """See `Queue.volume`."""
        return await self._reader.ask(lambda connection: standing.volume(connection, account, since, before))

    async def save_credential(self, account: str, sealed: bytes) -> None:
        """See `Queue.save_credential`."""
        await self._write(lambda connection: standing.save_credential(connection, account, sealed))

    async def load_credential(self, account: str) -> bytes | None:
        """See `Queue.load_credential`."""
        return await self._reader.ask(lambda connection: standing.load_credential(connection, account))

    # --- Queue: who logs in, and what may come again ---

    async def standings(self, keys: Collection[str]) -> Mapping[str, Standing]:
        """See `Queue.standings`."""
        return await self._reader.ask(lambda connection: standing.standings(connection, keys))

    async def change_standing(self, key: str, change: Callable[[Standing | None], Standing | None]) -> Standing | None:
        """See `Queue.change_standing`."""
        return await self._write(lambda connection: standing.change_standing(connection, key, change))

    async def open_doubt(
        self, mark: bytes, begun: Doubt, *, owner: str, token: bytes, lease_seconds: float
    ) -> Doubt | None:
        """See `Queue.open_doubt`."""
        open_it = partial(doubting.open_doubt, now=self._clock())
        return await self._write(lambda connection: open_it(connection, mark, begun, owner, token, lease_seconds))

    async def write_doubt(self, mark: bytes, token: bytes, doubt: Doubt | None, *, lease_seconds: float = 0.0) -> None:
        """See `Queue.write_doubt`."""
        now = self._clock()
        await self._write(lambda connection: doubting.write_doubt(connection, mark, token, doubt, lease_seconds, now))

    async def unheard(self, since: float) -> Sequence[tuple[str, bytes, float]]:
        """See `Queue.unheard`."""
        return await self._reader.ask(lambda connection: doubting.unheard(connection, since))

    async def forget(self, most: int) -> int:
        """See `Queue.forget`."""
        now = self._clock()
        standings = await self._write(lambda connection: standing.forget(connection, most, now))
        return standings + await self._write(lambda connection: doubting.forget(connection, most, now))

    # --- Queue: keeping house ---

    async def take_acts(self) -> Sequence[Act]:
        """See `Queue.take_acts`. Where there are none, nothing is written."""
        if not await self._reader.ask(acting.is_anything_untold):
            return []
        return await self._write(acting.take_acts)

    async def prune(self, finished_before: float, limit: int) -> int:
        """See `Queue.prune`. Goes in small steps, each a transaction, and gives freed pages back to the disk."""
        total = 0
        while total < limit:
            step = min(_PRUNE_STEP, limit - total)
            pruned = await self._write(partial(keeping.prune, before=finished_before, limit=step))
            self._discard(pruned.files)
            total += pruned.messages
            if pruned.messages < step:
                await self._write(partial(acting.forget_acts, before=finished_before))
                break
        while await self._write(keeping.give_back):
            continue
        return total

    async def room(self) -> int:
        """See `Queue.room`."""
        return self._room.left(*await self._reader.ask(view.kept))

    async def close(self) -> None:
        """See `Queue.close`. Safe to repeat."""
        if self._closed:
            return
        self._closed = True
        if self._tasks:
            await asyncio.wait(self._tasks)
        await asyncio.to_thread(self._close)

    # --- QueueView ---

    async def stats(self) -> Counts:
        """See `QueueView.stats`."""
        return await self._reader.ask(view.stats)

    async def entries(self, message_id: MessageId) -> Sequence[RecipientEntry] | None:
        """See `QueueView.entries`."""
        return await self._reader.ask(lambda connection: view.entries(connection, message_id))

    async def check(self) -> None:
        """See `QueueView.check`. Writes and syncs one row; a full store can still be checked, it only takes no mail."""
        now = self._clock()
        await self._write(lambda connection: view.probe(connection, now))

    # --- how ---

    def _claimable_again(self) -> None:
        self._claimable.set()

    async def _write(self, operation: Callable[[sqlite3.Connection], T], *, wake: bool = False) -> T:
        # A caller that is cancelled only stops waiting: see `Writer.submit`.
        return await self._writer.submit(operation, signals=wake)

    async def _settle(self, settlement: Settlement) -> None:
        is_due = settlement.releases and settlement.due_at is not None
        file = await self._writer.submit_item(settle, settlement, settlement.claim.message.id, signals=is_due)
        if file is not None:
            self._discard([file])

    async def _carry_through(self, work: Coroutine[Any, Any, T]) -> T:
        """Do work that must not stop half-way: `close` waits for it, a caller that is cancelled only stops waiting."""
        if self._closed:
            work.close()
            raise QueueError(f"store {self._path}: it is closed")
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def _put_big(self, new: NewMessage) -> None:
        file = await self._in_file_thread(partial(self._write_file, new))
        with ExitStack() as undo:
            undo.callback(self._discard, [file.name])
            await self._insert(keeping.Incoming(new, file))
            undo.pop_all()

    def _write_file(self, new: NewMessage) -> BodyFile:
        self._room.take_disk(len(new.message.data))
        return self._files.write(new.message.id, new.message.data)

    async def _insert(self, incoming: keeping.Incoming) -> None:
        new = incoming.new
        await self._writer.submit_item(self._insert_all, incoming, new.message.id, signals=not new.leased_by)

    def _insert_all(
        self, connection: sqlite3.Connection, incoming: Sequence[keeping.Incoming]
    ) -> list[QueueError | None]:
        return keeping.insert(connection, incoming, self._room, self._clock())

    async def _claim(self, owner: str, limit: int, lease_seconds: float, without: Collection[str]) -> Sequence[Claim]:
        now = self._clock()
        after = self._last_account
        catch = await self._write(
            lambda connection: claiming.claim(connection, owner, limit, lease_seconds, without, now, after=after)
        )
        self._last_account = catch.last
        self._discard(catch.files)
        if catch.is_cut:
            self._claimable.set()
        rows = await self._reader.ask(lambda connection: claiming.row_bodies(connection, catch.caught), snapshot=False)
        claims = await asyncio.gather(*(self._claimed(caught, owner, rows) for caught in catch.caught))
        return [claim for claim in claims if claim is not None]

    async def _claimed(self, caught: claiming.Caught, owner: str, rows: Mapping[int, bytes]) -> Claim | None:
        """Add the body. One that is lost costs its own message, never the claim of the others."""
        now = self._clock()
        try:
            return caught.claim(owner, await self._body(caught, rows))
        except BodyDamaged as damage:
            reason, due_at = str(damage), None
        except QueueError as trouble:
            reason, due_at = str(trouble), now + _READ_AGAIN_SECONDS
        without_body = caught.claim(owner, b"")
        is_aside = await self._write(
            lambda connection: findings.set_aside(connection, without_body, reason, due_at, now), wake=True
        )
        if is_aside and self._on_damage is not None:
            # Through the loop, still before claim returns: what goes wrong there must not cost the claim of the others.
            loop = asyncio.get_running_loop()
            loop.call_soon(self._on_damage, without_body.message.id, reason, due_at is None)
        return None

    async def _body(self, caught: claiming.Caught, rows: Mapping[int, bytes]) -> bytes:
        file = caught.file
        if file is not None:
            return await self._in_file_thread(partial(self._files.read, file))
        data = rows.get(caught.row["seq"])
        if data is None:
            raise BodyDamaged("the body is missing or damaged in the store")
        return data

    async def _in_file_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._file_threads, self._mapped, work)

    def _mapped(self, work: Callable[[], T]) -> T:
        with store_errors(self._path):
            return work()

    def _discard(self, names: Collection[str]) -> None:
        # Only after the commit that let go of them; a crash in between leaves them to the sweep at the next open.
        if names:
            self._file_threads.submit(self._files.remove, names)

    def _close(self) -> None:
        self._writer.close()
        self._reader.close()
        self._file_threads.shutdown()
        self._lock.drop()

"""The one task that writes: whatever waits is done in one transaction, committed and synced once.

While a commit is on its way the next operations gather, so that the rate grows with the number of callers. Where
something fails, the group is done again one by one, each with its savepoint: what fails then takes back its own changes
alone. Nodes that are in each other's way do the group again.

A connection that is lost before COMMIT has changed nothing: the group is done again on a new one. Lost during COMMIT,
nobody can say what became of it; so each group signs in the table `writer`, and the next connection reads there
whether it was kept (the row is there before the first group: a reader waits only for one that is). Until then its
callers wait, for a 451 would make a client send again what may be kept; everybody else is told at once that the store
does not answer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar
from uuid import uuid4

from relay.errors import QueueError
from relay.queue.groups import GROUP_LIMIT, Done, Work, batches, failed, settle, told
from relay.queue.postgres.connection import LIBRARY_ERRORS, is_conflict, is_lost, mapped, store_errors, watch
from relay.queue.postgres.many import Connection, count

#: The channel on which nodes tell each other that something may have become claimable.
CHANNEL = "relay"
#: How often a group is done again that others were in the way of, or whose connection was lost.
_TIMES = 5
#: How long a group may take until COMMIT, and COMMIT itself, which may wait for a replica; then the connection is cut.
_WORK_SECONDS = 60.0
_COMMIT_SECONDS = 60.0
#: Between two attempts to find out what became of a group.
_ASK_AGAIN_SECONDS = 0.5

ENROL = """
INSERT INTO writer (id, groups, written_at) VALUES ($1, 0, extract(epoch FROM statement_timestamp()))
ON CONFLICT (id) DO NOTHING
"""
SIGN = """
BEGIN; UPDATE writer SET groups = {group}, written_at = extract(epoch FROM statement_timestamp()) WHERE id = '{id}'
"""
# Waits for a COMMIT of the connection that was lost, if the server is still at it.
SELECT_SIGNED = "SELECT groups FROM writer WHERE id = $1 FOR UPDATE"

T = TypeVar("T")
I = TypeVar("I")  # noqa: E741 - an item
Operation = Callable[[Connection], Awaitable[T]]
#: Does many items at once and tells of each, in their order; an error instead of a result is that item's alone, which
#: then has changed nothing.
Batch = Callable[[Connection, Sequence[I]], Awaitable[Sequence[T | QueueError]]]


class Writer:
    """A task with its connection. Made on the loop that it works on; ended by `close`."""

    def __init__(
        self,
        name: str,
        connect: Callable[[], Awaitable[Any]],
        *,
        signal: Callable[[], None] = lambda: None,
        group_limit: int = GROUP_LIMIT,
    ) -> None:
        """Start the task.

        Args:
            name: of the store, for errors.
            connect: opens a connection; raises QueueError.
            signal: called after each group in which somebody asked for it, and when another node says so.
            group_limit: operations in one transaction.
        """
        self._name = name
        self._connect = connect
        self._signal = signal
        self._group_limit = group_limit
        self._inbox: asyncio.Queue[Work | None] = asyncio.Queue()
        self._connection: Any = None
        self._id = uuid4().hex
        self._groups = 0
        self._closed = False
        self._task = asyncio.create_task(self._run(), name="store writer")

    def submit(self, operation: Operation[T], *, signals: bool = False) -> "asyncio.Future[T]":
        """Hand in an operation. Its future tells once it is synced, or raises; cancelling it changes nothing."""
        return self.submit_item(_alone, operation, "", signals=signals)

    def submit_item(self, batch: Batch[I, T], item: I, key: str, *, signals: bool = False) -> "asyncio.Future[T]":
        """Hand in one item of a batch; otherwise like `submit`. Items of one key are never done in one go."""
        if self._closed:
            raise QueueError(f"store {self._name}: it is closed")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._inbox.put_nowait(Work(batch, item, key, future, signals))
        return future

    async def close(self) -> None:
        """Finish everything handed in before, then end the task. Safe to repeat."""
        if not self._closed:
            self._closed = True
            self._inbox.put_nowait(None)
        await asyncio.wait({self._task})

    # --- the task ---

    async def _run(self) -> None:
        while (work := await self._inbox.get()) is not None:
            group = [work]
            goes_on = self._gather(group)
            if settle(await self._do(group)):
                self._signal()
            if not goes_on:
                break
        self._disconnect()

    def _gather(self, group: list[Work]) -> bool:
        """Add all the work there is. Returns False when the end was called."""
        while len(group) < self._group_limit and not self._inbox.empty():
            work = self._inbox.get_nowait()
            if work is None:
                return False
            group.append(work)
        return True

    async def _do(self, group: Sequence[Work]) -> list[Done]:
        for _ in range(_TIMES):
            try:
                connection = await self._connected()
                self._groups += 1
                return await self._commit(connection, group)
            except Exception as error:  # noqa: BLE001 - told to everybody who waits for the group
                reason = mapped(self._name, error)
                if not (is_lost(error) or is_conflict(error)):
                    break
        return failed(group, reason)

    async def _commit(self, connection: Any, group: Sequence[Work]) -> list[Done]:
        """Do a group in one transaction. Whatever it raises, the group was not kept."""
        watching = watch(connection, _WORK_SECONDS)
        try:
            done = await self._work(connection, group)
        except BaseException:
            self._disconnect()
            raise
        finally:
            watching.cancel()
        notifies = any(one.work.signals for one in done if one.error is None)
        watching = watch(connection, _COMMIT_SECONDS)
        try:
            await connection.execute(f"NOTIFY {CHANNEL}; COMMIT" if notifies else "COMMIT")
        except Exception:
            self._disconnect()
            if not await self._was_kept():
                raise
        finally:
            watching.cancel()
        return done

    async def _work(self, connection: Any, group: Sequence[Work]) -> list[Done]:
        await self._sign(connection)
        try:
            return [one for works in batches(group) for one in await _do(connection, works)]
        except Exception as error:
            if is_lost(error) or is_conflict(error):
                raise
        # Whose fault it is shows when each is done by itself.
        await connection.execute("ROLLBACK")
        await self._sign(connection)
        return [await self._attempt(connection, work) for work in group]

    async def _sign(self, connection: Any) -> None:
        """Begin a transaction in which the group signs. Who never did, or was forgotten since, is enrolled before."""
        sign = SIGN.format(id=self._id, group=self._groups)
        if not count(await connection.execute(sign)):
            await connection.execute("ROLLBACK")
            await connection.execute(ENROL, self._id)
            await connection.execute(sign)

    async def _attempt(self, connection: Any, work: Work) -> Done:
        """Do one thing so that it takes back its own changes alone."""
        await connection.execute("SAVEPOINT operation")
        try:
            (done,) = await _do(connection, [work])
        except Exception as error:
            if is_lost(error) or is_conflict(error):
                raise
            await connection.execute("ROLLBACK TO operation")
            done = Done(work, error=mapped(self._name, error) if isinstance(error, LIBRARY_ERRORS) else error)
        await connection.execute("RELEASE operation")
        return done

    async def _was_kept(self) -> bool:
        """Find out, as soon as the server answers again, whether the last group was committed."""
        while True:
            watching: asyncio.TimerHandle | None = None
            try:
                connection = await self._connected()
                watching = watch(connection, _COMMIT_SECONDS)
                signed = await connection.fetchrow(SELECT_SIGNED, self._id)
                return signed is not None and bool(signed["groups"] >= self._groups)
            except (QueueError, *LIBRARY_ERRORS) as error:
                self._disconnect()
                trouble = mapped(self._name, error)
            finally:
                if watching is not None:
                    watching.cancel()
            waiting: list[Work] = []
            if not self._gather(waiting):
                self._inbox.put_nowait(None)
            settle(failed(waiting, trouble))
            if self._closed:
                raise trouble
            await asyncio.sleep(_ASK_AGAIN_SECONDS)

    async def _connected(self) -> Any:
        if self._connection is None or self._connection.is_closed():
            self._connection = None
            connection = await self._connect()
            with store_errors(self._name):
                await connection.add_listener(CHANNEL, self._hear)
            self._connection = connection
        return self._connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(*LIBRARY_ERRORS):  # it may be gone already
                connection.terminate()

    def _hear(self, connection: Any, sender: int, _channel: str, _payload: object) -> None:
        if sender != connection.get_server_pid():  # our own signals were given already
            self._signal()


async def _do(connection: Connection, works: Sequence[Work]) -> list[Done]:
    return list(told(works, await works[0].batch(connection, [work.item for work in works])))


async def _alone(connection: Connection, operations: Sequence[Operation[T]]) -> Sequence[T | QueueError]:
    """Do the one operation that is handed in: all have the same key."""
    (operation,) = operations
    return [await operation(connection)]

"""The one thread that writes: whatever waits is done in one transaction and synced once.

A sync costs far more than an operation. While one runs, the next operations gather, so that the rate grows with the
number of callers and a single caller still pays for one sync only. Each operation has its savepoint: one that fails
takes back its own changes alone. A commit that fails takes back all of them, and every caller is told so.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from relay.errors import QueueError
from relay.queue.sqlite.connection import connect, store_errors

#: Operations in one transaction, so that none waits for an endless group.
GROUP_LIMIT = 1000

T = TypeVar("T")
Operation = Callable[[sqlite3.Connection], T]


@dataclass(frozen=True, slots=True)
class _Work:
    operation: Operation[Any]
    future: asyncio.Future[Any]


@dataclass(frozen=True, slots=True)
class _Done:
    work: _Work
    value: object = None
    error: BaseException | None = None


class Writer:
    """A thread with its connection. `submit` and `do` belong to the loop that made it."""

    def __init__(self, path: Path, *, group_limit: int = GROUP_LIMIT) -> None:
        self._path = path
        self._group_limit = group_limit
        self._loop = asyncio.get_running_loop()
        self._inbox: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        self._closed = False
        self.commits = 0  # so many transactions were committed
        self._thread = threading.Thread(target=self._run, name="relay-store-writer", daemon=True)
        self._thread.start()

    def submit(self, operation: Operation[T]) -> "asyncio.Future[T]":
        """Hand in an operation. Its future tells once it is synced, or raises; cancelling it changes nothing."""
        if self._closed:
            raise QueueError(f"store {self._path}: it is closed")
        future: asyncio.Future[T] = self._loop.create_future()
        self._inbox.put(_Work(operation, future))
        return future

    async def do(self, operation: Operation[T]) -> T:
        """Hand in an operation and wait for it. A caller that is cancelled goes; the operation is done all the same."""
        return await asyncio.shield(self.submit(operation))

    def close(self) -> None:
        """Finish everything handed in before, then end the thread. Blocks; safe to repeat."""
        if not self._closed:
            self._closed = True
            self._inbox.put(None)
        self._thread.join()

    # --- in the thread ---

    def _run(self) -> None:
        group, goes_on = self._gather()
        while group or goes_on:
            done = self._commit(group)
            with suppress(RuntimeError):  # the loop is gone: nobody waits any more, what is committed stays
                self._loop.call_soon_threadsafe(_settle, done)
            group, goes_on = self._gather() if goes_on else ([], False)
        self._disconnect()

    def _gather(self) -> tuple[list[_Work], bool]:
        """Wait for work, then take all there is. The flag turns False when the end was called."""
        group: list[_Work] = []
        work = self._inbox.get()
        while work is not None:
            group.append(work)
            if len(group) == self._group_limit:
                return group, True
            try:
                work = self._inbox.get_nowait()
            except queue.Empty:
                return group, True
        return group, False

    def _commit(self, group: Sequence[_Work]) -> list[_Done]:
        if not group:
            return []
        try:
            with store_errors(self._path):
                connection = self._connected()
                connection.execute("BEGIN IMMEDIATE")
                done = [self._attempt(connection, work) for work in group]
                connection.execute("COMMIT")
        except QueueError as error:
            # Nothing of the group was kept. A fresh connection next time finds out whether the trouble is over.
            self._disconnect()
            return [_Done(work, error=_for_each(error)) for work in group]
        self.commits += 1
        return done

    def _attempt(self, connection: sqlite3.Connection, work: _Work) -> _Done:
        connection.execute("SAVEPOINT operation")
        try:
            with store_errors(self._path):
                value = work.operation(connection)
        except Exception as error:  # as an executor does: it is raised where it is awaited
            if not connection.in_transaction:
                # SQLite took back the whole transaction (disk full, I/O error): so the whole group fails.
                raise error if isinstance(error, QueueError) else QueueError(f"store {self._path}: lost") from error
            connection.execute("ROLLBACK TO operation")
            connection.execute("RELEASE operation")
            return _Done(work, error=error)
        connection.execute("RELEASE operation")
        return _Done(work, value)

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect(self._path)
        return self._connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):  # closing takes back what was not committed
                connection.close()


def _settle(done: Sequence[_Done]) -> None:
    # One call for a whole group: waking the loop once for each would cost more than the commit.
    for one in done:
        if one.work.future.done():
            continue
        if one.error is not None:
            one.work.future.set_exception(one.error)
        else:
            one.work.future.set_result(one.value)


def _for_each(error: QueueError) -> QueueError:
    # One object raised in many places would gather all their tracebacks.
    copy = type(error)(*error.args)
    copy.__cause__ = error.__cause__
    return copy

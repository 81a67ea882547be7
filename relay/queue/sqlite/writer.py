"""The one thread that writes: whatever waits is done in one transaction and synced once.

A sync costs far more than an operation. While one runs, the next operations gather, so that the rate grows with the
number of callers and a single caller still pays for one sync only. What can be done for many at once is handed in as
an item of a batch. Where something fails, the group is done again one by one, each with its savepoint: what fails then
takes back its own changes alone. A commit that fails takes back everything, and every caller is told so.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from relay.errors import QueueError
from relay.queue.groups import GROUP_LIMIT, Done, Work, batches, failed, settle, told
from relay.queue.sqlite.connection import connect, store_errors
from relay.queue.sqlite.turn import Turn

#: From so many operations in one transaction on, callers come in numbers: the next transaction waits for more of them,
#: which costs each a moment and all of them together far fewer transactions.
_MANY = 3
_MOMENT_SECONDS = 0.002

T = TypeVar("T")
I = TypeVar("I")  # noqa: E741 - an item
Operation = Callable[[sqlite3.Connection], T]
#: Does many items at once and tells of each, in their order; an error instead of a result is that item's alone, which
#: then has changed nothing.
Batch = Callable[[sqlite3.Connection, Sequence[I]], Sequence[T | QueueError]]


class Writer:
    """A thread with its connection. `submit` and `do` belong to the loop that made it."""

    def __init__(
        self, path: Path, turn: Turn, *, signal: Callable[[], None] = lambda: None, group_limit: int = GROUP_LIMIT
    ) -> None:
        """Start the thread; `signal` is called on the loop after each group in which somebody asked for it."""
        self._path = path
        self._turn = turn
        self._signal = signal
        self._group_limit = group_limit
        self._loop = asyncio.get_running_loop()
        self._inbox: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        self._closed = False
        self._ending = threading.Event()
        self.commits = 0  # so many transactions were committed
        self._thread = threading.Thread(target=self._run, name="relay-store-writer", daemon=True)
        self._thread.start()

    def submit(self, operation: Operation[T], *, signals: bool = False) -> "asyncio.Future[T]":
        """Hand in an operation. Its future tells once it is synced, or raises; cancelling it changes nothing."""
        return self.submit_item(_alone, operation, "", signals=signals)

    def submit_item(self, batch: Batch[I, T], item: I, key: str, *, signals: bool = False) -> "asyncio.Future[T]":
        """Hand in one item of a batch; otherwise like `submit`. Items of one key are never done in one go."""
        if self._closed:
            raise QueueError(f"store {self._path}: it is closed")
        future: asyncio.Future[T] = self._loop.create_future()
        self._inbox.put(Work(batch, item, key, future, signals))
        return future

    def close(self) -> None:
        """Finish everything handed in before, then end the thread. Blocks; safe to repeat."""
        if not self._closed:
            self._closed = True
            self._ending.set()
            self._inbox.put(None)
        self._thread.join()
        self._turn.close()

    # --- in the thread ---

    def _run(self) -> None:
        goes_on = True
        group: list[Work] = []
        while goes_on and (work := self._inbox.get()) is not None:
            if len(group) >= _MANY:
                self._ending.wait(_MOMENT_SECONDS)
            group = [work]
            try:
                # Whatever comes while others write goes into the same transaction.
                with store_errors(self._path), self._turn:
                    goes_on = self._gather(group)
                    done = self._commit(group)
            except QueueError as error:
                # Nothing of the group was kept. A fresh connection next time finds out whether the trouble is over.
                self._disconnect()
                done = failed(group, error)
            with suppress(RuntimeError):  # the loop is gone: nobody waits any more, what is committed stays
                self._loop.call_soon_threadsafe(self._settle, done)
        self._disconnect()

    def _gather(self, group: list[Work]) -> bool:
        """Add all the work there is. Returns False when the end was called."""
        while len(group) < self._group_limit:
            try:
                work = self._inbox.get_nowait()
            except queue.Empty:
                break
            if work is None:
                return False
            group.append(work)
        return True

    def _commit(self, group: Sequence[Work]) -> list[Done]:
        connection = self._connected()
        connection.execute("BEGIN IMMEDIATE")
        try:
            done = [one for works in batches(group) for one in _do(connection, works)]
        except Exception:  # noqa: BLE001 - whose fault it is shows when each is done by itself
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            connection.execute("BEGIN IMMEDIATE")
            done = [self._attempt(connection, work) for work in group]
        connection.execute("COMMIT")
        self.commits += 1
        return done

    def _attempt(self, connection: sqlite3.Connection, work: Work) -> Done:
        """Do one thing so that it takes back its own changes alone."""
        connection.execute("SAVEPOINT operation")
        try:
            with store_errors(self._path):
                (done,) = _do(connection, [work])
        except Exception as error:  # as an executor does: it is raised where it is awaited
            if not connection.in_transaction:
                # SQLite took back the whole transaction (disk full, I/O error): so the whole group fails.
                raise error if isinstance(error, QueueError) else QueueError(f"store {self._path}: lost") from error
            connection.execute("ROLLBACK TO operation")
            done = Done(work, error=error)
        connection.execute("RELEASE operation")
        return done

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect(self._path)
        return self._connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):  # closing takes back what was not committed
                connection.close()

    # --- on the loop ---

    def _settle(self, done: Sequence[Done]) -> None:
        # One call for a whole group: waking the loop once for each would cost more than the commit.
        if settle(done):
            self._signal()


def _do(connection: sqlite3.Connection, works: Sequence[Work]) -> Iterator[Done]:
    return told(works, works[0].batch(connection, [work.item for work in works]))


def _alone(connection: sqlite3.Connection, operations: Sequence[Operation[T]]) -> Sequence[T | QueueError]:
    """Do the one operation that is handed in: all have the same key."""
    (operation,) = operations
    return [operation(connection)]

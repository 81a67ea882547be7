"""The thread that reads: it sees what is committed and never makes a writer wait."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TypeVar

from relay.errors import QueueError
from relay.queue.sqlite.connection import connect, store_errors

T = TypeVar("T")


class Reader:
    """One thread with its connection, opened when first asked."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="relay-store-reader")
        self._connection: sqlite3.Connection | None = None
        self._closed = False

    async def ask(self, question: Callable[[sqlite3.Connection], T], *, snapshot: bool = True) -> T:
        """Answer a question, from one snapshot unless told otherwise. Raises QueueError when it cannot be read."""
        if self._closed:
            raise QueueError(f"store {self._path}: it is closed")
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._ask, question, snapshot)

    def close(self) -> None:
        """Finish the last answer and end the thread. Blocks; safe to repeat."""
        if not self._closed:
            self._closed = True
            self._thread.submit(self._disconnect)
        self._thread.shutdown()

    # --- in the thread ---

    def _ask(self, question: Callable[[sqlite3.Connection], T], snapshot: bool) -> T:  # noqa: FBT001 - executors pass no keywords
        with ExitStack() as trouble, store_errors(self._path):
            trouble.callback(self._disconnect)  # after any error a fresh connection finds out whether it is over
            connection = self._connected()
            if snapshot:
                connection.execute("BEGIN")
            answer = question(connection)
            if snapshot:
                connection.execute("COMMIT")
            trouble.pop_all()
            return answer

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect(self._path)
            self._connection.execute("PRAGMA query_only = ON")
        return self._connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

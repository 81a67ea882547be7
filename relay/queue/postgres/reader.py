"""Connections that read, and that write what no other transaction waits for: some few, opened when they are needed."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Self, TypeVar

import asyncpg

from relay.errors import QueueError
from relay.queue.postgres.connection import LIBRARY_ERRORS, is_lost, place, prepare, store_errors, watch
from relay.queue.postgres.many import Connection

#: Connections at most.
_MOST = 4
#: How long an answer may take, in seconds; then the connection is cut.
_ANSWER_SECONDS = 60.0
#: After so long a connection that nobody needs is closed, in seconds.
_IDLE_SECONDS = 300.0
#: How long saying farewell may take, in seconds.
_CLOSE_SECONDS = 5.0

T = TypeVar("T")


class Reader:
    """A pool that is asked questions. Made by `open`, ended by `close`."""

    def __init__(self, name: str, pool: Any) -> None:
        self.name = name
        self._pool = pool
        self._closed = False

    @classmethod
    async def open(cls, parameters: dict[str, Any]) -> Self:
        """Make the pool; nobody is connected yet."""
        pool = asyncpg.create_pool(
            **parameters,
            min_size=0,
            max_size=_MOST,
            max_inactive_connection_lifetime=_IDLE_SECONDS,
            init=prepare,
            reset=_leave,
        )
        return cls(place(parameters["dsn"]), await pool)

    async def ask(self, question: Callable[[Connection], Awaitable[T]]) -> T:
        """Answer a question; one that met a connection that was gone is asked once more. Raises QueueError."""
        if self._closed:
            raise QueueError(f"store {self.name}: it is closed")
        with store_errors(self.name):
            try:
                return await self._ask(question)
            except LIBRARY_ERRORS as error:
                if not is_lost(error):
                    raise
            return await self._ask(question)

    async def close(self) -> None:
        """Close every connection. Safe to repeat."""
        self._closed = True
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    async def _ask(self, question: Callable[[Connection], Awaitable[T]]) -> T:
        async with self._pool.acquire() as connection:
            watching = watch(connection, _ANSWER_SECONDS)
            try:
                return await question(connection)
            finally:
                watching.cancel()


async def _leave(_connection: object) -> None:
    """Leave a connection that is given back as it is: nothing that we ask changes it."""

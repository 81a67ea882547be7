"""Before the store can be used: locks, schema, and what a crash or a clock that was set back left behind."""

import os
from contextlib import ExitStack, closing
from pathlib import Path

from relay.message import Clock
from relay.queue.migration import scripts
from relay.queue.sqlite import setback
from relay.queue.sqlite.bodies import BodyFiles
from relay.queue.sqlite.connection import connect, store_errors
from relay.queue.sqlite.lock import StoreLock
from relay.queue.sqlite.migration import migrate
from relay.queue.sqlite.turn import Turn

_SELECT_FILE = "SELECT 1 FROM message INDEXED BY message_body_file WHERE body_file = ?"


def prepare(path: Path, clock: Clock, *, exclusive: bool) -> tuple[StoreLock, Turn, BodyFiles]:
    """Make or mend the store; returns its locks, held, and its folder of bodies. Blocks. Raises QueueError."""
    files = BodyFiles(path)
    with store_errors(path), ExitStack() as undo:
        lock = StoreLock(path, exclusive=exclusive)
        undo.callback(lock.drop)
        turn = Turn(path)
        undo.callback(turn.close)
        # Made here and not by SQLite, so that nobody else may read mail; its log files take over the mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = undo.enter_context(closing(connect(path, create=True)))
        with turn, connection:
            migrate(connection, path, scripts("sqlite"), clock())
            connection.execute("BEGIN IMMEDIATE")
            setback.mend(connection, clock())
        files.prepare()
        if exclusive:  # otherwise another worker's file may be about to get its row
            files.sweep(lambda name: connection.execute(_SELECT_FILE, (name,)).fetchone() is not None)
        connection.close()
        undo.pop_all()
    return lock, turn, files

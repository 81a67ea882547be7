"""Whose turn it is to write: several workers may share the store, and an operator come in beside them.

SQLite lets one writer in at a time, and the others knock again and again with growing naps in between: whoever has just
left comes back in first, and somebody may find the door shut for seconds. Here the kernel wakes who waits, and nobody
overtakes: two locks, of which the first is for the place next in line. Who has just written must ask for that place
like everybody, and whoever holds it already goes first.
"""

import fcntl
import os
from pathlib import Path


class Turn:
    """`with turn:` around each transaction that writes. Where nobody else is, it costs four calls of the kernel.

    Blocks the thread for as long as others' transactions take; the kernel frees the locks of a process that dies.
    """

    def __init__(self, store: Path) -> None:
        """Open the lock files `<store>.next` and `<store>.turn`. Raises OSError.

        Each object has descriptors of its own: two of them exclude each other within one process, too.
        """
        self._next = _open(f"{store}.next")
        self._turn = -1
        try:
            self._turn = _open(f"{store}.turn")
        except OSError:
            self.close()
            raise

    def __enter__(self) -> None:
        fcntl.flock(self._next, fcntl.LOCK_EX)
        try:
            fcntl.flock(self._turn, fcntl.LOCK_EX)
        finally:
            fcntl.flock(self._next, fcntl.LOCK_UN)

    def __exit__(self, *_: object) -> None:
        fcntl.flock(self._turn, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the lock files, which gives back what is held. Safe to repeat."""
        for descriptor in (self._next, self._turn):
            if descriptor >= 0:
                os.close(descriptor)
        self._next = self._turn = -1


def _open(name: str) -> int:
    return os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

"""Whose turn it is to write, where several workers share the store.

SQLite lets one writer in at a time, and the others knock again and again with growing naps in between: whoever has just
left comes back in first, and somebody may find the door shut for seconds. Here the kernel wakes who waits, and nobody
overtakes: two locks, of which the first is for the place next in line. Who has just written must ask for that place
like everybody, and whoever holds it already goes first.
"""

import fcntl
import os
from pathlib import Path


class Turn:
    """`with turn:` around each transaction that writes. A gateway that has the store for itself waits for nobody.

    Blocks the thread for as long as others' transactions take; the kernel frees the locks of a process that dies.
    """

    def __init__(self, store: Path, *, shared: bool) -> None:
        """Open the lock files `<store>.next` and `<store>.turn`, if others share the store. Raises OSError.

        Each object has descriptors of its own: two of them exclude each other within one process, too.
        """
        self._next = -1
        self._turn = -1
        if shared:
            self._next = _open(f"{store}.next")
            try:
                self._turn = _open(f"{store}.turn")
            except OSError:
                self.close()
                raise

    def __enter__(self) -> None:
        if self._turn >= 0:
            fcntl.flock(self._next, fcntl.LOCK_EX)
            try:
                fcntl.flock(self._turn, fcntl.LOCK_EX)
            finally:
                fcntl.flock(self._next, fcntl.LOCK_UN)

    def __exit__(self, *_: object) -> None:
        if self._turn >= 0:
            fcntl.flock(self._turn, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the lock files, which gives back what is held. Safe to repeat."""
        for descriptor in (self._next, self._turn):
            if descriptor >= 0:
                os.close(descriptor)
        self._next = self._turn = -1


def _open(name: str) -> int:
    return os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

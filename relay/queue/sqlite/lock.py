"""One gateway for each store: a lock file beside it, held while the store is open.

The kernel drops the lock with the process, however it ends; the file itself stays and means nothing.
"""

import fcntl
import os
from pathlib import Path

from relay.errors import StoreInUse


class StoreLock:
    """The lock on `<store>.lock`: exclusive for one gateway, shared among several workers of one gateway."""

    def __init__(self, store: Path, *, exclusive: bool) -> None:
        """Take the lock, without waiting.

        Raises:
            StoreInUse: another gateway has it.
        """
        self._file = os.open(f"{store}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.drop()
            raise StoreInUse(
                f"store {store}: another gateway has it open; stop that one or change store.path"
            ) from error
        except OSError:
            self.drop()
            raise

    def drop(self) -> None:
        """Give the lock back."""
        os.close(self._file)

"""Whether there is room for more mail, before the disk says so itself.

The reserve (`min_free_bytes`) stays for what must still be written when no new mail is taken: outcomes and history.
"""

import os
import threading
from collections.abc import Callable
from pathlib import Path

from relay.config.settings import StoreSettings
from relay.errors import QueueFull
from relay.message import Clock

_LOOK_AGAIN_SECONDS = 1.0


def free_bytes(folder: Path) -> int:
    """Ask the file system how much an ordinary user may still write."""
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


class Room:
    """Free disk, looked at once a second, and what was taken since. Safe to ask from several threads."""

    def __init__(self, settings: StoreSettings, clock: Clock, *, free: Callable[[Path], int] = free_bytes) -> None:
        self._settings = settings
        self._clock = clock
        self._ask = free
        self._lock = threading.Lock()
        self._free = 0
        self._looked_at = float("-inf")

    def left(self, kept: int, messages: int) -> int:
        """Tell how many bytes more can be kept beside `kept` ones of so many messages."""
        if messages >= self._settings.max_messages:
            return 0
        free = self._ask(self._settings.path.parent) - self._settings.min_free_bytes
        return max(0, min(self._settings.max_bytes - kept, free))

    def check_kept(self, size: int, kept: int, messages: int) -> None:
        """Raise QueueFull where a message of `size` bytes is too much beside so many, and their `kept` bytes."""
        if messages >= self._settings.max_messages:
            raise QueueFull(f"store {self._settings.path}: {messages} messages wait; store.max_messages is reached")
        if kept + size > self._settings.max_bytes:
            raise QueueFull(f"store {self._settings.path}: it keeps {kept} bytes of mail; store.max_bytes is reached")

    def take_disk(self, size: int) -> None:
        """Count on writing `size` bytes. Raises QueueFull where the reserve would be touched."""
        with self._lock:
            now = self._clock()
            if abs(now - self._looked_at) >= _LOOK_AGAIN_SECONDS:  # abs: clocks are set back, too
                self._free, self._looked_at = self._ask(self._settings.path.parent), now
            if self._free - size < self._settings.min_free_bytes:
                raise QueueFull(f"store {self._settings.path}: {self._free} bytes of disk are free; free some space")
            self._free -= size

"""A memory that forgets: by time, and the oldest first when it is full."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

from relay.message import Clock

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

#: A clock that was set back further than this makes what is remembered end at once, and not hours late.
_STEP_SECONDS = 60.0


class Bounded(Generic[Key, Value]):
    """A map of bounded size, each entry with its own end: clients choose the keys, so it must not grow with them."""

    def __init__(self, limit: int, clock: Clock) -> None:
        self._limit = limit
        self._clock = clock
        self._entries: OrderedDict[Key, tuple[float, float, Value]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key) -> Value | None:
        """Return what is remembered; None: nothing, or no longer."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        put_at, ends_at, value = entry
        if not put_at - _STEP_SECONDS <= self._clock() < ends_at:
            del self._entries[key]
            return None
        return value

    def put(self, key: Key, value: Value, seconds: float) -> None:
        """Remember for so long; the entry counts as the newest."""
        now = self._clock()
        self._entries[key] = (now, now + seconds, value)
        self._entries.move_to_end(key)
        while len(self._entries) > self._limit:
            self._entries.popitem(last=False)

    def drop(self, key: Key) -> None:
        """Forget."""
        self._entries.pop(key, None)

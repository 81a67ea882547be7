"""How many message bytes may be in memory at once, over everybody who receives or sends mail.

Each holder takes its part as it grows and gives it back when done. Memory is bounded by bytes in flight, not by
connections.
"""

from collections.abc import Callable


class ByteBudget:
    """A limit on bytes that many holders share.

    If all of them waited half-way for each other, nobody would ever finish. So the first holder that finds no room is
    let through all the same, one at a time: the true bound is `max_bytes` and the largest single message.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.used_bytes = 0
        self._overdrawer: Share | None = None
        self._waiting: dict[Share, None] = {}  # in the order in which they came

    def share(self, on_room: Callable[[], None]) -> "Share":
        """Open an empty share; `on_room` is called when taking may be tried again after a refusal."""
        return Share(self, on_room)

    def grant(self, share: "Share", size: int) -> bool:
        """Let a share grow, or remember that it waits. Used by `Share.take`."""
        if self.used_bytes + size > self.max_bytes:
            if self._overdrawer not in (None, share):
                self._waiting[share] = None
                return False
            self._overdrawer = share
        self.used_bytes += size
        return True

    def reclaim(self, share: "Share", size: int) -> None:
        """Take bytes back and let those who wait try again. Used by `Share.release`."""
        self.used_bytes -= size
        self._waiting.pop(share, None)
        if self._overdrawer is share:
            self._overdrawer = None
        elif not size:
            return
        waiting, self._waiting = self._waiting, {}
        for other in waiting:
            other.on_room()


class Share:
    """What one holder has of a budget."""

    __slots__ = ("_budget", "held_bytes", "on_room")

    def __init__(self, budget: ByteBudget, on_room: Callable[[], None]) -> None:
        self._budget = budget
        self.held_bytes = 0
        self.on_room = on_room

    def take(self, size: int) -> bool:
        """Take so many bytes more; False: there is no room, and `on_room` will be called."""
        if not self._budget.grant(self, size):
            return False
        self.held_bytes += size
        return True

    def release(self) -> None:
        """Give everything back; safe to repeat."""
        held, self.held_bytes = self.held_bytes, 0
        self._budget.reclaim(self, held)

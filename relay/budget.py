"""How many message bytes may be in memory at once, over everybody who receives or sends mail.

Each holder takes its part as it grows and gives it back when done. Memory is bounded by bytes in flight, not by
connections.
"""

from collections.abc import Callable

#: What is no bigger than this, as far as anybody knows, is small mail.
SMALL_BYTES = 32 * 1024
#: One part in so many is for small mail alone: big mail that fills the rest, and waits, does not hold it up.
_RESERVE = 8


class ByteBudget:
    """A limit on bytes that many holders share; who finds no room waits, the oldest first.

    If all of them waited half-way for each other, nobody would ever finish. So the first holder that finds no room is
    let through all the same, one at a time, and stands outside the count: the true bound is `max_bytes` and the largest
    single message.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.used_bytes = 0
        self._overdrawer: Share | None = None
        self._waiting: dict[Share, int] = {}  # in the order in which they came, with what each wants

    def share(self, on_room: Callable[[], None]) -> "Share":
        """Open an empty share; `on_room` is called when taking may be tried again after a refusal."""
        return Share(self, on_room)

    def grant(self, share: "Share", size: int) -> bool:
        """Let a share grow, or remember that it waits. Used by `Share.take`."""
        if not self._has_room(share, size):
            if self._overdrawer is not None:
                self._waiting[share] = size
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
        self._let_in()

    def _has_room(self, share: "Share", size: int) -> bool:
        if share is self._overdrawer:
            return True
        outside = self._overdrawer.held_bytes if self._overdrawer else 0
        reserve = 0 if share.stays_small(size) else self.max_bytes // _RESERVE
        return self.used_bytes - outside + size <= self.max_bytes - reserve

    def _let_in(self) -> None:
        """Call whoever has room now. Calling all that wait, at each release, would cost more than their mail."""
        is_stuck = False  # an older one that is big has no room
        for share, size in list(self._waiting.items()):
            is_small = share.stays_small(size)
            if share not in self._waiting or (is_stuck and not is_small):
                continue
            if self._overdrawer is None or self._has_room(share, size):
                del self._waiting[share]
                share.on_room()
            elif is_small:
                return  # nor has anybody who is big
            else:
                is_stuck = True


class Share:
    """What one holder has of a budget."""

    __slots__ = ("_budget", "announced_bytes", "held_bytes", "on_room")

    def __init__(self, budget: ByteBudget, on_room: Callable[[], None]) -> None:
        self._budget = budget
        self.held_bytes = 0
        self.announced_bytes = 0  # how big it says that it will be; 0: it said nothing
        self.on_room = on_room

    def stays_small(self, size: int) -> bool:
        """Tell whether it is small mail with so many bytes more."""
        return max(self.held_bytes + size, self.announced_bytes) <= SMALL_BYTES

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

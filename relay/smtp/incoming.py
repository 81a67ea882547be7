"""The message that is coming in: what reads it, and its part of the memory that all messages share."""

from collections.abc import Awaitable, Callable
from enum import Enum

from relay.budget import Share
from relay.offloop import off_loop
from relay.outcome import Replies, Reply
from relay.smtp.answers import Chunk
from relay.smtp.chunks import ChunkReader
from relay.smtp.data import DataReader
from relay.smtp.inbox import Inbox


class Taken(Enum):
    """What became of the bytes that were there."""

    NOTHING = "nothing"  # there were none
    SOME = "some"  # taken in, and there is more to come
    NO_ROOM = "no room"  # they stay where they were
    ALL = "all"  # the message has come, or the chunk


class Incoming:
    """One connection's message, after DATA or over several BDAT."""

    __slots__ = ("_counts_for", "_reader", "_share", "_starved", "chunk")

    def __init__(self, share: Share, *, counts_for: int = 1) -> None:
        """Begin; `counts_for`: how many bytes in memory one of the message may come to."""
        self._share = share
        self._counts_for = counts_for
        self._reader: DataReader | ChunkReader | None = None
        self._starved = False  # it found no room in memory
        self.chunk: Chunk | None = None  # the one that is being read; None: it comes by DATA

    @property
    def size(self) -> int:
        """Return how many bytes of it have come."""
        return self._reader.size if self._reader else 0

    @property
    def fault(self) -> Reply | None:
        """Say why it is not kept."""
        if self._reader is None or not self._reader.discarding:
            return None
        return Replies.STORE_FULL if self._starved else Replies.TOO_BIG

    @property
    def refusal(self) -> Reply | None:
        """Say what will be said when its end, or the chunk's, has come, if that is known already."""
        return (self.chunk.refusal if self.chunk else None) or self.fault

    @property
    def holds_memory(self) -> bool:
        """Tell whether bytes of it are counted."""
        return self._share.held_bytes > 0

    def begin(self, reader: DataReader | ChunkReader, chunk: Chunk | None = None, *, announced: int = 0) -> None:
        """Read what follows by this reader; `chunk`: as one chunk; `announced`: how big the message says to be."""
        if reader is not self._reader:
            self._starved = False
        self._reader, self.chunk = reader, chunk
        self._share.announced_bytes = announced

    def take(self, inbox: Inbox) -> Taken:
        """Take in what is there; what follows the message stays in the inbox."""
        data, reader = inbox.take(), self._reader
        if reader is None or not (data or self.chunk):
            return Taken.NOTHING
        if not reader.discarding and not self._share.take(self._counts_for * len(data)):
            inbox.put(data)
            return Taken.NO_ROOM
        rest = reader.feed(data)
        if reader.discarding:
            self._share.release()
        if rest is None:
            return Taken.SOME
        inbox.put(rest)
        return Taken.ALL

    def whole(self) -> Callable[[], Awaitable[bytes]]:
        """Return what puts the whole message together, which goes on to count until `drop`."""
        reader, self._reader = self._reader, None
        if reader is None:
            raise AssertionError("only what has come can be had")
        return lambda: off_loop(reader.size, reader.content)

    def starve(self) -> None:
        """Stop waiting for room: keep nothing, and go on to the end."""
        if self._reader is not None:
            self._reader.discard()
        self._starved = True
        self._share.release()

    def drop(self) -> None:
        """Forget it; safe to repeat."""
        self._reader = self.chunk = None
        self._share.release()

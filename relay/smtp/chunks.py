"""The octets behind BDAT commands (RFC 3030 §2). Pure: pieces in, one message out.

A chunk is as long as its command says, and whatever stands in it is content: dots, lone CR and LF, NUL. So nothing in
it can end the message.
"""

from relay.smtp.pieces import Pieces


class ChunkReader:
    """Collects one message out of chunks."""

    __slots__ = ("_awaited", "_pieces", "discarding", "size")

    def __init__(self) -> None:
        self._pieces = Pieces()
        self._awaited = 0  # octets of the chunk that have not come
        self.size = 0  # bytes of content that have come
        self.discarding = False  # content is not kept any more

    def begin(self, octets: int) -> None:
        """Expect a chunk."""
        self._awaited = octets

    def feed(self, data: bytes) -> bytes | None:
        """Take what has come; return what follows the chunk, or None while there is more of it to come."""
        piece = data[: self._awaited]
        self._awaited -= len(piece)
        self.size += len(piece)
        if piece and not self.discarding:
            self._pieces.put(piece)
        return None if self._awaited else data[len(piece) :]

    def discard(self) -> None:
        """Forget the content and keep none that comes; the chunk is still read to its end."""
        self.discarding = True
        self._pieces.clear()

    def content(self) -> bytes:
        """Return the message and let go of it."""
        return self._pieces.take()


def discarded(octets: int) -> ChunkReader:
    """Return what reads over one chunk and keeps nothing."""
    reader = ChunkReader()
    reader.discard()
    reader.begin(octets)
    return reader

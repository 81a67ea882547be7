"""Content while it is gathered. Pure: pieces in, one message out."""

_SMALL = 4096  # bytes; what is less is put together, for each object takes some fifty bytes more than it holds
_TOGETHER = 65_536


class Pieces:
    """Keeps large pieces as they came and puts small ones together.

    A client that sends two bytes at a time would make the list of them twenty times as large as its message.
    """

    __slots__ = ("_large", "_small")

    def __init__(self) -> None:
        self._large: list[bytes] = []
        self._small = bytearray()

    def put(self, piece: bytes) -> None:
        """Add a piece at the end."""
        if len(piece) < _SMALL:
            self._small += piece
            if len(self._small) >= _TOGETHER:
                self._close_small()
        else:
            self._close_small()
            self._large.append(piece)

    def take(self) -> bytes:
        """Return the whole and let go of it."""
        self._close_small()
        whole = b"".join(self._large)
        self._large.clear()
        return whole

    def clear(self) -> None:
        """Forget everything."""
        self._large.clear()
        self._small = bytearray()

    def _close_small(self) -> None:
        if self._small:
            self._large.append(bytes(self._small))
            self._small = bytearray()

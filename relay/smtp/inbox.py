"""Bytes that have come and whose turn has not."""


class Inbox:
    """Takes bytes as they come, gives lines or all of it. Cutting a line off copies nothing but the line."""

    __slots__ = ("_at", "_bytes")

    def __init__(self) -> None:
        self._bytes = b""
        self._at = 0  # where the next line begins

    def __len__(self) -> int:
        return len(self._bytes) - self._at

    def put(self, data: bytes) -> None:
        """Add bytes at the end."""
        held, at = self._bytes, self._at
        self._bytes, self._at = (data if at == len(held) else held[at:] + data), 0

    def line(self) -> bytes | None:
        """Take the next line with its line feed; None: there is no whole one."""
        end = self._bytes.find(b"\n", self._at) + 1
        if not end:
            return None
        line = self._bytes[self._at : end]
        self._at = end
        return line

    def take(self) -> bytes:
        """Take everything."""
        data = self._bytes[self._at :] if self._at else self._bytes
        self._bytes, self._at = b"", 0
        return data

    def begins_with(self, start: bytes) -> bool:
        """Look at what comes next."""
        return self._bytes.startswith(start, self._at)

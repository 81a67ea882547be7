"""The way to the client: replies gathered and written at once, reading switched on and off, closing without loss."""

import asyncio
from functools import lru_cache

from relay.outcome import Reply


class Wire:
    """One transport, before or after the TLS handshake."""

    __slots__ = ("_outbox", "_reading", "_transport", "blocked")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._outbox: list[bytes] = []  # one write for all replies to a pipeline (RFC 2920 §3.2)
        self._reading = True
        self.blocked = False  # the client does not read what we write

    @property
    def transport(self) -> asyncio.Transport:
        """What the event loop made for us."""
        return self._transport

    def say(self, text: bytes) -> None:
        """Put lines into the outbox."""
        self._outbox.append(text)

    def flush(self) -> None:
        """Write what is in the outbox."""
        outbox = self._outbox
        if outbox:
            self._transport.write(outbox[0] if len(outbox) == 1 else b"".join(outbox))
            outbox.clear()

    def read(self, *, on: bool) -> None:
        """Let bytes come, or hold them back in the network."""
        if on is self._reading or self._transport.is_closing():
            return
        self._reading = on
        if on:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def finish(self, *, lingering: bool) -> None:
        """Write everything and close.

        `lingering`: only our half, for closing with unread bytes would reset the connection and take the last reply
        with it. The client's half must be read on until it ends or patience does. TLS has no halves.
        """
        self.flush()
        if lingering and self._transport.can_write_eof():
            self.read(on=True)
            self._transport.write_eof()
        else:
            self._transport.close()

    def abort(self) -> None:
        """Cut it."""
        self._transport.abort()


@lru_cache(maxsize=512)
def reply_line(reply: Reply) -> bytes:
    """Write one reply for the wire: a single line of ASCII (RFC 5321 §4.2)."""
    text = str(reply).replace("\r", " ").replace("\n", " ")
    return text.encode("ascii", "replace") + b"\r\n"

"""TLS between a connection and its socket, over `ssl.MemoryBIO`: one layer for both forms of TLS and for both loops.

The loops have one of their own, but it ends both halves when the client ends its own, be it by close_notify or by FIN,
and what is written later is lost: the 250 of a message that is being committed, which the client then sends again. Exim
sends final dot, QUIT, close_notify and FIN in one go behind the last of several messages. SMTP says for itself where a
message ends, so an end without close_notify (RFC 8446 §6.1) can cut off nothing unseen.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Callable

#: How long a client may take to shake hands. It has a place of its own meanwhile and has shown nothing for it.
HANDSHAKE_SECONDS = 10.0
#: How long a client may take to answer our close_notify.
CLOSE_SECONDS = 2.0

_RECORD_BYTES = 16_384  # what one holds at most (RFC 8446 §5.1)


class Secured(asyncio.Transport, asyncio.Protocol):
    """The protocol of the socket's transport, and the transport of the connection's protocol."""

    def __init__(
        self,
        context: ssl.SSLContext,
        protocol: asyncio.Protocol,
        *,
        patience_seconds: float,
        begin: Callable[["Secured"], object] | None = None,
    ) -> None:
        """Wait for a transport; `begin` is called when hands are shaken, before the first byte is passed on."""
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self.shaken: asyncio.Future[bool] = self._loop.create_future()  # False: the client could not, or went away
        self._protocol = protocol
        self._patience_seconds = patience_seconds
        self._begin = begin
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._session = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._is_open = False  # hands are shaken
        self._at_end = False  # the client's half has ended
        self._closing = False  # ours has

    # --- what the loop calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the handshake."""
        self._below: asyncio.Transport = transport  # type: ignore[assignment] # TCP listeners have no other
        self._deadline = self._loop.call_later(self._patience_seconds, transport.abort)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        """Shake hands, or pass on what the client says."""
        if self._at_end:
            return  # nothing counts behind a close_notify
        self._incoming.write(data)
        try:
            if self._is_open or self._shake_hands():
                self._pass_on()
        except ssl.SSLError:
            self._flush()  # the alert
            self._below.close()

    def eof_received(self) -> bool:
        """Hear that nothing more will come; True: our half stays open."""
        if not self._at_end:
            self._end()
        return not self._below.is_closing()

    def connection_lost(self, error: Exception | None) -> None:
        """Pass it on to who has been told of a connection."""
        self._deadline.cancel()
        if self._is_open:
            self._protocol.connection_lost(error)
        elif not self.shaken.done():
            self.shaken.set_result(False)

    def pause_writing(self) -> None:
        """Pass it on."""
        if self._is_open:
            self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        if self._is_open:
            self._protocol.resume_writing()

    # --- what the connection calls ---

    def get_extra_info(self, name: str, default: object = None) -> object:
        """Tell what the socket's transport knows, and `ssl_object`."""
        return self._session if name == "ssl_object" else self._below.get_extra_info(name, default)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Encrypt and write."""
        if self._closing:
            return
        try:
            written = self._session.write(data)
            while written < len(data):
                written += self._session.write(memoryview(data)[written:])
        except ssl.SSLError:  # the session broke before
            self.abort()
            return
        self._flush()

    def can_write_eof(self) -> bool:
        """TLS has halves, too."""
        return True

    def write_eof(self) -> None:
        """Say close_notify and FIN, and let the client end its half."""
        if self._closing:
            return
        with contextlib.suppress(ssl.SSLError):  # theirs is not there yet
            self._session.unwrap()
        self._flush()
        self._closing = True
        if not self._below.is_closing():
            self._below.write_eof()

    def close(self) -> None:
        """Close when the client has heard it all: unread bytes would make a reset of it."""
        self.write_eof()
        if self._at_end:
            self._below.close()
        else:
            self._deadline.cancel()
            self._deadline = self._loop.call_later(CLOSE_SECONDS, self._below.abort)
            self._below.resume_reading()

    def abort(self) -> None:
        """Cut it."""
        self._closing = True
        self._below.abort()

    def is_closing(self) -> bool:
        """Tell whether our half has ended."""
        return self._closing or self._below.is_closing()

    def pause_reading(self) -> None:
        """Hold bytes back in the network."""
        self._below.pause_reading()

    def resume_reading(self) -> None:
        """Let them come."""
        self._below.resume_reading()

    # --- small steps ---

    def _shake_hands(self) -> bool:
        try:
            self._session.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            return False
        self._deadline.cancel()
        self._is_open = True
        if self._begin is not None:
            self._begin(self)  # its greeting goes out with the end of the handshake
        self._flush()
        self.shaken.set_result(True)
        return True

    def _pass_on(self) -> None:
        pieces, is_end, session = [], False, self._session
        try:
            while piece := session.read(_RECORD_BYTES):
                pieces.append(piece)
                if not self._incoming.pending and not session.pending():
                    break  # asking once more would only cost an exception
            else:
                is_end = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:  # their close_notify, behind ours
            is_end = True
        if self._outgoing.pending:  # an answer of the session's own, to an update of keys
            self._flush()
        if pieces and not self._closing:
            self._protocol.data_received(pieces[0] if len(pieces) == 1 else b"".join(pieces))
        if is_end:
            self._end()

    def _end(self) -> None:
        """Take the end of the client's half; whether ours ends with it, is up to the protocol."""
        self._at_end = True
        if self._closing or not self._is_open:
            self._below.close()
        elif not self._protocol.eof_received():
            self.close()

    def _flush(self) -> None:
        if not self.is_closing():
            self._below.write(self._outgoing.read())


async def shake_hands(
    transport: asyncio.Transport, protocol: asyncio.Protocol, context: ssl.SSLContext
) -> asyncio.Transport | None:
    """Put TLS under a protocol that holds reading back (RFC 3207); None: the client could not, or went away."""
    layer = Secured(context, protocol, patience_seconds=HANDSHAKE_SECONDS)
    transport.set_protocol(layer)
    layer.connection_made(transport)
    transport.resume_reading()
    return layer if await layer.shaken else None

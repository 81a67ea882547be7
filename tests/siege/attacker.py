"""A client without manners: raw bytes, in any pieces, at any time, and a reader that knows what a reply looks like.

Every wait has an end. A gateway that neither answers nor closes within it has hung, and that is a failure.
"""

import contextlib
import re
import socket
import ssl
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

#: How long anything may take that the gateway owes at once; generous, for a busy machine.
PATIENCE_SECONDS = 20.0
#: Where the ordinary client comes from; attackers come from 127.0.0.1.
CUSTOMER = "127.0.0.2"

_LONGEST_LINE = 512  # RFC 5321 §4.5.3.1.5, CRLF included
_LINE = re.compile(rb"(\d{3})([ -])([\x20-\x7e]*)\r\n")
_STATUS = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?: |$)")  # RFC 3463 §2
#: Replies that carry no status: greeting and STARTTLS go-ahead aside, the answers to EHLO/HELO, DATA and AUTH's
#: challenges (RFC 2034 §4 asks for one in every 2xx, 4xx and 5xx but these).
_WITHOUT_STATUS = frozenset({220, 250, 334, 354})


@dataclass(frozen=True, slots=True)
class Said:
    """One reply; code 0: the gateway closed the connection instead."""

    code: int
    status: str = ""
    lines: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " / ".join(self.lines) or "(closed)"


CLOSED = Said(0)


def read_lines(received: bytes) -> list[str]:
    """Split what the gateway said into lines, each of the form that RFC 5321 §4.2 gives replies."""
    lines = received.split(b"\r\n")
    assert lines.pop() == b"", f"the last reply is cut off: {received[-80:]!r}"
    for line in lines:
        assert _LINE.fullmatch(line + b"\r\n"), f"no SMTP reply: {line!r}"
        assert len(line) + 2 <= _LONGEST_LINE, f"too long: {line!r}"
    return [line.decode("ascii") for line in lines]


def judged(lines: list[str]) -> Said:
    """Make one reply of its lines, and check what every reply must keep to."""
    code = int(lines[0][:3])
    assert all(line[:3] == lines[0][:3] for line in lines), lines
    assert [line[3:4] for line in lines] == ["-"] * (len(lines) - 1) + [" "], lines
    found = _STATUS.match(lines[-1][4:])
    if found is None:
        assert code in _WITHOUT_STATUS, f"no RFC 3463 status: {lines}"
    else:
        assert found[1] == lines[0][0], f"the status is of another class than the code: {lines}"
    return Said(code, found[0].strip() if found else "", tuple(lines))


class Attacker:
    """One connection to the gateway."""

    def __init__(self, port: int, context: ssl.SSLContext | None = None, *, source: str = "127.0.0.1") -> None:
        self.socket: socket.socket = socket.create_connection(
            ("127.0.0.1", port), PATIENCE_SECONDS, source_address=(source, 0)
        )
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""
        if context is not None:
            self.start_tls(context)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Shake hands."""
        assert not self._received, "something was said between the go-ahead and the handshake"
        self.socket = context.wrap_socket(self.socket, server_hostname="localhost")

    def send(self, data: bytes, pieces: Iterable[int] = ()) -> None:
        """Send bytes, cut at these places; a gateway that has closed by then is no fault of the sender's."""
        places = sorted({place % (len(data) + 1) for place in pieces})
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            for begin, end in zip([0, *places], [*places, len(data)], strict=True):
                self.socket.sendall(data[begin:end])

    def reply(self) -> Said:
        """Read one whole reply, and judge its form."""
        lines: list[str] = []
        while not lines or lines[-1][3] == "-":
            line = self._line()
            if not line:
                assert not lines, f"closed within a reply: {lines}"
                return CLOSED
            lines += read_lines(line)
        return judged(lines)

    def say(self, line: str) -> Said:
        """Send one line and read its reply."""
        self.send(line.encode() + b"\r\n")
        return self.reply()

    def half_close(self) -> None:
        """Say that nothing more will come, and go on reading."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.socket, socket.SHUT_WR)  # ssl's own would read on in clear

    def hang_up(self) -> None:
        """Vanish with a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def _line(self) -> bytes:
        while b"\n" not in self._received:
            try:
                came = self.socket.recv(65536)
            except (ConnectionError, ssl.SSLError):  # a close with unread bytes is a reset; TLS has its own words
                came = b""
            if not came:
                assert not self._received, f"closed within a line: {self._received!r}"
                return b""
            self._received += came
        line, _, self._received = self._received.partition(b"\n")
        return line + b"\n"

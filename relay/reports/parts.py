"""Parts of a report as bytes: a header that names type and encoding, and what it speaks of. Pure."""

import binascii
import re

#: Line ends that SMTP cannot carry, and NUL.
_BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)|\x00")
_LONGEST_LINE = 998  # RFC 5321 section 4.5.3.1.6, without CRLF


def part(kind: str, encoding: str, data: bytes) -> bytes:
    """Put the header above data that is encoded already."""
    return f"Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode("ascii") + data


def text_part(kind: str, data: bytes) -> bytes:
    """Make a part of lines, as they are where any mail server can carry them."""
    if data.isascii() and can_travel(data):
        return part(kind, "7bit", data)
    lines = b"".join(line + b"\n" for line in data.splitlines())
    return part(kind, "quoted-printable", binascii.b2a_qp(lines).replace(b"\n", b"\r\n"))


def can_travel(data: bytes) -> bool:
    """Tell whether SMTP can carry data as it is, but for bytes beyond ASCII."""
    return not _BARE.search(data) and max(map(len, data.split(b"\r\n"))) <= _LONGEST_LINE

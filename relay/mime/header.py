"""The header of a message or part: from bytes to fields (RFC 5322 §2.2).

Line ends may be CRLF, LF, CR or CR CR LF. A line that is no field is taken for a broken fold where more fields follow,
else for the first line of the body.
"""

import codecs
import re
from dataclasses import dataclass

from relay.errors import MailRefused
from relay.outcome import Replies

# A CR that begins a CRLF is no line end of its own. An atomic group would say so too, but Python 3.11.2 misreads it.
_BREAK = rb"(?:\r*+\n|\r(?!\r*+\n))"
#: RFC 5322 §3.6.8 allows any printable name, but what begins with "<" is HTML without a header above it.
_FIELD = re.compile(
    rb"((?!<)[!-9;-~]++)[ \t]*+:[ \t]*+([^\r\n]*+(?:" + _BREAK + rb"[ \t]++[^\r\n]*+)*)(?:" + _BREAK + rb"|\Z)"
)
_EMPTY_LINE = re.compile(_BREAK)
_EMPTY_LINES = re.compile(rb"(?:\xef\xbb\xbf)?[\r\n]+")
_BLANK = re.compile(_BREAK + _BREAK)
_LINE = re.compile(rb"[^\r\n]*+" + _BREAK)
#: Fields that no text begins a line with by chance, or hardly ever.
_KNOWN = re.compile(
    rb"(?<![^\r\n])(?:content-[a-z-]+|mime-version|from|to|cc|bcc|date|subject|message-id|reply-to|sender|received"
    rb"|return-path|references|in-reply-to|delivered-to|dkim-signature|list-[a-z-]+|x-[!-9;-~]+)[ \t]*:",
    re.IGNORECASE,
)
_TOO_BIG = Replies.BAD_CONTENT.saying("A header of the message is larger than allowed")


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of one header, in order; values as they came, still folded and encoded."""

    fields: tuple[tuple[str, bytes], ...]  # name in lower case, value
    by_name: dict[str, list[bytes]]

    def first(self, name: str) -> bytes:
        """Return the first value of a field that says anything; empty: there is none."""
        values = self.by_name.get(name)
        return values[0] or next(filter(None, values), b"") if values else b""

    def every(self, name: str) -> list[bytes]:
        """Return all values of a field."""
        return self.by_name.get(name, [])


def read_header(data: bytes, start: int, end: int, max_bytes: int) -> tuple[Header, int]:
    """Read the header that begins at `start`.

    Returns:
        The header and where its body begins.

    Raises:
        MailRefused: It is larger than `max_bytes`.
    """
    fields: list[tuple[str, bytes]] = []
    position = start
    limit = min(end, start + max_bytes)
    blank: int | None = None  # where the empty line stands; looked for once, and only where a line is no field
    if data.startswith(codecs.BOM_UTF8, start, end) and _FIELD.match(data, start + len(codecs.BOM_UTF8), end):
        position += len(codecs.BOM_UTF8)
    while position < limit:
        field = _FIELD.match(data, position, end)
        if field:
            fields.append((field[1].decode("ascii").lower(), field[2]))
            position = field.end()
            continue
        empty = _EMPTY_LINE.match(data, position, end)
        if empty:
            position = empty.end()
            break
        if fields and blank is None:
            found = _BLANK.search(data, position, limit)
            blank = found.start() if found else limit
        resumed = _next_field(data, position, blank) if blank is not None else _second_line(data, position, limit)
        if resumed is None:
            break
        if fields:
            name, value = fields[-1]
            fields[-1] = name, value + b"\n " + data[position:resumed]
        position = resumed
    if position > limit or (position == limit < end):
        raise MailRefused(_TOO_BIG)
    return indexed(fields), position


def indexed(fields: list[tuple[str, bytes]]) -> Header:
    """Make a header of its fields."""
    by_name: dict[str, list[bytes]] = {}
    for name, value in fields:
        by_name.setdefault(name, []).append(value)
    return Header(tuple(fields), by_name)


def skip_empty_lines(data: bytes) -> int:
    """Find where the message's header begins: after empty lines, where a well-known field follows them."""
    empty = _EMPTY_LINES.match(data)
    return empty.end() if empty and _KNOWN.match(data, empty.end()) else 0


def _next_field(data: bytes, position: int, blank: int) -> int | None:
    """Look for a well-known field behind a line that is none; None: the body has begun."""
    found = _KNOWN.search(data, position, blank)
    return found.start() if found else None


def _second_line(data: bytes, position: int, limit: int) -> int | None:
    """Forgive one odd line before any field, such as the "From " line of a mailbox file."""
    line = _LINE.match(data, position, limit)
    return line.end() if line and _KNOWN.match(data, line.end(), limit) else None

"""The tree of parts: where each begins and ends in the message (RFC 2046 §5).

Only delimiters are looked for, never lines: a body of 20 MB costs one search. Broken trees are read as far as they go.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from relay.config.settings import MimeSettings
from relay.errors import MailRefused
from relay.mime.header import Header, read_header, skip_empty_lines
from relay.mime.parameters import Structured, media_type, structured
from relay.mime.transfer import Encoding, PartBody, encoding_named
from relay.outcome import Replies

_TOO_MANY = Replies.BAD_CONTENT.saying("The message has more parts than allowed")
_TOO_DEEP = Replies.BAD_CONTENT.saying("The parts of the message are nested deeper than allowed")
_TOO_MUCH_HEADER = Replies.BAD_CONTENT.saying("The headers of the message's parts are larger than allowed")
_HEADERS = 2  # all headers of a message together, in largest headers: each small field costs far more than its bytes
#: What may follow "--boundary" on its line; anything else makes it another, longer boundary.
_TAIL = re.compile(rb"(--)?[ \t]*+(?:\r*\n|\r|\Z)")
#: A line that looks like a delimiter with a part's header below, for when the boundary is not told.
_GUESSED = re.compile(rb"(?<![^\r\n])--([^\s\"][^\r\n\"]{0,199}+)(?:\r*\n|\r)(?=content-)", re.IGNORECASE)
_LONGEST_PREAMBLE = 65536
_NEAR_BYTES = 2048  # looked through for a delimiter when a hyphen was seen
_LONGEST_FOOTER = 4096  # looked at for words
#: How the body of a multipart without parts begins where it is a page.
_PAGE = re.compile(rb"\s*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
#: Types by a name that is no type.
_SHORT_TYPES = {
    "text": "text/plain", "html": "text/html", "plain": "text/plain", "plain/text": "text/plain",
    "html/text": "text/html", "multipart": "multipart/mixed", "multipart/": "multipart/mixed",
}  # fmt: skip
_NO_PARAMETERS = Structured("", {})


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its header, what that says, and where its body stands."""

    header: Header
    media_type: str  # lower case; RFC 2045 §5.2 and RFC 2046 §5.1.5 defaults filled in
    content_type: Structured
    disposition: Structured  # Content-Disposition; value empty: none
    body: PartBody
    encoding_known: bool
    children: tuple["Part", ...] = ()
    repaired: bool = False  # a multipart without usable boundary
    text_outside: bool = False  # words behind the last delimiter

    @property
    def name(self) -> str:
        """Return the file name that the header gives, as written; empty: none."""
        told = self.disposition.text("filename") or self.content_type.text("name")
        # In a form it names the field (RFC 7578 §4.2).
        return told if told or self.disposition.value == "form-data" else self.disposition.text("name")

    @property
    def is_attachment(self) -> bool:
        """Tell whether the sender asked for it to be a file of its own."""
        return self.disposition.value == "attachment"

    @property
    def content_id(self) -> str:
        """Return the Content-ID without brackets; empty: none."""
        told = self.header.first("content-id").decode("utf-8", "replace")
        _, bracket, inner = told.partition("<")
        return inner.partition(">")[0].strip() if bracket else told.strip(' \t\r\n>"')


def read_structure(data: bytes, bounds: MimeSettings) -> Part:
    """Read a message into its parts.

    Raises:
        MailRefused: It exceeds the bounds on parts, depth or header size.
    """
    return _Reader(data, bounds).part(data, skip_empty_lines(data), len(data), 1, "text/plain")


class _Reader:
    """Counts parts while the tree is read."""

    __slots__ = ("_bounds", "_header_bytes", "_message", "_parts")

    def __init__(self, message: bytes, bounds: MimeSettings) -> None:
        self._message = message
        self._bounds = bounds
        self._parts = 0
        self._header_bytes = 0

    def part(self, data: bytes, start: int, end: int, depth: int, default_type: str) -> Part:
        self._parts += 1
        if self._parts > self._bounds.max_parts:
            raise MailRefused(_TOO_MANY)
        if depth > self._bounds.max_depth:
            raise MailRefused(_TOO_DEEP)
        header, begin = read_header(data, start, end, self._bounds.max_header_bytes)
        self._header_bytes += begin - start
        if self._header_bytes > _HEADERS * self._bounds.max_header_bytes:
            raise MailRefused(_TOO_MUCH_HEADER)
        raw_type, raw_disposition = header.first("content-type"), header.first("content-disposition")
        content_type = structured(raw_type) if raw_type else _NO_PARAMETERS
        kind = _kind(content_type) if raw_type else ""
        encoding = encoding_named(header.first("content-transfer-encoding").decode("latin-1"))
        body = PartBody(data, begin, end, encoding or Encoding.IDENTITY)
        found = self._children(body, content_type, kind, depth) if kind.startswith("multipart/") else _NOTHING
        return Part(
            header=header,
            media_type=kind or default_type,
            content_type=content_type,
            disposition=structured(raw_disposition) if raw_disposition else _NO_PARAMETERS,
            body=body,
            encoding_known=encoding is not None,
            children=tuple(found.children),
            repaired=found.repaired,
            text_outside=found.text_outside,
        )

    def _children(self, body: PartBody, content_type: Structured, kind: str, depth: int) -> "_Found":
        default = "message/rfc822" if kind == "multipart/digest" else "text/plain"
        boundary = _boundary(content_type)
        spans, behind = _spans(body.data, body.start, body.end, boundary, self._room) if boundary else ([], body.start)
        if not spans and body.encoding is not Encoding.IDENTITY and body.data is self._message:
            # RFC 2045 §6.4 forbids an encoding here; some write it and mean it. Once only: it costs a copy.
            whole = body.decoded()
            return self._children(PartBody(whole, 0, len(whole)), content_type, kind, depth)
        repaired = not spans
        if repaired:
            guess = _GUESSED.search(body.data, body.start, min(body.end, body.start + _LONGEST_PREAMBLE))
            if guess:
                boundary = guess[1].rstrip().rstrip(b"-") or b"-"
                spans, behind = _spans(body.data, body.start, body.end, boundary, self._room)
        if not spans:
            spans, behind = [_Span(body.start, body.end)] if body.start < body.end else [], body.end
            default = "text/html" if _PAGE.match(body.data, body.start, body.end) else default
        parts = [(self.part(body.data, span.start, span.end, depth + 1, default), span.is_last) for span in spans]
        children = _regrouped(parts, boundary, self._bounds.max_depth - depth)
        outside = bool(body.data[behind : min(body.end, behind + _LONGEST_FOOTER)].strip())
        return _Found(children, repaired=repaired and bool(children), text_outside=outside)

    @property
    def _room(self) -> int:
        return self._bounds.max_parts - self._parts


@dataclass(frozen=True, slots=True)
class _Found:
    children: Sequence[Part]
    repaired: bool
    text_outside: bool


_NOTHING = _Found((), repaired=False, text_outside=False)


@dataclass(frozen=True, slots=True)
class _Span:
    """Where a part stands, and whether the delimiter behind it is a closing one."""

    start: int
    end: int
    is_last: bool = False


def _regrouped(parts: list[tuple[Part, bool]], boundary: bytes, most_levels: int) -> list[Part]:
    """Give the parts back to an inner multipart that has the same boundary; they end at a closing delimiter."""
    levels: list[list[Part]] = [[]]
    inner: list[Part] = []  # the multiparts of the levels below the first
    for part, is_last in parts:
        if boundary and part.media_type.startswith("multipart/") and _boundary(part.content_type) == boundary:
            inner.append(part)
            levels.append([])
            if len(inner) > most_levels:
                raise MailRefused(_TOO_DEEP)
        else:
            levels[-1].append(part)
        if is_last and inner:
            levels[-2].append(replace(inner.pop(), children=tuple(levels.pop()), repaired=True))
    while inner:
        levels[-2].append(replace(inner.pop(), children=tuple(levels.pop()), repaired=True))
    return levels[0]


def _kind(content_type: Structured) -> str:
    """Return the media type; empty: none is told, and nothing speaks against text (RFC 2045 §5.2)."""
    known = _SHORT_TYPES.get(content_type.value) or media_type(content_type.value)
    is_file = not known and not content_type.value.startswith("text") and bool(content_type.text("name"))
    return "application/octet-stream" if is_file else known


def _boundary(content_type: Structured) -> bytes:
    told = content_type.parameters.get("boundary", b"") or content_type.text("boundary").encode("utf-8")
    return told.rstrip()


def _spans(data: bytes, start: int, end: int, boundary: bytes, most: int) -> tuple[list[_Span], int]:
    """Find the parts between the delimiters, and where the text behind the last delimiter begins.

    Parts that follow the closing delimiter count too: some mailers write it early, or use one boundary at two levels.
    """
    line_break = b"\n" if data.find(b"\n", start, end) >= 0 else b"\r"
    needle = line_break + b"--" + boundary
    spans: list[_Span] = []
    opened: int | None = None
    behind = start
    first = _TAIL.match(data, start + len(needle) - 1, end) if data.startswith(needle[1:], start) else None
    position = start
    while True:
        at, tail = (start - 1, first) if first else _delimiter(data, position, end, needle)
        first = None
        if opened is not None:
            stop = end if tail is None else at - (line_break == b"\n" and data[at - 1 : at] == b"\r")
            spans.append(_Span(opened, max(stop, opened), is_last=tail is not None and bool(tail[1])))
            if len(spans) > most:
                raise MailRefused(_TOO_MANY)
        if tail is None:
            return spans, end if opened is not None else behind
        behind = tail.end()
        opened = None if tail[1] else behind
        position = max(at + 1, behind - 1)  # the line end of this delimiter may begin the next


def _find(data: bytes, position: int, end: int, needle: bytes) -> int:
    """Find what holds a hyphen, as every delimiter does and no base64.

    To find a single octet the machine takes a tenth of the time that it takes for several.
    """
    while (hyphen := data.find(b"-", position, end)) >= 0:
        near = min(hyphen + max(_NEAR_BYTES, 2 * len(needle)), end)
        at = data.find(needle, max(position, hyphen - 1), near)
        if at >= 0 or near == end:
            return at
        position = near - len(needle) + 1
    return -1


def _delimiter(data: bytes, position: int, end: int, needle: bytes) -> tuple[int, re.Match[bytes] | None]:
    at = _find(data, position, end, needle)
    if at < 0:
        return end, None
    tail = _TAIL.match(data, at + len(needle), end)
    if tail:
        return at, tail
    # Another boundary that begins like ours: let the engine skip such, for there may be millions. The expression
    # is made only now: every mail has boundaries of its own.
    true = re.compile(re.escape(needle) + _TAIL.pattern).search(data, at + 1, end)
    return (true.start(), _TAIL.match(data, true.start() + len(needle), end)) if true else (end, None)

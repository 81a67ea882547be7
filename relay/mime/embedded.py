"""Files that older programs write into a text: uuencode (POSIX), its base64 kind, and yEnc (yEnc 1.3).

Each becomes a part like any other, and the text is what is left. Only a whole file is taken: one that is quoted, cut
or only talked about stays the text that it is.
"""

import re
from dataclasses import dataclass

from relay.mime.filepart import file_part
from relay.mime.structure import Part
from relay.mime.transfer import Encoding, PartBody

# Each begins with a literal, which the engine finds much faster than the beginning of a line.
_BEGIN_UU = re.compile(rb"begin(?<![^\r\n]begin) [0-7]{3,4} ([^\r\n]+)(?:\r?\n|\r)")
_BEGIN_BASE64 = re.compile(rb"begin-base64(?<![^\r\n]begin-base64) [0-7]{3,4} ([^\r\n]+)(?:\r?\n|\r)")
_BEGIN_YENC = re.compile(rb"=ybegin (?<![^\r\n]=ybegin )([^\r\n]*+)(?:\r?\n|\r)(?:=ypart [^\r\n]*(?:\r?\n|\r))?")
_YENC_NAME = re.compile(rb"\bname=(.+)", re.DOTALL)
_END_YENC = re.compile(rb"(?:\r?\n|\r)=yend size=([0-9]{1,12})\b[^\r\n]*(?:\r?\n|\r|\Z)")
_LINE = re.compile(rb"([^\r\n]*)(?:\r?\n|\r|\Z)")
_END_UU = re.compile(rb"end[ \t]*")
_END_BASE64 = re.compile(rb"====[ \t]*")
_UU_LETTERS = bytes(range(0x20, 0x61))
_BASE64_LINE = re.compile(rb"[A-Za-z0-9+/]+={0,2}[ \t]*")
_MOST_FILES = 1000


@dataclass(frozen=True, slots=True)
class _Span:
    """Where a file stands in the text, and what of it is to be decoded."""

    start: int
    end: int
    body_start: int
    body_end: int
    name: bytes
    encoding: Encoding


def extracted(part: Part, data: bytes) -> tuple[bytes, list[Part]]:
    """Take the files out of a text.

    Args:
        part: The text's part.
        data: Its bytes after transfer decoding.

    Returns:
        The text without them, and a part for each file in order.
    """
    if b"begin" not in data:
        return data, []
    spans = sorted((*_lined(data, uu=True), *_lined(data, uu=False), *_yenc(data)), key=lambda span: span.start)
    if not spans:
        return data, []
    # What came as it is stays where it is in the message; no copy of it is kept.
    whole, offset = (part.body.data, part.body.start) if part.body.encoding is Encoding.IDENTITY else (data, 0)
    left: list[bytes] = []
    files: list[Part] = []
    position = 0
    for span in spans[:_MOST_FILES]:
        if span.start < position:
            continue  # within another
        left.append(data[position : span.start])
        position = span.end
        body = PartBody(whole, offset + span.body_start, offset + span.body_end, span.encoding)
        files.append(file_part(span.name.strip(b' \t"'), body))
    return b"".join((*left, data[position:])), files


def _lined(data: bytes, *, uu: bool) -> list[_Span]:
    """Find files whose every line can be told to be one of theirs."""
    begin, end = (_BEGIN_UU, _END_UU) if uu else (_BEGIN_BASE64, _END_BASE64)
    spans: list[_Span] = []
    position = 0
    while first := begin.search(data, position):
        position = first.end()
        while position < len(data) and (line := _LINE.match(data, position)):
            is_first = position == first.end()
            if end.fullmatch(line[1]) and not is_first:
                body = (first.start(), line.end()) if uu else (first.end(), position)
                encoding = Encoding.UU if uu else Encoding.BASE64
                spans.append(_Span(first.start(), line.end(), *body, first[1], encoding))
                position = line.end()
                break
            if not (_is_uu(line[1], is_first=is_first) if uu else _BASE64_LINE.fullmatch(line[1])):
                break
            position = line.end()
    return spans


def _is_uu(line: bytes, *, is_first: bool) -> bool:
    """Tell whether a line is about as long as its first letter says: a checksum may follow, blanks at the end be lost.

    The first line must have all of its letters: so are words in capitals told from a file.
    """
    expected = 1 + ((line[0] - 32 & 63) + 2) // 3 * 4 if line else 1
    least = expected - 4 if is_first else 0
    return least < len(line) + (not line) <= expected + 2 and not line.translate(None, _UU_LETTERS)


def _yenc(data: bytes) -> list[_Span]:
    spans: list[_Span] = []
    position = 0
    while first := _BEGIN_YENC.search(data, position):
        end = _END_YENC.search(data, first.end() - 1)
        if end is None:
            break
        position = end.end()
        name = _YENC_NAME.search(first[1])  # looked for in the line once, for the line may be long
        body = PartBody(data, first.end(), end.start(), Encoding.YENC)
        if name and len(body.decoded()) == int(end[1]):  # else the way has damaged it
            spans.append(_Span(first.start(), end.end(), body.start, body.end, name[1], Encoding.YENC))
    return spans

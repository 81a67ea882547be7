"""Content-Transfer-Encoding: the bytes of a part, kept as they came until somebody needs them (RFC 2045 §6)."""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from relay.mime import b64


class Encoding(StrEnum):
    """How a part's bytes were written down."""

    IDENTITY = "identity"  # 7bit, 8bit, binary, and whatever nobody knows
    BASE64 = "base64"  # RFC 2045 §6.8
    QUOTED = "quoted-printable"  # RFC 2045 §6.7
    UU = "uuencode"  # older than MIME, still written by old Unix programs
    YENC = "yenc"  # of newsgroups (yEnc 1.3), in texts only


_NAMES = {
    **dict.fromkeys(
        ("7bit", "8bit", "binary", "", "7-bit", "8-bit", "7bits", "8bits", "none", "identity"), Encoding.IDENTITY
    ),
    **dict.fromkeys(("base64", "base-64", "b64", "b", "x-base64"), Encoding.BASE64),
    **dict.fromkeys(("quoted-printable", "quoted_printable", "quotedprintable", "qp", "q"), Encoding.QUOTED),
    **dict.fromkeys(("x-uuencode", "uuencode", "x-uue", "uue", "x-uu", "uu"), Encoding.UU),
}
#: Other threads get their turn between blocks: one call on 20 MB would hold all of them up.
_BLOCK_BYTES = 262144
_SOFT_BREAK_WITH_BLANKS = re.compile(rb"=[ \t]+(?=\r?\n|\r|\Z)")
_SOFT_BREAK_CR = re.compile(rb"=\r(?!\r*\n)")
_EQUALS_TWICE = re.compile(rb"=(?==)")
_YENC_ESCAPE = re.compile(rb"=(.)", re.DOTALL)
_YENC_LETTERS = bytes((byte - 42) % 256 for byte in range(256))
_UU_BEGIN = re.compile(rb"(?:\A|(?<=\n)|(?<=\r))begin(-base64)? [0-7]{3,4} [^\r\n]*(?:\r?\n|\r)")


@dataclass(frozen=True, slots=True)
class PartBody:
    """A stretch of a message, decoded only when asked; an `EncodedBody`."""

    data: bytes = field(repr=False)  # the whole message: parts share it; no body may reach a log
    start: int
    end: int
    encoding: Encoding = Encoding.IDENTITY

    def decoded(self) -> bytes:
        """Return the bytes after transfer decoding."""
        raw = self.data[self.start : self.end]
        match self.encoding:
            case Encoding.BASE64:
                return b64.decode(raw)
            case Encoding.QUOTED:
                return decode_quoted(raw)
            case Encoding.UU:
                return _decode_uu(raw)
            case Encoding.YENC:
                return _decode_yenc(raw)
            case Encoding.IDENTITY:
                return raw

    def base64(self) -> tuple[bytes, ...]:
        """Return the bytes as base64 without line breaks, in pieces; clean base64 is not decoded as a whole."""
        passed = b64.without_breaks(self.data, self.start, self.end) if self.encoding is Encoding.BASE64 else None
        return b64.encode(self.decoded()) if passed is None else passed


def encoding_named(name: str) -> Encoding | None:
    """Read the value of a Content-Transfer-Encoding field; None: nobody knows it."""
    return _NAMES.get(name) or _NAMES.get(name.partition(";")[0].partition("(")[0].strip(" \t\"'").lower())


def decode_quoted(raw: bytes) -> bytes:
    """Decode quoted-printable, also with blanks after a soft break and with bare CR for line ends."""
    return b"".join(map(_decode_quoted_lines, _line_blocks(raw)))


def _line_blocks(raw: bytes) -> Iterator[bytes]:
    """Cut behind line feeds."""
    start = 0
    while len(raw) - start > _BLOCK_BYTES:
        end = raw.find(b"\n", start + _BLOCK_BYTES) + 1 or len(raw)
        yield raw[start:end]
        start = end
    yield raw[start:]


def _decode_quoted_lines(raw: bytes) -> bytes:
    if b"==" in raw:
        raw = _EQUALS_TWICE.sub(b"=3D", raw)  # binascii would take two for one
    if b"= " in raw or b"=\t" in raw:
        raw = _SOFT_BREAK_WITH_BLANKS.sub(b"=", raw)
    if b"=\r" in raw:
        # binascii would skip everything up to the next LF.
        raw = _SOFT_BREAK_CR.sub(b"=\n", raw)
    return binascii.a2b_qp(raw)


def _decode_uu(raw: bytes) -> bytes:
    """Decode uuencode between "begin" and "end"; text without "begin" is decoded from its first line."""
    begin = _UU_BEGIN.search(raw)
    if begin and begin[1]:
        end = raw.find(b"====", begin.end())
        return b64.decode(raw[begin.end() : None if end < 0 else end])
    out: list[bytes] = []
    for line in raw[begin.end() if begin else 0 :].splitlines():
        if not line:
            continue
        if line.startswith(b"end") and len(line.rstrip()) == len(b"end"):
            break
        out.append(_decode_uu_line(line))
    return b"".join(out)


def _decode_uu_line(line: bytes) -> bytes:
    count = (line[0] - 32) & 63
    # Encoders cut or add trailing blanks; the first letter says how many bytes there are.
    letters = line[1 : 1 + (count + 2) // 3 * 4].ljust((count + 2) // 3 * 4)
    try:
        return binascii.a2b_uu(line[:1] + letters)
    except binascii.Error:
        return b""


def _decode_yenc(raw: bytes) -> bytes:
    unescaped = _YENC_ESCAPE.sub(lambda found: bytes(((found[1][0] - 64) % 256,)), raw.translate(None, b"\r\n"))
    return unescaped.translate(_YENC_LETTERS)

"""Content-Transfer-Encoding: the bytes of a part, kept as they came until somebody needs them (RFC 2045 §6)."""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum


class Encoding(StrEnum):
    """How a part's bytes were written down."""

    IDENTITY = "identity"  # 7bit, 8bit, binary, and whatever nobody knows
    BASE64 = "base64"  # RFC 2045 §6.8
    QUOTED = "quoted-printable"  # RFC 2045 §6.7
    UU = "uuencode"  # older than MIME, still written by old Unix programs


_NAMES = {
    **dict.fromkeys(
        ("7bit", "8bit", "binary", "", "7-bit", "8-bit", "7bits", "8bits", "none", "identity"), Encoding.IDENTITY
    ),
    **dict.fromkeys(("base64", "base-64", "b64", "b", "x-base64"), Encoding.BASE64),
    **dict.fromkeys(("quoted-printable", "quoted_printable", "quotedprintable", "qp", "q"), Encoding.QUOTED),
    **dict.fromkeys(("x-uuencode", "uuencode", "x-uue", "uue", "x-uu", "uu"), Encoding.UU),
}
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BREAKS = b"\r\n"
_BLANKS = b"\r\n\t "
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_ALIEN = bytes(set(range(256)) - set(_ALPHABET) - set(b"="))
_MARK = b"\x00"
_MARKED = bytes(byte if byte in _ALPHABET + b"=" else 0 for byte in range(256))
#: Other threads get their turn between blocks: one call on 20 MB would hold all of them up.
_BLOCK_BYTES = 262144
_QUANTUM = 4
_MOST_PADDING = 2
_MOST_STREAMS = 1000
_WORDS = re.compile(rb"[^\s][ \t]+[^\s]")
_RULES = b"\r\n\t -_*~#"  # what is drawn above a footer
_LONG_RUN = re.compile(rb"[A-Za-z0-9+/]{32}")  # words are shorter
_SAMPLE_BYTES = 1024
_PADDED = re.compile(rb"=+")
_SOFT_BREAK_WITH_BLANKS = re.compile(rb"=[ \t]+(?=\r?\n|\r|\Z)")
_SOFT_BREAK_CR = re.compile(rb"=\r(?!\r*\n)")
_EQUALS_TWICE = re.compile(rb"=(?==)")
_UU_BEGIN = re.compile(rb"(?:\A|(?<=\n)|(?<=\r))begin(?:-base64)? [0-7]{3,4} [^\r\n]*(?:\r?\n|\r)")


@dataclass(frozen=True, slots=True)
class PartBody:
    """A stretch of a message, decoded only when asked; an `EncodedBody`."""

    data: bytes = field(repr=False)  # the whole message: parts share it; no body may reach a log
    start: int
    end: int
    encoding: Encoding = Encoding.IDENTITY

    @property
    def size(self) -> int:
        """Return the decoded size in bytes."""
        if self.encoding is Encoding.IDENTITY:
            return self.end - self.start
        if self.encoding is Encoding.BASE64:
            passed = self._clean_base64()
            if passed is not None:
                return len(passed) // _QUANTUM * 3 - passed[-2:].count(b"=")
        return len(self.decoded())

    def decoded(self) -> bytes:
        """Return the bytes after transfer decoding."""
        raw = self.data[self.start : self.end]
        match self.encoding:
            case Encoding.BASE64:
                return decode_base64(raw)
            case Encoding.QUOTED:
                return decode_quoted(raw)
            case Encoding.UU:
                return _decode_uu(raw)
            case Encoding.IDENTITY:
                return raw

    def base64(self) -> bytes:
        """Return the bytes as base64 without line breaks; clean base64 passes through undecoded."""
        passed = self._clean_base64() if self.encoding is Encoding.BASE64 else None
        return binascii.b2a_base64(self.decoded(), newline=False) if passed is None else passed

    def _clean_base64(self) -> bytes | None:
        """Strip the line breaks; None where what is left is no canonical base64."""
        # One pass strips and marks: looking for the mark afterwards costs next to nothing.
        blocks = range(self.start, self.end, _BLOCK_BYTES)
        text = b"".join([self.data[at : min(at + _BLOCK_BYTES, self.end)].translate(_MARKED, _BREAKS) for at in blocks])
        padding = len(text) - text.find(b"=") if b"=" in text else 0
        if len(text) % _QUANTUM or _MARK in text or padding > _MOST_PADDING or not text.endswith(b"=" * padding):
            return None
        # Bits beyond the last byte must be zero, or strict decoders refuse it (RFC 4648 §3.5).
        last = text[-_QUANTUM:]
        return text if binascii.b2a_base64(binascii.a2b_base64(last), newline=False) == last else None


def encoding_named(name: str) -> Encoding | None:
    """Read the value of a Content-Transfer-Encoding field; None: nobody knows it."""
    return _NAMES.get(name) or _NAMES.get(name.partition(";")[0].partition("(")[0].strip(" \t\"'").lower())


def decode_base64(raw: bytes) -> bytes:
    """Decode base64 as it comes: alien characters, URL-safe letters, wrong or no padding, several streams.

    Plain words that only say that they are base64 are returned as they are.
    """
    try:
        return binascii.a2b_base64(raw.translate(None, _BLANKS), strict_mode=True)
    except ValueError:
        pass
    if _is_plain(raw):
        return raw
    footer = footer_start(raw)
    if footer < len(raw):
        raw = raw[:footer].rstrip(_RULES)
    if b"-" in raw or b"_" in raw:
        raw = raw.translate(_URL_SAFE)
    out: list[bytes] = []
    position = 0
    while position < len(raw) and len(out) < _MOST_STREAMS:
        pad = _PADDED.search(raw, position)
        stream = raw[position : pad.start() if pad else len(raw)]
        letters = stream.translate(None, _ALIEN)
        # What follows a padded stream is another stream, or what a gateway wrote below the base64.
        if not out or len(letters) == len(stream.translate(None, _BLANKS)):
            out.append(_decode_stream(letters))
        position = pad.end() if pad else len(raw)
    return b"".join(out)


def footer_start(raw: bytes) -> int:
    """Find the words that a gateway wrote below the base64; the end: there are none."""
    words = _WORDS.search(raw) if b" " in raw or b"\t" in raw else None
    if words is None:
        return len(raw)
    line = max(raw.rfind(b"\n", 0, words.start() + 1), raw.rfind(b"\r", 0, words.start() + 1)) + 1
    return len(raw) if _LONG_RUN.search(raw, line, line + _SAMPLE_BYTES) or not raw[:line].strip() else line


def _is_plain(raw: bytes) -> bool:
    """Tell whether it is no base64 at all but plain words, whatever the label says."""
    sample = raw[:_SAMPLE_BYTES].strip()
    if not _WORDS.search(sample) or _LONG_RUN.search(sample):
        return False
    first = sample.splitlines()[0].strip()
    return bool(len(first) % _QUANTUM or first.rstrip(b"=").translate(None, _ALIEN) != first.rstrip(b"="))


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


def _decode_stream(letters: bytes) -> bytes:
    whole = len(letters) - (len(letters) % _QUANTUM == 1)  # a single letter holds no byte
    return binascii.a2b_base64(letters[:whole] + b"=" * (-whole % _QUANTUM))


def _decode_uu(raw: bytes) -> bytes:
    """Decode uuencode between "begin" and "end"; text without "begin" is decoded from its first line."""
    begin = _UU_BEGIN.search(raw)
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

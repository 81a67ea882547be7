"""Base64 as mail brings it (RFC 2045 §6.8): clean and in even lines nearly always, broken in every way otherwise.

Clean base64 is decoded and written anew, block by block, with vector instructions; that is several times faster than
looking at each letter, and whatever else stood there shows in the number of letters that come out.
"""

import binascii
import re

from pybase64 import b64decode, b64encode

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BREAKS = b"\r\n"
_BLANKS = b"\r\n\t "
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_ALIEN = bytes(set(range(256)) - set(_ALPHABET) - set(b"="))
#: Other threads get their turn between blocks, and each stays in the cache. A multiple of three and of four.
_BLOCK_BYTES = 196_608
_QUANTUM = 4
_WORDS = re.compile(rb"[^\s][ \t]+[^\s]")
_RULES = b"\r\n\t -_*~#"  # what is drawn above a footer
_LONG_RUN = re.compile(rb"[A-Za-z0-9+/]{32}")  # words are shorter
_SAMPLE_BYTES = 1024
_PADDED = re.compile(rb"=+")


def encode(raw: bytes) -> tuple[bytes, ...]:
    """Write bytes as base64 without line breaks, in pieces to be put one behind the other."""
    view = memoryview(raw)
    return tuple(b64encode(view[at : at + _BLOCK_BYTES]) for at in range(0, len(raw), _BLOCK_BYTES))


def without_breaks(data: bytes, start: int, end: int) -> tuple[bytes, ...] | None:
    """Write the base64 that stands there without its line breaks, in pieces; None: it is not clean.

    Clean is what holds the alphabet and line breaks alone, and padding as it should be, at its end. Bits behind the
    last byte become zero, for strict decoders refuse others (RFC 4648 §3.5).
    """
    first_break = data.find(b"\n", start, min(end, start + _BLOCK_BYTES))
    width = first_break + 1 - start if first_break > start else _BLOCK_BYTES
    step = max(_BLOCK_BYTES // width // _QUANTUM, 1) * _QUANTUM * width if first_break > start else _BLOCK_BYTES
    pieces: list[bytes] = []
    for at in range(start, end, step):
        piece = _clean(data[at : min(at + step, end)], width)
        if piece is None or (piece and pieces and pieces[-1].endswith(b"=")):
            return None
        pieces.append(piece)
    return tuple(pieces)


def _clean(raw: bytes, width: int) -> bytes | None:
    """Take the line breaks out of a block; None: it holds something else, or no whole quanta."""
    padding = raw.find(b"=")
    if padding >= 0 and raw[padding:].strip(b"=\r\n"):
        return None
    try:
        piece = b64encode(b64decode(raw))
    except binascii.Error:
        return None
    # The decoder skips whatever is none of its letters: then fewer come out again than there were.
    return piece if len(piece) == len(raw) - _count_breaks(raw, width) else None


def _count_breaks(raw: bytes, width: int) -> int:
    """Count CR and LF. Where all lines are of one width, looking at their ends takes a tenth of the time."""
    whole = len(raw) // width * width
    ends = raw[width - 1 : whole : width]
    if width > len(_BREAKS) and ends and not ends.strip(b"\n") and not raw[width - 2 : whole : width].strip(b"\r"):
        tail = raw[whole:]
        return 2 * len(ends) + tail.count(b"\r") + tail.count(b"\n")
    return raw.count(b"\r") + raw.count(b"\n")


def decode(raw: bytes) -> bytes:
    """Decode base64 as it comes: alien characters, URL-safe letters, wrong or no padding, several streams.

    Plain words that only say that they are base64 are returned as they are.
    """
    try:
        return b64decode(raw.translate(None, _BLANKS), validate=True)
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
    while position < len(raw):
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


def _decode_stream(letters: bytes) -> bytes:
    whole = len(letters) - (len(letters) % _QUANTUM == 1)  # a single letter holds no byte
    return binascii.a2b_base64(letters[:whole] + b"=" * (-whole % _QUANTUM))

"""Header text: from raw bytes to one clean line, RFC 2047 encoded words decoded."""

import binascii
import re

from relay.mime import b64
from relay.mime.charset import decode

#: =?charset*language?B?text?= ; blanks and question marks inside are wrong, and common.
_WORD = re.compile(r"=\?([^?\s*]*)(?:\*[^?\s]*)?\?([bBqQ])\?(.*?)\?=", re.DOTALL)
_FOLD = re.compile(rb"[\r\n]+[ \t]*")
_SPACES = re.compile(r"\r\n|[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f]")
_UNCLEAN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_QUANTUM = 4


def text_of(raw: bytes) -> str:
    """Unfold a raw value and decode bytes beyond ASCII: UTF-8, else windows-1252. Encoded words stay as they are."""
    if b"\n" in raw or b"\r" in raw:
        raw = _FOLD.sub(b" ", raw)
    return raw.decode("ascii") if raw.isascii() and b"\x1b" not in raw else decode(raw, guess=False)[0]


def decoded(text: str) -> str:
    """Decode the encoded words of a value; the result is one line without control characters."""
    if "=?" not in text:
        return clean(text)
    out: list[str] = []
    run = _Run()
    position = 0
    # Nothing behind the last "?=" can end a word: looking there again from every "=?" would take quadratic time.
    for word in _WORD.finditer(text, 0, text.rfind("?=") + 2):
        gap = text[position : word.start()]
        if position == 0 or gap.strip():
            out.append(run.flushed())
            out.append(gap)
        charset, kind, payload = word.groups()
        if charset.lower() != run.charset:
            out.append(run.flushed())
            run.charset = charset.lower()
        run.add(kind.lower(), payload)
        position = word.end()
    out.append(run.flushed())
    out.append(text[position:])
    return clean("".join(out))


def unstructured(raw: bytes) -> str:
    """Decode a whole unstructured value such as Subject."""
    return decoded(text_of(raw)) if raw else ""


def clean(text: str) -> str:
    """Make one line of it: line ends and tabs become blanks, other control characters go."""
    if not text.isprintable() and _UNCLEAN.search(text):
        text = _CONTROLS.sub("", _SPACES.sub(" ", text))
    return text.strip()


class _Run:
    """Adjacent words of one charset: their bytes are joined before they are decoded.

    RFC 2047 §5 forbids to split a character over two words, and many mailers do it; some even cut the base64 itself.
    """

    __slots__ = ("_chunks", "_open", "charset")

    def __init__(self) -> None:
        self.charset = ""
        self._chunks: list[bytes] = []
        self._open = ""  # base64 that did not end on a whole quantum

    def add(self, kind: str, payload: str) -> None:
        if kind == "b":
            self._open += payload
            if len(self._open) % _QUANTUM == 0 or self._open.endswith("="):
                self._close()
            return
        self._close()
        payload += "3D" if payload.endswith("=") else ""  # no soft break: there are no lines in a word
        self._chunks.append(binascii.a2b_qp(payload.encode("utf-8", "replace"), header=True))

    def flushed(self) -> str:
        self._close()
        data = b"".join(self._chunks)
        self._chunks.clear()
        return decode(data, self.charset, guess=False)[0] if data else ""

    def _close(self) -> None:
        if self._open:
            self._chunks.append(b64.decode(self._open.encode("utf-8", "replace")))
            self._open = ""

"""Structured values such as `text/plain; charset="utf-8"` (RFC 2045 §5.1) with RFC 2231 parameters, read generously."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from relay.mime import words
from relay.mime.charset import decode

#: A parameter: quoted (the closing quote may be missing) or everything up to the next semicolon.
_PARAMETER = re.compile(rb'(?:^|[;\s])([^\s=;"]++)\s*+=\s*+(?:"([^"\\]*+(?:\\.[^"\\]*+)*)"?|([^;]*+))', re.DOTALL)
#: The value before its parameters ends at the first semicolon or blank; blanks around the slash of a type are forgiven.
_VALUE = re.compile(rb"\s*+([^\s;/]*+(?:\s*+/\s*+[^\s;]*+)?)")
_SEGMENT = re.compile(r"(?:(\d{1,4})(\*)?)?")  # what follows "name*"
_ESCAPED = re.compile(rb'\\(["\\])')
_TYPE = re.compile(r"([a-z0-9!#$&^_.+-]{1,127})/([a-z0-9!#$&^_.+-]{1,127})")
_SHORT_BYTES = 100
_REMEMBERED = 512  # short values: the same few types, charsets and dispositions come again and again
_MAY_HOLD_BLANKS = (b"name", b"filename", b"boundary")


@dataclass(frozen=True, slots=True)
class Structured:
    """A value with its parameters; shared between parts, so never changed."""

    value: str  # lower case
    parameters: Mapping[str, bytes]  # by lower-case name as written, so also "filename*0*"

    def token(self, name: str) -> str:
        """Return a parameter that is one plain word, such as charset; empty: none."""
        raw = self.parameters.get(name)
        return (self.text(name) if raw is None else raw.decode("latin-1")).strip(" \t\"';,")

    def text(self, name: str) -> str:
        """Return a parameter in full: RFC 2231 continuations and charsets, RFC 2047 words, raw bytes; empty: none."""
        if not self.parameters:
            return ""
        return self._extended(name) or words.unstructured(self.parameters.get(name, b""))

    def _extended(self, name: str) -> str:
        segments: dict[int, tuple[bool, bytes]] = {}
        prefix = f"{name}*"
        for key, raw in self.parameters.items():
            match = _SEGMENT.fullmatch(key, len(prefix)) if key.startswith(prefix) else None
            if match:
                segments.setdefault(int(match[1] or 0), (match[1] is None or match[2] is not None, raw))
        if not segments:
            return ""
        ordered = [segments[number] for number in sorted(segments)]
        charset = ""
        if ordered[0][0] and ordered[0][1].count(b"'") >= 2:  # noqa: PLR2004 - charset'language'text
            label, _, rest = ordered[0][1].split(b"'", 2)
            charset, ordered[0] = label.decode("latin-1"), (True, rest)
        joined = b"".join(unquote_to_bytes(raw) if percent else raw for percent, raw in ordered)
        if any(percent for percent, _ in ordered):
            return words.decoded(decode(joined, charset, guess=False)[0])  # some encode twice
        return words.unstructured(joined)


def structured(raw: bytes) -> Structured:
    """Read a value and its parameters, also where the semicolon between them is missing.

    The first of equal names counts.
    """
    return _known(raw) if len(raw) <= _SHORT_BYTES else _structured(raw)


def _structured(raw: bytes) -> Structured:
    if b"\n" in raw or b"\r" in raw:
        raw = raw.translate(None, b"\r\n")
    value = _VALUE.match(raw)
    told, begin = (value[1], value.end()) if value else (b"", 0)
    if b"=" in told:
        told, begin = b"", 0  # the value was forgotten, and this is a parameter
    parameters: dict[str, bytes] = {}
    for key, quoted, plain in _PARAMETER.findall(raw, begin):
        if plain and not key.lower().startswith(_MAY_HOLD_BLANKS):
            plain = plain.split(None, 1)[0] if plain.strip() else b""  # noqa: PLW2901 - a comment may follow
        found = _ESCAPED.sub(rb"\1", quoted) if quoted else plain.strip()
        parameters.setdefault(key.decode("latin-1").lower(), found)
    return Structured(b"".join(told.split()).decode("latin-1").strip("\"',").lower(), parameters)


_known = lru_cache(_REMEMBERED)(_structured)


def media_type(value: str) -> str:
    """Reduce a Content-Type's value to "type/subtype" in lower case; empty: it is none."""
    match = _TYPE.match(value)
    return match[0] if match else ""

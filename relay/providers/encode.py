"""From a document to the bytes of a JSON body, and to a form that people can read.

Base64 goes into the body as the very bytes that were made of the mail's: it is neither copied through `str` nor escaped
again. It may only hold the base64 alphabet, so nothing in it can end the string that it stands in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import orjson

from relay.providers.contract import Base64Text, Document, JsonValue

_SLICE_CHARS = 262144
_JOIN_BELOW_BYTES = 64 * 1024  # copying less than this costs less than one more write to the socket
#: Stands in the JSON for what is put in afterwards; as a byte of its own it is never there (RFC 8259 §7).
_MARK = b"\x00"
_MARKED = orjson.Fragment(b'"' + _MARK + b'"')


@dataclass(frozen=True, slots=True)
class _LongText:
    """A text that is written in slices: other threads get their turn between them, and none needs much memory."""

    pieces: tuple[bytes, ...]

    @classmethod
    def of(cls, text: str) -> Self:
        starts = range(0, len(text), _SLICE_CHARS)
        return cls(tuple(orjson.dumps(text[at : at + _SLICE_CHARS])[1:-1] for at in starts))


def encode(document: Document) -> tuple[bytes, ...]:
    """Write a document as JSON, in pieces to be sent one after the other.

    Raises ValueError for a Base64Text that is not base64: a mistake of ours, caught before it can inject anything.
    """
    text, apart = _written(document)
    if not apart:
        return (text,)
    pieces: list[bytes] = []
    for before, string in zip(text.split(_MARK), [*map(_checked, apart), ()], strict=True):
        pieces += (before, *string)
    return tuple(_joined(pieces))


def size(pieces: Sequence[bytes]) -> int:
    """Add up the bytes of encoded pieces."""
    return sum(map(len, pieces))


def weigh(document: Document) -> int:
    """Tell how many bytes `encode` will make of a document, without touching its base64."""
    text, apart = _written(document)
    return len(text) - len(apart) * len(_MARK) + sum(size(each.pieces) for each in apart)


def plain(document: Document) -> dict[str, JsonValue]:
    """Return a document with its base64 as ordinary text: for people and for comparisons, never for the wire."""
    return {key: _plain(value) for key, value in document.items()}


def _plain(value: JsonValue) -> JsonValue:
    match value:
        case Base64Text():
            return b"".join(value.pieces).decode("ascii")
        case Mapping():
            return {key: _plain(inner) for key, inner in value.items()}
        case str():
            return value
        case Sequence():
            return [_plain(inner) for inner in value]
        case _:
            return value


def _written(document: Document) -> tuple[bytes, list[Base64Text | _LongText]]:
    """Write all but base64 and long texts, and give these apart: each belongs where a mark stands, in order."""
    try:
        return _marked(document)
    except orjson.JSONEncodeError:  # perhaps a lone surrogate, which UTF-8 cannot hold (RFC 3629 §3)
        return _marked({_unicode(key): _repaired(value) for key, value in document.items()})


def _marked(document: Document) -> tuple[bytes, list[Base64Text | _LongText]]:
    apart: list[Base64Text | _LongText] = []

    def foreign(value: object) -> object:
        match value:
            case Base64Text() | _LongText():
                apart.append(value)
            case Mapping():
                return dict(value)
            case Sequence() if not isinstance(value, bytes):
                return list(value)
            case _:
                raise TypeError
        return _MARKED

    members = {
        key: _LongText.of(value) if isinstance(value, str) and len(value) > _SLICE_CHARS else value
        for key, value in document.items()
    }
    return orjson.dumps(members, default=foreign, option=orjson.OPT_PASSTHROUGH_DATACLASS), apart


def _repaired(value: JsonValue) -> JsonValue:
    match value:
        case str():
            return _unicode(value)
        case Mapping():
            return {_unicode(key): _repaired(inner) for key, inner in value.items()}
        case Sequence() if not isinstance(value, bytes):
            return [_repaired(inner) for inner in value]
        case _:
            return value


def _unicode(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _checked(string: Base64Text | _LongText) -> tuple[bytes, ...]:
    # Base64 was made by an encoder, letter by letter: enough that nothing in it can end the string or escape its end.
    if isinstance(string, Base64Text) and any(b'"' in piece or b"\\" in piece for piece in string.pieces):
        raise ValueError("a Base64Text holds other characters than base64")
    return string.pieces


def _joined(pieces: list[bytes]) -> list[bytes]:
    """Join neighbours while they are small, so that a body without big attachments is one piece."""
    joined: list[bytes] = []
    small: list[bytes] = []
    for piece in pieces:
        if len(piece) < _JOIN_BELOW_BYTES:
            small.append(piece)
            continue
        if small:
            joined.append(b"".join(small))
            small = []
        joined.append(piece)
    if small:
        joined.append(b"".join(small))
    return joined

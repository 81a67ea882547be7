"""From a document to the bytes of a JSON body, and to a form that people can read.

Base64 goes into the body as the very bytes that the mail brought: it is neither copied through `str` nor escaped again.
It may only hold the base64 alphabet, so nothing in it can end the string that it stands in.
"""

from collections.abc import Mapping, Sequence

import orjson

from relay.providers.contract import Base64Text, Document, JsonValue

_SLICE_CHARS = 262144
_JOIN_BELOW_BYTES = 64 * 1024  # copying less than this costs less than one more write to the socket


def encode(document: Document) -> tuple[bytes, ...]:
    """Write a document as JSON, in pieces to be sent one after the other.

    Raises ValueError for a Base64Text that is not base64: a mistake of ours, caught before it can inject anything.
    """
    pieces: list[bytes] = []
    if _holds_long_text(document):
        _write_members(document, pieces)
    else:
        _write_whole(document, pieces)
    return tuple(_joined(pieces))


def size(pieces: Sequence[bytes]) -> int:
    """Add up the bytes of encoded pieces."""
    return sum(map(len, pieces))


def weigh(document: Document) -> int:
    """Tell how many bytes `encode` will make of a document, without touching its base64."""
    if _holds_long_text(document):
        return size(encode(document))
    base64_bytes = 0

    def count(value: object) -> JsonValue:
        nonlocal base64_bytes
        match value:
            case Base64Text():
                base64_bytes += size(value.pieces)
                return ""
            case Mapping():
                return dict(value)
            case Sequence() if not isinstance(value, bytes):
                return list(value)
        raise TypeError

    try:
        return len(orjson.dumps(document, default=count, option=orjson.OPT_PASSTHROUGH_DATACLASS)) + base64_bytes
    except orjson.JSONEncodeError:  # text that is not Unicode; `encode` repairs it
        return size(encode(document))


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


def _write(value: JsonValue, pieces: list[bytes]) -> None:
    """Append the JSON of one value; containers are opened only where base64 is inside."""
    match value:
        case Base64Text():
            pieces += (b'"', *map(_checked, value.pieces), b'"')
        case Mapping():
            _write_members(value, pieces)
        case str():
            pieces.append(_text(value))
        case Sequence() if not isinstance(value, bytes):
            _write_items(value, pieces)
        case _:
            pieces.append(orjson.dumps(value))


def _write_members(members: Mapping[str, JsonValue], pieces: list[bytes]) -> None:
    separator = b"{"
    for key, value in members.items():
        pieces += (separator, _text(key), b":")
        _write_whole(value, pieces)
        separator = b","
    pieces.append(b"}" if members else b"{}")


def _write_items(items: Sequence[JsonValue], pieces: list[bytes]) -> None:
    separator = b"["
    for value in items:
        pieces.append(separator)
        _write_whole(value, pieces)
        separator = b","
    pieces.append(b"]" if items else b"[]")


def _write_whole(value: JsonValue, pieces: list[bytes]) -> None:
    """Let orjson write a value at once, which it can unless base64 or broken text is inside."""
    if isinstance(value, str) and len(value) > _SLICE_CHARS:
        _write_long(value, pieces)
        return
    try:
        pieces.append(orjson.dumps(value, option=orjson.OPT_PASSTHROUGH_DATACLASS))
    except orjson.JSONEncodeError:
        _write(value, pieces)


def _holds_long_text(document: Document) -> bool:
    return any(isinstance(value, str) and len(value) > _SLICE_CHARS for value in document.values())


def _write_long(text: str, pieces: list[bytes]) -> None:
    """Write a text in slices: other threads get their turn between them, and none needs much memory at once."""
    pieces.append(b'"')
    pieces += [_text(text[at : at + _SLICE_CHARS])[1:-1] for at in range(0, len(text), _SLICE_CHARS)]
    pieces.append(b'"')


def _text(value: str) -> bytes:
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:  # a lone surrogate, which UTF-8 cannot hold (RFC 3629 section 3)
        return orjson.dumps(value.encode("utf-8", "replace").decode("utf-8"))


def _checked(data: bytes) -> bytes:
    # What comes from the decoder's twin needs no look at each letter; nothing else can end a string or escape its end.
    if b'"' in data or b"\\" in data:
        raise ValueError("a Base64Text holds other characters than base64")
    return data


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

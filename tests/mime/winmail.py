"""Writes TNEF as Outlook does (MS-OXTNEF): the attributes and properties that matter, and some that do not."""

from struct import pack

TEXT, HTML, RTF, HTML_CODE_PAGE = 0x1000, 0x1013, 0x1009, 0x3FDE
OBJECT, METHOD, LONG_NAME, MIME_TAG, CONTENT_ID = 0x3701, 0x3705, 0x3707, 0x370E, 0x3712


def attribute(level: int, name: int, data: bytes) -> bytes:
    """Write one attribute with its checksum."""
    return pack("<BII", level, name, len(data)) + data + pack("<H", sum(data) & 0xFFFF)


def string(name: int, text: str) -> bytes:
    """Write a property of UTF-16."""
    return _property(0x1F, name, (text + "\0").encode("utf-16-le"))


def binary(name: int, data: bytes, kind: int = 0x102) -> bytes:
    """Write a property of bytes."""
    return _property(kind, name, data)


def number(name: int, value: int) -> bytes:
    """Write a property of 32 bits."""
    return pack("<HHI", 0x03, name, value)


def named(text: str) -> bytes:
    """Write a property that goes by a name of its own, as those of add-ins do."""
    name = (text + "\0").encode("utf-16-le")
    return pack("<HH", 0x0B, 0x8001) + bytes(16) + pack("<II", 1, len(name)) + _padded(name) + pack("<HH", 1, 0)


def several(name: int, values: list[str]) -> bytes:
    """Write a property of several strings."""
    texts = [(text + "\0").encode("utf-16-le") for text in values]
    written = b"".join(pack("<I", len(text)) + _padded(text) for text in texts)
    return pack("<HHI", 0x101F, name, len(texts)) + written


def properties(*written: bytes, message: bool = False) -> bytes:
    """Write a list of properties, of the message or of the file before."""
    level, name = (1, 0x00069003) if message else (2, 0x00069005)
    return attribute(level, name, pack("<I", len(written)) + b"".join(written))


def file(title: bytes, data: bytes, *written: bytes) -> bytes:
    """Write a file."""
    begin = attribute(2, 0x00069002, bytes(14))
    return begin + attribute(2, 0x00018010, title + b"\0") + attribute(2, 0x0006800F, data) + properties(*written)


def winmail(*attributes: bytes, message_class: bytes = b"IPM.Note", code_page: int = 1252) -> bytes:
    """Write a whole file."""
    return b"".join(
        (
            pack("<IH", 0x223E9F78, 1),
            attribute(1, 0x00089006, pack("<I", 0x00010000)),
            attribute(1, 0x00069007, pack("<II", code_page, 0)),
            attribute(1, 0x00078008, message_class + b"\0"),
            *attributes,
        )
    )


def _property(kind: int, name: int, data: bytes) -> bytes:
    return pack("<HHII", kind, name, 1, len(data)) + _padded(data)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)

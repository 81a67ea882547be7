"""TNEF, the files called winmail.dat: Outlook's way to pack attachments, formatting and the like (MS-OXTNEF).

Read by a reader of our own: the library that there is copies the rest of the file for every attribute, and twenty-one
bytes keep it busy for an hour. This one goes through the file once and copies none of the files in it.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from relay.mime.charset import decode
from relay.mime.filepart import file_part, text_part
from relay.mime.parameters import media_type
from relay.mime.structure import Part
from relay.mime.transfer import PartBody

_SIGNATURE = 0x223E9F78
_START = struct.Struct("<IH")
_ATTRIBUTE = struct.Struct("<BII")  # level, type and name, length (MS-OXTNEF section 2.1.3.1)
_PROPERTY = struct.Struct("<HH")  # type, name
_CHECKSUM_BYTES = 2
_U32 = struct.Struct("<I")
_MOST_ENTRIES = 50_000  # attributes and values of properties; honest files have some hundred

# Attributes (MS-OXTNEF section 2.1.3.2), by the lower half: the upper tells the type.
_CLASS, _BODY, _FILE_DATA, _FILE_TITLE = 0x8008, 0x800C, 0x800F, 0x8010
_FILE_BEGINS, _MESSAGE_PROPERTIES, _FILE_PROPERTIES, _CODE_PAGE = 0x9002, 0x9003, 0x9005, 0x9007
# Properties (MS-OXPROPS).
_TEXT, _HTML, _HTML_CODE_PAGE = 0x1000, 0x1013, 0x3FDE
_OBJECT, _METHOD, _SHORT_NAME, _LONG_NAME, _MIME_TAG, _CONTENT_ID = 0x3701, 0x3705, 0x3704, 0x3707, 0x370E, 0x3712

#: Type of a property -> its octets, padded to four (MS-OXTNEF section 2.1.3.4); all others tell theirs.
_FIXED = {0x01: 0, 0x02: 4, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 4, 0x14: 8, 0x40: 8, 0x48: 16}
_STRING, _UNICODE = 0x1E, 0x1F
_VARIABLE = (0x0D, _STRING, _UNICODE, 0x102)
_SEVERAL = 0x1000
_NAMED = 0x8000
_GUID_BYTES = 16
_BY_VALUE = (0, 1)  # of the methods: the bytes are the file
_ORDINARY = ("IPM.NOTE", "IPM.MICROSOFT MAIL.NOTE", "")
#: Code pages that go by other names than their number.
_CODE_PAGES = {
    65001: "utf-8", 20127: "us-ascii", 20866: "koi8-r", 21866: "koi8-u", 50220: "iso-2022-jp", 51932: "euc-jp",
    51949: "euc-kr", 54936: "gb18030",
}  # fmt: skip
_ISO_8859 = range(28591, 28606)


@dataclass(frozen=True, slots=True)
class Opened:
    """What was in the file."""

    files: tuple[Part, ...]
    text: Part | None  # HTML where there is some
    has_more: bool  # an appointment, a message, an object: nothing that a mail has a form for


@dataclass(frozen=True, slots=True)
class _Value:
    """A value of a property: where it stands."""

    name: int
    kind: int
    start: int
    end: int


class _File:
    """A file of it; grows while its attributes are read."""

    __slots__ = ("body", "is_closed", "said", "title")

    def __init__(self) -> None:
        self.body: PartBody | None = None
        self.is_closed = False  # a message or an object, not the bytes of a file
        self.title = ""
        self.said: dict[int, str] = {}  # property -> text


def opened(data: bytes, most_files: int) -> Opened | None:
    """Open a TNEF file.

    Args:
        data: The file; the parts keep it alive.
        most_files: With more it stays closed.

    Returns:
        What it holds; None: it is no TNEF, is damaged, or holds too much.
    """
    reader = _Reader(data)
    try:
        reader.read()
    except (ValueError, struct.error):
        return None
    if len(reader.files) > most_files:
        return None
    files = tuple(part for file in reader.files if (part := _part(file)))
    return Opened(files, reader.text(), len(files) < len(reader.files) or reader.message_class not in _ORDINARY)


class _Reader:
    """Goes through a file once. Raises ValueError or struct.error where it is damaged."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._code_page = self._html_code_page = "windows-1252"
        self._entries = 0
        self._texts: dict[int, tuple[bytes, bool]] = {}  # property -> bytes; UTF-16
        self.message_class = ""
        self.files: list[_File] = []

    def read(self) -> None:
        """Read all attributes."""
        if _START.unpack_from(self._data)[0] != _SIGNATURE:
            raise ValueError
        position = _START.size
        while position < len(self._data):
            self._count()
            _, name, length = _ATTRIBUTE.unpack_from(self._data, position)
            start = position + _ATTRIBUTE.size
            position = start + length + _CHECKSUM_BYTES
            if position > len(self._data):
                raise ValueError
            self._attribute(name & 0xFFFF, start, start + length)

    def text(self) -> Part | None:
        """Return what is to be shown; None: there is nothing, or only RTF."""
        for name, kind in ((_HTML, "text/html"), (_TEXT, "text/plain")):
            data, is_unicode = self._texts.get(name, (b"", False))
            charset = self._html_code_page if name == _HTML else self._code_page
            if data.strip(b"\0\r\n "):
                return text_part(data, kind, "utf-16-le" if is_unicode else charset)
        return None

    def _attribute(self, name: int, start: int, end: int) -> None:
        if name == _FILE_BEGINS:
            self.files.append(_File())
        elif name == _MESSAGE_PROPERTIES:
            for value in self._values(start, end):
                self._message_value(value)
        elif name == _CODE_PAGE:
            self._code_page = self._html_code_page = _charset(self._number(start))
        elif name == _CLASS:
            self.message_class = self._string(start, end, self._code_page).upper()
        elif name == _BODY:
            self._texts.setdefault(_TEXT, (self._data[start:end], False))
        elif self.files:
            self._file_attribute(name, start, end)

    def _file_attribute(self, name: int, start: int, end: int) -> None:
        file = self.files[-1]
        if name == _FILE_DATA:
            file.body = PartBody(self._data, start, end)
        elif name == _FILE_TITLE:
            file.title = self._string(start, end, self._code_page)
        elif name == _FILE_PROPERTIES:
            for value in self._values(start, end):
                self._file_value(file, value)

    def _message_value(self, value: _Value) -> None:
        if value.name == _HTML_CODE_PAGE:
            self._html_code_page = _charset(self._number(value.start))
        elif value.name in (_HTML, _TEXT):
            self._texts[value.name] = (self._data[value.start : value.end], value.kind == _UNICODE)

    def _file_value(self, file: _File, value: _Value) -> None:
        if value.name == _METHOD:
            file.is_closed = self._number(value.start) not in _BY_VALUE
        elif value.name == _OBJECT and file.body is None:
            file.body = PartBody(self._data, value.start, value.end)
        elif value.kind in (_STRING, _UNICODE):
            charset = "utf-16-le" if value.kind == _UNICODE else self._code_page
            file.said[value.name] = self._string(value.start, value.end, charset)

    def _values(self, position: int, end: int) -> Iterator[_Value]:
        """Walk a list of properties."""
        left = self._number(position)
        position += _U32.size
        while left and position < end:
            left -= 1
            self._count()
            kind, name = _PROPERTY.unpack_from(self._data, position)
            position += _PROPERTY.size
            if name >= _NAMED:
                position = self._behind_name(position)
            is_several, kind = bool(kind & _SEVERAL), kind & ~_SEVERAL
            values = 1
            if is_several or kind in _VARIABLE:
                values = self._number(position)
                position += _U32.size
            for _ in range(values):
                self._count()
                length = self._number(position) if kind in _VARIABLE else _FIXED.get(kind, -1)
                position += _U32.size if kind in _VARIABLE else 0
                if length < 0 or position + length > end:
                    raise ValueError
                yield _Value(name, kind, position, position + length)
                position += _padded(length)

    def _behind_name(self, position: int) -> int:
        position += _GUID_BYTES
        is_string = self._number(position)
        position += _U32.size
        return position + _U32.size + (_padded(self._number(position)) if is_string else 0)

    def _count(self) -> None:
        self._entries += 1
        if self._entries > _MOST_ENTRIES:
            raise ValueError

    def _number(self, position: int) -> int:
        return int(_U32.unpack_from(self._data, position)[0])

    def _string(self, start: int, end: int, charset: str) -> str:
        return decode(self._data[start:end], charset, guess=False)[0].rstrip("\0")


def _part(file: _File) -> Part | None:
    if file.body is None or file.is_closed:
        return None
    name = file.said.get(_LONG_NAME) or file.title or file.said.get(_SHORT_NAME, "")
    content_id = file.said.get(_CONTENT_ID, "").encode()
    return file_part(
        name.encode(), file.body, media_type=media_type(file.said.get(_MIME_TAG, "")), content_id=content_id
    )


def _charset(code_page: int) -> str:
    if code_page in _ISO_8859:
        return f"iso-8859-{code_page - _ISO_8859.start + 1}"
    return _CODE_PAGES.get(code_page, f"cp{code_page}")


def _padded(length: int) -> int:
    return -length // 4 * -4

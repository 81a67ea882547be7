"""Raw bytes beyond ASCII in headers, which old programs write in the charset of their text (RFC 6532: only UTF-8).

They become UTF-8 once, before anybody reads a name or an address: in Shift_JIS even a backslash may be half a letter.
"""

from collections.abc import Iterator
from dataclasses import replace

from relay.mime.charset import decode, detected_codec
from relay.mime.header import Header, indexed
from relay.mime.labels import codec_of, is_ascii_label, keeps_ascii
from relay.mime.parameters import structured
from relay.mime.structure import Part
from relay.mime.transfer import PartBody

_SAMPLE_BYTES = 8192


def recoded(root: Part) -> tuple[Part, bool]:
    """Make the headers of all parts UTF-8.

    By the part's charset, the message's, that of its first text, the one that its first text seems to be in, or
    windows-1252.

    Returns:
        The tree, and whether any header was something else than UTF-8.
    """
    if _is_all_utf8(root):
        return root, False
    label = next(filter(None, (_told(part) for part in _texts(root))), "") or _seeming(root)
    return _recoded_part(root, label), True


def recoded_header(header: Header, label: str) -> Header:
    """Make one header UTF-8; where it is already, return it as it is."""
    if _is_utf8_header(header):
        return header
    codec = codec_of(label)
    label = label if codec and keeps_ascii(codec) else ""
    return indexed([(name, raw if _is_utf8(raw) else _utf8(raw, label)) for name, raw in header.fields])


def _is_all_utf8(part: Part) -> bool:
    return _is_utf8_header(part.header) and all(map(_is_all_utf8, part.children))


def _recoded_part(part: Part, label: str) -> Part:
    header = recoded_header(part.header, _told(part) or label)
    children = tuple(_recoded_part(child, label) for child in part.children)
    if header is not part.header:
        content_type = structured(header.first("content-type"))
        disposition = structured(header.first("content-disposition"))
        return replace(part, header=header, content_type=content_type, disposition=disposition, children=children)
    same = all(new is old for new, old in zip(children, part.children, strict=True))
    return part if same else replace(part, children=children)


def _texts(root: Part) -> Iterator[Part]:
    """Name the parts whose charset may be that of the header: the message itself, then its texts."""
    yield root
    for child in root.children:
        if child.children or child.media_type.startswith("text/"):
            yield from _texts(child)


def _told(part: Part) -> str:
    label = part.content_type.token("charset") if "charset" in part.content_type.parameters else ""
    return "" if is_ascii_label(label) or not codec_of(label) else label


def _seeming(root: Part) -> str:
    """Guess the charset that the first text is in; empty: nobody can tell."""
    text = next((part for part in _texts(root) if not part.children), None)
    if text is None:
        return ""
    body = text.body
    sample = PartBody(body.data, body.start, min(body.end, body.start + _SAMPLE_BYTES), body.encoding).decoded()
    return "" if _is_utf8(sample) else detected_codec(sample)


def _is_utf8_header(header: Header) -> bool:
    values = [raw for _, raw in header.fields]
    return b"".join(values).isascii() or all(map(_is_utf8, values))


def _is_utf8(raw: bytes) -> bool:
    if raw.isascii():
        return True
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _utf8(raw: bytes, label: str) -> bytes:
    return decode(raw, label, guess=False)[0].encode("utf-8", "replace")

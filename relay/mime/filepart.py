"""Parts for files that came in no part of their own: written into a text, or packed into another file."""

from relay.mime.header import Header
from relay.mime.naming import type_of
from relay.mime.parameters import Structured
from relay.mime.structure import Part
from relay.mime.transfer import PartBody


def file_part(name: bytes, body: PartBody, *, media_type: str = "", content_id: bytes = b"") -> Part:
    """Make the part of an attached file.

    Args:
        name: As a header would write it.
        body: Where its bytes are.
        media_type: Empty: what the name stands for.
        content_id: What the HTML may show it by; empty: nothing.
    """
    header = Header((), {"content-id": [content_id]} if content_id else {})
    disposition = Structured("attachment", {"filename": name})
    part = Part(header, media_type, Structured("", {}), disposition, body, encoding_known=True)
    kind = media_type or type_of(part.name) or "application/octet-stream"
    return Part(header, kind, part.content_type, disposition, body, encoding_known=True)


def text_part(data: bytes, media_type: str, charset: str) -> Part:
    """Make the part of a text to be shown."""
    content_type = Structured(media_type, {"charset": charset.encode()})
    body = PartBody(data, 0, len(data))
    return Part(Header((), {}), media_type, content_type, Structured("", {}), body, encoding_known=True)

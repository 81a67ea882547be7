"""Mails for the tests of this folder."""

from relay.config.settings import MimeSettings
from relay.mime import Content, read

BOUNDS = MimeSettings()


def mail(body=b"", *fields):
    """Join header fields and a body with CRLF."""
    return b"\r\n".join([*fields, b"", b""]) + body


def part(body, *fields):
    """Write one part, delimiter not included."""
    return b"\r\n".join([*fields, b"", b""]) + body


def multipart(kind, *parts, parameters=b"", boundary=b"b0"):
    """Write a multipart as a part: its header and its children."""
    head = b"Content-Type: multipart/%s; boundary=%s%s\r\n\r\n" % (kind, boundary, parameters)
    return head + b"".join(b"--%s\r\n%s\r\n" % (boundary, child) for child in parts) + b"--%s--\r\n" % boundary


def text(body, kind=b"text/plain"):
    """Write a UTF-8 text part."""
    return part(body, b"Content-Type: %s; charset=utf-8" % kind)


def html(body):
    """Write an HTML part."""
    return text(body, b"text/html")


def file(body, kind, *fields):
    """Write an attached file."""
    return part(body, b"Content-Type: " + kind, b"Content-Disposition: attachment", *fields)


def content(raw: bytes) -> Content:
    """Read with the default bounds."""
    return read(raw, BOUNDS)


def codes(found: Content) -> set[str]:
    """Name the notes of a content."""
    return {note.code for note in found.notes}


def files(found: Content) -> list[tuple[str, bytes]]:
    """List the attachments with their bytes."""
    return [(entry.name, entry.body.decoded()) for entry in found.attachments]

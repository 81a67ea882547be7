"""A glance at a message's header: enough to speak of the message without reading it. Pure."""

from dataclasses import dataclass

from relay.errors import MailRefused
from relay.mime.header import read_header, skip_empty_lines
from relay.mime.words import unstructured


@dataclass(frozen=True, slots=True)
class Glance:
    """What the header of a message tells at first sight."""

    header: bytes  # its bytes, as received; at most as many as were asked for
    subject: str = ""  # decoded, one line
    message_id: str = ""  # with its brackets; empty: none, or none that could be referred to
    content_type: str = ""  # in lower case, without parameters
    auto_submitted: str = ""  # RFC 3834 section 5, in lower case, without parameters


def glance(data: bytes, max_bytes: int) -> Glance:
    """Look at a message's header; of one that is larger than `max_bytes` only its beginning is told."""
    start = skip_empty_lines(data)
    try:
        header, end = read_header(data, start, len(data), max_bytes)
    except MailRefused:
        beginning = data[start : start + max_bytes]
        return Glance(beginning[: beginning.rfind(b"\n") + 1])
    return Glance(
        data[start:end].rstrip(b"\r\n"),
        unstructured(header.first("subject")),
        _reference(unstructured(header.first("message-id"))),
        _word(header.first("content-type")),
        _word(header.first("auto-submitted")),
    )


def _word(value: bytes) -> str:
    words = unstructured(value).partition(";")[0].split()
    return words[0].lower() if words else ""


def _reference(text: str) -> str:
    is_plain = text.startswith("<") and text.endswith(">") and text.isascii() and " " not in text
    return text if is_plain else ""

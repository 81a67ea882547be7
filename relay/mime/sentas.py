"""A message made to come from somebody else: its From replaced before it is kept, so that every later look agrees."""

import re
from email.header import Header as EncodedHeader
from email.utils import parseaddr, quote

from relay.addresses import address_fault
from relay.mime.addresses import mailboxes
from relay.mime.header import read_header, skip_empty_lines

_REPLACED = ("from", "sender")
#: A line end that no blank follows, as the reader knows them: what stands behind it is only a fold by its neighbours.
_BROKEN_FOLD = re.compile(rb"(?:\r*+\n|\r(?!\r*+\n))(?![ \t])")


def sent_as(data: bytes, sender: str, max_header_bytes: int) -> tuple[bytes, str]:
    """Return a message with another sender, and the address that stood in From; empty: there was none.

    The original From becomes Reply-To where the message has none, if mail can be sent to it. Nothing else changes: the
    body stays byte for byte, other fields keep their values and their order.

    Args:
        data: the message.
        sender: "Name <a@b>" or "a@b"; a bare address keeps the name that the message brought.
        max_header_bytes: as for reading.

    Raises:
        MailRefused: The header is larger than allowed.
    """
    header, body = read_header(data, skip_empty_lines(data), len(data), max_header_bytes)
    name, address = parseaddr(sender)
    original = mailboxes(header.first("from"))
    lines = [_line("from", _mailbox(name or (original[0].name if original else ""), address))]
    if "reply-to" not in header.by_name and any(not address_fault(box.email, deliverable=True) for box in original):
        lines.append(_line("reply-to", header.first("from")))
    lines += [_line(field, value) for field, value in header.fields if field not in _REPLACED]
    return b"".join((*lines, b"\r\n", memoryview(data)[body:])), original[0].email if original else ""


def _line(name: str, value: bytes) -> bytes:
    # A broken fold may end with a line end, and an empty line would end the header. And what only the field behind it
    # kept in the header must stay there when that field has gone.
    return name.title().encode("ascii") + b": " + _BROKEN_FOLD.sub(b"\r\n ", value.strip(b"\r\n")) + b"\r\n"


def _mailbox(name: str, address: str) -> bytes:
    shown = f'"{quote(name)}"' if name.isascii() else EncodedHeader(name, "utf-8").encode()
    return (f"{shown} <{address}>" if name else address).encode()

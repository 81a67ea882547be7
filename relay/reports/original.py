"""What a report gives back of the message: its header, or all of it (RFC 3461 section 4.3, RFC 6522). Pure."""

import base64

from relay.queue.reporting import Untold
from relay.reports.parts import can_travel, part, text_part
from relay.reports.telling import Line, Told


def returned_part(untold: Untold, lines: tuple[Line, ...], header: bytes, max_bytes: int, *, is_global: bool) -> bytes:
    """Make the third part of a report, with its own header; empty: nothing is left of the message.

    The whole message only where its sender asked for it, somebody did not get it, it is small enough, and it can travel
    as it is: nobody may encode what stands in message/rfc822.
    """
    data = untold.message.data
    if not data:
        return b""
    wants_all = untold.message.envelope.ret == "FULL" and any(line.told is Told.FAILED for line in lines)
    if wants_all and len(data) <= max_bytes:
        if is_global:
            return part("message/global", "base64", base64.encodebytes(data).replace(b"\n", b"\r\n"))
        if can_travel(data):
            return part("message/rfc822", "7bit" if data.isascii() else "8bit", data)
    return text_part("message/global-headers" if is_global else "text/rfc822-headers", header + b"\r\n")

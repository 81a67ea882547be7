"""The machine's part of a report: the fields of message/delivery-status (RFC 3464), also in UTF-8 (RFC 6533). Pure."""

import binascii
import re
import textwrap
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import Header, decode_header, make_header
from email.utils import format_datetime

from relay.queue.reporting import Untold
from relay.reports.telling import Line, Told

_ENCODED = re.compile(r"\+([0-9A-F]{2})")
_LONGEST_TEXT = 500
_WIDTH = 76


def status_fields(
    untold: Untold, lines: Sequence[Line], *, hostname: str, diagnostic_type: str, is_global: bool
) -> str:
    """Write all groups of fields, lines ended by CRLF: of the message, then of each recipient.

    Args:
        untold: the message.
        lines: its recipients.
        hostname: the name of the gateway.
        diagnostic_type: whose words the reasons are, such as "x-dmds".
        is_global: UTF-8 may stand as it is (RFC 6533).
    """
    groups = [list(_of_message(untold, hostname))]
    groups += [list(_of_recipient(line, untold, diagnostic_type, is_global=is_global)) for line in lines]
    return "\r\n".join("".join(f"{field}\r\n" for field in group) for group in groups)


def read_status(report: bytes) -> list[dict[str, str]]:
    """Read the groups of fields back from a report that was made here; names as words with underscores."""
    # By the delimiter, which is random: whatever words others wrote, none of them begins a part.
    body = report.partition(b"\r\n\r\n")[2]
    _, _, status, _ = body.split(body.partition(b"\r\n")[0], 3)
    header, _, data = status.removesuffix(b"\r\n").partition(b"\r\n\r\n")
    text = (binascii.a2b_qp(data) if header.endswith(b"quoted-printable") else data).decode().replace("\r\n ", " ")
    groups = [[line.partition(": ") for line in group.split("\r\n") if line] for group in text.split("\r\n\r\n")]
    return [{name.lower().replace("-", "_"): _read(name, value) for name, _, value in group} for group in groups]


def date_text(at: float) -> str:
    """Write a time as RFC 5322 does."""
    return format_datetime(datetime.fromtimestamp(at, UTC))


def plain(text: str) -> str:
    """Make one short line of a text that somebody else wrote."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return textwrap.shorten(line, _LONGEST_TEXT, placeholder=" ...")


def _of_message(untold: Untold, hostname: str) -> Iterator[str]:
    message = untold.message
    if message.envelope.envid:
        yield f"Original-Envelope-Id: {_from_xtext(message.envelope.envid)}"
    yield f"Reporting-MTA: dns; {hostname}"
    yield f"X-Relay-Message-Id: {message.id}"
    yield f"Arrival-Date: {date_text(message.received_at)}"


def _of_recipient(line: Line, untold: Untold, diagnostic_type: str, *, is_global: bool) -> Iterator[str]:
    entry = line.entry
    if entry.recipient.orcpt:
        kind, _, address = entry.recipient.orcpt.partition(";")
        yield f"Original-Recipient: {kind}; {_from_xtext(address)}"
    kind = "rfc822" if entry.recipient.address.isascii() else "utf-8"
    yield f"Final-Recipient: {kind}; {entry.recipient.address}"
    yield f"Action: {line.told.value}"
    yield f"Status: {line.status}"
    if entry.reason and line.told is not Told.RELAYED:
        yield _folded("Diagnostic-Code", f"{diagnostic_type}; {_text(entry.reason, is_global=is_global)}")
    if line.attempted_at is not None:
        yield f"Last-Attempt-Date: {date_text(line.attempted_at)}"
    if line.told is Told.DELAYED:
        yield f"Will-Retry-Until: {date_text(untold.expires_at)}"


def _text(reason: str, *, is_global: bool) -> str:
    text = plain(reason)
    return text if is_global or text.isascii() else Header(text, "utf-8", maxlinelen=_WIDTH).encode(linesep="")


def _read(name: str, value: str) -> str:
    """Undo `_text`. An address, or a reason that only looks like it, stays as it is."""
    if name != "Diagnostic-Code":
        return value
    try:
        return str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, ValueError):
        return value


def _folded(name: str, value: str) -> str:
    wrapped = textwrap.wrap(f"{name}: {value}", _WIDTH, break_long_words=False, break_on_hyphens=False)
    return "\r\n ".join(wrapped)


def _from_xtext(text: str) -> str:
    """Decode xtext (RFC 3461 section 4); what would not be printable ASCII then stays as it is."""
    decoded = _ENCODED.sub(lambda found: chr(int(found[1], 16)), text)
    return decoded if decoded.isascii() and decoded.isprintable() else text

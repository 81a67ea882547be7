"""Making a report: a multipart/report (RFC 6522, RFC 3464; in UTF-8 RFC 6533) of what is to be told. Pure."""

import secrets
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import parseaddr

from relay.config.reports import ReportSettings
from relay.message import MessageId
from relay.mime import Glance, glance
from relay.outcome import Replies
from relay.queue.contract import State
from relay.queue.reporting import Untold
from relay.reports.fields import date_text, plain, status_fields
from relay.reports.original import returned_part
from relay.reports.parts import part, text_part
from relay.reports.telling import Line, Told, lines_of
from relay.reports.words import WORDS, Words

#: What a report gives back of a header at most, in bytes.
MAX_HEADER_BYTES = 64 * 1024
_ADDRESS_CLASSES = ("5.1.", "5.2.")
_CONTENT_CLASS = "5.6."
_WIDTH = 76
_INDENT = "    "


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a report rests on beside the message."""

    id: MessageId  # of the report
    at: float  # when it is made
    hostname: str  # the gateway's name
    provider: str  # whose words the reasons are; empty: not known any more


def compose(untold: Untold, seen: Glance, occasion: Occasion, settings: ReportSettings) -> bytes:
    """Make the report, ready to be sent; `lines_of` must have found something to tell."""
    lines = lines_of(untold)
    sender = untold.message.envelope.mail_from
    is_global = not all(address.isascii() for address in (sender, *(line.entry.recipient.address for line in lines)))
    words = WORDS[settings.language]
    diagnostic_type = f"x-{occasion.provider or 'relay'}"
    status = status_fields(
        untold, lines, hostname=occasion.hostname, diagnostic_type=diagnostic_type, is_global=is_global
    )
    text = "".join(_text(untold, lines, seen, occasion.hostname, words)).replace("\n", "\r\n")
    parts = [
        text_part("text/plain; charset=utf-8", text.encode()),
        text_part("message/global-delivery-status" if is_global else "message/delivery-status", status.encode()),
        returned_part(untold, lines, seen.header, settings.max_returned_bytes, is_global=is_global),
    ]
    return _joined(_header(seen, occasion, settings, sender, _subject(lines, words), words.author), parts)


def glance_at(untold: Untold) -> Glance:
    """Look at the message that is reported on."""
    return glance(untold.message.data, MAX_HEADER_BYTES)


def author(settings: ReportSettings, hostname: str) -> str:
    """Return the address that reports come from."""
    return parseaddr(settings.postmaster)[1] or f"MAILER-DAEMON@{hostname}"


def _header(
    seen: Glance, occasion: Occasion, settings: ReportSettings, sender: str, subject: str, name: str
) -> EmailMessage:
    header = EmailMessage(policy=SMTP if sender.isascii() else SMTPUTF8)
    header["From"] = Address(parseaddr(settings.postmaster)[0] or name, addr_spec=author(settings, occasion.hostname))
    header["To"] = f"<{sender}>"
    header["Subject"] = subject
    header["Date"] = date_text(occasion.at)
    header["Message-ID"] = f"<{occasion.id}@{occasion.hostname}>"
    if seen.message_id:
        header["In-Reply-To"] = seen.message_id
    header["Auto-Submitted"] = "auto-replied"  # RFC 3834: nobody shall answer
    header["MIME-Version"] = "1.0"
    return header


def _joined(header: EmailMessage, parts: list[bytes]) -> bytes:
    # By hand: `email` would write the returned message anew, line by line.
    boundary = f"=_report_{secrets.token_hex(16)}"
    kind = f'multipart/report; report-type=delivery-status;\r\n boundary="{boundary}"'
    delimiter = f"--{boundary}".encode()
    body = b"".join(delimiter + b"\r\n" + each + b"\r\n" for each in parts if each) + delimiter + b"--\r\n"
    encoding = "7bit" if body.isascii() else "8bit"
    return header.as_bytes().rstrip(b"\r\n") + b"\r\n" + part(kind, encoding, body)


def _subject(lines: tuple[Line, ...], words: Words) -> str:
    told = {line.told for line in lines}
    if Told.FAILED in told:
        return words.subject_failed
    return words.subject_delayed if Told.DELAYED in told else words.subject_relayed


def _text(untold: Untold, lines: tuple[Line, ...], seen: Glance, hostname: str, words: Words) -> Iterator[str]:
    yield _wrapped(words.opening.format(host=hostname, at=date_text(untold.message.received_at)))
    if seen.subject:
        yield _wrapped(words.about.format(subject=plain(seen.subject)))
    introductions = {
        Told.FAILED: words.failed,
        Told.DELAYED: words.delayed.format(until=date_text(untold.expires_at)),
        Told.RELAYED: words.relayed,
    }
    for told, introduction in introductions.items():
        chosen = [line for line in lines if line.told is told]
        if chosen:
            yield "\n" + _wrapped(introduction)
        for line in chosen:
            yield "".join(_about(line, words))
    yield "\n" + words.closing.format(id=untold.message.id) + "\n"


def _about(line: Line, words: Words) -> Iterator[str]:
    yield f"\n<{line.entry.recipient.address}>\n"
    if line.told is Told.RELAYED:
        return
    reason = words.reason.format(reason=plain(line.entry.reason)) if line.entry.reason else words.no_reason
    for sentence in (reason, _advice(line, words)):
        yield _wrapped(sentence, _INDENT)


def _advice(line: Line, words: Words) -> str:
    if line.told is Told.DELAYED:
        return words.patience
    if line.entry.state is State.EXPIRED:
        return words.expired
    if line.status.startswith(_ADDRESS_CLASSES):
        return words.address
    is_content = line.status.startswith(_CONTENT_CLASS) or line.status == Replies.TOO_BIG.enhanced
    return words.content if is_content else words.other


def _wrapped(text: str, indent: str = "") -> str:
    wrapped = textwrap.fill(
        text, _WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return f"{wrapped}\n"

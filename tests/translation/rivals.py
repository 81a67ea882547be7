"""How others read a mail, in words that can be compared: the standard library's `email`, and fast-mail-parser."""

import email
import email.policy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import getaddresses
from html import unescape

import fast_mail_parser

from relay.config.settings import MimeSettings
from relay.mime import read

_INVISIBLE = re.compile(r"<(script|style|head|title)\b.*?</\1\s*>|<!--.*?-->", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")
_LOST = "\ufffd"
_BLANKS = re.compile(r"[\s\u00a0\u200b\ufeff]+")


@dataclass(frozen=True, slots=True)
class View:
    """What a reader makes of a mail."""

    subject: str
    sender: str  # address in small letters
    recipients: tuple[str, ...]  # To and Cc, addresses in small letters, sorted
    text: str  # what is shown, without blanks
    files: frozenset[bytes]  # line ends as LF, none at the end
    names: frozenset[str]  # of the files


def ours(raw: bytes) -> View:
    """Read as the gateway does; images in the text are files here."""
    found = read(raw, MimeSettings())
    files = (*found.attachments, *found.inline_images)
    return View(
        _line(found.subject),
        found.sender.email.lower() if found.sender else "",
        _sorted(box.email for box in (*found.to, *found.cc)),
        shown(found.html),
        frozenset(_canonical(file.body.decoded()) for file in files),
        frozenset(_line(file.name) for file in files),
    )


def by_email(raw: bytes) -> View:
    """Read with the standard library, as its documentation advises."""
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    body = mail.get_body(("html", "plain"))
    leaves = [part for part in _leaves(mail) if part is not body and _is_file(part)]
    return View(
        _line(str(mail["subject"] or "")),
        next(iter(_addresses(mail, "from")), ""),
        _sorted([*_addresses(mail, "to"), *_addresses(mail, "cc")]),
        _shown_body(body),
        frozenset(_canonical(part.get_payload(decode=True) or b"") for part in leaves),
        frozenset(_line(part.get_filename()) for part in leaves if part.get_filename()),
    )


def by_fast(raw: bytes) -> View:
    """Read with fast-mail-parser."""
    mail = fast_mail_parser.parse_email(raw)
    senders = [mail.from_.address] if mail.from_ else []
    return View(
        _line(mail.subject or ""),
        senders[0].lower() if senders else "",
        _sorted(box.address for box in (*mail.to, *mail.cc) if box.address),
        shown(mail.text_html[0]) if mail.text_html else shown(escaped(mail.text_plain[0] if mail.text_plain else "")),
        frozenset(_canonical(bytes(file.content)) for file in mail.attachments),
        frozenset(_line(file.filename) for file in mail.attachments if file.filename),
    )


RIVALS: dict[str, Callable[[bytes], View]] = {"email": by_email, "fast": by_fast}


def disagreements(raw: bytes, rival: str) -> Iterator[tuple[str, object, object]]:
    """Name what the other reads otherwise, with what it and what we say.

    That we find more is no disagreement, nor is what the other itself says that it could not read.
    """
    mine = ours(raw)
    try:
        theirs = RIVALS[rival](raw)
    except Exception as error:  # noqa: BLE001 - that it raises is what it says
        yield "raises", type(error).__name__, ""
        return
    for what in ("subject", "sender", "recipients"):
        if getattr(theirs, what) != getattr(mine, what) and _LOST not in getattr(theirs, what):
            yield what, getattr(theirs, what), getattr(mine, what)
    if theirs.text not in mine.text and _LOST not in theirs.text:
        yield "text", theirs.text, mine.text
    missing = {name for name in theirs.names - mine.names if _LOST not in name}
    if missing:
        yield "names", missing, mine.names
    if theirs.files - mine.files:
        yield "files", theirs.files - mine.files, mine.files


def shown(html: str) -> str:
    """Reduce a page to the letters that it shows."""
    return _BLANKS.sub("", unescape(_TAG.sub(" ", _INVISIBLE.sub("", html))))


def escaped(text: str) -> str:
    """Write a text so that `shown` gives it back."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _shown_body(body: EmailMessage | None) -> str:
    if body is None:
        return ""
    text = str(body.get_content())
    return shown(text if body.get_content_type() == "text/html" else escaped(text))


def _leaves(mail: EmailMessage) -> Iterator[EmailMessage]:
    """Walk over the parts, not into messages that are attached."""
    if mail.get_content_maintype() == "multipart":
        for part in mail.iter_parts():
            yield from _leaves(part)
    else:
        yield mail


def _is_file(part: EmailMessage) -> bool:
    return part.get_content_maintype() not in ("text", "message") or part.is_attachment()


def _addresses(mail: EmailMessage, name: str) -> list[str]:
    return [address.lower() for _, address in getaddresses([str(each) for each in mail.get_all(name, [])]) if address]


def _sorted(addresses) -> tuple[str, ...]:
    return tuple(sorted(address.lower() for address in addresses if address))


def _line(text: str) -> str:
    return " ".join(text.split())


def _canonical(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").rstrip(b"\n")

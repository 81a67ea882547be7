"""What a kind of mail is: its bytes, and what must come out. Written from the RFCs and from what mail clients show.

Nothing here asks the gateway what it makes of a mail before it says what is right.
"""

import re
from dataclasses import dataclass
from html import unescape

from relay.config.settings import MimeSettings
from relay.message import Mailbox
from relay.mime import Content, read

BOUNDS = MimeSettings()
HEAD = b"From: Ana <ana@example.org>\r\nTo: Bea <bea@example.net>\r\nSubject: Kind\r\nMIME-Version: 1.0\r\n"
_INVISIBLE = re.compile(r"<(script|style|head|title)\b.*?</\1\s*>|<!--.*?-->", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")


@dataclass(frozen=True)
class Kind:
    """One mail and what must come of it; None: not looked at."""

    name: str
    raw: bytes
    shows: tuple[str, ...] = ()  # to be read in the HTML, in this order
    hides: tuple[str, ...] = ()  # not to be read there
    files: tuple[tuple[str, bytes], ...] = ()  # all attachments, in order
    images: tuple[tuple[str, bytes], ...] = ()  # all images that the HTML shows: Content-ID, bytes
    notes: frozenset[str] | None = frozenset()  # exactly these
    subject: str | None = "Kind"
    sender: str | None = "Ana <ana@example.org>"
    to: tuple[str, ...] | None = ("Bea <bea@example.net>",)
    cc: tuple[str, ...] | None = ()
    reply_to: str | None = ""

    def __str__(self) -> str:
        return self.name


def faults(kind: Kind) -> list[str]:
    """Read a kind and name everything that came out otherwise."""
    found = read(kind.raw, BOUNDS)
    seen = _visible(found.html)
    pairs = [
        ("subject", kind.subject, found.subject),
        ("sender", kind.sender, _shown(found.sender)),
        ("to", kind.to, tuple(map(_shown, found.to))),
        ("cc", kind.cc, tuple(map(_shown, found.cc))),
        ("reply_to", kind.reply_to, _shown(found.reply_to)),
        ("files", kind.files, tuple((each.name, each.body.decoded()) for each in found.attachments)),
        ("images", kind.images, tuple((each.content_id, each.body.decoded()) for each in found.inline_images)),
        ("notes", kind.notes, frozenset(note.code for note in found.notes)),
    ]
    wrong = [f"{what}: {was!r} instead of {told!r}" for what, told, was in pairs if told is not None and told != was]
    return wrong + _unread(kind, seen) + _unsafe(found)


def _unread(kind: Kind, seen: str) -> list[str]:
    position, missing = 0, []
    for text in kind.shows:
        at = seen.find(" ".join(text.split()), position)
        if at < 0:
            missing.append(f"not shown, or not in this order: {text!r} in {seen[:400]!r}")
        else:
            position = at + len(text)
    return missing + [f"shown: {text!r}" for text in kind.hides if text in seen]


def _unsafe(found: Content) -> list[str]:
    lines = (found.subject, found.message_id, *(each.name for each in found.attachments))
    return [f"no line: {line!r}" for line in lines if set(line) & set("\r\n\x00")]


def _visible(html: str) -> str:
    return " ".join(unescape(_TAG.sub(" ", _INVISIBLE.sub("", html.replace("<br>\n", "\n")))).split())


def _shown(mailbox: Mailbox | None) -> str:
    if mailbox is None:
        return ""
    return f"{mailbox.name} <{mailbox.email}>" if mailbox.name else mailbox.email


def mail(body: bytes, *fields: bytes) -> bytes:
    """Write a mail with the usual fields and these."""
    return HEAD + b"".join(field + b"\r\n" for field in fields) + b"\r\n" + body


def leaf(body: bytes, kind: bytes = b"text/plain", *fields: bytes) -> bytes:
    """Write one part."""
    return b"".join(field + b"\r\n" for field in (b"Content-Type: " + kind, *fields)) + b"\r\n" + body


def tree(kind: bytes, *parts: bytes, boundary: bytes = b"b", parameters: bytes = b"") -> bytes:
    """Write a multipart with its parts, as a part."""
    head = b"Content-Type: multipart/" + kind + b'; boundary="' + boundary + b'"' + parameters + b"\r\n\r\n"
    return head + b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + boundary + b"--\r\n"


def whole(part: bytes) -> bytes:
    """Make a mail of a part."""
    return HEAD + part


def pdf(name: bytes = b"a.pdf", body: bytes = b"JVBERi0xLjQK") -> bytes:
    """Write an attached file of the bytes "%PDF-1.4" and LF."""
    return leaf(
        body,
        b"application/pdf; name=" + name,
        b"Content-Disposition: attachment; filename=" + name,
        b"Content-Transfer-Encoding: base64",
    )


PDF = b"%PDF-1.4\n"

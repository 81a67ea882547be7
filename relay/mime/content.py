"""What a message says, once read: the only thing that the translations see of a mail."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from relay.message import Mailbox


class Fidelity(StrEnum):
    """How much a fidelity note weighs."""

    CHANGED = "changed"  # carried in another form that looks or works the same; for information
    LOST = "lost"  # something the sender put there will not arrive; strict accounts refuse


@dataclass(frozen=True, slots=True)
class Note:
    """One difference between what was written and what will arrive."""

    code: str  # a stable word such as "cc_not_visible"; metrics and tests know it
    text: str  # one sentence for a person; names parts and headers, never quotes bodies or subjects
    fidelity: Fidelity = Fidelity.LOST


class EncodedBody(Protocol):
    """The bytes of one part, kept as they came until somebody needs them."""

    def decoded(self) -> bytes:
        """Return the bytes after transfer decoding."""

    def base64(self) -> tuple[bytes, ...]:
        """Return the bytes as base64 without line breaks (RFC 4648 §4), in pieces to be put one behind the other."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file, as the recipient will see it listed."""

    name: str  # never empty, no path parts, no control characters, distinct within the message
    media_type: str  # lower case, "type/subtype"; behind "text/calendar" may stand "; method=REQUEST" or the like
    body: EncodedBody


@dataclass(frozen=True, slots=True)
class InlineImage:
    """One part that the HTML shows by its Content-ID."""

    content_id: str  # without the angle brackets
    name: str  # for the case that it travels as an attachment
    media_type: str
    body: EncodedBody


@dataclass(frozen=True, slots=True)
class Content:
    """What one message says: decoded, UTF-8, independent of any API."""

    sender: Mailbox | None  # From; Sender where From holds several; None: neither is usable
    reply_to: Mailbox | None  # the first address of Reply-To that has a domain
    to: tuple[Mailbox, ...]  # in header order, Resent-To first where present; shows roles, names nobody new
    cc: tuple[Mailbox, ...]
    subject: str  # one line
    html: str  # still with cid: addresses; made from text where the mail had only text
    inline_images: tuple[InlineImage, ...]  # only those that `html` refers to
    attachments: tuple[Attachment, ...]
    message_id: str  # with angle brackets; empty: none
    list_unsubscribe: str  # header value, one line; empty: none
    list_help: str
    powers: tuple[tuple[str, str], ...]  # the X-Relay-* headers in order: name in lower case, value decoded
    received_count: int  # Received headers, to see loops
    auto_submitted: bool  # RFC 3834: never answered with a report
    notes: tuple[Note, ...] = ()
    more_reply_to: tuple[Mailbox, ...] = ()  # all other addresses of Reply-To, in order; one may be all there is

"""Who a mail comes from and where replies go, the same for both APIs."""

from dataclasses import dataclass
from email.utils import parseaddr

from relay.errors import MailRefused
from relay.message import Mailbox, mailbox_key
from relay.mime.content import Content, Note
from relay.outcome import Replies
from relay.providers.contract import Brief
from relay.providers.fields import one_line, wire_address
from relay.providers.notes import note


@dataclass(frozen=True, slots=True)
class Sender:
    """The sender as it will be shown."""

    mailbox: Mailbox  # address in wire form
    reply_to: str  # one address in wire form; empty: none
    notes: tuple[Note, ...] = ()


def choose_sender(content: Content, brief: Brief) -> Sender:
    """Take the account's fixed sender, else From (or Sender), else MAIL FROM.

    Raises MailRefused when there is none of them.
    """
    original = content.sender or Mailbox(brief.mail_from)
    notes: list[Note] = []
    reply_to = content.reply_to
    if brief.policy.sender:
        shown = _fixed(brief.policy.sender, original)
        if original.email and mailbox_key(original.email) != mailbox_key(shown.email):
            notes.append(note("sender_replaced", f"the sender {original.email} became {shown.email}"))
            # A bounce address is nobody to reply to: only a sender that the mail itself names.
            reply_to = reply_to or content.sender
    else:
        shown = original
        if content.sender is None:
            notes.append(note("sender_from_envelope", "the mail names no usable sender; MAIL FROM is shown"))
    if not shown.email:
        raise MailRefused(Replies.BAD_CONTENT.saying("No sender: neither From nor Sender nor MAIL FROM names one"))
    if any(wire_address(each.email) != each.email for each in (shown, reply_to) if each):
        notes.append(note("address_as_ascii", "the sender or Reply-To has an internationalised domain"))
    return Sender(
        Mailbox(one_line(wire_address(shown.email)), one_line(shown.name)),
        one_line(wire_address(reply_to.email)) if reply_to else "",
        tuple(notes),
    )


def _fixed(setting: str, original: Mailbox) -> Mailbox:
    """Read "Name <a@b>" or "a@b"; a bare address keeps the name that the mail brought."""
    name, address = parseaddr(setting)
    return Mailbox(address, name or original.name)

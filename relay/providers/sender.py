"""Who a mail comes from and where replies go, the same for both APIs."""

from dataclasses import dataclass
from email.utils import parseaddr

from relay.addresses import address_fault
from relay.errors import MailRefused
from relay.message import Mailbox, mailbox_key
from relay.mime.content import Content, Note
from relay.outcome import Replies
from relay.providers.contract import Brief
from relay.providers.fields import one_line, wire_address
from relay.providers.notes import note

_LONGEST_ECHO = 100


@dataclass(frozen=True, slots=True)
class Sender:
    """The sender as it will be shown."""

    mailbox: Mailbox  # address in wire form
    reply_to: str  # one address in wire form; empty: none
    notes: tuple[Note, ...] = ()


def choose_sender(content: Content, brief: Brief, *, is_sent: bool = True) -> Sender:
    """Take the account's fixed sender, else From (or Sender), else MAIL FROM; for replies, what Reply-To names.

    Both APIs refuse the whole mail for an address that mail cannot be sent to, so each is checked as a recipient is.

    Args:
        content: The mail.
        brief: Its account and its envelope.
        is_sent: Whether the API is told the sender; if not, any will do.

    Raises:
        MailRefused: There is no sender, or none that the API takes.
    """
    original = content.sender or Mailbox(brief.mail_from)
    reply_to, notes = _reply_to(content)
    if brief.policy.sender:
        shown = _fixed(brief.policy.sender, original)
        if original.email and mailbox_key(original.email) != mailbox_key(shown.email):
            notes.append(note("sender_replaced", f"the sender {original.email} became {shown.email}"))
            # A bounce address is nobody to reply to: only a sender that the mail itself names.
            reply_to = reply_to or (content.sender if content.sender and _is_usable(content.sender) else None)
    else:
        shown = original
        if content.sender is None:
            notes.append(note("sender_from_envelope", "the mail names no usable sender; MAIL FROM is shown"))
    if is_sent:
        _refuse_unusable(shown)
    if any(wire_address(each.email) != each.email for each in (shown, reply_to) if each):
        notes.append(note("address_as_ascii", "the sender or Reply-To has an internationalised domain"))
    return Sender(
        Mailbox(one_line(wire_address(shown.email)), one_line(shown.name)),
        one_line(wire_address(reply_to.email)) if reply_to else "",
        tuple(notes),
    )


def _reply_to(content: Content) -> tuple[Mailbox | None, list[Note]]:
    """Find the first address that mail can be sent to."""
    named = [each for each in (content.reply_to, *content.more_reply_to) if each]
    usable = next(filter(_is_usable, named), None)
    if usable or not named:
        return usable, []
    return None, [note("reply_to_unusable", "Reply-To is left out: it names no address that mail can be sent to")]


def _is_usable(mailbox: Mailbox) -> bool:
    return not address_fault(mailbox.email, deliverable=True)


def _refuse_unusable(shown: Mailbox) -> None:
    if not shown.email:
        raise MailRefused(Replies.BAD_CONTENT.saying("No sender: neither From nor Sender nor MAIL FROM names one"))
    if fault := address_fault(shown.email, deliverable=True):
        is_plain = shown.email.isascii() and shown.email.isprintable() and len(shown.email) <= _LONGEST_ECHO
        named = f"The sender {shown.email}" if is_plain else "The sender"
        cure = "the email provider takes none but Internet addresses; set `sender` for this account, or correct From"
        raise MailRefused(Replies.BAD_CONTENT.saying(f"{named}: {fault}; {cure}"))


def _fixed(setting: str, original: Mailbox) -> Mailbox:
    """Read "Name <a@b>" or "a@b"; a bare address keeps the name that the mail brought."""
    name, address = parseaddr(setting)
    return Mailbox(address, name or original.name)

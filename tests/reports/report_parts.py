"""Parts for testing reports: messages that owe one, and what an independent reader makes of it."""

import email
import email.policy
from collections.abc import Sequence
from email.message import EmailMessage

from flufl.bounce import scan_message

from relay.config.reports import ReportSettings
from relay.message import Envelope, EnvelopeRecipient, Message, MessageId, Recipient, Role, new_message_id
from relay.queue.contract import Action, RecipientEntry, State
from relay.queue.reporting import Untold
from relay.reports.composing import Occasion, compose, glance_at

NOON = 1_800_000_000.0
DATA = b"From: app@example.com\r\nSubject: Invoice 17\r\nMessage-ID: <17@app>\r\n\r\nPlease pay.\r\n"
HOST = "gw.example.org"


def entry(address: str = "ana@example.org", position: int = 0, **more) -> RecipientEntry:
    """A recipient that failed, unless `more` says otherwise."""
    recipient = Recipient(address, Role.TO, notify=frozenset(more.pop("notify", ())), orcpt=more.pop("orcpt", ""))
    facts = {"state": State.REFUSED, "owed": Action.FAILED, "reason": "no such user", "attempts": 1, **more}
    return RecipientEntry(position, recipient, **facts)


def untold(*entries: RecipientEntry, data: bytes = DATA, sender: str = "app@example.com", **more) -> Untold:
    """A message that owes its sender something."""
    entries = entries or (entry(),)
    given = tuple(EnvelopeRecipient(each.recipient.address) for each in entries)
    envelope = Envelope(sender, given, ret=more.pop("ret", ""), envid=more.pop("envid", ""))
    message = Message(MessageId("01M82ETYZYCHK4N75MXSGCFS8B"), "acme", envelope, data, NOON - 60)
    return Untold(message, entries, NOON + 86400, **more)


def composed(owing: Untold, settings: ReportSettings | None = None, provider: str = "dmds") -> bytes:
    """The report of it."""
    occasion = Occasion(new_message_id(), NOON, HOST, provider)
    return compose(owing, glance_at(owing), occasion, settings or ReportSettings())


def parsed(report: bytes) -> EmailMessage:
    """What the standard library reads in a report."""
    message = email.message_from_bytes(report, policy=email.policy.SMTPUTF8)
    assert isinstance(message, EmailMessage)
    return message


def parts(report: bytes) -> Sequence[EmailMessage]:
    return list(parsed(report).iter_parts())


def failed_by_flufl(report: bytes) -> set[str]:
    """Whose mail failed, as a mailing list manager would understand it."""
    return {address.decode() for address in scan_message(email.message_from_bytes(report))}

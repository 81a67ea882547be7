"""What is to be said of a message's recipients, whichever API carries it."""

from collections.abc import Mapping, Sequence

from relay.message import Recipient, mailbox_key
from relay.mime.content import Content, Note
from relay.providers.contract import Document, JsonValue
from relay.providers.fields import wire_address
from relay.providers.notes import note


def hidden_header_notes(content: Content, recipients: Sequence[Recipient]) -> list[Note]:
    """Note addresses of To and Cc that are no recipients of the transaction: the APIs show only whom they send to."""
    if not (content.to or content.cc):
        return []
    sent = {each.key.casefold() for each in recipients}
    hidden = sum(mailbox_key(each.email).casefold() not in sent for each in (*content.to, *content.cc))
    if not hidden:
        return []
    return [note("header_recipients_not_shown", f"{hidden} address(es) of To and Cc are not recipients and not shown")]


def address_notes(recipients: Sequence[Recipient]) -> list[Note]:
    """Note recipients whose internationalised domain goes out in its ASCII form."""
    changed = [each for each in recipients if wire_address(each.address) != each.address]
    if not changed:
        return []
    return [note("address_as_ascii", f"{len(changed)} recipient(s) with an internationalised domain in ASCII form")]


def entries_in(document: Document, name: str) -> Sequence[Mapping[str, JsonValue]]:
    """Read back the recipients' entries that a translation wrote into a document."""
    value = document.get(name)
    if not isinstance(value, Sequence):
        return ()
    return [entry for entry in value if isinstance(entry, Mapping)]

"""A listener's fixed sender: whatever a device says of itself, its mail comes from one address.

It is put into the message before anything is kept or sent. So it needs no place beside the message in the store, and
first attempts, retries and restarts cannot disagree; what is checked against the account's `senders` is what is sent.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from email.utils import parseaddr

from relay.accounts.account import Account
from relay.errors import MailRefused
from relay.message import Envelope, mailbox_key
from relay.mime import sent_as
from relay.mime.content import Note
from relay.offloop import off_loop
from relay.outcome import Reply
from relay.providers.notes import note
from relay.smtp.contract import Reception


def sender_address(sender: str) -> str:
    """Return the address of a listener's `sender`; empty: there is none."""
    return parseaddr(sender)[1]


@dataclass(frozen=True, slots=True)
class SentAs:
    """A reception that gives each message its listener's sender, then hands it on."""

    reception: Reception
    sender: str  # "Name <a@b>" or "a@b"
    max_header_bytes: int

    def refuse_size(self, account: Account, size: int) -> Reply | None:
        """See `Reception.refuse_size`."""
        return self.reception.refuse_size(account, size)

    async def receive(
        self,
        account: Account,
        envelope: Envelope,
        data: bytes,
        client: str,
        is_waiting: Callable[[], bool],
        notes: tuple[Note, ...] = (),
    ) -> Reply:
        """Receive one message; see `Reception.receive`. The null sender stays: it asks that nobody be answered."""
        address = sender_address(self.sender)
        # A header too large to read is as much so for the reception, which refuses it and tells of it.
        with contextlib.suppress(MailRefused):
            data, original = await off_loop(len(data), sent_as, data, self.sender, self.max_header_bytes)
            if original and mailbox_key(original) != mailbox_key(address):
                notes += (note("sender_replaced", f"the sender {original} became {address}"),)
        envelope = replace(envelope, mail_from=address if envelope.mail_from else "")
        return await self.reception.receive(account, envelope, data, client, is_waiting, notes)

"""From values to rows and back, the same for every store. Nothing here reads or writes one."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Protocol, get_args

from relay.message import Envelope, EnvelopeRecipient, Message, MessageId, Notify, Recipient, Role
from relay.queue.contract import FINAL_STATES, Action, NewMessage, RecipientEntry, State
from relay.queue.telling import owed_by

#: What one parameter of a statement may be.
Value = str | bytes | int | float | None


class Row(Protocol):
    """A row as a library gives it: its values by the names of the columns."""

    def __getitem__(self, column: str, /) -> Any:
        """Return one value."""


MESSAGE_COLUMNS = (
    "id, account, client, mode, mail_from, ret, envid, envelope, notes, recipients, size, received_at, expires_at"
)
RECIPIENT_COLUMNS = (
    "message, position, address, mailbox, role, name, notify, orcpt, state, attempts, provider_message_id, "
    "provider_batch_id, reason, changed_at, due_at, status, owed"
)

_NOTIFY: frozenset[Notify] = frozenset(get_args(Notify))


def is_open(entries: Iterable[RecipientEntry]) -> bool:
    """Tell whether a recipient has not come to its end."""
    return any(entry.state not in FINAL_STATES for entry in entries)


def keeps_body(new: NewMessage) -> bool:
    """Tell whether anybody still needs the body: a recipient, or the report to the sender."""
    return is_open(new.entries) or bool(owed_by(new.entries, new.message.envelope.mail_from))


def message_values(new: NewMessage) -> tuple[Value, ...]:
    """Return what a message's row holds of the message itself, in the order of `MESSAGE_COLUMNS`."""
    message, envelope = new.message, new.message.envelope
    return (
        message.id,
        message.account,
        message.client,
        new.mode,
        envelope.mail_from,
        envelope.ret,
        envelope.envid,
        _envelope_text(envelope, new.entries),
        json.dumps([(note.code, note.text, note.fidelity) for note in new.notes]) if new.notes else "[]",
        len(new.entries),
        len(message.data),
        message.received_at,
        new.expires_at,
    )


def entry_values(seq: int, entry: RecipientEntry, owed: Action | None, now: float) -> tuple[Value, ...]:
    """Return one recipient's row, in the order of `RECIPIENT_COLUMNS`."""
    recipient = entry.recipient
    return (
        seq,
        entry.position,
        recipient.address,
        recipient.key,
        recipient.role,
        recipient.name,
        _notify_text(recipient.notify),
        recipient.orcpt,
        entry.state,
        entry.attempts,
        entry.provider_message_id,
        entry.provider_batch_id,
        entry.reason,
        now,
        entry.due_at,
        entry.status,
        owed,
    )


def entry_from(row: Row) -> RecipientEntry:
    """Read one recipient's row."""
    return RecipientEntry(
        position=row["position"],
        recipient=Recipient(
            address=row["address"],
            role=Role(row["role"]),
            name=row["name"],
            notify=notify_from(row["notify"]),
            orcpt=row["orcpt"],
        ),
        state=State(row["state"]),
        attempts=row["attempts"],
        provider_message_id=row["provider_message_id"],
        provider_batch_id=row["provider_batch_id"],
        reason=row["reason"],
        changed_at=row["changed_at"],
        due_at=row["due_at"],
        status=row["status"],
        owed=Action(row["owed"]) if row["owed"] else None,
    )


def message_from(row: Row, entries: Sequence[RecipientEntry], data: bytes) -> Message:
    """Read a message's row; its recipients and its bytes come from elsewhere."""
    return Message(
        id=MessageId(row["id"]),
        account=row["account"],
        envelope=Envelope(
            mail_from=row["mail_from"],
            recipients=_envelope_recipients(row["envelope"], entries),
            ret=row["ret"],
            envid=row["envid"],
        ),
        data=data,
        received_at=row["received_at"],
        client=row["client"],
    )


def batch_of(entries: Iterable[RecipientEntry]) -> str:
    """Return the batch that an earlier call of the message opened; empty: none did."""
    accepted = (entry.provider_batch_id for entry in entries if entry.state is State.ACCEPTED)
    return next((batch for batch in accepted if batch), "")


def _envelope_text(envelope: Envelope, entries: Sequence[RecipientEntry]) -> str | None:
    # Two spellings of one mailbox are one recipient; only then does the envelope say more than the entries.
    if envelope.recipients == tuple(_as_given(entry.recipient) for entry in entries):
        return None
    return json.dumps([(given.address, _notify_text(given.notify), given.orcpt) for given in envelope.recipients])


def _envelope_recipients(text: str | None, entries: Sequence[RecipientEntry]) -> tuple[EnvelopeRecipient, ...]:
    if text is None:
        return tuple(_as_given(entry.recipient) for entry in entries)
    return tuple(EnvelopeRecipient(address, notify_from(notify), orcpt) for address, notify, orcpt in json.loads(text))


def _as_given(recipient: Recipient) -> EnvelopeRecipient:
    return EnvelopeRecipient(recipient.address, recipient.notify, recipient.orcpt)


def _notify_text(notify: frozenset[Notify]) -> str:
    return ",".join(sorted(notify))


def notify_from(text: str) -> frozenset[Notify]:
    """Read what a sender wants to hear of a recipient."""
    return _NOTIFY.intersection(text.split(",")) if text else frozenset()

"""From values to rows and back. Nothing here reads or writes the store."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import get_args

from relay.message import Envelope, EnvelopeRecipient, Message, MessageId, Notify, Recipient, Role
from relay.mime.content import Note
from relay.queue.contract import NewMessage, RecipientEntry, State

#: What one parameter of a statement may be.
Value = str | bytes | int | float | None

_NOTIFY: frozenset[Notify] = frozenset(get_args(Notify))


def message_values(new: NewMessage) -> dict[str, Value]:
    """Return what a message's row holds of the message itself."""
    message = new.message
    return {
        "id": message.id,
        "account": message.account,
        "client": message.client,
        "mode": new.mode,
        "mail_from": message.envelope.mail_from,
        "ret": message.envelope.ret,
        "envid": message.envelope.envid,
        "envelope": _envelope_text(message.envelope, new.entries),
        "notes": json.dumps([(note.code, note.text, note.fidelity) for note in new.notes]),
        "recipients": len(new.entries),
        "size": len(message.data),
        "received_at": message.received_at,
        "expires_at": new.expires_at,
    }


def entry_values(seq: int, entry: RecipientEntry, now: float) -> dict[str, Value]:
    """Return one recipient's row."""
    recipient = entry.recipient
    return {
        "message": seq,
        "position": entry.position,
        "address": recipient.address,
        "mailbox": recipient.key,
        "role": recipient.role,
        "name": recipient.name,
        "notify": _notify_text(recipient.notify),
        "orcpt": recipient.orcpt,
        "state": entry.state,
        "attempts": entry.attempts,
        "provider_message_id": entry.provider_message_id,
        "provider_batch_id": entry.provider_batch_id,
        "reason": entry.reason,
        "changed_at": now,
        "due_at": entry.due_at,
    }


def entry_from(row: sqlite3.Row) -> RecipientEntry:
    """Read one recipient's row."""
    return RecipientEntry(
        position=row["position"],
        recipient=Recipient(
            address=row["address"],
            role=Role(row["role"]),
            name=row["name"],
            notify=_notify_from(row["notify"]),
            orcpt=row["orcpt"],
        ),
        state=State(row["state"]),
        attempts=row["attempts"],
        provider_message_id=row["provider_message_id"],
        provider_batch_id=row["provider_batch_id"],
        reason=row["reason"],
        changed_at=row["changed_at"],
        due_at=row["due_at"],
    )


def message_from(row: sqlite3.Row, entries: Sequence[RecipientEntry], data: bytes) -> Message:
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


def notes_from(text: str) -> tuple[Note, ...]:
    """Read the fidelity notes of a message's row."""
    return tuple(Note(code, words, fidelity) for code, words, fidelity in json.loads(text))


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
    return tuple(EnvelopeRecipient(address, _notify_from(notify), orcpt) for address, notify, orcpt in json.loads(text))


def _as_given(recipient: Recipient) -> EnvelopeRecipient:
    return EnvelopeRecipient(recipient.address, recipient.notify, recipient.orcpt)


def _notify_text(notify: frozenset[Notify]) -> str:
    return ",".join(sorted(notify))


def _notify_from(text: str) -> frozenset[Notify]:
    return _NOTIFY.intersection(text.split(",")) if text else frozenset()

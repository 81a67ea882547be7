"""A message's recipients as the queue keeps them: before, amid and after an attempt. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from relay.outcome import Accepted, Deferred, Refused
from relay.preparation import Prepared
from relay.queue.contract import RecipientEntry, Result, State


def fresh_entries(prepared: Prepared) -> tuple[RecipientEntry, ...]:
    """Make entries of which none was tried."""
    return tuple(RecipientEntry(position, recipient) for position, recipient in enumerate(prepared.recipients))


def entries_after(
    entries: Iterable[RecipientEntry], results: Iterable[Result], under_way: Collection[str] = ()
) -> tuple[RecipientEntry, ...]:
    """Make entries as an attempt leaves, or has so far left, them.

    Args:
        entries: fresh ones.
        results: of the recipients that have an outcome.
        under_way: mailboxes of the call that has no answer yet.
    """
    known = {result.position: result for result in results}
    return tuple(_entry_after(entry, known.get(entry.position), under_way) for entry in entries)


def _entry_after(entry: RecipientEntry, result: Result | None, under_way: Collection[str]) -> RecipientEntry:
    if result is None:
        is_sending = entry.recipient.key in under_way
        return replace(entry, state=State.SENDING, attempts=1) if is_sending else entry
    tried = replace(entry, state=result.state, attempts=1, due_at=result.due_at)
    match result.outcome:
        case Accepted() as said:
            return replace(
                tried,
                provider_message_id=said.provider_message_id,
                provider_batch_id=said.provider_batch_id,
                reason=said.remark,
            )
        case Deferred(was_tried=False) as said:
            return replace(tried, attempts=0, reason=said.reason)
        case Refused() as said:
            return replace(tried, reason=said.reason, status=said.reply.enhanced)
        case said:
            return replace(tried, reason=said.reason)

"""A message's recipients as the queue keeps them: before, amid and after an attempt. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from relay.delivery import Attempt
from relay.outcome import Accepted, Deferred, Outcome, Refused
from relay.preparation import Prepared
from relay.queue.contract import RecipientEntry, State
from relay.settlement import state_after


def fresh_entries(prepared: Prepared) -> tuple[RecipientEntry, ...]:
    """Make entries of which none was tried."""
    return tuple(RecipientEntry(position, recipient) for position, recipient in enumerate(prepared.recipients))


def entries_after(prepared: Prepared, outcomes: Mapping[str, Outcome], now: float) -> tuple[RecipientEntry, ...]:
    """Make entries as an attempt left them; all recipients have an outcome."""
    return tuple(_entry_after(entry, outcomes[entry.recipient.key], now) for entry in fresh_entries(prepared))


def entries_amid(prepared: Prepared, attempt: Attempt, now: float) -> tuple[RecipientEntry, ...]:
    """Make entries as they stand while an attempt runs."""
    in_call = {recipient.key for recipient in attempt.under_way.recipients} if attempt.under_way else set()
    entries = []
    for entry in fresh_entries(prepared):
        outcome = attempt.outcomes.get(entry.recipient.key)
        if outcome is not None:
            entries.append(_entry_after(entry, outcome, now))
        elif entry.recipient.key in in_call:
            entries.append(replace(entry, state=State.SENDING, attempts=1, changed_at=now))
        else:
            entries.append(entry)
    return tuple(entries)


def _entry_after(entry: RecipientEntry, outcome: Outcome, now: float) -> RecipientEntry:
    tried = replace(entry, state=state_after(outcome), attempts=1, changed_at=now)
    match outcome:
        case Accepted():
            return replace(
                tried,
                provider_message_id=outcome.provider_message_id,
                provider_batch_id=outcome.provider_batch_id,
                reason=outcome.remark,
            )
        case Refused() | Deferred():
            return replace(tried, reason=outcome.reason)

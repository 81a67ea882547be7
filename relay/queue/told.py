"""What a result becomes in the rows of recipient and attempt. Pure."""

from dataclasses import dataclass
from typing import assert_never

from relay.outcome import Accepted, Deferred, Outcome, Refused
from relay.queue.contract import Action, Result, State
from relay.queue.rows import Value

#: What the history and the recipient say of an attempt that nobody ended.
INTERRUPTED = "the attempt was interrupted; the provider may have it"

#: What stores write of one attempt that has ended.
HISTORY_COLUMNS = (
    "message, position, owner, now, seconds, call, outcome, maybe_accepted, reason, provider_message_id, "
    "provider_batch_id"
)
#: What stores write of where one recipient stands then.
RESULT_COLUMNS = (
    "message, position, state, reason, due_at, now, is_accepted, provider_message_id, provider_batch_id, taken_back, "
    "status, owed"
)


@dataclass(frozen=True, slots=True)
class Told:
    """An outcome as the history keeps it."""

    word: str
    reason: str
    status: str = ""  # RFC 3463, of a refusal
    maybe_accepted: bool = False
    provider_message_id: str = ""
    provider_batch_id: str = ""


def told(outcome: Outcome) -> Told:
    """Put an outcome into the words of the history."""
    match outcome:
        case Accepted():
            return Told(
                "accepted",
                outcome.remark,
                provider_message_id=outcome.provider_message_id,
                provider_batch_id=outcome.provider_batch_id,
            )
        case Refused():
            return Told("refused", outcome.reason, outcome.reply.enhanced)
        case Deferred():
            return Told("deferred", outcome.reason, maybe_accepted=outcome.maybe_accepted)
        case _:
            assert_never(outcome)


def was_tried(result: Result) -> bool:
    """Tell whether a call was made for it."""
    return not isinstance(result.outcome, Deferred) or result.outcome.was_tried


def history_row(seq: int, result: Result, *, owner: str, now: float, seconds: float, call: str) -> tuple[Value, ...]:
    """Return what the history says of one result, in the order of `HISTORY_COLUMNS`."""
    said = told(result.outcome)
    return (
        seq,
        result.position,
        owner,
        now,
        seconds,
        call,
        said.word,
        said.maybe_accepted,
        said.reason,
        said.provider_message_id,
        said.provider_batch_id,
    )


def recipient_row(seq: int, result: Result, before: State, owed: Action | None, now: float) -> tuple[Value, ...]:
    """Return what becomes of a recipient, in the order of `RESULT_COLUMNS`."""
    words = told(result.outcome)
    taken_back = before is State.SENDING and not was_tried(result)
    return (
        seq,
        result.position,
        result.state,
        words.reason,
        result.due_at,
        now,
        words.word == "accepted",
        words.provider_message_id,
        words.provider_batch_id,
        taken_back,
        words.status,
        owed,
    )

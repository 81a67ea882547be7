"""What a result becomes in the rows of recipient and attempt. Pure."""

from dataclasses import dataclass
from typing import assert_never

from relay.outcome import Accepted, Deferred, Outcome, Refused
from relay.queue.contract import Result


@dataclass(frozen=True, slots=True)
class Told:
    """An outcome as the history keeps it."""

    word: str
    reason: str
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
            return Told("refused", outcome.reason)
        case Deferred():
            return Told("deferred", outcome.reason, outcome.maybe_accepted)
        case _:
            assert_never(outcome)


def was_tried(result: Result) -> bool:
    """Tell whether a call was made for it."""
    return not isinstance(result.outcome, Deferred) or result.outcome.was_tried

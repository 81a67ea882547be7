"""What one report tells: of whom, which action, which status. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from relay.mime import Glance
from relay.queue.contract import FINAL_STATES, RecipientEntry, State
from relay.queue.reporting import Untold
from relay.queue.telling import wants_delay


class Told(StrEnum):
    """What became of a recipient: the Action field's words (RFC 3464 section 2.3.3) that the gateway can say."""

    FAILED = "failed"
    DELAYED = "delayed"
    RELAYED = "relayed"


#: Statuses where the API gave none (RFC 3463): delivery time expired, and what says no more than the class.
_EXPIRED, _FAILED, _DELAYED, _RELAYED = "4.4.7", "5.0.0", "4.0.0", "2.0.0"


@dataclass(frozen=True, slots=True)
class Line:
    """One recipient in a report."""

    entry: RecipientEntry
    told: Told
    status: str  # RFC 3463
    attempted_at: float | None = None  # None: it was never attempted


def lines_of(untold: Untold) -> tuple[Line, ...]:
    """Tell what is to be said of whom; nothing: no report is needed after all."""
    lines = [(entry, _told(entry, is_noticed=untold.notice_at is not None)) for entry in untold.entries]
    return tuple(
        Line(entry, told, _status(entry, told), untold.attempted_at.get(entry.position))
        for entry, told in lines
        if told is not None
    )


def needs_no_report(seen: Glance) -> str:
    """Tell why a message's sender is not told anything, whatever it asked for; empty: it is.

    Reports and automatic answers, whose senders failed to give the null sender: a report of one might make another.
    What a program sends by itself (auto-generated) is ordinary mail here, and its owner wants to know.
    """
    if seen.content_type == "multipart/report":
        return "the message is a report itself"
    return "the message is an automatic answer itself" if seen.auto_submitted == "auto-replied" else ""


def _told(entry: RecipientEntry, *, is_noticed: bool) -> Told | None:
    is_final = entry.state in FINAL_STATES
    if is_final and entry.owed is not None:
        return Told(entry.owed.value)
    # What is held is not tried until a person says so, and nobody can say until when.
    is_late = is_noticed and not is_final and entry.state is not State.HELD and wants_delay(entry.recipient.notify)
    return Told.DELAYED if is_late else None


def _status(entry: RecipientEntry, told: Told) -> str:
    match told:
        case Told.FAILED if entry.state is State.EXPIRED:
            return _EXPIRED
        case Told.FAILED:
            return entry.status or _FAILED
        case Told.DELAYED:
            return _DELAYED
        case Told.RELAYED:
            return _RELAYED

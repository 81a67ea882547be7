"""What every store offers for reports to senders: what is still to be told, and the reports on their way.

Two steps, each durable. What a message owes its sender is written in the transaction in which a recipient comes to its
end, and the body stays until it is told. Then the report is made, and kept in the transaction in which the message
stops owing it: so none is lost, and none is made twice. From there on it waits, is tried and ends by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from relay.message import Message, MessageId
from relay.queue.contract import RecipientEntry


class ReportState(StrEnum):
    """Where a report stands. The same words in SQL, log and metrics."""

    QUEUED = "queued"  # waits for its next attempt
    SENDING = "sending"  # an attempt is journalled and has not ended
    SENT = "sent"  # its return route has it
    GIVEN_UP = "given_up"  # its return route did not take it in time, or ever will


@dataclass(frozen=True, slots=True)
class Untold:
    """A message of which its sender is to be told something, as it stood when it was looked at."""

    message: Message  # its data may be empty: gone, or not readable
    entries: tuple[RecipientEntry, ...]  # all of them; `owed` says what is to be told of each
    expires_at: float  # when the message is given up
    notice_at: float | None = None  # that it still waits is to be told, too, since then; None: it is not
    attempted_at: Mapping[int, float] = field(default_factory=dict)  # by position: when its last attempt ended


@dataclass(frozen=True, slots=True)
class Report:
    """One report to one sender."""

    id: MessageId  # its own
    message_id: MessageId  # of the message that it tells of
    account: str
    sender: str  # whom it is for: the MAIL FROM of that message
    data: bytes  # as it is sent
    made_at: float
    attempts: int = 0  # that were begun, this one included
    owner: str = ""  # who is sending it


class Reports(Protocol):
    """Durable keeping of what senders are to be told: a store's `reports`.

    Every method is one transaction, synced when it returns. All raise QueueError when the store fails, and then
    nothing was changed.
    """

    async def untold(self, limit: int) -> Sequence[Untold]:
        """List messages of which their sender is to be told something by now, the longest due first. Nothing is
        leased: of several who look, one tells.
        """

    async def told(self, untold: Untold, report: Report | None) -> bool:
        """Keep the report of what `untold` owes, and owe it no more; the body goes if nobody else needs it. None:
        there is nothing to say after all. Returns False, and changes nothing, where somebody told of it meanwhile.
        What has come to be owed since stays owed.
        """

    async def owe(self, message_id: MessageId, failures: Mapping[int, str]) -> int:
        """Have the sender told of recipients, by position with the reason, that failed otherwise than by an attempt:
        later than at the API's door, or because a person removed them. Recipients whose sender does not want to hear of
        failure are left out. Returns of how many it will be told; 0 also where there is no such message.
        """

    async def claim_reports(self, owner: str, limit: int, lease_seconds: float) -> Sequence[Report]:
        """Lease up to `limit` due reports to `owner`, the longest due first, and journal that they are being sent."""

    async def put_off(self, report: Report, due_at: float, reason: str) -> None:
        """Give a report back, due again at a time. Raises LeaseLost."""

    async def finish(self, report: Report, state: ReportState, reason: str = "") -> None:
        """Write down how a report ended, and let its data go. Raises LeaseLost."""

    async def waiting_reports(self) -> int:
        """Count the reports that are not finished."""

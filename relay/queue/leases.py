"""The messages that are worked on, as their rows tell: whose they are, and how their recipients stand. Pure."""

from dataclasses import dataclass, field

from relay.errors import LeaseLost, QueueError
from relay.queue.contract import Action, Claim, State


@dataclass(frozen=True, slots=True)
class Leased:
    """A message as its rows tell."""

    seq: int
    owner: str | None
    lease: int
    body_file: str | None = None  # where its body has a file of its own
    notice_at: float | None = None  # when its sender is told that it waits
    report_due_at: float | None = None  # when a report of it is to be made
    states: dict[int, State] = field(default_factory=dict)  # by position
    owed: dict[int, Action] = field(default_factory=dict)  # by position; what is still to be told


def lost(claim: Claim, leased: Leased | None) -> QueueError | None:
    """Return the error where a message is not its claimant's any more."""
    if leased is not None and leased.owner == claim.owner and leased.lease == claim.lease:
        return None
    return LeaseLost(f"message {claim.message.id}: the lease of {claim.owner} was lost")

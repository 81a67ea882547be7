"""Journalling, before calls go out, that they do: what is to be written of whom. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from relay.errors import QueueError
from relay.queue.contract import FINAL_STATES, Claim, State
from relay.queue.leases import Leased, lost
from relay.queue.rows import Value


@dataclass(frozen=True, slots=True)
class Beginning:
    """Recipients of a claimed message whose call is about to go out."""

    claim: Claim
    positions: Sequence[int]
    lease_seconds: float  # from now, when it is renewed
    now: float


@dataclass(frozen=True, slots=True)
class Begun:
    """What a batch of beginnings changes."""

    rows: list[tuple[Value, ...]] = field(default_factory=list)  # message, position, now
    seqs: list[int] = field(default_factory=list)  # messages whose lease is renewed
    interrupted: list[int] = field(default_factory=list)  # messages with an earlier attempt that nobody ended


def plan_begin(beginnings: Sequence[Beginning], known: Mapping[str, Leased]) -> tuple[Begun, list[QueueError | None]]:
    """Find out what is to be written; LeaseLost, or another error, where a call must not be made.

    Args:
        beginnings: of different messages.
        known: the messages by id, as `look_up` of the store tells.
    """
    begun = Begun()
    return begun, [_plan(each, known.get(each.claim.message.id), begun) for each in beginnings]


def _plan(beginning: Beginning, leased: Leased | None, begun: Begun) -> QueueError | None:
    error = lost(beginning.claim, leased)
    if error or leased is None:
        return error
    chosen = dict.fromkeys(beginning.positions)
    for position in chosen:
        if leased.states.get(position) in {None, *FINAL_STATES}:
            return QueueError(f"message {beginning.claim.message.id}: recipient {position} is not to be attempted")
    if any(leased.states[position] is State.SENDING for position in chosen):
        begun.interrupted.append(leased.seq)
    begun.seqs.append(leased.seq)
    begun.rows.extend((leased.seq, position, beginning.now) for position in chosen)
    return None

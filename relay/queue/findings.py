"""What a proof that comes to light beside the attempts settles. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from relay.queue.contract import FINAL_STATES, WAITING_STATES, Result, State


@dataclass(frozen=True, slots=True)
class Proven:
    """What is to be written of one message."""

    results: tuple[Result, ...]  # of recipients that nobody was sure of; empty: nothing is to be written
    is_finished: bool  # nobody waits any more
    waits: bool  # somebody but a person has something to do
    due_at: float | None  # when it is due because of what was proven, at the latest; None: the same as before


def prove(results: Sequence[Result], states: Mapping[int, State], now: float) -> Proven:
    """Find out what results settle of a message whose recipients are in these states, by position."""
    proven: dict[int, Result] = {}
    for result in results:  # the first proof of a recipient counts: after it nobody is in doubt
        if states.get(result.position) in {State.UNCONFIRMED, State.HELD}:
            proven.setdefault(result.position, result)
    after = {**states, **{position: result.state for position, result in proven.items()}}
    times = [now if one.due_at is None else one.due_at for one in proven.values() if one.state in WAITING_STATES]
    return Proven(
        tuple(proven.values()),
        is_finished=FINAL_STATES.issuperset(after.values()),
        waits=not WAITING_STATES.isdisjoint(after.values()),
        due_at=min(times, default=None),
    )

"""What is wrong now, and what to do about it: for a person who has just opened the first page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from relay.queue.contract import Counts, Pause, State

#: Mail that waits longer than this, though retries are not that long, deserves a look.
_OLD_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing to look at. The page has the words for each `kind`."""

    kind: Literal["store", "paused", "held", "unconfirmed", "old"]
    is_urgent: bool
    account: str = ""
    reason: str = ""
    count: int = 0
    seconds: float = 0.0  # how old, or until when


def troubles(counts: Counts | None, pauses: Sequence[Pause], now: float) -> Iterator[Trouble]:
    """Tell what is wrong, the worst first. `counts`: None: the store does not answer."""
    if counts is None:
        yield Trouble("store", is_urgent=True)
        return
    for pause in pauses:
        yield Trouble(
            "paused", is_urgent=True, account=pause.account, reason=pause.reason, seconds=max(0.0, pause.until - now)
        )
    if held := counts.by_state.get(State.HELD, 0):
        yield Trouble("held", is_urgent=True, count=held)
    if counts.oldest_received_at is not None and now - counts.oldest_received_at > _OLD_SECONDS:
        yield Trouble("old", is_urgent=False, count=counts.messages_open, seconds=now - counts.oldest_received_at)
    if unconfirmed := counts.by_state.get(State.UNCONFIRMED, 0):
        yield Trouble("unconfirmed", is_urgent=False, count=unconfirmed)

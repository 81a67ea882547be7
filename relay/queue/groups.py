"""Grouping what waits to be written, so that one transaction and one sync do for all of it. Pure.

What can be done for many at once is handed in as an item of a batch; items of one key stay in their order.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from relay.errors import QueueError

#: Operations in one transaction, so that none waits for an endless group.
GROUP_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Work:
    """One thing to be done, and who waits for it."""

    batch: Callable[..., Any]
    item: Any
    key: object
    future: asyncio.Future[Any]
    signals: bool  # something may become claimable by it


@dataclass(frozen=True, slots=True)
class Done:
    """How one thing ended."""

    work: Work
    value: object = None
    error: BaseException | None = None


def batches(group: Sequence[Work]) -> Iterator[list[Work]]:
    """Put together what can be done in one go, where its first item stands."""
    found: dict[tuple[object, int], list[Work]] = {}
    seen: Counter[tuple[object, object]] = Counter()
    for work in group:
        turn = seen[work.batch, work.key]
        seen[work.batch, work.key] += 1
        found.setdefault((work.batch, turn), []).append(work)
    return iter(found.values())


def told(works: Sequence[Work], said: Sequence[object]) -> Iterator[Done]:
    """Put what a batch said of each of its items beside them."""
    for work, one in zip(works, said, strict=True):
        yield Done(work, error=one) if isinstance(one, QueueError) else Done(work, one)


def failed(group: Sequence[Work], error: QueueError) -> list[Done]:
    """Tell everybody of a group the same error."""
    return [Done(work, error=_copy(error)) for work in group]


def settle(done: Sequence[Done]) -> bool:
    """Let everybody know, on the loop; returns whether something may have become claimable."""
    for one in done:
        if one.work.future.done():
            continue
        if one.error is not None:
            one.work.future.set_exception(one.error)
        else:
            one.work.future.set_result(one.value)
    return any(one.work.signals for one in done)


def _copy(error: QueueError) -> QueueError:
    # One object raised in many places would gather all their tracebacks.
    copy = type(error)(*error.args)
    copy.__cause__ = error.__cause__
    return copy

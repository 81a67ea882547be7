"""Measure whether a queue with a million messages works as fast as an empty one: `make scale`.

Rates are told in CPU per message, which other programs on the machine disturb less than the clock; the ratio to the
empty queue is what counts, and must not exceed 1.3. Waiting messages are of twenty accounts, half of them due, half of
them later. Another store is another entry of `STORES`.
"""

# ruff: noqa: T201 - it speaks to a person

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from bench.meter import cpu_seconds
from databases import Server
from pydantic import SecretStr

from relay.config.settings import StoreSettings
from relay.message import Envelope, EnvelopeRecipient, Message, Recipient, Role, new_message_id
from relay.outcome import Accepted
from relay.queue.contract import NewMessage, Queue, RecipientEntry, Result, State
from relay.queue.postgres import PostgresQueue
from relay.queue.sqlite import SqliteQueue

MOST_RATIO = 1.3
WORDS = ("put", "claim", "begin", "record")
_ACCOUNTS = 20
_SIZE_BYTES = 2048
_AT_ONCE = 50
_MEASURED = 2000
_TIMES = 3
_ROOMY = {"max_bytes": 1 << 42, "max_messages": 1 << 40}

_DONE = Result(0, Accepted("m", "b"), State.ACCEPTED)


@dataclass(frozen=True, slots=True)
class Opened:
    """A store to be measured, and what it has cost so far."""

    queue: Queue
    cpu_seconds: Callable[[], float]


@asynccontextmanager
async def sqlite_store():
    with tempfile.TemporaryDirectory() as folder:
        settings = StoreSettings(path=Path(folder) / "relay.db", min_free_bytes=0, **_ROOMY)
        queue = await SqliteQueue.open(settings, clock=time.time)
        try:
            yield Opened(queue, time.process_time)
        finally:
            await queue.close()


@asynccontextmanager
async def postgres_store():
    """A server of its own; its CPU counts."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        server.make()
        try:
            queue = await PostgresQueue.open(StoreSettings(url=SecretStr(server.database()), **_ROOMY), clock=time.time)
            pid = int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
            yield Opened(queue, lambda: time.process_time() + cpu_seconds(pid))
            await queue.close()
        finally:
            server.stop()


#: What opens an empty store of each kind.
STORES = {"sqlite": sqlite_store, "postgres": postgres_store}


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU for one message in each step; seconds."""

    waiting: int
    steps: dict[str, float]

    def ratio(self, empty: "Cost") -> dict[str, float]:
        return {word: self.steps[word] / empty.steps[word] for word in WORDS}


def new(number: int, *, due_in: float = 0.0, size: int = _SIZE_BYTES) -> NewMessage:
    now = time.time()
    address = f"u{number}@example.org"
    envelope = Envelope("app@example.com", (EnvelopeRecipient(address),))
    message = Message(new_message_id(), f"account{number % _ACCOUNTS}", envelope, b"x" * size, now, "127.0.0.1")
    return NewMessage(message, (RecipientEntry(0, Recipient(address, Role.TO)),), "queue", now + due_in, now + 86400)


async def fill(queue: Queue, waiting: int) -> None:
    """Half of it is due for long, half of it in an hour."""
    for start in range(0, waiting, 1000):
        some = range(start, min(start + 1000, waiting))
        await asyncio.gather(*(queue.put(new(n, due_in=3600 if n % 2 else -3600, size=200)) for n in some))


async def at_once(work: Callable[[object], Awaitable[None]], things: Iterator[object]) -> None:
    async def client() -> None:
        for thing in things:
            await work(thing)

    await asyncio.gather(*(client() for _ in range(_AT_ONCE)))


async def measure(store: Opened, number: Iterator[int]) -> dict[str, float]:
    """Put so many and work off as many, fifty at once, as a busy gateway does."""
    queue, spent = store.queue, dict.fromkeys(WORDS, 0.0)

    async def timed(word: str, doing: Awaitable[object]) -> object:
        begun = store.cpu_seconds()
        told = await doing
        spent[word] += (store.cpu_seconds() - begun) / _MEASURED
        return told

    made = [new(next(number)) for _ in range(_MEASURED)]
    await timed("put", at_once(queue.put, iter(made)))
    done = 0
    while done < _MEASURED:
        claims = await timed("claim", queue.claim("scale", _AT_ONCE, 600))
        await timed("begin", asyncio.gather(*(queue.begin(claim, [0], 600) for claim in claims)))
        ends = (queue.conclude(claim, [_DONE], None, seconds=0.1, call="send") for claim in claims)
        await timed("record", asyncio.gather(*ends))
        done += len(claims)
    return spent


async def cost(store: str, waiting: int) -> Cost:
    """Measure in one store, several times; the least counts, for the rest is other people's work."""
    async with STORES[store]() as opened:
        await fill(opened.queue, waiting)
        number = count()
        rounds = [await measure(opened, number) for _ in range(_TIMES)]
    return Cost(waiting, {word: min(each[word] for each in rounds) for word in WORDS})


def show(found: list[Cost]) -> None:
    print("| waiting | " + " | ".join(f"{word}, ms of CPU (ratio)" for word in WORDS) + " |")
    print("| --- |" + " --- |" * len(WORDS))
    for each in found:
        ratio = each.ratio(found[0])
        cells = (f"{1000 * each.steps[word]:.3f} ({ratio[word]:.2f})" for word in WORDS)
        print(f"| {each.waiting:,} | " + " | ".join(cells) + " |", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", choices=sorted(STORES), default="sqlite")
    parser.add_argument("--waiting", type=int, nargs="+", default=[100_000, 1_000_000])
    asked = parser.parse_args()
    found = [asyncio.run(cost(asked.store, waiting)) for waiting in (0, *asked.waiting)]
    show(found)
    worst = max(ratio for each in found for ratio in each.ratio(found[0]).values())
    print(f"worst ratio {worst:.2f}, allowed {MOST_RATIO}")
    return int(worst > MOST_RATIO)


if __name__ == "__main__":
    sys.exit(main())

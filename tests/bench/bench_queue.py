"""Measure the queue alone: putting at once, the life of a message, and both behind a hundred thousand others.

Run it on a quiet machine: `python tests/bench/bench_queue.py [commit|life|scale ...]`. Rates drift with the disk; CPU
and ratios within one run are what counts.
"""

# ruff: noqa: T201 - it speaks to a person

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from relay.config.settings import StoreSettings
from relay.message import Envelope, EnvelopeRecipient, Message, Recipient, Role, new_message_id
from relay.outcome import Accepted
from relay.queue.contract import NewMessage, Pause, RecipientEntry, Result, State
from relay.queue.sqlite import SqliteQueue


def new(size: int, account: str = "acme") -> NewMessage:
    address = f"{os.urandom(6).hex()}@example.org"
    envelope = Envelope("app@example.com", (EnvelopeRecipient(address),))
    message = Message(new_message_id(), account, envelope, os.urandom(size), time.time(), "127.0.0.1")
    entries = (RecipientEntry(0, Recipient(address, Role.TO)),)
    return NewMessage(message, entries, "queue", time.time(), time.time() + 86400)


def settings(folder: Path) -> StoreSettings:
    return StoreSettings(path=folder / "relay.db", min_free_bytes=0, max_bytes=1 << 40)


@asynccontextmanager
async def opened():
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
        queue = await SqliteQueue.open(settings(Path(folder)), clock=time.time)
        try:
            yield queue
        finally:
            await queue.close()


async def rate(put: Callable[[NewMessage], Awaitable[None]], mails: list[NewMessage], at_once: int) -> float:
    waiting = iter(mails)

    async def client() -> None:
        for mail in waiting:
            await put(mail)

    begun = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(at_once)))
    return len(mails) / (time.perf_counter() - begun)


async def bench_commit() -> None:
    print("puts, each awaited until it is synced")
    for size, at_once in ((2048, 1), (2048, 10), (2048, 50), (2048, 200), (51200, 10), (51200, 50)):
        count = 1500 if size < 10000 else 600
        async with opened() as queue:
            cpu = time.process_time()
            each = await rate(queue.put, [new(size) for _ in range(count)], at_once)
            cpu = 1000 * (time.process_time() - cpu) / count
            grouped = count / queue._writer.commits
        print(f"  {size:>6} B, {at_once:>3} at once: {each:6.0f}/s, {cpu:.3f} ms of CPU, {grouped:.1f} puts a commit")


async def one_life(queue: SqliteQueue, limit: int) -> int:
    claims = await queue.claim("bench", limit, 60)

    async def work(claim) -> None:
        await queue.begin(claim, [0], 60)
        await queue.conclude(claim, [Result(0, Accepted("m", "b"), State.ACCEPTED)], None, seconds=0.1, call="send")

    await asyncio.gather(*map(work, claims))
    return len(claims)


async def life(queue: SqliteQueue, label: str, count: int) -> None:
    wall, cpu, done = time.perf_counter(), time.process_time(), 0
    while done < count:
        got = await one_life(queue, 50)
        if not got:
            break
        done += got
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"  {label}: {done / wall:6.0f}/s, {1000 * cpu / done:.3f} ms of CPU for claim + begin + conclude")


async def bench_life() -> None:
    print("the life of a 2 KB message, 50 at a time")
    async with opened() as queue:
        mails = [new(2048) for _ in range(1000)]
        cpu = time.process_time()
        await rate(queue.put, mails, 50)
        print(f"  put: {1000 * (time.process_time() - cpu) / 1000:.3f} ms of CPU")
        await life(queue, "no others waiting", 1000)


async def backlog(queue: SqliteQueue, count: int, account: str, due_in: float) -> None:
    due = time.time() + due_in
    for _ in range(0, count, 1000):
        mails = [new(200, account) for _ in range(1000)]
        for mail in mails:
            object.__setattr__(mail, "due_at", due)
        await asyncio.gather(*map(queue.put, mails))


async def timed(label: str, ask: Callable[[], Awaitable[object]]) -> None:
    times = []
    for _ in range(20):
        begun = time.perf_counter()
        await ask()
        times.append(time.perf_counter() - begun)
    print(f"  {label}: {1000 * statistics.median(times):.2f} ms")


async def bench_scale() -> None:
    waiting = int(os.environ.get("BENCH_WAITING", "100000"))
    print(f"with {waiting} messages of one account waiting")
    async with opened() as queue:
        await backlog(queue, waiting, "big", -100)
        await timed("stats", queue.stats)
        await timed("next_due_at", queue.next_due_at)
        await life(queue, "from the head of it", 1000)
        await queue.pause(Pause("big", time.time() + 3600, "credits", 1))
        await rate(queue.put, [new(2048, "small") for _ in range(1000)], 50)
        await life(queue, "behind it, paused", 1000)
        await timed("claim with nothing due behind it", lambda: queue.claim("bench", 50, 60))
        await timed("next_due_at behind it", queue.next_due_at)
        for number in range(1000):
            await queue.put(new(200, f"account{number:04}"))
        await timed("claim of 1 of 1001 accounts behind it", lambda: queue.claim("bench", 1, 60))
        await timed("volume", lambda: queue.volume("big", 0.0, 4e9))


BENCHES = {"commit": bench_commit, "life": bench_life, "scale": bench_scale}


if __name__ == "__main__":
    for name in sys.argv[1:] or BENCHES:
        asyncio.run(BENCHES[name]())

"""Measure the queue: group commit against its alternatives, the life of a message, where big bodies belong.

Run it on a quiet machine: `python tests/bench/bench_queue.py [commit|life|scale|bodies ...]`. Rates drift with the
disk; the ratios within one run are what counts.
"""

# ruff: noqa: T201 - it speaks to a person

import asyncio
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

from relay.config.settings import StoreSettings
from relay.message import Envelope, EnvelopeRecipient, Message, Recipient, Role, new_message_id
from relay.outcome import Accepted
from relay.queue.contract import NewMessage, Pause, RecipientEntry, Result, State
from relay.queue.sqlite import SqliteQueue, bodies, keeping
from relay.queue.sqlite.connection import connect
from relay.queue.sqlite.room import Room
from relay.queue.sqlite.writer import Writer

CHUNK = 512 * 1024


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


class Each:
    """The alternative: one thread, one transaction for each operation; `hop` says how the caller gets there."""

    def __init__(self, path: Path) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._room = Room(settings(path.parent), time.time)
        self._connection = self._thread.submit(lambda: connect(path)).result()

    def _put(self, mail: NewMessage) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        keeping.insert(self._connection, mail, None, self._room, time.time())
        self._connection.execute("COMMIT")

    async def put(self, mail: NewMessage) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._put, mail)

    def close(self) -> None:
        self._thread.submit(self._connection.close).result()
        self._thread.shutdown()


async def bench_commit() -> None:
    print("puts a second: group of all that wait | groups of one, same thread | run_in_executor each")
    for size, at_once in ((2048, 1), (2048, 10), (2048, 50), (2048, 200), (51200, 10), (51200, 50)):
        count = 1500 if size < 10000 else 600
        async with opened() as queue:
            mails = [[new(size) for _ in range(count)] for _ in range(3)]
            grouped = await rate(queue.put, mails[0], at_once)
            per_commit = count / queue._writer.commits
            ones = Ones(queue._path)
            single = await rate(ones.put, mails[1], at_once)
            ones.close()
            each = Each(queue._path)
            executor = await rate(each.put, mails[2], at_once)
            each.close()
        print(
            f"  {size:>6} B, {at_once:>3} at once: {grouped:6.0f} | {single:6.0f} | {executor:6.0f}   "
            f"({grouped / single:.1f}x, {grouped / executor:.1f}x; {per_commit:.1f} puts a commit)"
        )


class Ones:
    """The alternative: the same writer thread, its groups held to one operation."""

    def __init__(self, path: Path) -> None:
        self._writer = Writer(path, group_limit=1)
        self._room = Room(settings(path.parent), time.time)

    async def put(self, mail: NewMessage) -> None:
        await self._writer.do(lambda connection: keeping.insert(connection, mail, None, self._room, time.time()))

    def close(self) -> None:
        self._writer.close()


async def one_life(queue: SqliteQueue, limit: int) -> int:
    claims = await queue.claim("bench", limit, 60)

    async def work(claim) -> None:
        await queue.begin(claim, [0], 60)
        await queue.record(claim, [Result(0, Accepted("m", "b"), State.ACCEPTED)], seconds=0.1, call="send")
        await queue.release(claim, None)

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
    print(f"  {label}: {done / wall:6.0f}/s, {1000 * cpu / done:.3f} ms of CPU for claim + begin + record + release")


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


def put_rows(path: Path, mail: NewMessage, chunk: int) -> None:
    """The alternative: a big body as rows of chunks, each its own transaction, then the message."""
    connection = connect(path)
    connection.execute("CREATE TABLE IF NOT EXISTS chunk (id TEXT, number INT, data BLOB, PRIMARY KEY (id, number))")
    data = memoryview(mail.message.data)
    for number, offset in enumerate(range(0, len(data), chunk)):
        values = (mail.message.id, number, data[offset : offset + chunk])
        connection.execute("INSERT INTO chunk VALUES (?, ?, ?)", values)
    connection.close()


async def with_small(
    queue: SqliteQueue, big: Callable[[], Awaitable[None]], streams: int, seconds: float
) -> tuple[float, float, float, float]:
    """Put big mails in some streams and small ones beside them; returns big a second, and the small ones' times."""
    until = time.perf_counter() + seconds
    done, times = 0, []

    async def stream() -> None:
        nonlocal done
        while time.perf_counter() < until:
            await big()
            done += 1

    async def small() -> None:
        while time.perf_counter() < until:
            mail = new(2048)
            begun = time.perf_counter()
            await queue.put(mail)
            times.append(time.perf_counter() - begun)
            await asyncio.sleep(0.01)

    await asyncio.gather(small(), *(stream() for _ in range(streams)))
    times = sorted(times) or [float("nan")]
    return done / seconds, statistics.median(times) * 1000, times[int(len(times) * 0.95)] * 1000, times[-1] * 1000


async def bench_bodies() -> None:
    print("two streams of big mail beside small ones: big/s; small put ms (median, 95 %, worst)")
    for size in (65536, 98304, 131072, 262144, 1 << 20, 5 << 20, 20 << 20):
        for way in ("row", "chunks", "file"):
            async with opened() as queue:
                mail = new(size)

                async def big(way=way, queue=queue, mail=mail) -> None:
                    fresh = new(0)
                    object.__setattr__(fresh.message, "data", mail.message.data)
                    if way == "chunks":
                        await asyncio.to_thread(put_rows, queue._path, fresh, CHUNK)
                        object.__setattr__(fresh.message, "data", b"")
                        await queue.put(fresh)
                    elif way == "row":
                        await queue._write(lambda c: keeping.insert(c, fresh, None, queue._room, time.time()))
                    else:
                        await queue._put_big(fresh)

                try:
                    rate_, median, most, worst = await with_small(queue, big, 2, 2.0)
                except sqlite3.OperationalError as error:
                    print(f"  {size >> 10:>6} KB {way:>6}: {error}")
                    continue
            print(f"  {size >> 10:>6} KB {way:>6}: {rate_:7.1f}/s; {median:6.1f} {most:6.1f} {worst:6.1f}")
    print(f"  threshold: {bodies.FILE_THRESHOLD_BYTES >> 10} KB")


BENCHES = {"commit": bench_commit, "life": bench_life, "scale": bench_scale, "bodies": bench_bodies}


if __name__ == "__main__":
    for name in sys.argv[1:] or BENCHES:
        asyncio.run(BENCHES[name]())

"""The writer: one sync for whatever waits, and each operation on its own."""

import asyncio
import sqlite3
import threading

import pytest
from queue_parts import ACCEPTED, claim_one, new, states

from relay.errors import QueueError, QueueFull
from relay.queue.contract import Result, State
from relay.queue.sqlite.turn import Turn
from relay.queue.sqlite.writer import Writer


class Gate:
    """An operation that keeps the writer busy, so that others gather behind it."""

    def __init__(self, writer) -> None:
        self.entered, self.open = threading.Event(), threading.Event()
        self.done = writer.submit(self._wait)

    def _wait(self, _connection):
        self.entered.set()
        self.open.wait(10)


@pytest.fixture
async def gate(queue):
    gate = Gate(queue._writer)
    await asyncio.to_thread(gate.entered.wait, 10)
    yield gate
    gate.open.set()
    await gate.done


def break_transaction(connection):
    """Do what SQLite does by itself on a full disk: take the whole transaction back."""
    connection.execute("ROLLBACK")
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorname = "SQLITE_FULL"
    raise error


async def test_five_hundred_puts_at_once_end_in_few_commits(queue):
    before = queue._writer.commits
    await asyncio.gather(*(queue.put(new()) for _ in range(500)))

    assert 500 == (await queue.stats()).messages_open
    assert queue._writer.commits - before <= 10


async def test_groups_have_an_end(store, queue):
    writer = Writer(store.path, Turn(store.path), group_limit=10)
    gate = Gate(writer)
    await asyncio.to_thread(gate.entered.wait, 10)
    waiting = [writer.submit(lambda _: None) for _ in range(100)]
    gate.open.set()
    await asyncio.gather(*waiting)
    await asyncio.to_thread(writer.close)

    assert 11 == writer.commits


async def test_an_operation_that_fails_takes_back_only_its_own(queue, gate):
    made = [new(), new(), new()]
    await asyncio.sleep(0)

    def fail(connection):
        connection.execute("UPDATE tally SET value = 99")
        raise QueueError("not this one")

    first = asyncio.create_task(queue.put(made[0]))
    await asyncio.sleep(0)
    failing = queue._writer.submit(fail)
    second = asyncio.create_task(queue.put(made[1]))
    await asyncio.sleep(0)
    gate.open.set()

    with pytest.raises(QueueError, match="not this one"):
        await failing
    await asyncio.gather(first, second)
    assert 2 == (await queue.stats()).messages_open


async def test_a_bug_in_one_operation_stays_with_its_caller(queue):
    with pytest.raises(ZeroDivisionError):
        await queue._writer.submit(lambda _: 1 / 0)

    await queue.put(new())


@pytest.mark.parametrize("trouble", [break_transaction, lambda connection: connection.execute("ROLLBACK") and 1 / 0])
async def test_a_transaction_that_is_lost_fails_all_of_the_group_and_changes_nothing(queue, gate, trouble):
    first = asyncio.create_task(queue.put(new()))
    await asyncio.sleep(0)
    breaking = queue._writer.submit(trouble)
    second = asyncio.create_task(queue.put(new()))
    await asyncio.sleep(0)
    gate.done.add_done_callback(lambda done: done.exception())
    gate.open.set()

    results = await asyncio.gather(first, breaking, second, return_exceptions=True)

    assert {True} == {isinstance(result, QueueError) for result in results}
    assert 3 == len({id(result) for result in results})
    assert 0 == (await queue.stats()).messages_open
    gate.done = asyncio.sleep(0)
    await queue.put(new())
    assert 1 == (await queue.stats()).messages_open


async def test_a_commit_that_fails_fails_all_of_the_group_and_changes_nothing(queue):
    """A reference that dangles until the commit makes COMMIT itself fail."""

    def dangle(connection):
        connection.execute("PRAGMA defer_foreign_keys = ON")
        connection.execute("INSERT INTO body (message, data) VALUES (4711, x'00')")

    gate = Gate(queue._writer)
    await asyncio.to_thread(gate.entered.wait, 10)
    waiting = [asyncio.create_task(queue.put(new())) for _ in range(5)]
    await asyncio.sleep(0)
    dangling = queue._writer.submit(dangle)
    gate.open.set()
    await gate.done

    results = await asyncio.gather(dangling, *waiting, return_exceptions=True)

    assert [True] * 6 == [isinstance(result, QueueError) for result in results]
    assert 0 == (await queue.stats()).messages_open
    await queue.put(new())
    assert 1 == (await queue.stats()).messages_open


async def test_operations_are_done_in_the_order_they_were_handed_in(queue, gate):
    made = new(message_id="01J0000000000000000000000A")
    twice = [asyncio.create_task(queue.put(made)) for _ in range(2)]
    await asyncio.sleep(0)
    gate.open.set()

    first, second = await asyncio.gather(*twice, return_exceptions=True)

    assert first is None
    assert isinstance(second, QueueError)


async def test_closing_finishes_what_was_handed_in(open_store):
    queue = await open_store()
    gate = Gate(queue._writer)
    waiting = [asyncio.create_task(queue.put(new())) for _ in range(50)]
    await asyncio.sleep(0)
    closing = asyncio.create_task(queue.close())
    gate.open.set()
    await asyncio.gather(closing, *waiting)

    assert 50 == (await (await open_store()).stats()).messages_open


def test_a_loop_that_ended_does_not_stop_the_writer(store, clock):
    """What was handed in is written although nobody can be told any more."""
    from relay.queue.sqlite import SqliteQueue  # noqa: PLC0415

    parts = {}

    async def begin():
        parts["queue"] = queue = await SqliteQueue.open(store, clock=clock)
        parts["gate"] = Gate(queue._writer)
        await asyncio.to_thread(parts["gate"].entered.wait, 10)
        task = asyncio.create_task(queue.put(new()))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(begin())
    parts["gate"].open.set()
    parts["queue"]._close()

    async def count():
        queue = await SqliteQueue.open(store, clock=clock)
        counts = await queue.stats()
        await queue.close()
        return counts.messages_open

    assert 1 == asyncio.run(count())


async def test_results_that_were_told_are_durable_for_another_connection(queue, store):
    await queue.put(new())
    claim = await claim_one(queue)
    await queue.begin(claim, [0], 60)
    await queue.record(claim, [ACCEPTED], seconds=1)

    other = sqlite3.connect(store.path)
    state = other.execute("SELECT state FROM recipient").fetchone()[0]
    other.close()

    assert "accepted" == state


async def test_the_history_keeps_each_attempt_and_each_finding_once(queue, store, clock):
    from relay.outcome import Deferred, Refused  # noqa: PLC0415

    await queue.put(new("a@x.example", "b@x.example"))
    claim = await claim_one(queue)
    await queue.begin(claim, [0, 1], 60)
    clock.advance(2)
    unsure = Result(0, Deferred("cut off", maybe_accepted=True), State.UNCONFIRMED)
    for _ in range(2):
        await queue.record(claim, [unsure, Result(1, Refused("no"), State.REFUSED)], seconds=1.5, call="send")
    clock.advance(10)
    for _ in range(2):
        await queue.record(claim, [ACCEPTED], seconds=0.0, call="look")
    await queue.put(new())
    cut = await claim_one(queue)
    await queue.begin(cut, [0], 60)
    await queue.begin(cut, [0], 60)
    await queue.release(cut, clock.now)

    history = await queue._reader.ask(lambda connection: [tuple(row) for row in connection.execute(_HISTORY)])

    at = clock.now - 12
    why = "the attempt was interrupted; the provider may have it"
    assert [
        (1, 0, 1, 1, at, at + 2, 1.5, "send", "deferred", 1, "cut off", "", ""),
        (1, 0, 2, 1, at + 12, at + 12, 0.0, "look", "accepted", 0, "", "m-1", "b-1"),
        (1, 1, 1, 1, at, at + 2, 1.5, "send", "refused", 0, "no", "", ""),
        (2, 0, 1, 1, at + 12, at + 12, None, "", "interrupted", 1, why, "", ""),
        (2, 0, 2, 2, at + 12, at + 12, None, "", "interrupted", 1, why, "", ""),
    ] == history
    assert [State.UNCONFIRMED] == await states(queue, cut.message.id)


_HISTORY = """
SELECT message, position, entry, number, begun_at, ended_at, seconds, call, outcome, maybe_accepted, reason,
    provider_message_id, provider_batch_id
FROM attempt ORDER BY message, position, entry
"""


async def test_the_history_keeps_a_proof_as_a_finding(queue, clock):
    from relay.outcome import Deferred  # noqa: PLC0415

    await queue.put(new())
    claim = await claim_one(queue)
    await queue.begin(claim, [0], 60)
    at = clock.now
    await queue.record(claim, [Result(0, Deferred("cut off", maybe_accepted=True), State.UNCONFIRMED)], seconds=1.5)
    clock.advance(10)
    await queue.confirm(claim.message.id, [ACCEPTED])

    history = await queue._reader.ask(lambda connection: [tuple(row) for row in connection.execute(_HISTORY)])

    assert [
        (1, 0, 1, 1, at, at, 1.5, "", "deferred", 1, "cut off", "", ""),
        (1, 0, 2, 1, at + 10, at + 10, 0.0, "", "accepted", 0, "", "m-1", "b-1"),
    ] == history


async def test_a_full_group_tells_a_full_disk(queue):
    with pytest.raises(QueueFull, match="disk is full"):
        await queue._writer.submit(break_transaction)

"""Big bodies as files: the order of syncs, what is left behind, what is lost."""

import asyncio
import os
import sqlite3
from pathlib import Path

import pytest
from queue_parts import ACCEPTED, NOON, claim_one, ids, new, random_data, states

from relay.errors import QueueError, QueueFull
from relay.queue.contract import State
from relay.queue.sqlite.bodies import FILE_THRESHOLD_BYTES, BodyFiles

BIG = FILE_THRESHOLD_BYTES + 1


def body_files(store) -> list[Path]:
    return sorted(Path(f"{store.path}.bodies").iterdir())


async def settled(condition):
    """Wait for what a thread does after the commit that allowed it."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - a file has no event
            await asyncio.sleep(0.01)


async def test_small_bodies_are_rows_and_big_ones_files(queue, store):
    await queue.put(new(data=bytes(BIG - 1)))
    assert [] == body_files(store)

    await queue.put(new(data=bytes(BIG)))
    assert [BIG] == [file.stat().st_size for file in body_files(store)]


async def test_file_then_folder_are_synced_before_the_row_is_there(queue, store):
    """Recorded where it matters: at each sync, what was synced and how many messages the table had."""
    synced = []

    def sync(descriptor):
        kept = sqlite3.connect(store.path)
        synced.append((Path(f"/proc/self/fd/{descriptor}").readlink(), kept.execute(_COUNT).fetchone()[0]))
        kept.close()
        os.fsync(descriptor)

    queue._files = BodyFiles(store.path, sync=sync)
    await queue.put(new(data=bytes(BIG)))

    (file,) = body_files(store)
    assert [(file, 0), (file.parent, 0)] == synced
    assert 1 == (await queue.stats()).messages_open


_COUNT = "SELECT count(*) FROM message"


def test_the_folder_is_made_durable(tmp_path):
    synced = []
    files = BodyFiles(tmp_path / "relay.db", sync=lambda fd: synced.append(Path(f"/proc/self/fd/{fd}").readlink()))
    files.prepare()
    files.prepare()

    assert [tmp_path] == synced


async def test_the_file_goes_with_the_last_recipient(queue, store):
    await queue.put(new(data=bytes(BIG)))
    claim = await claim_one(queue)
    await queue.begin(claim, [0], 60)
    await queue.record(claim, [ACCEPTED], seconds=1)
    assert 1 == len(body_files(store))

    await queue.release(claim, None)

    await settled(lambda: not body_files(store))


async def test_the_row_goes_with_the_last_recipient(queue):
    await queue.put(new(data=b"secret"))
    claim = await claim_one(queue)
    await queue.begin(claim, [0], 60)
    await queue.record(claim, [ACCEPTED], seconds=1)
    await queue.release(claim, None)

    bodies, kept = await queue._reader.ask(
        lambda c: (c.execute("SELECT count(*) FROM body").fetchone()[0], c.execute(_KEPT).fetchone()[0])
    )

    assert (0, 0) == (bodies, kept)


_KEPT = "SELECT value FROM tally WHERE name = 'bytes_kept'"


async def test_a_held_message_keeps_its_file_and_can_be_read(queue, store):
    data = random_data(BIG)
    await queue.put(new("a@x.example", "b@x.example", states=[State.HELD, State.ACCEPTED], data=data))

    assert [data] == [file.read_bytes() for file in body_files(store)]


async def test_a_finished_message_never_writes_a_file(queue, store):
    await queue.put(new(states=[State.ACCEPTED], data=bytes(BIG)))

    assert [] == body_files(store)


async def test_a_message_found_finished_loses_its_file(queue, store, clock):
    await queue.put(new(data=bytes(BIG)))
    claim = await claim_one(queue, "a", 10)
    await queue.begin(claim, [0], 10)
    await queue.record(claim, [ACCEPTED], seconds=1)
    clock.advance(10)

    await queue.claim("b", 1, 10)

    await settled(lambda: not body_files(store))


async def test_a_message_finished_by_proof_loses_its_file(queue, store):
    made = new(states=[State.UNCONFIRMED], data=bytes(BIG))
    await queue.put(made)

    await queue.confirm(made.message.id, [ACCEPTED])

    await settled(lambda: not body_files(store))


async def test_a_message_finished_by_proof_keeps_its_file_while_it_is_leased(queue, store):
    made = new(states=[State.UNCONFIRMED], data=bytes(BIG))
    await queue.put(made)
    claim = await claim_one(queue)
    await queue.confirm(made.message.id, [ACCEPTED])
    assert 1 == len(body_files(store))

    await queue.release(claim, NOON)

    await settled(lambda: not body_files(store))


async def test_files_without_a_row_are_swept_at_open_and_others_stay(open_store, store):
    queue = await open_store()
    made = new(data=random_data(BIG))
    await queue.put(made)
    await queue.close()
    folder = Path(f"{store.path}.bodies")
    (folder / "01J0000000000000000000000A.00000000.body").write_bytes(b"half of")
    (folder / "somebody's notes").write_bytes(b"not ours")

    queue = await open_store()

    assert ["somebody's notes"] == [file.name for file in body_files(store) if made.message.id not in file.name]
    assert made.message == (await claim_one(queue)).message


async def test_workers_that_share_a_store_sweep_nothing(open_store, store):
    await (await open_store()).close()
    other = Path(f"{store.path}.bodies") / "01J0000000000000000000000A.00000000.body"
    other.write_bytes(b"its row is about to come")

    await open_store(exclusive=False)

    assert other.exists()


@pytest.mark.parametrize("text", ["ana@example.org", "\udcff@example.org"])
async def test_a_put_that_fails_leaves_no_file(queue, store, text):
    first = new(message_id="01J0000000000000000000000A")
    await queue.put(first)

    with pytest.raises((QueueError, UnicodeEncodeError)):
        await queue.put(new(text, message_id=first.message.id, data=bytes(BIG)))

    await settled(lambda: not body_files(store))


def _missing(file):
    file.unlink()


def _cut(file):
    file.write_bytes(file.read_bytes()[:-1])


def _altered(file):
    data = bytearray(file.read_bytes())
    data[1000] ^= 1
    file.write_bytes(data)


@pytest.mark.parametrize("damage", [_missing, _cut, _altered])
async def test_a_lost_file_holds_its_own_message_alone(queue, store, damage):
    lost, fine = new("a@x.example", "b@x.example", data=random_data(BIG), due_at=NOON - 1), new(data=random_data(BIG))
    await queue.put(lost)
    damage(body_files(store)[0])
    await queue.put(fine)

    found = await queue.claim("worker", 10, 60)

    assert [fine.message.id] == ids(found)
    assert [State.HELD, State.HELD] == await states(queue, lost.message.id)
    assert lost.message.id in (await queue.entries(lost.message.id))[0].reason
    assert await queue.next_due_at() is None


@pytest.mark.parametrize(
    "damage", ["DELETE FROM body WHERE message = 1", "UPDATE body SET data = x'00' WHERE message = 1"]
)
async def test_a_lost_row_holds_its_own_message_alone(queue, damage):
    lost, fine = new(due_at=NOON - 1), new()
    await queue.put(lost)
    await queue.put(fine)
    await queue._writer.submit(lambda connection: connection.execute(damage))

    assert [fine.message.id] == ids(await queue.claim("worker", 10, 60))
    assert [State.HELD] == await states(queue, lost.message.id)


async def test_a_damaged_page_holds_its_own_message_alone(open_store, store):
    """The pages that continue a body are overwritten with rubbish in the file itself."""
    queue = await open_store()
    lost, fine = new(data=b"L" * 50_000, due_at=NOON - 1), new(data=b"F" * 50_000)
    await queue.put(lost)
    await queue.put(fine)
    await queue.close()
    content = bytearray(store.path.read_bytes())
    page = content.index(b"L" * 4000) // 4096 * 4096
    content[page : page + 4] = b"\xff\xff\xff\xf0"  # where the next page of the body is said to be
    store.path.write_bytes(content)

    queue = await open_store()

    assert [fine.message.id] == ids(await queue.claim("worker", 10, 60))
    assert [State.HELD] == await states(queue, lost.message.id)


async def test_a_disk_that_does_not_answer_is_asked_again(queue, store, clock):
    made = new(data=random_data(BIG))
    await queue.put(made)
    (file,) = body_files(store)
    data = file.read_bytes()
    file.unlink()
    file.mkdir()  # reading it fails, and not because it is missing

    assert [] == await queue.claim("worker", 10, 600)
    assert NOON + 60 == await queue.next_due_at()
    assert [State.QUEUED] == await states(queue, made.message.id)
    file.rmdir()
    file.write_bytes(data)
    clock.advance(60)

    assert made.message == (await claim_one(queue)).message


class Told:
    """Notes what is told of damage, and in which thread."""

    def __init__(self) -> None:
        self.calls = []

    def __call__(self, message_id, reason, is_held):
        asyncio.get_running_loop()  # raises in any other thread
        self.calls.append((message_id, reason, is_held))


async def test_a_lost_body_is_told_once(open_store, store):
    told = Told()
    queue = await open_store(on_damage=told)
    lost, fine = new(data=random_data(BIG), due_at=NOON - 1), new(data=random_data(BIG))
    await queue.put(lost)
    _missing(body_files(store)[0])
    await queue.put(fine)

    for _ in range(2):
        await queue.claim("worker", 10, 60)

    ((message_id, reason, is_held),) = told.calls
    assert (lost.message.id, True) == (message_id, is_held)
    assert "missing" in reason
    assert reason == (await queue.entries(lost.message.id))[0].reason


async def test_a_body_to_be_asked_for_again_is_told_as_not_held(open_store, store, clock):
    told = Told()
    queue = await open_store(on_damage=told)
    made = new(data=random_data(BIG))
    await queue.put(made)
    (file,) = body_files(store)
    file.unlink()
    file.mkdir()  # reading it fails, and not because it is missing

    for count in (1, 2):
        await queue.claim("worker", 10, 600)
        assert [(made.message.id, False)] * count == [(message_id, is_held) for message_id, _, is_held in told.calls]
        clock.advance(60)


async def test_trouble_in_telling_does_not_cost_the_claim_of_the_others(open_store, store):
    def fail(*_):
        raise ZeroDivisionError

    queue = await open_store(on_damage=fail)
    trouble = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: trouble.append(context["exception"]))
    await queue.put(new(data=random_data(BIG), due_at=NOON - 1))
    _missing(body_files(store)[0])
    fine = new()
    await queue.put(fine)

    assert [fine.message.id] == ids(await queue.claim("worker", 10, 60))
    assert [ZeroDivisionError] == [type(error) for error in trouble]


async def test_a_lost_body_that_proof_made_needless_is_not_told(open_store, store):
    """The proof comes between the lease and the look for the body."""
    told = Told()
    queue = await open_store(on_damage=told)
    made = new(states=[State.UNCONFIRMED], data=random_data(BIG))
    await queue.put(made)
    claimed = queue._claimed

    async def proven_first(leased, owner, rows):
        await queue.confirm(made.message.id, [ACCEPTED])
        return await claimed(leased, owner, rows)

    queue._claimed = proven_first
    _missing(body_files(store)[0])
    assert [] == await queue.claim("worker", 10, 60)
    assert [] == await queue.claim("worker", 10, 60)

    assert [] == told.calls
    assert [State.ACCEPTED] == await states(queue, made.message.id)
    assert await queue.next_due_at() is None


async def test_a_disk_that_fills_while_a_file_is_written_is_told_and_leaves_nothing(queue, store):
    def sync(_descriptor):
        raise OSError(28, "No space left on device")

    queue._files = BodyFiles(store.path, sync=sync)
    with pytest.raises(QueueFull, match="disk is full"):
        await queue.put(new(data=bytes(BIG)))

    assert [] == body_files(store)


def test_a_file_that_cannot_be_deleted_now_is_left_to_the_sweep(tmp_path):
    files = BodyFiles(tmp_path / "relay.db")
    files.prepare()
    (tmp_path / "relay.db.bodies" / "folder.body").mkdir()

    files.remove(["folder.body", "missing.body"])


async def test_a_big_put_does_not_hold_up_small_ones(queue, store):
    """The file is written outside the writer thread: small mail is committed while its sync hangs."""
    go_on = asyncio.Event()
    loop = asyncio.get_running_loop()

    def sync(descriptor):
        asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result(10)
        os.fsync(descriptor)

    queue._files = BodyFiles(store.path, sync=sync)
    big = asyncio.create_task(queue.put(new(data=bytes(BIG))))
    await asyncio.sleep(0)
    await asyncio.wait_for(queue.put(new()), 5)
    assert not big.done()

    go_on.set()
    await big

"""Full, read-only and failing disks: 452 before it happens, and all is well again after."""

import asyncio
import os
import subprocess

import pytest
from queue_parts import ACCEPTED, NOON, SetClock, claim_one, new, random_data

from relay.config.settings import StoreSettings
from relay.errors import QueueError, QueueFull
from relay.queue.contract import Action, State
from relay.queue.sqlite.room import Room, free_bytes

MB = 1024 * 1024


async def finish(queue):
    claim = await claim_one(queue)
    await queue.begin(claim, [0], 60)
    await queue.record(claim, [ACCEPTED], seconds=1)
    await queue.release(claim, None)


@pytest.mark.parametrize("size", [1000, 200_000])
async def test_more_than_max_bytes_is_refused_until_something_is_delivered(tmp_path, open_store, size):
    settings = StoreSettings(path=tmp_path / "relay.db", min_free_bytes=0, max_bytes=2 * size)
    queue = await open_store(settings)
    await queue.put(new(data=random_data(size)))
    await queue.put(new(data=random_data(size)))
    with pytest.raises(QueueFull, match="max_bytes"):
        await queue.put(new(data=b"x"))
    await queue.put(new(data=random_data(size), states=[State.ACCEPTED]))  # history needs no room
    await queue.check()

    await finish(queue)

    await queue.put(new(data=random_data(size)))
    assert 1 == len(list((tmp_path / "relay.db.bodies").iterdir())) or size < MB


async def test_more_than_max_messages_are_refused_until_one_is_finished(tmp_path, open_store):
    queue = await open_store(StoreSettings(path=tmp_path / "relay.db", min_free_bytes=0, max_messages=2))
    told = await asyncio.gather(*(queue.put(new()) for _ in range(3)), return_exceptions=True)
    assert [None, None, QueueFull] == [error if error is None else type(error) for error in told]
    with pytest.raises(QueueFull, match="max_messages"):
        await queue.put(new(data=bytes(200_000)))
    await queue.put(new(states=[State.ACCEPTED]))  # history needs no room
    assert 0 == await queue.room()

    await finish(queue)

    await queue.put(new())


@pytest.mark.parametrize("size", [1000, 200_000])
@pytest.mark.parametrize("bound", [{"max_bytes": 100}, {"max_messages": 1}])
async def test_a_report_is_owed_also_where_there_is_no_room_for_its_header(tmp_path, open_store, size, bound):
    """Some recipients have the mail and its client hears 250: nobody else will ever tell of the refused one."""
    queue = await open_store(StoreSettings(path=tmp_path / "relay.db", min_free_bytes=0, **bound))
    await queue.put(new(data=bytes(100)))
    mixed = ("ana@example.org", "bad@example.org")
    made = new(*mixed, states=[State.ACCEPTED, State.REFUSED], data=random_data(size))

    await queue.put(made)

    (untold,) = await queue.reports.untold(10)
    assert (made.message.id, b"") == (untold.message.id, untold.message.data)
    assert [None, Action.FAILED] == [entry.owed for entry in untold.entries]
    with pytest.raises(QueueFull):
        await queue.put(new(*mixed, states=[State.QUEUED, State.REFUSED], data=random_data(size)))
    await queue.close()
    assert [] == list((tmp_path / "relay.db.bodies").iterdir())


async def test_the_room_that_is_left_can_be_asked_for(tmp_path, open_store):
    path = tmp_path / "relay.db"
    queue = await open_store(StoreSettings(path=path, min_free_bytes=0, max_bytes=5000))
    assert 5000 == await queue.room()
    await queue.put(new(data=bytes(3000)))
    assert 2000 == await queue.room()
    await queue.close()

    queue = await open_store(StoreSettings(path=path, min_free_bytes=1 << 60))
    assert 0 == await queue.room()


@pytest.mark.parametrize("size", [10, 200_000])
async def test_the_reserve_is_not_touched_by_new_mail(tmp_path, open_store, size):
    queue = await open_store(StoreSettings(path=tmp_path / "relay.db", min_free_bytes=0))
    await queue.put(new())
    await queue.close()
    queue = await open_store(StoreSettings(path=tmp_path / "relay.db", min_free_bytes=1 << 60))

    with pytest.raises(QueueFull, match="free some space"):
        await queue.put(new(data=bytes(size)))

    await finish(queue)
    assert [] == list((tmp_path / "relay.db.bodies").iterdir())


def test_the_disk_is_looked_at_once_a_second_and_what_was_taken_counts(tmp_path):
    clock, free, looks = SetClock(), [1000], []

    def ask(folder):
        looks.append(folder)
        return free[0]

    room = Room(StoreSettings(path=tmp_path / "relay.db", min_free_bytes=100), clock, free=ask)
    room.take_disk(500)
    room.take_disk(400)
    with pytest.raises(QueueFull):
        room.take_disk(1)
    assert [tmp_path] == looks

    clock.advance(0.5)
    with pytest.raises(QueueFull):
        room.take_disk(1)
    clock.advance(-3600)  # set back
    room.take_disk(900)
    assert 2 == len(looks)


def test_free_bytes_are_those_of_an_ordinary_user(tmp_path):
    status = os.statvfs(tmp_path)

    assert 0 < free_bytes(tmp_path) <= status.f_bfree * status.f_frsize


async def test_a_database_that_may_not_grow_refuses_and_recovers(queue, clock):
    """As on a full disk: SQLITE_FULL; the journal of what was accepted still works, and so does mail afterwards."""
    await queue.put(new())
    pages = await queue._writer.submit(lambda c: c.execute("PRAGMA page_count").fetchone()[0])
    await queue._writer.submit(lambda c: c.execute(f"PRAGMA max_page_count = {pages + 5}").fetchone())

    with pytest.raises(QueueFull, match="disk is full"):
        await fill(queue, clock, [], 50_000, 100)
    before = (await queue.stats()).messages_open

    await queue.put(new(data=bytes(50_000)))  # the writer took a fresh connection, without the bound
    assert before + 1 == (await queue.stats()).messages_open
    await queue.check()


class SmallDisk:
    """A disk of its own, as small as wanted."""

    def __init__(self, folder) -> None:
        self.folder = folder
        self._sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]

    def mount(self, megabytes, *options):
        options = ",".join([f"size={megabytes}m", f"uid={os.geteuid()}", *options])
        command = [*self._sudo, "mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.folder)]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0

    def unmount(self):
        subprocess.run([*self._sudo, "umount", "-l", str(self.folder)], check=True)

    def settings(self, min_free_bytes=0):
        return StoreSettings(path=self.folder / "relay.db", min_free_bytes=min_free_bytes)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 4 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    disk = SmallDisk(folder)
    if not disk.mount(4):
        pytest.skip("needs the right to mount")
    yield disk
    disk.unmount()


async def fill(queue, clock, kept, size, until):
    """Put until the store refuses."""
    for _ in range(until):
        made = new(data=random_data(size))
        await queue.put(made)
        kept.append(made.message)
        clock.advance(1)


@pytest.mark.parametrize("size", [2000, 60_000, 300_000])
async def test_a_full_disk_loses_nothing_and_is_over_when_there_is_room(small_disk, open_store, clock, size):
    """Filled to the last page, again and again, then given room while open."""
    queue = await open_store(small_disk.settings())
    kept = []
    with pytest.raises(QueueFull):
        await fill(queue, clock, kept, size, 10_000)
    ballast = small_disk.folder / "ballast"
    ballast.write_bytes(bytes(max(0, free_bytes(small_disk.folder) - 4096)))
    for _ in range(3):
        with pytest.raises(QueueError):
            await fill(queue, clock, kept, size, 50)

    small_disk.mount(64, "remount")
    clock.advance(1)
    await fill(queue, clock, kept, size, 3)

    assert ["ok"] == await queue._reader.ask(lambda c: [row[0] for row in c.execute("PRAGMA integrity_check")])
    found = [claim.message for claim in await queue.claim("worker", 10_000, 60)]
    assert set(kept) <= set(found)
    assert len(found) == (await queue.stats()).messages_open


async def test_a_full_disk_is_over_without_a_restart(small_disk, open_store, clock):
    queue = await open_store(small_disk.settings())
    ballast = small_disk.folder / "ballast"
    ballast.write_bytes(bytes(free_bytes(small_disk.folder)))
    kept = []
    with pytest.raises(QueueFull):
        await fill(queue, clock, kept, 100_000, 1000)

    ballast.unlink()
    clock.advance(1)

    await fill(queue, clock, kept, 100_000, 1)
    assert set(kept) == {claim.message for claim in await queue.claim("worker", 100, 60)}


async def test_a_reserve_kept_free_lets_outcomes_be_written(small_disk, open_store, clock):
    """What `min_free_bytes` is for: new mail is refused, what is under way is recorded."""
    small_disk.mount(32, "remount")
    queue = await open_store(small_disk.settings(min_free_bytes=16 * MB))
    kept = []
    with pytest.raises(QueueFull, match="free some space"):
        await fill(queue, clock, kept, 40_000, 10_000)
    for _ in kept:
        await finish(queue)

    assert len(kept) > 50
    assert len(kept) == (await queue.stats()).by_state[State.ACCEPTED]


async def test_a_store_turned_read_only_is_an_error_and_over_when_it_is_over(queue):
    """As after a remount: the connection in use may only read; the next one may write again."""
    await queue._writer.submit(lambda c: c.execute("PRAGMA query_only = ON"))

    with pytest.raises(QueueError, match="cannot be written"):
        await queue.put(new())
    queue._writer._disconnect()

    await queue.put(new())
    assert NOON == (await claim_one(queue)).message.received_at


async def test_prune_gives_the_pages_of_a_backlog_back_to_the_disk(open_store, store, clock, monkeypatch):
    monkeypatch.setattr("relay.queue.sqlite.keeping._SPARE_PAGES", 100)
    queue = await open_store()
    for _ in range(60):
        await queue.put(new(data=bytes(60_000)))
    for _ in range(60):
        await finish(queue)
    await queue._writer.submit(lambda c: None)
    before = await queue._reader.ask(lambda c: c.execute("PRAGMA page_count").fetchone()[0])
    clock.advance(1)

    assert 60 == await queue.prune(clock.now, 1000)

    free, pages = await queue._reader.ask(
        lambda c: [c.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_count")]
    )
    assert free <= 100
    assert pages < before / 3

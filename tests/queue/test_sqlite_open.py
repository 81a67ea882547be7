"""Opening the SQLite store: what it makes, what it refuses and in which words."""

import asyncio
import fcntl
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from queue_parts import NOON, claim_one, new, random_data

from relay.config.settings import StoreSettings
from relay.errors import QueueError
from relay.queue.migration import scripts
from relay.queue.sqlite.connection import connect
from relay.queue.sqlite.migration import migrate


def at(path) -> StoreSettings:
    return StoreSettings(path=path, min_free_bytes=0)


def rows(path, sql):
    connection = sqlite3.connect(path)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


async def test_files_are_for_nobody_else(queue, store):
    await queue.put(new())
    await queue.put(new(data=random_data(200_000)))

    files = list(store.path.parent.rglob("*"))

    assert {"relay.db", "relay.db-wal", "relay.db-shm", "relay.db.lock", "relay.db.bodies"} <= {
        file.name for file in files
    }
    assert [] == [file.name for file in files if file.stat().st_mode & 0o077]


async def test_every_commit_is_synced_to_a_log(queue, store):
    await queue.check()

    pragmas = await queue._reader.ask(
        lambda c: [
            c.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    )

    assert ["wal", 2, 1] == pragmas


@pytest.mark.parametrize(
    ("make", "cure"),
    [
        (lambda path: path / "missing" / "relay.db", "folder is missing"),
        (lambda path: _file(path / "file", b"") / "relay.db", "not a folder"),
        (lambda path: _folder(path / "relay.db"), "is a folder"),
        (lambda path: _file(path / "relay.db", b"no database at all " * 100), "not an SQLite database"),
        (lambda path: _database(path / "relay.db", "CREATE TABLE theirs (x)"), "another program's"),
        (lambda path: _newer(path / "relay.db"), "newer version"),
        (lambda path: path / ("x" * 300), "too long"),
    ],
    ids=["no folder", "file for a folder", "folder for a file", "no database", "foreign", "newer", "long"],
)
async def test_what_cannot_be_a_store_is_refused_with_its_cure(tmp_path, open_store, make, cure):
    path = make(tmp_path)

    with pytest.raises(QueueError, match=cure) as caught:
        await open_store(at(path))

    assert str(path) in str(caught.value)


async def test_a_refused_store_is_not_left_locked(tmp_path, open_store):
    path = _database(tmp_path / "relay.db", "CREATE TABLE theirs (x)")
    with pytest.raises(QueueError):
        await open_store(at(path))
    path.unlink()

    await (await open_store(at(path))).check()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_a_folder_that_may_not_be_written_is_refused_with_its_cure(tmp_path):
    """In a process of its own that is nobody: root may write everywhere."""
    program = (
        "import asyncio, os, sys, time\n"
        "from pathlib import Path\n"
        "from relay.config.settings import StoreSettings\n"
        "from relay.queue.sqlite import SqliteQueue\n"
        "os.chdir(sys.argv[1]); os.setuid(65534)\n"
        "asyncio.run(SqliteQueue.open(StoreSettings(path=Path('relay.db')), clock=time.time))\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False)

    assert "QueueError: store relay.db: it may not be opened; let the relay's user" in done.stderr


async def test_a_store_on_a_disk_without_a_log_is_refused(tmp_path, monkeypatch):
    """In memory SQLite has no log, as on some network file systems."""
    monkeypatch.setattr(Path, "as_uri", lambda _: "file::memory:")

    with pytest.raises(QueueError, match="no write-ahead log"):
        connect(tmp_path / "relay.db")


async def test_two_gateways_cannot_have_one_store(open_store, store):
    first = await open_store()

    with pytest.raises(QueueError, match="another gateway") as caught:
        await open_store()
    with pytest.raises(QueueError, match="another gateway"):
        await open_store(exclusive=False)

    assert str(store.path) in str(caught.value)
    await first.close()
    await (await open_store()).check()


async def test_workers_of_one_gateway_share_a_store(open_store):
    first, second = await open_store(exclusive=False), await open_store(exclusive=False)
    await first.put(new())

    assert 1 == len(await second.claim("b", 10, 60))
    with pytest.raises(QueueError, match="another gateway"):
        await open_store()


async def test_a_lock_that_cannot_be_had_is_told(open_store, monkeypatch):
    def no_locks(_file, _kind):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)

    with pytest.raises(QueueError, match="local disk"):
        await open_store()


async def test_opening_twice_changes_the_schema_once(open_store, store):
    for _ in range(2):
        await (await open_store()).close()

    assert [(number,) for number in sorted(scripts("sqlite"))] == rows(
        store.path, "SELECT number FROM migration ORDER BY number"
    )


def test_a_later_script_runs_on_an_earlier_store(tmp_path):
    path = tmp_path / "relay.db"
    connection = connect(path, create=True)
    migrate(connection, path, {1: scripts("sqlite")[1]}, NOON)
    later = {
        1: "this would fail",
        2: "-- a remark; with a semicolon\nCREATE TABLE later (x);\nINSERT INTO later VALUES (1);\n",
    }

    migrate(connection, path, later, NOON)
    migrate(connection, path, later, NOON)
    connection.close()

    assert [(1,)] == rows(path, "SELECT x FROM later")


def test_a_script_that_fails_leaves_nothing_behind(tmp_path):
    path = tmp_path / "relay.db"
    connection = connect(path, create=True)

    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, path, {1: "CREATE TABLE one (x);\nCREATE TABLE one (x);\n"}, NOON)

    connection.close()
    assert [] == rows(path, "SELECT name FROM sqlite_schema")


async def test_processes_that_start_together_make_one_schema(store, open_store):
    queues = await asyncio.gather(*(open_store(exclusive=False) for _ in range(4)))
    await asyncio.gather(*(queue.put(new()) for queue in queues))

    assert 4 == (await queues[0].stats()).messages_open


async def test_a_store_that_vanished_is_not_replaced_by_an_empty_one(queue, store):
    await queue.put(new())
    await queue._writer.submit(lambda _: None)
    for file in store.path.parent.glob("relay.db*"):
        if file.is_file():
            file.unlink()
    queue._writer._disconnect()

    with pytest.raises(QueueError, match="cannot be opened"):
        await queue.put(new())

    assert not store.path.exists()


async def test_a_read_store_is_an_error_while_locked_and_works_again(queue, store, monkeypatch):
    await queue.put(new())
    monkeypatch.setattr("relay.queue.sqlite.connection._PRAGMAS", ("PRAGMA busy_timeout = 10",))
    queue._writer._disconnect()
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")

    with pytest.raises(QueueError, match="another program"):
        await queue.check()

    other.close()
    await queue.check()
    assert NOON == (await claim_one(queue)).message.received_at


def _file(path, data):
    path.write_bytes(data)
    return path


def _folder(path):
    path.mkdir()
    return path


def _database(path, *statements):
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()
    return path


def _newer(path):
    return _database(
        path,
        "CREATE TABLE migration (number INTEGER PRIMARY KEY, applied_at REAL NOT NULL)",
        "INSERT INTO migration VALUES (999, 0)",
    )

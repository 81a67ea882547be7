"""Several processes that write to one store: each in its turn."""

import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from relay.queue.sqlite.turn import Turn

ROUNDS = 300
TAKER = Path(__file__).with_name("taker.py")


def take(path, me, rounds):
    return subprocess.Popen(
        [sys.executable, TAKER, path, str(me), str(rounds)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "relay.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE written (seq INTEGER PRIMARY KEY, who INTEGER)")
    connection.close()
    return path


def test_processes_that_write_at_once_all_get_on_and_none_is_turned_away(database):
    takers = [take(database, me, ROUNDS) for me in (1, 2)]
    for taker in takers:
        assert taker.stdout.readline() == "ready\n"
    for taker in takers:
        taker.stdin.write("go\n")
        taker.stdin.flush()
    for taker in takers:
        taker.communicate(timeout=60)

    written = [who for (who,) in sqlite3.connect(database).execute("SELECT who FROM written ORDER BY seq")]

    assert [0, 0] == [taker.returncode for taker in takers]
    assert [ROUNDS, ROUNDS] == [written.count(1), written.count(2)]


def test_who_waits_is_let_in_before_who_has_just_left(tmp_path):
    """A writer whose next group is ready at once must not come in again past somebody who waits."""
    mine, other = (Turn(tmp_path / "relay.db") for _ in range(2))
    order = []

    def wait():
        with other:
            order.append("other")

    with mine:
        waiting = threading.Thread(target=wait)
        waiting.start()
        _until_waiting(tmp_path / "relay.db.turn")
    with mine:
        order.append("mine")
    waiting.join()

    assert ["other", "mine"] == order


def test_a_writer_that_is_killed_in_its_turn_holds_up_nobody(database):
    taker = take(database, 1, 1_000_000)
    assert taker.stdout.readline() == "ready\n"
    taker.stdin.write("go\n")
    taker.stdin.flush()
    turn = Turn(database)
    for _ in range(3):
        with turn:  # it is at it, or waits at the door
            pass
    taker.send_signal(signal.SIGKILL)
    taker.communicate(timeout=60)

    with turn:
        pass
    turn.close()


def test_a_turn_that_cannot_be_had_leaves_nothing_open(tmp_path):
    (tmp_path / "relay.db.turn").mkdir()

    with pytest.raises(IsADirectoryError):
        Turn(tmp_path / "relay.db")


def _until_waiting(path):
    """Return when somebody waits for the lock of a file: the kernel lists such a one with an arrow."""
    inode = f":{path.stat().st_ino} "
    while not any("->" in line and inode in line for line in Path("/proc/locks").read_text().splitlines()):
        threading.Event().wait(0.001)

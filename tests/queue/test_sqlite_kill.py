"""kill -9 at any instant: what was acknowledged is there, and the file is whole."""

import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

from queue_parts import NOON

from relay.queue.contract import State

KILLS = int(os.environ.get("RELAY_TEST_KILLS", "20"))


def run_and_kill(path, after_seconds: float) -> list[str]:
    """Let the program put for a while, kill it in the middle; returns what it told."""
    with subprocess.Popen(
        [sys.executable, Path(__file__).with_name("putter.py"), path], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout.readline() == "ready\n"
        timer = threading.Timer(after_seconds, os.kill, (child.pid, signal.SIGKILL))
        timer.start()
        told = child.stdout.read().splitlines(keepends=True)
        timer.join()
    assert -signal.SIGKILL == child.returncode
    return [line.strip() for line in told if line.endswith("\n")]


def names_in(folder: str) -> set[str]:
    return {file.name for file in Path(folder).iterdir()}


async def test_what_was_acknowledged_survives_being_killed(store, open_store):
    rng = random.Random(1)
    acknowledged, begun = set(), set()
    for _ in range(KILLS):
        for line in run_and_kill(store.path, rng.uniform(0.0, 0.15)):
            word, _, message_id = line.rpartition(" ")
            (begun if word else acknowledged).add(message_id)

    queue = await open_store()
    assert ["ok"] == await queue._reader.ask(lambda c: [row[0] for row in c.execute("PRAGMA integrity_check")])
    assert [] == await queue._reader.ask(lambda c: c.execute("PRAGMA foreign_key_check").fetchall())
    await queue.recover("worker")
    clockless = await queue._reader.ask(
        lambda c: {row[0] for row in c.execute("SELECT id FROM message WHERE kept_bytes = size AND size > 0")}
    )
    attempted = await queue._reader.ask(
        lambda c: {
            row[0] for row in c.execute("SELECT id FROM message JOIN recipient ON message = seq WHERE attempts > 0")
        }
    )
    assert acknowledged
    assert set() == acknowledged - clockless
    assert set() == begun - attempted
    named = await queue._reader.ask(
        lambda c: {row[0] for row in c.execute("SELECT body_file FROM message WHERE body_file IS NOT NULL")}
    )
    assert named == names_in(f"{store.path}.bodies")
    counts = await queue.stats()
    assert len(clockless) == sum(counts.by_state.values())
    assert 0 == counts.by_state[State.SENDING]


async def test_every_body_that_survived_a_kill_is_whole(store, open_store, clock):
    run_and_kill(store.path, 0.3)
    queue = await open_store()
    await queue.recover("worker")
    clock.now = NOON * 3  # everything is due

    found = []
    while claims := await queue.claim("check", 50, 60):
        found += claims

    counts = await queue.stats()
    assert len(found) == counts.messages_open > 0
    assert 0 == counts.by_state[State.HELD]

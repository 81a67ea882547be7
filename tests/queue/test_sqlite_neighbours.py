"""Several processes on one file: what one knows, all know, also when it was killed."""

import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from neighbour import MARK

from relay.errors import BeingTaken
from relay.queue.contract import Doubt
from relay.queue.sqlite import SqliteQueue

NEIGHBOURS, TIMES = 3, 40


def start(store, number):
    return subprocess.Popen(
        [sys.executable, Path(__file__).with_name("neighbour.py"), store.path, f"local/{number}", str(TIMES)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def go(child):
    child.stdin.write("go\n")
    child.stdin.flush()


async def test_processes_share_counts_and_takings_and_a_killed_one_leaves_what_it_began(store):
    with ExitStack() as stack:
        children = [stack.enter_context(start(store, number)) for number in range(NEIGHBOURS)]
        stack.callback(lambda: [child.kill() for child in children])
        assert ["ready\n"] * NEIGHBOURS == [child.stdout.readline() for child in children]
        for child in children:
            go(child)
        said = [child.stdout.readline().strip() for child in children]
        assert ["busy"] * (NEIGHBOURS - 1) + ["taken"] == sorted(said)
        taker = said.index("taken")
        children[taker].kill()
        children[taker].wait()

        queue = await SqliteQueue.open(store, clock=time.time, exclusive=False)
        try:
            counted = (await queue.standings(["client 192.0.2.1"]))["client 192.0.2.1"].failures
            assert NEIGHBOURS * TIMES == counted
            mine = Doubt(time.time(), time.time() + 10)
            with pytest.raises(BeingTaken):
                await queue.open_doubt(MARK, mine, owner="local/9", token=b"9", lease_seconds=300.0)
            await queue.recover(f"local/{taker}")
            known = await queue.open_doubt(MARK, mine, owner="local/9", token=b"9", lease_seconds=300.0)
            assert {f"local/{taker}"} == known.maybe_accepted
        finally:
            await queue.close()

"""A program that shares a store with others like it: counts failures, takes a message, and waits to be killed."""

import asyncio
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

from relay.config.settings import StoreSettings
from relay.errors import BeingTaken
from relay.queue.contract import Doubt, Standing
from relay.queue.sqlite import SqliteQueue

MARK = b"\x07" * 16


def one_more(known: Standing | None) -> Standing:
    now = time.time()
    return replace(known, failures=known.failures + 1) if known else Standing(1, now, now, now + 1000)


async def main(path: str, owner: str, times: int) -> None:
    settings = StoreSettings(path=Path(path), min_free_bytes=0)
    queue = await SqliteQueue.open(settings, clock=time.time, exclusive=False)
    os.write(1, b"ready\n")
    await asyncio.to_thread(sys.stdin.readline)
    for _ in range(times):
        await queue.change_standing("client 192.0.2.1", one_more)
    begun = Doubt(time.time(), time.time() + 1000, maybe_accepted=frozenset({owner}))
    try:
        await queue.open_doubt(MARK, begun, owner=owner, token=owner.encode(), lease_seconds=300.0)
    except BeingTaken:
        os.write(1, b"busy\n")
    else:
        os.write(1, b"taken\n")
    await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))

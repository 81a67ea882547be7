"""A program that puts messages in a loop and tells each one that was acknowledged. It is killed."""

import asyncio
import os
import sys
import time
from pathlib import Path

from queue_parts import new

from relay.config.settings import StoreSettings
from relay.queue.sqlite import SqliteQueue


async def main(path: str) -> None:
    queue = await SqliteQueue.open(StoreSettings(path=Path(path), min_free_bytes=0), clock=time.time)

    async def client(size: int) -> None:
        while True:
            made = new(data=os.urandom(size))
            await queue.put(made)
            os.write(1, f"{made.message.id}\n".encode())

    async def worker() -> None:
        while True:
            for claim in await queue.claim("worker", 5, 60):
                await queue.begin(claim, [0], 60)
                os.write(1, f"begun {claim.message.id}\n".encode())
                await queue.release(claim, 4e9)

    os.write(1, b"ready\n")
    await asyncio.gather(*(client(size) for size in (100, 2000, 2000, 50_000, 300_000)), worker())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))

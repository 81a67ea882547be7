"""The store of one test, on a file of its own."""

import pytest
from queue_parts import SetClock

from relay.config.settings import StoreSettings
from relay.queue.sqlite import SqliteQueue


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture
def store(tmp_path):
    """Settings for a store that is short of nothing."""
    return StoreSettings(path=tmp_path / "relay.db", min_free_bytes=0)


@pytest.fixture
async def open_store(clock, store):
    """Open stores that are closed after the test."""
    opened = []

    async def open_one(settings=store, **more):
        queue = await SqliteQueue.open(settings, clock=clock, **more)
        opened.append(queue)
        return queue

    yield open_one
    for queue in opened:
        await queue.close()


@pytest.fixture
async def queue(open_store):
    return await open_store()

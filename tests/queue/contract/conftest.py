"""The contract's suite runs on every store: another store is another parameter of `make_queue`."""

import pytest

from relay.config.settings import StoreSettings
from relay.queue.postgres import PostgresDesk, PostgresQueue
from relay.queue.sqlite import SqliteDesk


@pytest.fixture(params=["sqlite", "postgres"])
def kind(request):
    """Which store."""
    return request.param


@pytest.fixture
def here(request, kind, store):
    """Where the store of this test is."""
    return store if kind == "sqlite" else StoreSettings(url=request.getfixturevalue("database"))


@pytest.fixture
async def make_queue(kind, here, clock, open_store):
    """Open the store of this test; again: as another worker of the same gateway."""
    opened = []

    async def make():
        if kind == "sqlite":
            return await open_store(exclusive=False)
        opened.append(await PostgresQueue.open(here, clock=clock, lease_clock=clock, exclusive=False))
        return opened[-1]

    yield make
    for queue in opened:
        await queue.close()


@pytest.fixture
async def queue(make_queue):
    return await make_queue()


@pytest.fixture
async def desk(kind, here, queue, clock):
    """The operator's desk beside the queue, as another process would open it."""
    opened = await (SqliteDesk if kind == "sqlite" else PostgresDesk).open(here, clock=clock)
    yield opened
    await opened.close()

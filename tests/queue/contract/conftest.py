"""The contract's suite runs on every store: another store is another parameter of `make_queue`."""

import pytest

from relay.queue.sqlite import SqliteDesk


@pytest.fixture(params=["sqlite"])
def make_queue(request, open_store):
    """Open the store of this test; again: as another worker of the same gateway."""
    assert request.param == "sqlite"

    async def make():
        return await open_store(exclusive=False)

    return make


@pytest.fixture
async def queue(make_queue):
    return await make_queue()


@pytest.fixture
async def desk(request, queue, store, clock):
    """The operator's desk beside the queue, as another process would open it."""
    opened = await SqliteDesk.open(store, clock=clock)
    yield opened
    await opened.close()

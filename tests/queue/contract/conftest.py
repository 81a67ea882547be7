"""The contract's suite runs on every store: another store is another parameter of `make_queue`."""

import pytest


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

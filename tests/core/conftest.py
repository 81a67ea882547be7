"""The path of a message, wired on a store of its own."""

import pytest
from core_parts import open_world


@pytest.fixture
async def world(tmp_path):
    async with open_world(tmp_path) as made:
        yield made

"""A running sandbox on a free port, and a caller."""

from collections.abc import AsyncIterator

import pytest
from sandbox_caller import Caller, calling


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    async with calling() as caller:
        yield caller

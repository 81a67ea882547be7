"""A sandbox of this test's own, and the clients for it."""

from collections.abc import AsyncIterator

import pytest

from relay.config.settings import DmdsSettings
from relay.providers.dmds import DmdsClient
from relay.sandbox import Sandbox, SandboxOptions


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    options = SandboxOptions(port=0, dmds_campaigns={"demo-12345": "demo-apikey", "acme-7": "acme-apikey"})
    async with Sandbox(options) as running:
        yield running


@pytest.fixture
def world(sandbox):
    return sandbox.world


@pytest.fixture
def settings(sandbox) -> DmdsSettings:
    return DmdsSettings(url=sandbox.dmds_url)


@pytest.fixture
async def dmds(settings) -> AsyncIterator[DmdsClient]:
    async with DmdsClient("demo", "demo-apikey", settings) as client:
        yield client

"""Every test of the door runs on asyncio's loop and on uvloop."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import pytest
import uvloop
from certificates import Certificate, make_certificate
from doorstep import Doorstep, open_door


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
async def make_doorstep() -> AsyncIterator[Callable[..., Awaitable[Doorstep]]]:
    """Open doors that are closed at the end."""
    opened: list[Doorstep] = []

    async def make(rules: dict[str, Any] | None = None, **others: Any) -> Doorstep:
        opened.append(await open_door(rules, **others))
        return opened[-1]

    yield make
    for doorstep in opened:
        await doorstep.close()


@pytest.fixture
async def doorstep(make_doorstep: Callable[..., Awaitable[Doorstep]]) -> Doorstep:
    """Open a door as it comes, on the loopback."""
    return await make_doorstep()


@pytest.fixture(scope="session")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("pem"))


@pytest.fixture
def trusting(pem: Certificate) -> ssl.SSLContext:
    """Make a client's context that trusts the test's authority."""
    return ssl.create_default_context(cafile=pem.authority)

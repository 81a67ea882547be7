"""A gateway whose pages may be seen, and a browser."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright
from running import Gateway
from visiting import Visit, web_config


@pytest.fixture(scope="session")
def web_gateway(_make_gateway, base_config) -> Gateway:
    return _make_gateway(f"{base_config}\n{web_config()}")


@pytest.fixture
def visit(web_gateway) -> Visit:
    """Somebody without a session."""
    return Visit(web_gateway)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as driver:
        chromium = await driver.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"],
        )
        yield chromium
        await chromium.close()

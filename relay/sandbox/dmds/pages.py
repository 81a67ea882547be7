"""The page that send_one and send_many fetch: redirects are followed until there is a 200 (doc)."""

import aiohttp

from relay.sandbox.dmds.fields import Fields, RefusedError
from relay.sandbox.dmds.wire import PAGE_KEY
from relay.sandbox.document import JsonObject

_TIMEOUT = aiohttp.ClientTimeout(total=10)
_LARGEST = 5 * 1024**2  # bytes
_REDIRECTS = 5


async def with_page(document: JsonObject) -> JsonObject:
    """Put the HTML of the page that a send names into its document.

    Raises:
        RefusedError: no page is named, or it cannot be had, or it is not in UTF-8 (doc: it must be).
    """
    address = Fields(document).text(PAGE_KEY, required=True)
    if not address.startswith(("http://", "https://")):
        raise RefusedError(f"{PAGE_KEY} must be an address that begins with http:// or https://")
    try:
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
            return {**document, "html": await _fetched(session, address)}
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise RefusedError(f"{PAGE_KEY} cannot be fetched: {type(error).__name__}") from None


async def _fetched(session: aiohttp.ClientSession, address: str) -> str:
    async with session.get(address, max_redirects=_REDIRECTS) as answer:
        if answer.status != 200:  # noqa: PLR2004 - an HTTP status
            raise RefusedError(f"{PAGE_KEY} answers {answer.status}")
        content = bytearray()
        async for chunk in answer.content.iter_any():
            content += chunk
            if len(content) > _LARGEST:
                raise RefusedError(f"{PAGE_KEY} is longer than {_LARGEST} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise RefusedError(f"{PAGE_KEY} is not in UTF-8") from None

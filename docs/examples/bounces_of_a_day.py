"""Print whose mail bounced within the last day, as lines of time, kind and address.

Credentials: RELAY_DMDS_ID, RELAY_DMDS_APIKEY; RELAY_DMDS_URL for another base address, such as the sandbox's.
"""

import asyncio
import os
from datetime import UTC, datetime, timedelta

from relay.config.settings import DmdsSettings
from relay.providers.dmds import DmdsClient


async def main() -> None:
    """Go through the events, page by page."""
    settings = DmdsSettings(url=os.environ["RELAY_DMDS_URL"]) if "RELAY_DMDS_URL" in os.environ else None
    now = datetime.now(UTC)
    async with DmdsClient(os.environ["RELAY_DMDS_ID"], os.environ["RELAY_DMDS_APIKEY"], settings) as dmds:
        async for event in dmds.events.between(now - timedelta(days=1), now):
            if event.kind.startswith("rebote-"):
                print(event.at, event.kind, event.email)


asyncio.run(main())

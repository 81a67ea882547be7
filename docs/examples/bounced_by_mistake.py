"""Make contacts of one's own domain valid again that bounced, and protect them: `bounced_by_mistake.py example.net`.

Credentials: RELAY_DMDS_ID, RELAY_DMDS_APIKEY; RELAY_DMDS_URL for another base address, such as the sandbox's.
"""

import asyncio
import os
import sys

from relay.config.settings import DmdsSettings
from relay.providers.dmds import DmdsClient


async def main(domain: str) -> None:
    """Go through the invalid contacts."""
    settings = DmdsSettings(url=os.environ["RELAY_DMDS_URL"]) if "RELAY_DMDS_URL" in os.environ else None
    async with DmdsClient(os.environ["RELAY_DMDS_ID"], os.environ["RELAY_DMDS_APIKEY"], settings) as dmds:
        for contact in await dmds.contacts.invalid():
            if contact.email.endswith(f"@{domain}"):
                await dmds.whitelist.add(contact.email)
                await dmds.contacts.revalidate(contact.email)
                print(f"{contact.email} is valid again")


asyncio.run(main(sys.argv[1]))

"""Send an invoice to somebody, archived, and fetch what an auditor may ask for: `archive_invoices.py CAMPAIGN EMAIL`.

Credentials: RELAY_DMDS_ID, RELAY_DMDS_APIKEY; RELAY_DMDS_URL for another base address, such as the sandbox's.
"""

import asyncio
import os
import sys
from pathlib import Path

from relay.config.settings import DmdsSettings
from relay.errors import ProviderError
from relay.providers.dmds import DmdsClient
from relay.providers.dmds.api.sends import Person, SendOptions


async def archived(campaign: int, email: str) -> tuple[str, bytes]:
    """Send, and return the batch with the mail that was made of it."""
    settings = DmdsSettings(url=os.environ["RELAY_DMDS_URL"]) if "RELAY_DMDS_URL" in os.environ else None
    async with DmdsClient(os.environ["RELAY_DMDS_ID"], os.environ["RELAY_DMDS_APIKEY"], settings) as dmds:
        options = SendOptions(subject="Your invoice", archive=True)
        try:
            sent = await dmds.sends.one_inline(campaign, Person(email), "<p>Total: 12.50</p>", options)
        except ProviderError as error:
            if error.maybe_accepted:
                sys.exit(f"{error}; it may be sent: look at the events before you send it again")
            raise
        return sent.batch, await dmds.batches.eml(sent.batch, email)


batch, mail = asyncio.run(archived(int(sys.argv[1]), sys.argv[2]))
target = Path(f"{batch}.eml")
target.write_bytes(mail)
print(target)

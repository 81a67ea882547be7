"""Send a template of the panel, with variables of each recipient: `template_for_each.py TEMPLATE < people.json`.

people.json is a list of `{"email": ..., "name": ..., "variables": {...}}`. Credentials: RELAY_MENSATEK_USER,
RELAY_MENSATEK_TOKEN; RELAY_MENSATEK_URL for another base address, such as the sandbox's.
"""

import asyncio
import json
import os
import sys

from relay.config.settings import MensatekSettings
from relay.providers.mensatek import MensatekClient
from relay.providers.mensatek.api.values import Order, Recipient


async def main(template: int) -> None:
    """Send to all of them in one call: each gets a mail of its own."""
    settings = MensatekSettings(url=os.environ["RELAY_MENSATEK_URL"]) if "RELAY_MENSATEK_URL" in os.environ else None
    people = [
        Recipient(each["email"], each.get("name", ""), each.get("variables", {})) for each in json.load(sys.stdin)
    ]
    order = Order("app@example.org", people, "A word for ###name###", template=template, track_clicks=False)
    async with MensatekClient(
        os.environ["RELAY_MENSATEK_USER"], os.environ["RELAY_MENSATEK_TOKEN"], settings
    ) as mensatek:
        sent = await mensatek.send(order)
    for entry in sent.sent:
        print(entry.email, entry.message_id)
    for entry in sent.not_sent:
        print(entry.email, "not sent")


asyncio.run(main(int(sys.argv[1])))

"""`relay dmds`: every method of DMDS API REST 1.5 on the command line."""

import click

from relay.commands.asking import Found
from relay.commands.dmds import campaigns, contacts, doctor, events, panel, provision, send
from relay.commands.dmds.access import asks_dmds
from relay.providers.dmds import DmdsClient


@click.group(
    name="dmds",
    commands=[
        contacts.contacts,
        contacts.whitelist,
        campaigns.campaigns,
        panel.groups,
        panel.filters,
        panel.variables,
        send.send,
        events.events,
        events.batches,
        provision.provision,
        doctor.doctor,
    ],
)
def dmds() -> None:
    """Ask DMDS: contacts, campaigns and their keys, sends, events, archives.

    Credentials come from an account of the gateway's configuration (--config, --account), or from the environment:
    RELAY_DMDS_ID and RELAY_DMDS_APIKEY, and RELAY_DMDS_URL for another base address.
    """


@dmds.command()
@asks_dmds
async def version(client: DmdsClient) -> Found:
    """Tell the API's version."""
    told = await client.version()
    return Found({"version": told}, text=told)

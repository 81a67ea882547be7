"""`relay dmds campaigns`."""

from typing import BinaryIO

import click
from pydantic import SecretStr

from relay.commands.asking import Found
from relay.commands.dmds.access import asks_dmds
from relay.plain import as_data
from relay.providers.dmds import DmdsClient


@click.group()
def campaigns() -> None:
    """Campaigns and their APIKEYs: with both, a program can log in."""


@campaigns.command(name="list")
@click.option("--type", "kind", default="", help='Only such, for example "api".')
@click.option("--number", type=int, help="Only this one.")
@asks_dmds
async def list_campaigns(client: DmdsClient, *, kind: str, number: int | None) -> Found:
    """List campaigns; keys are never among it."""
    found = await client.campaigns.list(kind=kind, number=number)
    rows = [(each.number, each.id, each.kind, each.name) for each in found]
    return Found(found, ("number", "id", "type", "name"), rows, text="no campaign")


@campaigns.command()
@click.argument("name")
@click.option("--type", "kind", default="api", show_default=True, help="Its type; one of type api gets a key.")
@asks_dmds
async def create(client: DmdsClient, name: str, *, kind: str) -> Found:
    """Create a campaign and print its key, if it has one."""
    made = await client.campaigns.create(name, kind=kind)
    key = made.apikey.get_secret_value() if made.apikey else ""
    record = {"number": made.number, "id": made.id, "apikey": key}
    return Found({**as_data(made), "apikey": key}, record=record)


@campaigns.command()
@click.argument("number", type=int)
@asks_dmds
async def key(client: DmdsClient, number: int) -> Found:
    """Print the APIKEY of a campaign."""
    found = (await client.campaigns.key(number)).get_secret_value()
    return Found({"number": number, "apikey": found}, text=found)


@campaigns.command(name="set-key")
@click.argument("number", type=int)
@click.option(
    "--key-file",
    type=click.File("rb"),
    help="Take the key from this file, or - for standard input, instead of a new one.",
)
@asks_dmds
async def set_key(client: DmdsClient, number: int, *, key_file: BinaryIO | None) -> Found:
    """Give a campaign another APIKEY and print it. Whatever uses the one before is locked out at once."""
    given = SecretStr(key_file.read().decode("ascii", "replace").strip()) if key_file else None
    made = (await client.campaigns.set_key(number, given)).get_secret_value()
    return Found({"number": number, "apikey": made}, text=made)

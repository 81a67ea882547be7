"""`relay dmds groups`, `filters`, `variables`."""

import click

from relay.commands.asking import Found
from relay.commands.dmds.access import asks_dmds
from relay.providers.dmds import DmdsClient


@click.group()
def groups() -> None:
    """Groups of contacts, also called bases."""


@click.group()
def filters() -> None:
    """Filters that were made in the panel."""


@click.group()
def variables() -> None:
    """Global variables."""


@groups.command()
@click.argument("name")
@asks_dmds
async def create(client: DmdsClient, name: str) -> Found:
    """Create a group."""
    made = await client.groups.create(name)
    return Found(made, record={"number": made.number, "name": made.name})


@filters.command(name="list")
@asks_dmds
async def list_filters(client: DmdsClient) -> Found:
    """List filters."""
    found = await client.filters.list()
    return Found(found, ("number", "name"), [(each.number, each.name) for each in found], text="no filter")


@variables.command(name="list")
@asks_dmds
async def list_variables(client: DmdsClient) -> Found:
    """List global variables with their values."""
    found = await client.variables.list()
    return Found(found, ("name", "value"), [(each.name, each.value) for each in found], text="no variable")


@variables.command(name="create")
@click.argument("name")
@click.argument("value")
@asks_dmds
async def create_variable(client: DmdsClient, name: str, value: str) -> Found:
    """Create a global variable, or give it another value."""
    await client.variables.create(name, value)
    return Found({"name": name, "value": value}, text=f"{name} is set")


@variables.command()
@click.argument("name")
@asks_dmds
async def delete(client: DmdsClient, name: str) -> Found:
    """Delete a global variable."""
    await client.variables.delete(name)
    return Found({"name": name, "deleted": True}, text=f"{name} is deleted")

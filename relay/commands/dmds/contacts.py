"""`relay dmds contacts` and `relay dmds whitelist`."""

from collections.abc import Mapping, Sequence

import click

from relay.commands.arguments import pairs
from relay.commands.asking import Found
from relay.commands.dmds.access import asks_dmds
from relay.plain import as_data
from relay.providers.dmds import DmdsClient
from relay.providers.dmds.api.values import Contact, StatusChange


@click.group()
def contacts() -> None:
    """Contacts: show, create, put into bases, invalidate, revalidate."""


@click.group()
def whitelist() -> None:
    """Contacts that no bounce makes invalid."""


_bases_option = click.option("--base", "bases", multiple=True, help="A base (group) by its name; may be repeated.")
_fields_option = click.option(
    "--field", "fields", multiple=True, callback=pairs, metavar="NAME=VALUE", help="A field; may be repeated."
)


@contacts.command()
@click.argument("email")
@asks_dmds
async def show(client: DmdsClient, email: str) -> Found:
    """Tell what is known of a contact, with its events."""
    return _contact(await client.contacts.show(email))


@contacts.command()
@click.argument("email")
@click.option("--name", default="", help="First name, or the whole name.")
@click.option("--surname", default="", help="Last name.")
@_bases_option
@_fields_option
@asks_dmds
async def save(
    client: DmdsClient, email: str, *, name: str, surname: str, bases: Sequence[str], fields: Mapping[str, str]
) -> Found:
    """Create a contact or update it; what is not given stays as it is."""
    return _saved(await client.contacts.save(email, name=name, surname=surname, bases=bases, fields=fields), email)


@contacts.command(name="set-bases")
@click.argument("email")
@click.argument("bases", nargs=-1, required=True)
@asks_dmds
async def set_bases(client: DmdsClient, email: str, bases: Sequence[str]) -> Found:
    """Put a new or existing contact into BASES, also called groups."""
    return _saved(await client.contacts.set_bases(email, bases), email)


@contacts.command(name="set-fields")
@click.argument("email")
@click.argument("fields", nargs=-1, required=True, callback=pairs)
@asks_dmds
async def set_fields(client: DmdsClient, email: str, fields: Mapping[str, str]) -> Found:
    """Set FIELDS, each NAME=VALUE, of a new or existing contact."""
    return _saved(await client.contacts.set_fields(email, fields), email)


@contacts.command()
@asks_dmds
async def invalid(client: DmdsClient) -> Found:
    """List the contacts that get no mail."""
    found = await client.contacts.invalid()
    rows = [(each.number, each.email, each.name, each.surname) for each in found]
    return Found(found, ("number", "email", "name", "surname"), rows, text="no contact is invalid")


@contacts.command()
@click.argument("email")
@asks_dmds
async def invalidate(client: DmdsClient, email: str) -> Found:
    """Make a contact invalid: mail to it becomes a Not-Sent event."""
    return _changed(await client.contacts.invalidate(email), email, "is invalid")


@contacts.command()
@click.argument("email")
@asks_dmds
async def revalidate(client: DmdsClient, email: str) -> Found:
    """Make a contact valid again, for example after a bounce by mistake."""
    return _changed(await client.contacts.revalidate(email), email, "is valid")


@whitelist.command(name="show")
@click.argument("email")
@asks_dmds
async def show_whitelist(client: DmdsClient, email: str) -> Found:
    """Tell whether a contact is whitelisted."""
    return _listed(email, is_listed=await client.whitelist.shows(email))


@whitelist.command()
@click.argument("email")
@asks_dmds
async def add(client: DmdsClient, email: str) -> Found:
    """Whitelist a contact: no bounce makes it invalid."""
    await client.whitelist.add(email)
    return _listed(email, is_listed=True)


@whitelist.command()
@click.argument("email")
@asks_dmds
async def remove(client: DmdsClient, email: str) -> Found:
    """Whitelist a contact no more."""
    await client.whitelist.remove(email)
    return _listed(email, is_listed=False)


def _contact(contact: Contact) -> Found:
    members = {
        "email": contact.email,
        "number": contact.number,
        "name": contact.name,
        "surname": contact.surname,
        "age": contact.age,
        "sex": contact.sex,
        "operation": contact.operation,
        "invalid": contact.is_invalid,
        "bases": contact.bases,
        "fields": contact.fields,
    }
    events = {f"event {number}": (each.kind, each.at) for number, each in enumerate(contact.events, 1)}
    return Found(contact, record={**members, **events})


def _saved(contact: Contact | None, email: str) -> Found:
    if contact is None:
        return Found({"email": email, "saved": True}, text=f"{email} is saved")
    return _contact(contact)


def _changed(change: StatusChange, email: str, what: str) -> Found:
    said = f" ({change.said})" if change.said else ""
    data = {"email": email, **as_data(change), "is_whitelisted": change.is_whitelisted}
    return Found(data, text=f"{email} is whitelisted{said}" if change.is_whitelisted else f"{email} {what}{said}")


def _listed(email: str, *, is_listed: bool) -> Found:
    return Found({"email": email, "whitelisted": is_listed}, text=f"{email} {'' if is_listed else 'not '}whitelisted")

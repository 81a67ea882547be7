"""What is written on command lines in the same form everywhere: people, pairs, moments, files."""

import mimetypes
from collections.abc import Mapping
from datetime import datetime
from email.utils import parseaddr
from pathlib import Path

import click

from relay.message import Mailbox

#: A file that is there.
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


def mailbox(_context: click.Context, _parameter: click.Parameter, value: str) -> Mailbox | None:
    """Read an address, with a name or without; None: nothing is written."""
    if not value:
        return None
    name, email = parseaddr(value)
    if "@" not in email:
        raise click.BadParameter(f"{value!r} is no address; write a@example.org or 'Ana <a@example.org>'")
    return Mailbox(email, name)


def mailboxes(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[Mailbox, ...]:
    """Read several addresses."""
    found = (mailbox(context, parameter, value) for value in values)
    return tuple(each for each in found if each is not None)


def pairs(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> Mapping[str, str]:
    """Read NAME=VALUE, several times."""
    found = dict(value.split("=", 1) for value in values if "=" in value)
    if len(found) < len(values):
        raise click.BadParameter("write it as NAME=VALUE, each name once")
    return found


def moment(_context: click.Context, _parameter: click.Parameter, value: str | None) -> datetime | None:
    """Read a date or a date-time; without a zone it is that of this machine."""
    if value is None:
        return None
    try:
        return datetime.fromisoformat(value).astimezone()
    except ValueError as error:
        raise click.BadParameter("write it like 2026-05-01 or 2026-05-01T08:25:11+02:00") from error


def media_type(path: Path) -> str:
    """Guess what a file is from its name."""
    return mimetypes.guess_type(path.name)[0] or "application/octet-stream"

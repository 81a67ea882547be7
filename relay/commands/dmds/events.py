"""`relay dmds events` and `relay dmds batches`."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from relay.commands.arguments import moment
from relay.commands.asking import Found
from relay.commands.dmds.access import asks_dmds
from relay.commands.options import Exit, fail
from relay.plain import as_data
from relay.providers.dmds import DmdsClient
from relay.providers.dmds.api.values import Event


@click.group()
def events() -> None:
    """What became of mail: sent, bounced, opened, clicked."""


@click.group()
def batches() -> None:
    """Sends by their eeid, and what is archived of them."""


def _span(command: Callable[..., Any]) -> Callable[..., Any]:
    since = click.option("--since", callback=moment, help="The begin.  [default: a day before the end]")
    until = click.option("--until", callback=moment, help="The end.  [default: now]")
    return since(until(command))


def _between(since: datetime | None, until: datetime | None) -> tuple[datetime, datetime]:
    end = until or datetime.now(UTC)
    return since or end - timedelta(days=1), end


@events.command()
@_span
@asks_dmds
async def count(client: DmdsClient, *, since: datetime | None, until: datetime | None) -> Found:
    """Count the events between two moments."""
    number = await client.events.count(*_between(since, until))
    return Found({"count": number}, text=str(number))


@events.command(name="list")
@_span
@click.option("--page-size", type=click.IntRange(10), default=100, show_default=True, help="Events in one call.")
@click.option("--most", type=click.IntRange(1), default=1000, show_default=True, help="Stop after so many.")
@asks_dmds
async def list_events(
    client: DmdsClient, *, since: datetime | None, until: datetime | None, page_size: int, most: int
) -> Found:
    """List the events between two moments, oldest page first."""
    found: list[Event] = []
    async for event in client.events.between(*_between(since, until), page_size):
        found.append(event)
        if len(found) == most:
            click.echo(f"stopped after {most}: --most says so", err=True)
            break
    return _events(found)


@events.command(name="of")
@click.argument("eeid")
@asks_dmds
async def of_batch(client: DmdsClient, eeid: str) -> Found:
    """List the events of one send."""
    return _events(await client.events.of_batch(eeid))


@batches.command()
@click.argument("eeid")
@asks_dmds
async def info(client: DmdsClient, eeid: str) -> Found:
    """Tell what is known of a send, its archive section included."""
    found = await client.batches.info(eeid)
    return Found(found, record=as_data(found.members))


@batches.command()
@click.argument("eeid")
@click.argument("email")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="Where to write it; - for standard output.  [default: EEID.EMAIL.eml, here]",
)  # fmt: skip
@asks_dmds
async def eml(client: DmdsClient, eeid: str, email: str, *, output: Path | None) -> Found:
    """Save the archived mail that one recipient of a send got as a .eml file."""
    mail = await client.batches.eml(eeid, email)
    target = output or Path(f"{_plain(eeid)}.{_plain(email)}.eml")
    if str(target) == "-":
        return Found({"eml": mail.decode("utf-8", "replace")}, text=mail.decode("utf-8", "replace"))
    try:
        with target.open("xb") as file:
            file.write(mail)
    except OSError as error:
        fail(Exit.UNAVAILABLE, f"{target}: {error.strerror}")
    return Found({"file": str(target), "bytes": len(mail)}, text=f"{target}: {len(mail)} bytes")


def _events(found: Sequence[Event]) -> Found:
    rows = [(each.at, each.kind, each.email, each.batch) for each in found]
    return Found(found, ("at", "event", "email", "eeid"), rows, text="no event")


def _plain(text: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "@-_+." else "_" for letter in text).lstrip(".")

"""`relay dmds send`: the four sends by hand."""

import mimetypes
from collections.abc import Callable, Sequence
from email.utils import parseaddr
from pathlib import Path
from typing import Any, TextIO

import click

from relay.commands.asking import Found
from relay.commands.dmds.access import asks_dmds
from relay.providers.dmds import DmdsClient
from relay.providers.dmds.api.sends import File, Person, SendOptions
from relay.providers.dmds.api.values import Sent


@click.group()
def send() -> None:
    """Send a page that DMDS fetches, or HTML of a file, to one or several.

    Nothing is sent twice by itself. Where no answer came, look at the events before you repeat it.
    """


def _person(text: str) -> Person:
    name, email = parseaddr(text)
    if "@" not in email:
        raise click.BadParameter(f"{text!r} is no address; write a@example.org or 'Ana <a@example.org>'")
    return Person(email, name)


def _people(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> tuple[Person, ...]:
    return tuple(map(_person, values))


def _files(_context: click.Context, _parameter: click.Parameter, paths: tuple[Path, ...]) -> tuple[File, ...]:
    kind = "application/octet-stream"
    return tuple(File(path.name, path.read_bytes(), mimetypes.guess_type(path.name)[0] or kind) for path in paths)


_path = click.Path(path_type=Path, exists=True, dir_okay=False)
_page = click.option("--page", required=True, metavar="URL", help="Address of an HTML page in UTF-8.")
_html = click.option(
    "--html", required=True, type=click.File(encoding="utf-8"), help="File with the HTML; - for standard input."
)
_one = click.option("--to", required=True, callback=lambda _c, _p, value: _person(value), help="Who gets it.")
_many = click.option("--to", required=True, multiple=True, callback=_people, help="Who gets it; may be repeated.")


def _shared(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that all four have."""
    for option in reversed(
        (
            click.option("--campaign", required=True, type=int, help="The campaign's short number."),
            click.option("--subject", default="", help="Instead of the campaign's."),
            click.option(
                "--from", "sender", default="", help="Instead of the campaign's; a domain that the panel allows."
            ),
            click.option("--reply-to", default="", help="One address."),
            click.option("--batch", default="", metavar="EEID", help="Join the batch of an earlier send."),
        )
    ):
        command = option(command)
    return command


def _copied(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of those that go to one contact."""
    copies = click.option("--cc", "copies", multiple=True, callback=_people, help="A copy that all see.")
    return copies(
        click.option("--bcc", "blind", multiple=True, callback=_people, help="A copy that nobody sees.")(command)
    )


def _inline(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of those that take HTML."""
    files = click.option("--attach", "files", multiple=True, type=_path, callback=_files, help="A file; unproven.")
    return files(click.option("--archive", is_flag=True, help="Keep what was sent; needs a licence.")(command))


@send.command()
@_one
@_page
@_copied
@_shared
@asks_dmds
async def one(client: DmdsClient, *, to: Person, page: str, campaign: int, **more: Any) -> Found:
    """Send a page to one contact (send_one)."""
    return _sent(await client.sends.one(campaign, to, page, _options(**more)))


@send.command()
@_many
@_page
@_shared
@asks_dmds
async def many(client: DmdsClient, *, to: Sequence[Person], page: str, campaign: int, **more: Any) -> Found:
    """Send a page to several contacts, each a mail of its own (send_many)."""
    return _sent(await client.sends.many(campaign, to, page, _options(**more)))


@send.command(name="one-inline")
@_one
@_html
@_copied
@_inline
@_shared
@asks_dmds
async def one_inline(client: DmdsClient, *, to: Person, html: TextIO, campaign: int, **more: Any) -> Found:
    """Send HTML to one contact (send_one_inline)."""
    return _sent(await client.sends.one_inline(campaign, to, html.read(), _options(**more)))


@send.command(name="many-inline")
@_many
@_html
@_inline
@_shared
@asks_dmds
async def many_inline(client: DmdsClient, *, to: Sequence[Person], html: TextIO, campaign: int, **more: Any) -> Found:
    """Send HTML to several contacts, each a mail of its own (send_many_inline)."""
    return _sent(await client.sends.many_inline(campaign, to, html.read(), _options(**more)))


def _options(
    *,
    subject: str,
    sender: str,
    reply_to: str,
    batch: str,
    copies: Sequence[Person] = (),
    blind: Sequence[Person] = (),
    files: Sequence[File] = (),
    archive: bool = False,
) -> SendOptions:
    shown = _person(sender) if sender else Person("")
    return SendOptions(
        subject=subject,
        sender_email=shown.email,
        sender_name=shown.name,
        reply_to=reply_to,
        copies=copies,
        blind_copies=[each.email for each in blind],
        attachments=files,
        batch=batch,
        archive=archive,
    )


def _sent(sent: Sent) -> Found:
    return Found(sent, record={"eeid": sent.batch, "sent": sent.count})

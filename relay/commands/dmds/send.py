"""`relay dmds send`: the four sends by hand."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TextIO

import click

from relay.commands.arguments import FILE, mailbox, mailboxes, media_type
from relay.commands.asking import Found
from relay.commands.dmds.access import asks_dmds
from relay.message import Mailbox
from relay.providers.dmds import DmdsClient
from relay.providers.dmds.api.sends import File, Person, SendOptions
from relay.providers.dmds.api.values import Sent


@click.group()
def send() -> None:
    """Send a page that DMDS fetches, or HTML of a file, to one or several.

    Nothing is sent twice by itself. Where no answer came, look at the events before you repeat it.
    """


_page = click.option("--page", required=True, metavar="URL", help="Address of an HTML page in UTF-8.")
_html = click.option(
    "--html", required=True, type=click.File(encoding="utf-8"), help="File with the HTML; - for standard input."
)
_one = click.option("--to", required=True, callback=mailbox, help="Who gets it.")
_many = click.option("--to", required=True, multiple=True, callback=mailboxes, help="Who gets it; may be repeated.")


def _shared(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that all four have."""
    for option in reversed(
        (
            click.option("--campaign", required=True, type=int, help="The campaign's short number."),
            click.option("--subject", default="", help="Instead of the campaign's."),
            click.option(
                "--from",
                "sender",
                default="",
                callback=mailbox,
                help="Instead of the campaign's; a domain that the panel allows.",
            ),
            click.option("--reply-to", default="", help="One address."),
            click.option("--batch", default="", metavar="EEID", help="Join the batch of an earlier send."),
        )
    ):
        command = option(command)
    return command


def _copied(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of those that go to one contact."""
    copies = click.option("--cc", "copies", multiple=True, callback=mailboxes, help="A copy that all see.")
    return copies(
        click.option("--bcc", "blind", multiple=True, callback=mailboxes, help="A copy that nobody sees.")(command)
    )


def _inline(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of those that take HTML."""
    files = click.option("--attach", "files", multiple=True, type=FILE, help="A file; unproven.")
    return files(click.option("--archive", is_flag=True, help="Keep what was sent; needs a licence.")(command))


@send.command()
@_one
@_page
@_copied
@_shared
@asks_dmds
async def one(client: DmdsClient, *, to: Mailbox, page: str, campaign: int, **more: Any) -> Found:
    """Send a page to one contact (send_one)."""
    return _sent(await client.sends.one(campaign, _person(to), page, _options(**more)))


@send.command()
@_many
@_page
@_shared
@asks_dmds
async def many(client: DmdsClient, *, to: Sequence[Mailbox], page: str, campaign: int, **more: Any) -> Found:
    """Send a page to several contacts, each a mail of its own (send_many)."""
    return _sent(await client.sends.many(campaign, list(map(_person, to)), page, _options(**more)))


@send.command(name="one-inline")
@_one
@_html
@_copied
@_inline
@_shared
@asks_dmds
async def one_inline(client: DmdsClient, *, to: Mailbox, html: TextIO, campaign: int, **more: Any) -> Found:
    """Send HTML to one contact (send_one_inline)."""
    return _sent(await client.sends.one_inline(campaign, _person(to), html.read(), _options(**more)))


@send.command(name="many-inline")
@_many
@_html
@_inline
@_shared
@asks_dmds
async def many_inline(client: DmdsClient, *, to: Sequence[Mailbox], html: TextIO, campaign: int, **more: Any) -> Found:
    """Send HTML to several contacts, each a mail of its own (send_many_inline)."""
    return _sent(await client.sends.many_inline(campaign, list(map(_person, to)), html.read(), _options(**more)))


def _options(
    *,
    subject: str,
    sender: Mailbox | None,
    reply_to: str,
    batch: str,
    copies: Sequence[Mailbox] = (),
    blind: Sequence[Mailbox] = (),
    files: Sequence[Path] = (),
    archive: bool = False,
) -> SendOptions:
    shown = sender or Mailbox("")
    return SendOptions(
        subject=subject,
        sender_email=shown.email,
        sender_name=shown.name,
        reply_to=reply_to,
        copies=[_person(each) for each in copies],
        blind_copies=[each.email for each in blind],
        attachments=[File(path.name, path.read_bytes(), media_type(path)) for path in files],
        batch=batch,
        archive=archive,
    )


def _person(shown: Mailbox) -> Person:
    return Person(shown.email, shown.name)


def _sent(sent: Sent) -> Found:
    return Found(sent, record={"eeid": sent.batch, "sent": sent.count})

"""`relay mensatek`: EnviarEMAIL with every parameter, and the credit."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import click
import orjson

from relay.commands.arguments import FILE, mailbox, mailboxes, moment, pairs
from relay.commands.asking import Found, asks
from relay.config import load
from relay.config.settings import MensatekSettings
from relay.errors import ConfigError
from relay.message import Mailbox
from relay.powers import QuietHours
from relay.providers.mensatek import MensatekClient
from relay.providers.mensatek.api.client import Form
from relay.providers.mensatek.api.values import File, Order, Recipient


def _open(config: Path | None, account: str) -> MensatekClient:
    settings = load(config, os.environ) if config else None
    known = {name: own for name, own in settings.account.items() if own.provider == "mensatek"} if settings else {}
    if account and account not in known:
        raise ConfigError(f"there is no Mensatek account {account!r}; known: {', '.join(known) or 'none'}")
    if not account and len(known) > 1:
        raise ConfigError(f"--account is needed, for there are several: {', '.join(known)}")
    reached = settings.provider.mensatek if settings else MensatekSettings()
    if url := os.environ.get("RELAY_MENSATEK_URL", ""):
        reached = reached.model_copy(update={"url": url})
    if known:
        own = known[account] if account else next(iter(known.values()))
        return MensatekClient(own.user, own.token, reached)
    user, token = os.environ.get("RELAY_MENSATEK_USER", ""), os.environ.get("RELAY_MENSATEK_TOKEN", "")
    if not user or not token:
        raise ConfigError(
            "no credentials: give --config (and --account), or set RELAY_MENSATEK_USER and RELAY_MENSATEK_TOKEN"
        )
    return MensatekClient(user, token, reached)


_asks_mensatek = asks(_open)


@click.group()
def mensatek() -> None:
    """Send through Mensatek by hand, templates included.

    Credentials come from an account of the gateway's configuration (--config, --account), or from the environment:
    RELAY_MENSATEK_USER and RELAY_MENSATEK_TOKEN, and RELAY_MENSATEK_URL for another base address.
    """


@mensatek.command()
@_asks_mensatek
async def credits(client: MensatekClient) -> Found:  # noqa: A001 - the command's name
    """Tell what credit is left. Ask rarely: the vendor takes quick repetitions for spam."""
    left = await client.credits()
    return Found({"credit": left}, text=left)


def _spans(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> tuple[QuietHours, ...]:
    spans = tuple(QuietHours(start, end) for start, _, end in (value.partition("-") for value in values))
    if not all(span.start and span.end for span in spans):
        raise click.BadParameter("write it like 22:00-09:00")
    return spans


@mensatek.command()
@click.option("--from", "sender", required=True, callback=mailbox, help="In a validated domain; 'Name <a@b>' or a@b.")
@click.option("--to", multiple=True, callback=mailboxes, help="Who gets it; may be repeated.")
@click.option("--subject", required=True, help="May hold ###variables###.")
@click.option("--html", type=click.File(encoding="utf-8"), help="File with the HTML; - for standard input.")
@click.option("--template", type=int, help="The id of a template made in the panel.")
@click.option("--var", "variables", multiple=True, callback=pairs, metavar="NAME=VALUE", help="A variable, for all.")
@click.option(
    "--recipients", "people_file", type=click.File("rb"),
    help='JSON list of {"email", "name", "variables": {}, "reference"}: people with variables of their own.',
)  # fmt: skip
@click.option("--reply-to", default="", help="One address.")
@click.option("--at", "schedule", callback=moment, help="When to send it; without a zone: of this machine.")
@click.option(
    "--quiet", "quiet_hours", multiple=True, callback=_spans, metavar="HH:MM-HH:MM", help="Not at these hours."
)
@click.option("--attach", "files", multiple=True, type=FILE, help="A file; may be repeated.")
@click.option("--track-opens/--no-track-opens", default=None, help="The API's default is yes.")
@click.option("--track-clicks/--no-track-clicks", default=None, help="The API's default is yes, and rewrites links.")
@click.option("--list-unsubscribe", default="", help="Value of that header.")
@click.option("--list-help", default="", help="Value of that header.")
@click.option("--reference", default="", help="Yours, for the whole send; comes back in reports.")
@click.option("--report/--no-report", default=None, help="Post reports to the script that the panel names.")
@click.option(
    "--form", type=click.Choice(["JSON", "XML", "TXT"]), default="JSON", show_default=True, help="Of the answer."
)
@_asks_mensatek
async def send(
    client: MensatekClient,
    *,
    sender: Mailbox,
    to: Sequence[Mailbox],
    html: TextIO | None,
    variables: Mapping[str, str],
    people_file: BinaryIO | None,
    files: Sequence[Path],
    form: Form,
    **more: Any,
) -> Found:
    """Send a mail or a template: each recipient gets one of its own. Nothing is sent twice by itself."""
    people = [Recipient(each.email, each.name, variables) for each in to]
    order = Order(
        sender_email=sender.email,
        sender_name=sender.name,
        recipients=[*people, *_listed(people_file, variables)],
        html=html.read() if html else "",
        attachments=[File(path.name, path.read_bytes()) for path in files],
        **more,
    )
    sent = await client.send(order, form=form)
    record = {
        "id": sent.send_id,
        "sent": sent.count,
        "duplicates": sent.duplicates,
        "credit": sent.credit,
        **{each.email: each.message_id or "sent" for each in sent.sent},
        **{each.email: "not sent" for each in sent.not_sent},
    }
    return Found(sent, record=record, is_fine=not sent.not_sent)


def _listed(file: BinaryIO | None, for_all: Mapping[str, str]) -> Sequence[Recipient]:
    """Read recipients with variables of their own, which go over those for all."""
    if file is None:
        return ()
    try:
        entries = orjson.loads(file.read())
        return [
            Recipient(
                email=str(entry["email"]),
                name=str(entry.get("name", "")),
                variables={**for_all, **{key: str(value) for key, value in entry.get("variables", {}).items()}},
                reference=str(entry.get("reference", "")),
            )
            for entry in entries
        ]
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise click.UsageError("--recipients: must be a JSON list of objects, each with an email") from error

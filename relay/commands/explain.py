"""`relay explain`: show what would be sent, and send nothing."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import click

from relay.accounts import Account
from relay.accounts.directory import Directory
from relay.accounts.senders import Senders
from relay.addresses import address_fault
from relay.commands.options import Exit, config_option, fail, load_or_fail
from relay.config import Settings
from relay.errors import MailRefused
from relay.message import Envelope, EnvelopeRecipient, Message, MessageId
from relay.outcome import Replies
from relay.preparation import Preparation, Prepared, refuse_unsendable
from relay.providers import HttpClient, build_providers
from relay.providers.encode import plain

#: Stands where the real message id will stand.
_EXAMPLE_ID = MessageId("00000000000000000000000000")


@click.command()
@click.argument("mail", type=click.File("rb"))
@config_option
@click.option("--login", "-l", required=True, help="The login, or the account, that the mail would come with.")
@click.option("--from", "mail_from", default="", help="MAIL FROM; empty for the null sender.")
@click.option("--rcpt", "recipients", multiple=True, required=True, help="RCPT TO; once for each recipient.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for programs.")
def explain(
    mail: BinaryIO, config: Path, login: str, mail_from: str, recipients: Sequence[str], *, as_json: bool
) -> None:
    """Print the exact calls that MAIL (a file, or - for standard input) would become. Sends nothing."""
    settings = load_or_fail(config)
    account = Directory(settings).account_for(login)
    if account is None:
        fail(Exit.DATA, f"no login or account {login!r}; known: {_known(settings.login, settings.account)}")
    envelope = Envelope(mail_from, tuple(EnvelopeRecipient(address) for address in recipients))
    message = Message(_EXAMPLE_ID, account.name, envelope, _crlf(mail.read()), received_at=time.time())
    try:
        prepared = _prepare(settings, message, account)
    except MailRefused as refusal:
        fail(Exit.DATA, f"the mail would be refused: {refusal.reply}")
    click.echo(json.dumps(_as_data(prepared), ensure_ascii=False, indent=2) if as_json else _as_text(prepared))


def _prepare(settings: Settings, message: Message, account: Account) -> Prepared:
    """Go the gateway's own way, from MAIL to the calls. Raises MailRefused where the gateway would refuse."""
    refuse_sender = Senders().refuse
    sender = message.envelope.mail_from
    if sender and (fault := address_fault(sender, deliverable=False)):
        raise MailRefused(Replies.BAD_SENDER_SYNTAX.saying(f"Sender: {fault}"))
    if (refusal := refuse_sender(account, sender)) is not None:
        raise MailRefused(refusal)
    for recipient in message.envelope.recipients:
        if fault := address_fault(recipient.address, deliverable=True):
            raise MailRefused(Replies.BAD_RECIPIENT_SYNTAX.saying(f"Recipient {recipient.address}: {fault}"))
    largest = max(listener.max_message_bytes for listener in settings.listener.values())
    if len(message.data) > largest:
        raise MailRefused(Replies.TOO_BIG.saying(f"The message is larger than every listener allows ({largest} bytes)"))
    providers = build_providers(settings.provider, HttpClient(1))
    prepared = Preparation(providers, settings.mime).prepare_now(message, account)
    refuse_unsendable(prepared, refuse_sender, settings.mime)
    return prepared


def _known(*tables: dict[str, Any]) -> str:
    return ", ".join(sorted({name for table in tables for name in table})) or "none"


def _crlf(data: bytes) -> bytes:
    """A file on disk has the system's line ends; on the wire they are CRLF."""
    return data if b"\r\n" in data else data.replace(b"\n", b"\r\n")


def _as_data(prepared: Prepared) -> dict[str, Any]:
    return {
        "account": prepared.account.name,
        "provider": prepared.account.provider,
        "recipients": [
            {"address": recipient.address, "role": recipient.role.value, "name": recipient.name}
            for recipient in prepared.recipients
        ],
        "notes": [{"code": note.code, "fidelity": note.fidelity.value, "text": note.text} for note in prepared.notes],
        "calls": [
            {
                "function": call.function,
                "recipients": [recipient.address for recipient in call.recipients],
                "body": plain(call.document),
            }
            for call in prepared.plan.calls
        ],
    }


def _as_text(prepared: Prepared) -> str:
    lines = [f"account {prepared.account.name}, provider {prepared.account.provider}", "", "recipients:"]
    lines += [f"  {recipient.role.value:3}  {recipient.address}" for recipient in prepared.recipients]
    lines += ["", "fidelity notes:" if prepared.notes else "fidelity notes: none"]
    lines += [f"  {note.fidelity.value:7}  {note.code}: {note.text}" for note in prepared.notes]
    for number, call in enumerate(prepared.plan.calls, start=1):
        body = json.dumps(plain(call.document), ensure_ascii=False, indent=2)
        lines += ["", f"call {number} of {len(prepared.plan.calls)}: {call.function}", body]
    return "\n".join(lines)

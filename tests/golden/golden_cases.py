"""What each mail in this folder becomes for each API, as people can read it."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from relay.accounts.account import Account
from relay.config import AccountPolicy
from relay.config.settings import MimeSettings, ProvidersSettings
from relay.errors import MailRefused
from relay.message import Envelope, EnvelopeRecipient, Message, MessageId
from relay.mime import read
from relay.preparation import Preparation, Prepared
from relay.providers import HttpClient, build_providers
from relay.providers.contract import Credentials, DmdsCredentials, MensatekCredentials
from relay.providers.encode import plain

FOLDER = Path(__file__).parent
CREDENTIALS: dict[str, Credentials] = {
    "mensatek": MensatekCredentials("demo-user", SecretStr("demo-token")),
    "dmds": DmdsCredentials("demo", 14, SecretStr("demo-apikey")),
}
_MESSAGE_ID = MessageId("01JCK0000000000000000000AA")
_LONG = 160
_BASE64 = re.compile(r"[A-Za-z0-9+/]{160,}={0,2}")


@dataclass(frozen=True)
class GoldenCase:
    """One mail, one API."""

    mail: Path
    provider: str

    @property
    def expected(self) -> Path:
        """Where the JSON is kept that a person has read and found right."""
        return self.mail.with_suffix(f".{self.provider}.json")

    def __str__(self) -> str:
        return f"{self.mail.stem}-{self.provider}"


def cases() -> list[GoldenCase]:
    """Every mail for every API."""
    return [GoldenCase(mail, provider) for mail in sorted(FOLDER.glob("*.eml")) for provider in CREDENTIALS]


def made(case: GoldenCase, **rules: Any) -> str:
    """Prepare a mail as the gateway does on acceptance, and write down what came of it.

    Args:
        case: The mail and the API.
        rules: Of the account's policy, beside those that stand with the mail.
    """
    sidecar = case.mail.with_suffix(".json")
    options = json.loads(sidecar.read_text("utf-8")) if sidecar.exists() else {}
    message = _message(case.mail.read_bytes(), options)
    policy = AccountPolicy(**options.get("policy", {}) | rules)
    account = Account(case.provider, case.provider, CREDENTIALS[case.provider], policy)
    preparation = Preparation(build_providers(ProvidersSettings(), HttpClient(1)), MimeSettings())
    try:
        shown = _shown(preparation.prepare_now(message, account))
    except MailRefused as refusal:
        shown = {"refused": str(refusal.reply)}
    return json.dumps(shown, indent=2, ensure_ascii=False) + "\n"


def _message(data: bytes, options: dict[str, Any]) -> Message:
    """Make the transaction: by default from the From header's address to everybody in To and Cc."""
    content = read(data, MimeSettings())
    addresses = options.get("rcpt") or [mailbox.email for mailbox in (*content.to, *content.cc)]
    mail_from = options.get("mail_from", content.sender.email if content.sender else "")
    recipients = tuple(EnvelopeRecipient(address) for address in addresses)
    return Message(_MESSAGE_ID, "golden", Envelope(mail_from, recipients), data, 1_700_000_000.0)


def _shown(prepared: Prepared) -> dict[str, Any]:
    return {
        "notes": [f"{note.fidelity.value}: {note.code}: {note.text}" for note in prepared.notes],
        "calls": [
            {
                "function": call.function,
                "recipients": [f"{each.role.value} {each.address}" for each in call.recipients],
                "document": _summed(plain(call.document)),
            }
            for call in prepared.plan.calls
        ],
    }


def _summed(value: Any) -> Any:
    """Put a checksum in the place of long base64."""
    match value:
        case dict():
            return {key: _summed(inner) for key, inner in value.items()}
        case list():
            return [_summed(inner) for inner in value]
        case str() if len(value) > _LONG and _BASE64.fullmatch(value):
            return {"base64_sha256": hashlib.sha256(value.encode()).hexdigest(), "size": len(value)}
        case str():
            return _BASE64.sub(lambda found: f"[base64 sha256 {_digest(found[0])}, size {len(found[0])}]", value)
        case _:
            return value


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

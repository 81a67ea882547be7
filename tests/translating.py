"""The bytes of a mail to the calls of both APIs, as the gateway makes them on acceptance; for tests of any room.

`translated` holds every result against what must hold for all of them, whoever wrote the mail.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from relay.accounts.account import Account
from relay.config import AccountPolicy
from relay.config.settings import MimeSettings, ProvidersSettings
from relay.errors import MailRefused
from relay.message import Envelope, EnvelopeRecipient, Message, MessageId
from relay.preparation import Preparation, Prepared
from relay.providers import HttpClient, build_providers
from relay.providers.contract import Credentials, DmdsCredentials, MensatekCredentials
from relay.providers.encode import encode

APIS: dict[str, Credentials] = {
    "mensatek": MensatekCredentials("demo-user", SecretStr("demo-token")),
    "dmds": DmdsCredentials("demo", 14, SecretStr("demo-apikey")),
}
#: The member that holds the HTML, and the one that holds the files.
HTML = {"mensatek": "Mensaje", "dmds": "html"}
FILES = {"mensatek": "Adjuntos", "dmds": "adjuntos"}
SHOWN, HIDDEN = "shown.recipient@example.net", "hidden.recipient@example.org"
#: A text of one letter may become "&nbsp;" in a line, a tab eight of them, and JSON escapes what HTML has brought.
_MOST_GROWTH, _ALWAYS = 80, 50_000
_MOST_WITH_IMAGES = 130 * 1024**2  # an image may be shown often: then its own bound holds
_PREPARATION = Preparation(build_providers(ProvidersSettings(), HttpClient(1)), MimeSettings())


@dataclass(frozen=True, slots=True)
class Translated:
    """What became of a mail for one API."""

    prepared: Prepared
    documents: list[dict[str, Any]]  # read back from the JSON that would be posted

    @property
    def html(self) -> str:
        """Return what is shown; the same in all calls."""
        return str(self.documents[0][HTML[self.prepared.account.provider]])

    @property
    def files(self) -> list[dict[str, str]]:
        """Return the files of the first call."""
        return list(self.documents[0].get(FILES[self.prepared.account.provider], []))


def translated(
    data: bytes, api: str, recipients: tuple[str, ...] = (SHOWN, HIDDEN), *, open_tnef: bool = False
) -> Translated | None:
    """Translate a mail; None: it is refused with its reason. Fails where something is so that must never be."""
    envelope = Envelope("bounce@example.com", tuple(map(EnvelopeRecipient, recipients)))
    message = Message(MessageId("01JCK0000000000000000000AA"), "test", envelope, data, 1_700_000_000.0)
    try:
        prepared = _PREPARATION.prepare_now(message, Account(api, api, APIS[api], AccountPolicy(open_tnef=open_tnef)))
    except MailRefused:
        return None
    bodies = [b"".join(encode(call.document)) for call in prepared.plan.calls]
    found = Translated(prepared, [json.loads(body) for body in bodies])
    most = _MOST_WITH_IMAGES if prepared.content.inline_images else _MOST_GROWTH * len(data) + _ALWAYS
    assert sum(map(len, bodies)) <= most, "it grew"
    for document in found.documents:
        for text in _fields(document, besides=HTML[api]):
            assert not set(text) & set("\r\n\x00"), f"a field of more than a line: {text!r}"
    assert sorted(recipients) == sorted(each.address for call in prepared.plan.calls for each in call.recipients)
    if HIDDEN.encode() not in data and HIDDEN in recipients:
        _hidden_stays_hidden(found, api)
    return found


def _fields(value: Any, besides: str = "") -> Iterator[str]:
    """Walk over all keys and values that are no HTML."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _fields(inner) if key != besides else ()
    elif isinstance(value, list):
        for inner in value:
            yield from _fields(inner)


def _hidden_stays_hidden(found: Translated, api: str) -> None:
    """Whoever no header names stands in no field but those that nobody else sees (promise 4)."""
    for document in found.documents:
        alone = {"mensatek": "Destinatarios", "dmds": "copia_oculta"}[api]
        if api == "dmds" and any(entry["email"] == HIDDEN for entry in document["contactos"]):
            alone = "contactos"  # each of them gets a mail of its own, where nobody is shown to others
            assert not document.get("copia")
            assert not document.get("copia_oculta")
        seen = {key: value for key, value in document.items() if key != alone}
        assert HIDDEN not in json.dumps(seen, ensure_ascii=False)

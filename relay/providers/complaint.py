"""What an API complains of in words: whom it names, and whether it means some recipient at all.

The APIs have few error codes and no fixed texts: one bad address among many is told in words, which may name it in any
form, or not at all.
"""

import re
from collections.abc import Sequence
from typing import Any

import orjson

from relay.message import Recipient
from relay.providers.fields import wire_address

#: Whatever looks like an address: its words say nothing (`sender@`, `internal@`).
_ADDRESS = re.compile(r"[^\s<>()\[\]\"',;:=]*@[^\s<>()\[\]\"',;:=]*")
#: These can only mean somebody in the call; "contact us" and "en contacto con" mean the vendor.
_SOMEBODY = re.compile(
    r"recipient|destinatari|copia|(?<![a-z])b?cc(?![a-z])|(?<!en )contactos?(?![a-z])"
    r"|contacts?(?![a-z])(?! (?:us|support|your|our|the)(?![a-z]))",
    re.IGNORECASE,
)
#: These mean somebody unless something that all recipients share is spoken of.
_PERHAPS_SOMEBODY = re.compile(
    r"e-?mail|(?<![a-z])mails?(?![a-z])|correo|direcci|address|mailbox|casilla|buz[oó]n|dominio|domain", re.IGNORECASE
)
_SHARED_BY_ALL = re.compile(
    r"remitente|sender|emisor|reply|responder|asunto|subject|html|cuerpo|(?<![a-z])body|adjunt|attach|plantilla|template"
    r"|campa[nñ]|campaign|list-?unsubscribe|list-?help|base64|json|tama[nñ]o|(?<![a-z])size|grande|large|(?<![a-z])big"
    r"|spam",
    re.IGNORECASE,
)


def spoken(value: Any) -> str:
    """Return an error's text, whatever it is wrapped in: a list or an object of texts stays JSON."""
    match value:
        case str():
            return value.strip()
        case list() | dict() if value:
            return orjson.dumps(value).decode("utf-8")
        case _:
            return ""


def named_in(text: str, recipients: Sequence[Recipient]) -> set[str]:
    """Find whose addresses a text holds, by `Recipient.key`; never one that only is a part of a longer address."""
    spans = [(*found.span(), each.key) for each in recipients for found in _spelt(each).finditer(text)]
    return {
        key
        for start, end, key in spans
        if not any(first <= start and end <= last and end - start < last - first for first, last, _ in spans)
    }


def bare_words(text: str, recipients: Sequence[Recipient]) -> str:
    """Take all addresses out of a text, those of the recipients and others, so that only its own words are judged."""
    for each in recipients:
        text = _spelt(each).sub(" ", text)
    return _ADDRESS.sub(" ", text)


def is_about_somebody(words: str) -> bool:
    """Tell whether words, without addresses, complain of a recipient and not of what all recipients share."""
    if _SOMEBODY.search(words):
        return True
    return bool(_PERHAPS_SOMEBODY.search(words)) and not _SHARED_BY_ALL.search(words)


def _spelt(recipient: Recipient) -> re.Pattern[str]:
    spellings = {wire_address(recipient.address), recipient.address}
    either = "|".join(re.escape(spelling) for spelling in sorted(spellings))
    return re.compile(rf"(?<![\w.+-])(?:{either})(?![\w-]|\.[\w-])", re.IGNORECASE)

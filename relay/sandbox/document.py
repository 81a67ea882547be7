"""The JSON edge: documents as the callers send them, attachments' contents replaced by what identifies them."""

import binascii
import hashlib
import re
from contextlib import suppress
from dataclasses import dataclass

import idna
import orjson


@dataclass(frozen=True, slots=True)
class Blob:
    """What is kept of an attachment's content."""

    size: int  # bytes, decoded
    sha256: str  # hexadecimal, of the decoded bytes


JsonValue = None | bool | int | float | str | Blob | list["JsonValue"] | dict[str, "JsonValue"]
JsonObject = dict[str, JsonValue]

#: Keys whose value is base64: `Contenido` assumed for Mensatek, `contenido` unknown for DMDS, the rest plausible.
_CONTENT_KEYS = frozenset({"contenido", "content", "base64", "data", "archivo"})

#: An address as a web form would take it: one @, no spaces or specials, a dot in the domain.
_ADDRESS = re.compile(
    r'[^\s@<>()\[\]\\,;:"\x00-\x20]{1,64}@(?:[^\s@.<>()\[\]\\,;:"]{1,63}\.)+[^\s@.<>()\[\]\\,;:"]{2,63}'
)

_DEEPEST = 50  # levels of JSON
_LONGEST_ADDRESS = 254  # characters, RFC 5321 §4.5.3.1.3 without its brackets
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class UnreadableDocumentError(Exception):
    """The text is no JSON."""


def parsed(text: bytes | str) -> JsonValue:
    """Read JSON; strict UTF-8, no NaN.

    Raises:
        UnreadableDocumentError: it is none.
    """
    try:
        value: JsonValue = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise UnreadableDocumentError(f"not JSON, at {error.pos}") from None
    return value


def sealed(value: JsonValue, name: str = "", depth: int = 0) -> JsonValue:
    """Replace the base64 of attachments by its Blob; what is not base64 stays as it is, for the API to refuse.

    Raises:
        UnreadableDocumentError: it is nested deeper than anything documented.
    """
    if depth > _DEEPEST:
        raise UnreadableDocumentError("nested too deeply")
    match value:
        case dict():
            return {key: sealed(item, key, depth + 1) for key, item in value.items()}
        case list():
            return [sealed(item, name, depth + 1) for item in value]
        case str() if name.lower() in _CONTENT_KEYS:
            return _blob(value) or value
    return value


def plain(value: JsonValue) -> object:
    """The same as JSON can show it: a Blob becomes an object."""
    match value:
        case Blob():
            return {"size": value.size, "sha256": value.sha256}
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case list():
            return [plain(item) for item in value]
    return value


def weight(value: JsonValue) -> int:
    """About how many bytes of memory it holds."""
    match value:
        case dict():
            return sum(len(key) + weight(item) for key, item in value.items())
        case list():
            return sum(weight(item) for item in value)
        case str():
            return len(value)
    return 8


def is_address(text: str) -> bool:
    """Tell whether both APIs would take it for an address (assumed: neither document says what is valid)."""
    local = text.partition("@")[0]
    dotted = local.startswith(".") or local.endswith(".") or ".." in text
    return len(text) <= _LONGEST_ADDRESS and not dotted and _ADDRESS.fullmatch(text) is not None


def mailbox_key(address: str) -> str:
    """One key for all spellings of one mailbox: case folded, domain in its ASCII form."""
    local, _, domain = address.rpartition("@")
    if not domain.isascii():
        with suppress(idna.IDNAError):
            domain = idna.encode(domain, uts46=True).decode()
    return f"{local.casefold()}@{domain.lower()}"


def has_control(text: str) -> bool:
    """Tell whether it would break, or forge, a header."""
    return _CONTROL.search(text) is not None


def _blob(text: str) -> Blob | None:
    # With or without line breaks (wire, at Mensatek's sibling service); otherwise strict, RFC 4648 §3.3.
    try:
        content = binascii.a2b_base64(text.replace("\r", "").replace("\n", ""), strict_mode=True)
    except ValueError:
        return None
    return Blob(len(content), hashlib.sha256(content).hexdigest())

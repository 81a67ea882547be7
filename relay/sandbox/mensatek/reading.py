"""From a request to Mensatek's parameters: JSON or a form, arrays native or as JSON strings."""

import base64
import binascii
from dataclasses import dataclass
from urllib.parse import parse_qsl

from relay.sandbox.document import JsonObject, JsonValue, UnreadableDocumentError, parsed, sealed
from relay.sandbox.exchange import Ask, Request
from relay.sandbox.mensatek.wire import ENTRY_KEYS, PARAMETERS

_NAMES = {name.casefold(): name for name in PARAMETERS}
_FORM = "application/x-www-form-urlencoded"


def credentials(request: Request) -> tuple[str, str]:
    """API User and API Token of HTTP Basic (doc); empty where there are none that can be read."""
    scheme, _, encoded = request.authorization.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return "", ""
    user, _, token = text.partition(":")
    return user, token


@dataclass(frozen=True, slots=True)
class Reading:
    """What could be read of a request."""

    document: JsonObject
    problem: str  # why it could not be read; empty: it could
    remarks: list[str]


def read_parameters(request: Request) -> Reading:
    """Read the parameters as far as they can be read, and remark on what no document names."""
    remarks = []
    if request.content_type not in (_FORM, "application/json"):
        remarks.append(f"undocumented Content-Type: {request.content_type}")
    if request.query:
        remarks.append("parameters in the query string: ignored")
    try:
        values = _form(request.body) if request.content_type == _FORM else _json(request.body)
    except (UnreadableDocumentError, ValueError) as error:
        return Reading({}, str(error), remarks)
    if len({key.casefold() for key in values}) < len(values):
        remarks.append("a parameter stands twice, in different spellings: the last counts")
    problem = ""
    for key, value in values.items():
        try:
            values[key] = _native(key, value)
        except UnreadableDocumentError as error:
            values[key] = value if isinstance(value, str) else None  # too deep to be kept
            problem = f"{key.upper()} should be of type ARRAY ({error})"
    return Reading(values, problem, remarks)


def remark_keys(ask: Ask) -> None:
    """Report every key that is assumed or unknown, in EnviarEMAIL."""
    for key, value in ask.document.items():
        name = _NAMES.get(key.casefold())
        if name is None:
            ask.remark(f"unknown key: {key}")
        elif name in ENTRY_KEYS and isinstance(value, list):
            _remark_entries(ask, name, value)


def _remark_entries(ask: Ask, name: str, entries: list[JsonValue]) -> None:
    marks = ENTRY_KEYS[name]
    for key in (key for entry in entries if isinstance(entry, dict) for key in entry):
        mark = marks.get(key.casefold(), "unknown")
        if mark != "doc":
            ask.remark(f"{mark} key: {name}[].{key}")


def _json(body: bytes) -> JsonObject:
    value = parsed(body) if body else {}
    if not isinstance(value, dict):
        raise UnreadableDocumentError("the body should be a JSON object")
    return value


def _form(body: bytes) -> JsonObject:
    # Everything in a form is text; what should be an array is JSON within it (doc).
    pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body), errors="strict")
    return dict(pairs)


def _native(key: str, value: JsonValue) -> JsonValue:
    """Arrays given as a JSON string, as in the document's sample and in forms, become arrays."""
    if _NAMES.get(key.casefold()) in ENTRY_KEYS and isinstance(value, str) and value:
        value = parsed(value)
    return value if isinstance(value, str) else sealed(value)

"""Every shape that Mensatek was seen or documented to answer in, read into one.

Documented: an array of one object, all values strings, lists as JSON strings. Seen at siblings: a bare object, real
numbers, counts where lists were expected, other spellings, XML, `Res:1;Cred:14970,00;`, and a bare `-1`. Names are
taken without regard to case. What fits none of these is None: unknown, never success.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from relay.providers.complaint import spoken

_BARE_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)*")
_WHOLE = re.compile(r"\s*[+-]?[0-9]{1,15}\s*")
_MAX_XML_DEPTH = 8  # twice the deepest seen
_TXT_PAIR = re.compile(r"([A-Za-z]+)\s*:\s*([^;]*)(?:;|$)")


@dataclass(frozen=True, slots=True)
class Entry:
    """One recipient as an answer lists it."""

    email: str  # as the API spells it
    message_id: str = ""  # idMensaje; empty: none given

    @property
    def is_proof(self) -> bool:
        """Tell whether it bears the id of a mail; a zero is none."""
        return self.message_id.strip("0") != ""


@dataclass(frozen=True, slots=True)
class Tally:
    """One of the answer's groups of recipients: a list, or only a number. Neither: nothing was said."""

    entries: tuple[Entry, ...] | None = None
    count: int | None = None

    @property
    def number(self) -> int | None:
        """How many, if that can be told."""
        return self.count if self.entries is None else len(self.entries)


@dataclass(frozen=True, slots=True)
class MensatekAnswer:
    """What the API said."""

    res: int
    error: str = ""
    send_id: str = ""  # idEnvio
    recipients: Tally = Tally()  # Destinatarios
    sent: Tally = Tally()  # Enviados
    not_sent: Tally = Tally()  # NoEnviados
    duplicates: int = 0
    credit: str = ""  # Cred or Saldo, as written

    @property
    def listed_as_sent(self) -> Sequence[Entry]:
        """Enviados; where that is only a number, the list stands in Destinatarios (client), and an id is the proof."""
        if self.sent.entries is not None:
            return self.sent.entries
        return [entry for entry in self.recipients.entries or () if entry.is_proof]

    @property
    def tells_of_mails_sent(self) -> bool:
        """Tell whether anything in it says that mails were made, whatever else it says."""
        return self.res > 0 or bool(self.sent.number) or bool(self.listed_as_sent)


def read_answer(body: bytes) -> MensatekAnswer | None:
    """Read an answer in whatever shape it came; None: it is none that is known."""
    text = body.decode("utf-8", "replace").lstrip("\N{ZERO WIDTH NO-BREAK SPACE}").strip()
    if not text:
        return None
    if text.startswith("<"):
        return _from_members(_xml_members(text))
    try:
        return _from_json(orjson.loads(text))
    except orjson.JSONDecodeError:
        return _from_text(text)


def _from_json(value: Any) -> MensatekAnswer | None:
    match value:
        case [dict() as only]:
            return _from_members(only)
        case dict():
            return _from_members(value)
        case str() | int() | float() if not isinstance(value, bool):
            return _from_text(str(value))
        case _:
            return None


def _from_text(text: str) -> MensatekAnswer | None:
    if _BARE_NUMBER.fullmatch(text):
        res = _whole(text)
        # A number with decimals can only be a balance, as old versions answered GetCreditos.
        return MensatekAnswer(res=0, credit=text) if res is None else MensatekAnswer(res=res)
    return _from_members(dict(_TXT_PAIR.findall(text)))


def _from_members(members: Mapping[str, Any]) -> MensatekAnswer | None:
    named = {key.casefold(): value for key, value in members.items()}
    credit = _words(named.get("cred")) or _words(named.get("saldo"))
    res = _whole(named.get("res"))
    if res is None:
        if not credit or "res" in named:
            return None
        res = 0  # GetCreditos may answer with the balance alone
    return MensatekAnswer(
        res=res,
        error=_words(named.get("error")) or spoken(named.get("error")),
        send_id=_words(named.get("idenvio")) or _words(named.get("idcampaign")),
        recipients=_tally(named.get("destinatarios")),
        sent=_tally(named.get("enviados")),
        not_sent=_tally(named.get("noenviados")),
        duplicates=_whole(named.get("duplicados")) or 0,
        credit=credit,
    )


def _tally(value: Any) -> Tally:
    """Read a group: a list, a JSON string of a list, XML items, or a count."""
    if isinstance(value, str) and value.strip().startswith("["):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            return Tally()
    match value:
        case list():
            return Tally(entries=tuple(_entries(value)))
        case str() | int() | float():
            return Tally(count=_whole(value))
        case dict():
            return Tally(entries=tuple(_entries(list(value.values()))))
        case _:
            return Tally()


def _entries(items: Sequence[Any]) -> Iterator[Entry]:
    for item in items:
        match item:
            case str():
                yield Entry(item.strip())
            case dict():
                named = {str(key).casefold(): value for key, value in item.items()}
                yield Entry(_words(named.get("email")), _words(named.get("idmensaje")))


def _whole(value: Any) -> int | None:
    """Read a whole number, as number or text."""
    match value:
        case bool():
            return None
        case int():
            return value
        case float() if value.is_integer():
            return int(value)
        case str() if _WHOLE.fullmatch(value):
            return int(value)
        case _:
            return None


def _words(value: Any) -> str:
    """Read a text or a number as text; anything else is nothing."""
    match value:
        case str():
            return value.strip()
        case int() | float() if not isinstance(value, bool):
            return str(value)
        case _:
            return ""


def _xml_members(text: str) -> Mapping[str, Any]:
    """Read `<result><Res>1</Res><Destinatarios><item0>..</item0></Destinatarios></result>` as nested mappings."""
    if "<!DOCTYPE" in text.upper() or "<!ENTITY" in text.upper():  # no entities that grow or reach out
        return {}
    try:
        root = ET.fromstring(text)  # noqa: S314 - see above
    except ET.ParseError:
        return {}
    value = _xml_value(root)
    return value if isinstance(value, Mapping) else {}


def _xml_value(element: ET.Element, depth: int = 0) -> Any:
    if len(element) and depth < _MAX_XML_DEPTH:
        return {child.tag: _xml_value(child, depth + 1) for child in element}
    return (element.text or "").strip()
